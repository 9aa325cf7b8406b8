"""What pydantic found wrong in a tenant's YAML, in the words, lines and near misses that its editor needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import yaml

from ondol.config.document import Document, line_of
from ondol.config.fields import ID_RULE, NAME_RULE, Fault, Wrong
from ondol.config.names import identifier, nearest
from ondol.config.tenant import RESERVED
from ondol.config.words import canonical
from ondol.errors import Problem

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Loc = tuple[str | int, ...]

EXPECTED = {
    "string_type": "a text, in quotes if it looks like a number",
    "int_type": "a whole number", "int_parsing": "a whole number", "int_from_float": "a whole number",
    "float_type": "a number", "float_parsing": "a number", "decimal_type": "a number", "decimal_parsing": "a number",
    "bool_type": "true or false", "bool_parsing": "true or false",
    "tuple_type": "a list, such as [a, b]", "list_type": "a list, such as [a, b]",
    "dict_type": "keys and values", "model_type": "keys and values", "model_attributes_type": "keys and values",
    "date_type": "a date such as 2026-01-05", "date_parsing": "a date such as 2026-01-05",
    "date_from_datetime_parsing": "a date such as 2026-01-05",
    "date_from_datetime_inexact": "a date such as 2026-01-05",
}  # fmt: skip


def explain(error: ValidationError, document: Document) -> list[Problem]:
    """Every problem of the file, in its order, one for each place."""
    found: dict[tuple[int, str, str], Problem] = {}
    for detail in error.errors(include_url=False):
        if detail["type"] == "too_short" and detail["input"]:
            continue  # only because its entries are wrong, and those are told of
        for problem in _problems(detail, document):
            key = (problem.line, problem.field, problem.message)
            if (other := found.get(key)) and problem.allowed and problem.allowed not in (other.allowed or ""):
                problem = Problem(**{**_parts(other), "allowed": f"{other.allowed} or {problem.allowed}"})
            found[key] = problem
    return sorted(found.values(), key=lambda p: (p.line, p.field))


def _parts(problem: Problem) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in Problem.__slots__}


def _problems(detail: ErrorDetails, document: Document) -> Iterator[Problem]:
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, Wrong):
        for fault in cause.faults:
            yield _problem(document, (*detail["loc"], *fault.at), fault)
    elif isinstance(cause, ValueError):
        yield _problem(document, detail["loc"], Fault(str(cause)), named=True)
    elif detail["type"] in ("missing", "union_tag_not_found"):
        place: Loc = (*detail["loc"], DISCRIMINATOR) if detail["type"] == "union_tag_not_found" else detail["loc"]
        *above, name = place
        yield _missing(document, tuple(above), str(name))
    elif detail["type"] in ("extra_forbidden", "invalid_key"):
        yield _unknown_key(document, detail["loc"])
    else:
        place = (*detail["loc"], DISCRIMINATOR) if detail["type"] == "union_tag_invalid" else detail["loc"]
        yield _problem(document, place, _fault(detail))


DISCRIMINATOR = "type"
"""The key that says which of several models a group of keys is."""


def _problem(document: Document, loc: Loc, fault: Fault, *, named: bool = False) -> Problem:
    path, line, node = _find(document.root, loc)
    field, got = _field(path), _got(node)
    if "[key]" in loc:
        field, got = _field(path[:-1]), ""
        message = f"{field} has the key {path[-1]!r}"
    else:
        message = fault.message or (f"{field or 'the file'} is {got}" if got else f"{field} is empty")
    if named and field:
        message = f"{field}: {message}"
    hint = fault.hint or _slug(node, fault.allowed)
    return Problem(document.file, line, field, message, got=_raw(node), allowed=fault.allowed, hint=hint)


def _missing(document: Document, above: Loc, name: str) -> Problem:
    path, line, _ = _find(document.root, above)
    field = _field((*path, name))
    description = _schema_at(above).get("properties", {}).get(name, {}).get("description")
    return Problem(
        document.file, line, field, f"{field} is missing: {description}" if description else f"{field} is missing"
    )


def _unknown_key(document: Document, loc: Loc) -> Problem:
    path, line, _ = _find(document.root, loc)
    above, key = _field(path[:-1]), path[-1]
    known = list(_schema_at(loc[:-1]).get("properties", {}))
    message = f"{above + ': ' if above else ''}there is no key {key!r}"
    return Problem(document.file, line, _field(path), message, str(key), ", ".join(known), nearest(str(key), known))


def _fault(detail: ErrorDetails) -> Fault:
    """What is allowed, in words, for one of pydantic's own errors."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in EXPECTED:
        value = detail["input"]
        wrapped = f"[{value}]" if kind in ("tuple_type", "list_type") and isinstance(value, str) else None
        if kind == "string_type" and isinstance(value, int | float):
            wrapped = str(value)
        return Fault(allowed=EXPECTED[kind], hint=wrapped)
    if kind in ("literal_error", "union_tag_invalid"):
        allowed = str(context.get("expected") or context.get("expected_tags"))
        words = [w.strip(" '") for w in allowed.replace(" or ", ",").split(",")]
        return Fault(allowed=allowed, hint=nearest(str(context.get("tag", detail["input"])), words))
    if kind in ("too_short", "string_too_short"):
        return Fault(allowed="at least one entry" if kind == "too_short" else "a text that is not empty")
    if kind == "string_pattern_mismatch":
        return Fault(allowed=ID_RULE if "{1,39}" in context["pattern"] else NAME_RULE)
    return Fault(allowed=detail["msg"].removeprefix("Input should ").removeprefix("String should "))


