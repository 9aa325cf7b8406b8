"""`ondol trace`: from a row in PostgreSQL, or in the warehouse, to the cells that its figures were made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ondol.cli.output import AsJson, TenantId, clean, emit, say, table

if TYPE_CHECKING:
    from ondol.config.tenant import Tenant
    from ondol.warehouse.base import Origin


def trace(
    tenant: TenantId,
    name: Annotated[
        str, typer.Argument(metavar="table", help="A mart, or a table that an item loads.", show_default=False)
    ],
    key: Annotated[
        list[str],
        typer.Argument(help="The row: NAME=VALUE for each column of the key, or the values alone, in its order."),
    ],
    column: Annotated[str | None, typer.Option(help="Only this figure of the row.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=0, help="Show at most so many cells; 0 for all.")] = 40,
    as_json: AsJson = False,
) -> None:
    """Trace a row back to file, sheet and cell.

    For example: ondol trace hanbit store_sales_daily 2026-01-05 0101 --column net_amount
    """
    from dataclasses import asdict

    from ondol import registry
    from ondol.config.loader import find_tenant
    from ondol.embedded import serving_uri
    from ondol.settings import settings

    here = settings()
    config = find_tenant(here.tenants, tenant)
    wanted = _key(config, name, key)
    warehouse = registry.load(registry.WAREHOUSES, here.profile)(here.home, tenant)
    try:
        origins: list[Origin] = warehouse.trace(config.transform, name, wanted, column)
    finally:
        warehouse.close()
    row = None
    if name in {sync.table for sync in config.sync}:
        row = registry.load(registry.SERVINGS, here.profile)(serving_uri(), tenant).row(name, wanted)
    if as_json:
        emit(
            {
                "table": name,
                "key": wanted,
                "row": row,
                "cells": [{**asdict(o), "period": str(o.period)} for o in origins],
            }
        )
    else:
        _show(f"{tenant}.{name}", row, column, origins, limit)


def _key(tenant: Tenant, table: str, words: list[str]) -> dict[str, str]:
    """The key's columns and values: as they are named, or in the order that the tenant's sync says."""
    pairs = [word.partition("=") for word in words]
    columns = next((sync.key for sync in tenant.sync if sync.table == table), ())
    if all(sign for _, sign, _ in pairs):
        named = {name: value for name, _, value in pairs}
        if missing := [c for c in columns if c not in named]:
            needed = f"a row of {table} is named by {', '.join(columns)}; give {missing[0]}=… too"
            raise typer.BadParameter(needed, param_hint="key")
        return named
    if len(columns) != len(words):
        needed = " ".join(f"{c}=…" for c in columns) or "NAME=VALUE for the columns that name the row"
        raise typer.BadParameter(f"{len(words)} values do not name a row of {table}; give {needed}", param_hint="key")
    return dict(zip(columns, words, strict=True))


def _show(place: str, row: Mapping[str, Any] | None, column: str | None, origins: list[Origin], limit: int) -> None:
    if row is not None:
        figures = {k: v for k, v in row.items() if column is None or k == column}
        say(f"{place} in PostgreSQL: " + ", ".join(f"{k} = {clean(v)}" for k, v in figures.items()), style="bold")
    shown = origins[: limit or len(origins)]
    rows = [
        (
            o.column,
            o.value,
            o.file,
            o.sheet,
            o.cell or f"row {o.row}",
            f"{o.item} {o.period} {o.part}".strip(),
            o.sha256[:8],
        )
        for o in shown
    ]
    table(["column", "value", "file", "sheet", "cell", "item and period", "sha256"], rows, right=["value"])
    if len(origins) > len(shown):
        say(f"… and {len(origins) - len(shown):,} cells more: --limit 0 shows all", style="dim")
