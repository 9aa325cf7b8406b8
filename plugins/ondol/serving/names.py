"""Names in SQL: whatever a tenant, a table or a column is called, it is one quoted identifier or it is refused."""

from __future__ import annotations

from ondol.errors import Rejected

_MAX_BYTES = 63
"""PostgreSQL cuts longer names silently, so that two of them could become one. Source: its NAMEDATALEN."""


def quote(*parts: str) -> str:
    """The quoted identifier, its parts joined by dots.

    Raises:
        Rejected: PostgreSQL has no such name: empty, with a NUL character, or over 63 bytes of UTF-8.
    """
    for part in parts:
        if not part or "\0" in part or len(part.encode()) > _MAX_BYTES:
            raise Rejected(
                f"{part!r} cannot name anything in PostgreSQL: it has {len(part.encode())} bytes.",
                "Rename it: 1 to 63 bytes in UTF-8 (a Hangul syllable takes 3), without NUL characters.",
                {"name": part},
            )
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
