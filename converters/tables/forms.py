"""Forms over tables: rows of a key and its value (거래처 | 한빛상사 | 작성일 | 2026-01-31), which head no column."""

from __future__ import annotations

import re
from collections.abc import Sequence

from converters.tables.words import bare, is_key_value, is_total, measure

RANGE = re.compile(r"[~∼〜\-–]|[~∼〜\-–]?\s*\d{4}[-./]\s?\d{1,2}[-./]\s?\d{1,2}\.?")
_KEYS = frozenset(
    """
    거래처 거래처명 업체 업체명 회사 회사명 상호 상호명 법인명 고객 고객명 고객사 공급자 공급받는자 발주처
    발주자 수주처 매입처 매출처 납품처 등록번호 사업자번호 사업자등록번호 법인번호 대표 대표자 대표자명 주소
    소재지 사업장주소 업태 종목 전화 전화번호 연락처 팩스 팩스번호 이메일 e-mail email 홈페이지 tel fax 담당
    담당자 담당자명 담당부서 작성 작성자 작성일 작성일자 작성부서 작성일시 보고자 보고일 보고일자 보고부서 부서
    부서명 소속 성명 직급 직위 사번 수신 수신자 참조 발신 발신자 제목 문서번호 관리번호 견적번호 견적일 견적일자
    발주번호 발주일 발주일자 주문번호 주문일 주문일자 전표번호 계약번호 계약명 계약일 계약기간 계약금액 공사명
    공사기간 현장 현장명 사업명 사업기간 과제명 프로젝트 프로젝트명 유효기간 납기 납기일 납품일 납품장소
    인도조건 결제조건 지급조건 입금계좌 계좌번호 은행 예금주 기간 조회기간 대상기간 집계기간 보고기간 기준일
    기준일자 기준월 기준년월 조회일 조회일자 조회일시 조회조건 조회자 출력일 출력일자 출력일시 출력자 일자 날짜
    년월 귀속월 귀속연월 지급일 발행일 발행일자 견적금액 총금액 합계금액 통화 환율 화폐 버전 비고 사업장 지점명
    점포명 공장명 customer client company vendor supplier billto shipto invoiceno invoicenumber invoicedate
    orderno ordernumber orderdate pono ponumber date reportdate period reportingperiod asof duedate terms
    paymentterms currency preparedby prepared approvedby department attention attn subject ref reference phone
    telephone address contact version project projectname from to 得意先 取引先 会社名 御中 宛先 件名 住所 電話
    電話番号 担当 担当者 部署 部署名 所属 氏名 作成者 作成日 報告日 対象期間 期間 集計期間 発行日 発行日付
    見積番号 見積日 注文番号 注文日 請求番号 請求日 納期 納入場所 支払条件 有効期限 通貨
    """.split()
)


def is_form_key(text: str) -> bool:
    """A word that asks for one value: 거래처, 작성일:, Invoice No."""
    return bare(text).strip(".") in _KEYS


def are_pairs(texts: Sequence[str]) -> bool:
    """Each key and what it asks for by turns, whatever that says: 제목 | 1월 출장비; so may be the header of a list."""
    turns = [is_form_key(text) for text in texts]
    return bool(turns) and turns == [True, False] * (len(turns) // 2)


def is_form_row(texts: Sequence[str]) -> bool:
    """Keys, each with its value at its right: 거래처 | 한빛상사 | 작성일 | 2026-01-31; a row of keys alone is none."""
    values = 0
    after_key = False
    for text in texts:
        if after_key and not is_form_key(text):
            if measure(text) or is_total(text):
                return False
            values, after_key = values + 1, False
        elif is_form_key(text):
            after_key = True
        elif values and RANGE.fullmatch(text):
            continue
        elif not is_key_value(text):
            return False
    return values > 0
