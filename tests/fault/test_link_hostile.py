"""Peers that lie, drip, flood or fall silent: each ends by a named deadline or in a named error, never in a hang.

The peer here is a script of bytes on a loopback socket. The list follows the behaviours that hang or fool today's
clients: a dripped A-ASSOCIATE-AC, endless response fragments, a response on a context that was never negotiated.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

import pytest

from agent.dimse import layout
from agent.dimse.message import CEchoRequest, CEchoResponse, CStoreResponse, NEventReportRequest, NEventReportResponse
from agent.errors import AgentError, AssociationRefused, AssociationRejected, LinkTimeout, TlsRefused
from agent.forward.deliver import Delivery, Outcome, deliver, echo
from agent.forward.files import Instance
from agent.forward.policy import BREAKER_FAILURES
from agent.link.peer import Peer, Timeouts
from agent.service.proposal import Need
from agent.ul import pdu as pdus
from agent.ul.items import ContextResult
from agent.ul.pdu import Abort, AssociateAccept, AssociateReject, Fragment, ReleaseResponse
from agent.ul.user import UserInformation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SC = "1.2.840.10008.5.1.4.1.1.7"
EXPLICIT = "1.2.840.10008.1.2.1"
UID = "2.25.4711"
PIXELS = struct.Struct("<HH2s2xI")  # header of Pixel Data, Explicit VR
# Every wait is short here; all together they bound how long a test may take.
SHORT = Timeouts(
    connect_s=1, tls_s=1, associate_s=0.5, write_s=0.5, response_s=0.6, release_s=0.3, pdu_s=0.4, association_s=5
)
BOUND_S = 3.0
MEMORY_KIB = 16 * 1024  # growth allowed whatever the peer sends


class Line:
    """The peer's end: reads PDUs, writes what its script says."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        connection.settimeout(10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def exactly(self, count: int) -> bytes:
        data = bytearray(count)
        view = memoryview(data)
        while view:
            got = self.socket.recv_into(view)
            if not got:
                raise ConnectionError("the client closed")
            view = view[got:]
        return bytes(data)

    def pdu(self) -> tuple[int, bytes]:
        head = self.exactly(6)
        return head[0], self.exactly(int.from_bytes(head[2:], "big"))

    def accept(self, *, maximum_length: int = 16384, syntax: str = EXPLICIT, contexts: int = 0) -> None:
        _, body = self.pdu()
        self.socket.sendall(accept_bytes(body, maximum_length, syntax, contexts))

    def instance(self) -> bytes:
        """Read one C-STORE to its last data fragment; returns the Data Set."""
        data = bytearray()
        while True:
            kind, body = self.pdu()
            assert kind == pdus.DATA_TF, kind
            for fragment in pdus.decode_fragments(memoryview(body)):
                if not fragment.control & pdus.COMMAND:
                    data += fragment.data
                    if fragment.control & pdus.LAST:
                        return bytes(data)

    def send(self, message: object, context_id: int = 1, *, data: bytes | None = None) -> None:
        command = layout.encode(message, data_set=data is not None)  # type: ignore[arg-type] # any message
        out = pdus.encode(Fragment(context_id, 3, command))
        if data is not None:
            out += pdus.encode(Fragment(context_id, 2, data))
        self.socket.sendall(out)

    def stored(self, message_id: int = 1, status: int = 0, uid: str = UID) -> None:
        self.send(CStoreResponse(message_id, status, SC, uid))

    def release(self) -> None:
        kind, _ = self.pdu()
        assert kind == pdus.RELEASE_RQ, kind
        self.socket.sendall(pdus.encode(ReleaseResponse()))

    def drip(self, data: bytes, wait_s: float = 0.05) -> None:
        for byte in data:
            self.socket.sendall(bytes([byte]))
            time.sleep(wait_s)

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def accept_bytes(body: bytes, maximum_length: int = 16384, syntax: str = EXPLICIT, contexts: int = 0) -> bytes:
    request = pdus.decode(pdus.ASSOCIATE_RQ, memoryview(body))
    assert isinstance(request, pdus.AssociateRequest)
    results = tuple(ContextResult(context.context_id, 0, syntax) for context in request.contexts)
    results += tuple(ContextResult(2 * number + 101, 0, syntax) for number in range(contexts))
    user = UserInformation(maximum_length=maximum_length, implementation_class_uid="1.2.3.4")
    return pdus.encode(AssociateAccept(request.called_ae, request.calling_ae, results, user))


