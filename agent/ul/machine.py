"""The state machine of the upper layer: Table 9-10 as data (PS3.8 9.2).

Two tables and two lookups. ``TABLE`` says which action a state takes for an event; an absent cell is an error:
for something we asked, ours (``LocalProtocolError``); for something a peer or the transport did, a cell that cannot be
reached. ``ACTIONS`` says what an action does, as a list of effects, and where it goes.

The machine knows no bytes, sockets or clocks and does not know who is right: it never raises for a peer. The
association interprets the effects. Only two actions need more than the state: AE-6 (does the provider like the
request?) and AR-8 (who opened the association?); each is split in two rows here, and ``step`` picks the row.

Rules of the life of an association, which the table encodes:

* Sta1 idle. Requestor: Sta4 (transport opening), Sta5 (waiting for the answer), Sta6. Acceptor: Sta2 (transport open,
  waiting for the request), Sta3 (waiting for our own answer), Sta6.
* Sta6 data flow. Release: Sta7 (we asked) or Sta8 (they asked). Both at once: requestor 9 then 11, acceptor 10 then 12.
* Sta13: the association is over, the transport is not yet closed. ARTIM runs here and in Sta2, nowhere else.
"""

from __future__ import annotations

from enum import IntEnum

from agent.errors import LocalProtocolError
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class State(IntEnum):
    """The thirteen states of PS3.8 9.2.1."""

    STA1 = 1  # idle
    STA2 = 2  # transport open, awaiting A-ASSOCIATE-RQ
    STA3 = 3  # awaiting our own A-ASSOCIATE response
    STA4 = 4  # awaiting the transport to open
    STA5 = 5  # awaiting A-ASSOCIATE-AC or -RJ
    STA6 = 6  # established, ready for data
    STA7 = 7  # awaiting A-RELEASE-RP
    STA8 = 8  # awaiting our own release response
    STA9 = 9  # release collision, requestor, awaiting our own release response
    STA10 = 10  # release collision, acceptor, awaiting A-RELEASE-RP
    STA11 = 11  # release collision, requestor, awaiting A-RELEASE-RP
    STA12 = 12  # release collision, acceptor, awaiting our own release response
    STA13 = 13  # awaiting the transport to close, the association is gone


class Event(IntEnum):
    """The nineteen events, in the row order of Table 9-10."""

    ASSOCIATE_REQUEST = 1
    TRANSPORT_CONNECTED = 2
    ASSOCIATE_AC_RECEIVED = 3
    ASSOCIATE_RJ_RECEIVED = 4
    TRANSPORT_INDICATED = 5
    ASSOCIATE_RQ_RECEIVED = 6
    ASSOCIATE_ACCEPT = 7
    ASSOCIATE_REJECT = 8
    DATA_REQUEST = 9
    DATA_RECEIVED = 10
    RELEASE_REQUEST = 11
    RELEASE_RQ_RECEIVED = 12
    RELEASE_RP_RECEIVED = 13
    RELEASE_RESPONSE = 14
    ABORT_REQUEST = 15
    ABORT_RECEIVED = 16
    TRANSPORT_CLOSED = 17
    ARTIM_EXPIRED = 18
    INVALID_PDU = 19


class Effect(IntEnum):
    """What an action does to the world outside the machine."""

    OPEN_TRANSPORT = 1
    CLOSE_TRANSPORT = 2
    SEND = 3  # the PDU of the primitive
    INDICATE = 4  # the received PDU, to the user
    SEND_REJECT = 5  # A-ASSOCIATE-RJ of the provider
    SEND_USER_ABORT = 6  # A-ABORT, source 0
    SEND_PROVIDER_ABORT = 7  # A-ABORT, source 2
    INDICATE_LOST = 8  # A-P-ABORT: the transport is gone
    INDICATE_FAULT = 9  # A-P-ABORT: the peer broke the protocol
    START_ARTIM = 10
    STOP_ARTIM = 11


class Action(NamedTuple):
    """One action of PS3.8 Tables 9-6 to 9-9: its name there, its effects in order, the next state."""

    name: str
    effects: tuple[Effect, ...]
    next_state: State


def _actions(rows: Iterable[tuple[str, str, int]]) -> dict[str, Action]:
    return {name: Action(name, tuple(Effect[e] for e in effects.split()), State(to)) for name, effects, to in rows}


