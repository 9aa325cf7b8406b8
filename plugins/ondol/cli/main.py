"""The `ondol` command. Each command's module imports what it needs only when it runs, so that --help answers at once.

Exit codes: 0 done; 1 it failed, with the reason; 2 the command line is wrong.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer

from ondol.cli import (
    check,
    convert,
    db,
    environment,
    history,
    quarantine,
    run,
    serve,
    source,
    sync,
    tenant,
    trace,
    version,
)  # fmt: skip
from ondol.errors import ConfigError, OndolError

app = typer.Typer(
    name="ondol",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: importing rich would double the time to --help
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Turn the files that businesses send into typed rows in PostgreSQL, each figure traceable to its cell.\n\n"
    "A first day: ondol tenant new hanbit --from 매출일보_20260105.xlsx, then ondol check, then "
    "ondol run hanbit 2026-01-05, then ondol history hanbit.",
)


@app.callback()
def options(
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Logs on stderr; -vv for more.")] = 0,
) -> None:
    """Options of every command."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname).1s %(name)s: %(message)s")


app.command("check")(check.check)
app.add_typer(tenant.app, name="tenant")
app.command("convert")(convert.convert)
app.command("run")(run.run)
app.command("sync")(sync.sync)
app.add_typer(source.app, name="source")
app.command("history")(history.history)
app.add_typer(quarantine.app, name="quarantine")
app.command("trace")(trace.trace)
app.add_typer(db.app, name="db")
app.command("env")(environment.env)
app.command("ui")(environment.ui)
app.command("serve")(serve.serve)
app.command("version")(version.version)


def main() -> None:
    """Run the command line; an error of Ondol's own is its message alone."""
    try:
        app()
    except OndolError as error:
        _fail(error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader (head, less) has gone: no complaint
        sys.exit(1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _fail(OndolError(f"{place}{error.strerror or error}. Nothing is half done: mend it and run the same again."))


def _fail(error: OndolError) -> None:
    from dataclasses import asdict

    from ondol.cli.output import clean, emit

    if "--json" in sys.argv[1:]:
        problems = [asdict(p) for p in error.problems] if isinstance(error, ConfigError) else []
        emit({"error": str(error), "kind": type(error).__name__, "problems": problems})
    sys.stderr.write(clean(f"{error}\n"))
    sys.exit(1)


if __name__ == "__main__":
    main()
