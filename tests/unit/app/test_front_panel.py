"""What the lights say, and what a pedal does, without a panel."""

from __future__ import annotations

import time
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from agent.acquire.asking import Ask, Asks
from agent.app.front_panel import STALE_S, FrontPanel, word_of
from agent.config.schema import PANEL_INPUTS
from agent.config.settings import PanelSettings
from agent.errors import CaptureWaiting
from agent.panel.messages import INPUTS, LIGHTS
from agent.panel.session import Event

SETTINGS = PanelSettings("/dev/null", "probe", "probe", "gone", "probe", "", "capture", "toggle", "capture", "hold", 0)


class Source:
    """As much of a ``Recorder`` as is asked of it."""

    def __init__(self, name: str, triggered: list[str]) -> None:
        self.asks = Asks(name)
        self.counts = SimpleNamespace(recording=False)
        self._triggered = triggered

    def ask(self, ask: Ask) -> None:
        self.asks.put(ask)
        self._triggered.append(self.asks._name if ask.kind == "capture" else ask.kind)


class Daemon:
    """As much of a ``Runtime`` as the panel looks at."""

    def __init__(self) -> None:
        self.triggered: list[str] = []
        self.told: list[tuple[str, str]] = []
        self.anew = 0
        self.recording = False
        self.queue: dict[str, dict[str, int]] = {"a": {}}
        self.failures = 0
        self.journal = SimpleNamespace(say=lambda level, _role, text: self.told.append((level, text)))
        self.lock = nullcontext()
        self.keeper = SimpleNamespace(refuse=lambda: None)
        self.recorders = {name: Source(name, self.triggered) for name in ("probe", "gone")}
        self.recorders["gone"].asks.put(Ask())

    def begin_anew(self) -> None:
        self.anew += 1

    def status(self) -> dict[str, Any]:
        links = {"a": {"state": "ok", "failures": self.failures}}
        return {"running": True, "queue": self.queue, "destinations": links}


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
def front(daemon: Daemon) -> FrontPanel:
    return FrontPanel(SETTINGS, daemon)  # type: ignore[arg-type]


def event(name: str, age_s: float | None = 0.0, *, pressed: bool = True) -> Event:
    return Event(1, name, pressed, None if age_s is None else time.monotonic() - age_s, 0.001)


def test_the_configuration_has_the_inputs_of_the_panel() -> None:
    assert tuple(PANEL_INPUTS) == INPUTS


def test_a_press_captures_and_a_release_does_not(front: FrontPanel, daemon: Daemon) -> None:
    for one in (event("foot"), event("foot", pressed=False), event("exposure"), event("number 9")):
        front._told(one)
    assert daemon.triggered == ["probe"]
    assert daemon.told == [("info", "'foot' was pressed: a capture of probe")]
    assert front._lights() == "ready"


@pytest.mark.parametrize(("name", "age_s", "why"), [
    ("foot", STALE_S + 1, "it was 3 s ago"), ("foot", None, "it was long ago"),
    ("button", 0.0, f"a capture of gone is already waiting; this one is not made [{CaptureWaiting.code}]"),
])  # fmt: skip
def test_a_press_in_vain_is_told(front: FrontPanel, daemon: Daemon, name: str, age_s: float | None, why: str) -> None:
    front._told(event(name, age_s))
    assert daemon.triggered == []
    assert daemon.told[0][0] == "warning"
    assert daemon.told[0][1].endswith(why)
    assert front._lights() == "attention"


def test_a_pedal_that_toggles_begins_a_clip_and_ends_it_when_it_was_pressed(front: FrontPanel, daemon: Daemon) -> None:
    asks = daemon.recorders["probe"].asks
    for one in (event("foot_2"), event("foot_2", pressed=False)):
        front._told(one)
    turn = asks.begin()
    assert turn is not None
    again = event("foot_2", STALE_S + 1)  # a stop that is heard late is one all the same
    front._told(again)
    assert turn.ends_ns == int((again.at or 0) * 1e9)
    turn.over = True
    front._told(event("foot_2"))
    assert daemon.triggered == ["clip", "clip"]
    assert [text for _, text in daemon.told] == [
        "'foot_2' was pressed: a clip of probe", "'foot_2' was pressed again: the clip of probe ends",
        "'foot_2' was pressed: a clip of probe",
    ]  # fmt: skip


def test_a_pedal_that_is_held_ends_its_clip_when_it_is_released(front: FrontPanel, daemon: Daemon) -> None:
    asks = daemon.recorders["probe"].asks
    front._told(event("button_2"))
    released = event("button_2", pressed=False)
    front._told(released)
    turn = asks.begin()
    assert turn is not None
    assert turn.ends_ns == int((released.at or 0) * 1e9)
    turn.over = True
    front._told(event("button_2", pressed=False))  # the clip had ended by itself
    assert [level for level, _ in daemon.told] == ["info"] * 3
    assert daemon.told[-1][1] == "'button_2' was released: no clip of probe runs"


def test_power_that_fails_begins_anew(front: FrontPanel, daemon: Daemon) -> None:
    front._failing()
    assert daemon.anew == 1


def test_lights_follow_the_status(daemon: Daemon) -> None:
    assert word_of(daemon.status()) == "ready"
    daemon.queue = {"a": {"committed": 7, "queued": 1}}
    assert word_of(daemon.status()) == "queue_waiting"
    daemon.failures = 1
    assert word_of(daemon.status()) == "link_down"
    daemon.queue = {"a": {"held": 1}}
    assert word_of(daemon.status()) == "attention"
    assert {word_of(daemon.status()), "capturing", "silent"} <= set(LIGHTS)


def test_capturing_is_seen_at_once(front: FrontPanel, daemon: Daemon) -> None:
    assert front._lights() == "ready"
    daemon.recorders["probe"].counts.recording = True
    assert front._lights() == "capturing"
