"""Callers that misbehave at our listener before there is an association."""

from __future__ import annotations

import contextlib
import random
import socket
from typing import TYPE_CHECKING, Final

from fakes.misbehaviour.line import Line, item, raw_pdu, request_pdu, steps, with_body
from fakes.misbehaviour.row import PLAIN
from fakes.misbehaviour.row import Row as AnyRow

from agent.ul import pdu as pdus
from agent.ul.pdu import Abort, Fragment, ReleaseRequest

if TYPE_CHECKING:
    from collections.abc import Callable


REMOTE: Final = "protocol.remote"
UNTOUCHED: Final = "awaiting commitment"


def Call(name: str, play: Callable[[Line], None], code: str, **more: object) -> AnyRow:
    """Return a row of the listener: whatever the caller does, the instance waits for its report."""
    return AnyRow(name, play, code, **{"state": UNTOUCHED, "side": "listener", **more})  # type: ignore[arg-type]


def says(*data: bytes, endless: bool = False) -> Callable[[Line], None]:
    """The caller that says these bytes, once or for ever, and no more."""

    def play(line: Line) -> None:
        if endless:
            line.flood(b"".join(data))
        line.say(*data)
        line.silent()

    return play


def _context(number: int, syntaxes: int = 1) -> bytes:
    body = bytes([number, 0, 0, 0]) + item(0x30, b"1.2.840.10008.1.1")
    return item(0x20, body + item(0x40, b"1.2.840.10008.1.2") * syntaxes)


_REQUEST: Final = request_pdu()
_HEAD: Final = _REQUEST[6:74] + item(0x10, b"1.2.840.10008.3.1.1.1")
_USER: Final = item(0x50, item(0x51, b"\0\0\x40\0") + item(0x52, b"1.2.3"))
_NOISE: Final = random.Random(4711).randbytes(4096)
_CLIENT_HELLO: Final = bytes.fromhex("16030100610100005d0303") + bytes(32) + bytes.fromhex(
    "20") + bytes(32) + bytes.fromhex("0004c02bc02f0100000e000a00040002001d000b00020100")  # fmt: skip


def _built(*items: bytes) -> bytes:
    return raw_pdu(1, _HEAD + b"".join(items))


def _maximum_length(size: int) -> bytes:
    return _REQUEST.replace(item(0x51, b"\0\2\0\0"), item(0x51, size.to_bytes(4, "big")))


def _drips(line: Line) -> None:
    line.drip(_REQUEST)


def _drips_head(line: Line) -> None:
    line.drip(_REQUEST[:5], 0.1)
    line.silent()


def _dangles(line: Line) -> None:
    """Twenty more connections that say nothing."""
    where = line.socket.getpeername()
    more = [socket.create_connection(where) for _ in range(20)]
    line.silent()
    for each in more:
        each.settimeout(5)
        with contextlib.suppress(ConnectionError):
            each.recv(1)
        each.close()


def _rejected(pdu: bytes) -> Callable[[Line], None]:
    """The caller that is rejected and does not close."""

    def play(line: Line) -> None:
        line.say(pdu)
        kind, _ = line.pdu()
        assert kind == pdus.ASSOCIATE_RJ, kind
        line.silent()

    return play


def _accepted(pdu: bytes) -> Callable[[Line], None]:
    """The caller that is accepted all the same, and releases."""

    def play(line: Line) -> None:
        line.say(pdu)
        kind, _ = line.pdu()
        assert kind == pdus.ASSOCIATE_AC, kind
        line.say(pdus.encode(ReleaseRequest()))
        line.pdu()

    return play


