"""Units: which texts are one, and what notes, headers and number formats state."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

UnitKind = Literal["money", "count", "rate"]

_MONEY = frozenset(
    """
    원 천원 만원 십만원 백만원 천만원 억원 억 십억원 백억원 조원 조 원(krw) 천 백만 십억 krw usd jpy eur cny
    gbp 천달러 만달러 백만달러 억달러 달러 불 천불 백만불 유로 엔 천엔 백만엔 위안 won ₩ ￦ $ € £ ¥ ￥ 円
    千円 万円 百万円 十億円 億円 兆円 元 万元 천usd 백만usd us$ us$천 천us$ krwmillion krwbillion
    krwthousand usdthousand usdmillion usdbillion usdk usdm usd000 usd'000 $000 $'000 $k $m $mm $million
    $thousand $thousands $millions $billion krwmillions krwthousands jpymillion jpythousand eurmillion
    eurthousand eur000 thousand thousands million millions billion billions thousandsofusd millionsofusd
    thousandsofdollars millionsofdollars thousandsofwon millionsofwon millionsofyen thousandsofyen
    thousandusd millionusd millionkrw thousandkrw millionwon billionwon thousandwon millionyen billionyen
    inmillions inthousands krwmn krwbn usdmn usdbn mn bn k mm 천원/월 원/월
    """.split()
)
_COUNTS = frozenset(
    """
    명 인 개 건 대 장 매 권 회 통 병 박스 box ea set sets pcs pc pack 상자 마리 그루 세대 가구 개소 개사
    개점 점 족 벌 쌍 본 필 포 포대 캔 팩 롤 roll 봉 봉지 모 단 묶음 켤레 자루 알 정 앰플 톤 t ton tons kg g
    mg ㎏ ㎎ l ℓ ml ㎖ ㎘ kl m km ㎞ cm ㎝ mm ㎜ ㎡ m2 m² ㎥ m3 m³ 평 ha 필지 시간 분 초 일 개월 년 월 kwh
    mwh kw mw w kcal gj tj toe 人 名 個 件 台 枚 箱 冊 時間 回 日 本 袋 缶 units unit hours hrs hour days
    persons people each cases case kgs lbs lb oz 천명 만명 천개 만개 천대 만대 천톤 만톤 千人 千台 千個 박
    실 석 판 두 병상 명분 층 호 학급 대/월 개/월 점수 포인트 point points ppm rpm ℃ °c 도 mpa bar 회/일
    건/일 명/일
    """.split()
)
_RATES = frozenset("% ％ %p ％p %pt pt 퍼센트 percent 배 割 비율 ‰ bp bps pp".split())
_NAMES = frozenset(
    """
    월 일 년 분 초 개월 시간 호 층 대 인 회 점 장 권 판 두 도 모 단 실 석 정 알 포 본 필 벌 조 천 학급 박
    회/일 t l m k g w b 人 名 回 日 台 本 枚 冊 個 points point days day hours hour
    """.split()
)
"""After a figure these make names, ages, dates and sizes: 10대, 3층, 1월, 18L."""

_BRACKET = re.compile(r"[(\[（［<〈【]\s*([^()\[\]（）［］<>〈〉【】]{1,40}?)\s*[)\]）］>〉】]")
_LABELLED = re.compile(
    r"(?:단\s*위|単\s*位|單\s*位|\bunits?)\s*(?:[:：;=]|\bin\b|\s)\s*(?:in\s+)?([^)\]）］>〉】\n]{1,40})|[(\[（]\s*in\s+([A-Za-z$€£¥₩][^)\]）]{1,30})\s*[)\]）]|^\s*in\s+((?:thousands|millions|billions)\b[^)\]）]{0,25})",
    re.I,
)


def folded(text: str) -> str:
    """A unit to compare by: no white space, NFKC except for signs such as ㎡, lower case."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFC", text)).strip("()[]（）.,").lower()


@lru_cache(maxsize=8192)
def kind_of_unit(text: str) -> UnitKind | None:
    """What kind of unit a text is; None if it is none. "원/kg" is money."""
    word = folded(text)
    for words, kind in ((_MONEY, "money"), (_COUNTS, "count"), (_RATES, "rate")):
        if word in words:
            return kind  # type: ignore[return-value]
    if "/" in word:
        over, under = word.split("/", 1)
        if (
            over
            and under
            and "/" not in under
            and kind_of_unit(over)
            and (kind_of_unit(under) or under in ("월", "일", "년", "주"))
        ):
            return kind_of_unit(over)
    return None


def is_unit(text: str) -> bool:
    """The text is a unit that may follow a figure: 명, 천원, kg; not one that makes a name of it (10대, 3층, 18L)."""
    word = folded(text)
    return kind_of_unit(word) is not None and word not in _NAMES


def unit_in_brackets(text: str) -> str | None:
    """The unit that a header states in brackets: "금액(원)" → 원; "매출(계획)" → None."""
    for found in reversed(_BRACKET.findall(text)):
        if (
            found_units := units_in_note(f"단위:{found}")
            if re.match(r"단\s*위|単\s*位|unit", found, re.I)
            else split_units(found)
        ):
            return found_units[0]
    return None


def split_units(text: str) -> list[str]:
    """The units of a list: "천원, %" → both; "원/kg" is one; [] if any part is none."""
    text = text.strip().strip(".")
    if kind_of_unit(text):
        return [text] if not _is_two(text) else [part.strip() for part in text.split("/")]
    parts = [part.strip() for part in re.split(r"[,，、·ㆍ;&]|\s+및\s+|/(?!\w*$)|/", text) if part.strip()]
    parts = [re.sub(r"^[^:：]{1,12}[:：]\s*", "", part) for part in parts]
    return parts if parts and all(kind_of_unit(part) for part in parts) else []


def _is_two(text: str) -> bool:
    """Tells "대/천원", which lists two units, from "원/kg", which is one."""
    if "/" not in text:
        return False
    over, under = text.split("/", 1)
    return kind_of_unit(over) == "count" and kind_of_unit(under) == "money"


def units_in_note(text: str) -> list[str]:
    """The units that a text beside a table states: "(단위: 천원, %)", "[単位：百万円]", "(in thousands of USD)"."""
    if found := _LABELLED.search(text):
        stated = (found[1] or found[2] or found[3]).strip()
        if units := split_units(stated) or split_units(re.split(r"[,，/]|\s{2,}", stated)[0]):
            return units
        return [stated] if found[1] and re.match(r"단|単|單", text[found.start() :]) and len(stated) <= 12 else []
    alone = re.fullmatch(r"\s*[(\[（［<]\s*([^()\[\]（）<>]{1,30})\s*[)\]）］>]\s*", text)
    if alone and folded(alone[1]) not in {"인", "일", "월", "년", "호"}:
        return split_units(alone[1])
    trailing = re.search(r"[(\[（]\s*([^()\[\]（）]{1,24})\s*[)\]）]\s*$", text)
    return split_units(trailing[1]) if trailing and kind_of_unit(trailing[1]) == "money" else []


def is_unit_note(text: str) -> bool:
    """The text states the unit of a table and nothing else that matters: "(단위: 천원)"."""
    if len(text) > 60 or not units_in_note(text):
        return False
    rest = _LABELLED.sub("", text)
    return len(re.sub(r"[\s()\[\]（）［］<>*※:：]", "", rest)) <= 2 or bool(
        re.fullmatch(r"\s*[(\[（［].*[)\]）］]\s*", text)
    )