ACTIONS = _actions(
    (
        ("AE-1", "OPEN_TRANSPORT", 4),
        ("AE-2", "SEND", 5),
        ("AE-3", "INDICATE", 6),
        ("AE-4", "INDICATE CLOSE_TRANSPORT", 1),
        ("AE-5", "START_ARTIM", 2),
        ("AE-6", "STOP_ARTIM INDICATE", 3),
        ("AE-6 refused", "STOP_ARTIM SEND_REJECT START_ARTIM", 13),
        ("AE-7", "SEND", 6),
        ("AE-8", "SEND START_ARTIM", 13),
        ("DT-1", "SEND", 6),
        ("DT-2", "INDICATE", 6),
        ("AR-1", "SEND", 7),
        ("AR-2", "INDICATE", 8),
        ("AR-3", "INDICATE CLOSE_TRANSPORT", 1),
        ("AR-4", "SEND START_ARTIM", 13),
        ("AR-5", "STOP_ARTIM", 1),
        ("AR-6", "INDICATE", 7),
        ("AR-7", "SEND", 8),
        ("AR-8", "INDICATE", 10),
        ("AR-8 requestor", "INDICATE", 9),
        ("AR-9", "SEND", 11),
        ("AR-10", "INDICATE", 12),
        ("AA-1", "SEND_USER_ABORT START_ARTIM", 13),
        ("AA-2", "STOP_ARTIM CLOSE_TRANSPORT", 1),
        ("AA-3", "INDICATE CLOSE_TRANSPORT", 1),
        ("AA-4", "INDICATE_LOST", 1),
        ("AA-5", "STOP_ARTIM", 1),
        ("AA-6", "", 13),
        ("AA-7", "SEND_PROVIDER_ABORT", 13),
        ("AA-8", "SEND_PROVIDER_ABORT INDICATE_FAULT START_ARTIM", 13),
    )
)

# What a PDU that nobody expects does in each state; the rows below override single cells.
_UNEXPECTED = {2: "AA-1", 3: "AA-8", 5: "AA-8"} | dict.fromkeys(range(6, 13), "AA-8") | {13: "AA-6"}

_ROWS: dict[Event, dict[int, str]] = {
    Event.ASSOCIATE_REQUEST: {1: "AE-1"},
    Event.TRANSPORT_CONNECTED: {4: "AE-2"},
    Event.ASSOCIATE_AC_RECEIVED: _UNEXPECTED | {5: "AE-3"},
    Event.ASSOCIATE_RJ_RECEIVED: _UNEXPECTED | {5: "AE-4"},
    Event.TRANSPORT_INDICATED: {1: "AE-5"},
    Event.ASSOCIATE_RQ_RECEIVED: _UNEXPECTED | {2: "AE-6", 13: "AA-7"},
    Event.ASSOCIATE_ACCEPT: {3: "AE-7"},
    Event.ASSOCIATE_REJECT: {3: "AE-8"},
    Event.DATA_REQUEST: {6: "DT-1", 8: "AR-7"},
    Event.DATA_RECEIVED: _UNEXPECTED | {6: "DT-2", 7: "AR-6"},
    Event.RELEASE_REQUEST: {6: "AR-1"},
    Event.RELEASE_RQ_RECEIVED: _UNEXPECTED | {6: "AR-2", 7: "AR-8"},
    Event.RELEASE_RP_RECEIVED: _UNEXPECTED | {7: "AR-3", 10: "AR-10", 11: "AR-3"},
    Event.RELEASE_RESPONSE: {8: "AR-4", 9: "AR-9", 12: "AR-4"},
    Event.ABORT_REQUEST: {3: "AA-1", 4: "AA-2"} | dict.fromkeys(range(5, 13), "AA-1"),
    Event.ABORT_RECEIVED: {2: "AA-2", 3: "AA-3"} | dict.fromkeys(range(5, 13), "AA-3") | {13: "AA-2"},
    Event.TRANSPORT_CLOSED: {2: "AA-5"} | dict.fromkeys(range(3, 13), "AA-4") | {13: "AR-5"},
    Event.ARTIM_EXPIRED: {2: "AA-2", 13: "AA-2"},
    Event.INVALID_PDU: _UNEXPECTED | {13: "AA-7"},
}

# (event, state) -> action. An absent key is a cell the Standard leaves blank.
TABLE: dict[tuple[Event, State], Action] = {
    (event, State(state)): ACTIONS[name] for event, row in _ROWS.items() for state, name in row.items()
}


def step(state: State, event: Event, *, requestor: bool, acceptable: bool = True) -> Action:
    """Return the action for ``event`` in ``state``; LocalProtocolError if Table 9-10 has no such cell.

    ``requestor`` says who opened the association (AR-8); ``acceptable`` is what the provider thinks of an
    A-ASSOCIATE-RQ (AE-6).
    """
    action = TABLE.get((event, state))
    if action is None:
        raise LocalProtocolError(f"{event.name} is not possible in Sta{state}")
    if action.name == "AE-6" and not acceptable:
        return ACTIONS["AE-6 refused"]
    if action.name == "AR-8" and requestor:
        return ACTIONS["AR-8 requestor"]
    return action