ROWS: Final = (
    Call("connects and says nothing", lambda line: line.silent(), "link.timeout|", wait="artim"),
    Call("connects and closes", lambda _line: None, "link.closed|"),
    Call("connects and resets", lambda line: line.reset(), "link.closed|"),
    Call("20 connections that say nothing", _dangles, "link.timeout|", wait="artim"),
    Call("A-ASSOCIATE-RQ dripped", _drips, "link.timeout|", wait="artim"),
    Call("head of the A-ASSOCIATE-RQ dripped", _drips_head, "link.timeout|", wait="artim"),
    Call("half an A-ASSOCIATE-RQ, then silence", says(_REQUEST[:90]), "link.timeout|", wait="artim"),
    Call("half an A-ASSOCIATE-RQ, then the end", lambda line: line.say(_REQUEST[:90]), "link.closed|"),
    Call("half an A-ASSOCIATE-RQ, then a reset", steps(lambda line: line.say(_REQUEST[:90]), Line.reset),
         "link.closed|"),
    Call("A-ASSOCIATE-RQ of 4 GiB", says(raw_pdu(1, bytes(100), 0xFFFFFFFF)), REMOTE),
    Call("A-ASSOCIATE-RQ of 4 GiB, flooding", says(raw_pdu(1, bytes(1 << 20), 0xFFFFFFFF), endless=True), REMOTE),
    Call("A-ASSOCIATE-RQ of 300 contexts", says(_built(*(_context(n % 256) for n in range(1, 601, 2)), _USER)), REMOTE),
    Call("A-ASSOCIATE-RQ of 300 transfer syntaxes", says(_built(_context(1, 300), _USER)), REMOTE),
    Call("A-ASSOCIATE-RQ without a context", says(_built(_USER)), REMOTE),
    Call("A-ASSOCIATE-RQ with a context twice", says(_built(_context(1), _context(1), _USER)), REMOTE),
    Call("A-ASSOCIATE-RQ with an even context", says(_built(_context(2), _USER)), REMOTE),
    Call("A-ASSOCIATE-RQ of 60,000 items", says(_built(_context(1), item(0x99, b"") * 60_000)), REMOTE),
    Call("A-ASSOCIATE-RQ of 16,000 user items", says(_built(_context(1), item(0x50, item(0x99, b"") * 16_000))),
         REMOTE),
    Call("A-ASSOCIATE-RQ with an item beyond its end", says(_built(_context(1), item(0x50, b"", 9999))), REMOTE),
    Call("A-ASSOCIATE-RQ with unknown items", _accepted(with_body(_REQUEST, item(0x99, b"?") * 20)), ""),
    Call("user identity of 60 kB", _accepted(_built(_context(1), item(0x50, item(0x51, b"\0\0\x40\0") + item(0x52,
         b"1.2.3") + item(0x58, b"\1\0\xea\x60" + bytes(60_000) + b"\0\0")))), ""),
    Call("AE Titles of zeros", _rejected(raw_pdu(1, _REQUEST[6:10] + bytes(32) + _REQUEST[42:])), "", wait="artim"),
    Call("calling AE Title of escape sequences", _rejected(raw_pdu(1, _REQUEST[6:10] + b"NOBODY".ljust(16) +
         b"\33[2J\33[31m".ljust(16) + _REQUEST[42:])), "", wait="artim", words=r"\A[^\33]*\Z"),
    Call("another called AE Title", _rejected(request_pdu(called_ae="NOBODY")), "", wait="artim"),
    Call("another application context", _rejected(_REQUEST.replace(b"3.1.1.1", b"3.1.1.9")), "", wait="artim"),
    Call("protocol version 0", _rejected(raw_pdu(1, bytes(2) + _REQUEST[8:])), ".*", wait="artim"),
    Call("maximum length of 1", _rejected(_maximum_length(1)), ".*", wait="artim"),
    Call("A-ASSOCIATE-RQ twice", steps(Line.associate, says(_REQUEST)), REMOTE),
    Call("A-ASSOCIATE-AC instead of -RQ", says(raw_pdu(2, _REQUEST[6:])), REMOTE),
    Call("P-DATA-TF before the association", says(pdus.encode(Fragment(1, 3, bytes(10)))), REMOTE),
    Call("A-RELEASE-RQ before the association", says(pdus.encode(ReleaseRequest())), REMOTE),
    Call("A-ABORT before the association", says(pdus.encode(Abort())), ".*"),
    Call("A-ABORT before the association, for ever", says(pdus.encode(Abort()) * 100, endless=True), ".*"),
    Call("HTTP request", says(b"GET / HTTP/1.1\r\nHost: agent\r\n\r\n"), REMOTE, ways=(PLAIN,)),
    Call("ClientHello on a port without TLS", says(_CLIENT_HELLO), REMOTE, ways=(PLAIN,)),
    Call("zeros without end", says(bytes(4096), endless=True), REMOTE),
    Call("noise without end", says(_NOISE, endless=True), REMOTE),
)  # fmt: skip
