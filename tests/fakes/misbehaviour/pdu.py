"""Peers that take our instance and then break PS3.8, or the connection."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Final

from fakes.misbehaviour.line import raw_pdu
from fakes.misbehaviour.row import Row

from agent.ul import pdu as pdus
from agent.ul.pdu import Abort, AssociateReject, Fragment, ReleaseRequest, ReleaseResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.misbehaviour.line import Line

REMOTE: Final = "protocol.remote"


def then(*data: bytes, endless: bool = False) -> Callable[[Line], None]:
    """The peer that takes the instance and then says these bytes, once or for ever."""

    def play(line: Line) -> None:
        line.accept()
        line.instance()
        if endless:
            line.flood(b"".join(data))
        line.say(*data)
        line.silent()

    return play


def amid(do: Callable[[Line], object]) -> Callable[[Line], None]:
    """The peer that does something in the middle of a long instance."""

    def play(line: Line) -> None:
        line.accept()
        line.exactly(100_000)
        do(line)

    return play


def _deaf(line: Line) -> None:
    line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    line.accept()
    line.deaf()


def _sips(line: Line) -> None:
    line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    line.accept()
    for _ in range(100):
        line.exactly(1)
        time.sleep(0.02)


def _half_closes(line: Line) -> None:
    line.accept()
    line.instance()
    line.socket.shutdown(socket.SHUT_WR)
    line.silent()


def _begun_behind_another(line: Line) -> None:
    line.accept()
    line.instance()
    line.say(pdus.encode(Fragment(line.store_context, 1, b"")), raw_pdu(4, b"\0", 1000))
    line.silent()


def _abort(line: Line) -> None:
    line.say(pdus.encode(Abort()))
    line.silent()


def _release(line: Line) -> None:
    line.say(pdus.encode(ReleaseRequest()))
    line.silent()


def _drips_a_pdu_meanwhile(line: Line) -> None:
    line.say(raw_pdu(4, b"\0", 1000))
    line.silent()


ROWS: Final = (
    Row("stops reading", _deaf, "link.timeout", "deferred", "write", "'write'", "storescu 61 s", large=True),
    Row("reads a byte now and then", _sips, "link.timeout", "deferred", "association", "'(write|association)'",
        large=True),
    Row("resets in the middle of the instance", amid(lambda line: line.reset()), "link.closed", "deferred", large=True),
    Row("closes in the middle of the instance", amid(lambda line: line.socket.close()), "link.closed", "deferred",
        large=True),
    Row("A-ABORT in the middle of the instance", amid(_abort), "association.aborted", "deferred", large=True),
    Row("A-RELEASE-RQ in the middle of the instance", amid(_release), "link.closed", "deferred", large=True),
    Row("half a PDU in the middle of the instance", amid(_drips_a_pdu_meanwhile), "link.timeout", "deferred", "pdu",
        "'pdu'", large=True),
    Row("closes its half behind the instance", _half_closes, "link.closed", "deferred"),
    Row("P-DATA-TF without a data value, for ever", then(raw_pdu(4, b"") * 100, endless=True), REMOTE, "deferred"),
    Row("data value beyond its PDU", then(b"\4\0\0\0\0\6\0\0\0\x63\1\3"), REMOTE, "deferred", words="says 99 bytes"),
    Row("data value of no bytes", then(b"\4\0\0\0\0\4\0\0\0\0"), REMOTE, "deferred"),
    Row("stray bytes behind a data value", then(raw_pdu(4, b"\0\0\0\2\1\1\0\0\0")), REMOTE, "deferred", words="stray"),
    Row("P-DATA-TF of 4 GiB", then(raw_pdu(4, b"", 0xFFFFFFFF)), REMOTE, "deferred", words="4294967295"),
    Row("P-DATA-TF of 1 MiB", then(raw_pdu(4, bytes(1 << 20))), REMOTE, "deferred", words="1048576"),
    Row("half a P-DATA-TF, then silence", then(raw_pdu(4, bytes(10), 1000)), "link.timeout", "deferred", "response",
        "'pdu'"),
    Row("P-DATA-TF begun behind another, then silence", _begun_behind_another, "link.timeout", "deferred", "response",
        "'pdu'"),
    Row("PDU of unknown type", then(raw_pdu(0xFF, bytes(4))), REMOTE, "deferred", words="unknown type FFH"),
    Row("A-ABORT for ever", then(pdus.encode(Abort()) * 100, endless=True), "association.aborted", "deferred"),
    Row("A-ASSOCIATE-RJ behind the instance", then(pdus.encode(AssociateReject(1, 1, 7))), REMOTE, "deferred"),
    Row("A-RELEASE-RP behind the instance", then(pdus.encode(ReleaseResponse())), REMOTE, "deferred"),
    Row("A-RELEASE-RQ instead of the response", then(pdus.encode(ReleaseRequest())), "link.closed", "deferred",
        "artim", "released"),
)  # fmt: skip
