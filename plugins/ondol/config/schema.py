"""The JSON Schema of a tenant's YAML, for editors: tenants/_schema.json, described by the models' docstrings.

# yaml-language-server: $schema=_schema.json      (the first line of a tenant's YAML)
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from converters.rules import Strict
from ondol.config.sources.all import Source
from ondol.config.tenant import Tenant
from ondol.settings import PROJECT


def schema() -> dict[str, Any]:
    """The schema, every key described."""
    found = Tenant.model_json_schema()
    models = {model.__name__: model for model in _models(Strict)}
    for name, definition in [("Tenant", found), *found.get("$defs", {}).items()]:
        _describe(definition, models[name])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def text() -> str:
    """The schema as tenants/_schema.json has it."""
    return json.dumps(schema(), ensure_ascii=False, indent=2, default=str) + "\n"


def arguments(model: type[BaseModel]) -> dict[str, str]:
    """The descriptions of a model's keys, as in YAML, from the Args of its docstring."""
    names = {name: field.alias or name for name, field in model.model_fields.items()}
    _, _, section = inspect.cleandoc(model.__doc__ or "").partition("\nArgs:\n")
    base = model.__base__
    found = arguments(base) if base is not None and issubclass(base, Strict) else {}
    for entry in re.split(r"\n(?=    \S)", section.split("\n\n")[0].rstrip()):
        keys, _, description = entry.strip().partition(": ")
        for key in keys.split(" / "):
            if key.strip() in names:
                found[names[key.strip()]] = re.sub(r"^\(`\w+` in YAML\) ", "", " ".join(description.split()))
    return found


def _models(base: type[BaseModel]) -> list[type[BaseModel]]:
    return [model for child in base.__subclasses__() for model in (child, *_models(child))]


def _describe(definition: dict[str, Any], model: type[BaseModel]) -> None:
    definition["description"] = (
        inspect.cleandoc(model.__doc__ or "").partition("\n\nArgs:")[0].replace("\n", " ").strip()
    )
    described = arguments(model)
    for key, value in definition.get("properties", {}).items():
        value.pop("title", None)
        if key in described:
            value["description"] = described[key]


SECTIONS = (
    "Tenant", *sorted(model.__name__ for model in get_args(get_args(Source)[0])), "SshServer", "Limits",
    "Item", "Match", "Load", "TagRule", "TablePick", "ColumnRule", "Unpivot", "Transform", "SyncTable",
)  # fmt: skip


def reference() -> str:
    """The tables of docs/tenant.md: every key of every model with its type, default and meaning."""
    found = schema()
    parts = []
    for name in SECTIONS:
        definition = found if name == "Tenant" else found["$defs"][name]
        required = definition.get("required", [])
        rows = [
            f"| `{key}` | {_kind(value)} | {'required' if key in required else _default(value)} | {_cell(value)} |"
            for key, value in definition["properties"].items()
        ]
        head = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
        parts.append("\n".join([f"### {name}", "", definition["description"], "", *head, *rows]))
    return "\n\n".join(parts) + "\n"


def _kind(value: dict[str, Any]) -> str:
    """The type of a key in a reader's words."""
    if "enum" in value or "const" in value:
        return ", ".join(f"`{word}`" for word in value.get("enum", [value.get("const")]))
    if choices := value.get("anyOf") or value.get("oneOf"):
        return " or ".join(_kind(v) for v in choices if v.get("type") != "null" and "pattern" not in v)
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if value.get("type") == "array":
        return f"list of {_kind(value['items'])}"
    if value.get("type") == "object":
        (inner,) = [*value.get("patternProperties", {}).values(), value.get("additionalProperties")][:1]
        return f"name → {_kind(inner)}"
    return (
        {"string": "text", "boolean": "true, false"}.get(value["type"], value["type"])
        if not value.get("format")
        else "date"
    )


def _default(value: dict[str, Any]) -> str:
    default = value.get("default")
    return (
        "–"
        if default in (None, [], {}) or isinstance(default, dict)
        else f"`{json.dumps(default, ensure_ascii=False)}`"
    )


def _cell(value: dict[str, Any]) -> str:
    return str(value["description"]).replace("|", "\\|")


def write(project: Path) -> list[Path]:
    """Write tenants/_schema.json and the tables of docs/tenant.md anew; the files that changed."""
    page = project / "docs" / "tenant.md"
    before, marker, _ = page.read_text().partition(MARKER)
    wanted = {project / "tenants" / "_schema.json": text(), page: before + marker + "\n" + reference()}
    changed = [path for path, body in wanted.items() if not path.exists() or path.read_text() != body]
    for path in changed:
        path.write_text(wanted[path])
    return changed


MARKER = "<!-- below: python -m ondol.config.schema -->\n"

if __name__ == "__main__":
    for changed in write(PROJECT):
        print(f"wrote {changed}")
