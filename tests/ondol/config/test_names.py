from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ondol.config.names import identifier, nearest, romanise
from ondol.config.words import WORDS, canonical


@pytest.mark.parametrize(
    ("hangul", "latin"),
    [
        ("한빛", "hanbit"),
        ("대양", "daeyang"),
        ("새움", "saeum"),
        ("강남", "gangnam"),
        ("밝", "bak"),
        ("읽", "ik"),
        ("값", "gap"),
        ("a1", "a1"),
    ],
)
def test_hangul_becomes_latin_letters(hangul, latin):
    assert romanise(hangul) == latin


@given(st.text(max_size=300))
def test_any_text_gives_a_valid_id_or_nothing(text):
    assert re.fullmatch(r"([a-z][a-z0-9_]{0,39})?", identifier(text))
    assert re.fullmatch(r"([a-z][a-z0-9_]{0,62})?", canonical(text))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("일자", "date"), ("지점코드", "store_code"), ("금액(천원)", "amount"), ("상품 코드", "product_code"),
        ("매 출", "sales"),
        ("불량률", "defect_rate"), ("거래처명", "partner_name"), ("환자번호", "patient_number"), ("진료과별", "clinic"),
        ("Unit Price", "unit_price"), ("1월", "x1_month"), ("뭐시기", "mwosigi"), ("(단위)", ""),
    ],
)  # fmt: skip
def test_usual_headers_get_english_names(header, name):
    assert canonical(header) == name


def test_a_long_hostile_header_costs_nothing():
    for header in ("년월일" * 13 + "뷁", "년월일" * 1000, "가" * 10_000):
        began = time.process_time()
        assert len(canonical(header)) <= 63
        assert time.process_time() - began < 0.5


def test_every_word_of_the_table_is_a_valid_name():
    assert all(re.fullmatch(r"([a-z][a-z_]*)?", word) for word in WORDS.values())


def test_only_a_near_word_is_offered():
    assert nearest("tiemzone", ["timezone", "tenant"]) == "timezone"
    assert nearest("zzz", ["timezone", "tenant"]) is None
