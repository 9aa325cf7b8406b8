"""`ondol env` and `ondol ui`: Airflow on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from ondol.cli.output import AsJson, emit, say
from ondol.errors import OndolError

Port = Annotated[int, typer.Option(min=1, max=65535, help="Of Airflow's UI, on 127.0.0.1.")]


def env(port: Port = 8080, as_json: AsJson = False) -> None:
    """Print the environment that Airflow's commands need.

    Makes Airflow's database and secrets where they are missing. In a shell:
    eval "$(ondol env)" && airflow dags test hanbit 2026-01-05
    """
    import shlex

    from ondol.operators.environment import prepare, variables

    try:
        prepare(port)
    except OndolError:
        if not as_json:
            say("false")  # so that eval "$(ondol env)" && airflow … stops here
        raise
    found = variables(port)
    if as_json:
        emit(found)
    else:
        say("\n".join(f"export {name}={shlex.quote(value)}" for name, value in sorted(found.items())))


def ui(port: Port = 8080) -> None:
    """Run Airflow with all tenants until Ctrl-C.

    Scheduler, API server, DAG processor and triggerer, on the embedded PostgreSQL; prints the address and the password.
    """
    from ondol.operators.ui import ui as run_ui

    run_ui(port, say=say)
