"""Peers that end an association, or answer early: what becomes of the instances behind, and of those that follow.

One instance and one fault at a time are ``test_misbehaviour.py``.
"""

from __future__ import annotations

import os
import struct
import time
from typing import TYPE_CHECKING

import pytest
from fakes.misbehaviour.line import Line

from agent.dimse.message import NEventReportRequest, NEventReportResponse
from agent.forward.deliver import Delivery, deliver
from agent.forward.files import Instance
from agent.forward.policy import BREAKER_FAILURES
from agent.link.peer import Peer
from agent.service.proposal import Need
from agent.ul import pdu as pdus
from agent.ul.pdu import Abort

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SC = "1.2.840.10008.5.1.4.1.1.7"
EXPLICIT = "1.2.840.10008.1.2.1"
UID = "2.25.4711"
PIXELS = struct.Struct("<HH2s2xI")  # header of Pixel Data, Explicit VR


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


def test_refusal_in_the_middle_ends_the_data_set_and_not_the_association(
    play: Callable[..., Peer], large: Instance, instance: Instance
) -> None:
    def script(line: Line) -> None:
        line.accept()
        line.command()
        for _ in range(9):
            line.pdu()
        line.stored(0xA700)
        line.rest()
        line.instance()
        line.stored()
        line.release()

    with Delivery(play(script), [Need(SC, (EXPLICIT,))]) as delivery:
        refused = delivery.send(large)
        assert refused.status == 0xA700
        assert not refused.stored
        assert refused.bytes < large.size
        assert delivery.send(instance).stored


def test_request_of_the_peer_in_the_middle_waits_and_harms_nothing(play: Callable[..., Peer], large: Instance) -> None:
    data: list[bytes] = []
    answers: list[object] = []

    def script(line: Line) -> None:
        line.accept()
        line.command()
        line.send(NEventReportRequest(9, "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1", 1), 1, b"xx")
        data.append(line.rest())
        line.stored()
        answers.append(line.message()[0])
        line.release()

    (outcome,) = deliver(play(script), [large])
    assert outcome.stored
    with open(large.path, "rb") as file:
        assert data[0] == file.read()
    assert answers == [NEventReportResponse(9, 0x0211)]


def takes_one(line: Line) -> None:
    line.take()
    line.release()


def aborts_instead_of_answering(line: Line) -> None:
    line.accept()
    line.instance()
    line.say(pdus.encode(Abort()))


def aborts_at_once(line: Line) -> None:
    line.pdu()
    line.say(pdus.encode(Abort()))


@pytest.mark.parametrize("end", [Line.reset, lambda line: line.say(pdus.encode(Abort()))])
def test_an_instance_that_the_peer_cannot_bear_does_not_end_the_others(
    play: Callable[..., Peer], instance: Instance, end: Callable[[Line], None]
) -> None:
    def stores_one_and_ends_at_the_next(line: Line) -> None:
        line.take()
        line.instance()
        end(line)

    outcomes = list(deliver(play(stores_one_and_ends_at_the_next, takes_one), [instance] * 3))
    assert [(outcome.stored, outcome.begun) for outcome in outcomes] == [(True, True), (False, True), (True, True)]
    assert outcomes[1].error
    assert outcomes[1].error.code in {"link.closed", "association.aborted"}


def test_an_end_behind_an_answer_costs_no_instance(play: Callable[..., Peer], instance: Instance) -> None:
    """A peer may take a few instances for each association and then leave."""

    def stores_one(line: Line) -> None:
        line.take()
        line.say(pdus.encode(Abort()))

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
