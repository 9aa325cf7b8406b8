"""What the API takes and gives, as JSON."""

from __future__ import annotations

import datetime as dt
import math
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ondol.api.access import Role

MAX_DEPTH = 20
T = TypeVar("T")


class Model(BaseModel):
    """Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid")


def writable(value: Any, depth: int = 0) -> Any:
    """Refuse what no YAML file should hold: control characters, numbers without a value, bottomless nesting."""
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        if odd := next((c for c in value if _is_odd(c)), None):
            raise ValueError(f"a text has the character U+{ord(odd):04X}, which is none to be read")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is infinite or none")
    elif isinstance(value, int) and abs(value) >= 1 << 63:
        raise ValueError("a whole number has more than 63 bits")
    elif isinstance(value, dict | list):
        for part in (*value, *value.values()) if isinstance(value, dict) else value:
            writable(part, depth + 1)
    return value


def _is_odd(character: str) -> bool:
    code = ord(character)
    return (
        (code < 0x20 and character not in "\n\t")
        or 0x7F <= code < 0xA0
        or 0xD800 <= code < 0xE000
        or code in (0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)
    )


Config = Annotated[dict[str, Any], AfterValidator(writable)]
Text = Annotated[str, AfterValidator(writable)]


class Pausing(Model):
    """Whether it is paused, and since when, by whom and why."""

    paused: bool
    since: dt.datetime | None = None
    by: str | None = None
    why: str | None = None


class Entry(Model):
    """A source or an item: `config` is what the tenant's YAML says, `state` what is not in there."""

    config: Config
    state: Pausing


class NewEntry(Model):
    """A source or an item as it shall stand in the tenant's YAML; `state` may stay from a GET, and changes nothing."""

    config: Config
    state: Any = Field(default=None, json_schema_extra={"readOnly": True})


class EntryPatch(NewEntry):
    """What is to change, as RFC 7396 (JSON Merge Patch) has it: null takes a key away."""


class Page(Model, Generic[T]):
    """A part of a list. `next` is the cursor of the next part; null at the end."""

    results: list[T]
    next: str | None


class TenantEntry(Model):
    """A tenant that the caller may see, and the caller's role there."""

    tenant: str
    name: str | None = Field(description="null while the tenant's file is wrong")
    role: Role


class PauseRequest(Model):
    """Why it is paused, for whoever finds it so."""

    why: Text = Field(default="", max_length=500)


class Span(Model):
    """A period, both days included."""

    start: dt.date
    end: dt.date


class Due(Model):
    """What was loaded last of an item, and what is expected next, until when."""

    state: Pausing
    last: Span | None = Field(description="the newest period that is loaded")
    next: Span
    due: dt.datetime
    overdue: bool


class Event(Model):
    """What a stage did with a file of the item, and why."""

    id: int
    at: dt.datetime
    run_key: str
    stage: str
    decision: str
    reason: str
    name: str
    sha256: str
    source: str
    location: str
    arrived: dt.datetime | None
    period: Span | None
    part: str


class Change(Model):
    """Who changed what in the tenant's YAML. `undone` and `unknown` ones were cut off by a crash."""

    id: int
    at: dt.datetime
    who: str
    action: Literal["create", "change", "delete", "pause", "resume"]
    kind: Literal["sources", "items"]
    name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    state: Literal["begun", "done", "undone", "unknown"]


class TrialRequest(Model):
    """What to try: the source as it is, or (for an editor) as it might be."""

    date: dt.date | None = Field(default=None, description="the day of the run; today if null")
    limit: int = Field(default=50, ge=0, le=200, description="how many of the new files to name")
    config: Config | None = Field(default=None, description="try this instead of what the YAML says; with the same id")


class TrialFile(Model):
    """A file that would be collected. `items` are those whose match.name fits: one is right, none or more are not."""

    name: str
    location: str
    arrived: dt.datetime
    size: int | None
    items: list[str]


class Trial(Model):
    """What a source would give now. `message` says what to check or change where it gives nothing."""

    outcome: Literal["new", "nothing_new", "down", "not_allowed"]
    message: str
    new: int
    known: int
    files: list[TrialFile]


class CollectRequest(Model):
    """What to collect now: the files that arrived on a day."""

    date: dt.date | None = Field(default=None, description="in the tenant's time zone; today if null")
    items: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]] = Field(
        default=[], max_length=200, description="only these items; all if empty"
    )


class Collection(Model):
    """A run that was asked for: a DAG run where Airflow serves the API, else a run in the service itself."""

    id: str
    runs_in: Literal["airflow", "service"]
    state: Literal["asked", "running", "done", "failed"]
    date: dt.date
    items: list[str]
    reason: str = ""
    counts: dict[str, dict[str, int]] = {}


class SyncRequest(Model):
    """How to sync a table now."""

    dry_run: bool = Field(default=False, description="only tell what would change in PostgreSQL, with some of the rows")
    full: bool = Field(default=False, description="compare the whole table, even if nothing says that it changed")
    accept: bool = Field(default=False, description="let pass what max_delete_share or max_row_drift refuses")


class SampleRow(Model):
    """A row that a dry run would write: what it is, and what it would be; null: it is not there."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Synced(Model):
    """What a sync did to the rows of a table, or would do."""

    table: str
    inserted: int
    updated: int
    deleted: int
    unchanged: int
    rejected: int = Field(description="rows that PostgreSQL cannot hold, kept with the reason")
    rows: int = Field(description="of the table afterwards")
    skipped: bool = Field(description="it was equal to its mart already")
    checksum: str
    drift: str = Field(description="how the table differed because something else wrote to it")
    samples: list[SampleRow]


class Place(Model):
    """What is wrong in the tenant's YAML, where, and what would be right."""

    file: str
    line: int
    field: str
    message: str
    got: str | None
    allowed: str | None
    hint: str | None


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    remedy: str
    problems: list[Place] = []


class Health(Model):
    """Whether the service works."""

    status: Literal["ok"]
