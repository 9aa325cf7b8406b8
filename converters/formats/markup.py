"""XML as a stream of its elements, however large; a DTD is refused, and nothing outside is ever loaded.

Source: W3C Extensible Markup Language 1.0, 2.8 (prolog and document type declaration).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import IO, Any

from lxml import etree

from converters.errors import Broken

Stream = IO[bytes] | io.BufferedIOBase


def elements(
    stream: Stream,
    name: str,
    tags: Sequence[str],
    starts: Sequence[str] = (),
    *,
    damaged: list[str] | None = None,
) -> Iterator[tuple[bool, Any]]:
    """Each element of some tags when it ends: False and the element; what is read is the caller's to clear.

    Args:
        name: of the file, for messages.
        tags: in Clark notation, "{namespace}local".
        starts: those of them that are given when they start, too: True and the element, with its attributes only.
        damaged: takes what is wrong with the XML, which is then read as far as it makes sense.

    Raises:
        Broken: no sound XML, unless `damaged` is given; or a DTD.
    """
    events = etree.iterparse(
        stream,
        events=("start", "end"),
        tag=list(tags),
        recover=damaged is not None,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    checked = False
    started = frozenset(starts)
    try:
        for event, element in events:
            if not checked:
                checked = True
                _refuse_dtd(element, name)
            if event == "end":
                yield False, element
            elif element.tag in started:
                yield True, element
    except etree.XMLSyntaxError as error:
        raise Broken(f"{name} is no sound XML: {error}.", "Ask the sender to send it again.") from error
    if damaged is not None:
        damaged.extend(f"line {entry.line}: {entry.message}" for entry in events.error_log)


def clear(element: Any) -> None:
    """Frees an element that was read, and what stands before it in its parent."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _refuse_dtd(element: Any, name: str) -> None:
    if element.getroottree().docinfo.doctype:
        raise Broken(f"{name} declares a DTD, which no spreadsheet program writes.", "Treat it as hostile.")
