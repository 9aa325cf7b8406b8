"""What archives and mails share: the sheets of every file in them, each with its path from the outermost file down.

A format gives its members (`Unpack`); this module opens each by its content, nested ones too. A file that cannot be
read costs itself only: it becomes a problem. All levels together have one budget.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from converters.document import Document
from converters.encoding import sniff
from converters.errors import Broken, ConverterError, Exhausted, OverLimit, failure_of
from converters.formats.meter import Budget
from converters.formats.registry import grids_of
from converters.grid import Grid
from converters.model import Problem
from converters.options import Options

TOLD = 100
"""So many files that cannot be read have a problem each; the others are counted."""

LISTED = 5
SHOWN = 80
JUNK = re.compile(r"(?:^|/)(?:__MACOSX/.*|\._[^/]*|~\$[^/]*|\.DS_Store|Thumbs\.db|desktop\.ini)$", re.I)
"""Files that systems and programs leave behind: resource forks, folder views, locks of an open workbook."""

IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"BM")
CARDS = (b"BEGIN:VCARD", b"BEGIN:VCALENDAR")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a container.

    Args:
        path: its name there, after the names of mails that lie between and are no files of their own.
        content: gives its bytes, or raises ConverterError.
        passed_over: why it is not looked at, if that takes nothing away ("a signature").
    """

    path: tuple[str, ...]
    content: Callable[[], bytes]
    passed_over: str = ""


Unpack = Callable[[Document, Options, Budget], Iterator[Member | Grid]]
"""The members of a container in the order of the file, and sheets that it holds itself: a mail's body.

The `container` of such a sheet is the path below the container, as that of a Member.
"""


def read(document: Document, options: Options, unpack: Unpack) -> Iterator[Grid]:
    """The sheets of all files in a container; what is missing or passed over is told by sheets without rows.

    Raises:
        OverLimit: nested too deeply.
        Exhausted: over the budget; only in a nested container, which the outermost one then ends with.
        Broken: as `unpack` raises.
    """
    path = document.container or (document.name,)
    _must_not_be_deep(path[:-1], options)
    budget = document.budget or Budget(document.name, document.size, options.limits)
    passed_over: dict[str, list[str]] = {}
    try:
        yield from _members(document, options, unpack, budget, passed_over)
    except Exhausted as error:
        if document.budget:
            raise
        yield _located(Grid("", container=path, problems=[error.problem()]))
    except ConverterError as error:
        if not budget.members and not budget.cells:
            raise
        yield _located(Grid("", container=path, problems=[error.problem()]))  # what came before the damage is read
    for reason, names in passed_over.items():
        yield _located(Grid("", container=path, notices=[_notice(reason, names)]))
    if not document.budget and budget.failures > TOLD:
        yield _located(Grid("", container=path, problems=[_untold(budget.failures - TOLD)]))


def _members(
    document: Document, options: Options, unpack: Unpack, budget: Budget, passed_over: dict[str, list[str]]
) -> Iterator[Grid]:
    path = document.container or (document.name,)
    taken: set[tuple[str, ...]] = set()
    for found in unpack(document, options, budget):
        if isinstance(found, Grid):
            found.container = path + found.container
            budget.grid(found)
            yield _located(found)
            continue
        budget.member()
        name = "/".join(found.path)
        if reason := found.passed_over or ("a file of the system" if JUNK.search(name) else ""):
            passed_over.setdefault(reason, []).append(name)
            continue
        inner = _told_apart(path + found.path, taken)
        yield from _sheets(found, Document(inner[-1], container=inner, budget=budget), options, passed_over)


