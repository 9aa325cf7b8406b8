"""Password-protected Office files: decrypted in memory with one of the given passwords, then read as what they are.

Source: MS-OFFCRYPTO (standard, agile and RC4 encryption).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

from converters.document import Document
from converters.errors import Broken, NeedsPassword, OverLimit
from converters.formats.registry import format_of, grids_of
from converters.grid import Grid
from converters.options import Options

DEFAULT_PASSWORD = "VelvetSweatshop"
"""What spreadsheet programs encrypt with when only changes are protected: such files open without asking."""


def read(document: Document, options: Options) -> Iterator[Grid]:
    """The sheets of the decrypted file.

    Raises:
        NeedsPassword: no password opens it.
        Broken, OverLimit: what is inside is damaged or too large.
    """
    opened = replace(document, path=None, data=decrypted(document, options))
    if opened.size > options.limits.max_inflated_bytes:
        raise OverLimit(f"{document.name} decrypts to {opened.size:,} bytes.", "Raise max_inflated_bytes.")
    if format_of(opened, options) == "encrypted":
        raise Broken(f"{document.name} is encrypted twice.", "Ask the sender for a copy without a password.")
    return grids_of(opened, options)


def decrypted(document: Document, options: Options) -> bytes:
    """The bytes of the file inside.

    Raises:
        NeedsPassword: neither the default nor a given password opens it.
    """
    import msoffcrypto

    for password in (DEFAULT_PASSWORD, *options.passwords):
        target = io.BytesIO()
        try:
            with document.open() as stream:
                office = msoffcrypto.OfficeFile(stream)
                office.load_key(password=password)
                office.decrypt(target)
        except Exception:  # the library raises what its parsers raise: a wrong password and a damaged file look alike
            continue
        return target.getvalue()
    tried = f"none of the {len(options.passwords)} passwords given opens it" if options.passwords else "none was given"
    raise NeedsPassword(
        f"{document.name} is encrypted with a password, and {tried}.",
        "Put its password into the tenant's secrets, or ask the sender for a copy without one.",
    )