@pytest.fixture
def play() -> Iterator[Callable[..., Peer]]:
    """Start a peer that plays each script for one connection, in order."""
    started: list[tuple[socket.socket, threading.Thread]] = []

    def start(*scripts: Callable[[Line], None]) -> Peer:
        listener = socket.create_server(("127.0.0.1", 0))

        def run() -> None:
            for script in scripts:
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    with connection:
                        script(Line(connection))

        thread = threading.Thread(target=run)
        thread.start()
        started.append((listener, thread))
        return Peer("ARCHIVE", "127.0.0.1", listener.getsockname()[1], timeouts=SHORT)

    yield start
    for listener, thread in started:
        listener.shutdown(socket.SHUT_RDWR)  # wakes whoever still waits for a connection
        listener.close()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    path = tmp_path / "instance"
    path.write_bytes(bytes(100) + PIXELS.pack(0x7FE0, 0x0010, b"OB", 19_988) + os.urandom(19_988))
    return Instance(str(path), SC, UID, EXPLICIT, 100, 20_100)


@pytest.fixture
def large(tmp_path: Path) -> Instance:
    path = tmp_path / "large"
    random = os.urandom(1 << 20) * 16
    path.write_bytes(PIXELS.pack(0x7FE0, 0x0010, b"OB", len(random)) + random)
    return Instance(str(path), SC, UID, EXPLICIT, 0, PIXELS.size + len(random))


