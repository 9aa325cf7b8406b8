"""Mails: every way in which Korean, Japanese and English programs write them."""

from __future__ import annotations

import base64
import quopri
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import Options, convert, sample_text
from converters.formats.eml import field_text
from converters.model import Conversion
from converters.options import Limits
from tests.converters.formats.packing import CSV, zipped

ROWS = (("지점", "매출"), ("강남", "10"), ("서초", "20"))
TABLE = f"<table>{''.join(f'<tr><td>{a}</td><td>{b}</td></tr>' for a, b in ROWS)}</table>"
SENT = "Thu, 5 Feb 2026 09:00:00 +0900"
HEAD = f"From: =?UTF-8?B?6rmA7LKg7IiY?= <kim@hanbit.kr>\r\nTo: a@b.kr\r\nSubject: x\r\nDate: {SENT}\r\n"
PNG = "Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(30)).decode()


def mail(*parts: str | bytes, kind: str = "mixed", head: str = HEAD, edge: str = "=b") -> bytes:
    """A mail of parts, each with its own header fields, set apart by an edge."""
    coded = [part.encode() if isinstance(part, str) else part for part in parts]
    top = f'{head}MIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary="{edge}"\r\n\r\n'
    line = f"--{edge}".encode()
    return top.encode() + b"".join(line + b"\r\n" + part + b"\r\n" for part in coded) + line + b"--\r\n"


PART = "Content-Type: application/octet-stream; name=a.csv"


def attachment(fields: bytes | str, data: bytes = CSV, encoding: str = "base64") -> bytes:
    fields = fields.encode() if isinstance(fields, str) else fields
    body = base64.encodebytes(data) if encoding == "base64" else data
    return fields + f"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body


def paths(conversion: Conversion) -> list[tuple[str, ...]]:
    return [table.container[1:] for table in conversion.tables]


def b64(text: str, codec: str) -> str:
    return base64.b64encode(text.encode(codec)).decode()


def percent(text: str, codec: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode(codec))


NAME = "1월 매출현황(강남점).csv"
SPLIT = f'"=?EUC-KR?B?{b64(NAME[:5], "cp949")}?=\r\n =?EUC-KR?B?{b64(NAME[5:], "cp949")}?="'
QUOTED = percent(NAME, "utf-8").replace("%", "=")


@pytest.mark.parametrize(
    "fields",
    [
        f'Content-Disposition: attachment; filename="=?UTF-8?B?{b64(NAME, "utf-8")}?="',
        f'Content-Disposition: attachment; filename="=?ks_c_5601-1987?B?{b64(NAME, "cp949")}?="',
        f'Content-Type: application/octet-stream; name="=?euc-kr?B?{b64(NAME, "cp949")}?="',
        f"Content-Disposition: attachment;\r\n filename={SPLIT}",
        f"Content-Disposition: attachment; filename==?utf-8?B?{b64(NAME, 'utf-8')}",
        f'Content-Disposition: attachment; filename="=?utf-8?Q?{QUOTED}?="',
        f"Content-Disposition: attachment; filename*=UTF-8''{percent(NAME, 'utf-8')}",
        f"Content-Disposition: attachment; filename*=euc-kr''{percent(NAME, 'cp949')}",
        f"Content-Disposition: attachment; filename=____.csv; filename*0*=UTF-8''{percent(NAME[:3], 'utf-8')};\r\n"
        f" filename*1*={percent(NAME[3:], 'utf-8')}",
        b'Content-Disposition: attachment; filename="' + NAME.encode("cp949") + b'"',
        b"Content-Disposition: attachment; filename=" + NAME.encode(),
        f'Content-Disposition: attachment; filename="C:\\\\temp\\\\{NAME}"',
    ],
)  # fmt: skip
def test_every_way_to_write_a_korean_file_name_gives_it(fields: str | bytes) -> None:
    conversion = convert(mail("Content-Type: text/plain\r\n\r\nhello", attachment(fields)), name="m.eml")
    assert conversion.format == "eml" and conversion.state == "ok"
    assert paths(conversion) == [(NAME,)]


def test_characters_cut_by_line_breaks_between_encoded_words_are_whole() -> None:
    data = "지점별 매출".encode()
    halves = (base64.b64encode(data[:4]).decode(), base64.b64encode(data[4:]).decode())
    assert field_text(f"=?UTF-8?B?{halves[0]}?=\r\n =?UTF-8?B?{halves[1]}?=") == "지점별 매출"
    assert field_text("=?iso-2022-jp?B?GyRCR2Q+ZRsoQg==?= (1)") == "売上 (1)"
    assert field_text("=?x-unknown?Q?abc_def?=") == "abc def"
    assert field_text("매출".encode("cp949").decode("latin-1")) == "매출"


