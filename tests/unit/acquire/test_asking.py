"""Who may ask a source for what, and when a clip ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from agent.acquire.asking import CAPTURE, CLIP, STILL, Ask, Asks, Turn
from agent.acquire.described import Order
from agent.acquire.exam import Exam
from agent.acquire.filesink import FileSink
from agent.acquire.pipeline import capture
from agent.acquire.sources import Opened
from agent.config import load
from agent.dataset.uid import EXPLICIT_VR_LE
from agent.errors import CaptureWaiting, ClipRunning, NoClip
from agent.native.frame import Frame, FrameDescription
from agent.native.source import Counters


def test_one_order_waits_and_the_next_is_refused() -> None:
    asks = Asks("probe")
    asks.put(Ask(CLIP, at_ns=5))
    for kind in (CAPTURE, CLIP, STILL):
        with pytest.raises(CaptureWaiting):
            asks.put(Ask(kind))
    turn = asks.begin()
    assert turn is not None
    assert turn.ask == Ask(CLIP, at_ns=5)
    assert asks.begin() is None


def test_beside_a_clip_nothing_is_made_and_a_capture_waits() -> None:
    asks = Asks("probe")
    asks.put(Ask(CLIP))
    turn = asks.begin()
    assert turn is not None
    for kind in (CLIP, STILL):
        with pytest.raises(ClipRunning, match="probe captures already"):
            asks.put(Ask(kind))
    turn.over = True  # it is made durable: a new clip may begin behind it
    asks.put(Ask(CLIP))


def test_a_stop_ends_what_runs_then_what_waits_and_else_is_refused() -> None:
    asks = Asks("probe")
    with pytest.raises(NoClip):
        asks.stop(1)
    asks.put(Ask(CLIP, at_ns=5))
    assert asks.ran(5)
    asks.stop(7)
    asks.stop(9)  # the first one counts
    turn = asks.begin()
    assert turn is not None
    assert turn.ends_ns == 7
    turn.over = True
    assert not asks.ran(9)
    with pytest.raises(NoClip):
        asks.stop(10)


def test_an_order_that_made_nothing_waits_as_before_and_may_be_given_away() -> None:
    asks, heir = Asks("probe"), Asks("probe")
    asks.put(Ask(CLIP, "urgent"))
    asks.begin()
    asks.end(again=True)
    assert asks.waiting
    turn = asks.give()
    assert turn is not None
    assert not asks.waiting
    heir.inherit(turn)
    with pytest.raises(CaptureWaiting):
        heir.inherit(Turn())
    asks.begin_alone()
    asks.end(again=True)  # nobody asked for that one
    assert not asks.waiting


class Device:
    """Frames at moments that are given; ``None`` is a wait in which none comes."""

    description = FrameDescription(16, 16)
    rate_hz = 10.0
    ended = False

    def __init__(self, moments: list[int | None]) -> None:
        self._moments = moments
        self._number = 0
        self.returned: list[int] = []

    def wait(self, _timeout_s: float | None = None) -> bool:
        if self._moments and self._moments[0] is None:
            self._moments.pop(0)
            return False
        return bool(self._moments)

    def take(self) -> Frame | None:
        moment = self._moments.pop(0)
        assert moment is not None
        self._number += 1
        return Frame(self._number, moment, memoryview(bytes(256)), 0)

    def give_back(self, frame: Frame) -> None:
        self.returned.append(frame.number)

    def counters(self) -> Counters:
        return Counters(1, self._number, self._number, 0, 0, 0, 1)

    def told(self) -> tuple[tuple[str, object], ...]:
        return ()

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


@pytest.fixture
def run(tmp_path: Any) -> Callable[..., Any]:
    settings = load.parse('[[source]]\nname = "probe"\nuri = "pattern:us-mono?rows=16&columns=16"\nclip_s = 100.0\n')

    def run(moments: list[int | None], ends_ns: int) -> SimpleNamespace:
        device = Device(moments)
        sink = FileSink(str(tmp_path / "clip.dcm"))
        order = Order(settings.source[0], EXPLICIT_VR_LE, ends_ns=lambda: ends_ns)
        done = capture(Opened(device, 0), order, Exam(settings), sink, threading.Event())  # type: ignore[arg-type]
        sink.abandon()
        return SimpleNamespace(frames=done.frames, ended_by=done.ended_by, returned=device.returned)

    return run


MS = 1_000_000


def test_a_clip_ends_with_the_last_frame_begun_before_the_stop(run: Callable[..., Any]) -> None:
    done = run([100 * MS, 200 * MS, 299 * MS, 300 * MS, 400 * MS], 300 * MS)
    assert (done.frames, done.ended_by, done.returned) == (3, "operator", [1, 2, 3, 4])


def test_a_clip_that_was_stopped_before_its_first_frame_has_one(run: Callable[..., Any]) -> None:
    done = run([None, 500 * MS, 600 * MS], 300 * MS)
    assert (done.frames, done.ended_by) == (1, "operator")


def test_a_stop_does_not_wait_for_a_source_that_pauses(run: Callable[..., Any]) -> None:
    done = run([100 * MS, 200 * MS, None, 99_000 * MS], 250 * MS)
    assert (done.frames, done.ended_by) == (2, "operator")
