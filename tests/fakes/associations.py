"""Associations connected without a socket, and ways to bring one into any of the thirteen states."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, VERIFICATION
from agent.dataset.uid import US as ULTRASOUND
from agent.service.proposal import Need, acceptor_policy, associate_request, propose
from agent.ul import pdu
from agent.ul.association import Association, Role
from agent.ul.machine import Event, State
from agent.ul.negotiate import Offer, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.ul.association import Indication
    from agent.ul.pdu import AssociateAccept, AssociateRequest

VECTORS = Path(__file__).parent.parent / "vectors"

NEEDS = [Need(VERIFICATION, (IMPLICIT_VR_LE,)), Need(ULTRASOUND, (EXPLICIT_VR_LE,))]
OFFERS = {VERIFICATION: Offer((IMPLICIT_VR_LE,)), ULTRASOUND: Offer((EXPLICIT_VR_LE, IMPLICIT_VR_LE))}


def golden(name: str = "") -> dict[str, bytes]:
    """The PDUs of ul_pdus.txt whose name contains ``name``."""
    lines = [line.split() for line in (VECTORS / "ul_pdus.txt").read_text().splitlines() if not line.startswith("#")]
    return {key: bytes.fromhex(value) for key, value in lines if name in key}


def table_rows() -> list[tuple[Event, State, str]]:
    """Every cell of the second transcription of Table 9-10: "ACTION state", "ACTION state|state" or empty."""
    with (VECTORS / "ps3_08_table_9-10.csv").open(newline="") as file:
        return [
            (Event(int(row["event"])), state, row[f"sta{state}"]) for row in csv.DictReader(file) for state in State
        ]


def request(maximum_length: int = 16384) -> AssociateRequest:
    return associate_request("AGENT", "ARCHIVE", propose(NEEDS).contexts, maximum_length=maximum_length)


def acceptance(to: AssociateRequest, maximum_length: int = 16384) -> AssociateAccept:
    accepted = answer(to, acceptor_policy(OFFERS, maximum_length=maximum_length))
    assert isinstance(accepted, pdu.AssociateAccept)
    return accepted


def drain(association: Association) -> list[Indication]:
    events = []
    while (event := association.next_event()) is not None:
        events.append(event)
    return events


def written(association: Association) -> bytes:
    return b"".join(bytes(part) for part in association.outgoing())


class Pair:
    """A requestor and an acceptor; what one writes the other reads, ``step_bytes`` at a time (0 = at once)."""

    def __init__(self, step_bytes: int = 0, maximum_length: int = 16384, peer_maximum_length: int = 16384) -> None:
        self.step_bytes = step_bytes
        self.requestor = Association(Role.REQUESTOR, maximum_length=maximum_length)
        self.acceptor = Association(Role.ACCEPTOR, maximum_length=peer_maximum_length)
        self.requestor.send(request(maximum_length), 0.0)
        drain(self.requestor)
        self.requestor.connected(0.0)
        self.acceptor.connected(0.0)
        self.to_acceptor()
        assert self.acceptor.request is not None
        self.acceptor.send(acceptance(self.acceptor.request, peer_maximum_length), 0.0)
        self.to_requestor()

    def to_acceptor(self) -> list[Indication]:
        return self._carry(self.requestor, self.acceptor)

    def to_requestor(self) -> list[Indication]:
        return self._carry(self.acceptor, self.requestor)

    def _carry(self, source: Association, target: Association) -> list[Indication]:
        data = written(source)
        events = []
        for at in range(0, len(data), self.step_bytes or max(len(data), 1)):
            target.receive(data[at : at + (self.step_bytes or len(data))], 0.0)
            # as a caller may not keep what it was lent, copy fragments before the next read
            events += [e._replace(data=bytes(e.data)) if isinstance(e, pdu.Fragment) else e for e in drain(target)]
        return events


def _requestor(upto: int) -> Association:
    one = Association(Role.REQUESTOR)
    if upto >= 4:
        one.send(request(), 0.0)
    if upto >= 5:
        one.connected(0.0)
    return one


def _in_data(*, requestor: bool = True) -> Association:
    pair = Pair()
    return pair.requestor if requestor else pair.acceptor


def _acceptor(upto: int) -> Association:
    one = Association(Role.ACCEPTOR)
    one.connected(0.0)
    if upto >= 3:
        one.receive(pdu.encode(request()), 0.0)
    return one


def _after(association: Association, *steps: object) -> Association:
    """Send (a primitive) or receive (bytes of a PDU, given in a list) each step."""
    for step in steps:
        if isinstance(step, list):
            association.receive(pdu.encode(step[0]), 0.0)
            drain(association)
        else:
            association.send(step, 0.0)  # type: ignore[arg-type]
    return association


_RQ, _RP = pdu.ReleaseRequest(), pdu.ReleaseResponse()

# How to come into each state by legal steps only. States that both roles can reach are entered as requestor.
WAYS: dict[State, Callable[[], Association]] = {
    State.STA1: lambda: _requestor(1),
    State.STA2: lambda: _acceptor(2),
    State.STA3: lambda: _acceptor(3),
    State.STA4: lambda: _requestor(4),
    State.STA5: lambda: _requestor(5),
    State.STA6: _in_data,
    State.STA7: lambda: _after(_in_data(), _RQ),
    State.STA8: lambda: _after(_in_data(), [_RQ]),
    State.STA9: lambda: _after(_in_data(), _RQ, [_RQ]),
    State.STA10: lambda: _after(_in_data(requestor=False), _RQ, [_RQ]),
    State.STA11: lambda: _after(_in_data(), _RQ, [_RQ], _RP),
    State.STA12: lambda: _after(_in_data(requestor=False), _RQ, [_RQ], [_RP]),
    State.STA13: lambda: _after(_in_data(), [_RQ], _RP),
}


def in_state(state: State) -> Association:
    """A fresh association in ``state``, with nothing left to read or write."""
    association = WAYS[state]()
    drain(association)
    association.outgoing()
    assert association.state is state
    return association
