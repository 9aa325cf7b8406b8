"""What only a receiver's key opens says so; what is only signed is read through."""

from __future__ import annotations

import pytest

from converters import convert
from converters.formats.sealed import DATA, SIGNED
from tests.converters.formats.packing import CSV

ENVELOPED = b"\x30\x82\x01\x00" + SIGNED[:-1] + b"\x03\xa0\x81\x10" + bytes(30)


def element(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content


def signed(octets: bytes) -> bytes:
    inner = element(0x30, DATA + element(0xA0, octets))
    body = element(0x30, b"\x02\x01\x01" + element(0x31, b"") + inner)
    return element(0x30, SIGNED + element(0xA0, body))


@pytest.mark.parametrize(
    "data", [ENVELOPED, b"-----BEGIN PGP MESSAGE-----\n\nabc", b"\x76\xe8\x04\x60\xc4\x11\xe3\x86" + bytes(40)]
)
def test_what_is_encrypted_for_a_key_needs_one(data: bytes) -> None:
    conversion = convert(data, name="smime.p7m")
    assert conversion.state == "needs_password"
    assert "receiver" in conversion.problems[0].remedy


def test_signed_content_in_one_piece_or_many_is_read() -> None:
    whole = signed(element(0x04, CSV))
    pieces = signed(b"\x24\x80" + element(0x04, CSV[:20]) + element(0x04, CSV[20:]) + b"\x00\x00")
    for data in (whole, pieces):
        [table] = convert(data, name="a.p7m").tables
        assert table.container == ("a.p7m", "signed content")
        assert table.columns[1].values == [10, 20]


def test_signed_content_that_is_cut_off_is_broken() -> None:
    assert convert(signed(element(0x04, CSV))[:40], name="a.p7m").state == "quarantined"
