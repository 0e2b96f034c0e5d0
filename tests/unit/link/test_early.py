"""What comes early is kept in order, and not without bound."""

from __future__ import annotations

import pytest

from agent.dimse.fragment import FRAGMENT_LIMIT, REPORT_LIMIT_BYTES, DataSetPart, Received
from agent.dimse.message import CEchoRequest, CEchoResponse
from agent.errors import RemoteProtocolError
from agent.link.early import COMMAND_LIMIT, Early

REQUEST = Received(1, CEchoRequest(7), data_set=False)
ANSWER = Received(1, CEchoResponse(1), data_set=False)


def test_order_is_kept_and_a_response_is_seen_without_taking_it() -> None:
    early = Early()
    part = DataSetPart(1, b"xx", last=True)
    for found in (REQUEST, part, ANSWER):
        early.keep(found)
    assert early.response() is ANSWER.message
    assert [early.take(), early.take(), early.take()] == [REQUEST, part, ANSWER]
    assert not early
    assert early.response() is None


def test_a_piece_outlives_the_buffer_it_came_in() -> None:
    early = Early()
    buffer = bytearray(b"xx")
    early.keep(DataSetPart(1, memoryview(buffer), last=True))
    buffer[:] = b"yy"
    assert early.take() == DataSetPart(1, b"xx", last=True)


@pytest.mark.parametrize(
    ("found", "count"),
    [
        (REQUEST, COMMAND_LIMIT),
        (DataSetPart(1, b"x", last=False), FRAGMENT_LIMIT),
        (DataSetPart(1, bytes(REPORT_LIMIT_BYTES // 4), last=False), 4),
    ],
)
def test_limits(found: Received | DataSetPart, count: int) -> None:
    early = Early()
    for _ in range(count):
        early.keep(found)
    with pytest.raises(RemoteProtocolError, match="without end"):
        early.keep(found)


def test_what_was_taken_makes_room() -> None:
    early = Early()
    for _ in range(3 * COMMAND_LIMIT):
        early.keep(REQUEST)
        early.take()
