"""A tenant's YAML as models: the one source of truth for what is collected, how it is read and where it goes.

Defaults live here. Everything that Airflow, PostgreSQL or a stage would refuse late is refused here, early.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from croniter import croniter
from pydantic import Field, StringConstraints, field_validator, model_validator

from converters.rules import Name, Strict, TagRule

RESERVED = frozenset(
    "all analyse analyze and any array as asc both case cast check collate column constraint create current_user "
    "default deferrable desc distinct do else end except false fetch for foreign from grant group having in initially "
    "intersect into lateral leading limit localtime not null offset on only or order placing primary references "
    "returning select session_user some symmetric table then to trailing true union unique user using variadic when "
    "where window with public information_schema main temp system postgres template0 template1 airflow ondol".split()
)
Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
"""Sources, items and tenants: 2 to 40 of a-z, 0-9 and _, a letter first."""


def check_identifier(value: str) -> str:
    """Refuse an id that is a keyword or a system name in one of the databases it will name a schema of."""
    if value in RESERVED or value.startswith(("pg_", "_")):
        raise ValueError(f"{value!r} is a reserved word of SQL or of this platform: add a prefix or suffix")
    return value


class FolderSource(Strict):
    """A folder that files appear in.

    `path` is relative to ONDOL_HOME unless absolute. {date} in it (2026-01-05) makes each run read the folders of its
    own data interval, and that date is when the files arrived; without it, a file arrived when it was last changed.
    """

    id: Id
    type: Literal["folder"]
    path: str
    pattern: str = "**/*"
    max_bytes: int = Field(default=200_000_000, gt=0)


Source = FolderSource


class Match(Strict):
    """How a raw file is recognised as an item; all that is given must fit.

    Args:
        name: a glob of the file name; {yyyymmdd}, {yyyymm}, {yymmdd}, {yyyy}, {mm}, {dd}, {yyyy-mm-dd} stand for the
            parts of the period and {part} for what else tells one file of a period from another (a shop, a plant).
        content: texts that must all appear in the first 64 kB of the decoded text, or in the workbook's first cells.
        source: only files of these sources.
    """

    name: str | None = None
    content: tuple[str, ...] = ()
    source: tuple[Id, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> Match:
        if not self.name and not self.content:
            raise ValueError("give 'name' (a glob of the file name) or 'content' (texts in the file), or both")
        return self


class Item(Strict):
    """One kind of file that is expected: how it is recognised, tagged, checked, and which table it loads.

    Args:
        id: the file id.
        period: where the period comes from: `name` (the placeholders in match.name), `content` (the first date in the
            title, notes or sheet name), or `run` (the data interval).
        grain: how long a period is.
        due: how long after the period's end the file is expected ("1 day", "3 hours").
        accept_late: a file whose period ended longer ago than this when it arrives is out of window.
        table: the warehouse table; several items may load one table if their columns agree.
    """

    id: Id
    match: Match
    period: Literal["name", "content", "run"] = "name"
    grain: Literal["day", "month", "year"] = "day"
    due: str = "1 day"
    accept_late: str = "400 days"
    table: Name
    tag: TagRule
    description: str | None = None

    @field_validator("due", "accept_late")
    @classmethod
    def _is_duration(cls, value: str) -> str:
        duration(value)
        return value

    @model_validator(mode="after")
    def _period_is_found(self) -> Item:
        if self.period == "name" and "{y" not in (self.match.name or ""):
            raise ValueError(
                "period is 'name', but match.name has no date placeholder such as {yyyymmdd}: "
                "add one, or set period to 'content' or 'run'"
            )
        return self


class Transform(Strict):
    """The Dataform models that the tenant runs: those under definitions/<models>/ of the project."""

    models: Id


class SyncTable(Strict):
    """One mart that goes to the tenant's schema in PostgreSQL.

    Args:
        table: the mart's name in the warehouse, and in PostgreSQL.
        key: the columns that name a row; they become the primary key.
        max_delete_share: the sync is refused if it would delete more than this share of the rows there (0 to 1).
    """

    table: Name
    key: tuple[Name, ...] = Field(min_length=1)
    max_delete_share: float = Field(default=0.5, ge=0, le=1)


class Tenant(Strict):
    """A customer: one file tenants/<tenant>.yaml."""

    tenant: Id
    name: str = Field(min_length=1, max_length=200)
    timezone: str = "Asia/Seoul"
    schedule: str | None = "0 7 * * *"
    start: dt.date = dt.date(2026, 1, 1)
    paused: bool = False
    sources: tuple[Source, ...] = Field(min_length=1)
    items: tuple[Item, ...] = Field(min_length=1)
    transform: Transform | None = None
    sync: tuple[SyncTable, ...] = ()

    @field_validator("tenant")
    @classmethod
    def _tenant_is_safe(cls, value: str) -> str:
        return check_identifier(value)

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is no time zone of the IANA database; Korea's is 'Asia/Seoul'")
        return value

    @field_validator("schedule")
    @classmethod
    def _schedule_is_cron(cls, value: str | None) -> str | None:
        if value is not None and (len(value.split()) != 5 or not croniter.is_valid(value)):
            raise ValueError(f"{value!r} is no cron expression of five fields, such as '0 7 * * *' (every day at 7:00)")
        return value

    @model_validator(mode="after")
    def _names_agree(self) -> Tenant:
        for kind, ids in (
            ("sources", [s.id for s in self.sources]),
            ("items", [i.id for i in self.items]),
            ("sync", [s.table for s in self.sync]),
        ):
            if double := sorted({i for i in ids if ids.count(i) > 1}):
                raise ValueError(f"{kind} has {double} more than once: each id names one of them")
        known = {s.id for s in self.sources}
        for item in self.items:
            if unknown := sorted(set(item.match.source) - known):
                raise ValueError(f"item '{item.id}' matches source {unknown}, but the sources are {sorted(known)}")
        if self.sync and not self.transform:
            raise ValueError("sync needs 'transform': marts are what the Dataform models make")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The tenant's time zone: its business dates are days there."""
        return ZoneInfo(self.timezone)

    def item(self, file_id: str) -> Item:
        """The item of that file id; KeyError if there is none."""
        return next(i for i in self.items if i.id == file_id)


_DURATION = re.compile(r"^(\d+) (minute|hour|day|week)s?$")


def duration(text: str) -> dt.timedelta:
    """'90 minutes', '3 hours', '1 day', '2 weeks' as a timedelta; ValueError for anything else."""
    found = _DURATION.match(text)
    if not found:
        raise ValueError(f"{text!r} is no duration; write '90 minutes', '3 hours', '1 day' or '2 weeks'")
    return dt.timedelta(**{found[2] + "s": int(found[1])})
