"""A YAML file as plain data that still knows its lines, read as if its writer were careless or hostile.

What people write is what they get: 0012 stays text, `no` and `on` are words, and dates stay text for the models.
Anchors with aliases, duplicate keys, tabs and deep nesting are errors that name the line.
"""

from __future__ import annotations

import re
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ondol.errors import ConfigError, Problem
from ondol.settings import PROJECT

MAX_BYTES = 1_000_000
MAX_LINE = 10_000
MAX_BRACKETS = 10_000


class _Loader(yaml.CSafeLoader):
    """libyaml, with the few plain words of YAML 1.2's core schema instead of YAML 1.1's surprises."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"^[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", "-+0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


@dataclass(frozen=True, slots=True)
class Document:
    """The content of one file: as data, and as nodes that know their lines."""

    file: str
    data: Any
    root: yaml.Node


def shown(path: Path) -> str:
    """The file as messages name it: relative to the project where it is inside, so that it is the same everywhere."""
    path = path.absolute()
    return path.relative_to(PROJECT).as_posix() if path.is_relative_to(PROJECT) else str(path)


def read(path: Path, body: bytes | None = None) -> Document:
    """Read and parse one file.

    Args:
        body: what it is about to hold, instead of what it holds.

    Raises:
        ConfigError: it cannot be read, is no YAML, or uses what is not allowed here; every place of it.
    """
    file = shown(path)
    return parse(_bytes(path, file) if body is None else body, file)


def parse(body: bytes, file: str) -> Document:
    """The content of a file; `file` is what messages call it. See `read`."""
    text = _text(body, file)
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise _error(
                file, 1, "the file is empty", allowed="the keys of a tenant; 'ondol tenant new' writes a first file"
            )
        if problems := list(_misuses(root, file)):
            raise ConfigError(problems=problems)
        return Document(file, loader.construct_document(root), root)
    except yaml.YAMLError as error:
        raise ConfigError(problems=[_broken(error, text, file)]) from None
    finally:
        loader.dispose()


def read_text(body: bytes) -> str:
    """The characters of a file, which its nodes' marks count."""
    return unicodedata.normalize("NFC", body.decode("utf-8-sig"))


def is_text(plain: str) -> bool:
    """Whether a word without quotes is read as itself, not as a number, a truth value or nothing."""
    resolvers = _Loader.yaml_implicit_resolvers.get(plain[:1], ())
    return not any(pattern.match(plain) for _, pattern in resolvers)


def _text(body: bytes, file: str) -> str:
    """The file's text in NFC, after the checks that keep a parser from harm."""
    if len(body) > MAX_BYTES:
        raise _error(file, 1, f"the file has {len(body):,} bytes", allowed=f"at most {MAX_BYTES:,}")
    try:
        text = read_text(body)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise _error(
            file, line, "the file is not UTF-8: save it as UTF-8 in the editor", got=repr(body[error.start :][:8])
        ) from None
    if len(longest := max(text.split("\n"), key=len)) > MAX_LINE:
        line = text[: text.index(longest)].count("\n") + 1
        raise _error(file, line, f"the line has {len(longest):,} characters", allowed=f"at most {MAX_LINE:,}")
    if (brackets := text.count("[") + text.count("{")) > MAX_BRACKETS:
        raise _error(
            file, 1, f"the file has {brackets:,} brackets", allowed=f"at most {MAX_BRACKETS:,}; write block style"
        )
    return text


def _bytes(path: Path, file: str) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _error(file, 1, "this is no regular file")
        if not path.resolve().is_relative_to(path.parent.resolve()):
            raise _error(file, 1, "this is a symbolic link that leads out of its folder: put the file itself here")
        if status.st_size > MAX_BYTES:
            raise _error(file, 1, f"the file has {status.st_size:,} bytes", allowed=f"at most {MAX_BYTES:,}")
        return path.read_bytes()
    except (OSError, RuntimeError) as error:
        raise _error(file, 1, f"the file cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _misuses(root: yaml.Node, file: str) -> Iterator[Problem]:
    """Aliases and duplicate keys, in the order of the file."""
    seen, stack, found = {id(root)}, [root], []
    while stack:
        node = stack.pop()
        if isinstance(node, yaml.MappingNode):
            keys: dict[str, int] = {}
            for key in (k for k, _ in node.value if isinstance(k, yaml.ScalarNode)):
                name = str(key.value)
                if name in keys:
                    found.append(_duplicate(key, keys[name], file))
                keys[name] = line_of(key)
        for child in children(node):
            if id(child) in seen:
                found.append(
                    Problem(
                        file,
                        line_of(child),
                        "",
                        "a YAML alias (*name) repeats what is defined here",
                        allowed="each value written out where it belongs",
                    )
                )
            else:
                seen.add(id(child))
                stack.append(child)
    yield from sorted(found, key=lambda p: p.line)


def _duplicate(key: yaml.Node, first: int, file: str) -> Problem:
    name = str(key.value)
    return Problem(file, line_of(key), name, f"the key {name!r} is in line {first} already: keep one of them", got=name)


def children(node: yaml.Node) -> list[yaml.Node]:
    """The nodes right below a node."""
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def line_of(node: yaml.Node) -> int:
    """The 1-based line that a node begins in."""
    return int(node.start_mark.line) + 1


def _broken(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """Libyaml's complaint, in the words of someone who edits YAML twice a year."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 1
    what = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    there = (text.split("\n")[line - 1 :] or [""])[0]
    if isinstance(error, yaml.reader.ReaderError) or "control characters" in what:
        place = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
        line = text[: place.start()].count("\n") + 1 if place else line
        return Problem(
            file,
            line,
            "",
            "the line has a control character that YAML does not allow: delete it",
            got=repr(place[0]) if place else None,
        )
    if "\t" in there[: len(there) - len(there.lstrip())]:
        return Problem(file, line, "", "the line is indented with a tab: use spaces", got=there.strip()[:80])
    advice = next((a for sign, a in _ADVICE if sign in what), "")
    return Problem(file, line, "", f"this is no valid YAML: {what}{advice}", got=there.strip()[:80])


_ADVICE = (
    ("alias", ": put a text that begins with * or & in quotes, as in '*월'"),
    ("anchor", ": put a text that begins with * or & in quotes, as in '*월'"),
    (
        "mapping values are not allowed",
        ": indent the key like its neighbours, and put a text that has ': ' in it in quotes",
    ),
    ("could not find expected ':'", ": a key needs a colon and a space after it"),
    ("did not find expected key", ": indent the key like its neighbours"),
    ("cannot start any token", ": put a text that begins with %, @ or ` in quotes"),
    ("found another document", ": keep one document (one '---') in a file"),
    ("could not determine a constructor", ": remove the tag that begins with '!'"),
)


def _error(file: str, line: int, message: str, *, got: str | None = None, allowed: str | None = None) -> ConfigError:
    return ConfigError(problems=[Problem(file, line, "", message, got=got, allowed=allowed)])
