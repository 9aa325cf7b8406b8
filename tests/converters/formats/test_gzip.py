"""gzip: one file."""

from __future__ import annotations

import gzip

from converters import Options, convert
from converters.options import Limits
from tests.converters.formats.packing import CSV


def test_the_file_in_it_has_the_name_without_the_ending() -> None:
    [table] = convert(gzip.compress(CSV), name="매출.csv.gz").tables
    assert table.container == ("매출.csv.gz", "매출.csv")
    assert convert(gzip.compress(CSV), name="data").tables[0].container == ("data", "data")


def test_a_cut_or_a_bomb_ends_in_a_state() -> None:
    cut = convert(gzip.compress(CSV * 100)[:-20], name="a.gz")
    assert (cut.state, cut.problems[0].code) == ("quarantined", "broken_file")
    bomb = convert(
        gzip.compress(bytes(8 << 20)), name="a.gz", options=Options(limits=Limits(max_inflated_bytes=1 << 20))
    )
    assert (bomb.state, bomb.problems[0].code) == ("quarantined", "over_limit")
