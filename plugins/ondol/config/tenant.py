"""A tenant's YAML as models: the one source of truth for what is collected, how it is read and where it goes.

Defaults live here. Everything that Airflow, PostgreSQL or a stage would refuse late is refused here, early.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from croniter import croniter
from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from converters.rules import Name, Strict, TagRule
from ondol.config.fields import Bucket, Fault, Id, SecretName, Wrong, check_placeholders, duration
from ondol.config.load import Load
from ondol.config.names import nearest
from ondol.config.pattern import PLACEHOLDERS, compile_name
from ondol.config.sources.all import Source

RESERVED = frozenset(
    "airflow all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate "
    "collation column concurrently constraint create cross current_catalog current_date current_role current_schema "
    "current_time current_timestamp current_user default deferrable desc describe distinct do else end except false "
    "fetch for foreign freeze from full grant group having ilike in information_schema initially inner intersect into "
    "is isnull join lambda lateral leading left like limit localtime localtimestamp main natural not notnull null "
    "offset on ondol only or order outer overlaps pivot pivot_longer pivot_wider placing postgres primary public "
    "qualify references returning right select session_user show similar some summarize symmetric system system_user "
    "table tablesample temp template0 template1 then to trailing true union unique unpivot user using variadic "
    "verbose when where window with".split()
)
"""The words that PostgreSQL or DuckDB reserves, and the names of their system schemas and of this platform's."""


def is_reserved(name: str) -> bool:
    """Whether a name is a keyword or a system name in one of the databases it may name something in."""
    return name in RESERVED or name.startswith("pg_")


def unreserved(name: str) -> str:
    """A name like this one that is not reserved, at most 3 longer."""
    return f"co_{name}" if name.startswith("pg_") else f"{name}_co" if name in RESERVED else name


def check_identifier(value: str) -> str:
    """Refuse an id that is reserved."""
    if is_reserved(value):
        raise Wrong(Fault(allowed="no reserved word of SQL or of this platform", hint=unreserved(value[:36])))
    return value


TableName = Annotated[Name, AfterValidator(check_identifier)]
"""A table of the warehouse or of PostgreSQL: 1 to 63 of a-z, 0-9 and _, a letter first, no reserved word."""


def check_role(value: str) -> str:
    """Refuse the words that stand for everybody, or for whoever syncs."""
    if value.lower() in ("public", "none", "current_user", "session_user", "current_role"):
        raise Wrong(Fault(allowed="the name of one role of PostgreSQL"))
    return value


Role = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_@.-]{0,62}$"), AfterValidator(check_role)]
"""A role of PostgreSQL: 1 to 63 of letters, digits and _ @ . -, a letter or _ first."""


VarText = Annotated[str, StringConstraints(pattern=r"^[^,=\r\n]{1,200}$"), Field(coerce_numbers_to_str=True)]
"""A value that Dataform's command line takes: 1 to 200 characters on one line, without , and =."""


class Match(Strict):
    """How a raw file is recognised as an item; all that is given must fit.

    Args:
        name: a glob of the file name; {yyyymmdd}, {yyyy-mm-dd}, {yyyymm}, {yyyy}, {mm}, {dd} and the like stand for the
            parts of the period and {part} for what else tells one file of a period from another (a shop, a plant).
        content: texts that must all appear in the first 64 kB of the decoded text, or in the workbook's first cells.
        source: only files of these sources.
    """

    name: str | None = None
    content: tuple[str, ...] = ()
    source: tuple[Id, ...] = ()

    @field_validator("name")
    @classmethod
    def _knows_its_placeholders(cls, value: str | None) -> str | None:
        if value is not None:
            check_placeholders(value, PLACEHOLDERS)
            compile_name(value)
        return value

    @model_validator(mode="after")
    def _something(self) -> Match:
        if not self.name and not self.content:
            raise ValueError("give 'name' (a glob of the file name) or 'content' (texts in the file), or both")
        return self


