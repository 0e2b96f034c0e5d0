"""An exposure makes its image, or is counted and told: whatever stops, fails, or is changed meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.acquire.asking import EXPOSURE, Ask
from agent.acquire.exam import Exam
from agent.acquire.recorder import Recorded, Recorder
from agent.app import captures
from agent.config import load
from agent.errors import AgentError, DeviceError, MediaError, SpoolFull
from agent.spool.core import Destination
from agent.spool.draft import Draft, InstanceRecord, Sealed
from agent.spool.quota import Policy
from agent.spool.store import Spool

TOML = """
[[source]]
name = "probe"
uri = "pattern:us-mono?rows=32&columns=32&rate_hz=50"
sop_class = "us"
pre_trigger_s = 3.0
exposure_delay_ms = 5
exposure_window_ms = 120
"""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    (tmp_path / "spool").mkdir()
    policy = Policy(min_free_bytes=1, min_free_fraction=0.0)
    with Spool.open(str(tmp_path / "spool"), destinations=[Destination("pacs")], policy=policy) as opened:
        yield opened


class Room:
    """A recorder at work, and what became of its exposures."""

    def __init__(self, spool: Spool) -> None:
        settings = load.parse(TOML)
        self.seen: list[Recorded] = []
        self.alarms: list[str] = []
        self.raised: list[AgentError] = []
        self.unit = Recorder(settings.source[0], Exam(settings), spool, lambda _source, done: self.seen.append(done))
        self.unit.alarm = self.alarms.append
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def _work(self) -> None:
        try:
            self.unit.work(self.stop)
        except AgentError as error:
            self.raised.append(error)

    def begin(self) -> None:
        self._thread.start()
        until(lambda: self.unit.armed)

    def expose(self) -> None:
        self.unit.ask(Ask(EXPOSURE, "", time.monotonic_ns(), 1_000_000, "run.1"))

    def done(self) -> None:
        """Wait for what was asked for, then end the role."""
        until(lambda: self.unit.asks.idle or not self._thread.is_alive())
        self.end()

    def end(self) -> None:
        self.stop.set()
        self.unit.wake()
        self._thread.join(60)
        assert not self._thread.is_alive()


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.002)


def before(monkeypatch: pytest.MonkeyPatch, what: type, name: str, step: Callable[[], object]) -> None:
    """Do something in front of each call."""
    plain = getattr(what, name)

    def stepped(*args: Any, **keys: Any) -> Any:
        step()
        return plain(*args, **keys)

    monkeypatch.setattr(what, name, stepped)


def test_a_stop_ends_no_exposure_before_its_frame(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(spool)
    before(monkeypatch, Spool, "draft", room.stop.set)
    room.begin()
    room.expose()
    room.done()
    assert (len(room.seen), room.unit.imageless.count, room.alarms, room.raised) == (1, 0, [], [])


def failing(error: AgentError) -> Callable[[], None]:
    def step() -> None:
        raise error

    return step


@pytest.mark.parametrize(("what", "name", "error"), [
    (Spool, "draft", SpoolFull("the medium is full")), (Draft, "seal", MediaError("write: it is worn")),
    (Exam, "acquisition", DeviceError("no facts")),
])  # fmt: skip
def test_an_exposure_that_cannot_be_kept_is_lost_aloud(
    what: type, name: str, error: AgentError, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(spool)
    before(monkeypatch, what, name, failing(error))
    room.begin()
    room.expose()
    room.done()
    assert (room.seen, room.raised) == ([], [error])
    assert (room.unit.imageless.count, room.alarms) == (1, [f"AN EXPOSURE HAS NO IMAGE: {error}"])


def test_one_of_a_series_that_cannot_be_sealed_is_lost_aloud(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, go = threading.Event(), threading.Event()
    bad = MediaError("write: it is worn")

    def seal_each(_self: object, drafts: list[tuple[Draft, InstanceRecord]]) -> list[Sealed | Exception]:
        entered.set()
        assert go.wait(60)
        return [bad] * len(drafts)

    monkeypatch.setattr(type(spool.groups), "seal_each", seal_each)
    room = Room(spool)
    monkeypatch.setattr(room.unit, "_is_burst", lambda _now: True)
    room.begin()
    room.expose()
    assert entered.wait(60)
    go.set()
    room.done()
    assert (room.seen, room.raised) == ([], [bad])
    assert (room.unit.imageless.count, room.alarms) == (1, [f"AN EXPOSURE HAS NO IMAGE: {bad}"])


def test_frames_in_memory_outlive_the_source(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, go = threading.Event(), threading.Event()

    def slow() -> None:
        entered.set()
        assert go.wait(60)

    before(monkeypatch, Spool, "draft", slow)
    room = Room(spool)
    room.begin()
    armed = room.unit._armed
    assert armed is not None
    for _ in range(3):
        room.expose()
        assert entered.wait(60)
        frames = armed._count
        until(lambda frames=frames: armed._count >= frames + 4)
    armed._fail(DeviceError("unplugged"))
    go.set()
    room.done()
    assert [str(error) for error in room.raised] == ["unplugged"]
    assert (len(room.seen), room.unit.imageless.count, room.alarms) == (3, 0, [])


def test_the_next_image_that_is_durable_tells_of_those_without(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(spool)
    plain, bad = Draft.seal, [MediaError("write: it is worn")]

    def seal(self: Draft, record: InstanceRecord) -> Sealed:
        if bad:
            raise bad.pop()
        return plain(self, record)

    monkeypatch.setattr(Draft, "seal", seal)
    room.unit.lose_exposure("the source was not ready")
    room.begin()
    room.expose()
    room.done()
    after = Room(spool)
    after.unit.imageless = room.unit.imageless
    after.begin()
    after.expose()
    after.done()
    (done,) = after.seen
    receipt = spool.receipt(done.captured.sop_instance_uid)
    assert receipt is not None
    assert receipt.events[0].detail["exposures_lost_before"] == "2"
    assert after.unit.imageless.tell() == 0


def test_a_reload_forgets_no_exposure(spool: Spool) -> None:
    settings = load.parse(TOML)
    runtime: Any = SimpleNamespace(
        journal=SimpleNamespace(say=lambda *_: None),
        spool=spool,
        settings=settings,
        keeper=SimpleNamespace(kept=lambda: None),
        power=SimpleNamespace(left_s=float),
        recorders={},
    )
    old = runtime.recorders["probe"] = captures.make(runtime, settings.source[0], Exam(settings))
    old.lose_exposure("before the reload")
    new = runtime.recorders["probe"] = captures.make(runtime, settings.source[0], Exam(settings))
    old.lose_exposure("its source was closed")  # as the role of the old one ends
    facts = captures.facts(new)
    assert facts["exposures_lost"] == 2
    assert facts["exposure_lost_s"] < 60
    assert new.imageless.tell() == 2
