"""A peer that misbehaves at the question whether it lists an instance: over in time, and never a wrong answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from fakes.misbehaviour.line import encoded
from fakes.misbehaviour.row import MACHINE_S

from agent.dataset.uid import EXPLICIT_VR_LE, STUDY_ROOT_FIND
from agent.dimse.message import CEchoResponse, CFindResponse, NEventReportRequest
from agent.errors import AgentError
from agent.forward.deliver import Delivery
from agent.forward.existence import lists
from agent.service import query
from agent.service.query import Place
from agent.ul import pdu as pdus
from agent.ul.pdu import Abort, Fragment

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.misbehaviour.line import Line

    from agent.link.peer import Peer

PLACE = Place("1.2.1", "1.2.2", "1.2.3")
WITHIN_S = 0.6
PENDING = 0xFF00
HERE = query.encode_identifier(PLACE, EXPLICIT_VR_LE)
ELSEWHERE = query.encode_identifier(PLACE._replace(sop_instance_uid="1.2.4"), EXPLICIT_VR_LE)


def answer(line: Line, status: int, data: bytes | None = None, *, number: int = 0, context: int = 0) -> None:
    message, found, _ = line.asked_about
    line.send(CFindResponse(number or message.message_id, status, STUDY_ROOT_FIND), context or found, data)


def endless(line: Line) -> None:
    message, context, _ = line.asked_about
    head = encoded(CFindResponse(message.message_id, PENDING, STUDY_ROOT_FIND), context, b"xx")
    line.say(head[: -len(pdus.encode(Fragment(context, 2, b"xx")))])
    line.flood(pdus.encode(Fragment(context, 0, bytes(16_000))))


def dripped(line: Line) -> None:
    message, context, _ = line.asked_about
    line.drip(encoded(CFindResponse(message.message_id, 0, STUDY_ROOT_FIND), context))


def asks_back(line: Line) -> None:
    line.flood(encoded(NEventReportRequest(9, "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1", 1), 1, b"xx"))


class Case(NamedTuple):
    play: Callable[[Line], None]
    says: bool | None = None  # None: an error
    code: str = ""
    slow: bool = False


def said(*parts: tuple[int, bytes | None], says: bool | None = None, code: str = "") -> Case:
    def play(line: Line) -> None:
        for status, data in parts:
            answer(line, status, data)

    return Case(play, says, code)


CASES = {
    "listed": said((PENDING, HERE), (0, None), says=True),
    "listed, optional keys are not supported": said((0xFF01, HERE), (0, None), says=True),
    "listed, and another": said((PENDING, ELSEWHERE), (PENDING, HERE), (0, None), says=True),
    "listed, then out of resources": said((PENDING, HERE), (0xA700, None), says=True),
    "not listed": said((0, None), says=False),
    "others only": said((PENDING, ELSEWHERE), (0, None), code="dataset.decode"),
    "an answer without Identifier": said((PENDING, None), (0, None), code="dataset.decode"),
    "an Identifier that is none": said((PENDING, b"\xff" * 40), code="dataset.decode"),
    "an Identifier that is cut": said((PENDING, HERE[:-3]), code="dataset.decode"),
    "an Identifier of 100 kB": said((PENDING, bytes(100_000)), code="dataset.decode"),
    "cancelled by nobody": said((0xFE00, None), code="dimse.status"),
    "a warning": said((0xB000, None), code="dimse.status"),
    "17 answers": said(*[(PENDING, HERE)] * 20, code="protocol.remote"),
    "of another Message ID": Case(lambda line: answer(line, 0, number=4711), code="protocol.remote"),
    "on another context": Case(lambda line: answer(line, 0, context=77), code="protocol.remote"),
    "C-ECHO-RSP": Case(lambda line: line.send(CEchoResponse(1), 1), code="protocol.remote"),
    "an Identifier without end": Case(endless, code="protocol.remote"),
    "byte by byte": Case(dripped, code="link.timeout", slow=True),
    "silence": Case(lambda line: line.silent(), code="link.timeout", slow=True),
    "questions instead of an answer": Case(asks_back, code="link.timeout", slow=True),
    "A-ABORT": Case(lambda line: line.say(pdus.encode(Abort())), code="association.aborted"),
    "FIN": Case(lambda line: line.close(), code="link.closed"),
    "RST": Case(lambda line: line.reset(), code="link.closed"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_answer_or_an_error_in_time(play: Callable[..., Peer], case: Case) -> None:
    def script(line: Line) -> None:
        line.accept()
        line.asked_about = line.message()  # type: ignore[attr-defined]  # of this file
        case.play(line)
        line.release()

    with Delivery(play(script), [query.NEED]) as delivery:
        began = time.monotonic()
        context = delivery.context_id(STUDY_ROOT_FIND)
        assert context is not None
        if case.says is not None:
            assert lists(delivery.conversation, context, EXPLICIT_VR_LE, PLACE, WITHIN_S) is case.says
        else:
            with pytest.raises(AgentError) as caught:
                lists(delivery.conversation, context, EXPLICIT_VR_LE, PLACE, WITHIN_S)
            assert caught.value.code == case.code
            delivery.end(caught.value)
        assert time.monotonic() - began < (WITHIN_S if case.slow else 0) + MACHINE_S
