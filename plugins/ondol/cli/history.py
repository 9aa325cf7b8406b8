"""`ondol history`: what happened to a tenant's files, stage by stage."""

from __future__ import annotations

from typing import Annotated

import typer

from ondol.cli.output import AsJson, TenantId, emit, say, table


def history(
    tenant: TenantId,
    file: Annotated[str | None, typer.Option(help="Only files whose name has this in it.", show_default=False)] = None,
    sha: Annotated[str | None, typer.Option(help="Only content whose SHA-256 begins so.", show_default=False)] = None,
    run: Annotated[
        str | None, typer.Option(help="Only the run of this day, as 2026-01-05.", show_default=False)
    ] = None,
    stage: Annotated[str | None, typer.Option(help="Only this stage.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many events, the newest.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what happened to a tenant's files.

    Each decision of each stage, with its reason, from the ledger; the newest last.
    """
    from ondol.cli.ledger import open_ledger

    key = f"{tenant}@{run}" if run and "@" not in run else run
    with open_ledger(tenant) as ledger:
        found = ledger.history(
            name=file, sha256=sha.lower() if sha else None, run_key=key, stage=stage, limit=limit + 1
        )
    events = found[-limit:]
    if len(found) > limit:
        say(
            f"only the newest {limit}; there are more: --limit N, or narrow it by --file, --sha, --run, --stage",
            err=True,
        )
    if as_json:
        emit(events)
    elif not events:
        say("the ledger has no such event")
    else:
        rows = [
            (f"{e['at'].astimezone():%Y-%m-%d %H:%M:%S}",
             str(e["run_key"]).partition("@")[2], e["stage"], e["decision"], e["name"],
             e["sha256"][:8], e["item"], _period(e["period_start"], e["period_end"]), e["reason"])
            for e in events
        ]  # fmt: skip
        table(["at", "run", "stage", "decision", "file", "sha256", "item", "period", "why"], rows)


def _period(start: object, end: object) -> str:
    return "" if start is None else str(start) if start == end else f"{start}..{end}"
