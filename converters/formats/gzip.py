"""gzip: one file, by the archive's name without its ending."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from functools import partial

from converters.document import Document
from converters.errors import Broken
from converters.formats import container
from converters.formats.container import Member
from converters.formats.meter import Budget
from converters.grid import Grid
from converters.options import Options


def read(document: Document, options: Options) -> Iterator[Grid]:
    """The sheets of the file in it.

    Raises:
        OverLimit: nested too deeply.
    """
    return container.read(document, options, _members)


def _members(document: Document, options: Options, budget: Budget) -> Iterator[Member]:
    own = document.name.replace("\\", "/").rpartition("/")[2]
    name = re.sub(r"\.tgz$", ".tar", re.sub(r"\.gz(ip)?$", "", own, flags=re.I), flags=re.I)
    yield Member((name or own,), partial(_content, document, budget))


def _content(document: Document, budget: Budget) -> bytes:
    try:
        with document.open() as raw, gzip.open(raw) as stream:
            return budget.read(stream)
    except (EOFError, OSError, zlib.error) as error:
        raise Broken(f"{document.name} is a damaged gzip: {error}.", "Ask the sender to send it again.") from error
