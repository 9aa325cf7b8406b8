from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.converters.by_hand import rule


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("columns: {a: {type: text}}", "give either 'from' (a header text) or 'constant'"),
        ("columns: {a: {from: A, constant: x}}", "give either 'from' (a header text) or 'constant'"),
        ("columns: {a: {from: []}}", "'from' is an empty list"),
        ("columns: {a: {from: A, unit: 원}}", "'unit' is for type integer, number or decimal, but the type is 'text'"),
        ("columns: {a: {from: A, type: date, min: 1}}", "'min' of type 'date' is 1: give a date"),
        ("columns: {a: {from: A, type: integer, max: '2026-01-05'}}", "'max' of type 'integer' is 2026-01-05: give a"),
        ("columns: {a: {from: A, min: 1}}", "'min' is for numbers, dates and months, but the type is 'text'"),
        ("columns: {a: {from: A, type: decimal, assume_unit: 천원}}", "'assume_unit' needs 'unit'"),
        ("columns: {a: {from: A, optional: true, required: true}}", "'optional' is for a header that may be missing"),
        ("columns: {a: {from: period, optional: true}}", "'optional' is for a header that may be missing"),
        ("columns: {a: {from: A, type: decimal, min: 2, max: 1}}", "min 2 is more than max 1"),
        ("columns: {a: {from: A, pattern: '('}}", "is no regular expression"),
        ("columns: {a: {constant: x, type: integer}}", "constant 'x' is no integer: give a number"),
        ("columns: {a: {from: A, codes: {33: S33}}}", "should be a valid string"),
        ("columns: {A: {from: A}}", "should match pattern"),
        ("columns: {a: {from: A, requird: true}}", "Extra inputs are not permitted"),
        ("columns: {a: {from: A}}\nunique: [b]", "unique names ['b'], but the columns are ['a']"),
        ("columns: {a: {from: A}}\nunpivot: {over: '*월', into: a}", "unpivot makes ['a'], which columns define too"),
        ("columns: {a: {from: A}}\nunpivot: {over: '*월', into: m, unit: 원}", "speak of 'value', which is missing"),
        (
            "columns: {a: {from: A}}\nunpivot: {over: '*월', into: m, value: v, value_type: text, unit: 원}",
            "'unit' is for type integer, number or decimal",
        ),
    ],
)
def test_a_rule_that_cannot_work_says_why(text, says):
    with pytest.raises(ValidationError) as error:
        rule(text)
    assert says in str(error.value)


def test_the_tidy_columns_are_in_the_order_of_the_rule():
    found = rule("columns: {b: {from: B}, a: {from: A}}\nunpivot: {over: '*월', into: m, type: month, value: v}")
    assert found.kinds() == {"b": "text", "a": "text", "m": "month", "v": "decimal"}
    assert found.rule_of("m") is None
    assert found.rule_of("v").type == "decimal"
