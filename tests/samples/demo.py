"""`make demo`: the sample tenants' files through Airflow into PostgreSQL, and one figure traced back to its cell."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from ondol import embedded
from ondol.config.loader import find_tenant
from ondol.config.tenant import SyncTable, Tenant
from ondol.errors import OndolError
from ondol.ledger.events import Ledger
from ondol.pipeline import open_context
from ondol.settings import settings
from tests.samples import write_samples

DAY = dt.date(2026, 1, 5)
TENANTS = ("hanbit", "daeyang", "saeum")
console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Run the demo; the second time it finds that there is nothing to do."""
    began = time.monotonic()
    home = settings().home
    _step("1/4", f"sample files of January 2026 into {_short(home / 'inbox')}")
    write_samples(home / "inbox")
    _step("2/4", f"PostgreSQL (embedded, in {_short(home / 'pg')}) and Airflow's metadata in it")
    environment = _airflow()
    _step("3/4", f"airflow dags test TENANT {DAY}, for {', '.join(TENANTS)}")
    before = {tenant: _done(tenant) for tenant in TENANTS}
    for tenant in TENANTS:
        _run(tenant, environment)
    _step("4/4", "what came of it")
    for tenant in TENANTS:
        _show(find_tenant(settings().tenants, tenant))
    _end(all(before[tenant] == _done(tenant) for tenant in TENANTS), time.monotonic() - began)


def _airflow() -> dict[str, str]:
    from ondol.operators.environment import prepare

    return {**os.environ, **prepare()}


def _run(tenant: str, environment: dict[str, str]) -> None:
    log = settings().home / "logs" / f"demo-{tenant}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    console.print(f"      {tenant} … ", end="")
    with log.open("w") as output:
        command = [str(Path(sys.executable).with_name("airflow")), "dags", "test", tenant, str(DAY)]
        done = subprocess.run(command, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode or " state=failed" in log.read_text() or "Dag run in failed state" in log.read_text():
        console.print("[red]failed[/]")
        sys.exit(f"{tenant} failed; the log is {log}:\n" + "\n".join(log.read_text().splitlines()[-15:]))
    console.print(f"done in {time.monotonic() - began:.0f} s")


def _done(tenant: str) -> list[Any]:
    """What the ledger says was loaded and synced."""
    with Ledger(embedded.database_uri(), tenant) as ledger:
        return [e["id"] for stage in ("load", "sync") for e in ledger.history(stage=stage, limit=10_000)]


def _show(tenant: Tenant) -> None:
    from ondol.interval import Interval
    from ondol.stages.context import Params

    with open_context(tenant, Interval.of_day(DAY, tenant.zone), run_id="demo", params=Params()) as context:
        events = context.ledger.history(run_key=context.run_key, limit=10_000)
        held = context.ledger.quarantine.entries("held", context.run_key)
        console.print(f"\n[bold]{tenant.tenant}[/] {tenant.name}")
        loads = [e for e in events if e["stage"] == "load" and e["decision"] == "loaded"]
        console.print(f"  files crawled   {len({e['location'] for e in events if e['stage'] == 'crawl'})}")
        tables = sum(len(e["detail"].get("tables", ())) for e in events if e["stage"] == "convert")
        console.print(f"  tables read     {tables}")
        console.print(f"  rows loaded     {sum(e['detail']['rows'] for e in loads)} from {len(loads)} files")
        counts = {spec.table: context.serving.count(spec.table) for spec in tenant.sync}
        console.print(
            "  in PostgreSQL   " + ", ".join(f"{tenant.tenant}.{name}: {n} rows" for name, n in counts.items())
        )
        for event in events:
            if event["stage"] == "filter" and event["decision"] not in ("process", "held"):
                console.print(f"  left out        {event['name']}: {event['reason']}", markup=False)
        for q in held:
            console.print(f"  in quarantine   no. {q['id']} at {q['stage']}: {q['reason']}", markup=False)
        _trace(context, tenant)


def _trace(context: Any, tenant: Tenant) -> None:
    """The figure of one row of the first mart that has any, back to its cells."""
    assert tenant.transform
    for spec in tenant.sync:
        row = _a_row(tenant, spec)
        figure = next((name for name in row if name not in spec.key and _is_number(row[name])), None)
        if figure is None:
            continue
        key = {name: row[name] for name in spec.key}
        try:
            origins = context.warehouse.trace(tenant.transform, spec.table, key, figure)
        except OndolError:
            continue
        where = ", ".join(f"{name}={value}" for name, value in key.items())
        console.print(
            f"  one figure      {tenant.tenant}.{spec.table} ({where}): {figure} = {row[figure]}", markup=False
        )
        for origin in origins[:4]:
            console.print(
                f"                  ← {origin.file} ▸ {origin.sheet} ▸ {origin.cell}: {origin.value}", markup=False
            )
        if len(origins) > 4:
            console.print(f"                  … and {len(origins) - 4} cells more")
        return


def _a_row(tenant: Tenant, spec: SyncTable) -> dict[str, Any]:
    import psycopg2
    from psycopg2 import sql
    from psycopg2.extras import RealDictCursor

    connection = psycopg2.connect(embedded.serving_uri(), cursor_factory=RealDictCursor)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT * FROM {} ORDER BY {} LIMIT 1").format(
                sql.Identifier(tenant.tenant, spec.table), sql.SQL(", ").join(map(sql.Identifier, spec.key))
            )
        )
        row = cursor.fetchone()
    connection.close()
    return dict(row or {})


def _is_number(value: object) -> bool:
    from decimal import Decimal

    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and value != 0


def _end(unchanged: bool, seconds: float) -> None:
    looks = {
        "everything again": "make demo, which changes nothing the second time",
        "what happened to each file": ".venv/bin/ondol history hanbit",
        "what was refused, and why": ".venv/bin/ondol quarantine list hanbit",
        "the rows": f"psql '{embedded.serving_uri()}'",
        "Airflow in a browser": "make ui",
        "stop PostgreSQL": "make stop",
    }
    console.print()
    if unchanged:
        console.print("[bold]Nothing changed:[/] every file was processed before, and PostgreSQL has what it had.")
    console.print(f"Done in {seconds:.0f} s. To look at:")
    for what, how in looks.items():
        console.print(f"  {what:28}{how}", markup=False)


def _step(number: str, text: str) -> None:
    console.print(f"[bold]{number}[/] {text}")


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    main()
