"""The upper layer under any bytes and any order of events.

Random PDUs survive a round trip; damaged ones raise RemoteProtocolError and nothing else; an association in any state,
given any calls and any bytes, does something legal or raises LocalProtocolError or, once, RemoteProtocolError.
"""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from fakes.associations import WAYS, acceptance, drain, golden, in_state, request, written
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dimse.fragment import Assembler, Collector, DataSetPart
from agent.dimse.layout import decode as decode_command
from agent.dimse.layout import encode as encode_command
from agent.dimse.message import CEchoRequest, CStoreRequest, CStoreResponse
from agent.errors import LocalProtocolError, RemoteProtocolError
from agent.ul import pdu
from agent.ul.association import Association
from agent.ul.buffer import ReceiveBuffer
from agent.ul.items import ContextResult, PresentationContext
from agent.ul.machine import State
from agent.ul.user import (
    AsyncWindow,
    CommonExtendedNegotiation,
    ExtendedNegotiation,
    RoleSelection,
    UserIdentity,
    UserInformation,
)

uid = st.lists(st.integers(0, 10**9), min_size=1, max_size=6).map(
    lambda parts: ".".join(map(str, parts))[:64].strip(".")
)
title = st.text(
    st.characters(codec="ascii", categories=("L", "N", "P"), exclude_characters="\\"), min_size=1, max_size=16
)
short = st.integers(0, 0xFFFF)
blob = st.binary(max_size=200)
identity = st.builds(UserIdentity, st.sampled_from([1, 3, 4, 5]), blob, st.just(b""), st.booleans()) | st.builds(
    UserIdentity, st.just(2), blob, blob, st.booleans()
)
user = st.builds(
    UserInformation,
    st.integers(0, 2**32 - 1),
    uid,
    title | st.just(""),
    st.none() | st.builds(AsyncWindow, short, short),
    st.lists(st.builds(RoleSelection, uid, st.booleans(), st.booleans()), max_size=4).map(tuple),
    st.lists(st.builds(ExtendedNegotiation, uid, blob), max_size=3).map(tuple),
    st.lists(st.builds(CommonExtendedNegotiation, uid, uid, st.lists(uid, max_size=3).map(tuple)), max_size=2).map(
        tuple
    ),
    st.none() | identity,
    st.none() | blob,
)
odd = st.integers(0, 127).map(lambda number: 2 * number + 1)
contexts = st.lists(
    st.builds(PresentationContext, odd, uid, st.lists(uid, min_size=1, max_size=4).map(tuple)),
    min_size=1,
    max_size=6,
    unique_by=lambda context: context.context_id,
).map(tuple)
results = st.lists(
    st.builds(ContextResult, odd, st.integers(0, 4), uid), max_size=6, unique_by=lambda result: result.context_id
).map(tuple)
byte = st.integers(0, 255)
any_pdu = st.one_of(
    st.builds(pdu.AssociateRequest, title, title, contexts, user, uid, short, st.binary(min_size=32, max_size=32)),
    st.builds(pdu.AssociateAccept, title, title, results, user, uid, short, st.binary(min_size=32, max_size=32)),
    st.builds(pdu.AssociateReject, byte, byte, byte),
    st.builds(pdu.Fragment, byte, st.integers(0, 3), blob),
    st.just(pdu.ReleaseRequest()),
    st.just(pdu.ReleaseResponse()),
    st.builds(pdu.Abort, byte, byte),
)


def read(data: bytes, steps: list[int]) -> list[pdu.Pdu]:
    buffer = ReceiveBuffer()
    found: list[pdu.Pdu] = []
    at = 0
    for step in [*steps, len(data)]:
        if step:
            buffer.append(data[at : at + step])
        at += step
        while (one := buffer.next_pdu()) is not None:
            whole = pdu.decode_fragments(one[1]) if one[0] == pdu.DATA_TF else [pdu.decode(*one)]
            found += [p._replace(data=bytes(p.data)) if isinstance(p, pdu.Fragment) else p for p in whole]
    return found


@given(st.lists(any_pdu, min_size=1, max_size=4), st.lists(st.integers(1, 300), max_size=20))
def test_any_pdus_cut_anywhere_survive(pdus: list[pdu.Pdu], steps: list[int]) -> None:
    assert read(b"".join(map(pdu.encode, pdus)), steps) == pdus


@st.composite
def damaged(draw: Any) -> bytes:
    """A valid PDU with bytes changed, put in, taken out or cut off."""
    data = bytearray(draw(any_pdu.map(pdu.encode) | st.sampled_from(list(golden().values()))))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from("cid"))
        if kind == "c" and at < len(data):
            data[at] = draw(byte)
        elif kind == "i":
            data[at:at] = draw(st.binary(min_size=1, max_size=8))
        else:
            del data[at : at + draw(st.integers(1, 8))]
    return bytes(data)


