"""The formats: what detection calls them, and the function that reads each.

A reader is `read(document, options) -> Iterator[Grid]`. To add a format: one file here, one line below, one line in
detect.py, and a case folder under tests/converters/cases/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from converters.detect import detect
from converters.document import Document
from converters.errors import Broken, OverLimit, Unsupported
from converters.grid import Grid
from converters.options import Options

Reader = Callable[[Document, Options], Iterator[Grid]]

READERS = {
    "xlsx": "converters.formats.xlsx:read",
    "xlsm": "converters.formats.xlsx:read",
    "xls": "converters.formats.xls:read",
    "xlsb": "converters.formats.xlsb:read",
    "ods": "converters.formats.ods:read",
    "spreadsheetml": "converters.formats.spreadsheetml:read",
    "encrypted": "converters.formats.encrypted:read",
    "zip": "converters.formats.zip:read",
    "gzip": "converters.formats.gzip:read",
    "tar": "converters.formats.tar:read",
    "eml": "converters.formats.eml:read",
    "msg": "converters.formats.msg:read",
    "rtf": "converters.formats.rtf:read",
    "sealed": "converters.formats.sealed:read",
    "csv": "converters.formats.delimited:read",
    "json": "converters.formats.json_text:read",
    "parquet": "converters.formats.parquet:read",
    "html": "converters.formats.html:read",
    "mht": "converters.formats.mht:read",
    "docx": "converters.formats.docx:read",
    "hwp": "converters.formats.hwp:read",
    "hwpx": "converters.formats.hwpx:read",
    "pdf": "converters.formats.pdf.reader:read",
}

NOT_READ = {
    "doc": ("an old Word document", "Ask the sender for the table as xlsx or csv."),
    "pptx": ("a PowerPoint file", "Ask the sender for the table as xlsx or csv."),
    "ppt": ("an old PowerPoint file", "Ask the sender for the table as xlsx or csv."),
    "xml": ("an XML file", "Ask the sender for the table as xlsx or csv."),
    "7z": ("a 7-Zip archive", "Unpack it and send the files in it."),
    "rar": ("a RAR archive", "Unpack it and send the files in it."),
    "egg": ("an ALZip archive (EGG)", "Unpack it with ALZip or Bandizip, and send the files or a zip of them."),
    "alz": ("an ALZip archive (ALZ)", "Unpack it with ALZip or Bandizip, and send the files or a zip of them."),
    "bzip2": ("a bzip2 archive", "Unpack it and send the files in it."),
    "xz": ("an xz archive", "Unpack it and send the files in it."),
    "tnef": (
        "Outlook's winmail.dat (TNEF)",
        "Ask the sender to send the mail as HTML or plain text, not as rich text.",
    ),
    "image": ("an image", "Ask the sender for the file that it was made from."),
    "ole": ("an OLE container of an unknown kind", "Ask the sender what program wrote it, and for xlsx or csv."),
    "binary": ("of no known format", "Ask the sender what program wrote it, and for xlsx or csv."),
}


def reader(name: str) -> Reader:
    """The function that reads a format of READERS; its module is imported now."""
    module, function = READERS[name].split(":")
    found: Reader = getattr(import_module(module), function)
    return found


def grids_of(document: Document, options: Options) -> Iterator[Grid]:
    """The sheets of a document as they are, before anything is understood.

    Raises:
        ConverterError: the document gives none.
    """
    for grid in reader(format_of(document, options))(document, options):
        grid.container = grid.container or document.container
        yield grid


def format_of(document: Document, options: Options) -> str:
    """The name of the document's format, one of READERS.

    Raises:
        OverLimit, Broken, Unsupported: it is too large, empty, or of a format that is not read.
    """
    limits = options.limits
    if document.size > limits.max_bytes and not document.container:
        raise OverLimit(
            f"{document.name} has {document.size:,} bytes; max_bytes allows {limits.max_bytes:,}.",
            "Ask the sender to split it, or raise max_bytes.",
        )
    if document.size == 0:
        raise Broken(f"{document.name} is empty (0 bytes).", "Ask the sender to send it again.")
    name = detect(document)
    if name not in READERS:
        what, remedy = NOT_READ[name]
        raise Unsupported(f"{document.name} is {what}, which is not read.", remedy)
    return name
