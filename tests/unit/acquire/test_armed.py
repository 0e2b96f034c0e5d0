"""A source that stays open: what a clip has of the seconds before the pedal, and which frame is that of an exposure."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from agent.acquire.armed import Armed, View
from agent.acquire.asking import EXPOSURE, EXPOSURES, Ask, Asks
from agent.acquire.exposure import frame_of
from agent.acquire.sources import Opened
from agent.config import load
from agent.config.settings import SourceSettings
from agent.errors import CaptureWaiting, ConfigError, DeviceError, ExposureLost
from agent.native.device import Agreement, late_ns
from agent.native.frame import Frame, FrameDescription
from agent.native.source import Counters

MS = 1_000_000
PERIOD_MS = 100


class Device:
    """Frames that the test hands in; each carries its number in its samples."""

    description = FrameDescription(16, 16)
    told = tuple

    def __init__(self, rate_hz: float = 1000 / PERIOD_MS) -> None:
        self.rate_hz = rate_hz
        self.ended = False
        self.closed = False
        self._frames: queue.Queue[Frame | Exception] = queue.Queue()
        self._taken: Frame | Exception | None = None
        self.returned = threading.Semaphore(0)

    def deliver(self, number: int, begun_ms: int, restarts: int = 0) -> None:
        """One frame, and wait until it is kept."""
        self._frames.put(Frame(number, begun_ms * MS, memoryview(bytes([number]) * 256), 0, (0, 0, restarts)))
        assert self.returned.acquire(timeout=20)

    def fail(self, error: Exception) -> None:
        self._frames.put(error)

    def wait(self, timeout_s: float | None = None) -> bool:
        try:
            self._taken = self._frames.get(timeout=timeout_s)
        except queue.Empty:
            return False
        return True

    def take(self) -> Frame | None:
        if isinstance(self._taken, Exception):
            raise self._taken
        return self._taken

    def give_back(self, frame: Frame) -> None:
        frame.data.release()
        self.returned.release()

    def counters(self) -> Counters:
        return Counters(1, 0, 0, 0, 0, 0, 0)

    def close(self) -> None:
        self.closed = True

    def start(self) -> None: ...
    def stop(self) -> None: ...


def settings(**changes: Any) -> SourceSettings:
    text = '[[source]]\nname = "probe"\nuri = "pattern:us-mono?rows=16&columns=16&rate_hz=10"\npre_trigger_s = 1.0\n'
    return load.parse(text).source[0]._replace(**changes)


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def armed(device: Device) -> Iterator[Armed]:
    made = Armed(Opened(device, 0), settings(), lambda: None)  # type: ignore[arg-type]
    made.start()
    yield made
    made.close()
    assert device.closed


def read(view: View, most: int = 100) -> list[int]:
    """The numbers of the frames that wait, from their samples."""
    numbers = []
    while len(numbers) < most and view.wait(0):
        frame = view.take()
        assert frame is not None
        assert set(frame.data) == {frame.number}
        numbers.append(frame.number)
        view.give_back(frame)
    return numbers


def test_a_clip_begins_before_the_pedal_and_goes_on_with_what_comes(device: Device, armed: Armed) -> None:
    for number in range(1, 31):
        device.deliver(number, number * PERIOD_MS)
    view, told = armed.clip(3000 * MS, 1.0)
    assert told == (("pre_trigger_s", 1.0),)
    assert read(view) == list(range(20, 31))
    device.deliver(31, 3100)
    assert read(view) == [31]
    assert view.counters()[:4] == (20, 31, 12, 0)


def test_no_frame_is_in_two_clips(device: Device, armed: Armed) -> None:
    for number in range(1, 11):
        device.deliver(number, number * PERIOD_MS)
    view, _ = armed.clip(800 * MS, 1.0)
    assert read(view, 6) == [1, 2, 3, 4, 5, 6]
    armed.done(view, 5)  # the last one was behind the end of the clip
    view, told = armed.clip(1000 * MS, 1.0)
    assert read(view) == [6, 7, 8, 9, 10]
    assert told == (("pre_trigger_s", 0.4),)


def test_what_is_not_read_is_kept_and_what_finds_no_room_is_a_gap(device: Device, armed: Armed) -> None:
    assert armed.slots == 18
    for number in range(1, 19):
        device.deliver(number, number * PERIOD_MS)
    view, _ = armed.clip(1800 * MS, 2.0)
    frame = view.take()
    assert frame is not None
    device.deliver(19, 1900)
    device.deliver(20, 2000)
    assert armed.dropped == 2
    assert set(frame.data) == {1}
    view.give_back(frame)
    device.deliver(21, 2100)
    assert read(view) == [*range(2, 19), 21]
    assert view.counters()[:4] == (1, 21, 19, 2)


def test_memory_is_one_block_however_long_it_stays_open(device: Device, armed: Armed) -> None:
    for number in range(1, 200):
        device.deliver(number, number * PERIOD_MS)
    assert len(armed._memory) == 18 * 256
    view, told = armed.clip(19_900 * MS, 60.0)
    assert read(view) == list(range(182, 200))
    assert told == (("pre_trigger_s", 1.7),)


def test_a_source_that_fails_is_told_at_once_and_a_clip_has_what_came_before(device: Device) -> None:
    news = threading.Semaphore(0)
    armed = Armed(Opened(device, 0), settings(), news.release)  # type: ignore[arg-type]
    armed.start()
    assert not armed.ready
    device.deliver(1, 100)
    assert news.acquire(timeout=20)
    assert armed.ready
    device.fail(DeviceError("unplugged"))
    assert news.acquire(timeout=20)
    assert not armed.ready
    view, _ = armed.clip(100 * MS, 1.0)
    assert read(view, 1) == [1]
    assert not view.ended
    assert view.wait(0)
    with pytest.raises(DeviceError, match="unplugged"):
        view.take()
    assert view.ended
    armed.close()


@pytest.mark.parametrize(("rate_hz", "mib", "why"), [
    (0.0, 128, "is of a source that has a pace of its own"), (100_000.0, 1, "take 25 MiB, and pre_trigger_mib is 1"),
])  # fmt: skip
def test_what_does_not_fit_into_memory_is_refused(rate_hz: float, mib: int, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Armed(Opened(Device(rate_hz), 0), settings(pre_trigger_mib=mib), lambda: None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("keys", "where", "why"), [
    ('uri = "pattern:us-rgb"\npre_trigger_s = 5', "pre_trigger_s", "take 356 MiB, and pre_trigger_mib is 128: 1.6 s"),
    ('uri = "pattern:us-rgb?rate_hz=0"\npre_trigger_s = 1', "pre_trigger_s", "a pace of its own"),
    ('uri = "replay:/x.raw?rate_hz=5"\npre_trigger_s = 1', "pre_trigger_s", "give it repeat=1"),
    ('uri = "pattern:us-rgb"\nexposure_window_ms = 5', "exposure_window_ms", "give it pre_trigger_s"),
])  # fmt: skip
def test_the_configuration_says_what_contradicts_itself(keys: str, where: str, why: str) -> None:
    with pytest.raises(ConfigError, match=rf"source\[0\].{where}: .*{why}"):
        load.parse(f'[[source]]\nname = "probe"\n{keys}\n')


# --- exposures ---------------------------------------------------------------------------------

EXPOSED = {"exposure_delay_ms": 10.0, "exposure_window_ms": 150.0}


def look(armed: Armed, at_ms: float, uncertain_ms: float = 1.0, **keys: float) -> tuple[int, dict[str, object]]:
    ask = Ask(EXPOSURE, "", int(at_ms * MS), int(uncertain_ms * MS))
    view, told = frame_of(armed, settings(**{**EXPOSED, **keys}), ask)
    (number,) = read(view, 1)
    armed.done(view, 1)
    return number, dict(told)


def begun(device: Device, *moments_ms: int, first: int = 1) -> None:
    for number, moment in enumerate(moments_ms, first):
        device.deliver(number, moment)


def test_the_frame_of_an_exposure_is_the_first_that_was_begun_after_it(device: Device, armed: Armed) -> None:
    begun(device, 100, 200, 300, 400)
    assert look(armed, 210) == (3, {"exposure_to_frame_ms": 90.0, "exposure_known_to_ms": 1.0})


def test_a_frame_on_the_edge_of_what_is_known_is_not_taken(device: Device, armed: Armed) -> None:
    begun(device, 100, 200, 300, 400)
    assert look(armed, 190.5)[0] == 3  # 200 may have been begun before it: 190.5 + 10 - 1
    assert look(armed, 289.5)[0] == 4


def test_a_frame_that_comes_later_is_waited_for(device: Device, armed: Armed) -> None:
    now_ms = time.monotonic_ns() // MS
    begun(device, now_ms - 100)
    timer = threading.Timer(0.05, device.deliver, (2, now_ms + 50))
    timer.start()
    assert look(armed, now_ms)[0] == 2
    timer.join()


@pytest.mark.parametrize(("moments_ms", "at_ms", "uncertain_ms", "why"), [
    ((100, 200, 400), 210, 1.0, "the first frame after it was begun 179.0 ms after it could have been"),
    ((100, 200), 250, 1.0, "no frame came after it"),
    ((100, 200, 300), 210, 76.0, "its moment is known to 76.0 ms, and exposure_window_ms is 150"),
])  # fmt: skip
def test_an_exposure_without_its_frame_is_lost(
    device: Device, armed: Armed, moments_ms: tuple[int, ...], at_ms: float, uncertain_ms: float, why: str
) -> None:
    begun(device, *moments_ms)
    with pytest.raises(ExposureLost, match=why):
        look(armed, at_ms, uncertain_ms)


def test_a_frame_has_one_exposure(device: Device, armed: Armed) -> None:
    begun(device, 100, 200, 300, 400)
    assert look(armed, 210)[0] == 3
    with pytest.raises(ExposureLost, match="the first frame after it is of the instance before"):
        look(armed, 220)


def test_a_gap_in_front_of_the_frame_loses_the_exposure(device: Device, armed: Armed) -> None:
    """The exposed frame may be in the gap, and the one behind it is dark."""
    begun(device, 100, 200)
    begun(device, 330, 430, first=4)
    with pytest.raises(ExposureLost, match="1 frame was lost in front of the first one after it"):
        look(armed, 210)


@pytest.mark.parametrize(("moments_ms", "why"), [
    ((100, 330, 700), ""), ((100, 285, 700), r"whether it was begun before it or after, .* are up to 80\.0 ms late"),
    ((100, 370, 700), r"begun 149.0 ms, or up to 80\.0 ms less after it could have been"),
])  # fmt: skip
def test_a_frame_is_taken_when_it_is_right_however_late_its_stamp_is(
    device: Device, moments_ms: tuple[int, ...], why: str
) -> None:
    """The window is 221 to 369 ms: 330 was begun at 250 or later, but 285 at 205, before it, or at 285."""
    armed = Armed(Opened(device, 0, stamp_late_ns=80 * MS), settings(), lambda: None)  # type: ignore[arg-type]
    armed.start()
    begun(device, *moments_ms)
    try:
        if not why:
            assert look(armed, 210)[1]["frame_stamp_late_ms"] == 80.0
        else:
            with pytest.raises(ExposureLost, match=why):
                look(armed, 210)
        with pytest.raises(ExposureLost, match=r"time stamps .* up to 80\.0 ms late, and exposure_window"):
            look(armed, 210, exposure_window_ms=80.0)
    finally:
        armed.close()


def test_a_device_that_counts_anew_may_have_lost_the_frame(device: Device, armed: Armed) -> None:
    begun(device, 100, 200)
    device.deliver(3, 330, restarts=1)
    with pytest.raises(ExposureLost, match="the device began to count anew in front of the first frame after it"):
        look(armed, 210)


def test_without_a_frame_before_it_no_frame_is_known_to_be_the_first(device: Device, armed: Armed) -> None:
    begun(device, 300, 400)
    with pytest.raises(ExposureLost, match="no frame before it is in memory"):
        look(armed, 210)


def test_a_source_that_fails_loses_the_exposure(device: Device, armed: Armed) -> None:
    begun(device, 100)
    device.fail(DeviceError("unplugged"))
    with pytest.raises(ExposureLost, match="the source has failed: unplugged"):
        look(armed, time.monotonic_ns() / MS)


def test_exposures_wait_in_their_order_and_no_more_than_some() -> None:
    asks = Asks("probe")
    for number in range(EXPOSURES):
        asks.put(Ask(EXPOSURE, at_ns=number))
    with pytest.raises(CaptureWaiting, match="16 exposures of probe are waiting"):
        asks.put(Ask(EXPOSURE))
    asks.put(Ask())
    for number in range(EXPOSURES):
        turn = asks.begin()
        assert turn is not None
        assert turn.at_ns == number
    assert not asks.drop_exposure()
    assert asks.waiting


def test_a_stamp_that_is_not_of_the_begin_is_late_by_a_period_and_the_way() -> None:
    agreed = Agreement(FrameDescription(1000, 1000), 50.0, True, False, (0.0, 0.0), "GREY")
    assert late_ns(agreed, 50.0) == 20 * MS + 10 * MS
    assert late_ns(agreed._replace(begun_time=True), 50.0) == 0
