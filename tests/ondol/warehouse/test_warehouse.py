"""What every warehouse promises: a slot holds its newest file, whole, and what is there depends on nothing else."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

import pyarrow as pa
import pytest

from ondol.errors import FatalError
from ondol.manifest import Period
from ondol.warehouse.base import LoadResult, Slot
from ondol.warehouse.duckdb import DuckDbWarehouse

D5 = dt.date(2026, 1, 5)
ROWS = [(D5, "001", Decimal("1000")), (D5, "002", Decimal("250.5"))]


@pytest.fixture
def warehouse(opened):
    return opened("home")


def test_a_load_gives_back_every_row_with_its_types(warehouse, load, day, schemas, contents):
    assert load("sales", day(5), ROWS) == LoadResult("loaded", 2, 0)
    with warehouse.read("sales") as reader:
        table = reader.read_all()
    kept = {"int32": {"int32", "int64"}}  # BigQuery has one kind of whole numbers
    assert table.schema.names == [*schemas["sales"].names, "_loaded_at"]
    for field in schemas["sales"]:
        assert str(table.schema.field(field.name).type) in kept.get(str(field.type), {str(field.type)}), field
    assert sorted((r["store_code"], r["amount"], r["_row"]) for r in table.to_pylist()) == [
        ("001", Decimal("1000.000000000"), 5),
        ("002", Decimal("250.500000000"), 6),
    ]


def test_loading_the_same_version_again_changes_nothing(warehouse, load, day, contents):
    load("sales", day(5), ROWS)
    before = (contents(warehouse), warehouse.state())
    assert load("sales", day(5), ROWS).decision == "unchanged"
    assert (contents(warehouse), warehouse.state()) == before


def test_other_rules_read_the_same_version_again(load, day, warehouse, contents):
    load("sales", day(5), ROWS)
    assert load("sales", day(5), ROWS[:1], rules_hash="r2") == LoadResult("loaded", 1, 2)
    assert len(contents(warehouse)) == 1


def test_a_corrected_resend_replaces_exactly_its_slot(warehouse, load, day, contents):
    load("sales", day(4), ROWS)
    load("sales", day(5), ROWS)
    load("sales", day(5, part="seoul"), ROWS)
    corrected = [(D5, "001", Decimal("999"))]
    assert load("sales", day(5), corrected, version=("2026-01-06T00:00", "b.xlsx", "bb")) == LoadResult("loaded", 1, 2)
    held = {(r["_period_start"].day, r["_part"], r["amount"]) for r in contents(warehouse)}
    assert held == {
        (4, "", Decimal("1000")),
        (4, "", Decimal("250.5")),
        (5, "seoul", Decimal("1000")),
        (5, "seoul", Decimal("250.5")),
        (5, "", Decimal("999")),
    }


def test_an_older_version_never_takes_the_place_of_a_newer(warehouse, load, day, contents):
    load("sales", day(5), ROWS[:1], version=("2026-01-06T00:00", "b.xlsx", "bb"))
    assert load("sales", day(5), ROWS, rules_hash="r9").decision == "superseded"
    assert len(contents(warehouse)) == 1


def test_the_order_in_which_versions_come_does_not_matter(opened, load, day, contents):
    """A, then its correction B, then A once more: content alone does not say which is newest."""
    versions = [("1", "a", "aa"), ("2", "b", "bb"), ("3", "a2", "aa")]
    ends = set()
    orders = list(itertools.permutations(versions))
    for number, order in enumerate(orders[:: 1 if isinstance(opened("any"), DuckDbWarehouse) else 3]):
        load.warehouse = opened(f"home{number}")
        for version in order:
            rows = [(D5, "001", Decimal(version[0]))]
            load("sales", day(5), rows, version=version)
        ends.add((str(contents(load.warehouse)), load.warehouse.state()))
    assert len(ends) == 1
    assert "Decimal('3.000000000')" in ends.pop()[0]


def test_a_period_without_rows_empties_its_slot(warehouse, load, day, contents):
    load("sales", day(5), ROWS)
    assert load("sales", day(5), [], version=("9", "z", "zz")) == LoadResult("loaded", 0, 2)
    assert contents(warehouse) == []


def test_an_item_that_moves_to_another_table_takes_its_rows_along(warehouse, load, day, schemas, contents):
    load("sales", day(5), ROWS)
    load("sales", day(6), ROWS)
    load("sales_new", day(5), ROWS, rules_hash="r2", schema=schemas["sales"])
    assert {r["_period_start"].day for r in contents(warehouse)} == {6}
    assert {r["_period_start"].day for r in contents(warehouse, "sales_new")} == {5}


def with_column(schema: pa.Schema, name: str, kind: pa.DataType, at: int = 3) -> pa.Schema:
    return schema.insert(at, pa.field(name, kind))


def test_a_column_that_the_rule_gained_is_added_and_empty_for_older_rows(warehouse, load, day, schemas, contents):
    load("sales", day(4), ROWS)
    wider = with_column(schemas["sales"], "quantity", pa.int64())
    load("sales", day(5), [(*ROWS[0], 7)], schema=wider)
    load("sales", day(6), ROWS)
    assert sorted((r["_period_start"].day, r["quantity"]) for r in contents(warehouse) if r["quantity"]) == [(5, 7)]
    assert len(contents(warehouse)) == 5


def test_an_integer_column_widens_to_decimal_and_keeps_its_values(warehouse, load, day, schemas, contents):
    whole = with_column(schemas["sales"], "quantity", pa.int64())
    exact = with_column(schemas["sales"], "quantity", pa.decimal128(38, 9))
    load("sales", day(4), [(*ROWS[0], 2**53 + 1)], schema=whole)
    load("sales", day(5), [(*ROWS[0], Decimal("0.5"))], schema=exact)
    load("sales", day(6), [(*ROWS[0], 3)], schema=whole)
    assert sorted(r["quantity"] for r in contents(warehouse)) == [Decimal("0.5"), Decimal(3), Decimal(2**53 + 1)]


def test_a_type_that_cannot_be_widened_is_refused_with_the_way_out_and_nothing_is_lost(
    warehouse, load, day, schemas, contents
):
    load("sales", day(4), ROWS)
    before = contents(warehouse)
    text = pa.schema([f.with_type(pa.string()) if f.name == "amount" else f for f in schemas["sales"]])
    with pytest.raises(
        FatalError, match=r"sales\.amount is (DECIMAL\(38,9\)|NUMERIC) .*says (VARCHAR|STRING).*another name"
    ):
        load("sales", day(5), [(D5, "001", "1000")], schema=text)
    assert contents(warehouse) == before


def test_a_type_may_change_freely_once_the_slot_was_all_that_the_table_held(warehouse, load, day, schemas, contents):
    load("sales", day(5), ROWS)
    text = pa.schema([f.with_type(pa.string()) if f.name == "amount" else f for f in schemas["sales"]])
    load("sales", day(5), [(D5, "001", "1000")], rules_hash="r2", schema=text)
    assert contents(warehouse)[0]["amount"] == "1000"


def test_rows_of_another_slot_are_refused(warehouse, load, day, schemas, contents):
    path = load.parquet("sales", day(5), ROWS)
    with pytest.raises(FatalError, match="has 2 rows, but 0 of sales are of its slot sales_daily 2026-01-06"):
        warehouse.load(
            "sales",
            schemas["sales"],
            path,
            slot=day(6),
            version=("1",),
            sha256="aa",
            rules_hash="r",
            run_key="k",
        )
    assert "sales" not in warehouse.tables()


def test_a_file_of_another_schema_is_refused(warehouse, load, day, schemas, contents):
    path = load.parquet("sales", day(5), ROWS)
    with pytest.raises(FatalError, match="Run tag again"):
        warehouse.load(
            "stores",
            schemas["stores"],
            path,
            slot=day(5),
            version=("1",),
            sha256="aa",
            rules_hash="r",
            run_key="k",
        )


@pytest.mark.parametrize("name", ['a"; DROP TABLE sales; --', "a`b", "a\\b", "select", "한글 열", "x" * 200])
def test_hostile_names_are_only_names_or_refused(warehouse, load, name, schemas, contents):
    slot = Slot(name, Period(start=D5, end=D5), name)
    schema = with_column(schemas["sales"], name, pa.string())
    if set(name) & set('";`\\') and not isinstance(warehouse, DuckDbWarehouse):
        with pytest.raises(FatalError, match="is no name for BigQuery"):
            load("sales", slot, [(*ROWS[0], name)], schema=schema)
        return
    load(name, slot, [(*ROWS[0], name)], schema=schema)
    assert warehouse.tables() == (name,)
    assert contents(warehouse, name)[0][name] == name
    assert warehouse.fingerprint(name)


def test_the_state_is_that_of_the_rows_not_of_their_order(opened, load, day):
    states = []
    for name, days in (("one", (4, 5)), ("two", (5, 4))):
        load.warehouse = opened(name)
        for number in days:
            load("sales", day(number), ROWS)
        states.append((load.warehouse.state(), load.warehouse.fingerprint("sales")))
    assert states[0] == states[1]


def test_a_table_that_is_not_there_is_named_with_those_that_are(warehouse, load, day):
    load("sales", day(5), ROWS)
    with pytest.raises(FatalError, match=r"no table 'slaes'; it has \['sales'\]"), warehouse.read("slaes"):
        pass
