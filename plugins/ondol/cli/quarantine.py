"""`ondol quarantine`: what stages refused, why, and the way out."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from ondol.cli.output import AsJson, TenantId, emit, fields, say, table

app = typer.Typer(no_args_is_help=True, help="List, show, release or drop what a stage refused.")
Number = Annotated[int, typer.Argument(help="The number that 'ondol quarantine list' shows.", show_default=False)]
Note = Annotated[str, typer.Option(help="Why, for the history.", show_default=False)]


@app.command("list")
def list_(
    tenant: TenantId,
    everything: Annotated[bool, typer.Option("--all", help="Also what was released, passed or dropped.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what is in quarantine, oldest first."""
    from ondol.cli.ledger import open_ledger

    with open_ledger(tenant) as ledger:
        entries = ledger.quarantine.entries(None if everything else "held")
    if as_json:
        emit(entries)
    elif not entries:
        say("nothing is in quarantine")
    else:
        rows = [
            (e["id"], f"{e['at'].astimezone():%Y-%m-%d %H:%M}", e["stage"], e["state"], e["name"], e["sha256"][:8],
             f"{e['reason']}\n→ {e['remedy']}")
            for e in entries
        ]  # fmt: skip
        table(["number", "since", "stage", "state", "file", "sha256", "why, and what to do"], rows, right=["number"])


@app.command()
def show(tenant: TenantId, number: Number, as_json: AsJson = False) -> None:
    """Show one entry with all of its evidence."""
    from ondol.cli.ledger import open_ledger

    with open_ledger(tenant) as ledger:
        _show(ledger.quarantine.show(number), as_json)


@app.command()
def release(
    tenant: TenantId,
    number: Number,
    accept: Annotated[
        bool, typer.Option("--accept", help="Load it in spite of the broken contract, or of lost rows.")
    ] = False,
    item: Annotated[str, typer.Option(help="Take it as this item, whatever its name says.", show_default=False)] = "",
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """Let the next run take the file up again: after its rules were mended, or as it is with --accept."""
    from ondol.cli.ledger import open_ledger
    from ondol.cli.run import known_items

    (as_item,) = known_items(tenant, [item]) if item else ("",)
    with open_ledger(tenant) as ledger:
        _show(ledger.quarantine.release(number, accept=accept, item=as_item, note=note), as_json)


@app.command()
def drop(tenant: TenantId, number: Number, note: Note = "", as_json: AsJson = False) -> None:
    """Never process this content under this name and these rules."""
    from ondol.cli.ledger import open_ledger

    with open_ledger(tenant) as ledger:
        _show(ledger.quarantine.drop(number, note=note), as_json)


def _show(entry: dict[str, Any], as_json: bool) -> None:
    if as_json:
        emit(entry)
        return
    evidence = json.dumps(entry["evidence"], ensure_ascii=False, indent=2) if entry["evidence"] else ""
    names = ("id", "state", "stage", "name", "sha256", "run_key", "at", "reason", "remedy", "note")
    fields(
        {**{n: entry[n] for n in names if entry[n] not in (None, "")}, **({"evidence": evidence} if evidence else {})}
    )