class Item(Strict):
    """One kind of file that is expected: how it is recognised, tagged, checked, and which table it loads.

    Args:
        id: the file id.
        match: how its files are recognised.
        period: where the period comes from: `name` (the placeholders in match.name), `content` (the first date in the
            title, notes or sheet name), or `run` (the data interval).
        grain: how long a period is.
        due: how long after the period's end the file is expected ("1 day", "3 hours").
        accept_late: a file whose period ended longer ago than this when it arrives is out of window.
        table: the warehouse table; several items may load one table if their columns agree in type.
        load: how its files fill the table; each replaces its earlier versions if empty.
        tag: how its tables become one tidy table, and what must hold of it.
        description: for people.
    """

    id: Id
    match: Match
    period: Literal["name", "content", "run"] = "name"
    grain: Literal["day", "month", "year"] = "day"
    due: str = "1 day"
    accept_late: str = "400 days"
    table: TableName
    load: Load = Load()
    tag: TagRule
    description: str | None = None

    @field_validator("due", "accept_late")
    @classmethod
    def _is_duration(cls, value: str) -> str:
        duration(value)
        return value

    @model_validator(mode="after")
    def _loads_by_columns(self) -> Item:
        kinds, load = self.tag.kinds(), self.load
        exact = [name for name, kind in kinds.items() if kind != "number"]
        flags = [name for name, kind in kinds.items() if kind == "bool"]
        named: list[tuple[list[str], str | None, tuple[str | int, ...]]] = [
            (list(kinds), load.newest_by, ("newest_by",)),
            (flags, load.deleted, ("deleted",)),
            *((exact, name, ("key", number)) for number, name in enumerate(load.key)),
            *((exact, name, ("cluster", number)) for number, name in enumerate(load.cluster)),
        ]
        for known, name, at in named:
            if name and name not in known:
                what = "a column of type bool" if known is flags else "a column of the rule"
                what += ", not of floating-point numbers" if known is exact else ""
                allowed = f"{what}: {', '.join(known) or 'there is none'}"
                raise Wrong(Fault(allowed=allowed, hint=nearest(name, known), at=("load", *at)))
        return self

    @model_validator(mode="after")
    def _period_is_found(self) -> Item:
        if self.period == "name":
            given = {g[0] for g in compile_name(self.match.name or "").groupindex}
            needed, example = {
                "day": ("ymd", "{yyyymmdd}"),
                "month": ("ym", "{yyyymm}"),
                "year": ("y", "{yyyy}"),
            }[self.grain]
            if not given.issuperset(needed):
                message = (
                    f"period is 'name' and grain is '{self.grain}', but match.name does not give the {self.grain}: put "
                    f"{example} or the like into it, or set period to 'content' or 'run'"
                )
                raise Wrong(Fault(message, at=("match",)))
        return self


class Transform(Strict):
    """The Dataform models that the tenant runs.

    Args:
        models: the folder of the project that they are in: definitions/<models>/.
        vars: the tenant's values for models that several tenants share: dataform.projectConfig.vars.<name>, besides
            `tenant`, which is always there.
        tags: only the models and assertions that have one of these tags, and what they need; all if empty.
    """

    models: Id
    vars: dict[Name, VarText] = Field(default_factory=dict)
    tags: tuple[VarText, ...] = ()

    @field_validator("vars")
    @classmethod
    def _tenant_is_the_platforms(cls, value: dict[str, str]) -> dict[str, str]:
        if "tenant" in value:
            raise Wrong(Fault("the variable 'tenant' is the tenant's id: give yours another name"))
        return value

    @classmethod
    def of(cls, models: Transform | str) -> Transform:
        """What a folder's name alone stands for: its models, without variables, with any tags."""
        return models if isinstance(models, Transform) else cls(models=models)


