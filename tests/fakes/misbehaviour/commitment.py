"""Peers that store the instance and misbehave about its commitment: nothing is committed that was not promised."""

from __future__ import annotations

import struct
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from fakes.misbehaviour.line import encoded, raw_pdu
from fakes.misbehaviour.row import Row as AnyRow

from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE
from agent.dimse.layout import encode as encode_command
from agent.dimse.message import CStoreResponse, NActionResponse, NEventReportRequest
from agent.service import commitment
from agent.service.commitment import Failure, Reference, Report
from agent.ul import pdu as pdus
from agent.ul.pdu import Abort, Fragment

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.misbehaviour.line import Line

REMOTE: Final = "protocol.remote"
_WAITS: Final = "awaiting commitment"
Row = partial(AnyRow, commitment=True)


def event(number: int = 7, kind: int = 1, sop_class: str = STORAGE_COMMITMENT) -> NEventReportRequest:
    """Return an N-EVENT-REPORT-RQ."""
    return NEventReportRequest(number, sop_class, STORAGE_COMMITMENT_INSTANCE, kind)


def information(line: Line, *, transaction: str = "", uid: str = "", sop_class: str = "", reason: int = 0) -> bytes:
    """Return Event Information about the instance under way; with ``reason`` it says committed and failed at once."""
    reference = Reference(sop_class or line.sop_class, uid or line.uid)
    failed = (Failure(reference, reason),) if reason else ()
    return commitment.encode_report(Report(transaction or line.transaction, (reference,), failed), EXPLICIT_VR_LE)


@cache
def deep(levels: int) -> bytes:
    """Return a Data Set of sequences within sequences."""
    return b"\x08\0\x99\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * levels


@cache
def wide(elements: int) -> bytes:
    """Return a Data Set of so many elements that nobody asked for."""
    one = b"\x00\x09\x00\x10SH\2\0A "
    return b"".join(one[:2] + (0x1000 + n % 0xE000).to_bytes(2, "little") + one[4:] for n in range(elements))


@cache
def crowded(items: int) -> bytes:
    """Return a Data Set with a sequence of so many empty Items."""
    return b"\x08\0\x99\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\0\0\0\0" * items + b"\xfe\xff\xdd\xe0\0\0\0\0"


def many(line: Line, count: int) -> bytes:
    """Return Event Information with so many references, all to the instance under way."""
    body = encode(DataSet({"ReferencedSOPClassUID": line.sop_class, "ReferencedSOPInstanceUID": line.uid}),
        EXPLICIT_VR_LE)  # fmt: skip
    item = b"\xfe\xff\0\xe0" + struct.pack("<L", len(body)) + body
    whole = encode(DataSet({"TransactionUID": line.transaction}), EXPLICIT_VR_LE)
    return whole + b"\x08\0\x99\x11SQ\0\0" + struct.pack("<L", len(item) * count) + item * count


def at_action(do: Callable[[Line, int], object]) -> Callable[[Line], None]:
    """The peer that stores the instance and answers the N-ACTION in its own way."""

    def play(line: Line) -> None:
        line.take()
        number = line.action()
        do(line, number)
        line.silent()

    return play


def reports(
    *data: Callable[[Line], bytes], kind: int = 1, sop_class: str = STORAGE_COMMITMENT
) -> Callable[[Line], None]:
    """The peer that takes the request and reports these Data Sets, one after the other."""

    def play(line: Line) -> None:
        line.take()
        line.asked()
        for number, each in enumerate(data):
            line.send(event(number + 1, kind, sop_class), line.action_context, each(line))
            line.message()
        line.release()

    return play


def _report_first(line: Line, number: int) -> None:
    line.send(event(), line.action_context, information(line))
    line.message()
    line.send(NActionResponse(number, 0, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE), line.action_context)


def _cut_report(line: Line) -> None:
    line.take()
    line.asked()
    line.say(encoded(event(), line.action_context, information(line))[:-3])
    line.silent()


def _endless_report(size: int) -> Callable[[Line], None]:
    def play(line: Line) -> None:
        line.take()
        line.asked()
        line.say(pdus.encode(Fragment(line.action_context, 3, encode_command(event(), data_set=True))))
        line.flood(pdus.encode(Fragment(line.action_context, 0, bytes(size))) * 10)

    return play


