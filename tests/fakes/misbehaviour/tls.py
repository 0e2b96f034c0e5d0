"""Peers that misbehave in or beneath TLS, while our SCU opens the connection; each gets the bare socket."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from fakes.misbehaviour.line import Line, accepted, steps
from fakes.misbehaviour.row import TLS
from fakes.misbehaviour.row import Row as AnyRow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Row = partial(AnyRow, ways=(TLS,), raw=True)
ALERT_WARNING: Final = b"\x15\x03\x03\x00\x02\x01\x5a"  # user_canceled
_HELLO_BYTES: Final = 4096
folder: list[Path] = []  # of the throw-away CA; the bench sets it


def shows(name: str = "archive", ca: str = "ca", *, old: bool = False, tickets: int = 2) -> ssl.SSLContext:
    """Return a responder's context with the certificate ``name``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if old:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(folder[0] / f"{name}.pem", folder[0] / f"{name}.key")
    context.load_verify_locations(folder[0] / f"{ca}.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = tickets
    return context


def hands(context: Callable[[], ssl.SSLContext]) -> Callable[[Line], None]:
    """The peer that shakes hands with this context and then takes the instance."""

    def play(line: Line) -> None:
        with context().wrap_socket(line.socket, server_side=True) as wrapped:
            inner = Line(wrapped)
            inner.take()
            line.took += inner.took
            inner.release()

    return play


def after_hello(do: Callable[[Line], object]) -> Callable[[Line], None]:
    """The peer that reads the ClientHello and then does something."""

    def play(line: Line) -> None:
        line.socket.recv(_HELLO_BYTES)
        do(line)
        line.silent()

    return play


def _drips(line: Line) -> None:
    """Answer the ClientHello byte by byte."""
    received, answer = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = shows().wrap_bio(received, answer, server_side=True)
    received.write(line.socket.recv(_HELLO_BYTES))
    with contextlib.suppress(ssl.SSLWantReadError):
        session.do_handshake()
    line.drip(answer.read(), 0.02)


def _inside(do: Callable[[Line, Line], object]) -> Callable[[Line], None]:
    """The peer that shakes hands, accepts, and then does something beneath TLS; gets the inner and the outer line."""

    def play(line: Line) -> None:
        outer = socket.socket(fileno=socket.dup(line.socket.fileno()))
        with outer, shows().wrap_socket(line.socket, server_side=True) as wrapped:
            inner = Line(wrapped)
            inner.accept()
            inner.instance()
            do(inner, Line(outer))

    return play


def _plain_behind(_inner: Line, outer: Line) -> None:
    outer.say(b"\4\0\0\0\0\6\0\0\0\2\1\3")
    outer.silent()


def _record_cut(inner: Line, outer: Line) -> None:
    outer.say(b"\x17\x03\x03\x40\x00", bytes(100))
    outer.silent()


def _record_drips(inner: Line, outer: Line) -> None:
    outer.say(b"\x17\x03\x03\x40\x00")
    outer.drip(bytes(200))


def _forged(inner: Line, outer: Line) -> None:
    outer.say(b"\x17\x03\x03\x00\x40", bytes(64))
    outer.silent()


def _truncates(inner: Line, outer: Line) -> None:
    outer.socket.shutdown(socket.SHUT_WR)
    outer.silent()


def _says_goodbye(inner: Line, _outer: Line) -> None:
    inner.socket.unwrap()  # type: ignore[attr-defined] # a TLS socket


def _half_hello(line: Line) -> None:
    line.say(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76")


def _slowly(line: Line) -> None:
    time.sleep(1.3)


def _drips_inside(line: Line) -> None:
    with shows().wrap_socket(line.socket, server_side=True) as wrapped:
        inner = Line(wrapped)
        inner.drip(accepted(inner.request()))


ROWS: Final = (
    Row("TLS: no handshake", lambda line: line.deaf(), "link.timeout", "deferred", "tls", "'tls'"),
    Row("TLS: handshake too late", after_hello(_slowly), "link.timeout", "deferred", "tls", "'tls'"),
    Row("TLS: handshake dripped", _drips, "link.timeout", "deferred", "tls", "'tls'"),
    Row("TLS: half a ServerHello", after_hello(_half_hello), "link.timeout", "deferred", "tls", "'tls'"),
    Row("TLS: closes in the handshake", steps(lambda line: line.exactly(9)), "link.tls", "deferred",
        words="closed the connection in the TLS handshake|was cut"),
    Row("TLS: resets in the handshake", after_hello(lambda line: line.reset()), "link.(tls|closed)", "deferred"),
    Row("TLS: answers in plain DICOM", after_hello(lambda line: line.say(b"\7\0\0\0\0\4\0\0\2\1")), "link.tls",
        "deferred", words="does not speak TLS"),
    Row("TLS: answers in HTTP", after_hello(lambda line: line.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")), "link.tls",
        "deferred"),
    Row("TLS: zeros without end", after_hello(lambda line: line.flood(bytes(4096))), "link.tls", "deferred"),
    Row("TLS: warnings without end", after_hello(lambda line: line.flood(ALERT_WARNING * 100)), "link.tls", "deferred"),
    Row("TLS: empty records without end", after_hello(lambda line: line.flood(b"\x16\x03\x03\0\0" * 100)), "link.tls",
        "deferred"),
    Row("TLS: handshake message of 16 MiB", after_hello(lambda line: line.flood(
        b"\x16\x03\x03\x40\x00\x02\xff\xff\xff" + bytes(0x3FFC))), "link.tls", "deferred"),
    Row("TLS: certificate of a stranger", hands(lambda: shows("stranger")), "link.tls", "deferred", "tls"),
    Row("TLS: certificate out of date", hands(lambda: shows("expired")), "link.tls", "deferred", "tls", "expired"),
    Row("TLS: certificate of another host", hands(lambda: shows("elsewhere")), "link.tls", "deferred", "tls"),
    Row("TLS: does not know our CA", hands(lambda: shows(ca="other")), "link.tls", "deferred", "tls"),
    Row("TLS: version 1.1", hands(lambda: shows(old=True)), "link.tls", "deferred", "tls"),
    Row("TLS: 500 session tickets", hands(lambda: shows(tickets=500)), "", "stored", "association"),
    Row("TLS: A-ASSOCIATE-AC dripped in records", _drips_inside, "link.timeout", "deferred", "associate"),
    Row("TLS: plain bytes in the middle", _inside(_plain_behind), "link.(tls|closed)", "deferred"),
    Row("TLS: forged record", _inside(_forged), "link.(tls|closed)", "deferred"),
    Row("TLS: half a record, then silence", _inside(_record_cut), "link.timeout", "deferred", "response", "'response'"),
    Row("TLS: record dripped", _inside(_record_drips), "link.timeout", "deferred", "response", "'response'"),
    Row("TLS: end without close_notify", _inside(_truncates), "link.closed", "deferred"),
    Row("TLS: close_notify instead of the response", _inside(_says_goodbye), "link.closed", "deferred"),
)  # fmt: skip
