"""The stages in order, and what each needs: the one way in for Airflow, the command line and tests.

    crawl → map → filter → convert → tag → load → transform → sync

Stages hand each other URIs of manifests; filter gives one for each batch, and convert and tag take one each.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module

from ondol import registry
from ondol.config.loader import find_tenant
from ondol.config.tenant import Tenant
from ondol.conversion.base import Converter
from ondol.embedded import database_uri, serving_uri
from ondol.errors import FatalError
from ondol.interval import Interval
from ondol.lake.base import Lake
from ondol.ledger.events import Ledger
from ondol.manifest import STAGES, Manifest, Stage
from ondol.secrets.base import Secrets
from ondol.serving.base import SyncResult
from ondol.settings import settings
from ondol.stages.collect import Trial
from ondol.stages.context import Params, StageContext
from ondol.warehouse.base import Warehouse

log = logging.getLogger(__name__)
LINEAGE = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG", "OPENLINEAGE__TRANSPORT")
"""The variables of OpenLineage's client that say where events go, or how such variables begin."""
BATCHED: tuple[Stage, ...] = ("convert", "tag")
"""Stages that take one batch at a time; load takes all batches, every other stage has one."""


@dataclass(slots=True)
class RunResult:
    """What a run did, stage by stage.

    Args:
        counts: by stage, the sums of its manifests' counts.
        marts: what became of each mart.
        quarantined: what this run key has in quarantine, with reasons and remedies.
        seconds: by stage.
    """

    tenant: str
    run_key: str
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    marts: dict[str, str] = field(default_factory=dict)
    quarantined: list[dict[str, object]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def run(
    tenant: str | Tenant,
    date: dt.date,
    *,
    first: Stage = "crawl",
    last: Stage = "sync",
    params: Params = Params(),  # noqa: B008 - frozen
    progress: Callable[[Stage, dict[str, int] | None], None] = lambda stage, counts: None,
) -> RunResult:
    """Run the stages of one tenant for the files that arrived on one local date.

    Two runs of one interval at once: the second waits for the first, then finds its work done.

    Args:
        first / last: run only the stages between; what lies before must have been run for that date.
        progress: called with each stage before it (None) and after it (its counts).
    """
    import time

    if STAGES.index(first) > STAGES.index(last):
        raise FatalError(f"stage '{first}' comes after '{last}': the order is {', '.join(STAGES)}")
    config = tenant if isinstance(tenant, Tenant) else find_tenant(settings().tenants, tenant)
    interval = Interval.of_day(date, config.zone)
    with open_context(config, interval, run_id="cli", params=params) as context:
        result = RunResult(config.tenant, context.run_key)
        with context.ledger.exclusive(f"run:{context.run_key}"), _telling(context) as tell:
            stages = STAGES[STAGES.index(first) : STAGES.index(last) + 1]
            uris = _earlier(context, stages[0])
            for stage in stages:
                progress(stage, None)
                began = time.perf_counter()
                with tell(stage) as made:
                    uris = run_stage_in(context, stage, uris)
                    made += uris
                result.seconds[stage] = time.perf_counter() - began
                manifests = [Manifest.read(context.lake, uri) for uri in uris]
                result.counts[stage] = _sum(manifests)
                result.marts |= {k: v for m in manifests for k, v in m.marts.items()}
                progress(stage, result.counts[stage])
        result.quarantined = context.ledger.quarantine.entries("held", context.run_key)
    return result


def sync_table(
    tenant: str | Tenant,
    table: str,
    *,
    dry_run: bool = False,
    full: bool = False,
    accept: bool = False,
    at: dt.datetime | None = None,
) -> SyncResult:
    """Make one table of a tenant equal to its mart now: for the command line, Airflow and whatever serves HTTP.

    The mart is brought up to date first, from what is loaded; that changes nothing if it is.

    Args:
        dry_run: say what would change in PostgreSQL, with samples, and change nothing there.
        full: compare the whole table, even if nothing says that it changed.
        accept: let pass what the guards on deleted rows and on the number of rows would refuse.
        at: when it is asked for: names the run in the ledger; by default, now.

    Raises:
        Rejected: the mart is not sound, or PostgreSQL or a guard refuses it; the table is as it was.
        FatalError: the tenant syncs no such table.
    """
    from ondol.stages.sync import publish

    config = tenant if isinstance(tenant, Tenant) else find_tenant(settings().tenants, tenant)
    spec = next((spec for spec in config.sync if spec.table == table), None)
    if spec is None:
        there = ", ".join(s.table for s in config.sync) or "none"
        raise FatalError(f"{config.tenant} syncs no table '{table}'; 'sync' of its YAML has: {there}")
    moment = (at or dt.datetime.now(config.zone)).astimezone(config.zone)
    with open_context(config, Interval(moment, moment), run_id="sync", params=Params()) as context:
        before = context.manifest("load", [])
        manifest = import_module("ondol.stages.transform").run(context, before)
        with context.ledger.exclusive(), context.telling():
            return publish(context, manifest, spec, dry_run=dry_run, full=full, accept=accept)


def try_source(tenant: str | Tenant, source: str, date: dt.date | None = None, *, show: int = 100) -> Trial:
    """What a source would give now; nothing changes, neither there nor here.

    Args:
        date: of the run that it is asked for; today by default.
        show: how many of the new files to name.

    Raises:
        FatalError: the tenant has no such source.
    """
    from ondol.stages import collect

    config = tenant if isinstance(tenant, Tenant) else find_tenant(settings().tenants, tenant)
    model = next((s for s in config.sources if s.id == source), None)
    if model is None:
        there = ", ".join(s.id for s in config.sources)
        raise FatalError(f"{config.tenant} has no source '{source}'; there is: {there}")
    interval = Interval.of_day(date or dt.datetime.now(config.zone).date(), config.zone)
    connector = collect.connect(config, model, settings().home, open_secrets())
    with Ledger(database_uri(), config.tenant) as ledger:
        return collect.try_source(connector, ledger, interval, show=show)


def run_stage(
    stage: Stage, tenant: Tenant, interval: Interval, run_id: str, inputs: list[str], params: Params
) -> list[str]:
    """One stage of one run, as Airflow's tasks call it.

    Args:
        run_id: of the scheduler's run; with the run key it names the manifests.
        inputs: URIs of the manifests of the stage before; for convert and tag, of one batch.

    Returns:
        the URIs of its manifests: filter gives one for each batch, every other stage one.
    """
    with open_context(tenant, interval, run_id=run_id, params=params) as context:
        return run_stage_in(context, stage, inputs)


def run_stage_in(context: StageContext, stage: Stage, inputs: list[str]) -> list[str]:
    """One stage in an open context; a batched stage runs once for each of the inputs."""
    function = import_module(f"ondol.stages.{stage}").run
    manifests = [Manifest.read(context.lake, uri) for uri in inputs]
    log.info("begins tenant=%s run=%s stage=%s", context.tenant.tenant, context.run_key, stage)
    made: list[Manifest]
    if stage == "crawl":
        made = [function(context)]
    elif stage in BATCHED:
        made = [function(context, manifest) for manifest in manifests]
    elif stage == "load":
        made = [function(context, manifests)]
    else:
        given = function(context, manifests[0])
        made = given if isinstance(given, list) else [given]
    log.info("ends tenant=%s run=%s stage=%s %s", context.tenant.tenant, context.run_key, stage, _sum(made))
    return [manifest.write(context.lake, context.run_id) for manifest in made]


@contextmanager
def open_context(tenant: Tenant, interval: Interval, *, run_id: str, params: Params) -> Iterator[StageContext]:
    """Everything that the stages of this profile read and write, closed at the end."""
    here = settings()
    lake = open_lake(tenant.tenant, tenant.lake)
    warehouse = open_warehouse(tenant.tenant, f"{tenant.tenant}@{interval.key()}")
    serving = registry.load(registry.SERVINGS, here.profile)(serving_uri(), tenant.tenant)
    with Ledger(database_uri(), tenant.tenant) as ledger:
        try:
            yield StageContext(
                tenant=tenant,
                interval=interval,
                run_id=_safe(run_id),
                home=here.home,
                lake=lake,
                ledger=ledger,
                secrets=open_secrets(),
                converter=open_converter(lake),
                warehouse=warehouse,
                serving=serving,
                params=params,
            )
        finally:
            warehouse.close()


def open_lake(tenant: str, own: str | None = None) -> Lake:
    """The tenant's part of this profile's lake.

    Args:
        own: the tenant's own bucket, as its YAML says; a lake in folders has no use for it.
    """
    here = settings()
    root = here.home / "lake" if here.profile == "local" else own or here.gcs
    if not root:
        raise FatalError("ONDOL_LAKE is not set: give gs://bucket or gs://bucket/prefix")
    lake: Lake = registry.load(registry.LAKES, here.profile)(root, tenant)
    return lake


def open_secrets() -> Secrets:
    """Where this profile keeps the tenants' secrets."""
    here = settings()
    secrets: Secrets = registry.load(registry.SECRETS, here.profile)(here.home)
    return secrets


def open_warehouse(tenant: str, run_key: str = "") -> Warehouse:
    """The tenant's warehouse of this profile.

    Args:
        run_key: names the run in the jobs of a warehouse that has jobs.
    """
    here = settings()
    made = registry.load(registry.WAREHOUSES, here.profile)
    warehouse: Warehouse = made(here.home, tenant, *([run_key] if here.profile == "gcp" else []))
    return warehouse


def open_converter(lake: Lake) -> Converter:
    """What converts the files of a lake: see ONDOL_CONVERTER."""
    here = settings()
    kind = here.converter if here.converter in registry.CONVERTERS else "service"
    converter: Converter = registry.load(registry.CONVERTERS, kind)(lake, here.workers, here.converter)
    return converter


@contextmanager
def _telling(context: StageContext) -> Iterator[Callable[[Stage], AbstractContextManager[list[str]]]]:
    """What tells OpenLineage of each stage; nothing does if it is not configured."""
    if not any(name.startswith(LINEAGE) for name in os.environ):
        yield lambda stage: nullcontext([])
        return
    from ondol.lineage import Teller

    teller = Teller(context.tenant, context.lake, context.interval)
    try:
        yield teller.stage
    finally:
        teller.close()


def _earlier(context: StageContext, first: Stage) -> list[str]:
    """The manifests that the stage before `first` wrote for this run key."""
    if first == "crawl":
        return []
    before = STAGES[STAGES.index(first) - 1]
    prefix = f"manifests/{context.run_key}/{context.run_id}/{before}-"
    found = [context.lake.uri(path) for path in context.lake.paths(prefix)]
    if not found:
        raise FatalError(
            f"{context.run_key} has no manifest of stage '{before}': run from an earlier stage, or from crawl"
        )
    return found


def _safe(run_id: str) -> str:
    """A scheduler's run id as one path segment; ids that differ stay different."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", run_id):
        return run_id
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', run_id)[:60]}-{hashlib.sha256(run_id.encode()).hexdigest()[:8]}"


def _sum(manifests: list[Manifest]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for manifest in manifests:
        for name, count in manifest.counts.items():
            sums[name] = sums.get(name, 0) + count
    return sums
