"""tar archives, as they are: tar.gz is a gzip with a tar in it."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from functools import partial

from converters.document import Document
from converters.errors import Broken
from converters.formats import container
from converters.formats.container import Member, clean, decoded_names, must_be_inside
from converters.formats.meter import Budget
from converters.grid import Grid
from converters.options import Options


def read(document: Document, options: Options) -> Iterator[Grid]:
    """The sheets of all files in it.

    Raises:
        Broken, OverLimit: the archive as a whole cannot be read.
    """
    return container.read(document, options, _members)


def _members(document: Document, options: Options, budget: Budget) -> Iterator[Member]:
    try:
        with document.open() as stream, tarfile.open(fileobj=stream, mode="r:", encoding="latin-1") as archive:
            members = [member for member in archive if not member.isdir()]
            for member, name in zip(members, _names(members), strict=True):
                yield Member((clean(name),), partial(_content, archive, member, name, budget))
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise Broken(f"{document.name} is a damaged tar: {error}.", "Ask the sender to send it again.") from error


def _names(members: list[tarfile.TarInfo]) -> list[str]:
    """The names as they were packed: stated in a pax header, else as the sender's system has it."""
    unstated = [m.name.encode("latin-1", "replace") for m in members if "path" not in m.pax_headers]
    decoded = iter(decoded_names(unstated))
    return [m.name if "path" in m.pax_headers else next(decoded) for m in members]


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, name: str, budget: Budget) -> bytes:
    must_be_inside(name)
    stream = archive.extractfile(member) if member.isreg() else None
    if stream is None:
        raise Broken(f"{clean(name)} is a link or a device and no file.", "Ask the sender to pack the file itself.")
    budget.expect(clean(name), member.size)
    try:
        return budget.read(stream)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise Broken(f"{clean(name)} is damaged: {error}.", "Ask the sender to send it again.") from error
