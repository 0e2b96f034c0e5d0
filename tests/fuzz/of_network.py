"""Targets of PS3.7, PS3.8 and Storage Commitment: what a peer may send, and in which order.

``pdu``: the first byte says how the bytes are cut. ``association``: the first byte is the state, then come steps (see
``run_association``). ``command``: the first byte chooses between a Command Set and fragments of messages.
"""

from __future__ import annotations

import contextlib

from fakes.associations import acceptance, drain, in_state, request, written

from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, VERIFICATION
from agent.dimse.fragment import COMMAND_LIMIT_BYTES, Assembler, Collector, DataSetPart
from agent.dimse.layout import decode as decode_command
from agent.dimse.layout import encode as encode_command
from agent.dimse.message import CEchoRequest, CEchoResponse, CStoreRequest, OtherRequest, is_response, refusal
from agent.errors import DecodeError, EncodeError, LocalProtocolError, RemoteProtocolError
from agent.service import commitment, query
from agent.ul import pdu
from agent.ul.association import Association
from agent.ul.buffer import ReceiveBuffer
from agent.ul.machine import State

STATES = tuple(State)
STEP_NAMES = ("receive", "close", "tick", "connected", "abort", "begin", "end", "send")
COLLECTED_BYTES = 1000
_REQUEST = request()
PRIMITIVES: tuple[pdu.Pdu, ...] = (
    _REQUEST,
    acceptance(_REQUEST),
    pdu.AssociateReject(1, 1, 1),
    pdu.Fragment(1, 3, b"ab"),
    pdu.Fragment(9, 3, b"ab"),
    pdu.ReleaseRequest(),
    pdu.ReleaseResponse(),
    pdu.Abort(),
)


def run_pdu(data: bytes) -> None:
    """Whole and cut: the same PDUs and the same end; each is read again from what our strict writer makes of it."""
    if not data:
        return
    step, body = 1 + data[0], data[1:]
    whole, fault = read_pdus(body, len(body) or 1)
    assert (whole, fault) == read_pdus(body, step)
    for one in whole:
        try:
            again = pdu.encode(one)
        except LocalProtocolError:
            continue
        assert read_pdus(again, len(again)) == ([one], "")


def read_pdus(body: bytes, step: int) -> tuple[list[pdu.Pdu], str]:
    """The PDUs that come in pieces of ``step`` bytes, and what was wrong in the end."""
    buffer = ReceiveBuffer()
    found: list[pdu.Pdu] = []
    try:
        for at in range(0, len(body), step):
            buffer.append(body[at : at + step])
            while (one := buffer.next_pdu()) is not None:
                whole = pdu.decode_fragments(one[1]) if one[0] == pdu.DATA_TF else [pdu.decode(*one)]
                found += [p._replace(data=bytes(p.data)) if isinstance(p, pdu.Fragment) else p for p in whole]
    except RemoteProtocolError as error:
        return found, str(error)
    return found, ""


def run_association(data: bytes) -> None:
    """Steps of one byte (low bits: what, high bits: which or how long) and what ``receive`` takes.

    Every step is legal, or LocalProtocolError and the association is dead, or once RemoteProtocolError and Sta13; one
    A-ABORT at most; a deadline exactly where ARTIM runs; nothing held beyond one PDU.
    """
    if not data:
        return
    association = in_state(STATES[data[0] % len(STATES)])
    faults = aborts = 0
    at, now = 1, 0.0
    while at < len(data):
        what, high = STEP_NAMES[data[at] & 7], data[at] >> 3
        at += 1
        piece = b""
        if what == "receive":
            size = data[at] | (high & 7) << 8 if at < len(data) else 0
            piece = data[at + 1 : at + 1 + size]
            at += 1 + size
        now += high if what == "tick" else 0.125
        try:
            _step(association, what, high, piece, now)
            drain(association)
        except LocalProtocolError:
            assert association.error is not None or association.over
        except RemoteProtocolError:
            faults += 1
            assert association.state is State.STA13
        out = written(association)
        aborts += sum(1 for place in range(len(out) - 9) if out[place : place + 6] == b"\7\0\0\0\0\4")
        assert (association.deadline is not None) == (association.state in (State.STA2, State.STA13))
    assert faults <= 1
    assert aborts <= 1


def _step(association: Association, what: str, high: int, piece: bytes, now: float) -> None:
    if what in {"receive", "close"}:
        association.receive(piece, now)
    elif what == "tick":
        association.tick(now)
    elif what == "connected":
        association.connected(now)
    elif what == "abort":
        association.abort(now)
    elif what == "begin":
        association.begin_data_set(1, high)
    elif what == "end":
        association.end_data_set()
    else:
        association.send(PRIMITIVES[high % len(PRIMITIVES)], now)


def run_command(data: bytes) -> None:
    """A Command Set is read again from what is written of it; fragments in any order end in messages or an error."""
    if not data:
        return
    if data[0] & 1:
        _run_fragments(data[1:])
        return
    try:
        message, data_set = decode_command(data[1:])
    except RemoteProtocolError:
        return
    if not is_response(message):
        refusal(message, 0x0110)
    if isinstance(message, OtherRequest):
        return
    if isinstance(message, CStoreRequest) and not message.move_originator_ae:
        message = message._replace(move_originator_message_id=None)  # which means nothing alone
    if isinstance(message, CEchoRequest | CEchoResponse) and not message.sop_class_uid:
        message = message._replace(sop_class_uid=VERIFICATION)  # the only one there is
    try:
        again = decode_command(encode_command(message, data_set=data_set and not isinstance(message, CStoreRequest)))
    except LocalProtocolError:
        return
    assert again == (message, data_set)


def _run_fragments(data: bytes) -> None:
    """Three bytes (context, control, length) and the content, again and again."""
    assembler, collector = Assembler(), Collector(limit_bytes=COLLECTED_BYTES)
    at = 0
    try:
        while at + 3 <= len(data):
            context, control, size = data[at : at + 3]
            found = assembler.feed(pdu.Fragment(context, control & 3, data[at + 3 : at + 3 + size]))
            assert len(assembler._command) <= COMMAND_LIMIT_BYTES
            at += 3 + size
            if isinstance(found, DataSetPart):
                whole = collector.feed(found)
                assert whole is None or len(whole) <= COLLECTED_BYTES
    except RemoteProtocolError:
        return


def run_commitment(data: bytes) -> None:
    """Action and Event Information: DecodeError, or values that survive a round trip where they can be written.

    And the same bytes as an answer of C-FIND.
    """
    if len(data) < 2:
        return
    syntax = IMPLICIT_VR_LE if data[0] & 1 else EXPLICIT_VR_LE
    with contextlib.suppress(DecodeError):
        asked = commitment.decode_request(data[2:], syntax)
        with contextlib.suppress(EncodeError):
            assert commitment.decode_request(commitment.encode_request(asked, syntax), syntax) == asked
    with contextlib.suppress(DecodeError):
        report = commitment.decode_report(data[2:], syntax)
        for failure in report.failed:
            commitment.reaction(failure.reason)
        with contextlib.suppress(EncodeError):
            assert commitment.decode_report(commitment.encode_report(report, syntax), syntax) == report
    with contextlib.suppress(DecodeError):
        assert isinstance(query.decode_identifier(data[2:], syntax), str)
