"""Roles start from a plan, restart with back-off, stop in time, and a reload leaves the unchanged ones alone."""

from __future__ import annotations

import io
import threading

import pytest

from agent.app.journal import Journal
from agent.app.roles import Spec, Supervisor
from agent.errors import DeviceError


class Work:
    """Work that counts its lives and fails as often as told."""

    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.lives: list[object] = []
        self.failures = failures
        self.error = error or DeviceError("no frame grabber at /dev/video0")
        self.running = threading.Event()

    def __call__(self, stop: threading.Event, facts: object) -> None:
        self.lives.append(facts)
        if len(self.lives) <= self.failures:
            raise self.error
        self.running.set()
        stop.wait(30)


class Log(io.StringIO):
    """A log and what it says when everything was written."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = Journal(self)

    def getvalue(self) -> str:
        assert self.journal.flush(5)
        return super().getvalue()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture(autouse=True)
def no_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.app.roles.BACK_OFF_BASE_S", 0.0)


def test_a_reload_touches_only_what_changed(log: Log) -> None:
    works = {name: Work() for name in "abc"}
    supervisor = Supervisor(log.journal)
    assert supervisor.apply({"a": Spec(works["a"], 1), "b": Spec(works["b"], 1)}, within_s=5) == ([], ["a", "b"])
    for name in "ab":
        assert works[name].running.wait(5)
    again = Work()
    changed = supervisor.apply({"a": Spec(Work(), 1), "b": Spec(again, 2), "c": Spec(works["c"], 0)}, within_s=5)
    assert changed == (["b"], ["b", "c"])
    assert again.running.wait(5)
    assert again.lives == [2]
    assert works["a"].lives == [1]
    assert supervisor.stop(5) == []
    assert supervisor.roles == {}


def test_a_role_that_fails_is_started_again_and_says_why_once(log: Log) -> None:
    work = Work(failures=3)
    supervisor = Supervisor(log.journal)
    supervisor.apply({"probe": Spec(work, None)}, within_s=5)
    assert work.running.wait(5)
    role = supervisor.roles["probe"]
    assert role.failures == 3
    assert "no frame grabber" in role.last_error
    supervisor.stop(5)
    text = log.getvalue()
    assert text.count("no frame grabber at /dev/video0 [native.device]") == 1
    assert "Traceback" not in text


def test_a_fault_of_ours_restarts_too_and_shows_its_traceback(log: Log) -> None:
    work = Work(failures=1, error=AssertionError("impossible"))
    supervisor = Supervisor(log.journal)
    supervisor.apply({"probe": Spec(work, None)}, within_s=5)
    assert work.running.wait(5)
    supervisor.stop(5)
    assert "fault of the agent: AssertionError: impossible" in log.getvalue()
    assert "Traceback" in log.getvalue()


def test_a_role_that_hangs_is_named_and_does_not_hold_up_the_end(log: Log) -> None:
    release = threading.Event()
    supervisor = Supervisor(log.journal)
    supervisor.apply({"deaf": Spec(lambda _stop, _facts: release.wait(30) and None, None)}, within_s=5)
    assert supervisor.stop(0.05) == ["deaf"]
    release.set()
    assert "deaf: did not stop within 0.05 s" in log.getvalue()


def test_a_busy_role_is_waited_for_and_others_are_not(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.app.roles.TICK_S", 0.01)
    sealing, ticks, release = threading.Event(), list[str](), threading.Event()

    def seal(stop: threading.Event, _facts: object) -> None:
        sealing.set()
        stop.wait(30)
        release.wait(30)
        sealing.clear()

    def tick(name: str) -> None:
        ticks.append(name)
        if len(ticks) == 3:
            release.set()

    deaf = threading.Event()
    supervisor = Supervisor(log.journal)
    busy = Spec(seal, None, busy=sealing.is_set)
    supervisor.apply({"from x": busy, "deaf": Spec(lambda _stop, _facts: deaf.wait(30) and None, None)}, within_s=5)
    assert sealing.wait(5)
    # A reload gives up on both after its bound; the end still waits for the busy one.
    assert supervisor.apply({}, within_s=0.01) == (["from x", "deaf"], [])
    assert [role.name for role in supervisor.leaving] == ["from x", "deaf"]
    assert supervisor.stop(0.2, 30.0, tick) == ["deaf"]
    assert len(ticks) >= 3  # it may tick once more before the role has noticed
    assert set(ticks) == {"from x"}
    deaf.set()


def test_a_role_that_is_busy_for_ever_is_left_in_the_end(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.app.roles.TICK_S", 0.01)
    release = threading.Event()
    supervisor = Supervisor(log.journal)
    supervisor.apply({"x": Spec(lambda _stop, _facts: release.wait(30) and None, None, busy=lambda: True)}, within_s=5)
    assert supervisor.stop(0.02, 0.05) == ["x"]
    assert supervisor.leaving[0].busy()
    release.set()


def test_back_off_doubles_to_its_cap(monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    monkeypatch.setattr("agent.app.roles.BACK_OFF_BASE_S", 1.0)
    waits: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            if len(waits) == 8:
                self.set()
            return self.is_set()

    from agent.app.roles import Role

    role = Role("probe", Spec(Work(failures=99), None), log.journal)
    role.stop = Stop()
    role._live()
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