def _report_and_reset(line: Line) -> None:
    line.take()
    line.asked()
    line.send(event(), line.action_context, information(line))
    line.reset()  # which may come before what was said


def _reset_behind_action(line: Line) -> None:
    line.take()
    line.asked()
    line.reset()


def _flood_of_reports(line: Line) -> None:
    line.take()
    line.asked()
    line.flood(encoded(event(), line.action_context, information(line, transaction="2.25.1")) * 10)


def _wrong_context(line: Line) -> None:
    line.take()
    line.asked()
    line.send(event(), 99, information(line))
    line.silent()


def _answer(line: Line, number: int, status: int = 0) -> None:
    line.send(NActionResponse(number, status, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE), line.action_context)


ROWS: Final = (
    Row("N-ACTION never answered", at_action(lambda _line, _number: None), "link.timeout", "stored", "response",
        "'response'"),
    Row("N-ACTION-RSP of another Message ID", at_action(lambda line, number: _answer(line, number + 5)), REMOTE,
        "stored"),
    Row("C-STORE-RSP as answer to N-ACTION", at_action(lambda line, number: line.send(
        CStoreResponse(number, 0, line.sop_class, line.uid), line.action_context)), REMOTE, "stored"),
    Row("N-ACTION refused", at_action(lambda line, number: _answer(line, number, 0x0110)), "dimse.status", "stored",
        "idle"),
    Row("A-ABORT instead of N-ACTION-RSP", at_action(lambda line, _number: line.say(pdus.encode(Abort()))),
        "association.aborted", "stored"),
    Row("half an N-ACTION-RSP", at_action(lambda line, _number: line.say(raw_pdu(4, bytes(9), 100))), "link.timeout",
        "stored", "response", "'pdu'"),
    Row("reset behind N-ACTION-RSP", _reset_behind_action, "link.closed", _WAITS),
    Row("report before N-ACTION-RSP", at_action(_report_first), "", "committed", "idle"),
    Row("report twice", reports(information, information), "", "committed", "idle"),
    Row("report and reset before its answer", _report_and_reset, "link.closed", f"committed|{_WAITS}", "response"),
    Row("report of a transaction that nobody asked", reports(lambda line: information(line, transaction="2.25.1")), "",
        _WAITS, "idle"),
    Row("report about another instance", reports(lambda line: information(line, uid="2.25.1")), "", _WAITS, "idle"),
    Row("report with another SOP Class", reports(lambda line: information(line, sop_class="1.2.3")), "", "held",
        "idle"),
    Row("committed and failed at once", reports(lambda line: information(line, reason=0x0110), kind=2), "", "stored",
        "idle"),
    Row("report of unknown event type", reports(information, kind=7), "", _WAITS, "idle"),
    Row("report of another SOP Class of event", reports(information, sop_class="1.2.3"), "", _WAITS, "idle"),
    Row("report of noise", reports(lambda _line: b"\xff" * 1000), "", _WAITS, "idle"),
    Row("report of nothing", reports(lambda _line: b""), "", _WAITS, "idle"),
    Row("report cut in a sequence", reports(lambda line: information(line)[:-9]), "", _WAITS, "idle"),
    Row("report of 50,000 levels", reports(lambda _line: deep(50_000)), "", _WAITS, "idle"),
    Row("report of 12,000 references", reports(lambda line: many(line, 12_000)), "", _WAITS, "idle"),
    Row("report of 56,000 elements", reports(lambda _line: wide(56_000)), "", _WAITS, "idle"),
    Row("report of 300,000 empty Items", reports(lambda _line: crowded(300_000)), "", _WAITS, "idle"),
    Row("half a report", _cut_report, "link.timeout", _WAITS, "response", "'pdu'"),
    Row("report without end", _endless_report(100_000), REMOTE, _WAITS, words="Data Set of more than"),
    Row("report of empty fragments", _endless_report(0), REMOTE, _WAITS, words="empty fragments"),
    Row("reports without end", _flood_of_reports, ".*", _WAITS, "association"),
    Row("report on a context never negotiated", _wrong_context, REMOTE, _WAITS, words="context 99"),
)  # fmt: skip
