"""The words that tables are recognised by, in Korean, English and Japanese. Data only, and the tests on one text.

Every test takes the text as written; white space, full-width forms and decoration around it do not matter.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

Measure = Literal["rate", "count", "money", "id"]

NULL_MARKS = frozenset(
    word.replace("_", " ")
    for word in """
    - -- --- – — ― ー － ‐ − ─ ━ ㅡ ⎯ ･ ・ · ㆍ . .. ... … N/A n/a N/a N.A. NA n.a. n.a
    NULL null (null) <NULL> none nil NaN nan 해당없음 해당_없음 해당사항없음 해당사항_없음 該当なし 該当_なし なし
    """.split()
)
ERRORS = frozenset(
    """
    #DIV/0! #N/A #NAME? #NULL! #NUM! #REF! #VALUE! #GETTING_DATA #SPILL! #CALC! #FIELD! #BLOCKED! #UNKNOWN!
    #CONNECT!
    """.split()
)
UNKNOWN_MARKS = frozenset("미정 미확정 미집계 미입력 집계중 TBD TBA tbd tba 未定 未確定".split())
"""Texts that hold the place of a figure which is not known yet."""

DECORATION = " \t\r\n\u00a0\u3000*·ㆍ•■□▣▶▷►◆◇●○◎★☆▪▫※→-–—_=~:："
MARKER = re.compile(r"^[\s\u3000]*[■□▣▶▷►◆◇●○◎★☆▪▫]+[\s\u3000]*")
WRAPPED = re.compile(r"^[\[【〔<〈《［＜](.*)[\]】〕>〉》］＞]$", re.S)

_TOTALS = frozenset(
    """
    소계 합계 총계 총합계 전체합계 계 합 총합 중계 subtotal total totals grandtotal sum subtotals 小計 合計
    総計 総合計 中計 計 總計 合计 日計 月計
    """.split()
)
_GROUP_TOTAL = (
    r"(?:거래처|품목|품번|지점|점포|매장|부서|팀|지역|본부|사업부|라인|공장|분류|그룹|업체|일자?|월|주|분기|반기)계"
)
_INNER = re.compile(rf"소계|중계|subtotal|小計|中計|^{_GROUP_TOTAL}$", re.I)
_TOTAL_SUFFIX = re.compile(r"(?:소계|합계|총계|小計|合計|総計|subtotal|grandtotal)$|[\s_/·)\]>-](?:계|total|計)$", re.I)
_TOTAL_PREFIX = re.compile(
    r"^(?:grand\s+|sub\s*-?\s*)?total\b(?!ly)|^(?:합계|소계|총계|合計|小計|総計)\s*[(（\[:：]", re.I
)
_PERIOD_TOTALS = frozenset("일계 월계 주계 日計 月計".split())
_RUNNING = frozenset("누계 누적 累計".split())
TOTAL_HINT = re.compile(r"계|합|計|合|總|총|total|sum|[Ａ-ｚ]", re.I)
"""What is in every word of a total, to tell columns without one at once."""
_MAYBE_TOTAL = re.compile(
    r"누계|累計|누적|합계|合計|total|전체|^전사$|연간|년간|분기|반기|총액|총금액|총매출|총\s|총수|[가-힣]계$|計$|^q[1-4]$|^[1-4]q|^[1-4]분기|^h[12]$|half|quarter|ytd|year|annual|cumulative|net|全体|総額|年間|上期|下期|四半期|^all$|통합",
    re.I,
)

_RATE = re.compile(
    r"(?<!환)[율률]$|[율률]\s*[(\[（%]|비율|비중|구성비|점유비|구성비|진도|%|％|퍼센트|퍼센티지|ratio|\brate\b|percent|\bpct\b|share\b|yield|(?<!為替)率$|構成比|前年比|前期比|達成度",
    re.I,
)
_RATE_LIKELY = re.compile(r"[가-힣]비$|대비|신장|성장|yoy|mom|qoq|growth|margin|比$", re.I)
_FIGURES = re.compile(
    r"계획|실적|목표|예산|집행|증감|차이|누계|누적|[당전금]월|[당전]기|전년|\d\s*[월분月]|분기|반기|^(?:19|20)\d\d년?도?$|평균|"
    r"plan|actual|budget|forecast|target|total|計画|実績|予算|[当前]月|[当前]期|累計|月$",
    re.I,
)
_RATE_MAYBE = re.compile(
    r"대비|전년비|전월비|전주비|전기비|신장|성장|증감|yoy|mom|qoq|growth|margin|change|比$|Δ|△", re.I
)
_COUNT = re.compile(
    r"수량|건수|인원|명수|개수|횟수|매수|대수|점포수|매장수|객수|재고|물량|입고|출고|판매량|생산량|사용량|투입량|불량|시간|일수|중량|무게|점수|지수|계수|환율|온도|습도|길이|면적|용량|거리|부피|고객|회원|방문|환자|병상|"
    r"[가-힣]수$|[가-힣]량$|qty|quantit|count|units?\b|headcount|people|persons|orders|visits|hours|days|volume|weight|length|\barea|pcs|"
    r"数量|件数|人数|個数|台数|枚数|在庫|客数|点数|時間|日数|重量|面積",
    re.I,
)
_MONEY = re.compile(
    r"금액|매출|매입|[가-힣]액$|비용|원가|이익|손익|손실|단가|가격|[가-힣]가$|급여|임금|상여|예산|집행|대금|세액|부가세|공급가|수수료|자산|부채|자본|잔액|[가-힣]비$|수익|수입|[가-힣]료$|"
    r"amount|sales|revenue|cost|profit|price|expense|income|budget|balance|金額|売上|原価|利益|単価|費$|予算|価格|残高",
    re.I,
)
_ID = re.compile(
    r"^(?:no\.?|#|순번|번호|연번|순위|rank|년|연도|년도|회계연도|year|월|month|일|day|번|차수|회차|코드|나이|연령|age|年|年度|月|番号|順位)$|코드$|번호$|\bcode\b|(?<![a-z])id$|コード$|番号$",
    re.I,
)
_COUNT_ROW = re.compile(
    r"수량$|건수$|인원$|인원수$|명수$|개수$|횟수$|고객수$|객수$|점포수$|매장수$|판매량$|생산량$|직원\s*수$|qty$|quantity$|headcount|件数$|人数$|数量$|客数$",
    re.I,
)
_CODE_HEADER = re.compile(
    r"코드|[가-힣]\s*번호$|품번|계좌|전화|연락처|휴대폰|핸드폰|팩스|우편|사번|학번|주민|사업자|법인|송장|운송장|바코드|시리얼|"
    r"code|\bsku\b|phone|\btel\b|fax|\bzip\b|postal|account|serial|isbn|\bean\b|\blot\b|"
    r"(?<![a-z])id$|\bid\b|(?:[a-z][\s_]+|[가-힣][\s_]*)(?:no\.?|nbr\.?|#)$|[a-z][\s_]+number$|"
    r"コード|品番|口座|電話|郵便|[一-龥]番号$|ロット",
    re.I,
)
_COUNTER_HEADER = re.compile(r"^(?:no\.?|#|순번|번호|연번|연번호|순서|번|nr\.?|項番|番号|№)$", re.I)
_PERIOD_LABEL = re.compile(
    r"^(?:기준|귀속|정산|대상|회계|매출|거래|급여|작업|対象|計上)?(?:연도|년도|년|연월|년월|월|일|분기|주차|회계연도|시간대?|연령대?|year|month|quarter|week|day|hour|date|年度?|月|日|年月|日付)$",
    re.I,
)
_DATE_HEADER = re.compile(
    r"일자|날짜|일시|일$|일[(（]|(?<![a-z])dates?(?![a-z])|[a-z]Date\b|\bETA\b|\bETD\b|日付|年月日|日時|[一-龥]日$|期日|期限"
)

_SPECIFICATION = re.compile(r"규격|사양|사이즈|모델|spec|model|\bsize|型番|規格", re.I)
_UNIT_HEADERS = frozenset(["단위", "単位", "unit", "units", "uom"])
_GROUP_HEADERS = frozenset(
    """
    구분 항목 품목 품명 제품 상품 과목 계정과목 계정 부서 부서명 본부 팀 지점 지점명 점포 매장 공장 라인 지역
    권역 거래처 업체 업체명 분류 종류 채널 브랜드 사업부 item items product category account department division
    team branch store region customer vendor channel plant line 区分 項目 品目 品名 商品 科目 勘定科目 部門 部署
    店舗 支店 地域 工場 取引先 得意先
    """.split()
)
_SIGN_OFF = frozenset(
    """
    결재 결 재 담당 담당자 팀장 부장 과장 차장 대리 이사 상무 전무 대표 대표이사 사장 본부장 실장 검토 승인
    작성 기안 확인 합의 원장 점장 지점장 부서장 파트장 반장 공장장 센터장 그룹장 계장 주임 국장 承認 確認
    担当 作成 係長 課長 部長 社長 検印 審査 prepared preparedby reviewed reviewedby approved approvedby
    checked checkedby
    """.split()
)

_TITLE = re.compile(
    r"현황|보고|일보|주보|월보|실적|내역|명세|집계|분석|계획|대장|일람|통계|요약|손익|매출|재고|목록|[가-힣]표$|지표|예산|"
    r"report|summary|statement|sales|overview|analysis|list\b|一覧|報告|日報|月報|実績|集計|売上|明細|[一-龥]表$",
    re.I,
)
_HEADING = re.compile(
    r"^\s*(?:[■□▣▶◆◇●○◎★☆▪]|\d{1,2}(?:[.)]|-\d)|[가-하][.)]|[ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ]+[.)]|[A-Z][.)]|\[|【|<)\s*\S"
)

_SPACED = re.compile(r"[가-힣](?: +[가-힣]){2,}")
_NOTE = re.compile(
    r"^[\s\-–—=~*<(\[]*이하\s*여백|^\s*[(（]\s*(?:vat|부가(?:가치)?세)\s*(?:별도|포함|제외|불포함)\s*[)）]\s*$|"
    r"^\s*(?:[※＊*✱☞]|주\s*\d*\s*[):.：]|\(주\s*\d*\)\s|주석|[(（]?注\s*\d*\s*[)）:：.]|비고\s*[:：]|참고|출처|자료\s*[:：]|source|notes?\s*[:.：]|출력|작성\s*[:：]|인쇄|이하\s*여백|이상\s*[.]?$|끝\s*[.]?$|以上|備考\s*[:：]|출처\s*[:：]|\(?unaudited)|"
    r"^.{0,20}(?:자료|내역|데이터|결과|내용|건)[이가은는]?\s*(?:없습니다|없음|존재하지 않습니다)\s*\.?$|"
    r"^\s*no (?:data|records?|results?|rows?|transactions?)\b.{0,30}$|"
    r"^.{0,20}(?:データ|明細|結果)[はが](?:ありません|ない)",
    re.I,
)
_COUNT_LINE = re.compile(
    r"^\s*[\[(<]?\s*(?:총|합계|전체|조회\s*건수|조회\s*결과|검색\s*결과|계|total|count|全|合計)?\s*[:：]?\s*(?:총|전체)?\s*[\d,]+\s*(?:건|개|명|행|rows?|records?|items?|entries|件|行)\s*(?:이|의|가)?\s*(?:조회|검색|선택|출력|returned|selected|found|affected)?.{0,12}$",
    re.I,
)
_PAGE = re.compile(
    r"^\s*(?:-\s*\d+\s*-|(?:page|페이지|쪽)\s*[:.]?\s*\d+(?:\s*(?:of|/)\s*\d+)?|\d+\s*/\s*\d+\s*(?:page|쪽|페이지)?|\d+\s*(?:쪽|페이지|ページ))\s*$",
    re.I,
)
_KEY_VALUE = re.compile(r"^\s*[^\s:：(\[（][^:：(\[（\n]{0,24}[:：](?!\d\d\b)")


@lru_cache(maxsize=65536)
def bare(text: str) -> str:
    """Folded to compare words by: NFKC, no decoration around, no white space, lower case."""
    text = unicodedata.normalize("NFKC", text).strip(DECORATION)
    if found := WRAPPED.match(text):
        text = found[1]
    return re.sub(r"\s+", "", text).lower()


def totals_among(texts: set[str]) -> set[str]:
    """Those of many texts that is_total; beside totals of days or months (월계), 누계 is one, too."""
    found = {text for text in texts if TOTAL_HINT.search(text) and is_total(text)}
    if not _PERIOD_TOTALS.isdisjoint(map(bare, found)):
        found |= {text for text in texts if bare(text) in _RUNNING}
    return found


@lru_cache(maxsize=8192)
def is_total(text: str) -> bool:
    """The text says that what it heads is a sum: 소계, 합계, Grand Total, 수도권 소계, 合計(A+B)."""
    if len(text) > 40:
        return False
    word = bare(text)
    if re.fullmatch(_GROUP_TOTAL, word):
        return True
    if word in _TOTALS or re.sub(r"[(\[].*$", "", word) in _TOTALS:
        return True
    plain = unicodedata.normalize("NFKC", text).strip(DECORATION)
    return bool(_TOTAL_SUFFIX.search(plain) or _TOTAL_PREFIX.search(plain))


def is_inner_total(text: str) -> bool:
    """The total of one group, not of everything: 소계, subtotal, 小計."""
    return bool(_INNER.search(bare(text)))


def may_be_total(text: str) -> bool:
    """The text may head a sum (누계, 1분기, 연간): only arithmetic can tell."""
    return len(text) <= 30 and bool(_MAYBE_TOTAL.search(unicodedata.normalize("NFKC", text).strip(DECORATION)))


@lru_cache(maxsize=8192)
def measure(text: str) -> Measure | None:
    """What kind of figure a header text speaks of, by its words."""
    word = bare(re.sub(r"\s*\n\s*", "", text))
    head = re.sub(r"[(\[（].*$", "", word) or word
    plain = unicodedata.normalize("NFKC", text).lower()
    if _RATE.search(head) or _RATE.search(plain) or re.search(r"[(\[（][%％][)\]）]$", word):
        return "rate"
    if _ID.search(head) or _ID.search(plain):
        return "id"
    count, money = (max((m.end() for m in words.finditer(head)), default=0) for words in (_COUNT, _MONEY))
    if not count and not money:
        return None
    return "count" if count > money else "money"  # what stands last is meant: 재고금액 is money, 매출건수 a count


def may_be_rate(text: str) -> bool:
    """전년대비, 신장, growth: a rate or a difference; the figures must tell."""
    return bool(_RATE_MAYBE.search(bare(text)))


def is_likely_rate(text: str) -> bool:
    """전년비, growth: a rate if the figures are small."""
    return bool(_RATE_LIKELY.search(bare(text)))


def speaks_of_figures(text: str) -> bool:
    """What is below counts or measures, whatever it may be: 계획, 1월, Q1, 합계."""
    return bool(_FIGURES.search(bare(text))) or is_total(text)


def is_count_label(text: str) -> bool:
    """A row label that speaks of a count (판매수량): money units do not hold there."""
    return bool(_COUNT_ROW.search(bare(text)))


def is_code_header(text: str) -> bool:
    """What is below is an identifier, never a quantity: 지점코드, 전화번호, SKU."""
    return bool(_CODE_HEADER.search(unicodedata.normalize("NFKC", text)))


def is_specification_header(text: str) -> bool:
    """What is below describes a thing in letters and digits (18L, M8): 규격, 모델."""
    return bool(_SPECIFICATION.search(bare(text)))


def is_counter_header(text: str) -> bool:
    """A column that numbers its rows: No., 순번."""
    return bool(_COUNTER_HEADER.match(bare(text)))


def is_group_header(text: str) -> bool:
    """A column that names what its rows are about: 구분, 품목, 거래처, account."""
    return bare(text) in _GROUP_HEADERS


def is_header_word(text: str) -> bool:
    """The text names a column, whatever is below it: 지점코드, 일자, 수량, 금액."""
    tests = (is_group_header, is_counter_header, is_unit_header, is_period_label, is_date_header, is_code_header)
    return measure(text) is not None or any(test(text) for test in tests)


def is_unit_header(text: str) -> bool:
    """A column that gives the unit of its row: 단위, UoM."""
    return bare(text) in _UNIT_HEADERS


def is_period_label(text: str) -> bool:
    """A column that says the period of its row (연도, 월): a label even if it holds numbers."""
    return bool(_PERIOD_LABEL.match(bare(text)))


def is_date_header(text: str) -> bool:
    """A column that holds dates, so that 20260115 is one."""
    plain = unicodedata.normalize("NFKC", text)
    return bool(_DATE_HEADER.search(plain) or _DATE_HEADER.search(plain.lower()))


def is_sign_off(text: str) -> bool:
    """A word of the box in which a report is signed: 결재, 담당, 팀장."""
    return bare(text) in _SIGN_OFF


def is_note(text: str) -> bool:
    """A footnote, a count line or a page number: beside a table, never in it."""
    return bool(_NOTE.match(text) or _COUNT_LINE.match(text) or _PAGE.match(text))


def is_page_number(text: str) -> bool:
    """- 3 -, page 3 of 5, 3쪽."""
    return bool(_PAGE.match(text))


def is_key_value(text: str) -> bool:
    """A fact about the whole, no header: "조회일자: 2026-01-31"."""
    return bool(_KEY_VALUE.match(text))


def is_title_like(text: str) -> bool:
    """It names a report (현황, statement) or is numbered, marked or spaced (견 적 서); a name or company is not."""
    return bool(_TITLE.search(text) or _HEADING.match(text) or _SPACED.fullmatch(text))


def undecorated(text: str) -> str:
    """The words of a section row: "■ 수도권", "[수도권]" → "수도권"."""
    text = MARKER.sub("", text).strip()
    found = WRAPPED.match(text)
    return (found[1].strip() if found else text) or text
