"""Peers that keep to PS3.8 and break PS3.7: answers that are none, or to something else, or without end."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Final

from fakes.misbehaviour.line import announcing, encoded
from fakes.misbehaviour.row import Row

from agent.dataset.uid import EXPLICIT_VR_LE, VERIFICATION
from agent.dimse import layout
from agent.dimse.message import (
    CCancelRequest,
    CEchoRequest,
    CEchoResponse,
    CFindResponse,
    CStoreRequest,
    NEventReportRequest,
)
from agent.ul import pdu as pdus
from agent.ul.items import ContextResult
from agent.ul.pdu import Abort, Fragment

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.misbehaviour.line import Line

REMOTE: Final = "protocol.remote"


def after(do: Callable[[Line], object]) -> Callable[[Line], None]:
    """The peer that takes the instance and then does something."""

    def play(line: Line) -> None:
        line.accept()
        line.instance()
        do(line)
        line.silent()

    return play


def command(line: Line, change: Callable[[bytes], bytes]) -> None:
    """Say the Command Set of the right answer, changed."""
    line.say(pdus.encode(Fragment(line.store_context, 3, change(layout.encode(line.response())))))


def _flood(control: int, size: int) -> Callable[[Line], None]:
    return after(lambda line: line.flood(pdus.encode(Fragment(line.store_context, control, bytes(size))) * 20))


def _with_data_set(line: Line) -> None:
    """The answer says that a Data Set follows, and it never ends."""
    command(line, lambda whole: announcing(whole, data_set=True))
    line.flood(pdus.encode(Fragment(line.store_context, 0, bytes(10_000))))


def _without(element: int) -> Callable[[bytes], bytes]:
    """Return a change that takes one element of the Command Set away."""

    def change(whole: bytes) -> bytes:
        at = whole.index(struct.pack("<HH", 0, element))
        (size,) = struct.unpack_from("<L", whole, at + 4)
        body = whole[12:at] + whole[at + 8 + size :]
        return whole[:8] + struct.pack("<L", len(body)) + body

    return change


def _drips(line: Line) -> None:
    line.drip(encoded(line.response(), line.store_context))


def _drips_pdus(line: Line) -> None:
    while True:
        line.say(pdus.encode(Fragment(line.store_context, 1, b"")))
        time.sleep(0.05)


def _never_proposed(line: Line) -> None:
    line.accept(more=tuple(ContextResult(number, 0, EXPLICIT_VR_LE) for number in (101, 103)))
    line.instance()
    line.send(line.response(), 101)
    line.silent()


def _early(status: int) -> Callable[[Line], None]:
    """The peer that answers in the middle of the Data Set and reads on."""

    def play(line: Line) -> None:
        line.accept()
        line.command()
        line.pdu()
        line.stored(status)
        line.silent()

    return play


def _refuses_early(line: Line) -> None:
    line.accept()
    line.command()
    line.pdu()
    line.stored(0xA700)
    while line.pdu()[0] == pdus.DATA_TF:
        pass
    line.say(b"\6\0\0\0\0\4\0\0\0\0")


def _status(status: int) -> Callable[[Line], None]:
    def play(line: Line) -> None:
        line.accept()
        line.instance()
        line.stored(status)
        line.release()

    return play


def _comment(text: str) -> Callable[[Line], None]:
    """The peer that refuses the instance with this Error Comment (0000,0902), in bytes that no toolkit would write."""
    value = text.encode() + b" " * (len(text) % 2)
    element = struct.pack("<HHL", 0, 0x0902, len(value)) + value

    def change(whole: bytes) -> bytes:
        at = whole.index(struct.pack("<HH", 0, 0x1000))
        body = whole[12:at] + element + whole[at:]
        return whole[:8] + struct.pack("<L", len(body)) + body

    def play(line: Line) -> None:
        line.accept()
        line.instance()
        line.say(pdus.encode(Fragment(line.store_context, 3, change(layout.encode(line.response(0xA700))))))
        line.release()

    return play


def _asks_meanwhile(line: Line) -> None:
    line.accept()
    line.flood(encoded(CEchoRequest(7), 1) * 500)


def _stores_at_us(line: Line) -> None:
    request = layout.encode(CStoreRequest(9, line.sop_class, "2.25.9"), data_set=True)
    line.say(pdus.encode(Fragment(line.store_context, 3, request)))
    line.flood(pdus.encode(Fragment(line.store_context, 0, bytes(16_000))))


def _twice(line: Line) -> None:
    line.take()
    line.stored()
    line.silent()


def _interleaved(line: Line) -> None:
    whole = layout.encode(line.response())
    line.say(pdus.encode(Fragment(line.store_context, 1, whole[:20])), pdus.encode(Fragment(3, 3, whole[20:])))


_REPORT = NEventReportRequest(9, "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1", 1)

ROWS: Final = (
    Row("no response", after(lambda _line: None), "link.timeout", "deferred", "response", "'response'",
        "storescu 61 s"),
    Row("response dripped", after(_drips), "link.timeout", "deferred", "response", "'(response|pdu)'",
        "storescu 49 s and takes it"),
    Row("whole PDUs dripped", after(_drips_pdus), "link.timeout", "deferred", "response", "'response'"),
    Row("Command Set without end", _flood(1, 1000), REMOTE, "deferred", words="Command Set of more than",
        note="hangs storescu; pynetdicom takes 2.2 GB"),
    Row("Command Set of empty fragments without end", _flood(1, 0), REMOTE, "deferred", words="1024 fragments"),
    Row("Command Set of 100 kB", after(lambda line: line.say(pdus.encode(Fragment(line.store_context, 3,
        bytes(100_000))))), REMOTE, "deferred", words="Command Set of 100000 bytes"),
    Row("Data Set without end behind the response", after(_with_data_set), REMOTE, "deferred",
        words="announces a Data Set", note="pynetdicom takes 2.1 GB"),
    Row("Data Set that nobody announced", _flood(0, 1000), REMOTE, "deferred", words="before its command"),
    Row("response to another Message ID", after(lambda line: line.send(line.response(message_id=77),
        line.store_context)), REMOTE, "deferred", words="got 77"),
    Row("response about another instance", after(lambda line: line.send(line.response(uid="2.25.1"),
        line.store_context)), REMOTE, "deferred", words=r"2\.25\.1, not"),
    Row("C-ECHO-RSP as response", after(lambda line: line.send(CEchoResponse(1), line.store_context)), REMOTE,
        "deferred", words="CEchoResponse"),
    Row("C-FIND-RSP, pending, as response", after(lambda line: line.send(CFindResponse(1, 0xFF00, line.sop_class),
        line.store_context)), REMOTE, "deferred"),
    Row("response on a context never negotiated", after(lambda line: line.send(line.response(), 33)), REMOTE,
        "deferred", words="context 33", note="success for storescu"),
    Row("response on a context never proposed", _never_proposed, REMOTE, "deferred", words="context 101"),
    Row("response on another context", after(lambda line: line.send(line.response(), line.store_context + 2)), REMOTE,
        "deferred"),
    Row("Command Set over two contexts", after(_interleaved), REMOTE, "deferred"),
    Row("response without Status", after(lambda line: command(line, _without(0x0900))), REMOTE, "deferred",
        words="0000,0900"),
    Row("response without Message ID", after(lambda line: command(line, _without(0x0120))), REMOTE, "deferred"),
    Row("response without Command Field", after(lambda line: command(line, _without(0x0100))), REMOTE, "deferred"),
    Row("response with noise in it", after(lambda line: command(line, lambda whole: whole[:30] + bytes(31))), REMOTE,
        "deferred"),
    Row("response with an element beyond its end", after(lambda line: command(line, lambda whole: whole[:-2] + b"\0")),
        REMOTE, "deferred"),
    Row("A-ABORT instead of the response", after(lambda line: line.say(pdus.encode(Abort()))), "association.aborted",
        "deferred"),
    Row("reset instead of the response", after(lambda line: line.reset()), "link.closed", "deferred"),
    Row("success before the end", _early(0), REMOTE, "deferred", words="before it had the whole", large=True),
    Row("out of resources before the end", _refuses_early, "dimse.status", "deferred", words="A700", large=True),
    Row("status that nobody knows", _status(0x1234), "dimse.status", "held", words="1234"),
    Row("pending as status", _status(0xFF00), "dimse.status", "held", words="FF00"),
    Row("cancelled as status", _status(0xFE00), "dimse.status", "deferred", words="FE00"),
    Row("Error Comment that clears the screen", _comment("\33[2J\33[1;31mstored"), "dimse.status", "deferred",
        words=r"\A[^\33]*\Z"),
    Row("Error Comment of 7,000 characters", _comment("x" * 7000), "dimse.status", "deferred"),
    Row("response twice", _twice, "protocol.remote", "stored", words="nobody waits for"),
    Row("C-ECHO-RQ without end while we send", _asks_meanwhile, REMOTE, "deferred", words="without end", large=True),
    Row("C-ECHO-RQ without end instead of the response", after(lambda line: line.flood(encoded(CEchoRequest(7),
        line.store_context) * 50)), "link.timeout", "deferred", "association", "'(response|association)'"),
    Row("C-STORE-RQ of an endless instance", after(_stores_at_us), REMOTE, "deferred", words="Data Set of more than"),
    Row("C-CANCEL-RQ without end", after(lambda line: line.flood(encoded(CCancelRequest(1), line.store_context) * 50)),
        "link.timeout", "deferred", "association", "'(response|association)'"),
    Row("Command Set in the middle of a Data Set", after(lambda line: line.say(
        pdus.encode(Fragment(line.store_context, 3, layout.encode(_REPORT, data_set=True))),
        encoded(CEchoRequest(7, VERIFICATION), line.store_context))), REMOTE, "deferred", words="in the middle"),
)  # fmt: skip
