"""The OpenAPI document: what FastAPI cannot say by itself."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import TypeAdapter

from ondol.api.models import Problem
from ondol.api.problems import MEDIA
from ondol.config.sources.all import Source
from ondol.config.tenant import Item

_REFS = "#/components/schemas/{model}"
_SAID = {
    401: "no token, or none that is valid here",
    403: "the caller's role does not allow it",
    404: "there is none, or none that the caller may know of",
    409: "the tenant's file, or what else there is, stands against it",
    412: "it was changed since the caller read it",
    413: "the body is larger than the limit",
    422: "the request is wrong, or the tenant's YAML would be: `problems` says where",
    428: "If-Match is missing",
    503: "busy, or something that it needs is away: try again after Retry-After seconds",
}
_TAG = {"ETag": {"schema": {"type": "string"}, "description": "Of this state; a change needs it as If-Match."}}
ETAG: dict[str, Any] = {"headers": _TAG, "description": "it, as it is now"}
CHANGED: dict[str, Any] = {
    "headers": {**_TAG, "Location": {"schema": {"type": "string"}, "description": "Where it is."}},
    "description": "created",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route; each may also be answered with 503."""
    content = {MEDIA: {"schema": {"$ref": _REFS.format(model="Problem")}}}
    return {status: {"description": _SAID[status], "content": content} for status in (*statuses, 503)}


class Described(FastAPI):
    """An application whose document has the models of the tenants' YAML."""

    def openapi(self) -> dict[str, Any]:
        """The document."""
        if self.openapi_schema:
            return self.openapi_schema
        document = super().openapi()
        schemas = document["components"]["schemas"]
        models: dict[str, Any] = {"Problem": Problem, "Source": Source, "Item": Item}
        for name, model in models.items():
            found = TypeAdapter(model).json_schema(ref_template=_REFS)
            schemas |= found.pop("$defs", {})
            schemas[name] = found
        for path, operations in document["paths"].items():
            for part, noun in (("sources", "Source"), ("items", "Item")):
                if f"/{part}" in path:
                    _name(operations, noun)
        for noun in ("Source", "Item"):
            _add(schemas, noun)
        document["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        }
        document["security"] = [{"token": []}]
        return document


_OWN = {"Entry": "{}Entry", "NewEntry": "New{}", "EntryPatch": "{}Patch", "Page_Entry_": "{}Page"}


def _name(node: Any, noun: str) -> None:
    """Point what is of both kinds to the model of this kind."""
    if isinstance(node, list):
        for part in node:
            _name(part, noun)
    elif isinstance(node, dict):
        reference = str(node.get("$ref", "")).rsplit("/", 1)[-1]
        if reference in _OWN:
            node["$ref"] = _REFS.format(model=_OWN[reference].format(noun))
        for part in node.values():
            _name(part, noun)


def _add(schemas: dict[str, Any], noun: str) -> None:
    import copy

    for shared, own in _OWN.items():
        made = copy.deepcopy(schemas[shared])
        made["title"] = own.format(noun)
        _name(made, noun)
        if "config" in made["properties"] and shared != "EntryPatch":
            made["properties"]["config"] = {"$ref": _REFS.format(model=noun)}
        schemas[own.format(noun)] = made
