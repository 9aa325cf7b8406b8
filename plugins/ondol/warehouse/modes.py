"""The load modes that make their table of all files' rows, merge and snapshot, in SQL that every engine here runs.

Every slot's rows stand in a *history* table, replaced by slot as in the mode replace. The table itself is a function of
them, key by key: whenever a slot changes, the keys that this may touch are collected, their rows in the table are
deleted, and made anew of the history. So late, repeated and corrected files come to the same end in any order, and
the cost grows with the slot, not with the table.

    merge       of each key the newest row, unless it says that the key is deleted
    snapshot    each run of equal rows of a key in successive snapshots, with the time in which it held; each item and
                part has snapshots of its own
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from converters.tidy import LINEAGE
from ondol.config.load import Load
from ondol.warehouse.base import VALIDITY


@dataclass(frozen=True, slots=True)
class Derivation:
    """The statements that keep one derived table up to date; values are parameters that the engine names.

    Args:
        how: the mode, merge or snapshot.
        target / history / touched: the table, its history and the collected keys: names as the engine wants them.
        slots: a query of the table's slots: item, period_start, period_end, part and version.
        slot: the condition that a row of the history is of the slot at hand.
        series: the condition that a row of the table is of the slot's item and part.
        start: the first day of the slot's period, as an expression.
        columns: of the history.
        quoted: an identifier as the engine wants it.
    """

    how: Load
    target: str
    history: str
    touched: str
    slots: str
    slot: str
    series: str
    start: str
    columns: Sequence[str]
    quoted: Callable[[str], str]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row of the table, but for its time."""
        return self.how.key if self.how.mode == "merge" else ("_item", "_part", *self.how.key)

    def touch_before(self) -> str | None:
        """Collect keys before the slot's rows in the history change."""
        return self._touch_slot() if self.how.mode == "merge" else None

    def touch_after(self) -> str:
        """Collect keys after the slot's rows have changed, and what is known of the table's slots."""
        return self._touch_slot() if self.how.mode == "merge" else self._touch_changed()

    def broken(self, *, everything: bool = False) -> str:
        """A row if the slot, or any, has rows without a key or two rows of one."""
        names = self._list(dict.fromkeys(["_item", "_period_start", "_period_end", "_part", *self.how.unique]))
        empty = " OR ".join(f"{self.quoted(name)} IS NULL" for name in self.how.key)
        return (
            f"SELECT 1 FROM {self.history} WHERE {'TRUE' if everything else self.slot}"
            f" GROUP BY {names} HAVING COUNT(*) > 1 OR {empty} LIMIT 1"
        )

    def forget(self, *, everything: bool = False) -> str:
        """Delete the rows of the collected keys from the table."""
        return f"DELETE FROM {self.target} AS d WHERE {'TRUE' if everything else self._is_touched('d')}"

    def derive(self, *, everything: bool = False) -> str:
        """Make the rows of the collected keys anew."""
        where = "TRUE" if everything else self._is_touched("h")
        return self._newest(where) if self.how.mode == "merge" else self._states(where)

    def _touch_slot(self) -> str:
        keys = self._list(self.key)
        return f"INSERT INTO {self.touched} SELECT DISTINCT {keys} FROM {self.history} WHERE {self.slot}"

    def _touch_changed(self) -> str:
        """Keys that the snapshot shows otherwise than the table does, and those for which its day is a boundary."""
        holds = f"d._valid_from <= {self.start} AND (d._valid_to IS NULL OR d._valid_to > {self.start})"
        here = f"(SELECT * FROM {self.history} WHERE {self.slot})"
        there = f"(SELECT * FROM {self.target} WHERE {self.series})"
        return f"""INSERT INTO {self.touched}
            SELECT {self._list(self.key, "d.")} FROM {there} AS d LEFT JOIN {here} AS h ON {self._match("d", "h")}
            WHERE d._valid_from = {self.start} OR d._valid_to = {self.start}
                OR ({holds} AND (h._item IS NULL OR NOT ({self._same("d.{}", "h.{}")})))
            UNION ALL
            SELECT {self._list(self.key, "h.")} FROM {here} AS h
                LEFT JOIN (SELECT * FROM {there} AS d WHERE {holds}) AS d ON {self._match("d", "h")}
            WHERE d._item IS NULL"""

    def _newest(self, where: str) -> str:
        newer = [self.how.newest_by] if self.how.newest_by else []
        order = [f"h.{self.quoted(name)} DESC NULLS LAST" for name in newer]
        order += ["h._period_end DESC", "h._period_start DESC", "ARRAY_TO_STRING(s.version, ' ') DESC"]
        order += [f"h.{name} DESC" for name in ("_item", "_part", "_row")]
        kept = f"NOT COALESCE({self.quoted(self.how.deleted)}, FALSE)" if self.how.deleted else "TRUE"
        return f"""INSERT INTO {self.target} ({self._list(self.columns)})
            SELECT {self._list(self.columns)} FROM (
                SELECT h.*, ROW_NUMBER() OVER (
                    PARTITION BY {self._list(self.key, "h.")} ORDER BY {", ".join(order)}) AS _place
                FROM {self.history} AS h JOIN ({self.slots}) AS s ON {_OF_SLOT} WHERE {where})
            WHERE _place = 1 AND {kept}"""

    def _states(self, where: str) -> str:
        """Where a row begins a state (`_begins`), which state a row is in (`_state`), and when that ends (`_end`)."""
        by = f"PARTITION BY {self._list(self.key)} ORDER BY _period_start, _period_end"
        of_state = f"PARTITION BY {self._list(self.key)}, _state ORDER BY _period_start, _period_end"
        before = f"LAG(_next) OVER ({by}) = _period_start AND {self._same('{}', f'LAG({{}}) OVER ({by})')}"
        return f"""INSERT INTO {self.target} ({self._list((*self.columns, *VALIDITY))})
            SELECT {self._list(self.columns)}, _period_start, _end, _end IS NULL FROM (
                SELECT *, LAST_VALUE(_next) OVER (
                    {of_state} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS _end
                FROM (SELECT *, SUM(_begins) OVER ({by} ROWS UNBOUNDED PRECEDING) AS _state FROM (
                    SELECT *, CASE WHEN {before} THEN 0 ELSE 1 END AS _begins FROM (
                        SELECT h.*, s._next FROM {self.history} AS h JOIN (
                            SELECT *, LEAD(period_start) OVER (
                                PARTITION BY item, part ORDER BY period_start, period_end) AS _next
                            FROM ({self.slots})) AS s ON {_OF_SLOT} WHERE {where}))))
            WHERE _begins = 1 AND (_end IS NULL OR _end > _period_start)"""

    def _same(self, one: str, other: str) -> str:
        """Whether two rows say the same: all columns but the key, the lineage and what the platform adds."""
        beside = {*self.key, *LINEAGE}
        names = [self.quoted(name) for name in self.columns if name not in beside]
        return " AND ".join(f"{one.format(n)} IS NOT DISTINCT FROM {other.format(n)}" for n in names) or "TRUE"

    def _is_touched(self, alias: str) -> str:
        return f"EXISTS (SELECT 1 FROM {self.touched} AS t WHERE {self._match('t', alias)})"

    def _match(self, one: str, other: str) -> str:
        names = map(self.quoted, self.key)
        return " AND ".join(f"{one}.{name} = {other}.{name}" for name in names)

    def _list(self, names: Iterable[str], prefix: str = "") -> str:
        return ", ".join(prefix + self.quoted(name) for name in names)


_OF_SLOT = "s.item = h._item AND s.period_start = h._period_start AND s.period_end = h._period_end AND s.part = h._part"
