"""A tenant's YAML as the Markdown page that Airflow shows beside its DAG."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from ondol.config.sources.all import Source
from ondol.config.tenant import Item, Tenant
from ondol.errors import ConfigError


def describe(tenant: Tenant, digest: str) -> str:
    """What is collected from where, what each file is, and which marts the customer gets.

    Args:
        digest: the hash of the resolved configuration.
    """
    schedule = f"runs `{tenant.schedule}` ({tenant.timezone})" if tenant.schedule else "runs only when triggered"
    parts = [
        f"# {_text(tenant.name)}",
        f"`{tenant.tenant}`, {schedule}, configuration `{digest}`",
        "A run takes the files that arrived on the day of its logical date. A trigger can ask to *process again* what "
        "did not change since, and to take *only these items*.",
        "### Sources",
        _table(("source", "type", "where"), map(_source, tenant.sources)),
        "### Items",
        _table(("item", "recognised by", "a file speaks of", "due", "table", "what it is"), map(_item, tenant.items)),
    ]
    if tenant.transform:
        rows = [(s.table, ", ".join(s.key)) for s in tenant.sync]
        parts += [f"### Marts of the `{tenant.transform.models}` models", _table(("mart", "key"), rows)]
    return "\n\n".join(parts) + "\n"


def describe_error(file: str, error: ConfigError) -> str:
    """What is wrong with a tenant's file, for the DAG that stands in its place."""
    lines = "\n".join(f"- {_text(line)}" for line in str(error).splitlines())
    return (
        f"# `{_code(file)}` is wrong\n\n{lines}\n\n"
        "This DAG stands in the tenant's place until the file is right; the other tenants go on. "
        "`ondol check` shows all problems at once.\n"
    )


def _source(source: Source) -> Sequence[str]:
    given = source.model_dump(mode="json", exclude={"id", "type"}, exclude_defaults=True)
    return source.id, source.type, ", ".join(f"{key}: {value}" for key, value in given.items())


def _item(item: Item) -> Sequence[str]:
    known = [item.match.name] if item.match.name else []
    known += [f"text '{text}'" for text in item.match.content]
    return item.id, " and ".join(known), f"one {item.grain}", item.due, item.table, item.description or ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_text(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(text: str) -> str:
    """A customer's words as plain text of one line, whatever Markdown or HTML is in them."""
    plain = html.escape(" ".join(text.split()), quote=False)
    return "".join(f"\\{c}" if c in "\\`*_{}[]#|~!" else c for c in plain)


def _code(text: str) -> str:
    return text.replace("`", "'").replace("\n", " ")
