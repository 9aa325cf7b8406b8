"""Units: which texts are one, and what notes, headers and number formats state."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal, NamedTuple

from converters.scales import CURRENCIES
from converters.scales import unit as scale_of
from converters.tables.words import measure

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
    건/일 명/일 세 歳 h hr min sec km/h kph rpm tco2 tco2eq co2eq cal wh gwh 주 좌 계좌
    """.split()
)
_RATES = frozenset("% ％ %p ％p %pt pt 퍼센트 percent 배 割 비율 ‰ bp bps pp".split())
_NAMES = frozenset(
    """
    월 일 년 분 초 개월 시간 호 층 대 인 회 점 장 권 판 두 도 모 단 실 석 정 알 포 본 필 벌 조 천 학급 박
    회/일 세 歳 h hr min sec 주 좌 t l m k g w b 人 名 回 日 台 本 枚 冊 個 points point days day hours hour
    """.split()
)
"""After a figure these make names, ages, dates and sizes: 10대, 3층, 1월, 18L."""

_RARE = frozenset("정 단 도 모 두 층 호 실 석 본 벌 필 포 알 주 좌 w b g k m t l".split())
"""Of those, what in brackets is a unit only behind a word for a quantity: 직원(정) are regular staff."""

_TIMES = frozenset("월 일 년 日 月 年 回/日 회/일 days day".split())
_CLOCK = frozenset("분 초 시간 개월 時間 hours hour h hr min sec".split())
_TIME_WORDS = re.compile(
    r"기간|시간|일수|연한|연수|개월|소요|근속|경력|납기|연차|period|days|hours|term|time|期間|時間|日数", re.I
)
_BRACKET = re.compile(r"[(\[（［<〈【]\s*([^()\[\]（）［］<>〈〉【】]{1,40}?)\s*[)\]）］>〉】]")
_LABEL = r"(?:단\s*위|単\s*位|單\s*位|\bunits?|통\s*화|\bcurrency|通\s*貨)"
_LABELLED = re.compile(_LABEL + r"\s*(?:[:：;=]|\bin\b|\s)\s*(?:in\s+)?((?:[^()\]）］>〉】\n]|\([^()]*\)){1,60})", re.I)
_SCALE = r"(?:thousands?|millions?|billions?)"
_ENGLISH = re.compile(
    r"(?:^|[(\[（,]|\b(?:amounts?|figures?|values?|numbers?|expressed|stated|presented|dollars)\s+(?:are\s+)?(?:\w+\s+)?)"
    r"\s*(?:in\s+([A-Za-z$€£¥₩'][\w$€£¥₩' ]{0,30})|((?:[A-Z]{2,3}\$?|[$€£¥₩]|won|yen)\s+in\s+"
    + _SCALE
    + r"))(?=\s*(?:[)\]）,.;]|$))",
    re.I,
)
_ASIDE = re.compile(r"vat|부가세|세금|반올림|절사|[별포]|税|except|excl|incl", re.I)
_NAMED = re.compile(r"(?P<about>[^\d\s:：=(（-][^:：=(（-]{0,11}?)\s*(?:[:：=-]|\s)\s*(?P<unit>\S.*)")
_NAMED_AFTER = re.compile(r"(?P<unit>[^(（]+?)\s*[(（](?P<about>[^()（）]+)[)）]")
_SEPARATOR = re.compile(r"[，、·ㆍ;&]|,(?!\d{3})|\s+및\s+|/")
_WITHOUT_BRACKETS = re.compile(r"(?P<about>.*\S)\s*(?:[/:：,]\s*|\s)(?P<unit>[^\s/:：,()（）]+)", re.S)


UNSURE = 0.5
"""What is stated so holds only where the words of a table or a column agree."""


class Stated(NamedTuple):
    """A unit that something states, and what it states it of.

    Args:
        about: the measure that it is said of ("매출" of "매출-백만원"); "" for all that it fits.
        because: what states it, for people.
        sure: 0 to 1.
    """

    unit: str
    about: str = ""
    because: str = ""
    sure: float = 1.0


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
    over, slash, under = word.partition("/")
    if not slash:
        scale = scale_of(word)
        return "money" if scale and scale.kind in CURRENCIES else None
    if over and under and "/" not in under and (kind_of_unit(under) or under in ("월", "일", "년", "주")):
        return kind_of_unit(over)
    return None


def is_unit(text: str) -> bool:
    """The text is a unit that may follow a figure: 명, 천원, kg; not one that makes a name of it (10대, 3층, 18L)."""
    word = folded(text)
    return kind_of_unit(word) is not None and word not in _NAMES


