"""Whatever a consumer does, whenever the source is stopped: each number was delivered, waits, or is counted lost."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.native.frame import Frame, FrameDescription
from agent.native.source import Source, replay

DESCRIPTION = FrameDescription(rows=4, columns=8)
FRAMES = 40


def frames_file() -> int:
    fd = os.memfd_create("frames")
    for number in range(FRAMES):
        os.write(fd, bytes([number]) * DESCRIPTION.frame_bytes)
    return fd


def take(source: Source, numbers: list[int]) -> Frame | None:
    frame = source.take()
    if frame is not None:
        assert bytes(frame.data) == bytes([(frame.number - 1) % FRAMES]) * DESCRIPTION.frame_bytes
        numbers.append(frame.number)
    return frame


def assert_balanced(source: Source, taken: int) -> None:
    c = source.counters()
    assert c.delivered + c.waiting + c.dropped == c.last - c.first + 1
    assert c.delivered == taken


@given(
    slots=st.integers(1, 6),
    rate_hz=st.sampled_from([0.0, 1000.0]),
    repeat=st.booleans(),
    actions=st.lists(st.sampled_from(["take", "take", "wait", "give", "stop"]), max_size=60),
)
@settings(max_examples=150, deadline=None)
def test_every_number_is_accounted_for(slots: int, rate_hz: float, repeat: bool, actions: list[str]) -> None:
    fd = frames_file()
    held: list[Frame] = []
    numbers: list[int] = []
    with replay(fd, 0, DESCRIPTION, FRAMES, rate_hz, repeat=repeat, slots=slots) as source:
        os.close(fd)
        source.start()
        for action in actions:
            if action == "take" and (frame := take(source, numbers)):
                held.append(frame)
            elif action == "wait":
                source.wait(0.002)
            elif action == "give" and held:
                source.give_back(held.pop())
            elif action == "stop":
                source.stop()
            assert_balanced(source, len(numbers))
        source.stop()
        while take(source, numbers):
            assert_balanced(source, len(numbers))
        c = source.counters()
        assert source.ended
        assert (c.waiting, c.delivered, c.dropped) == (0, len(numbers), c.last - len(numbers))
        assert sorted(set(numbers)) == numbers
        assert not numbers or numbers[-1] <= c.last
        assert rate_hz or not c.dropped
