"""What a stage read and wrote, in OpenLineage's words: for Airflow's provider, and for runs without Airflow.

A dataset is a file of the source or the lake, a table of the warehouse, or a table of the serving database. Files carry
the facet `ondol_file` (item, period, content), runs the facet `ondol` (tenant, run key, what the stage counted).

Source: OpenLineage's "Naming" and its specification 2-0-2.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import attr
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    DatasetFacet,
    RunFacet,
    error_message_run,
    nominal_time_run,
    output_statistics_output_dataset,
    parent_run,
    schema_dataset,
)

from ondol.lake.base import raw_path
from ondol.manifest import Entry, Manifest, Stage

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient

    from ondol.config.tenant import Tenant
    from ondol.interval import Interval
    from ondol.lake.base import Lake

log = logging.getLogger(__name__)
PRODUCER = "urn:ondol"
MOST_FILES = 1000
"""How many files an event names; `ondol.files` says how many there are."""


@attr.define(kw_only=True)
class OndolRunFacet(RunFacet):
    """Whose run it is, and what the stage counted."""

    tenant: str
    runKey: str
    files: int
    counts: dict[str, int]

    @staticmethod
    def _get_schema() -> str:
        return "urn:ondol:facets:run:1"


@attr.define(kw_only=True)
class OndolFileFacet(DatasetFacet):
    """What is known of a file."""

    sha256: str
    name: str
    item: str | None
    period: str | None
    part: str
    rows: int | None

    @staticmethod
    def _get_schema() -> str:
        return "urn:ondol:facets:file:1"


@dataclass(slots=True)
class Lineage:
    """What one stage of one run read and wrote."""

    inputs: list[InputDataset] = field(default_factory=list)
    outputs: list[OutputDataset] = field(default_factory=list)
    facets: dict[str, RunFacet] = field(default_factory=dict)


def of_stage(stage: Stage, tenant: Tenant, lake: Lake, uris: Iterable[str]) -> Lineage:
    """The lineage of a stage that ended, by the manifests that it wrote."""
    return _Stage(stage, tenant, lake, [Manifest.read(lake, uri) for uri in uris]).lineage()


class _Stage:
    def __init__(self, stage: Stage, tenant: Tenant, lake: Lake, manifests: Sequence[Manifest]) -> None:
        self.stage = stage
        self.tenant = tenant
        self.lake = lake
        self.manifests = manifests
        self.entries = [entry for manifest in manifests for entry in manifest.entries]

    def lineage(self) -> Lineage:
        read, wrote = {
            "crawl": (self.at_source, self.raw),
            "convert": (self.raw, self.tables),
            "tag": (self.tables, self.tidy),
            "load": (self.tidy, self.loaded),
            "transform": (self.tidy_tables, self.marts),
            "sync": (self.published, self.served),
        }.get(self.stage, (self.raw, list))
        counts: dict[str, int] = {}
        for manifest in self.manifests:
            for name, count in manifest.counts.items():
                counts[name] = counts.get(name, 0) + count
        run_key = self.manifests[0].run_key if self.manifests else self.tenant.tenant
        facet = OndolRunFacet(
            tenant=self.tenant.tenant, runKey=run_key, files=len(self.entries), counts=counts, producer=PRODUCER
        )
        return Lineage(
            [InputDataset(p.namespace, p.name, facets=p.facets) for p in read()],
            [OutputDataset(p.namespace, p.name, facets=p.facets, outputFacets=p.counted) for p in wrote()],
            {"ondol": facet},
        )

    def at_source(self) -> list[Place]:
        namespace = f"ondol://{self.tenant.tenant}"
        return [
            Place(f"{namespace}/{e.source}", e.location, {"ondol_file": _file(e)}) for e in self.entries[:MOST_FILES]
        ]

    def raw(self) -> list[Place]:
        return [_in_lake(self.lake.uri(raw_path(e.sha256)), e) for e in self.entries[:MOST_FILES]]

    def tables(self) -> list[Place]:
        return [_in_lake(e.tables, e) for e in self.entries[:MOST_FILES] if e.tables]

    def tidy(self) -> list[Place]:
        return [_in_lake(e.tidy, e) for e in self.entries[:MOST_FILES] if e.tidy]

    def loaded(self) -> list[Place]:
        rows: dict[str, int] = {}
        for entry in self.entries:
            table = self.tenant.item(entry.item or "").table
            rows[table] = rows.get(table, 0) + (entry.rows or 0)
        return [self._tidy(table, rows[table]) for table in sorted(rows)]

    def tidy_tables(self) -> list[Place]:
        return [self._tidy(table) for table in sorted({item.table for item in self.tenant.items})]

    def marts(self) -> list[Place]:
        made = {name for manifest in self.manifests for name, said in manifest.marts.items() if said == "done"}
        return [self._in_warehouse(name) for name in sorted(made)]

    def published(self) -> list[Place]:
        return [self._in_warehouse(sync.table) for sync in self.tenant.sync]

    def served(self) -> list[Place]:
        from psycopg2.extensions import parse_dsn

        from ondol.embedded import serving_uri

        parts = parse_dsn(serving_uri())
        host = str(parts.get("host", "localhost"))
        server = f"postgres://{'localhost' if host.startswith('/') else host}:{parts.get('port', 5432)}"
        database = parts.get("dbname", "postgres")
        return [Place(server, f"{database}.{self.tenant.tenant}.{sync.table}") for sync in self.tenant.sync]

    def _tidy(self, table: str, rows: int | None = None) -> Place:
        from converters import tidy

        rule = next(item.tag for item in self.tenant.items if item.table == table)
        fields = [schema_dataset.SchemaDatasetFacetFields(f.name, str(f.type)) for f in tidy.schema(rule)]
        place = self._in_warehouse(table)
        place.facets["schema"] = schema_dataset.SchemaDatasetFacet(fields=fields, producer=PRODUCER)
        if rows is not None:
            place.counted["outputStatistics"] = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                rowCount=rows, producer=PRODUCER
            )
        return place

    def _in_warehouse(self, table: str) -> Place:
        from ondol.settings import settings

        here, tenant = settings(), self.tenant.tenant
        if here.bigquery and here.profile != "local":
            return Place("bigquery", f"{here.bigquery[0]}.{tenant}.{table}")
        return Place("file", f"{here.home}/warehouse/{tenant}_warehouse.duckdb:{tenant}.{table}")


@dataclass(slots=True)
class Place:
    """A dataset by its name, with what is known of it."""

    namespace: str
    name: str
    facets: dict[str, DatasetFacet] = field(default_factory=dict)
    counted: dict[str, Any] = field(default_factory=dict)


def _in_lake(uri: str, entry: Entry) -> Place:
    """gs://bucket and the object, or file and the path."""
    scheme, _, rest = uri.partition("://")
    bucket, _, name = rest.partition("/")
    facets: dict[str, DatasetFacet] = {"ondol_file": _file(entry)}
    return Place("file", f"/{name}", facets) if scheme == "file" else Place(f"{scheme}://{bucket}", name, facets)