def unit_in_brackets(text: str) -> str | None:
    """The unit that a header states: "금액(원)", "수량 EA"; "매출(계획)" and "급여(월)" state none."""
    for found in reversed(list(_BRACKET.finditer(text))):
        inner, about = found[1], text[: found.start()]
        inner = re.sub(rf"^{_LABEL}\s*[:：]?\s*|^in\s+", "", inner, flags=re.I)
        units = split_units(inner)
        if units and _holds(units[0], about, labelled=inner != found[1]):
            return units[0]
    bare = _WITHOUT_BRACKETS.fullmatch(text.strip())
    if bare and is_unit(bare["unit"]) and kind_of_unit(bare["unit"]) == measure(bare["about"]):
        return bare["unit"]
    return None


def _holds(unit: str, about: str, *, labelled: bool) -> bool:
    """The bracket behind these words is a unit: 기간(일) and 판매(대), but not 급여(월) or 직원(정)."""
    word = folded(unit)
    if labelled or word not in _NAMES:
        return True
    if not about.strip():
        return word not in _RARE
    kind = measure(about)
    if word in _TIMES:
        return bool(_TIME_WORDS.search(about))
    if word in _CLOCK:
        return True
    if kind_of_unit(unit) == "money":
        return kind == "money"
    return word in about or kind == "count" or (kind in (None, "id") and word not in _RARE)


def split_units(text: str) -> list[str]:
    """The units of a list: "천원, %" → both; "원/kg" is one; [] if any part is none."""
    return [stated.unit for stated in _split(text)]


def _split(text: str) -> list[Stated]:
    """Asides ("VAT 별도") are no units and no hindrance."""
    text = text.strip().strip(".")
    if kind_of_unit(text) and not _is_two(text):
        return [Stated(text)]
    parts = [part for part in map(str.strip, _SEPARATOR.split(text)) if part]
    parts = [part for part in parts if kind_of_unit(part) or not _ASIDE.search(part)]
    found = [_named(part) for part in parts]
    return [stated for stated in found if stated] if all(found) else []


def _named(part: str) -> Stated | None:
    """천원 · 금액-천원 · 금액 천원 · 천원(금액)."""
    if kind_of_unit(part):
        return Stated(part)
    for pattern in (_NAMED, _NAMED_AFTER):
        if (found := pattern.fullmatch(part)) and kind_of_unit(found["unit"]):
            return Stated(found["unit"].strip(), re.sub(rf"\s*{_LABEL}$", "", found["about"].strip()))
    return None


def _is_two(text: str) -> bool:
    """Tells "대/천원", which lists two units, from "원/kg", which is one."""
    if "/" not in text:
        return False
    over, under = text.split("/", 1)
    return kind_of_unit(over) == "count" and kind_of_unit(under) == "money"


def units_in_note(text: str) -> list[str]:
    """The units that a text beside a table states: "(단위: 천원, %)", "[単位：百万円]", "(in thousands of USD)"."""
    return [stated.unit for stated in stated_in_note(text)]


def stated_in_note(text: str) -> list[Stated]:
    """The same with what each is said of: "(단위: 매출-백만원, 인원-명)"."""
    if found := _LABELLED.search(text):
        stated = found[1].strip()
        if units := _split(re.sub(rf"\S*{_LABEL}\s*[:：]", "", stated)) or _split(
            re.split(r"[,，/]|\s{2,}", stated)[0]
        ):
            return units
        known = re.match(r"단|単|單", text[found.start() :]) and len(stated) <= 12 and re.search(r"\w", stated)
        return [Stated(stated)] if known else []
    if (found := _ENGLISH.search(text)) and kind_of_unit(unit := (found[1] or found[2]).strip()) == "money":
        return [Stated(unit)]
    alone = re.fullmatch(r"\s*[(\[（［<]\s*([^()\[\]（）<>]{1,30})\s*[)\]）］>]\s*", text)
    if alone and folded(alone[1]) not in _NAMES:
        return _split(alone[1])
    trailing = re.search(r"[(\[（]\s*([^()\[\]（）]{1,24})\s*[)\]）]\s*$", text)
    return _split(trailing[1]) if trailing and kind_of_unit(trailing[1]) == "money" else []


def is_labelled(text: str) -> bool:
    """The text says that it states a unit: 단위: 천원."""
    return bool(_LABELLED.search(text))


def is_unit_note(text: str) -> bool:
    """The text states the unit of a table and nothing else that matters: "(단위: 천원)"."""
    if len(text) > 60 or not units_in_note(text):
        return False
    rest = _ENGLISH.sub("", _LABELLED.sub("", text))
    return len(re.sub(r"[\s()\[\]（）［］<>*※:：]", "", rest)) <= 2 or bool(
        re.fullmatch(r"\s*[(\[（［].*[)\]）］]\s*", text)
    )