def _slug(node: yaml.Node | None, allowed: str | None) -> str | None:
    if allowed not in (ID_RULE, NAME_RULE) or not isinstance(node, yaml.ScalarNode):
        return None
    name = (identifier if allowed == ID_RULE else canonical)(node.value)
    return (f"{name}_co" if name in RESERVED else name) or None


def _find(root: yaml.Node, loc: Loc) -> tuple[Loc, int, yaml.Node | None]:
    """The keys that lead to a place, its line and its node; what pydantic adds of its own is left out."""
    path: list[str | int] = []
    line, node = line_of(root), root
    for part in loc:
        if part == "[key]":
            return tuple(path), line, yaml.ScalarNode("tag:yaml.org,2002:str", str(path[-1]))
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = line_of(node)
        elif isinstance(node, yaml.MappingNode) and (pair := _pair(node, part)):
            line, node = line_of(pair[0]), pair[1]
        else:
            continue
        path.append(part)
    return tuple(path), line, node


def line_of_key(document: Document, *keys: str | int) -> int:
    """The line of what is under these keys."""
    return _find(document.root, keys)[1]


def _pair(node: yaml.MappingNode, key: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    return next((pair for pair in node.value if pair[0].value == str(key)), None)


def _field(path: Loc) -> str:
    """('items', 2, 'due') → items[2].due."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _raw(node: yaml.Node | None) -> str | None:
    return str(node.value)[:80] if isinstance(node, yaml.ScalarNode) else None


def _got(node: yaml.Node | None) -> str:
    """The value as a message shows it; empty for none."""
    if isinstance(node, yaml.MappingNode):
        return "a group of keys"
    if isinstance(node, yaml.SequenceNode):
        return f"a list of {len(node.value)}"
    if node is None or node.tag.endswith(":null"):
        return ""
    value = str(node.value)
    return repr(value) if len(value) <= 80 else f"{value[:60]!r}… ({len(value)} characters)"


def _schema_at(loc: Loc) -> dict[str, Any]:
    """The JSON schema of the value at a place of a tenant."""
    from ondol.config.schema import schema

    root = schema()
    raw = node = root
    for part in loc:
        kinds = raw.get("discriminator", {}).get("mapping", {})
        if part in kinds:
            raw = node = root["$defs"][kinds[part].rsplit("/", 1)[1]]
            continue
        others = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
        below = node.get("items") if isinstance(part, int) else node.get("properties", {}).get(part, others[0])
        if isinstance(below, dict):
            raw, node = below, _resolved(root, below)
    return node


def _resolved(root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    for choices in (node.get("anyOf"), node.get("oneOf")):
        node = next((c for c in choices or () if "$ref" in c or c.get("type") in ("array", "object")), node)
    return root["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
