"""The texts outside of tables: what each is by itself, before it is known which table it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from converters.model import Decision, Range
from converters.tables.blocks import STAMP, Block
from converters.tables.forms import RANGE, are_pairs, is_form_key, is_form_row
from converters.tables.units import is_unit_note
from converters.tables.words import MARKER, is_key_value, is_note, is_page_number, is_sign_off, is_title_like

_BRACKETED = re.compile(r"(?:\[[^\[\]:：]+[:：][^\[\]]+\]\s*)+")
_IN_BRACKETS = re.compile(r"[(（][^()（）]*[)）]|\d.*")


@dataclass(frozen=True, slots=True)
class Line:
    """One text outside of all tables, and the columns it spans.

    Args:
        kind: what it is, in the words of model.KINDS; "" if it may be a title.
        sure: how sure that is, 0 to 1.
        because: what tells it.
    """

    row: int
    left: int
    right: int
    text: str
    kind: str = ""
    sure: float = 0.5
    because: str = "a text beside the table"

    @property
    def words(self) -> str:
        """The text without the marker before it: "■ 매출 현황" → "매출 현황"."""
        return MARKER.sub("", self.text) or self.text

    @property
    def is_wide(self) -> bool:
        """It is merged over three columns or more."""
        return self.right > self.left + 1


def lines_of(block: Block, rows: Iterable[int]) -> list[Line]:
    """The texts of some rows, left to right, one row after the other."""
    lines: list[Line] = []
    for row in rows:
        texts = block.texts(row)
        shown = [text for _, text in texts]
        in_form = is_form_row(shown) or are_pairs(shown)
        key: Line | None = None
        for column, text in texts:
            merge = block.merge(row, column)
            right = merge.right if merge else column
            if in_form and not key and lines and lines[-1].row == row and RANGE.fullmatch(text):
                lines[-1] = replace(lines[-1], right=right, text=f"{lines[-1].text} {text}")
                continue
            if key:
                words = f"{key.text.rstrip(':： ')}: {text}"
                lines[-1] = replace(key, right=right, text=words, kind="form", sure=0.9, because="a key and its value")
                key = None
                continue
            kind, sure, because = ("form", 0.9, "a key beside its value") if in_form else _kind(text)
            lines.append(Line(row, column, right, text, kind, sure, because))
            key = lines[-1] if text.endswith((":", "：")) or (in_form and is_form_key(text)) else None
    return lines


def _kind(text: str) -> tuple[str, float, str]:
    if is_unit_note(text):
        return "unit_note", 0.95, "it states a unit and nothing else"
    if is_page_number(text):
        return "page_number", 0.9, "the form of a page number"
    if is_sign_off(text):
        return "sign_off", 0.9, "a word of a sign-off box"
    if is_note(text):
        return "note", 0.9, "a mark or word that begins a note"
    if is_key_value(text) or _BRACKETED.fullmatch(text):
        return "form", 0.9, "a key, a colon and its value"
    if not any(map(str.isalpha, text)):
        return "note", 0.5, "no words"
    if (
        STAMP.search(text)
        and len(text) <= 30
        and not is_title_like(_IN_BRACKETS.sub("", text))
        and any(map(str.isdigit, text))
    ):
        return "note", 0.8, "the time at which something holds or was printed"
    return "", 0.5, "a text beside the table"


def with_signatures(lines: Sequence[Line]) -> list[Line]:
    """The lines, where a name right below a word of the sign-off box (팀장) is part of that box."""
    boxes = {(line.row, line.left) for line in lines if line.kind == "sign_off"}
    signed: list[Line] = []
    for line in lines:
        below = not line.kind and any((line.row - up, line.left) in boxes for up in (1, 2))
        named = replace(line, kind="sign_off", sure=0.7, because="below a word of a sign-off box") if below else line
        signed.append(named)
    return signed


def title_of(lines: Sequence[Line]) -> Line | None:
    """The nearest of the texts over a table that look like a title; if none does, the nearest that may be one."""
    possible = [line for line in lines if not line.kind]
    titles = [line for line in possible if line.is_wide or is_title_like(line.text)] or possible
    if not titles:
        return None
    nearest = max(line.row for line in titles)
    return next(line for line in titles if line.row == nearest)


def line_decision(line: Line, *, title: Line | None = None, below: bool = False) -> Decision:
    """What a line was found to be.

    Args:
        title: the title of the table that the line belongs to.
        below: the line stands below its table.
    """
    region = Range(line.row, line.left, line.row, line.right)
    if title is not None and line.words == title.words and not line.kind:
        return Decision("title", region, line.words, *_title_evidence(line))
    kind = "footnote" if below and line.kind in ("note", "") else line.kind or "note"
    return Decision(kind, region, line.text, line.sure, line.because)


def _title_evidence(line: Line) -> tuple[float, str]:
    if is_title_like(line.text):
        return 0.95 if line.is_wide else 0.9, "words that name a report" + " over the table" * line.is_wide
    return (0.8, "merged over the table") if line.is_wide else (0.6, "the nearest text over the table")
