"""Changes to one source or item in a tenant's YAML. All that is outside of it stays as it is, to the byte.

The entry is cut out of the file, changed where it differs, and put back; so its comments and the order of its keys stay
as well. Nothing is written here: each function gives the file's new content.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, ClassVar, Literal

import yaml

from ondol.config.document import Document, is_text, line_of, parse, read_text
from ondol.errors import ConfigError, Problem

Kind = Literal["sources", "items"]
KINDS: tuple[Kind, ...] = ("sources", "items")
_LINE = re.compile(r"[^\n\r\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029])|[^\n\r\x85\u2028\u2029]+$")
_FLOW_CHARACTERS = 80
"""A new group of plain values stands in one line, { }, if it is no longer than this."""


def find(document: Document, kind: Kind, name: str) -> int | None:
    """The place of the source or item of that id in its list; None if there is none."""
    return next((n for n, entry in enumerate(document.data[kind]) if entry["id"] == name), None)


def put(body: bytes, document: Document, kind: Kind, value: Mapping[str, Any]) -> bytes:
    """The file with this source or item in the place of the one of its id, or behind all others if there is none.

    Args:
        body / document: the file as it is; it must be right.
        value: with its id, made of dicts, lists, texts, numbers, booleans and None.

    Raises:
        ConfigError: the list is written in a way that this cannot change.
    """
    number = find(document, kind, value["id"])
    entries = list(document.data[kind])
    if number is None:
        entries.append(value)
    else:
        entries[number] = value
    sequence, text = _sequence(document, kind), read_text(body)
    if sequence.flow_style:
        changed = _put_in_flow(text, sequence, number, document.data[kind], value)
    else:
        changed = _put_in_block(text, sequence, number, document.data[kind], value)
    return _checked(body, changed, document, kind, entries)


def remove(body: bytes, document: Document, kind: Kind, name: str) -> bytes:
    """The file without that source or item, and without the comment right above it; it must not be the only one.

    Raises:
        ConfigError: the list is written in a way that this cannot change.
    """
    number = find(document, kind, name)
    assert number is not None
    entries = [entry for entry in document.data[kind] if entry["id"] != name]
    sequence, text = _sequence(document, kind), read_text(body)
    if sequence.flow_style:
        nodes = sequence.value
        begin = nodes[number - 1].end_mark.index if number else nodes[0].start_mark.index
        end = nodes[number].end_mark.index if number or len(nodes) == 1 else nodes[1].start_mark.index
        changed = text[:begin] + text[end:]
    else:
        changed = _remove_from_block(text, sequence, number)
    return _checked(body, changed, document, kind, entries)


def _checked(body: bytes, text: str, document: Document, kind: Kind, entries: list[Any]) -> bytes:
    """The new content, proved to say what was meant: a change that this module cannot write is never half written."""
    bom = b"\xef\xbb\xbf" if body.startswith(b"\xef\xbb\xbf") else b""
    changed = bom + text.encode()
    if not same(parse(changed, document.file).data, {**document.data, kind: entries}):
        message = f"'{kind}' is written in a way that no program can change: begin each entry with '- ' in its own line"
        raise ConfigError(problems=[Problem(document.file, line_of(_sequence(document, kind)), kind, message)])
    return changed


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, also in type: 1, 1.0 and true are three."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def _sequence(document: Document, kind: Kind) -> yaml.SequenceNode:
    assert isinstance(document.root, yaml.MappingNode)
    return next(value for key, value in document.root.value if key.value == kind)  # type: ignore[no-any-return]


def _put_in_flow(
    text: str, sequence: yaml.SequenceNode, number: int | None, old: list[Any], value: Mapping[str, Any]
) -> str:
    from ruamel.yaml.comments import CommentedSeq

    if number is None:
        end = sequence.value[-1].end_mark.index
        node = CommentedSeq([_made(value, flow=True)])
        node.fa.set_flow_style()
        return text[:end] + ", " + _in_line(node) + text[end:]
    begin, end = sequence.value[number].start_mark.index, sequence.value[number].end_mark.index
    node = _loaded("[" + text[begin:end] + "]")
    _assign(node, [old[number]], [value])
    return text[:begin] + _in_line(node) + text[end:]


def _in_line(node: Any) -> str:
    """The entries of a list without its brackets."""
    out = io.StringIO()
    _yaml(0).dump(node, out)
    return out.getvalue().strip()[1:-1]


def _put_in_block(
    text: str, sequence: yaml.SequenceNode, number: int | None, old: list[Any], value: Mapping[str, Any]
) -> str:
    lines = _LINE.findall(text)
    newline = "\r\n" if lines[0].endswith("\r\n") else "\n"
    first, last = _span(lines, sequence, len(sequence.value) - 1 if number is None else number)
    column = len(lines[first]) - len(lines[first].lstrip(" "))
    if number is None:
        apart = len(sequence.value) > 1 and not lines[_comments_above(lines, first) - 1].strip()
        if not lines[last - 1].endswith("\n"):
            lines[last - 1] += newline
        made = ([newline] if apart else []) + _indented(_dumped([_made(value)], 2), column, newline)
        return "".join([*lines[:last], *made, *lines[last:]])
    cut = [line.rstrip("\r\n") for line in lines[first:last]]
    cut = [line[column:] if not line[:column].strip() else line for line in cut]
    offset = _sequence_offset(cut)
    node = _loaded("_:\n" + "".join(f"{' ' * offset}{line}\n" for line in cut))["_"]
    _assign(node, [old[number]], [value])
    made = _indented(_dumped(node, offset), column, newline)
    if not lines[last - 1].endswith(("\n", "\r")):
        made[-1] = made[-1].rstrip("\r\n")
    return "".join([*lines[:first], *made, *lines[last:]])


def _remove_from_block(text: str, sequence: yaml.SequenceNode, number: int) -> str:
    lines = _LINE.findall(text)
    first, last = _span(lines, sequence, number)
    first = _comments_above(lines, first)
    if number + 1 < len(sequence.value):
        last = _comments_above(lines, _span(lines, sequence, number + 1)[0])
    else:
        while not lines[first - 1].strip():
            first -= 1
    return "".join([*lines[:first], *lines[last:]])


def _span(lines: list[str], sequence: yaml.SequenceNode, number: int) -> tuple[int, int]:
    """The lines of an entry, from its dash to behind its last value."""
    node = sequence.value[number]
    first = int(node.start_mark.line)
    while not lines[first].lstrip(" ").startswith("-"):
        first -= 1
    last = _last_line(node) + 1
    while last > first + 1 and not lines[last - 1].strip():
        last -= 1
    return first, last


def _last_line(node: yaml.Node) -> int:
    """The line of the last value below a node; where a block ends, libyaml says only where the next thing begins."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        if isinstance(node, yaml.MappingNode):
            key, value = node.value[-1]
            return max(_last_line(key), _last_line(value))
        return _last_line(node.value[-1])
    end = node.end_mark
    return int(end.line - 1 if end.column == 0 and end.line > node.start_mark.line else end.line)


