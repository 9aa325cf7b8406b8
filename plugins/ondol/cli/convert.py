"""`ondol convert`: what the converter reads in a file, on the screen, as facts, or as files of other formats."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ondol.cli.output import AsJson, clean, console, emit, say
from ondol.errors import FatalError

if TYPE_CHECKING:
    from rich.text import Text

    from converters.model import Column, Conversion, Table

FORMATS = ("parquet", "csv", "json")


def convert(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Any file: what counts is its content.")],
    facts: Annotated[
        bool, typer.Option("--facts", help="Print every cell of every table as one JSON object a line.")
    ] = False,
    to: Annotated[
        str, typer.Option(metavar="|".join(FORMATS), help="Write each table as a file.", show_default=False)
    ] = "",
    out: Annotated[Path, typer.Option(file_okay=False, help="The folder for --to; made if need be.")] = Path(),
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Show the sheets coloured by what each cell is, and why."),
    ] = False,
    html: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the explanation as a page to open in a browser.")
    ] = None,
    ask_password: Annotated[
        bool, typer.Option("--ask-password", help="Ask for a protected file's password, or read it from stdin.")
    ] = False,
    rows: Annotated[int, typer.Option(min=0, help="Show at most so many rows of a table; 0 for all.")] = 40,
    as_json: AsJson = False,
) -> None:
    """Show what the converter reads in a file.

    Of each table: title, header paths, units, subtotals (Σ) and addresses.

    Exit code 1 if the file gives no table, with the reason and what to do about it.
    """
    if to and to not in FORMATS:
        raise typer.BadParameter(f"{to!r} is no format; there are {', '.join(FORMATS)}", param_hint="--to")
    if facts + as_json + explain + bool(to) > 1 and not (as_json and to):
        raise typer.BadParameter("give one of --facts, --json, --explain and --to", param_hint="--facts")
    conversion = _read(file, explain=explain or html is not None, ask_password=ask_password)
    if facts:
        _facts(conversion)
    elif to:
        _export(conversion, to, out, as_json=as_json)
    elif as_json:
        from converters.export import document

        emit(document(conversion))
    elif explain:
        from ondol.cli.explain import show

        show(conversion, rows)
    elif html is None:
        _show_all(conversion, rows)
    if html is not None:
        _write_page(conversion, html)
    _tell(conversion, quiet=as_json)
    raise typer.Exit(0 if conversion.state in ("ok", "partial") and conversion.tables else 1)


def _export(conversion: Conversion, to: str, out: Path, *, as_json: bool) -> None:
    from converters.export import export

    try:
        written = [str(path) for path in export(conversion, to, out)]
    except FileExistsError as there:
        raise FatalError(f"{there} is there already: remove it, or give another folder with --out") from None
    if as_json:
        emit({"state": conversion.state, "files": written})
    else:
        say("\n".join(written))


def _write_page(conversion: Conversion, path: Path) -> None:
    from converters.explain import page

    path.write_text(page(conversion), "utf-8")
    say(f"{path}: open it in a browser", err=True)


def _read(file: Path, *, explain: bool, ask_password: bool) -> Conversion:
    from converters.options import Options
    from converters.sandbox import convert_safely

    passwords = (_password(),) if ask_password else ()
    return convert_safely(file, options=Options(passwords=passwords, explain=explain))


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = typer.prompt("Password", hide_input=True, err=True)
    return asked


def _facts(conversion: Conversion) -> None:
    from converters.facts import fact_lines

    sys.stdout.writelines(f"{line}\n" for line in fact_lines(conversion))


def _tell(conversion: Conversion, *, quiet: bool) -> None:
    """The state and the problems, on stderr: stdout is for the tables."""
    for problem in [*conversion.problems, *conversion.notices]:
        where = f" ({problem.where})" if problem.where else ""
        say(f"{problem.message}{where} → {problem.remedy}", err=True)
    if conversion.state == "needs_password":
        say("To look at it here, give its password: --ask-password", err=True)
    if not quiet:
        tables = f"{len(conversion.tables)} table{'s' * (len(conversion.tables) != 1)}"
        say(f"{conversion.name}: {conversion.format or 'unknown format'}, {conversion.state}, {tables}", err=True)


def _show_all(conversion: Conversion, limit: int) -> None:
    for table in conversion.tables:
        _show(table, limit)


def _show(table: Table, limit: int) -> None:
    from rich import box
    from rich.table import Table as Shown
    from rich.text import Text

    from converters.export import area
    from converters.model import letters

    place = " ▸ ".join([*table.container, table.sheet])
    say(f"{place} ▸ {table.title or f'table {table.index + 1}'}  {area(table)}", style="bold")
    for note in table.notes:
        say(note, style="dim")
    shown = Shown(box=box.SIMPLE_HEAD, header_style="")
    shown.add_column("", justify="right", style="dim")
    heads = [_header(column) for column in table.columns]
    deepest = max((head.count("\n") for head in heads), default=0)
    for column, text in zip(table.columns, heads, strict=True):
        letter = "" if column.derived else letters(column.index)
        head = Text(letter + "\n" * (deepest - text.count("\n") + 1), style="dim").append(text, style="bold not dim")
        shown.add_column(head, justify="right" if column.type == "number" else "left", overflow="fold")
    count = len(table.rows)
    for position in range(min(count, limit or count)):
        total = table.row_subtotal[position]
        cells = [_cell(table, column, position) for column in table.columns]
        number = table.place(table.rows[position])[1] + 1
        shown.add_row(f"{'Σ ' * total}{number}", *cells, style="italic cyan" if total else None)
    console().print(shown)
    if limit and count > limit:
        say(f"… {count - limit:,} more rows: --rows 0 shows all", style="dim")


def _header(column: Column) -> str:
    lines = [clean(text).replace("\n", " ") for text in column.path]
    if column.unit and not any(column.unit in line for line in lines):
        lines.append(f"({clean(column.unit)})")
    return "\n".join(lines) + " Σ" * column.subtotal


def _cell(table: Table, column: Column, position: int) -> Text:
    from decimal import Decimal

    from rich.text import Text

    place, value = (table.rows[position], column.index), column.values[position]
    if value is None and not column.derived:
        if error := table.errors.get(place):
            return Text(clean(error), style="red")
        return Text(clean(table.captions.get(place) or table.nulls.get(place)), style="dim")
    text = clean(value)
    if isinstance(value, int | float | Decimal) and not -10_000 < value < 10_000:  # 2026 stays a year
        text = f"{value:,}"
    if unit := table.cell_units.get(place):
        text += f" {clean(unit)}"
    return Text(text, style="bold" if column.role == "label" else "")
