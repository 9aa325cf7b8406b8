"""`ondol source`: the places that a tenant's files come from."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from ondol.cli.output import AsJson, TenantId, emit, say, table

app = typer.Typer(no_args_is_help=True, help="The places that a tenant's files come from.")


@app.callback()
def source() -> None:
    """Keep `try` a sub-command though it is alone."""


@app.command("try")
def try_(
    tenant: TenantId,
    source: Annotated[str, typer.Argument(help="The source's id in the tenant's YAML.", show_default=False)],
    date: Annotated[
        dt.datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="The day of the run that it is asked for; today without it."),
    ] = None,
    show: Annotated[int, typer.Option("--show", min=0, help="How many of the new files to list.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show what a source would give now, and change nothing.

    Exit code 1 if it is down or does not let us in; the message says what to check or to change.
    """
    from dataclasses import asdict

    from ondol.pipeline import try_source

    trial = try_source(tenant, source, date.date() if date else None, show=show)
    if as_json:
        emit(asdict(trial))
    elif trial.message:
        say(trial.message, style="red", err=True)
    else:
        rows = [
            (f.location, "" if f.size is None else f"{f.size:,}", f"{f.arrived:%Y-%m-%d %H:%M}") for f in trial.found
        ]
        if rows:
            table(["new file", "bytes", "arrived"], rows, right=["bytes"])
        say(f"{trial.new:,} new, {trial.known:,} collected already")
    if trial.outcome in ("down", "not_allowed"):
        raise typer.Exit(1)
