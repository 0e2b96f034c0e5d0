"""Callers that misbehave on an association with our listener, as archives that report and as anything else."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Final

from fakes.misbehaviour.calls import REMOTE, Call
from fakes.misbehaviour.commitment import crowded, deep, event, information, many, wide
from fakes.misbehaviour.line import Line, announcing, encoded, raw_pdu, request_pdu, steps

from agent.dataset.uid import VERIFICATION
from agent.dimse.layout import encode as encode_command
from agent.dimse.message import CEchoRequest, CEchoResponse, CStoreRequest
from agent.ul import pdu as pdus
from agent.ul.pdu import Abort, Fragment, ReleaseRequest

if TYPE_CHECKING:
    from collections.abc import Callable


ECHO, REPORT = 1, 3  # presentation contexts of ``request_pdu``


def opens(do: Callable[[Line], object]) -> Callable[[Line], None]:
    """The caller that opens an association, does something and says no more."""

    def play(line: Line) -> None:
        line.associate()
        do(line)
        line.silent()

    return play


def says(*data: bytes, endless: bool = False) -> Callable[[Line], None]:
    """The caller that opens an association and says these bytes, once or for ever."""
    whole = b"".join(data)
    return opens(lambda line: line.flood(whole) if endless else line.say(whole))


def reports(data: Callable[[Line], bytes], kind: int = 1, context_id: int = REPORT) -> Callable[[Line], None]:
    """The caller that delivers one report, reads the answer and releases."""

    def play(line: Line) -> None:
        whole = encoded(event(kind=kind), context_id, data(line))
        line.associate()
        line.say(whole)
        line.message()
        line.say(pdus.encode(ReleaseRequest()))
        line.pdu()

    return play


def _stranger(line: Line) -> None:
    line.say(request_pdu(calling_ae="STRANGER"))
    line.pdu()
    line.send(event(), REPORT, information(line, transaction="2.25.1"))
    line.message()
    line.say(pdus.encode(ReleaseRequest()))
    line.pdu()


def _reports_and(do: Callable[[Line], object]) -> Callable[[Line], None]:
    def play(line: Line) -> None:
        line.associate()
        line.send(event(), REPORT, information(line))
        do(line)

    return play


def _endless_report(size: int) -> Callable[[Line], None]:
    begin = pdus.encode(Fragment(REPORT, 3, encode_command(event(), data_set=True)))
    more = pdus.encode(Fragment(REPORT, 0, bytes(size))) * 10
    return opens(steps(lambda line: line.say(begin), lambda line: line.flood(more)))


def _endless_instance(line: Line) -> None:
    line.associate()
    request = encode_command(CStoreRequest(1, VERIFICATION, "2.25.1"), data_set=True)
    line.say(pdus.encode(Fragment(ECHO, 3, request)))
    line.flood(pdus.encode(Fragment(ECHO, 0, bytes(16_000))))


def _never_reads(line: Line) -> None:
    line.associate()
    line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    while True:
        line.say(_ECHO * 1000)


def _echo_for_ever(line: Line) -> None:
    line.associate()
    while True:
        line.say(_ECHO)
        line.pdu()
        time.sleep(0.02)


def _reports_again(line: Line) -> None:
    """Deliver the same report once more and release."""
    line.send(event(2), REPORT, information(line))
    line.message()
    line.say(pdus.encode(ReleaseRequest()))
    line.pdu()


def _data_after_release(line: Line) -> None:
    line.associate()
    line.say(pdus.encode(ReleaseRequest()), _ECHO)
    line.silent()


def _never_closes(line: Line) -> None:
    line.associate()
    line.say(pdus.encode(ReleaseRequest()))
    line.silent()


def _drips_a_message(line: Line) -> None:
    line.associate()
    line.drip(_ECHO)


def _begun_behind(line: Line) -> None:
    line.associate()
    while True:
        line.say(_ECHO[9:], _ECHO[:9])
        time.sleep(0.1)


_ECHO: Final = encoded(CEchoRequest(1), ECHO)

ROWS: Final = (
    Call("associates and says nothing", opens(lambda _line: None), "link.timeout", wait="idle", words="'idle'"),
    Call("C-ECHO-RQ dripped", _drips_a_message, "link.timeout", wait="idle"),
    Call("half a C-ECHO-RQ, then silence", says(_ECHO[:20]), "link.timeout", wait="idle", words="'pdu'"),
    Call("half a C-ECHO-RQ behind a whole one", says(_ECHO + _ECHO[:20]), "link.timeout", wait="idle", words="'pdu'"),
    Call("half a C-ECHO-RQ, then the end", opens(steps(lambda line: line.say(_ECHO[:20]), Line.close)),
         "link.closed"),
    Call("half a C-ECHO-RQ, then a reset", opens(steps(lambda line: line.say(_ECHO[:20]), Line.reset)),
         "link.closed"),
    Call("C-ECHO-RQ for ever", _echo_for_ever, "link.timeout", wait="association", words="'association'"),
    Call("C-ECHO-RQ for ever, answers never read", _never_reads, "link.timeout", wait="association",
         words="'(write|association)'"),
    Call("Data Set behind C-ECHO-RQ", says(pdus.encode(Fragment(ECHO, 3, announcing(encode_command(
         CEchoRequest(1)), data_set=True))) + pdus.encode(Fragment(ECHO, 2, bytes(100)))), REMOTE,
         words="announces a Data Set"),
    Call("never closes behind its release", _never_closes, "", wait="artim"),
    Call("P-DATA-TF behind A-RELEASE-RQ", _data_after_release, "", wait="artim"),
    Call("PDU of unknown type", says(raw_pdu(0x42, bytes(4))), REMOTE, words="42H"),
    Call("P-DATA-TF of 4 GiB", says(raw_pdu(4, bytes(100), 0xFFFFFFFF)), REMOTE, words="4294967295"),
    Call("P-DATA-TF of 1 MiB", says(raw_pdu(4, bytes(1 << 20))), REMOTE, words="1048576"),
    Call("P-DATA-TF without a data value, for ever", says(raw_pdu(4, b"") * 100, endless=True), REMOTE),
    Call("data value beyond its PDU", says(b"\4\0\0\0\0\6\0\0\0\x63\1\3"), REMOTE),
    Call("P-DATA-TF on a context never negotiated", says(encoded(CEchoRequest(1), 77)), REMOTE, words="context 77"),
    Call("Command Set without end", says(pdus.encode(Fragment(ECHO, 1, bytes(1000))) * 20, endless=True), REMOTE,
         words="Command Set"),
    Call("Command Set of empty fragments", says(pdus.encode(Fragment(ECHO, 1, b"")) * 2000, endless=True), REMOTE,
         words="Command Set"),
    Call("Command Set of noise", says(pdus.encode(Fragment(ECHO, 3, b"\xff" * 100))), REMOTE),
    Call("Data Set that nobody announced", says(pdus.encode(Fragment(ECHO, 2, bytes(100)))), REMOTE),
    Call("messages on two contexts at once", says(pdus.encode(Fragment(ECHO, 1, bytes(10))) + pdus.encode(
         Fragment(REPORT, 1, bytes(10)))), REMOTE, words="interleaved"),
    Call("response that nobody waits for", says(encoded(CEchoResponse(1), ECHO)), REMOTE, words="nobody waits"),
    Call("C-STORE-RQ of an endless instance", _endless_instance, REMOTE, words="Data Set of more than"),
    Call("A-ABORT for ever", says(pdus.encode(Abort()) * 100, endless=True), "association.aborted"),
    Call("report of a transaction that nobody asked", reports(lambda line: information(line, transaction="2.25.1")),
         ""),
    Call("report of a stranger, of a transaction that nobody asked", _stranger, ""),
    Call("report about another instance", reports(lambda line: information(line, uid="2.25.1")), ""),
    Call("report with another SOP Class", reports(lambda line: information(line, sop_class="1.2.3")), "",
         state="held"),
    Call("committed and failed at once", reports(lambda line: information(line, reason=0x0110), kind=2), "",
         state="stored"),
    Call("report of unknown event type", reports(information, kind=9), ""),
    Call("report on the context of Verification", reports(information, context_id=ECHO), "", state="committed"),
    Call("report without a Data Set", says(pdus.encode(Fragment(REPORT, 3, announcing(encode_command(
         event(), data_set=True), data_set=False)))), "link.timeout", wait="idle"),
    Call("report of noise", reports(lambda _line: b"\xff" * 1000), ""),
    Call("report cut in a sequence", reports(lambda line: information(line)[:-9]), ""),
    Call("report of 50,000 levels", reports(lambda _line: deep(50_000)), ""),
    Call("report of 12,000 references", reports(lambda line: many(line, 12_000)), ""),
    Call("report of 56,000 elements", reports(lambda _line: wide(56_000)), ""),
    Call("report of 300,000 empty Items", reports(lambda _line: crowded(300_000)), ""),
    Call("report without end", _endless_report(100_000), REMOTE, words="Data Set of more than"),
    Call("report of empty fragments", _endless_report(0), REMOTE, words="empty fragments"),
    Call("half a report, then the end", opens(steps(lambda line: line.say(encoded(event(), REPORT,
         information(line))[:-5]), Line.close)), "link.closed"),
    Call("report and reset before its answer", _reports_and(steps(lambda line: time.sleep(0.1), Line.reset)), ".*",
         state="committed"),
    Call("report twice", _reports_and(steps(Line.message, _reports_again)), "", state="committed"),
)  # fmt: skip
