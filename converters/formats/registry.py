"""The formats: what detection calls them, and the function that reads each.

A reader is `read(document, options) -> Iterator[Grid]`. To add a format: one file here, one line below, one line in
detect.py, and a case folder under tests/converters/cases/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from converters.document import Document
from converters.grid import Grid
from converters.options import Options

Reader = Callable[[Document, Options], Iterator[Grid]]

READERS = {
    "xlsx": "converters.formats.xlsx:read",
    "xlsm": "converters.formats.xlsx:read",
    "xls": "converters.formats.legacy:read",
    "xlsb": "converters.formats.legacy:read",
    "ods": "converters.formats.legacy:read",
    "encrypted": "converters.formats.encrypted:read",
    "csv": "converters.formats.delimited:read",
    "html": "converters.formats.html:read",
}

NOT_READ = {
    "docx": ("a Word document", "Ask the sender for the table as xlsx or csv."),
    "doc": ("an old Word document", "Ask the sender for the table as xlsx or csv."),
    "pptx": ("a PowerPoint file", "Ask the sender for the table as xlsx or csv."),
    "ppt": ("an old PowerPoint file", "Ask the sender for the table as xlsx or csv."),
    "hwp": ("a Hangul (HWP) document", "Ask the sender for the table as xlsx or csv."),
    "hwpx": ("a Hangul (HWPX) document", "Ask the sender for the table as xlsx or csv."),
    "pdf": ("a PDF", "Ask the sender for the workbook that it was printed from."),
    "eml": ("a mail", "Collect the mailbox as an IMAP source: its attachments are then files of their own."),
    "msg": ("an Outlook mail", "Save its attachments and send those."),
    "mht": ("a web archive (MHT)", "Save the page as xlsx, csv or plain HTML."),
    "spreadsheetml": ("an Excel 2003 XML workbook", "Open it in a spreadsheet program and save it as xlsx."),
    "xml": ("an XML file", "Ask the sender for the table as xlsx or csv."),
    "json": ("JSON", "Ask the sender for the table as xlsx or csv."),
    "parquet": ("a Parquet file", "Load it into the warehouse directly, or send it as csv."),
    "rtf": ("a rich-text document", "Ask the sender for the table as xlsx or csv."),
    "zip": ("a zip archive", "Unpack it and send the files in it."),
    "gzip": ("a gzip archive", "Unpack it and send the file in it."),
    "7z": ("a 7-Zip archive", "Unpack it and send the files in it."),
    "rar": ("a RAR archive", "Unpack it and send the files in it."),
    "image": ("an image", "Ask the sender for the file that it was made from."),
    "ole": ("an OLE container of an unknown kind", "Ask the sender what program wrote it, and for xlsx or csv."),
    "binary": ("of no known format", "Ask the sender what program wrote it, and for xlsx or csv."),
}


def reader(name: str) -> Reader:
    """The function that reads a format of READERS; its module is imported now."""
    module, function = READERS[name].split(":")
    found: Reader = getattr(import_module(module), function)
    return found
