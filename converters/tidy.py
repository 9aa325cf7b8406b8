"""The tidy table: its Arrow schema, and Parquet that is the same bytes for the same rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from converters.rules import ColumnKind, TagRule

LOADED_AT = "_loaded_at"
"""When the warehouse took the row in. The warehouse adds it: of the same file every tidy table is the same bytes."""

LINEAGE = (
    "_item", "_period_start", "_period_end", "_part", "_sha256", "_file", "_sheet", "_row", "_cells", "_run_key",
    LOADED_AT,
)  # fmt: skip
"""The columns that follow the canonical ones in every table of the warehouse: where each row came from."""


EXTRA = "extra_"
"""How the names of columns begin that a file has and no rule names."""


@dataclass(slots=True)
class Tidy:
    """The tidy table of a file.

    Args:
        table: canonical columns, then lineage columns (see `schema`).
        decisions: what was taken, left out, scaled and proved, for people.
    """

    table: pa.Table
    decisions: list[str] = field(default_factory=list)


def arrow_type(kind: ColumnKind) -> pa.DataType:
    """The Arrow type of a kind of column; a month is its first day."""
    import pyarrow as pa

    return {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "decimal": pa.decimal128(38, 9),
        "date": pa.date32(),
        "month": pa.date32(),
        "bool": pa.bool_(),
    }[kind]


def schema(rule: TagRule) -> pa.Schema:
    """The canonical columns of a rule in its order, then the lineage columns but for the last."""
    import pyarrow as pa

    types = {"_period_start": pa.date32(), "_period_end": pa.date32(), "_row": pa.int32()}
    canonical = [pa.field(name, arrow_type(kind)) for name, kind in rule.kinds().items()]
    return pa.schema([*canonical, *(pa.field(name, types.get(name, pa.string())) for name in LINEAGE[:-1])])


def evolved(rule: TagRule, found: pa.Schema) -> pa.Schema:
    """The schema that a tidy table of that rule may have: the one found, as far as the rule lets files change it.

    Args:
        found: of the Parquet.
    """
    import pyarrow as pa

    plain = schema(rule)
    added = {f.name for f in found} - set(plain.names)
    changed = [f for f in plain if f.name not in found.names or found.field(f.name).type != f.type]
    may_widen = rule.changes.wider_type == "evolve" or not changed
    widens = all(
        f.name in found.names and f.type == pa.int64() and found.field(f.name).type == arrow_type("decimal")
        for f in changed
    )
    may_add = rule.changes.new_column == "evolve" or not added
    extends = all(name.startswith(EXTRA) and found.field(name).type == pa.string() for name in added)
    return found if may_widen and widens and may_add and extends else plain


def write(tidy: Tidy, path: Path) -> None:
    """Write it as Parquet."""
    import pyarrow.parquet as pq

    pq.write_table(tidy.table, path, compression="zstd", row_group_size=100_000)
