"""`ondol tenant`: what tenants there are, and a first YAML for a new one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ondol.cli.output import AsJson, emit, say, table

if TYPE_CHECKING:
    from ondol.cli.guess import ItemGuess
    from ondol.config.loader import Loaded

app = typer.Typer(no_args_is_help=True, help="List the tenants, or write the YAML of a new one.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the tenants; a broken one with the first of its problems."""
    from ondol.config.loader import load_all
    from ondol.settings import settings

    folder = settings().tenants
    loaded = load_all(folder) if folder.is_dir() else []
    if as_json:
        emit([_about(entry) for entry in loaded])
    elif not loaded:
        say(f"there is no tenant in {folder}: 'ondol tenant new NAME --from FILE…' writes the first")
    else:
        rows = [
            (
                d["tenant"],
                d["name"],
                d["schedule"] or "when triggered",
                ", ".join(d["items"]),
                ", ".join(d["sync"]),
                d["error"],
            )
            for d in map(_about, loaded)
        ]
        table(["tenant", "name", "schedule", "items", "marts", "error"], rows)


def _about(entry: Loaded) -> dict[str, Any]:
    from ondol.config.loader import config_hash

    found = entry.tenant
    about: dict[str, Any] = {
        "tenant": entry.id,
        "file": str(entry.path),
        "error": str(entry.error or "").partition("\n")[0],
    }
    if found is None:
        return {**about, "name": "", "schedule": "", "items": [], "sync": [], "config": None}
    parts = {"items": [i.id for i in found.items], "sync": [s.table for s in found.sync]}
    return {**about, "name": found.name, "schedule": found.schedule, **parts, "config": config_hash(found)}


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The tenant's id: 2 to 40 of a-z, 0-9 and _, a letter first.")],
    sample: Annotated[
        list[Path], typer.Option("--from", exists=True, dir_okay=False, help="A sample file; may be repeated.")
    ],
    more: Annotated[
        list[Path] | None, typer.Argument(exists=True, dir_okay=False, help="More sample files.", show_default=False)
    ] = None,
    title: Annotated[str, typer.Option("--name", help="The customer's name, for people.", show_default="the id")] = "",
    as_json: AsJson = False,
) -> None:
    """Write tenants/NAME.yaml from sample files, to be edited; it passes 'ondol check' as it is. Overwrites nothing.

    Of each kind of file: a pattern for its name, the columns with canonical names, types and units, and for crosstabs
    such as 1월..12월 how they become rows.
    """
    from ondol.cli.draft import write_tenant
    from ondol.settings import settings

    draft = write_tenant(settings().tenants, name, title or name, [*sample, *(more or [])])
    if as_json:
        items = [{**_item(item), "sample": file, "rows": draft.rows[file]} for file, item in draft.items.items()]
        emit({"file": str(draft.path), "items": items, "unread": draft.unread})
        return
    for file, reason in draft.unread.items():
        say(f"{file}: left out: {reason}", err=True)
    rows = [
        (item.id, item.name.glob, ", ".join(item.names()), file, draft.rows[file]) for file, item in draft.items.items()
    ]
    table(["item", "files", "columns", "sample", "rows read of it"], rows)
    say(f"wrote {draft.path}: edit it, then run 'ondol check'")


def _item(item: ItemGuess) -> dict[str, object]:
    return {"id": item.id, "name": item.name.glob, "columns": item.names(), "notes": item.notes}