def _comments_above(lines: list[str], line: int) -> int:
    while lines[line - 1].lstrip().startswith("#"):
        line -= 1
    return line


def _indented(text: str, column: int, newline: str) -> list[str]:
    return [(" " * column + line if line else "") + newline for line in text.rstrip("\n").split("\n")]


def _sequence_offset(lines: list[str]) -> int:
    """How far the entry's own lists are indented below their key: 0 or 2."""
    for above, line in pairwise(lines):
        dash, key = line.lstrip(" "), above.lstrip(" -")
        if dash.startswith("- ") and above.rstrip().endswith(":"):
            return 2 if len(line) - len(dash) > len(above.rstrip("\r\n")) - len(key.rstrip("\r\n")) else 0
    return 2


def _yaml(offset: int) -> Any:
    """The reader and writer that keeps comments; to it every plain scalar is a text, so it changes none."""
    from ruamel.yaml import YAML
    from ruamel.yaml.resolver import VersionedResolver

    class Plain(VersionedResolver):
        versioned_resolver: ClassVar[dict[str, Any]] = {}

    rt = YAML()
    rt.preserve_quotes = True
    rt.width = 1 << 20
    rt.indent(mapping=2, sequence=2 + offset, offset=offset)
    rt.Resolver = Plain
    return rt


def _loaded(text: str) -> Any:
    return _yaml(2).load(text)


def _dumped(node: Any, offset: int) -> str:
    """A list as text, its dashes in the first column; it is written below a key, where `offset` has its place."""
    out = io.StringIO()
    _yaml(offset).dump({"_": node}, out)
    return "\n".join(line[offset:] for line in out.getvalue().split("\n")[1:])


def _assign(node: Any, old: Any, new: Any) -> None:
    """Make a node that says `old` say `new`, touching only what differs."""
    if isinstance(new, list):
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            _replace(node, number, before, after)
        return
    for key in old.keys() - new.keys():
        del node[key]
    for key, value in new.items():
        if key in old:
            _replace(node, key, old[key], value)
        else:
            node[_scalar(key)] = _made(value, flow=bool(node.fa.flow_style()))


def _replace(node: Any, key: Any, old: Any, new: Any) -> None:
    if same(old, new):
        return
    alike = isinstance(new, list) and isinstance(old, list) and len(old) == len(new)
    if alike or (isinstance(new, Mapping) and isinstance(old, Mapping)):
        _assign(node[key], old, new)
    else:
        node[key] = _made(new, flow=bool(node.fa.flow_style()))


def _made(value: Any, flow: bool = False) -> Any:
    """A value as ruamel writes it: small groups in one line, texts in quotes where they would be read as another type.

    Args:
        flow: it stands inside of a { } or [ ].
    """
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if not isinstance(value, Mapping | list):
        return _scalar(value)
    node: CommentedMap | CommentedSeq
    if isinstance(value, list):
        inline = flow or not any(isinstance(part, Mapping | list) for part in value)
        node = CommentedSeq([_made(part, inline) for part in value])
    else:
        inline = flow or (_is_short(value) and "id" not in value)
        node = CommentedMap({_scalar(key): _made(part, inline) for key, part in value.items()})
    if inline or not value:
        node.fa.set_flow_style()
    return node


def _is_short(value: Mapping[str, Any]) -> bool:
    parts = list(_leaves(value))
    return sum(len(str(part)) + 2 for part in parts) <= _FLOW_CHARACTERS and not any(
        isinstance(part, Mapping) for part in value.values()
    )


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield key
            yield from _leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part)
    else:
        yield value


def _scalar(value: Any) -> Any:
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, PlainScalarString

    if value is None or isinstance(value, bool):
        return PlainScalarString({None: "null", True: "true", False: "false"}[value])
    if isinstance(value, int | float):
        return PlainScalarString(repr(value))
    is_plain = value[:1].isalnum() and value.isprintable() and is_text(value)
    return value if is_plain else DoubleQuotedScalarString(value)
