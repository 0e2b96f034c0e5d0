"""Callers that misbehave in TLS at our listener; each gets the bare connection."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from fakes.misbehaviour import tls
from fakes.misbehaviour.calls import Call as AnyCall
from fakes.misbehaviour.line import Line, request_pdu, steps
from fakes.misbehaviour.row import TLS
from fakes.peers import need

if TYPE_CHECKING:
    from collections.abc import Callable

Call = partial(AnyCall, ways=(TLS,), raw=True)


def _context(name: str | None = "archive", *, old: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if old:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    if name:
        context.load_cert_chain(tls.folder[0] / f"{name}.pem", tls.folder[0] / f"{name}.key")
    return context


def _hello() -> bytes:
    """Return a true ClientHello."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        _context().wrap_bio(into, out).do_handshake()
    return out.read()


def hands(name: str | None, *, old: bool = False) -> Callable[[Line], None]:
    """The caller that shows this certificate, or none, and asks for an association."""

    def play(line: Line) -> None:
        with _context(name, old=old).wrap_socket(line.socket) as wrapped:
            inner = Line(wrapped)
            inner.associate()
            raise AssertionError("was let in")

    return play


def _openssl(line: Line, version: str, letter: bytes, count: int) -> bytes:
    """Let OpenSSL's own client call and obey a letter so often; returns what it says."""
    host, port = line.socket.getpeername()
    line.close()
    own = ("-cert", str(tls.folder[0] / "archive.pem"), "-key", str(tls.folder[0] / "archive.key"))
    command = (need("openssl"), "s_client", "-connect", f"{host}:{port}", version, *own)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        assert client.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            for _ in range(count):
                time.sleep(0.005)  # it looks at the first letter of what it reads only
                client.stdin.write(letter + b"\n")
                client.stdin.flush()
        return client.communicate(timeout=10)[0]


def _renegotiates(line: Line) -> None:
    said = _openssl(line, "-tls1_2", b"R", 20)
    assert b"no renegotiation" in said, said[-500:]


def _updates_keys(line: Line) -> None:
    said = _openssl(line, "-tls1_3", b"K", 100)
    assert said.count(b"KEYUPDATE") > 10, said[-500:]


def _truncates(line: Line) -> None:
    with _context().wrap_socket(line.socket) as wrapped:
        inner = Line(wrapped)
        inner.associate()
        wrapped.shutdown(socket.SHUT_RDWR)  # FIN, and no word of TLS


def _plain_behind(line: Line) -> None:
    outer = socket.socket(fileno=socket.dup(line.socket.fileno()))
    with outer, _context().wrap_socket(line.socket) as wrapped:
        Line(wrapped).associate()
        outer.sendall(b"\4\0\0\0\0\6\0\0\0\2\1\3")
        Line(outer).silent()


def _says(data: Callable[[], bytes]) -> Callable[[Line], None]:
    def play(line: Line) -> None:
        line.say(data())
        line.silent()

    return play


ROWS: Final = (
    Call("TLS: no handshake", lambda line: line.silent(), "link.timeout", wait="tls", words="'tls'"),
    Call("TLS: handshake dripped", lambda line: line.drip(_hello(), 0.02), "link.timeout", wait="tls", words="'tls'"),
    Call("TLS: half a ClientHello", _says(lambda: _hello()[:100]), "link.timeout", wait="tls", words="'tls'"),
    Call("TLS: ClientHello, then silence", _says(_hello), "link.timeout", wait="tls", words="'tls'"),
    Call("TLS: ClientHello, then the end", lambda line: line.say(_hello()), "link.(tls|closed)"),
    Call("TLS: ClientHello, then a reset", steps(lambda line: line.say(_hello()), Line.reset), "link.(tls|closed)"),
    Call("TLS: plain DICOM", _says(request_pdu), "link.tls", words="does not speak TLS"),
    Call("TLS: HTTP", _says(lambda: b"GET / HTTP/1.1\r\n\r\n"), "link.tls"),
    Call("TLS: zeros without end", lambda line: line.flood(bytes(4096)), "link.tls"),
    Call("TLS: warnings without end", steps(lambda line: line.say(_hello()),
         lambda line: line.flood(tls.ALERT_WARNING * 100)),
         "link.(tls|closed)"),
    Call("TLS: ClientHello of 16 MiB", lambda line: line.flood(b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(0x3FFC)),
         "link.tls"),
    Call("TLS: no certificate", hands(None), "link.tls"),
    Call("TLS: certificate of a stranger", hands("stranger"), "link.tls"),
    Call("TLS: certificate out of date", hands("expired"), "link.tls"),
    Call("TLS: version 1.1", hands("archive", old=True), "link.tls"),
    Call("TLS: renegotiation", _renegotiates, ".*", wait="artim"),
    Call("TLS: new keys again and again", _updates_keys, ".*", wait="artim"),
    Call("TLS: end without close_notify", _truncates, "link.closed"),
    Call("TLS: plain bytes in the middle", _plain_behind, "link.(tls|closed)"),
)  # fmt: skip
