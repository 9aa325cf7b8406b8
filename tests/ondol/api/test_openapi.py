from __future__ import annotations

from pathlib import Path

import hypothesis
import schemathesis
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from ondol.api.access import Principal
from ondol.api.app import create_app
from ondol.api.collecting import InService
from tests.ondol.api.conftest import HANBIT, Call

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
SETTINGS = hypothesis.settings(
    max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)


class NotNow(InService):
    """Asks and never runs: the stages have tests of their own."""

    def _submit(self, tenant: str, number: str) -> None:
        pass


def test_no_made_up_request_fails_the_server_and_every_answer_is_as_described(tenants: Path) -> None:
    app = create_app(lambda request: Principal("fuzz", {"hanbit": "editor"}), NotNow())
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    for result in schema.get_all_operations():
        operation = result.ok()

        @hypothesis.given(case=operation.as_strategy())
        @SETTINGS
        def ask(case: schemathesis.Case) -> None:
            for name, known in (("tenant", "hanbit"), ("name", "sales" if "items" in case.path else "share")):
                if name in case.path_parameters and len(str(case.path_parameters[name])) % 4:
                    case.path_parameters[name] = known
            if "If-Match" in str(case.headers).title():
                case.headers["If-Match"] = "*"
            case.call_and_validate(checks=CHECKS)

        ask()
        (tenants / "hanbit.yaml").write_text(HANBIT)


def test_the_document_is_openapi_3_1_and_describes_the_tenants_yaml(call: Call) -> None:
    document = call().get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    schemas = document["components"]["schemas"]
    assert schemas["NewItem"]["properties"]["config"] == {"$ref": "#/components/schemas/Item"}
    assert schemas["Item"]["properties"]["due"]["default"] == "1 day"
    body = document["paths"]["/v1/tenants/{tenant}/sources/{name}"]["patch"]["requestBody"]["content"]
    assert list(body) == ["application/merge-patch+json"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def test_the_document_its_page_and_the_pages_scripts_are_open_to_all(call: Call) -> None:
    client: TestClient = call()
    page = client.get("/docs").text
    assert "cdn" not in page
    for path in ("/openapi.json", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/healthz"):
        assert client.get(path).status_code == 200