@pytest.mark.parametrize("charset", ["euc-kr", "ks_c_5601-1987", "utf-8", ""])
def test_tables_of_an_html_body_are_read_in_the_charset_of_the_mail(charset: str) -> None:
    codec = "utf-8" if charset == "utf-8" else "cp949"
    stated = f"; charset={charset}" if charset else ""
    body = f"<html><body>{TABLE}뷁</body></html>".encode(codec)
    head = f"{HEAD}MIME-Version: 1.0\r\nContent-Type: text/html{stated}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    [table] = convert(head.encode() + body, name="m.eml").tables
    assert table.container == ("m.eml", "body") and table.sheet == "body"
    assert table.columns[0].values == ["강남", "서초"]


def test_a_seven_bit_japanese_body_is_read() -> None:
    body = TABLE.replace("지점", "店舗").replace("매출", "売上").replace("강남", "銀座").replace("서초", "新宿")
    part = b"Content-Type: text/html; charset=iso-2022-jp\r\n\r\n" + body.encode("iso-2022-jp")
    [table] = convert(mail(part), name="m.eml").tables
    assert [c.path for c in table.columns] == [("店舗",), ("売上",)]


def test_of_two_forms_of_a_body_the_one_with_tables_counts_once() -> None:
    plain = "Content-Type: text/plain; charset=utf-8\r\n\r\n지점\t매출\n강남\t10\n서초\t20\n"
    page = f"Content-Type: text/html; charset=utf-8\r\n\r\n{TABLE}"
    assert len(convert(mail(plain, page, kind="alternative"), name="m.eml").tables) == 1
    bare = "Content-Type: text/html; charset=utf-8\r\n\r\n<p>지점 매출</p>"
    [table] = convert(mail(plain, bare, kind="alternative"), name="m.eml").tables
    assert table.columns[1].values == [10, 20] and table.container == ("m.eml", "body")


def test_prose_with_numbers_and_commas_gives_no_table() -> None:
    prose = "Hello,\n\nin 2025, sales were 10, in 2026, 20;\nsee you; at 10\n  -- \nKim, 010-1234-5678\nSeoul, Korea\n"
    conversion = convert(mail(f"Content-Type: text/plain\r\n\r\n{prose}"), name="m.eml")
    assert not conversion.tables and conversion.problems[0].code == "no_table"


def test_content_decides_what_an_attachment_is_and_numbers_name_the_nameless() -> None:
    image = "Content-Type: image/png\r\nContent-Disposition: attachment; filename=a.png"
    parts = [attachment(image, zipped(("b.csv", CSV))), attachment("Content-Type: application/octet-stream")]
    assert paths(convert(mail(*parts), name="m.eml")) == [("a.png", "b.csv"), ("attachment 2",)]


def test_encodings_that_lie_are_seen_through() -> None:
    raw = attachment(PART.replace("a.csv", "raw.zip"), zipped(("a.csv", CSV)), "binary")
    claimed = raw.replace(b"binary", b"base64").replace(b"raw.zip", b"claimed.zip")
    unstated = PART.replace("a.csv", "unstated.csv").encode() + b"\r\n\r\n" + base64.encodebytes(CSV * 9)
    footer = attachment(PART.replace("a.csv", "footer.csv")) + b"\r\n\r\nScanned by a virus scanner\r\n"
    quoted = attachment(PART.replace("a.csv", "quoted.csv"), quopri.encodestring(CSV), "quoted-printable")
    conversion = convert(mail(raw, claimed, unstated, footer, quoted), name="m.eml")
    assert paths(conversion) == [
        ("raw.zip", "a.csv"), ("claimed.zip", "a.csv"), ("unstated.csv",), ("footer.csv",), ("quoted.csv",)
    ]  # fmt: skip


def test_an_attached_mail_is_a_container_of_its_own() -> None:
    inner = mail(f"Content-Type: text/html; charset=utf-8\r\n\r\n{TABLE}", attachment(PART), edge="inner")
    forwarded = "Content-Type: message/rfc822; name=fwd.eml"
    plain = mail(f"{forwarded}\r\n\r\n".encode() + inner, attachment(PART))
    assert paths(convert(plain, name="m.eml")) == [("fwd.eml", "body"), ("fwd.eml", "a.csv"), ("a.csv",)]
    coded = mail(attachment(forwarded, inner))
    assert paths(convert(coded, name="m.eml")) == [("fwd.eml", "body"), ("fwd.eml", "a.csv")]


