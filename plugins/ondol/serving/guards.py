"""What a sync refuses though PostgreSQL would take it: the loss of many rows, and an unlikely number of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ondol.errors import Rejected

if TYPE_CHECKING:
    from ondol.config.tenant import SyncTable


def check_deletes(where: str, spec: SyncTable, rows: int, counts: Mapping[str, int]) -> None:
    """Rejected if too large a share of the rows there would go.

    Args:
        rows: of the mart.
        counts: rows that are inserted and deleted.
    """
    before, deleted = rows - counts["inserted"] + counts["deleted"], counts["deleted"]
    if deleted > spec.max_delete_share * before:
        raise Rejected(
            f"{where}: the sync would delete {deleted} of {before} rows"
            + (" because the mart is empty." if not rows else f", more than {spec.max_delete_share:.0%}."),
            f"Find out why the mart lost them. If that is right, {_accept(where)}, or raise max_delete_share in the "
            "YAML (1 allows all).",
            {"deleted": deleted, "before": before, "max_delete_share": spec.max_delete_share},
        )


def check_row_drift(where: str, spec: SyncTable, rows: int, before: int | None) -> None:
    """Rejected if the mart has far fewer or far more rows than the last batch.

    Args:
        before: rows of the last batch; None if there was none.
    """
    if spec.max_row_drift is None or not before or abs(rows - before) <= spec.max_row_drift * before:
        return
    raise Rejected(
        f"{where}: the mart has {rows} rows, and the last batch had {before}: {(rows - before) / before:+.0%}, "
        f"more than {spec.max_row_drift:.0%}.",
        f"Find out why. If that is right, {_accept(where)}, or raise max_row_drift in the YAML.",
        {"rows": rows, "before": before, "max_row_drift": spec.max_row_drift},
    )


def _accept(where: str) -> str:
    return f"let it pass once: ondol sync {where.replace('.', ' ', 1)} --accept"
