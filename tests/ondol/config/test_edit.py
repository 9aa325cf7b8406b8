from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from ondol.config.document import Document, parse, read
from ondol.config.edit import KINDS, find, put, remove
from ondol.settings import PROJECT

FILES = sorted((PROJECT / "tenants").glob("[!_]*.yaml"))
TEXT = """\
tenant: hanbit
sources:
- id: one          # first
  path: "a"
  # about two
- id: two
  path: b
  codes: {0012: A}
  list:
  - x   # kept
  - y
items: [{id: a, match: {name: "x"}}, {id: b, due: 1 day}]  # in one line
"""


def parsed(text: str) -> tuple[bytes, Document]:
    return text.encode(), parse(text.encode(), "hanbit.yaml")


def changed(text: str, kind: Any, name: str, **keys: Any) -> str:
    body, document = parsed(text)
    number = find(document, kind, name)
    value = {"id": name} if number is None else copy.deepcopy(document.data[kind][number])
    return put(body, document, kind, value | keys).decode()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_put_back_unchanged_leaves_every_byte(path: Path) -> None:
    body, document = path.read_bytes(), read(path)
    for kind in KINDS:
        for value in document.data[kind]:
            assert put(body, document, kind, value) == body


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_added_and_removed_again_leaves_every_byte(path: Path) -> None:
    body, document = path.read_bytes(), read(path)
    for kind in KINDS:
        more = put(body, document, kind, {**document.data[kind][0], "id": "fresh"})
        assert remove(more, parse(more, path.name), kind, "fresh") == body


def test_only_the_line_of_a_changed_key_changes() -> None:
    assert changed(TEXT, "sources", "two", path="c") == TEXT.replace("path: b", "path: c")
    assert changed(TEXT, "sources", "two", list=["x", "z"]) == TEXT.replace("- y", "- z")
    assert changed(TEXT, "sources", "one", path="c") == TEXT.replace('path: "a"', 'path: "c"')


def test_lists_in_one_line_stay_in_one_line() -> None:
    assert changed(TEXT, "items", "b", due="2 days") == TEXT.replace("1 day", "2 days")
    assert changed(TEXT, "items", "c", due="2 days") == TEXT.replace("1 day}]", "1 day}, {id: c, due: 2 days}]")
    body, document = parsed(TEXT)
    assert remove(body, document, "items", "a").decode() == TEXT.replace('{id: a, match: {name: "x"}}, ', "")
    assert remove(body, document, "items", "b").decode() == TEXT.replace(", {id: b, due: 1 day}", "")


def test_what_looks_like_another_type_is_quoted_and_comes_back_as_it_was() -> None:
    values = [True, None, 0, -3, 1.5, "true", "null", "~", "", "12", "1.5", "0012", "1e3", "yes", "- x", "a: b", "#c",
              "*월", "&x",
              "[x", "{x}", "%", "@", "`", "'", '"', " x ", "줄\n바꿈", "\t", "!x", "|", "한빛", "2026-01-05",
              "?", "? x", "-", "<<", "=", "\\d{4}"]  # fmt: skip
    body, document = parsed(TEXT)
    for kind in KINDS:
        value = {"id": "new", "values": values, "keys": {str(v): v for v in values}}
        made = parse(put(body, document, kind, value), "hanbit.yaml").data
        assert made[kind][-1] == value
        assert [type(v) for v in made[kind][-1]["values"]] == [type(v) for v in values]


def test_line_ends_marks_and_a_missing_last_newline_stay() -> None:
    windows = TEXT.replace("\n", "\r\n")
    assert changed(windows, "sources", "two", path="c") == windows.replace("path: b", "path: c")
    body = b"\xef\xbb\xbf" + TEXT.encode()
    value = {**parse(body, "x").data["sources"][1], "path": "c"}
    assert put(body, parse(body, "x"), "sources", value) == body.replace(b"path: b", b"path: c")
    short = "tenant: x\nsources:\n  - id: one\n    path: a"
    assert changed(short, "sources", "one", path="b") == short[:-1] + "b"
    assert changed(short, "sources", "two", path="b") == short + "\n  - id: two\n    path: b\n"


def test_a_comment_goes_with_the_entry_below_it() -> None:
    body, document = parsed(TEXT)
    assert remove(body, document, "sources", "one").decode() == TEXT.replace(
        '- id: one          # first\n  path: "a"\n', ""
    )
    assert "# about two" not in remove(body, document, "sources", "two").decode()


def test_a_list_in_brackets_over_several_lines_can_be_changed() -> None:
    text = "tenant: x\nsources: [\n  {id: one, path: a}, # first\n]\nitems: [{id: a}]\n"
    assert changed(text, "sources", "two", path="b") == text.replace("a},", "a}, {id: two, path: b},")
    assert changed(text, "sources", "one", path="b") == text.replace("path: a", "path: b")
