"""Texts come out as their writers meant them."""

from __future__ import annotations

import pytest

from converters.encoding import decode, sniff

KOREAN = "지점코드,지점명,매출\r\n00123,똠방각하 펲시점,1000\r\n" * 30
JAPANESE = "店舗コード,店舗名,売上\r\n00123,新宿西口店,1000\r\n渋谷,①②㈱カタカナ,200\r\n" * 30


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_korean_in_every_encoding_that_firms_send(encoding: str) -> None:
    assert decode(KOREAN.encode(encoding)).lstrip("\ufeff") == KOREAN


def test_japanese_in_shift_jis() -> None:
    assert decode(JAPANESE.encode("cp932")) == JAPANESE


def test_euc_kr_is_read_as_its_superset() -> None:
    assert sniff(KOREAN.encode("cp949"), declared="euc-kr") == "cp949"
    assert decode("똠방각하".encode("cp949"), declared="ks_c_5601-1987") == "똠방각하"


def test_a_false_declaration_is_not_believed() -> None:
    assert decode(KOREAN.encode("utf-8"), declared="euc-kr") == KOREAN


def test_an_unknown_declaration_does_no_harm() -> None:
    assert decode(KOREAN.encode("cp949"), declared="x-no-such-codec") == KOREAN


def test_broken_bytes_are_shown_as_such() -> None:
    damaged = KOREAN.encode() + b"\xff\xff,1\r\n"
    assert decode(damaged) == KOREAN + "\ufffd\ufffd,1\r\n"


@pytest.mark.parametrize("declared", ["hex", "base64", "undefined", "no such\0codec", "idna"])
def test_a_declaration_that_names_no_encoding_of_texts_is_passed_over(declared: str) -> None:
    assert decode(KOREAN.encode("cp949"), declared=declared) == KOREAN
