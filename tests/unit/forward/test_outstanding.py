"""Requests under way: which of them an answer belongs to, and until when it must have come."""

from __future__ import annotations

import pytest

from agent.dataset.uid import EXPLICIT_VR_LE, SC
from agent.dimse.fragment import Received
from agent.dimse.message import CEchoResponse, CStoreResponse
from agent.errors import RemoteProtocolError
from agent.forward.files import Instance
from agent.forward.outstanding import Asked, Outstanding


def asked(number: int, started: float = 0.0, sent_at: float = 1.0) -> Asked:
    return Asked(Instance("/x", SC, f"2.25.{number}", EXPLICIT_VR_LE, 0, 1), 1, started, sent_at, 100)


def three(response_s: float = 10.0) -> Outstanding:
    found = Outstanding(3, response_s)
    for number in (7, 8, 9):
        found.add(number, asked(number, sent_at=float(number)))
    return found


def answer(number: int, *, context_id: int = 1, uid: str = "") -> Received:
    return Received(context_id, CStoreResponse(number, 0, SC, uid), False)


def test_answers_in_any_order_find_their_request() -> None:
    found = three()
    assert found.full
    for number in (8, 9, 7):
        request, response = found.match(answer(number, uid=f"2.25.{number}"))
        assert (request.instance.sop_instance_uid, response.message_id) == (f"2.25.{number}", number)
        assert number not in found
    assert not found


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (answer(6), "expected C-STORE-RSP 7 on context 1, got 6"),
        (answer(8, context_id=3), "expected C-STORE-RSP 8 on context 1, got 8 on context 3"),
        (answer(8, uid="2.25.9"), "is about instance 2.25.9, not 2.25.8"),
        (Received(1, CEchoResponse(8), False), "expected C-STORE-RSP 8, got CEchoResponse"),
    ],
)
def test_an_answer_to_nothing_or_to_something_else_is_none(wrong: Received, says: str) -> None:
    found = three()
    with pytest.raises(RemoteProtocolError, match=says):
        found.match(wrong)
    assert len(found) == 3


def test_the_second_answer_to_one_request_is_none() -> None:
    found = three()
    found.match(answer(8))
    with pytest.raises(RemoteProtocolError, match="got 8"):
        found.match(answer(8))


def test_the_wait_starts_anew_with_each_answer_but_not_for_ever() -> None:
    found = three(response_s=10.0)
    assert found.deadline == 17.0
    request, _ = found.match(answer(8))
    found.answered(request, 15.0)
    assert found.deadline == 25.0
    request, _ = found.match(answer(9))
    found.answered(request, 36.0)
    assert found.deadline == 37.0, "the oldest has the time of three answers and no more"


def test_seconds_are_those_of_one_instance() -> None:
    """Two that are sent at once, answered after 1 s and 2 s, took 1 s each."""
    found = Outstanding(2, 10.0)
    for number in (1, 2):
        found.add(number, asked(number, started=100.0, sent_at=100.1))
    assert [found.answered(found.match(answer(number))[0], 100.0 + number) for number in (1, 2)] == [1.0, 1.0]


def test_what_is_given_up_is_the_oldest() -> None:
    found = three()
    found.match(answer(7))
    assert [found.give_up().instance.sop_instance_uid for _ in range(2)] == ["2.25.8", "2.25.9"]
    assert not found


def test_one_at_a_time_without_a_window() -> None:
    found = Outstanding(1, 10.0)
    found.add(1, asked(1, sent_at=5.0))
    assert found.full
    assert found.deadline == 15.0
