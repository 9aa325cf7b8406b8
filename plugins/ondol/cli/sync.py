"""`ondol sync`: the marts of one tenant to its schema in PostgreSQL, now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from ondol.cli.output import AsJson, TenantId, emit, say, table

if TYPE_CHECKING:
    from ondol.config.tenant import Tenant
    from ondol.serving.base import Sample, SyncResult


def sync(
    tenant: TenantId,
    tables: Annotated[
        list[str] | None, typer.Argument(metavar="[TABLE]...", help="All tables of its YAML if none is named.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show how many rows would be written, and some of them.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Compare whole tables, even if nothing says that they changed.")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Let pass what max_delete_share or max_row_drift refuses.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Sync tables of one tenant now.

    The marts are brought up to date from what is loaded, then what changed in them goes to PostgreSQL, one transaction
    a table. A table that is refused stays as it was, and the others go on; exit code 1 then.
    """
    from dataclasses import asdict

    from ondol.config.loader import find_tenant
    from ondol.errors import Rejected
    from ondol.pipeline import sync_table
    from ondol.settings import settings

    config = find_tenant(settings().tenants, tenant)
    results: list[SyncResult] = []
    refused: dict[str, str] = {}
    for name in _known(config, tables or []):
        try:
            results.append(sync_table(config, name, dry_run=dry_run, full=full, accept=accept))
        except Rejected as rejected:
            refused[name] = str(rejected)
    if as_json:
        emit({"dry_run": dry_run, "tables": [asdict(result) for result in results], "refused": refused})
    else:
        _show(results, refused, dry_run)
    if refused:
        raise typer.Exit(1)


def _known(tenant: Tenant, wanted: list[str]) -> list[str]:
    """The tables asked for; a wrong one is a mistake on the command line."""
    from ondol.config.names import nearest

    there = [spec.table for spec in tenant.sync]
    for name in wanted:
        if name not in there:
            near = nearest(name, there)
            hint = f" Did you mean {near!r}?" if near else ""
            known = f"there are {', '.join(there)}" if there else "it syncs none"
            raise typer.BadParameter(
                f"{name!r} is no table that {tenant.tenant} syncs; {known}.{hint}", param_hint="TABLE"
            )
    return wanted or there


def _show(results: Iterable[SyncResult], refused: Mapping[str, str], dry_run: bool) -> None:
    counts = ["inserted", "updated", "deleted", "unchanged", "rejected", "rows"]
    rows = [(r.table, *(f"{getattr(r, count):,}" for count in counts), r.drift) for r in results]
    table(
        ["table", *counts, "what else wrote to it"],
        rows,
        title="What a sync would do" if dry_run else "",
        right=counts,
    )
    for result in results:
        if result.samples:
            _samples(result)
    for name, reason in refused.items():
        say(f"{name} is refused: {reason}", style="red", err=True)


def _samples(result: SyncResult) -> None:
    rows = [
        (kind, "\n".join(f"{column}: {value}" for column, value in _values(sample).items()))
        for sample in result.samples
        if (kind := "inserted" if sample.before is None else "deleted" if sample.after is None else "updated")
    ]
    table(["", "row"], rows, title=f"Some rows of {result.table}")


def _values(sample: Sample) -> dict[str, object]:
    """The row; of one that changes, each column that does with both values."""
    before, after = sample.before, sample.after
    if before is None or after is None:
        return dict(after or before or {})
    return {
        column: value if before.get(column) == value else f"{before.get(column)} → {value}"
        for column, value in after.items()
    }
