"""`ondol db`: the embedded PostgreSQL of the `local` profile."""

from __future__ import annotations

import typer

from ondol.cli.output import AsJson, emit, fields, say

app = typer.Typer(no_args_is_help=True, help="Start, stop or look at the embedded PostgreSQL.")


@app.command()
def start(as_json: AsJson = False) -> None:
    """Start it and make its databases; says where it is if it runs already."""
    from ondol import embedded

    embedded.start()
    _status(as_json)


@app.command()
def stop(as_json: AsJson = False) -> None:
    """Stop it, letting open transactions end."""
    from ondol import embedded

    ran = embedded.stop()
    if as_json:
        emit({"stopped": ran})
    else:
        say("stopped" if ran else "it was not running")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say whether it runs, where its data is and how to connect. Exit code 1 if it does not run."""
    _status(as_json)


def _status(as_json: bool) -> None:
    from ondol import embedded
    from ondol.settings import settings

    running = embedded.running()
    state = {"running": running, "folder": str(settings().home / "pg")}
    uris = {name: embedded.uri(name) for name in embedded.DATABASES} if running else {}
    if as_json:
        emit({**state, "databases": uris})
    else:
        fields({**state, "running": "yes" if running else "no", **uris})
    if not running:
        raise typer.Exit(1)
