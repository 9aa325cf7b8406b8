"""`ondol run`: the stages of one tenant and date, without Airflow's start-up."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from ondol.cli.output import AsJson, TenantId, console, emit, table

if TYPE_CHECKING:
    from ondol.manifest import Stage
    from ondol.pipeline import RunResult


def run(
    tenant: TenantId,
    date: Annotated[dt.datetime, typer.Argument(formats=["%Y-%m-%d"], help="The day that the files arrived.")],
    first: Annotated[str, typer.Option("--from", help="The first stage.", metavar="STAGE")] = "crawl",
    last: Annotated[str, typer.Option("--to", help="The last stage.", metavar="STAGE")] = "sync",
    force: Annotated[
        bool, typer.Option("--force", help="Process files again though nothing about them changed.")
    ] = False,
    item: Annotated[
        list[str] | None, typer.Option(help="Only files of this item; may be repeated.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run one tenant's stages for the files of one day.

    The stages are crawl, map, filter, convert, tag, load, transform and sync.

    Running a day again changes nothing unless its files or rules changed. What a stage refuses goes to quarantine and
    does not fail the run.
    """
    from dataclasses import asdict

    from ondol.pipeline import run as run_pipeline
    from ondol.stages.context import Params

    begin, end = _stage(first, "--from"), _stage(last, "--to")
    params = Params(force=force, items=known_items(tenant, item or []))
    with console(err=True).status("") as status:  # a spinner where somebody watches, nothing elsewhere
        result = run_pipeline(
            tenant,
            date.date(),
            first=begin,
            last=end,
            params=params,
            progress=lambda stage, _: status.update(f"{stage} …"),
        )
    if as_json:
        emit(asdict(result))
    else:
        _show(result)


def _stage(name: str, option: str) -> Stage:
    from ondol.config.names import nearest
    from ondol.manifest import STAGES

    for stage in STAGES:
        if stage == name:
            return stage
    near = nearest(name, STAGES)
    hint = f" Did you mean {near!r}?" if near else ""
    raise typer.BadParameter(f"{name!r} is no stage; there are {', '.join(STAGES)}.{hint}", param_hint=option)


def known_items(tenant: str, wanted: list[str]) -> tuple[str, ...]:
    """The items asked for; a wrong one is a mistake on the command line, not an empty run."""
    if not wanted:
        return ()
    from ondol.config.loader import find_tenant
    from ondol.config.names import nearest
    from ondol.settings import settings

    there = [i.id for i in find_tenant(settings().tenants, tenant).items]
    for name in wanted:
        if name not in there:
            near = nearest(name, there)
            hint = f" Did you mean {near!r}?" if near else ""
            raise typer.BadParameter(
                f"{name!r} is no item of {tenant}; there are {', '.join(there)}.{hint}", param_hint="--item"
            )
    return tuple(wanted)


def _show(result: RunResult) -> None:
    rows = [
        (stage, _counts(counts), f"{result.seconds.get(stage, 0):.2f} s") for stage, counts in result.counts.items()
    ]
    table(["stage", "what it did", "time"], rows, title=result.run_key, right=["time"])
    if marts := sorted((name, fate) for name, fate in result.marts.items() if fate != "done"):  # assertions that held
        table(["mart", "what became of it"], marts)
    if result.quarantined:
        held = [(e["id"], e["stage"], e["name"], f"{e['reason']}\n→ {e['remedy']}") for e in result.quarantined]
        table(["number", "stage", "file", "why, and what to do"], held, title="In quarantine", right=["number"])


def _counts(counts: dict[str, int]) -> str:
    return (
        ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count) or "nothing to do"
    )
