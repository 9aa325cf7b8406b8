"""Rows of keys and values are told from headers."""

from __future__ import annotations

import pytest

from converters.tables.forms import is_form_row


@pytest.mark.parametrize(
    "texts",
    [
        ["거래처", "한빛상사"],
        ["수신 :", "한빛상사", "견적일자 :", "2026-01-31"],
        ["조회기간", "2026-01-01", "~", "2026-01-31"],
        ["Customer", "Acme", "Invoice No.", "INV-7"],
        ["得意先", "山田商店", "作成日", "2026/01/31"],
        ["작성일: 2026-01-31", "작성자", "홍길동"],
    ],
)
def test_keys_beside_values_are_a_form(texts: list[str]) -> None:
    assert is_form_row(texts)


@pytest.mark.parametrize(
    "texts",
    [
        ["거래처", "금액"],
        ["거래처", "담당자", "연락처"],
        ["No", "거래처", "품목"],
        ["거래처", "2025.01", "2025.02"],
        ["강남점", "1,200"],
        [],
    ],
)
def test_headers_and_rows_of_a_table_are_none(texts: list[str]) -> None:
    assert not is_form_row(texts)
