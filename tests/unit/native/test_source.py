"""Sources: what is taken, what is dropped, how they end. The thread is real, the waits are on its descriptor."""

from __future__ import annotations

import gc
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from agent.errors import DeviceError, NativeArgumentError
from agent.native.frame import FrameDescription, read_mark
from agent.native.source import PATTERN_KINDS, Frame, Source, pattern, replay

if TYPE_CHECKING:
    from collections.abc import Iterator

TINY = FrameDescription(2, 3)


def drain(source: Source) -> Iterator[Frame]:
    while not source.ended:
        assert source.wait(10.0)
        frame = source.take()
        if frame is not None:
            yield frame
            source.give_back(frame)


def memory_file(data: bytes) -> int:
    fd = os.memfd_create("frames")
    os.write(fd, data)
    return fd


def assert_accounted(source: Source) -> None:
    c = source.counters()
    assert c.delivered + c.waiting + c.dropped == c.last - c.first + 1


@pytest.mark.parametrize("kind", PATTERN_KINDS)
@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (64, 64), (33, 401), (200, 90)])
def test_pattern_counts_in_order_and_marks_each_frame(kind: str, rows: int, columns: int) -> None:
    with pattern(kind, rows, columns, 0.0, frames=12, slots=3) as source:
        source.start()
        before = time.monotonic_ns()
        numbers = []
        for frame in drain(source):
            assert frame.data.nbytes == source.description.frame_bytes
            assert frame.data.readonly
            mark = read_mark(frame.data, source.description)
            assert mark == (frame.number, frame.timestamp_ns // 1_000_000 % 2**32)
            assert frame.timestamp_ns <= time.monotonic_ns()
            numbers.append(frame.number)
        assert before > 0
        assert numbers == list(range(1, 13))
        counters = source.counters()
        assert (counters.first, counters.last, counters.delivered, counters.dropped) == (1, 12, 12, 0)
        assert counters.high_water <= 3


def test_same_seed_same_picture_other_seed_other_picture() -> None:
    def picture(seed: int) -> bytes:
        with pattern("us-mono", 128, 150, 0.0, frames=3, seed=seed) as source:  # too narrow for the time in digits
            source.start()
            return b"".join(bytes(frame.data[: 100 * 150]) for frame in drain(source))

    assert picture(1) == picture(1) != picture(2)


def test_live_source_drops_and_accounts_for_every_number() -> None:
    with pattern("us-mono", 16, 16, 1000.0, slots=2, frames=60) as source:
        source.start()
        assert source.wait(10.0)
        held = [source.take(), source.take()] if source.counters().waiting == 2 else [source.take()]
        while source.counters().last < 60:
            source.wait(0.001)
            assert_accounted(source)
        for frame in held:
            if frame:
                source.give_back(frame)
        taken = [frame.number for frame in drain(source)]
        counters = source.counters()
        assert counters.dropped > 0
        assert counters.overruns >= 1
        assert counters.waiting == 0
        assert counters.delivered + counters.dropped == counters.last - counters.first + 1 == 60
        assert counters.delivered == len(taken) + sum(frame is not None for frame in held)


def test_consumer_paced_source_waits_and_drops_nothing() -> None:
    data = bytes(range(6)) + bytes(range(10, 16)) + bytes(range(20, 26))
    fd = memory_file(b"head" + data)
    try:
        with replay(fd, 4, TINY, 3, 0.0, slots=1) as source:
            os.close(fd)
            fd = -1
            source.start()
            frames = [bytes(frame.data) for frame in drain(source)]
            assert b"".join(frames) == data
            assert source.counters()[:4] == (1, 3, 3, 0)
    finally:
        if fd >= 0:
            os.close(fd)


def test_repeat_begins_again_and_keeps_counting() -> None:
    fd = memory_file(bytes(range(12)))
    with replay(fd, 0, TINY, 2, 0.0, repeat=True, slots=4) as source:
        os.close(fd)
        source.start()
        seen = []
        for frame in drain(source):
            seen.append((frame.number, frame.data[0]))
            if frame.number == 7:
                source.stop()
        assert seen[:7] == [(1, 0), (2, 6), (3, 0), (4, 6), (5, 0), (6, 6), (7, 0)]
        assert_accounted(source)


def test_short_file_gives_its_whole_frames_then_fails() -> None:
    fd = memory_file(bytes(15))
    with replay(fd, 0, TINY, 4, 0.0) as source:
        os.close(fd)
        source.start()
        loop = drain(source)
        assert [next(loop).number, next(loop).number] == [1, 2]
        assert not source.ended
        with pytest.raises(DeviceError, match="replay: the file ended inside a frame"):
            next(loop)
        assert source.ended


def test_unreadable_descriptor_fails_as_device() -> None:
    fd = os.open("/", os.O_RDONLY)
    with replay(fd, 0, TINY, 1, 0.0) as source:
        os.close(fd)
        source.start()
        assert source.wait(10.0)
        with pytest.raises(DeviceError, match="reading from the file"):
            source.take()
    with pytest.raises(DeviceError, match="descriptor"):
        replay(9999, 0, TINY, 1, 0.0)


def test_descriptor_is_readable_exactly_while_frames_wait_or_ended() -> None:
    with pattern("us-mono", 16, 16, 0.0, frames=2, slots=1) as source:
        assert not source.wait(0.0)
        source.start()
        assert source.wait(10.0)
        frame = source.take()
        assert frame is not None
        assert not source.wait(0.0)
        assert source.take() is None
        source.give_back(frame)
        assert source.wait(10.0)
        last = source.take()
        assert last is not None
        source.give_back(last)
        assert source.wait(10.0)
        assert source.ended
        assert source.wait(0.0)
        assert source.take() is None


@pytest.mark.parametrize("rate_hz", [0.0, 0.001, 30.0])
def test_stop_is_prompt_while_the_thread_waits(rate_hz: float) -> None:
    with pattern("us-mono", 64, 64, rate_hz, slots=1) as source:
        source.start()
        assert source.wait(10.0)
        began = time.monotonic()
        source.stop()
        source.stop()
        assert time.monotonic() - began < 1.0
        frame = source.take()
        assert frame is not None, "what waited can still be taken"
        assert source.ended
        source.give_back(frame)
        assert_accounted(source)


def test_frames_outlive_nothing_but_are_never_freed_memory() -> None:
    source = pattern("us-mono", 64, 64, 0.0, frames=1)
    source.start()
    assert source.wait(10.0)
    frame = source.take()
    assert frame is not None
    copy = bytes(frame.data)
    source.close()
    source.close()
    del source
    gc.collect()
    assert bytes(frame.data) == copy


def test_given_back_frame_is_unusable_and_cannot_be_given_back_twice() -> None:
    with pattern("us-mono", 16, 16, 0.0, frames=1) as source:
        source.start()
        assert source.wait(10.0)
        frame = source.take()
        assert frame is not None
        source.give_back(frame)
        with pytest.raises(ValueError, match="released"):
            frame.data[0]
        with pytest.raises(NativeArgumentError, match="slot was not taken"):
            source.give_back(frame)
        with pytest.raises(NativeArgumentError, match="slot was not taken"):
            source.give_back(frame._replace(slot=63))


def test_a_source_runs_once_and_not_after_close() -> None:
    source = pattern("us-mono", 16, 16, 0.0, frames=1)
    source.start()
    with pytest.raises(NativeArgumentError, match="already started"):
        source.start()
    source.close()
    for use in (source.start, source.take, source.fileno, source.counters):
        with pytest.raises(NativeArgumentError, match="is closed"):
            use()
    assert source.ended
    stopped = pattern("us-mono", 16, 16, 0.0)
    stopped.stop()
    assert stopped.ended
    with pytest.raises(NativeArgumentError):
        stopped.start()
    stopped.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "mri"},
        {"rows": 15},
        {"columns": 8193},
        {"rate_hz": -1.0},
        {"rate_hz": float("nan")},
        {"rate_hz": 1001.0},
        {"slots": 0},
        {"slots": 65},
        {"rows": -1},
        {"rows": 2**40},
        {"frames": -1},
        {"seed": 2**64},
    ],
)
def test_impossible_patterns_are_refused(wrong: dict[str, object]) -> None:
    arguments = {"kind": "us-mono", "rows": 64, "columns": 64, "rate_hz": 30.0} | wrong
    with pytest.raises(NativeArgumentError):
        pattern(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [{"offset": -1}, {"frames": 0}, {"frames": 2**62}, {"offset": 2**70}, {"description": FrameDescription(0, 0)}],
)
def test_impossible_replays_are_refused(wrong: dict[str, object]) -> None:
    arguments = {"fd": 0, "offset": 0, "description": TINY, "frames": 1, "rate_hz": 0.0} | wrong
    with pytest.raises(NativeArgumentError):
        replay(**arguments)  # type: ignore[arg-type]


def test_counters_hold_while_another_thread_consumes() -> None:
    with pattern("us-mono", 16, 16, 1000.0, slots=4, frames=100) as source:
        taken: list[int] = []
        consumer = threading.Thread(target=lambda: taken.extend(frame.number for frame in drain(source)))
        source.start()
        consumer.start()
        while consumer.is_alive():
            assert_accounted(source)
        consumer.join()
        assert taken == sorted(set(taken))
        assert source.counters().delivered == len(taken)


def test_no_mark_in_other_pictures() -> None:
    assert read_mark(bytes(6), TINY) is None
    assert read_mark(bytes(64 * 64), FrameDescription(64, 64)) is None
    with pytest.raises(NativeArgumentError):
        read_mark(bytes(5), TINY)
