"""Where conversions run: in worker processes here, in the converter's service, or in a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from converters.options import Options


@dataclass(frozen=True, slots=True)
class File:
    """One raw file that is to be converted.

    Args:
        uri: of the raw file in the lake.
        name: as the customer wrote it.
        path: where in the lake its result goes: tables/<converters.cache.key>.
    """

    uri: str
    name: str
    sha256: str
    path: str


class Converter(Protocol):
    """A way to convert files. All give the same results, to the byte."""

    def convert(self, files: Sequence[File], options: Options) -> None:
        """Put the result of each file, as converters.storage writes it, at its path in the lake.

        A file that gives no table has a result too, which says why. Killed and called again, it does what is left.

        Raises:
            RetriableError: the way is blocked for now: what is down, and what to check.
            FatalError: it is set up wrong.
        """
        ...
