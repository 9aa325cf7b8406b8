"""What Airflow's share of a run costs: parsing the tenants' DAGs, and `airflow dags test` beside eight empty tasks.

    python tests/benchmarks/bench_airflow.py [--json]

Parsing is measured in processor seconds after imports, as the DAG processor and a worker do it. `dags test` of a sample
tenant runs on a home of its own; the time that its stages say they worked is taken off, the rest is compared.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ondol import embedded
from ondol.operators.environment import prepare
from ondol.settings import PROJECT

DAY = "2026-01-05"
EMPTY = """
from airflow.sdk import DAG, BaseOperator

class Nothing(BaseOperator):
    def execute(self, context):
        pass

with DAG("empty", schedule=None) as dag:
    before = None
    for number in range(8):
        task = Nothing(task_id=f"task_{number}")
        if before:
            before >> task
        before = task
"""
STAMP = re.compile(r"^(\S+Z) .*?\b(begins|ends) tenant=\S+ run=\S+ stage=", re.MULTILINE)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="ondol-", dir="/tmp"))
    os.environ["ONDOL_HOME"] = str(home)
    try:
        found = {**measure_runs(home), **measure_parsing(home)}
    finally:
        embedded.stop()
        shutil.rmtree(home, ignore_errors=True)
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        for name, figure in found.items():
            print(f"{name:<58} {figure:8.3f}")


def measure_runs(home: Path) -> dict[str, float]:
    """Seconds of `airflow dags test` for eight empty tasks and for a sample tenant, best of three."""
    from tests.samples import write_samples

    write_samples(home / "inbox")
    environment = prepare()
    (home / "dags").mkdir()
    (home / "dags/empty.py").write_text(EMPTY)
    bare = {**environment, "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags")}
    _dags_test("hanbit", environment)  # once, so that the day's files are processed and the marts are made
    empty, tenant = [], []
    for _ in range(3):  # in turn, so that a busy moment of the machine meets both
        empty.append(_dags_test("empty", bare)[0])
        whole, work = _dags_test("hanbit", environment)
        tenant.append(whole - work)
    return {
        "dags test of eight empty tasks (s)": min(empty),
        "dags test of hanbit, its stages' work taken off (s)": min(tenant),
        "ratio": min(tenant) / min(empty),
    }


def _dags_test(dag_id: str, environment: dict[str, str]) -> tuple[float, float]:
    """Wall-clock seconds, and those of them between a stage's `begins` and `ends`."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "airflow", "dags", "test", dag_id, DAY]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    stamps = [(dt.datetime.fromisoformat(at), what) for at, what in STAMP.findall(done.stdout + done.stderr)]
    work = sum((at if what == "ends" else -at for at, what in ((s.timestamp(), w) for s, w in stamps)), 0.0)
    return seconds, work


def measure_parsing(home: Path) -> dict[str, float]:
    """Seconds to build the DAGs of 200 and 1,000 tenants, and one worker's share of the 1,000."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ondol.operators.dag_factory import tenant_dags

    text = (PROJECT / "tenants/hanbit.yaml").read_text()
    found = {}
    for count in (200, 1000):
        folder = home / f"tenants{count}"
        folder.mkdir()
        for number in range(count):
            name = f"tenant_{number:04}"
            (folder / f"{name}.yaml").write_text(text.replace("tenant: hanbit", f"tenant: {name}"))
        found[f"parsing {count} tenants (s)"] = _least(partial(tenant_dags, folder))
    found["a worker's parse at 1000 tenants (s)"] = _least(partial(tenant_dags, folder, only="tenant_0500"))
    return found


def _least(work: Callable[[], object]) -> float:
    """Processor seconds, the best of five: what it takes on a machine that does nothing else."""
    seconds = []
    for _ in range(5):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return min(seconds)


if __name__ == "__main__":
    main()