@given(damaged())
@settings(max_examples=400)
def test_damaged_bytes_raise_a_remote_error_or_nothing(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        read(data, [])


@given(damaged() | st.binary(max_size=300) | st.binary(max_size=60).map(lambda b: b"\4\0\0\0\0" + bytes([len(b)]) + b))
@settings(max_examples=300)
def test_a_pdu_that_was_read_can_be_read_again(data: bytes) -> None:
    """decode, encode, decode: equal, for all that our strict writer agrees to write."""
    try:
        found = read(data, [])
    except RemoteProtocolError:
        return
    for one in found:
        with contextlib.suppress(LocalProtocolError):
            assert read(pdu.encode(one), []) == [one]


PRIMITIVES: list[pdu.Pdu] = [
    request(),
    acceptance(request()),
    pdu.AssociateReject(1, 1, 1),
    pdu.Fragment(1, 3, b"ab"),
    pdu.Fragment(9, 3, b"ab"),
    pdu.ReleaseRequest(),
    pdu.ReleaseResponse(),
    pdu.Abort(),
]
WIRE = [pdu.encode(one) for one in PRIMITIVES] + [
    b"",
    b"\xff" * 10,
    b"\4\0\0\0\0\6\0\0\0\2\1\3",
    b"\1\0\xff\xff\xff\xff",
]
DO = st.one_of(
    st.sampled_from(PRIMITIVES),
    st.sampled_from(WIRE),
    damaged(),
    st.floats(0, 100),
    st.sampled_from(["connected", "abort", "begin", "end"]),
)


def act(association: Association, what: object, now: float) -> None:
    if isinstance(what, bytes):
        association.receive(what, now)
    elif isinstance(what, float):
        association.tick(now + what)
    elif what == "connected":
        association.connected(now)
    elif what == "abort":
        association.abort(now)
    elif what == "begin":
        association.begin_data_set(1, 100)
    elif what == "end":
        association.end_data_set()
    else:
        association.send(what, now)  # type: ignore[arg-type]


@given(st.sampled_from(list(State)), st.lists(DO, min_size=1, max_size=12))
@settings(max_examples=600)
def test_any_calls_in_any_state_are_legal_or_refused(state: State, doings: list[object]) -> None:
    association = in_state(state)
    faults = aborts = 0
    for number, what in enumerate(doings):
        try:
            act(association, what, float(number))
            drain(association)
        except LocalProtocolError:
            assert association.error is not None or association.over
        except RemoteProtocolError:
            faults += 1
            assert association.state is State.STA13
        out = written(association)
        aborts += sum(1 for at in range(len(out) - 9) if out[at : at + 6] == b"\7\0\0\0\0\4")
        assert (association.deadline is not None) == (association.state in (State.STA2, State.STA13))
    assert faults <= 1
    assert aborts <= 1


@pytest.mark.parametrize("state", [state for state in WAYS if state not in (State.STA1, State.STA4)])
def test_a_fault_of_the_peer_always_closes(state: State) -> None:
    """Any PDU in any state ends in a legal event or one A-ABORT; then ARTIM or the peer closes."""
    for data in WIRE:
        association = in_state(state)
        with contextlib.suppress(RemoteProtocolError):
            association.receive(data, 0.0)
            drain(association)
        association.receive(b"", 1.0)
        with contextlib.suppress(RemoteProtocolError):
            drain(association)
        drain(association)
        assert association.over


@given(st.binary(max_size=200))
def test_any_bytes_as_a_command_set(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        decode_command(data)


COMMANDS = [
    encode_command(CEchoRequest(1)),
    encode_command(CStoreRequest(1, "1.2", "1.3")),
    encode_command(CStoreResponse(1, 0xB000, "1.2", "1.3", (0x00100010,), "why")),
]


@given(st.sampled_from(COMMANDS), st.integers(0, 200), byte)
@settings(max_examples=300)
def test_a_damaged_command_set(data: bytes, at: int, value: int) -> None:
    changed = bytearray(data)
    changed[at % len(data)] = value
    with contextlib.suppress(RemoteProtocolError):
        decode_command(bytes(changed))


fragment = st.builds(pdu.Fragment, st.sampled_from([1, 3]), st.integers(0, 3), st.sampled_from(COMMANDS) | blob)


@given(st.lists(fragment, max_size=20))
@settings(max_examples=300)
def test_any_fragments_in_any_order(fragments: list[pdu.Fragment]) -> None:
    assembler, collector = Assembler(), Collector(limit_bytes=1000)
    with contextlib.suppress(RemoteProtocolError):
        for one in fragments:
            found = assembler.feed(one)
            if isinstance(found, DataSetPart):
                collector.feed(found)
