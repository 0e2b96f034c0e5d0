"""Peers that misbehave while our SCU opens an association."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

from fakes.misbehaviour.line import accepted, item, raw_pdu, with_body
from fakes.misbehaviour.row import PLAIN, Row

from agent.ul import pdu as pdus
from agent.ul.items import ContextResult
from agent.ul.pdu import Abort, AssociateReject, Fragment, ReleaseRequest, ReleaseResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.misbehaviour.line import Line

REMOTE: Final = "protocol.remote"


def answers(*data: bytes, endless: bool = False, close: str = "") -> Callable[[Line], None]:
    """The peer that answers the association request with these bytes, once or for ever."""

    def play(line: Line) -> None:
        line.pdu()
        if endless:
            line.flood(b"".join(data))
        line.say(*data)
        if close == "reset":
            line.reset()
        elif not close:
            line.silent()

    return play


def accepts(change: Callable[[bytes], bytes], **facts: str | int) -> Callable[[Line], None]:
    """The peer whose A-ASSOCIATE-AC is changed, and that is an honest archive for the rest."""

    def play(line: Line) -> None:
        line.say(change(accepted(line.request(), **facts)))  # type: ignore[arg-type] # keywords of accepted()
        line.instance()
        line.stored()
        line.release()

    return play


def as_it_is(pdu: bytes) -> bytes:
    return pdu


def _never_reads(line: Line) -> None:
    line.deaf()


def _drips(line: Line) -> None:
    line.drip(accepted(line.request()))


def _head_drips(line: Line) -> None:
    line.drip(accepted(line.request())[:6], 0.2)
    line.silent()


def _half(line: Line) -> None:
    line.say(accepted(line.request())[:100])
    line.silent()


def _half_and_end(line: Line) -> None:
    line.say(accepted(line.request())[:100])


def _twice(line: Line) -> None:
    answer = accepted(line.request())
    line.say(answer, answer)
    line.silent()


def _late(line: Line) -> None:
    answer = accepted(line.request())
    time.sleep(1.2)
    line.say(answer)
    line.silent()


def _calls_back(line: Line) -> None:
    _, body = line.pdu()
    line.say(raw_pdu(pdus.ASSOCIATE_RQ, body))
    line.silent()


def _resets_at_once(line: Line) -> None:
    line.reset()


def _context_never_proposed(line: Line) -> None:
    line.accept(more=tuple(ContextResult(number, 0, "1.2.840.10008.1.2") for number in range(101, 121, 2)))
    line.instance()
    line.stored()
    line.release()


def _none_agreed(line: Line) -> None:
    request = line.request()
    answer = accepted(request)
    line.say(answer.replace(b"\x21\0", b"\x2f\0"))  # every result has an item type that nobody knows
    line.release()


_NOISE: Final = random.Random(4711).randbytes(4096)

ROWS: Final = (
    Row("answers nothing", _never_reads, "link.timeout", "deferred", "associate", note="storescu 30 s"),
    Row("A-ASSOCIATE-AC dripped", _drips, "link.timeout", "deferred", "associate",
        note="hangs storescu, dcmsend and pynetdicom"),
    Row("head of the A-ASSOCIATE-AC dripped", _head_drips, "link.timeout", "deferred", "associate"),
    Row("half an A-ASSOCIATE-AC, then silence", _half, "link.timeout", "deferred", "associate", "'pdu'"),
    Row("half an A-ASSOCIATE-AC, then the end", _half_and_end, "link.closed", "deferred"),
    Row("A-ASSOCIATE-AC too late", _late, "link.timeout", "deferred", "associate", "'associate'"),
    Row("A-ASSOCIATE-AC of 4 GiB, then silence", answers(raw_pdu(2, bytes(100), 0xFFFFFFFF)), REMOTE, "deferred",
        words="4294967295 bytes", note="hangs pynetdicom"),
    Row("A-ASSOCIATE-AC of 4 GiB, flooding", answers(raw_pdu(2, bytes(1 << 20), 0xFFFFFFFF), endless=True), REMOTE,
        "deferred", words="4294967295 bytes", note="hangs pynetdicom"),
    Row("A-ASSOCIATE-AC with 100,000 items", accepts(lambda pdu: with_body(pdu, item(0x99, b"") * 100_000)), REMOTE,
        "deferred", note="storescu accepts it"),
    Row("A-ASSOCIATE-AC with 40,000 items", accepts(lambda pdu: with_body(pdu, item(0x99, b"") * 40_000)), REMOTE,
        "deferred", words="more than 256 items"),
    Row("A-ASSOCIATE-AC with an item beyond its end", accepts(lambda pdu: with_body(pdu, item(0x21, b"", 9999))),
        REMOTE, "deferred", words="9999 bytes"),
    Row("A-ASSOCIATE-AC with half an item", accepts(lambda pdu: with_body(pdu, b"\x21\0")), REMOTE, "deferred"),
    Row("A-ASSOCIATE-AC with an empty context", accepts(lambda pdu: with_body(pdu, item(0x21, b""))), REMOTE,
        "deferred"),
    Row("A-ASSOCIATE-AC shorter than its fields", answers(raw_pdu(2, bytes(20))), REMOTE, "deferred"),
    Row("A-ASSOCIATE-AC with nothing in it", answers(raw_pdu(2, b"\0\1" + bytes(66))), "association.no_context",
        "held", "associate"),
    Row("A-ASSOCIATE-AC with unknown items", accepts(lambda pdu: with_body(pdu, item(0x99, b"?") * 20)), "", "stored"),
    Row("maximum length of 1", accepts(as_it_is, maximum_length=1), REMOTE, "deferred",
        words="maximum length of 1 bytes", note="storescu 30 s"),
    Row("maximum length of 4 GiB", accepts(as_it_is, maximum_length=0xFFFFFFFF), "", "stored"),
    Row("transfer syntax that was not proposed", accepts(as_it_is, syntax="1.2.840.10008.1.2.4.50"),
        "association.no_context", "held", "associate", "was not proposed", note="storescu 30 s"),
    Row("accepts contexts that were not proposed", _context_never_proposed, "", "stored"),
    Row("accepts no context", _none_agreed, "association.no_context", "held"),
    Row("another application context", accepts(as_it_is, application_context="1.2.3"), REMOTE, "deferred",
        words="application context '1.2.3'"),
    Row("A-ASSOCIATE-AC twice", _twice, REMOTE, "deferred", words="ASSOCIATE_AC_RECEIVED"),
    Row("A-ASSOCIATE-RQ as answer", _calls_back, REMOTE, "deferred", words="ASSOCIATE_RQ_RECEIVED"),
    Row("P-DATA-TF as answer", answers(pdus.encode(Fragment(1, 3, bytes(10)))), REMOTE, "deferred"),
    Row("A-RELEASE-RQ as answer", answers(pdus.encode(ReleaseRequest())), REMOTE, "deferred"),
    Row("A-RELEASE-RP as answer", answers(pdus.encode(ReleaseResponse())), REMOTE, "deferred"),
    Row("A-ASSOCIATE-RJ, permanent", answers(pdus.encode(AssociateReject(1, 1, 7))), "association.rejected.permanent",
        "deferred", words="called AE Title not recognized"),
    Row("A-ASSOCIATE-RJ, transient", answers(pdus.encode(AssociateReject(2, 3, 2))), "association.rejected.transient",
        "deferred", words="local limit exceeded"),
    Row("A-ASSOCIATE-RJ with reserved numbers", answers(pdus.encode(AssociateReject(9, 9, 99))),
        r"association.rejected.\w+", "deferred"),
    Row("A-ASSOCIATE-RJ of 5 bytes", answers(raw_pdu(3, bytes(5))), REMOTE, "deferred"),
    Row("A-ABORT as answer", answers(pdus.encode(Abort(2, 1))), "association.aborted", "deferred",
        words="unrecognized PDU"),
    Row("A-ABORT without content", answers(raw_pdu(7, b"")), REMOTE, "deferred"),
    Row("closes at once", answers(close="end"), "link.closed", "deferred"),
    Row("resets at once", answers(close="reset"), "link.closed", "deferred"),
    Row("resets before it has read", _resets_at_once, "link.closed|link.connect", "deferred"),
    Row("HTTP banner", answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"), REMOTE, "deferred", words="HTTP"),
    Row("SSH banner", answers(b"SSH-2.0-OpenSSH_9.2p1\r\n"), REMOTE, "deferred", words="unknown type 53H"),
    Row("zeros without end", answers(bytes(4096), endless=True), REMOTE, "deferred", words="unknown type 00H"),
    Row("noise without end", answers(_NOISE, endless=True), REMOTE, "deferred"),
    Row("three bytes, then silence", answers(b"\2\0\0"), "link.timeout", "deferred", "associate", "'pdu'"),
    Row("TLS alert", answers(b"\x15\x03\x03\x00\x02\x02\x0a"), "link.tls", "deferred", words="this port wants TLS",
        ways=(PLAIN,)),
)  # fmt: skip