def _sheets(member: Member, document: Document, options: Options, passed_over: dict[str, list[str]]) -> Iterator[Grid]:
    """The sheets of one member: all of its own or none, and the problem instead."""
    budget = document.budget
    assert budget is not None, "a member has the budget of its container"
    own: list[Grid] = []
    try:
        _must_not_be_deep(document.container[:-1], options)
        document = replace(document, data=member.content())
        if reason := _useless(document.head):
            passed_over.setdefault(reason, []).append(document.name)
            return
        for grid in grids_of(document, options):
            if grid.container != document.container:
                yield grid  # of a container inside of this one, which has counted and located it
                continue
            budget.grid(grid)
            own.append(_located(grid))
    except Exhausted:
        raise
    except Exception as error:
        budget.failures += 1
        problems = [failure_of(document.name, error).problem()] if budget.failures <= TOLD else []
        own = [_located(Grid("", container=document.container, problems=problems))]
    yield from own


def _must_not_be_deep(containers: Sequence[str], options: Options) -> None:
    allowed = options.limits.max_nesting
    if len(containers) > allowed:
        raise OverLimit(
            f"{' ▸ '.join(containers)}: more than {allowed} archives and mails inside of each other; "
            f"max_nesting allows {allowed}.",
            "Unpack it and send the files in it, or raise max_nesting.",
        )


def _told_apart(path: tuple[str, ...], taken: set[tuple[str, ...]]) -> tuple[str, ...]:
    """The path, with a number where an earlier file has the same."""
    free, number = path, 1
    while free in taken:
        number += 1
        free = (*path[:-1], f"{path[-1]} ({number})")
    taken.add(free)
    return free


def is_image(head: bytes) -> bool:
    """By the first bytes."""
    return head.startswith(IMAGES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def _useless(head: bytes) -> str:
    """What holds no table and often comes along, by its content."""
    if is_image(head):
        return "an image"
    return "a card or a calendar entry" if head.lstrip()[:15].upper().startswith(CARDS) else ""


def _located(grid: Grid) -> Grid:
    """The grid, with its problems and notices saying the file that they are about."""
    grid.problems = [_at(grid.container, problem) for problem in grid.problems]
    grid.notices = [_at(grid.container, notice) for notice in grid.notices]
    return grid


def _at(path: Sequence[str], problem: Problem) -> Problem:
    return replace(problem, where=" ▸ ".join([*path[1:], *filter(None, [problem.where])]) or path[0])


def _notice(reason: str, names: list[str]) -> Problem:
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    shown = ", ".join(name[-SHOWN:] for name in names[:LISTED]) + more
    if reason == "an image":
        remedy = "If there is a table in it, ask the sender for the file that it was made from."
        return Problem("unsupported_format", f"{shown}: not read, as it is an image.", remedy)
    return Problem("passed_over", f"{shown}: not read, as it is {reason}.", "Nothing to do: there is no table in it.")


def _untold(count: int) -> Problem:
    return Problem(
        "unreadable",
        f"{count:,} more files in it could not be read.",
        "See to the problems above: it is likely the same.",
    )


def decoded_names(names: Sequence[bytes]) -> list[str]:
    """The names of files whose encoding nothing states: UTF-8, or CP949 if that gives Hangul of everyday use."""
    everything = b"\n".join(names)
    codec = "cp949" if _is_korean(everything) else sniff(everything)
    return [name.decode(codec, "replace") for name in names]


def _is_korean(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            data.decode("euc_kr")
        except UnicodeDecodeError:
            return False
        return True
    return False


def clean(name: str) -> str:
    """A name for people: composed Hangul, slashes between folders, no control characters."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]", "_", unicodedata.normalize("NFC", name).replace("\\", "/"))


def must_be_inside(name: str) -> None:
    """Looks at a member's name as the archive has it.

    Raises:
        Broken: it leads out of the archive. It is never used as a path; but no honest program writes such a name.
    """
    if "\x00" in name or re.match(r"[/\\]|[A-Za-z]:", name) or ".." in re.split(r"[/\\]", name):
        raise Broken(
            f"{clean(name)}: a name that leads out of the archive.",
            "Treat the archive as hostile, unless its sender vouches for it and packs it anew.",
        )
