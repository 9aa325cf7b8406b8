"""Source `gcs`: the objects of a bucket. A generation names the bytes; what is read is checked against its CRC32C."""

from __future__ import annotations

import base64
import io
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, cast

from ondol.config.sources.gcs import GcsSource
from ondol.errors import NotAllowed, SourceDown
from ondol.interval import Interval
from ondol.lake.gcs import TIMEOUT, client, retry
from ondol.sources.base import Access, Connector, Cursor, Found, Gone
from ondol.sources.globs import fixed_head, matcher

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PART = 4 << 20
"""Bytes that one request reads."""
FIELDS = "items(name,size,generation,updated),nextPageToken"


class GcsConnector(Connector[GcsSource]):
    """Lists a bucket, or a prefix in one."""

    lanes: ClassVar[int] = 8

    def __init__(self, source: GcsSource, access: Access) -> None:
        super().__init__(source, access)
        self._bucket, _, prefix = source.bucket.removeprefix("gs://").partition("/")
        self._prefix = f"{prefix}/" if prefix else ""

    def list(self, interval: Interval, cursor: str) -> Iterator[Found | Cursor]:
        """See Connector; sorted by name."""
        fits = matcher(self.source.pattern)
        head = self._prefix + fixed_head(self.source.pattern)
        with self._telling():
            for blob in client().list_blobs(self._bucket, prefix=head, fields=FIELDS, timeout=TIMEOUT, retry=retry()):
                below = blob.name.removeprefix(self._prefix)
                if below.endswith("/") or not fits(below):
                    continue
                yield Found(
                    name=unicodedata.normalize("NFC", below.rpartition("/")[2]),
                    location=below,
                    arrived=blob.updated.astimezone(self.access.zone),
                    size=blob.size,
                    handle=below,
                    version=str(blob.generation),
                )

    @contextmanager
    def open(self, found: Found) -> Iterator[BinaryIO]:
        """See Connector."""
        from google.api_core.exceptions import NotFound, PreconditionFailed

        blob = client().bucket(self._bucket).blob(self._prefix + (found.handle or found.location))
        generation = int(found.version)
        try:
            with self._telling():
                blob.reload(if_generation_match=generation, timeout=TIMEOUT, retry=retry())
                reader = blob.open(
                    "rb", chunk_size=PART, raw_download=True, if_generation_match=generation, retry=retry()
                )
                checked = _Checked(reader)
                yield cast(BinaryIO, checked)
                expected = blob.crc32c
                blob.reload(timeout=TIMEOUT, retry=retry())
                if blob.generation != generation:
                    raise NotFound("another generation")  # type: ignore[no-untyped-call]
                if checked.crc32c != expected:
                    raise SourceDown(f"{found.location} in {self.name()} came damaged: it is fetched again")
        except (NotFound, PreconditionFailed):
            raise Gone(f"{found.location} in {self.name()} was replaced or deleted since it was listed") from None

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turns what the client raises into what crawl knows; a missing or changed object passes."""
        from google.api_core import exceptions
        from google.auth.exceptions import GoogleAuthError
        from requests import RequestException

        where = f"{self.name()}: {self.source.bucket}"
        try:
            yield
        except exceptions.NotFound as error:
            if "bucket" not in str(error.message).lower():
                raise
            raise NotAllowed(f"{where} does not exist: correct 'bucket'") from error
        except exceptions.PreconditionFailed:
            raise
        except (exceptions.Forbidden, exceptions.Unauthorized, GoogleAuthError) as error:
            raise NotAllowed(
                f"{where} refuses access ({type(error).__name__}): give this service account "
                "roles/storage.objectViewer on the bucket"
            ) from error
        except (exceptions.GoogleAPICallError, exceptions.RetryError, RequestException) as error:
            raise SourceDown(f"{where} does not answer: {type(error).__name__}: {str(error)[:200]}") from error


class _Checked(io.RawIOBase):
    """A reader that knows the CRC32C of what it has read."""

    def __init__(self, reader: Any) -> None:
        import google_crc32c

        self._reader = reader
        self._sum: Any = google_crc32c.Checksum()  # type: ignore[no-untyped-call]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        piece = self._reader.read(len(view))
        self._sum.update(piece)
        view[: len(piece)] = piece
        return len(piece)

    @property
    def crc32c(self) -> str:
        """As Cloud Storage writes it."""
        return base64.b64encode(self._sum.digest()).decode()
