"""What commands print: with --json one JSON document on stdout, else tables for people; all the rest on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from converters.export import plain

if TYPE_CHECKING:
    from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
TenantId = Annotated[
    str, typer.Argument(help="The tenant's id: the name of its file without .yaml.", show_default=False)
]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def emit(document: object) -> None:
    """Print one JSON document on stdout; dates and the like become text."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=plain) + "\n")


def clean(value: object) -> str:
    """A value as one may print it: control characters of a hostile file never reach the terminal."""
    text = f"{value.normalize():f}" if isinstance(value, Decimal) else "" if value is None else str(value)
    return _CONTROL.sub("�", text.replace("\r\n", "\n"))


def console(*, err: bool = False) -> Console:
    """A console that takes texts as they are (no markup), and never folds them where a program reads."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else 1000
    return Console(file=stream, markup=False, highlight=False, emoji=False, soft_wrap=False, width=width)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", right: Iterable[str] = ()
) -> None:
    """Print a table; numbers of the columns named in `right` stand at the right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=Text(clean(title), style="bold") if title else None, box=box.SIMPLE_HEAD, title_justify="left")
    for name in columns:
        shown.add_column(Text(name), justify="right" if name in set(right) else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(value if isinstance(value, Text) else Text(clean(value)) for value in row))
    console().print(shown)


def say(text: str, *, style: str = "", err: bool = False) -> None:
    """Print one text, never cut or wrapped."""
    console(err=err).print(clean(text), style=style or None, soft_wrap=True)


def fields(values: Mapping[str, Any]) -> None:
    """Print names and values below each other, aligned."""
    width = max(map(len, values), default=0)
    for name, value in values.items():
        lines = clean(value).split("\n")
        say(f"{name:<{width}}  " + f"\n{'':<{width}}  ".join(lines))