def test_mails_in_mails_end_at_the_limit() -> None:
    inner = mail(attachment(PART))
    for level in range(3):
        inner = mail(b"Content-Type: message/rfc822\r\n\r\n" + inner, edge=f"level {level}")
    assert convert(inner, name="m.eml").state == "ok"
    conversion = convert(inner, name="m.eml", options=Options(limits=Limits(max_nesting=3)))
    assert [p.code for p in conversion.problems] == ["over_limit"]


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (f"Content-Type: image/png; name=logo.png\r\nContent-ID: <x>\r\n{PNG}", "inline"),
        ("Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nabc", "signature"),
        ("Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR", "calendar"),
        ("Content-Type: text/plain; name=kim.vcf\r\n\r\nBEGIN:VCARD\r\nFN:Kim;Chul\r\nEND:VCARD", "card"),
        (f"Content-Type: image/png; name=도장.png\r\nContent-Disposition: attachment\r\n{PNG}", "an image"),
    ],
)  # fmt: skip
def test_what_mails_carry_along_is_a_notice(part: str, reason: str) -> None:
    conversion = convert(mail(part, attachment(PART)), name="m.eml")
    assert conversion.state == "ok" and len(conversion.tables) == 1
    assert any(reason in notice.message for notice in conversion.notices)


def test_a_signed_mail_is_read_through() -> None:
    signature = "Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n-----BEGIN PGP SIGNATURE-----"
    body = f"Content-Type: text/html; charset=utf-8\r\n\r\n{TABLE}"
    conversion = convert(mail(body, signature, kind="signed"), name="m.eml")
    assert conversion.state == "ok" and paths(conversion) == [("body",)]


@pytest.mark.parametrize(
    "data",
    [
        mail("Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1", kind="encrypted"),
        mail("Content-Type: text/plain\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nabc"),
        mail(attachment("Content-Type: application/pkcs7-mime; name=smime.p7m",
                        b"\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03" + bytes(30))),
    ],
)  # fmt: skip
def test_an_encrypted_mail_needs_its_receiver(data: bytes) -> None:
    conversion = convert(data, name="m.eml")
    assert conversion.state == "needs_password" and "receiver" in conversion.problems[0].remedy


def test_what_is_not_read_is_a_problem_beside_the_rest() -> None:
    parts = [attachment("Content-Type: application/ms-tnef; name=winmail.dat", b"\x78\x9f\x3e\x22" + bytes(40)),
             attachment(PART)]  # fmt: skip
    conversion = convert(mail(*parts), name="m.eml")
    assert conversion.state == "partial" and paths(conversion) == [("a.csv",)]
    assert "TNEF" in conversion.problems[0].message and conversion.problems[0].where == "winmail.dat"


def test_a_mail_that_lost_its_parts_says_so() -> None:
    whole = mail(attachment(PART))
    conversion = convert(whole.replace(b"--=b", b"--=c"), name="m.eml")
    assert conversion.state == "quarantined" and "cut off" in conversion.problems[0].remedy


def test_a_sample_says_subject_sender_and_date_and_the_file_names() -> None:
    head = HEAD.replace("Subject: x", f"Subject: =?ks_c_5601-1987?B?{b64('1월 매출일보', 'cp949')}?=")
    text = sample_text(mail(attachment(PART), head=head), "m.eml")
    assert text.splitlines()[:3] == ["Subject: 1월 매출일보", "From: 김철수 <kim@hanbit.kr>", f"Date: {SENT}"]
    assert "a.csv" in text.splitlines() and "지점\t매출" in text


@pytest.mark.parametrize("codec", ["utf-16", "utf-8-sig"])
def test_a_mail_that_was_saved_as_another_text_is_one(codec: str) -> None:
    data = mail(attachment(PART)).decode().encode(codec)
    assert paths(convert(data, name="m.eml")) == [("a.csv",)]


def test_a_mail_with_pictures_is_no_web_archive() -> None:
    data = mail(f"Content-Type: text/html; charset=utf-8\r\n\r\n{TABLE}", kind="related")
    assert convert(data, name="m.eml").format == "eml"


def test_thousands_of_parts_and_of_nested_boundaries_end_quickly() -> None:
    started = time.process_time()
    many = convert(mail(*["Content-Type: text/plain\r\n\r\nx"] * 20_000), name="m.eml")
    deep = HEAD.encode() + b"".join(
        f"Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n".encode() for i in range(3000)
    )
    conversion = convert(deep, name="m.eml")
    assert time.process_time() - started < 20
    assert many.problems[0].code == "no_table"
    assert conversion.problems[0].code in ("over_limit", "broken_file")


ODD = ["=?", "?=", "?B?", "?Q?", "utf-8", "hex", "=", '"', ";", "*0*=", "*=", "''", "\r\n ", "\x00"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=6))))
def test_no_header_field_defeats_the_reader(pieces: list[str]) -> None:
    value = "".join(pieces).encode("utf-8", "replace").decode("latin-1")
    assert isinstance(field_text(value), str)
    fields = f"Content-Disposition: attachment; filename{value}".encode("latin-1")
    data = mail(attachment(fields), f"Content-Type: text/html; charset{''.join(pieces)}\r\n\r\n{TABLE}")
    assert "converter_defect" not in [p.code for p in convert(data, name="m.eml").problems]
