"""Canonical English names for the headers that Korean firms write: 일자 → date, 지점코드 → store_code."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from ondol.config.names import identifier

WORDS = dict(
    pair.split("=")
    for pair in """
    일자=date 날짜=date 년월일=date 기준일=base_date 년월=month 연월=month 월=month 연도=year 년도=year 년=year
    일시=time 시간=time 요일=weekday 분기=quarter 매출일=sale_date 판매일=sale_date 거래일=trade_date
    입고일=receipt_date 출고일=ship_date 발주일=order_date 주문일=order_date 납기일=due_date 납기=due_date
    생산일=production_date 작업일=work_date 검사일=inspection_date 진료일=visit_date 입금일=payment_date
    등록일=created
    지점=store 점포=store 매장=store 지점명=store_name 매장명=store_name 점포명=store_name 지역=region 권역=region
    본부=division 사업부=division 부서=department 팀=team 거래처=partner 업체=vendor 공급처=supplier 고객=customer
    회원=member 담당자=manager 담당=manager 성명=person 이름=name 사원=employee 직원=employee 작업자=worker 공장=plant
    라인=line 설비=machine 공정=process 창고=warehouse 환자=patient 진료과=clinic 의사=doctor 의료진=doctor 병동=ward
    은행=bank 계좌=account
    품목=product 품명=product_name 상품=product 제품=product 상품명=product_name 제품명=product_name 품번=product_code
    자재=material 부품=part 규격=spec 모델=model 단위=unit 구분=category 분류=category 유형=kind 종류=kind 상태=state
    비고=note 적요=note 내용=content 항목=entry 계정=account 계정과목=account 바코드=barcode 전표=voucher 주문=order
    발주=purchase_order 영수증=receipt 로트=lot 채널=channel 보험=insurance 결제=payment 카드=card 현금=cash
    수량=quantity 단가=unit_price 금액=amount 매출액=sales 매출=sales 판매액=sales 판매=sale 매입=purchase
    매입액=purchases 공급가액=net_amount 공급가=net_amount 세액=vat 부가세=vat 합계=total 소계=subtotal 총액=total
    총=total 누계=cumulative 평균=average 할인=discount 할인액=discount 원가=cost 비용=cost 이익=profit 이익률=margin
    비율=share 률=rate 율=rate 건수=count 인원=people 명수=people 환자수=patients 객수=customers 객단가=basket
    입고=received 출고=shipped 재고=stock 반품=returned 생산=produced 불량=defect 양품=good 계획=plan 목표=target
    실적=actual 전년=last_year 전월=last_month 당월=this_month 전일=last_day 당일=today 증감=change 증감률=change_rate
    달성률=achievement 가동률=utilisation 잔액=balance 입금=deposit 출금=withdrawal 급여=salary 수입=income
    지출=expense 예산=budget 집행=spent 잔량=remaining 중량=weight 가격=price 판매가=price 순매출=net_sales
    총매출=gross_sales
    일보=daily 월보=monthly 주보=weekly 현황=status 보고=report 집계=summary 내역=detail 목록=list 명세=statement
    대장=register 코드=code 번호=number 명=name 수=count 액=amount 일=date 가=price 처=place 별= 순번=seq 연번=seq
    """.split()
)
"""The usual words of headers: when, who and where, what, how much, endings. The longest that fit count."""

LONGEST = max(map(len, WORDS))


def canonical(header: str) -> str:
    """A canonical name for a header text; Hangul that no word covers is romanised, empty if nothing is left."""
    text = re.sub(r"[(\[（].*?[)\]）]", " ", unicodedata.normalize("NFKC", header))
    text = re.sub(r"(?<![가-힣])(?:[가-힣] +)+[가-힣](?![가-힣])", lambda spaced: spaced[0].replace(" ", ""), text)
    parts = [part for word in re.findall(r"[A-Za-z][A-Za-z0-9]*|[0-9]+|[가-힣]+", text) for part in _split(word)]
    return identifier(" ".join(parts), longest=63)


def _split(word: str) -> list[str]:
    """The English words that one word is made of; the word itself where they do not cover all of it."""
    return list(_cover(word) or (word,)) if len(word) <= 40 else [word]


@lru_cache(maxsize=4096)
def _cover(word: str) -> tuple[str, ...] | None:
    """Words that make up all of it, the longest first that leave a rest which words make up too; None if none do."""
    if not word:
        return ()
    for length in range(min(LONGEST, len(word)), 0, -1):
        if word[:length] in WORDS and (rest := _cover(word[length:])) is not None:
            return (WORDS[word[:length]], *rest)
    return None
