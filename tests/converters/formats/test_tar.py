"""tar archives, alone and in gzip."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from converters import convert
from tests.converters.formats.packing import CSV


def packed(*names: str, form: int = tarfile.GNU_FORMAT, encoding: str = "utf-8", link: str = "") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form, encoding=encoding) as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(CSV)
            archive.addfile(member, io.BytesIO(CSV))
        if link:
            member = tarfile.TarInfo(link)
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(member)
    return target.getvalue()


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_names_are_read_in_every_form_and_encoding(form: int, encoding: str) -> None:
    conversion = convert(packed("강남/매출.csv", form=form, encoding=encoding), name="x.tar")
    assert [t.container for t in conversion.tables] == [("x.tar", "강남/매출.csv")]


def test_a_tar_in_a_gzip_is_read_through() -> None:
    [table] = convert(gzip.compress(packed("a.csv")), name="x.tgz").tables
    assert table.container == ("x.tgz", "x.tar", "a.csv")


def test_links_and_names_that_lead_out_are_refused() -> None:
    conversion = convert(packed("../a.csv", "b.csv", link="c.csv"), name="x.tar")
    assert conversion.state == "partial"
    assert [p.where for p in conversion.problems] == ["../a.csv", "c.csv"]


def test_a_tar_that_is_cut_off_keeps_what_came_before() -> None:
    data = packed("a.csv", "b.csv")
    conversion = convert(data[: 512 * 3 + 10], name="x.tar")
    assert conversion.state in ("partial", "quarantined") and conversion.problems
