"""JSON: each list of records is a table, every value the one that is written."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import convert
from converters.document import Document
from converters.errors import Broken, ConverterError, OverLimit
from converters.formats import json_text
from converters.grid import Grid
from converters.model import Table
from converters.options import DEFAULTS, Limits, Options


def grids_of(text: str | bytes, options: Options = DEFAULTS) -> list[Grid]:
    data = text.encode() if isinstance(text, str) else text
    return list(json_text.read(Document("주문.json", data=data), options))


def rows_of(text: str) -> list[list[Any]]:
    [grid] = grids_of(text)
    return list(grid.rows.values())


def tables_of(text: str) -> list[Table]:
    return convert(text.encode(), name="주문.json").tables


RECORDS = [["지점", "매출"], ["강남", 1], ["서초", 2]]


@pytest.mark.parametrize(
    "text",
    [
        '[{"지점": "강남", "매출": 1}, {"매출": 2, "지점": "서초"}]',
        '{"지점": "강남", "매출": 1}\n{"지점": "서초", "매출": 2}\n',
        '\ufeff{"지점": "강남", "매출": 1}\r\n\r\n{"지점": "서초", "매출": 2}',
        '\x1e{"지점": "강남", "매출": 1}\n\x1e{"지점": "서초", "매출": 2}\n',
        '{\n "지점": "강남",\n "매출": 1\n}\n{\n "지점": "서초",\n "매출": 2\n}',
        '{"지점": ["강남", "서초"], "매출": [1, 2]}',
        '{"data": [{"지점": "강남", "매출": 1}, {"지점": "서초", "매출": 2}]}',
        '{"columns": ["지점", "매출"], "index": [0, 1], "data": [["강남", 1], ["서초", 2]]}',
        '{"지점": {"0": "강남", "1": "서초"}, "매출": {"0": 1, "1": 2}}',
        '[["지점", "매출"], ["강남", 1], ["서초", 2]]',
    ],
    ids="records lines blank-lines sequence concatenated columns envelope split pandas lists".split(),
)
def test_every_usual_shape_gives_the_same_records(text: str) -> None:
    assert rows_of(text) == RECORDS


def test_keyed_records_keep_their_keys() -> None:
    assert rows_of('{"A1": {"n": 1}, "A2": {"n": 2}}') == [["key", "n"], ["A1", 1], ["A2", 2]]


def test_a_lone_object_is_one_record() -> None:
    assert rows_of('{"a": 1, "b": {"c": "x"}}') == [["a", "b"], [None, "c"], [1, "x"]]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1),
        ("1.0", 1.0),
        ("0.1", 0.1),
        ("12345678901234567890", 12345678901234567890),
        ("12345678901234567.89", Decimal("12345678901234567.89")),
        ("-1e3", -1000.0),
        ("1e999", "1e999"),
        ('"00123"', "00123"),
        ('"4,662"', "4,662"),
        ("true", True),
        ('""', None),
        ("null", None),
        ("[1, 2]", "[1, 2]"),
        ('"2026-01-05"', dt.date(2026, 1, 5)),
        ('"2026-01-05T09:30:00"', dt.datetime(2026, 1, 5, 9, 30)),
        ('"20260105"', "20260105"),
        ('"2026-02-30"', "2026-02-30"),
    ],
)
def test_values_are_exact(written: str, value: Any) -> None:
    got = rows_of(f'[{{"a": {written}, "b": 1}}]')[1][0]
    assert (got, type(got)) == (value, type(value))


def test_dates_are_dates_only_where_the_whole_column_is() -> None:
    assert rows_of('[{"a": "2026-01-05"}, {"a": "미정"}]')[1:] == [["2026-01-05"], ["미정"]]


def test_times_with_an_offset_stay_as_they_are_written() -> None:
    [grid] = grids_of('[{"a": "2026-01-05T09:00:00+09:00"}, {"a": "2026-01-05T10:00:00+09:00"}]')
    assert grid.rows[1] == [dt.datetime(2026, 1, 5, 9)]
    assert grid.notices[0].message == "The times of 'a' are those of UTC+09:00."
    mixed = '[{"a": "2026-01-05T09:00:00+09:00"}, {"a": "2026-01-05T09:00:00Z"}]'
    assert rows_of(mixed)[1] == ["2026-01-05T09:00:00+09:00"]


def test_codes_stay_texts_and_nothing_is_guessed() -> None:
    [table] = tables_of('[{"코드": "1", "일자": "20260105", "구분": "합계", "금액(천원)": 3}]')
    assert [(c.type, c.role, c.unit) for c in table.columns] == [
        *[("text", "value", None)] * 3,
        ("number", "value", "천원"),
    ]
    assert table.row_subtotal == [False]


def test_nested_objects_give_header_paths_and_the_header_counts_as_one_row() -> None:
    [table] = tables_of('[{"주문": {"번호": "A", "금액": {"원": 1}}, "비고": "x"}, {"비고": "y"}]')
    assert [c.path for c in table.columns] == [("주문", "번호"), ("주문", "금액", "원"), ("비고",)]
    assert [f.cell for f in table.facts()] == ["A2", "B2", "C2", "C3"]


def test_lists_of_objects_are_tables_that_know_their_record() -> None:
    records = [{"id": 1, "items": [{"n": "a"}, {"n": "b"}]}, {"id": 2}, {"id": 3, "items": [{"n": "c"}]}]
    orders, items = tables_of(json.dumps({"code": "00", "orders": records}))
    assert (orders.sheet, items.sheet) == ("orders", "orders.items")
    assert [c.values for c in orders.columns] == [[1, 2, 3]]
    assert [(c.path, c.values) for c in items.columns] == [
        (("row of orders",), [2, 2, 4]),
        (("n",), ["a", "b", "c"]),
    ]


def test_what_stands_around_the_records_is_said() -> None:
    conversion = convert(b'{"header": {"code": "00"}, "body": {"items": [{"a": 1}], "total": 1}}', name="a.json")
    assert conversion.state == "ok"
    assert conversion.notices[0].message == 'Around the records stands: body.total = 1, header = {"code": "00"}.'


def test_korean_code_pages_are_read() -> None:
    [grid] = grids_of('[{"지점": "강남", "매출": 1}, {"지점": "서초", "매출": 2}]'.encode("cp949"))
    assert list(grid.rows.values()) == RECORDS


def test_a_bad_line_costs_only_itself() -> None:
    conversion = convert(b'{"a": 1}\n{"a": \n{"a": 3}\n', name="a.ndjson")
    assert (conversion.state, conversion.tables[0].columns[0].values) == ("partial", [1, 3])
    assert "line 2" in conversion.problems[0].message


def test_a_member_that_comes_twice_is_said() -> None:
    conversion = convert(b'[{"a": 1, "a": 2}]', name="a.json")
    assert (conversion.state, conversion.problems[0].code) == ("partial", "repeated_member")


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a"', '{"a": 1', '[{"a":' * 5000 + "1" + "}]" * 5000])
def test_what_is_cut_off_or_bottomless_is_broken(text: str) -> None:
    with pytest.raises(Broken):
        grids_of(text)


def test_limits_hold() -> None:
    wide = json.dumps([{str(n): n} for n in range(20_000)])
    with pytest.raises(OverLimit, match="different members"):
        grids_of(wide)
    for limits in (Limits(max_cells=5), Limits(max_slots=5)):
        with pytest.raises(OverLimit):
            grids_of('[{"a": 1, "b": 2}, {"a": 1, "b": 2}, {"a": 1, "b": 2}]', Options(limits))


def test_a_preview_stops_early() -> None:
    [grid] = grids_of(json.dumps([{"a": n} for n in range(100)]), Options(max_rows=5))
    assert len(grid.rows) == 6


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(VALUES)
def test_any_value_gives_grids(value: Any) -> None:
    for grid in grids_of(json.dumps(value)):
        assert grid.header_rows is None or len(grid.rows) >= grid.header_rows


@settings(max_examples=200, deadline=None, derandomize=True)
@given(VALUES, st.integers(0, 200), st.text(max_size=3))
def test_damaged_text_ends_in_grids_or_an_expected_error(value: Any, at: int, odd: str) -> None:
    text = json.dumps(value)
    with contextlib.suppress(ConverterError):
        grids_of(text[:at] + odd + text[at:])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.fixed_dictionaries({"n": st.integers(), "t": st.text(min_size=1, max_size=5)}), min_size=1))
def test_no_record_is_lost_or_changed(records: list[dict[str, Any]]) -> None:
    [table] = tables_of(json.dumps(records))
    number = next(c for c in table.columns if c.path == ("n",))
    assert number.values == [record["n"] for record in records]
