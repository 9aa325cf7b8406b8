from __future__ import annotations

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from converters.rules import Strict
from ondol.config import schema as module
from ondol.config.document import read
from ondol.config.tenant import RESERVED, Tenant
from ondol.settings import PROJECT

TENANTS = sorted((PROJECT / "tenants").glob("[!_.]*.yaml"))


def test_the_files_made_of_the_models_are_up_to_date(tmp_path):
    page = PROJECT / "docs" / "tenant.md"
    assert (PROJECT / "tenants" / "_schema.json").read_text() == module.text(), "run: python -m ondol.config.schema"
    assert page.read_text().endswith(module.MARKER + "\n" + module.reference()), "run: python -m ondol.config.schema"


def test_every_key_of_every_model_is_described():
    for model in module._models(Strict):
        keys = {field.alias or name for name, field in model.model_fields.items()}
        assert set(module.arguments(model)) == keys, model.__name__


@pytest.mark.parametrize("path", TENANTS, ids=lambda p: p.name)
def test_the_tenants_fit_the_schema(path):
    jsonschema.validate(read(path).data, module.schema())
    assert path.read_text().startswith("# yaml-language-server: $schema=_schema.json\n")


def test_the_example_of_the_documentation_is_right():
    page = (PROJECT / "docs" / "tenant.md").read_text()
    example = page.split("```yaml\n")[1].split("```")[0]
    jsonschema.validate(yaml.safe_load(example), module.schema())
    assert Tenant.model_validate(yaml.safe_load(example)).tenant == "hanbit"


def test_the_schema_refuses_what_the_models_refuse(good):
    data = yaml.safe_load(good)
    jsonschema.validate(data, module.schema())
    for key, value in (("tenant", "한빛"), ("nmae", "x"), ("sources", [])):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**data, key: value}, module.schema())
        with pytest.raises(ValidationError):
            Tenant.model_validate({**data, key: value})


def test_no_reserved_word_of_duckdb_can_name_a_tenant_or_a_table():
    import duckdb

    words = duckdb.sql("select keyword_name from duckdb_keywords() where keyword_category = 'reserved'").fetchall()
    assert {word for (word,) in words} <= RESERVED


def test_no_reserved_word_of_postgresql_can_name_a_tenant_or_a_table(home):
    import psycopg2

    from ondol import embedded

    with psycopg2.connect(embedded.database_uri()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')")
        words = {word for (word,) in cursor.fetchall()}
    connection.close()
    assert words <= RESERVED