class SyncTable(Strict):
    """One mart that goes to the tenant's schema in PostgreSQL.

    Args:
        table: the mart's name in the warehouse, and in PostgreSQL.
        key: the columns that name a row; they become the primary key.
        indexes: further indexes, each a list of columns; one that is left out later is dropped.
        grants: roles that may read the table; each must be there. One that is left out later may not any more.
        max_delete_share: the sync is refused if it would delete more than this share of the rows there (0 to 1).
        max_row_drift: the sync is refused if the mart has more or fewer rows than the last batch by more than this
            share of them (0.2: a fifth); any number passes without it.
        on_reject: what becomes of a row that PostgreSQL cannot hold (a NUL character, a date out of range, no key, a
            key that is there twice): `stop` refuses the whole batch, `keep` puts the row into _ondol.rejected with the
            reason, and goes on without it.
        max_reject_share: with `keep`, the batch is refused if more than this share of its rows is rejected.
        full_every: how often the whole table is compared with the mart, though nothing says that anything else wrote
            to it ("7 days").
    """

    table: TableName
    key: tuple[Name, ...] = Field(min_length=1)
    indexes: tuple[Annotated[tuple[Name, ...], Field(min_length=1)], ...] = ()
    grants: tuple[Role, ...] = ()
    max_delete_share: float = Field(default=0.5, ge=0, le=1)
    max_row_drift: float | None = Field(default=None, ge=0)
    on_reject: Literal["stop", "keep"] = "stop"
    max_reject_share: float = Field(default=0.01, ge=0, le=1)
    full_every: str = "7 days"

    @field_validator("full_every")
    @classmethod
    def _is_duration(cls, value: str) -> str:
        duration(value)
        return value

    @field_validator("key", "grants")
    @classmethod
    def _has_no_doubles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for number, name in enumerate(value):
            if name in value[:number]:
                raise Wrong(Fault(f"{name!r} is there twice", at=(number,)))
        return value

    @field_validator("indexes")
    @classmethod
    def _indexes_differ(cls, value: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        for number, columns in enumerate(value):
            if columns in value[:number] or len(set(columns)) < len(columns):
                message = f"the index {list(columns)} is there twice, or has a column twice"
                raise Wrong(Fault(message, at=(number,)))
        return value


class Limits(Strict):
    """What one run may take from the tenant's sources.

    Args:
        bytes_per_run: once a run has fetched this much, what is left waits for the next run.
        requests_per_second: how often each source is asked, at most; as fast as it answers without it.
    """

    bytes_per_run: int | None = Field(default=None, gt=0)
    requests_per_second: float | None = Field(default=None, gt=0)


class Tenant(Strict):
    """A customer: one file tenants/<tenant>.yaml.

    Args:
        tenant: the tenant's id: the file's name, the DAG, the schemas and the folders are called so.
        name: the customer's name, for people.
        timezone: the IANA time zone that the schedule and all business dates are in.
        schedule: when the DAG runs, a cron expression of five fields; null for only when triggered.
        start: the first day that has a run.
        paused: the DAG is created paused.
        passwords: names of the tenant's secrets that open its encrypted files; each is tried on each such file.
        lake: a bucket of the tenant's own, or a prefix in one, instead of ONDOL_LAKE; only the profile `gcp` uses it.
        sources: the places that files come from.
        limits: what one run may take from them.
        items: the kinds of file that are expected.
        transform: which Dataform models make the marts; none without it.
        sync: the marts that go to the tenant's schema in PostgreSQL.
    """

    tenant: Id
    name: str = Field(min_length=1, max_length=200)
    timezone: str = "Asia/Seoul"
    schedule: str | None = "0 7 * * *"
    start: dt.date = dt.date(2026, 1, 1)
    paused: bool = False
    passwords: tuple[SecretName, ...] = ()
    lake: Bucket | None = None
    sources: tuple[Source, ...] = Field(min_length=1)
    limits: Limits = Limits()
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
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            near = (value.upper() != "KST" and nearest(value, available_timezones())) or "Asia/Seoul"
            raise Wrong(Fault(allowed="a time zone of the IANA database, such as 'Asia/Seoul'", hint=near)) from None
        return value

    @field_validator("schedule")
    @classmethod
    def _schedule_is_cron(cls, value: str | None) -> str | None:
        if value is not None and (len(value.split()) != 5 or not croniter.is_valid(value)):
            raise Wrong(Fault(allowed="a cron expression of five fields, such as '0 7 * * *' (every day at 7:00)"))
        return value

    @model_validator(mode="after")
    def _parts_agree(self) -> Tenant:
        if faults := [*_doubles(self), *_unknown_sources(self), *_table_conflicts(self), *_sync_conflicts(self)]:
            raise Wrong(*faults)
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The tenant's time zone: its business dates are days there."""
        return ZoneInfo(self.timezone)

    def item(self, file_id: str) -> Item:
        """The item of that file id; KeyError if there is none."""
        return next(i for i in self.items if i.id == file_id)


def _doubles(tenant: Tenant) -> Iterator[Fault]:
    for kind, key, ids in (
        ("sources", "id", [s.id for s in tenant.sources]),
        ("items", "id", [i.id for i in tenant.items]),
        ("sync", "table", [s.table for s in tenant.sync]),
    ):
        count = Counter(ids)
        for number, name in enumerate(ids):
            if count[name] > 1 and ids.index(name) < number:
                first = ids.index(name)
                message = f"{kind}[{number}].{key} is {name!r} like {kind}[{first}].{key}: each names one of the {kind}"
                yield Fault(message, at=(kind, number, key))


def _unknown_sources(tenant: Tenant) -> Iterator[Fault]:
    known = [s.id for s in tenant.sources]
    for number, item in enumerate(tenant.items):
        for position, source in enumerate(item.match.source):
            if source not in known:
                yield Fault(allowed=f"the ids of the sources: {', '.join(known)}", hint=nearest(source, known),
                            at=("items", number, "match", "source", position))  # fmt: skip


def _table_conflicts(tenant: Tenant) -> Iterator[Fault]:
    """Items that load one table must fill it in the same way and give a column the same type."""
    first: dict[tuple[str, str], tuple[str, str]] = {}
    shapes: dict[str, Item] = {}
    for number, item in enumerate(tenant.items):
        shaped = shapes.setdefault(item.table, item)
        if shaped.load.shape != item.load.shape:
            yield Fault(f"item '{item.id}' loads table {item.table!r} otherwise than item '{shaped.id}': give both "
                        "the same mode, key, newest_by and deleted", at=("items", number, "load"))  # fmt: skip
        for column, kind in item.tag.kinds().items():
            earlier, other = first.setdefault((item.table, column), (kind, item.id))
            if earlier != kind:
                where = ("columns", column, "type") if column in item.tag.columns else ("unpivot",)
                yield Fault(f"item '{item.id}' makes the column {column!r} of table {item.table!r} {kind}, "
                            f"but item '{other}' makes it {earlier}: give it one type",
                            at=("items", number, "tag", *where))  # fmt: skip


def _sync_conflicts(tenant: Tenant) -> Iterator[Fault]:
    loaded = {item.table: item.id for item in tenant.items}
    if tenant.sync and not tenant.transform:
        yield Fault("sync needs 'transform': marts are what the Dataform models make", at=("sync",))
    for number, sync in enumerate(tenant.sync):
        if sync.table in loaded:
            message = f"is loaded by item '{loaded[sync.table]}': only marts are synced, and a mart needs another name"
            yield Fault(f"sync[{number}].table {sync.table!r} {message}", at=("sync", number, "table"))
