"""Addresses as people write them, and the dates of a certificate."""

from __future__ import annotations

import pytest

from agent.errors import UsageError
from agent.link.certificate import Validity, read
from agent.link.driver import looks_like_tls
from agent.link.peer import Peer, ae_title_problem, parse_peer


@pytest.mark.parametrize(
    ("text", "called", "host", "port"),
    [
        ("PACS@10.0.0.5:104", "PACS", "10.0.0.5", 104),
        ("My Archive@pacs.example.org:11112", "My Archive", "pacs.example.org", 11112),
        ("A@[fe80::1]:2762", "A", "fe80::1", 2762),
    ],
)
def test_address(text: str, called: str, host: str, port: int) -> None:
    peer = parse_peer(text)
    assert (peer.called_ae, peer.host, peer.port) == (called, host, port)
    assert str(peer) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("PACS", "is not AET@HOST:PORT"),
        ("PACS@host", "is not AET@HOST:PORT"),
        ("@host:104", "is empty"),
        ("SEVENTEEN_LETTERS@host:104", "longer than 16"),
        ("A\\B@host:104", "may hold"),
        ("A@host:0", "not a number from 1"),
        ("A@host:65536", "not a number from 1"),
        ("A@host:1x", "not a number from 1"),
        ("A@fe80::1:104", "needs brackets"),
    ],
)
def test_what_is_no_address(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_peer(text)


def test_ae_titles() -> None:
    assert ae_title_problem("ARCHIVE") == ""
    assert ae_title_problem("   ") == "is empty"
    assert "character" in ae_title_problem("TAB\tTAB")
    assert str(Peer("A", "::1", 104)) == "A@[::1]:104"


def _der(*elements: bytes) -> bytes:
    body = b"".join(elements)
    return bytes([0x30, 0x82]) + len(body).to_bytes(2, "big") + body


def test_validity_is_read_from_der() -> None:
    dates = _der(b"\x17\x0d260102030405Z", b"\x18\x0f20510102030405Z")
    key = _der(_der(b"\x06\x03\x2b\x65\x70"), b"\x03\x01\x00")
    sign = _der(b"\x06\x03\x2b\x65\x70")
    to_be_signed = _der(b"\xa0\x03\x02\x01\x02", b"\x02\x01\x07", sign, _der(), dates, _der(), key)
    found = read(_der(to_be_signed)).validity
    assert found == Validity("20260102030405Z", "20510102030405Z")
    assert found.problem("20260102030406Z") == ""
    assert found.problem("20520101000000Z") == "expired on 2051-01-02 03:04 UTC"
    assert "not valid before 2026-01-02" in found.problem("20250101000000Z")


@pytest.mark.parametrize("cut", range(1, 60))
def test_cut_certificate_is_told(cut: int) -> None:
    dates = _der(b"\x17\x0d260102030405Z", b"\x18\x0f20510102030405Z")
    whole = _der(_der(b"\xa0\x03\x02\x01\x02", b"\x02\x01\x07", _der(), _der(), dates))
    with pytest.raises(ValueError, match="certificate"):
        read(whole[:cut])


def test_tls_records_are_told_from_pdus() -> None:
    assert looks_like_tls(b"\x15\x03\x03")
    assert looks_like_tls(b"\x16\x03\x01")
    assert not looks_like_tls(b"\x02\x00\x00")
    assert not looks_like_tls(b"\x15")