def _file(entry: Entry) -> OndolFileFacet:
    return OndolFileFacet(
        sha256=entry.sha256,
        name=entry.name,
        item=entry.item,
        period=str(entry.period) if entry.period else None,
        part=entry.part,
        rows=entry.rows,
        producer=PRODUCER,
    )


class Teller:
    """Tells of one run, stage by stage; a backend that does not answer is logged and stops nothing."""

    def __init__(self, tenant: Tenant, lake: Lake, interval: Interval) -> None:
        from openlineage.client import OpenLineageClient
        from openlineage.client.uuid import generate_new_uuid

        self.tenant = tenant
        self.lake = lake
        self.namespace = os.environ.get("OPENLINEAGE_NAMESPACE") or "ondol"
        self.client: OpenLineageClient = OpenLineageClient()
        self.new_id: Callable[[], object] = generate_new_uuid
        self.run_id = str(self.new_id())
        parent = parent_run.ParentRunFacet(
            run=parent_run.Run(self.run_id),
            job=parent_run.Job(self.namespace, tenant.tenant),
            producer=PRODUCER,
        )
        nominal = nominal_time_run.NominalTimeRunFacet(
            interval.start.isoformat(), interval.end.isoformat(), producer=PRODUCER
        )
        self.facets: dict[str, RunFacet] = {"parent": parent, "nominalTime": nominal}

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[list[str]]:
        """Tell that a stage begins, and how it ends; the caller puts the URIs of its manifests into the list."""
        run_id, uris = str(self.new_id()), list[str]()
        self._emit(stage, run_id, RunState.START, Lineage)
        try:
            yield uris
        except Exception as error:
            message = error_message_run.ErrorMessageRunFacet(str(error)[:2000], "python", producer=PRODUCER)
            self._emit(stage, run_id, RunState.FAIL, lambda: Lineage(facets={"errorMessage": message}))
            raise
        self._emit(stage, run_id, RunState.COMPLETE, lambda: of_stage(stage, self.tenant, self.lake, uris))

    def close(self) -> None:
        """Wait until all is told."""
        self.client.close(timeout=10)

    def _emit(self, stage: Stage, run_id: str, state: RunState, found: Callable[[], Lineage]) -> None:
        try:
            lineage = found()
            self.client.emit(
                RunEvent(
                    eventType=state,
                    eventTime=dt.datetime.now(dt.UTC).isoformat(),
                    run=Run(run_id, {**self.facets, **lineage.facets}),
                    job=Job(self.namespace, f"{self.tenant.tenant}.{stage}"),
                    inputs=lineage.inputs,
                    outputs=lineage.outputs,
                    producer=PRODUCER,
                )
            )
        except Exception:
            log.warning("OpenLineage was not told tenant=%s stage=%s", self.tenant.tenant, stage, exc_info=True)
