"""One tenant's way to BigQuery: labelled and limited jobs whose ids make a repeated request the same job.

A request that was cut off may have been carried out. So what changes data runs under an id that is made of what it
does: sent again, BigQuery answers 409, and the job that is there is waited for.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ondol.errors import FatalError, RetriableError
from ondol.settings import settings
from ondol.warehouse.bigquery.errors import telling
from ondol.warehouse.bigquery.sql import Statement
from ondol.warehouse.bigquery.types import parameter, standard

if TYPE_CHECKING:
    import pyarrow as pa
    from google.cloud import bigquery

log = logging.getLogger(__name__)

REQUEST_SECONDS = 60.0
"""For one request, and for its repetitions by the client library."""
RETRY_SECONDS = 120.0
JOB_SECONDS = 3600.0
TRIES = 4
"""Of one job, in this process, if what failed may pass; the first pause in seconds is 1 and doubles."""
ATTEMPTS = 100
"""Of one job, ever: ids that failed jobs have used up."""
PAGE_ROWS = 20_000
STAGING = dt.timedelta(days=1)
"""After that time BigQuery itself drops a staging table that a killed run left."""


class Client:
    """The dataset of one tenant and its jobs.

    Args:
        run: the run key, for the jobs' labels.
    """

    def __init__(self, tenant: str, run: str = "") -> None:
        place = settings().bigquery
        if not place:
            raise FatalError("ONDOL_BIGQUERY is not set: give project/location, such as acme-data/asia-northeast3")
        self.tenant = tenant
        self.run_key = run
        self.project, self.location = place

    @cached_property
    def api(self) -> bigquery.Client:
        """The library's client; BIGQUERY_EMULATOR_HOST, which it honours, needs no credentials."""
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import bigquery

        emulated = os.environ.get("BIGQUERY_EMULATOR_HOST")
        with telling("BigQuery"):
            return bigquery.Client(
                project=self.project,
                location=self.location,
                credentials=AnonymousCredentials() if emulated else None,  # type: ignore[no-untyped-call]
                default_query_job_config=bigquery.QueryJobConfig(use_legacy_sql=False),
            )

    @cached_property
    def storage(self) -> Any:
        """The Storage Read API's client; None for an emulator that does not serve it."""
        from google.cloud import bigquery_storage_v1 as storage

        if not os.environ.get("BIGQUERY_EMULATOR_HOST"):
            return storage.BigQueryReadClient(credentials=self.api._credentials)  # type: ignore[no-untyped-call]
        if not (address := os.environ.get("BIGQUERY_STORAGE_EMULATOR_HOST")):
            return None
        import grpc
        from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

        transport = BigQueryReadGrpcTransport(channel=grpc.insecure_channel(address))
        return storage.BigQueryReadClient(transport=transport)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Let go of connections; the next call opens others."""
        for name in ("api", "storage"):
            if held := self.__dict__.pop(name, None):
                (held if name == "api" else held.transport).close()

    # Jobs

    def rows(self, statement: Statement) -> list[dict[str, Any]]:
        """What a statement that may be run again gives; a short one takes one request."""
        with telling(statement.about):
            found = self.api.query_and_wait(
                statement.sql,
                job_config=self._config(statement),
                retry=_retry(),
                job_retry=_job_retry(),
                api_timeout=REQUEST_SECONDS,
                wait_timeout=JOB_SECONDS,
            )
            return [dict(row) for row in found]

    def select(self, statement: Statement) -> bigquery.QueryJob:
        """A SELECT that has run; its result can be read several times, for a day, and in other statements."""
        with telling(statement.about):
            job = self.api.query(
                statement.sql,
                job_config=self._config(statement),
                retry=_retry(),
                job_retry=_job_retry(),
                timeout=REQUEST_SECONDS,
            )
            job.result(retry=_retry(), timeout=JOB_SECONDS, max_results=0)
            return job

    def run(self, statement: Statement) -> None:
        """A statement that may be run again and gives nothing."""
        self.rows(statement)

    def once(self, statement: Statement, *key: object, holds: Callable[[], bool]) -> list[dict[str, Any]]:
        """A statement that may take effect once only; what it gives.

        Args:
            key: what it does, and to which state; equal keys are one job.
            holds: whether the effect of an earlier such job is still there: BigQuery knows a job for half a year, and
                the dataset may have been dropped meanwhile.
        """

        def submit(job_id: str) -> bigquery.QueryJob:
            return self.api.query(
                statement.sql,
                job_id=job_id,
                job_config=self._config(statement),
                retry=_retry(),
                job_retry=None,
                timeout=REQUEST_SECONDS,
            )

        return [dict(row) for row in self._once(submit, statement.about, key, holds)]

    def load(self, source: str | Path, table: str, schema: list[bigquery.SchemaField], *key: object) -> int:
        """Make Parquet, an object of the lake or a local file, the content of a table; as `once`. How many rows."""
        from google.cloud import bigquery

        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
            schema=schema,
            labels=self.labels,
        )

        def submit(job_id: str) -> bigquery.LoadJob:
            place = self.reference(table)
            if isinstance(source, str):
                return self.api.load_table_from_uri(
                    source, place, job_id=job_id, job_config=config, retry=_retry(), timeout=REQUEST_SECONDS
                )
            with source.open("rb") as file:
                return self.api.load_table_from_file(
                    file, place, job_id=job_id, job_config=config, size=source.stat().st_size, timeout=REQUEST_SECONDS
                )

        return int(self._once(submit, f"loading {source}", key).output_rows)

    def _once(
        self,
        submit: Callable[[str], Any],
        about: str,
        key: Sequence[object],
        holds: Callable[[], bool] = lambda: True,
    ) -> Any:
        """The result of the job of that key, here or by whoever was killed. Ids of failed jobs are used up."""
        from google.api_core.exceptions import Conflict

        failures = 0
        for attempt in range(ATTEMPTS):
            digest = hashlib.sha256(json.dumps([self.tenant, *key, attempt], default=str).encode()).hexdigest()
            job_id = f"ondol_{self.tenant}_{digest[:32]}"
            mine = True
            try:
                with telling(about):
                    try:
                        job = submit(job_id)
                    except Conflict:
                        mine = False
                        job = self.api.get_job(job_id, retry=_retry(), timeout=REQUEST_SECONDS)
                    result = job.result(retry=_retry(), timeout=JOB_SECONDS)
                    if mine or holds():
                        return result
            except RetriableError as error:
                failures += mine
                if failures >= TRIES:
                    raise
                log.warning("%s; trying again tenant=%s job=%s", error, self.tenant, job_id)
                if mine:
                    time.sleep(2.0 ** (failures - 1))
            except FatalError:
                if mine:
                    raise
        raise FatalError(f"{about}: {ATTEMPTS} attempts have failed; the tenant's jobs in BigQuery say why")

    def _config(self, statement: Statement) -> bigquery.QueryJobConfig:
        from google.cloud import bigquery

        values = statement.values
        named = values.items() if isinstance(values, dict) else ((None, value) for value in values)
        return bigquery.QueryJobConfig(
            query_parameters=[parameter(name, value) for name, value in named],
            labels=self.labels,
            maximum_bytes_billed=settings().bigquery_bytes,
        )

    @property
    def labels(self) -> dict[str, str]:
        """Of every job: the tenant, and the run if there is one. Source: "Requirements for labels"."""
        run = re.sub(r"[^a-z0-9_-]+", "-", self.run_key.lower())[:63]
        return {"tenant": self.tenant, **({"run": run} if run else {})}

    # Tables

    def reference(self, table: str) -> bigquery.TableReference:
        """The table of that name in the tenant's dataset."""
        from google.cloud import bigquery

        return bigquery.DatasetReference(self.project, self.tenant).table(table)

    def make_dataset(self, name: str = "") -> None:
        """The tenant's dataset, or one beside it, if it is not there."""
        from google.cloud import bigquery

        dataset = bigquery.Dataset(bigquery.DatasetReference(self.project, name or self.tenant))
        dataset.location = self.location
        dataset.labels = {"tenant": self.tenant}
        with telling(f"making the dataset {dataset.dataset_id}"):
            self.api.create_dataset(dataset, exists_ok=True, retry=_retry(), timeout=REQUEST_SECONDS)

    def make_table(self, table: str, columns: dict[str, str]) -> None:
        """A table of those columns and types, if it is not there; an array's type ends in []."""
        from google.cloud import bigquery

        schema = [
            bigquery.SchemaField(name, kind.removesuffix("[]"), mode="REPEATED" if kind.endswith("[]") else "NULLABLE")
            for name, kind in columns.items()
        ]
        with telling(f"making {self.tenant}.{table}"):
            made = bigquery.Table(self.reference(table), schema=schema)
            self.api.create_table(made, exists_ok=True, retry=_retry(), timeout=REQUEST_SECONDS)

    def make_staging(self, table: str, schema: list[bigquery.SchemaField]) -> dt.datetime:
        """When a table was made that BigQuery drops by itself after STAGING: now, empty, unless it is there."""
        from google.cloud import bigquery

        staging = bigquery.Table(self.reference(table), schema=schema)
        staging.expires = dt.datetime.now(dt.UTC) + STAGING
        staging.labels = self.labels
        with telling(f"making {self.tenant}.{table}"):
            made = self.api.create_table(staging, exists_ok=True, retry=_retry(), timeout=REQUEST_SECONDS)
        created: dt.datetime = made.created
        return created

    def table(self, table: str) -> bigquery.Table | None:
        """What BigQuery says of a table; None if it is not there."""
        from google.api_core.exceptions import NotFound

        with telling(f"{self.tenant}.{table}"):
            try:
                return self.api.get_table(self.reference(table), retry=_retry(), timeout=REQUEST_SECONDS)
            except NotFound:
                return None

    def columns(self, table: str) -> dict[str, str]:
        """The types of a table's columns, in their order; none if it is not there."""
        found = self.table(table)
        return {field.name: standard(field) for field in found.schema} if found else {}

    def tables(self) -> list[str]:
        """The names of all tables and views of the dataset; none if there is no dataset."""
        from google.api_core.exceptions import NotFound

        with telling(f"the dataset {self.tenant}"):
            try:
                found = self.api.list_tables(
                    f"{self.project}.{self.tenant}", retry=_retry(), timeout=REQUEST_SECONDS, page_size=1000
                )
                return sorted(item.table_id for item in found)
            except NotFound:
                return []

    def drop(self, table: str) -> None:
        """Drop a table or view, if it is there."""
        with telling(f"dropping {self.tenant}.{table}"):
            self.api.delete_table(self.reference(table), not_found_ok=True, retry=_retry(), timeout=REQUEST_SECONDS)

    def describe(self, table: str, columns: dict[str, str]) -> bigquery.Table:
        """Say in BigQuery what a table's columns mean, as far as they are there."""
        from google.cloud import bigquery

        with telling(f"describing {self.tenant}.{table}"):
            found = self.api.get_table(self.reference(table), retry=_retry(), timeout=REQUEST_SECONDS)
            described = [{**field.to_api_repr(), "description": columns.get(field.name)} for field in found.schema]
            if not any(field["description"] for field in described):
                return found
            found.schema = [bigquery.SchemaField.from_api_repr(field) for field in described]
            return self.api.update_table(found, ["schema"], retry=_retry(), timeout=REQUEST_SECONDS)

    @contextmanager
    def batches(self, table: bigquery.Table | bigquery.TableReference) -> Iterator[pa.RecordBatchReader]:
        """The rows of a stored table as Arrow batches, in bounded memory; by the Storage Read API, if it is there."""
        import pyarrow as pa

        about = f"reading {table.dataset_id}.{table.table_id}"
        with telling(about):
            schema, found = (self._streamed if self.storage else self._paged)(table)

        def all_of_them() -> Iterator[pa.RecordBatch]:
            with telling(about):
                yield from found

        yield pa.RecordBatchReader.from_batches(schema, all_of_them())

    def _streamed(self, table: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        import pyarrow as pa
        from google.cloud.bigquery_storage_v1 import types

        place = f"projects/{table.project}/datasets/{table.dataset_id}/tables/{table.table_id}"
        wanted = types.ReadSession(table=place, data_format=types.DataFormat.ARROW)
        session = self.storage.create_read_session(
            parent=f"projects/{self.project}", read_session=wanted, max_stream_count=1, timeout=REQUEST_SECONDS
        )
        schema = pa.ipc.read_schema(pa.py_buffer(session.arrow_schema.serialized_schema))

        def read() -> Iterator[pa.RecordBatch]:
            for stream in session.streams:
                for message in self.storage.read_rows(stream.name):
                    body = pa.py_buffer(message.arrow_record_batch.serialized_record_batch)
                    yield pa.ipc.read_record_batch(body, schema)

        return schema, read()

    def _paged(self, table: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """By the REST API, a page at a time."""
        rows = self.api.list_rows(table, page_size=PAGE_ROWS, retry=_retry(), timeout=REQUEST_SECONDS)
        found = rows.to_arrow_iterable(max_queue_size=2)
        first = next(found, None)
        if first is None:
            empty = self.api.list_rows(table, max_results=0, retry=_retry(), timeout=REQUEST_SECONDS)
            return empty.to_arrow(create_bqstorage_client=False).schema, iter(())
        return first.schema, itertools.chain([first], found)


def _retry() -> Any:
    """The library's own retry with a shorter deadline: every request here may be made again."""
    from google.cloud.bigquery.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(RETRY_SECONDS)


def _job_retry() -> Any:
    """The same for jobs that fail for a passing reason."""
    from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY

    return DEFAULT_JOB_RETRY.with_timeout(RETRY_SECONDS)
