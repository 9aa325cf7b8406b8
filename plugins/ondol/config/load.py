"""How an item's files fill their table: `items[].load` of a tenant's YAML."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from converters.rules import Name, Strict

Mode = Literal["replace", "append", "merge", "snapshot"]


class Load(Strict):
    """How an item's files fill the table.

    Args:
        mode: `replace`: a file replaces what an earlier version of it loaded: that of the same period and {part}.
            `append`: each file adds its rows, once however often its content comes; a newer file of the same name
            replaces what that name has loaded. `merge`: the table has the newest row of each key. `snapshot`: each file
            is a whole list at a time; the table has each state of each key with the time in which it held.
        key: of merge and snapshot: the columns that name a row; none may be empty, nor two rows of a file share them.
        newest_by: of merge: the column that says which of two rows of a key is newer; a file may have several rows of a
            key then. Without it, and between equals, the later period counts, then the later arrival.
        deleted: of merge: a column of type bool; a key whose newest row says true there is not in the table.
        max_row_drop: a file goes to quarantine if it has fewer rows than what it follows by more than this share of
            them (0.2: a fifth): the version that it replaces, or of a snapshot the one before. Any number passes
            without it.
        cluster: columns that BigQuery keeps near each other, after the item itself, when it makes the table: at most
            three that models filter by. Other warehouses have no use for it.
    """

    mode: Mode = "replace"
    key: tuple[Name, ...] = ()
    newest_by: Name | None = None
    deleted: Name | None = None
    max_row_drop: float | None = Field(default=None, ge=0, lt=1)
    cluster: tuple[Name, ...] = Field(default=(), max_length=3)

    @model_validator(mode="after")
    def _keys_fit_the_mode(self) -> Load:
        if self.derived and not self.key:
            raise ValueError(f"mode {self.mode} needs 'key': the columns that name a row, such as [order_no]")
        if self.key and not self.derived:
            raise ValueError(f"'key' is for the modes merge and snapshot, but the mode is {self.mode}")
        if len(set(self.key)) < len(self.key):
            raise ValueError(f"key {list(self.key)} has a column twice")
        for name in ("newest_by", "deleted"):
            if getattr(self, name) and self.mode != "merge":
                raise ValueError(f"{name!r} is for mode merge, but the mode is {self.mode}")
        if {self.newest_by, self.deleted} & set(self.key):
            raise ValueError("newest_by and deleted are columns besides the key")
        return self

    @property
    def derived(self) -> bool:
        """The table is made of all files' rows, which are kept apart from it."""
        return self.mode in ("merge", "snapshot")

    @property
    def shape(self) -> tuple[object, ...]:
        """All that decides what the table holds: items that load one table agree in it."""
        return self.mode, self.key, self.newest_by, self.deleted

    @property
    def unique(self) -> tuple[str, ...]:
        """The columns that no two rows of a file may share."""
        return (*self.key, *([self.newest_by] if self.newest_by else ()))
