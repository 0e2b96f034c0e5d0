"""Every cell of Table 9-10 again, this time through an Association that came into the state by legal steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.associations import acceptance, drain, in_state, request, table_rows, written

from agent.errors import LocalProtocolError, RemoteProtocolError
from agent.ul import pdu
from agent.ul.association import Association, CloseTransport, OpenTransport, TransportLost
from agent.ul.machine import Event, State

if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND = pdu.Fragment(1, pdu.COMMAND | pdu.LAST, b"ab")
REJECT = pdu.AssociateReject(2, 1, 1)


def sends(primitive: pdu.Pdu) -> Callable[[Association], None]:
    return lambda association: association.send(primitive, 1.0)


def receives(data: bytes) -> Callable[[Association], None]:
    return lambda association: association.receive(data, 1.0)


def connects(association: Association) -> None:
    association.connected(1.0)


INJECT: dict[Event, Callable[[Association], None]] = {
    Event.ASSOCIATE_REQUEST: sends(request()),
    Event.TRANSPORT_CONNECTED: connects,
    Event.ASSOCIATE_AC_RECEIVED: receives(pdu.encode(acceptance(request()))),
    Event.ASSOCIATE_RJ_RECEIVED: receives(pdu.encode(REJECT)),
    Event.ASSOCIATE_RQ_RECEIVED: receives(pdu.encode(request())),
    Event.ASSOCIATE_ACCEPT: sends(acceptance(request())),
    Event.ASSOCIATE_REJECT: sends(REJECT),
    Event.DATA_REQUEST: sends(COMMAND),
    Event.DATA_RECEIVED: receives(pdu.encode(COMMAND)),
    Event.RELEASE_REQUEST: sends(pdu.ReleaseRequest()),
    Event.RELEASE_RQ_RECEIVED: receives(pdu.encode(pdu.ReleaseRequest())),
    Event.RELEASE_RP_RECEIVED: receives(pdu.encode(pdu.ReleaseResponse())),
    Event.RELEASE_RESPONSE: sends(pdu.ReleaseResponse()),
    Event.ABORT_REQUEST: sends(pdu.Abort()),
    Event.ABORT_RECEIVED: receives(pdu.encode(pdu.Abort(0, 0))),
    Event.TRANSPORT_CLOSED: receives(b""),
    Event.ARTIM_EXPIRED: lambda association: association.tick(1e9),
    Event.INVALID_PDU: receives(b"\xff\0\0\0\0\0"),
}

# First byte of what each action writes, and the events it makes; an action that is not named does neither.
WRITES = {"AE-2": 1, "AE-7": 2, "AE-8": 3, "DT-1": 4, "AR-7": 4, "AR-1": 5, "AR-4": 6, "AR-9": 6}
WRITES |= {"AA-1": 7, "AA-7": 7, "AA-8": 7}
EVENTS: dict[str, list[type]] = {
    "AE-1": [OpenTransport],
    "AE-3": [pdu.AssociateAccept],
    "AE-4": [pdu.AssociateReject, CloseTransport],
    "AE-6": [pdu.AssociateRequest],
    "DT-2": [pdu.Fragment],
    "AR-2": [pdu.ReleaseRequest],
    "AR-3": [pdu.ReleaseResponse, CloseTransport],
    "AR-6": [pdu.Fragment],
    "AR-8": [pdu.ReleaseRequest],
    "AR-10": [pdu.ReleaseResponse],
    "AA-2": [CloseTransport],
    "AA-3": [pdu.Abort, CloseTransport],
    "AA-4": [TransportLost],
}
LOCAL = {
    Event.ASSOCIATE_REQUEST,
    Event.TRANSPORT_CONNECTED,
    Event.ASSOCIATE_ACCEPT,
    Event.ASSOCIATE_REJECT,
    Event.DATA_REQUEST,
    Event.RELEASE_REQUEST,
    Event.RELEASE_RESPONSE,
    Event.ABORT_REQUEST,
}
CELLS = [row for row in table_rows() if row[0] in INJECT]


@pytest.mark.parametrize("state", list(State), ids=lambda state: f"sta{state}")
def test_cells_of(state: State) -> None:
    for event, at, cell in CELLS:
        if at is state:
            check(event, state, cell)


def check(event: Event, state: State, cell: str) -> None:
    association = in_state(state)
    name, _, number = cell.partition(" ")
    impossible = not name and (event is not Event.ARTIM_EXPIRED)
    faulty = name == "AA-8" or (name == "AA-1" and event not in LOCAL)
    events: list[object] = []
    try:
        INJECT[event](association)
        events = drain(association)
        assert not impossible, (event, state)
        assert not faulty, (event, state)
    except LocalProtocolError:
        assert impossible, (event, state)
    except RemoteProtocolError:
        assert faulty, (event, state)
    expected = state if not name else State(int(number.split("|")[0]))
    assert association.state is expected, (event, state)
    out = written(association)
    assert out[:1] == bytes([WRITES[name]] if name in WRITES else []), (event, state)
    if name in ("AA-1", "AA-7", "AA-8"):
        assert out[8] == (0 if name == "AA-1" else 2)
    assert [type(one) for one in events] == EVENTS.get(name, []), (event, state)
    assert (association.deadline is not None) == (expected in (State.STA2, State.STA13)), (event, state)
    assert association.over == (expected is State.STA1 and bool(name)), (event, state)
    assert bool(association.error) == (impossible or faulty)


def test_an_acceptor_starts_with_the_transport() -> None:
    from agent.ul.association import Role

    association = Association(Role.ACCEPTOR, artim_s=5.0)
    association.connected(10.0)
    assert (association.state, association.deadline) == (State.STA2, 15.0)