def send(peer: Peer, instance: Instance) -> Outcome:
    """Send one instance, in bounded time and memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    (outcome,) = deliver(peer, [instance])
    assert time.monotonic() - started < BOUND_S
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_KIB
    return outcome


def silent(line: Line) -> None:
    with contextlib.suppress(OSError):
        while line.socket.recv(1 << 16):
            pass


def never_accepts(line: Line) -> None:
    silent(line)


def drips_its_answer(line: Line) -> None:
    _, body = line.pdu()
    line.drip(accept_bytes(body))


def announces_four_gigabytes(line: Line) -> None:
    line.pdu()
    line.socket.sendall(b"\x02\x00\xff\xff\xff\xff" + bytes(100_000))
    silent(line)


def speaks_http(line: Line) -> None:
    line.pdu()
    line.socket.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    silent(line)


def aborts_at_once(line: Line) -> None:
    line.pdu()
    line.socket.sendall(pdus.encode(Abort(2, 1)))


def closes_at_once(line: Line) -> None:
    line.pdu()


def resets_at_once(line: Line) -> None:
    line.pdu()
    line.reset()


def tiny_maximum_length(line: Line) -> None:
    line.accept(maximum_length=1)
    silent(line)


def unproposed_syntax(line: Line) -> None:
    line.accept(syntax="1.2.840.10008.1.2.4.50")
    line.release()


def never_answers(line: Line) -> None:
    line.accept()
    silent(line)


def answers_without_end(line: Line) -> None:
    line.accept()
    line.instance()
    with contextlib.suppress(OSError):
        while True:
            line.socket.sendall(pdus.encode(Fragment(1, 1, bytes(1000))))


def answers_with_empty_fragments(line: Line) -> None:
    line.accept()
    line.instance()
    with contextlib.suppress(OSError):
        while True:
            line.socket.sendall(pdus.data_head(1, 1, 0) * 100)


def data_set_after_the_answer(line: Line) -> None:
    line.accept()
    line.instance()
    command = bytearray(layout.encode(CStoreResponse(1, 0, SC, UID)))
    at = command.index(b"\x00\x00\x00\x08") + 8
    command[at : at + 2] = b"\x01\x00"
    line.socket.sendall(pdus.encode(Fragment(1, 3, bytes(command))))
    with contextlib.suppress(OSError):
        while True:
            line.socket.sendall(pdus.encode(Fragment(1, 0, bytes(10_000))))


def drips_its_response(line: Line) -> None:
    line.accept()
    line.instance()
    line.drip(pdus.encode(Fragment(1, 3, layout.encode(CStoreResponse(1, 0, SC, UID)))))


def wrong_message_id(line: Line) -> None:
    line.accept()
    line.instance()
    line.stored(message_id=7)
    silent(line)


def wrong_instance(line: Line) -> None:
    line.accept()
    line.instance()
    line.stored(uid="2.25.1")
    silent(line)


def wrong_kind(line: Line) -> None:
    line.accept()
    line.instance()
    line.send(CEchoResponse(1))
    silent(line)


def never_negotiated_context(line: Line) -> None:
    line.accept()
    line.instance()
    line.send(CStoreResponse(1, 0, SC, UID), context_id=33)
    silent(line)


def never_proposed_context(line: Line) -> None:
    line.accept(contexts=3)
    line.instance()
    line.send(CStoreResponse(1, 0, SC, UID), context_id=101)
    silent(line)


def no_status(line: Line) -> None:
    line.accept()
    line.instance()
    command = layout.encode(CStoreResponse(1, 0, SC, UID))
    at = command.index(b"\x00\x00\x00\x09")
    body = command[12:at] + command[at + 10 :]
    line.socket.sendall(pdus.encode(Fragment(1, 3, command[:8] + struct.pack("<L", len(body)) + body)))
    silent(line)


def aborts_instead_of_answering(line: Line) -> None:
    line.accept()
    line.instance()
    line.socket.sendall(pdus.encode(Abort()))


def resets_in_the_middle(line: Line) -> None:
    line.accept()
    line.exactly(5000)
    line.reset()


def after_the_instance(data: bytes, *, endless: bool = False) -> Callable[[Line], None]:
    """The peer that takes the instance and then says ``data``, once or for ever, and no more."""

    def script(line: Line) -> None:
        line.accept()
        line.instance()
        with contextlib.suppress(OSError):
            line.socket.sendall(data)
            while endless:
                line.socket.sendall(data * 100)
        silent(line)

    return script


def half_closes(line: Line) -> None:
    line.accept()
    line.instance()
    line.socket.shutdown(socket.SHUT_WR)
    silent(line)


def drips_whole_pdus(line: Line) -> None:
    line.accept()
    line.instance()
    with contextlib.suppress(OSError):
        while True:
            line.socket.sendall(pdus.encode(Fragment(1, 1, b"")))
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        (never_accepts, "link.timeout", "wait 'associate'"),
        (drips_its_answer, "link.timeout", "wait '(associate|pdu)'"),
        (announces_four_gigabytes, "protocol.remote", "4294967295 bytes"),
        (speaks_http, "protocol.remote", "unknown type 48H"),
        (aborts_at_once, "association.aborted", "unrecognized PDU"),
        (closes_at_once, "link.closed", "closed the connection"),
        (resets_at_once, "link.closed", "reset"),
        (tiny_maximum_length, "protocol.remote", "maximum length of 1 bytes"),
        (unproposed_syntax, "association.no_context", "transfer syntax that was not proposed"),
        (never_answers, "link.timeout", "wait 'response'"),
        (answers_without_end, "protocol.remote", "Command Set"),
        (answers_with_empty_fragments, "(protocol.remote|link.timeout)", ""),
        (data_set_after_the_answer, "protocol.remote", "announces a Data Set"),
        (drips_its_response, "link.timeout", "wait '(response|pdu)'"),
        (wrong_message_id, "protocol.remote", "got 7"),
        (wrong_instance, "protocol.remote", "2.25.1, not"),
        (wrong_kind, "protocol.remote", "CEchoResponse"),
        (never_negotiated_context, "protocol.remote", "context 33"),
        (never_proposed_context, "protocol.remote", "context 101"),
        (no_status, "protocol.remote", "0000,0900"),
        (aborts_instead_of_answering, "association.aborted", "aborted"),
        (resets_in_the_middle, "link.closed", ""),
        (half_closes, "link.closed", "closed the connection"),
        (drips_whole_pdus, "link.timeout", "wait 'response'"),
        pytest.param(after_the_instance(b"\4\0\0\0\0\0", endless=True), "protocol.remote", "", id="no_pdv_for_ever"),
        pytest.param(after_the_instance(b"\4\0\0\0\0\6\0\0\0\x63\1\3"), "protocol.remote", "", id="pdv_too_long"),
        pytest.param(after_the_instance(b"\4\0\0\0\0\4\0\0\0\0"), "protocol.remote", "", id="pdv_of_no_bytes"),
        pytest.param(after_the_instance(b"\4\0\xff\xff\xff\xff"), "protocol.remote", "4294967295", id="pdu_too_long"),
        pytest.param(
            after_the_instance(pdus.encode(Abort()), endless=True), "association.aborted", "", id="abort_flood"
        ),
        pytest.param(
            after_the_instance(pdus.encode(AssociateReject(1, 1, 7))), "protocol.remote", "", id="rejects_too_late"
        ),
        pytest.param(after_the_instance(pdus.encode(ReleaseResponse())), "protocol.remote", "", id="unasked_release"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_ends_in_time_and_is_not_stored(
    play: Callable[..., Peer], instance: Instance, script: Callable[[Line], None], code: str, words: str
) -> None:
    import re

    outcome = send(play(script), instance)
    assert not outcome.stored
    assert outcome.error is not None
    assert re.fullmatch(code, outcome.error.code), outcome.error
    assert re.search(words, str(outcome.error)), outcome.error


def test_peer_that_stops_reading_ends_by_the_write_deadline(play: Callable[..., Peer], large: Instance) -> None:
    stop = threading.Event()

    def script(line: Line) -> None:
        line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        line.accept()
        stop.wait(5)

    outcome = send(play(script), large)
    stop.set()
    assert isinstance(outcome.error, LinkTimeout)
    assert "wait 'write'" in str(outcome.error)


@pytest.mark.parametrize("how", ["close", "reset"])
def test_association_that_ends_after_the_answer_does_not_undo_it(
    play: Callable[..., Peer], instance: Instance, how: str
) -> None:
    def script(line: Line) -> None:
        line.accept()
        line.instance()
        line.stored()
        time.sleep(0.1)
        if how == "reset":
            line.reset()

    assert send(play(script), instance).stored


def test_refusal_in_the_middle_ends_the_data_set_and_not_the_association(
    play: Callable[..., Peer], large: Instance, instance: Instance
) -> None:
    def script(line: Line) -> None:
        line.accept()
        for _ in range(10):
            line.pdu()
        line.stored(status=0xA700)
        line.instance()  # to the fragment that is marked as last
        line.instance()
        line.stored(message_id=2)
        line.release()

    with Delivery(play(script), [Need(SC, (EXPLICIT,))]) as delivery:
        refused = delivery.send(large)
        assert refused.status == 0xA700
        assert not refused.stored
        assert refused.bytes < large.size
        assert delivery.send(instance).stored


def test_success_before_the_end_is_a_lie(play: Callable[..., Peer], large: Instance) -> None:
    def script(line: Line) -> None:
        line.accept()
        line.exactly(100_000)
        line.stored()
        silent(line)

    outcome = send(play(script), large)
    assert not outcome.stored
    assert "before it had the whole instance" in str(outcome.error)


def test_request_of_the_peer_in_the_middle_waits_and_harms_nothing(play: Callable[..., Peer], large: Instance) -> None:
    data: list[bytes] = []
    answers: list[object] = []

    def script(line: Line) -> None:
        line.accept()
        line.pdu()  # the command
        line.send(NEventReportRequest(9, "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1", 1), data=b"xx")
        data.append(line.instance())
        line.stored()
        _, body = line.pdu()
        (fragment,) = pdus.decode_fragments(memoryview(body))
        answers.append(layout.decode(bytes(fragment.data))[0])
        line.release()

    (outcome,) = deliver(play(script), [large])
    assert outcome.stored
    with open(large.path, "rb") as file:
        assert data[0] == file.read()
    assert answers == [NEventReportResponse(9, 0x0211)]


@pytest.mark.parametrize("when", ["sending", "lingering"])
def test_requests_without_end_end_the_association(play: Callable[..., Peer], large: Instance, when: str) -> None:
    """A flood of C-ECHO requests is neither kept in memory nor listened to for ever."""

    def script(line: Line) -> None:
        line.accept()
        if when == "lingering":
            line.instance()
            line.stored()
        else:
            threading.Thread(target=silent, args=(line,), daemon=True).start()
        echo_request = pdus.encode(Fragment(1, 3, layout.encode(CEchoRequest(7))))
        with contextlib.suppress(OSError):
            while True:
                line.socket.sendall(echo_request * 5000)

    peer = play(script)
    if when == "sending":
        outcome = send(peer, large)
        assert "sends without end" in str(outcome.error)
        return
    with Delivery(peer, [Need(SC, (EXPLICIT,))]) as delivery:
        assert delivery.send(large).stored
        ends = time.monotonic() + BOUND_S
        while delivery.serve(0.01):
            assert time.monotonic() < ends
        assert "sends without end" in str(delivery.broken)


@pytest.mark.parametrize(
    ("result", "source", "kind", "words"),
    [
        (1, 1, AssociationRefused, "called AE Title not recognized"),
        (2, 3, AssociationRejected, "reserved reason"),
    ],
)
def test_rejection(play: Callable[..., Peer], result: int, source: int, kind: type[AgentError], words: str) -> None:
    def script(line: Line) -> None:
        line.pdu()
        line.socket.sendall(pdus.encode(AssociateReject(result, source, 7)))

    with pytest.raises(kind, match=words) as raised:
        echo(play(script))
    assert type(raised.value) is kind


def test_tls_port_that_is_called_without_tls(play: Callable[..., Peer]) -> None:
    def script(line: Line) -> None:
        line.pdu()
        line.socket.sendall(b"\x15\x03\x03\x00\x02\x02\x0a")

    with pytest.raises(TlsRefused, match="this port wants TLS"):
        echo(play(script))


def test_peer_that_never_answers_a_release_is_left(play: Callable[..., Peer], instance: Instance) -> None:
    def script(line: Line) -> None:
        line.accept()
        line.instance()
        line.stored()
        silent(line)

    assert send(play(script), instance).stored


def takes_one(line: Line) -> None:
    line.accept()
    line.instance()
    line.stored()
    line.release()


@pytest.mark.parametrize("end", [Line.reset, lambda line: line.socket.sendall(pdus.encode(Abort()))])
def test_an_instance_that_the_peer_cannot_bear_does_not_end_the_others(
    play: Callable[..., Peer], instance: Instance, end: Callable[[Line], None]
) -> None:
    def stores_one_and_ends_at_the_next(line: Line) -> None:
        line.accept()
        line.instance()
        line.stored()
        line.instance()
        end(line)

    outcomes = list(deliver(play(stores_one_and_ends_at_the_next, takes_one), [instance] * 3))
    assert [(outcome.stored, outcome.begun) for outcome in outcomes] == [(True, True), (False, True), (True, True)]
    assert outcomes[1].error
    assert outcomes[1].error.code in {"link.closed", "association.aborted"}


def test_an_end_behind_an_answer_costs_no_instance(play: Callable[..., Peer], instance: Instance) -> None:
    """A peer may take a few instances for each association and then leave."""

    def stores_one(line: Line) -> None:
        line.accept()
        line.instance()
        line.stored()
        line.socket.sendall(pdus.encode(Abort()))

    sent = []
    for outcome in deliver(play(stores_one, stores_one, takes_one), [instance] * 3):
        sent.append(outcome.stored)
        time.sleep(0.1)  # the peer has left by now
    assert sent == [True, True, True]


def test_a_peer_that_always_ends_is_left_after_a_few(play: Callable[..., Peer], instance: Instance) -> None:
    peer = play(*[aborts_instead_of_answering] * BREAKER_FAILURES)  # it would not accept one more
    outcomes = list(deliver(peer, [instance] * 8))
    assert [outcome.begun for outcome in outcomes] == [True] * BREAKER_FAILURES + [False] * (8 - BREAKER_FAILURES)
    assert {outcome.error.code for outcome in outcomes if outcome.error} == {"association.aborted"}
    assert not any(outcome.stored for outcome in outcomes)


def test_what_is_left_is_not_sent_when_no_association_can_be_had(play: Callable[..., Peer], instance: Instance) -> None:
    def resets_at_the_first(line: Line) -> None:
        line.accept()
        line.instance()
        line.reset()

    outcomes = list(deliver(play(resets_at_the_first, aborts_at_once), [instance] * 4))
    assert [outcome.begun for outcome in outcomes] == [True, False, False, False]
    assert [outcome.error.code for outcome in outcomes if outcome.error] == ["link.closed"] + [
        "association.aborted"] * 3  # fmt: skip
