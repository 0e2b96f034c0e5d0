"""Peers that misbehave behind their answer: what they have said counts, and the connection still ends in time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from fakes.misbehaviour.line import Line, encoded, raw_pdu, steps
from fakes.misbehaviour.row import Row

from agent.dimse.message import CEchoRequest
from agent.ul import pdu as pdus
from agent.ul.pdu import Abort, Fragment, ReleaseRequest, ReleaseResponse

if TYPE_CHECKING:
    from collections.abc import Callable


RELEASE_RP: Final = pdus.encode(ReleaseResponse())


def behind_the_answer(do: Callable[[Line], object], wait_s: float = 0.05) -> Callable[[Line], None]:
    """The peer that stores the instance and then does something before the release."""

    def play(line: Line) -> None:
        line.take()
        time.sleep(wait_s)
        do(line)

    return play


def at_release(do: Callable[[Line], object]) -> Callable[[Line], None]:
    """The peer that stores the instance and answers the A-RELEASE-RQ in its own way."""

    def play(line: Line) -> None:
        line.take()
        line.pdu()
        do(line)

    return play


def _collides(line: Line) -> None:
    line.say(pdus.encode(ReleaseRequest()))
    line.pdu()
    line.say(RELEASE_RP)
    line.silent()


def _collides_for_ever(line: Line) -> None:
    line.flood(pdus.encode(ReleaseRequest()) * 100)


ROWS: Final = (
    Row("closes right behind the response", behind_the_answer(lambda line: line.socket.close(), 0.0), ".*", "stored",
        note="storescu reports a failure"),
    Row("resets right behind the response", behind_the_answer(lambda line: line.reset(), 0.1), ".*", "stored",
        note="storescu reports a failure"),
    Row("A-ABORT behind the response", behind_the_answer(lambda line: line.say(pdus.encode(Abort()))), ".*", "stored"),
    Row("noise behind the response", behind_the_answer(lambda line: line.say(b"\xff" * 100)), ".*", "stored"),
    Row("half a PDU behind the response", behind_the_answer(steps(lambda line: line.say(raw_pdu(4, b"\0", 99)),
        Line.silent)), ".*", "stored", "response"),
    Row("C-ECHO-RQ without end behind the response", behind_the_answer(lambda line: line.flood(
        encoded(CEchoRequest(7), line.store_context) * 500)), ".*", "stored", "association"),
    Row("A-RELEASE-RQ never answered", at_release(lambda line: line.silent()), "", "stored", "release"),
    Row("A-RELEASE-RP dripped", at_release(lambda line: line.drip(RELEASE_RP, 0.1)), "", "stored", "release"),
    Row("A-RELEASE-RP of 4 GiB", at_release(lambda line: line.say(raw_pdu(6, b"", 0xFFFFFFFF))), "", "stored"),
    Row("A-ABORT as answer to the release", at_release(lambda line: line.say(pdus.encode(Abort()))), "", "stored"),
    Row("reset as answer to the release", at_release(lambda line: line.reset()), "", "stored"),
    Row("release collision", at_release(_collides), "", "stored", "release"),
    Row("A-RELEASE-RQ for ever", at_release(_collides_for_ever), "", "stored", "release"),
    Row("P-DATA-TF for ever instead of A-RELEASE-RP", at_release(lambda line: line.flood(
        pdus.encode(Fragment(line.store_context, 1, bytes(1000))) * 20)), "", "stored", "release"),
)  # fmt: skip
