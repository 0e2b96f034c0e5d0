"""What the lights say, and what a pedal does, without a panel."""

from __future__ import annotations

import time
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from agent.acquire.asking import Ask, Asks
from agent.app.front_panel import STALE_S, FrontPanel, word_of
from agent.app.power import PowerHold
from agent.config.schema import PANEL_INPUTS
from agent.config.settings import PanelSettings
from agent.errors import CaptureWaiting, NotArmed, PowerFailing
from agent.panel.messages import INPUTS, LIGHTS
from agent.panel.session import Event

SETTINGS = PanelSettings("/dev/null", "probe", "probe", "gone", "probe", "", "capture", "toggle", "capture", "hold", 0)


class Source:
    """As much of a ``Recorder`` as is asked of it."""

    def __init__(self, name: str, triggered: list[str]) -> None:
        self.asks = Asks(name)
        self.counts = SimpleNamespace(recording=False)
        self.source = SimpleNamespace(exposure_window_ms=0.0)
        self.trouble = ""
        self.armed = False
        self.lost: list[str] = []
        self.lose_exposure = self.lost.append
        self.busy = False
        self.woken = 0
        self._triggered = triggered

    def wake(self) -> None:
        self.woken += 1

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
        self.power = PowerHold()
        self.spool = SimpleNamespace(ledger=SimpleNamespace(read=lambda *_: [], write=lambda _job: None))
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
    turn.at_ns -= int((STALE_S + 2) * 1e9)
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


@pytest.mark.parametrize("age_s", [10.0, None])
def test_a_press_of_before_a_clip_was_asked_for_does_not_end_it(
    front: FrontPanel, daemon: Daemon, age_s: float | None
) -> None:
    asks = daemon.recorders["probe"].asks
    asks.put(Ask("clip", "", time.monotonic_ns()))
    turn = asks.begin()
    assert turn is not None
    front._told(event("foot_2", age_s))
    assert turn.ends_ns == 0
    assert [level for level, _ in daemon.told] == ["warning"]
    assert daemon.told[0][1].startswith("'foot_2' was pressed and makes no clip of probe: it was ")
    assert front._lights() == "attention"
    front._told(event("foot_2"))
    assert turn.ends_ns > turn.at_ns


def test_a_press_of_before_a_capture_that_began_by_itself_does_not_end_it(front: FrontPanel, daemon: Daemon) -> None:
    turn = daemon.recorders["probe"].asks.begin_alone()
    front._told(event("foot_2", 10.0))
    assert (turn.ends_ns, daemon.told[0][0]) == (0, "warning")


def test_a_pedal_that_was_held_in_vain_does_not_end_the_clip_of_another(front: FrontPanel, daemon: Daemon) -> None:
    asks = daemon.recorders["probe"].asks
    asks.put(Ask("clip", "", time.monotonic_ns()))
    turn = asks.begin()
    assert turn is not None
    for pressed in (True, False):
        front._told(event("button_2", pressed=pressed))
    assert turn.ends_ns == 0
    assert [level for level, _ in daemon.told] == ["warning", "info"]
    assert daemon.told[1][1] == (
        "'button_2' was released: the clip of probe that runs was asked for by another: it goes on"
    )


@pytest.mark.parametrize("age_s", [10.0, None])
def test_a_pedal_that_is_released_ends_its_clip_whenever_that_is_heard(
    daemon: Daemon, front: FrontPanel, age_s: float | None
) -> None:
    asks = daemon.recorders["probe"].asks
    front._told(event("button_2"))
    asks.put(Ask("exposure"))  # it is looked for first, and is not what was held
    exposed = asks.begin()
    FrontPanel(SETTINGS, daemon)._told(event("button_2", age_s, pressed=False))  # type: ignore[arg-type]
    assert exposed is not None
    assert exposed.ends_ns == 0
    asks.end()
    turn = asks.begin()
    assert turn is not None
    assert turn.ends_ns >= turn.at_ns > 0


def test_an_exposure_asks_for_its_frame_with_what_is_known_of_its_moment(daemon: Daemon) -> None:
    front = FrontPanel(SETTINGS._replace(exposure="probe"), daemon)  # type: ignore[arg-type]
    probe = daemon.recorders["probe"]
    probe.source.exposure_window_ms = 100.0
    late = event("exposure", STALE_S + 1)  # a person has pressed again by then, a detector has not
    for one in (late, event("exposure", pressed=False)):
        front._told(one)
    turn = probe.asks.begin()
    assert turn is not None
    assert turn.ask == Ask("exposure", "", int((late.at or 0) * 1e9), 1_000_000, "00000000.1")
    assert not probe.asks.waiting
    assert (probe.lost, front._lights()) == ([], "ready")


@pytest.mark.parametrize(("trouble", "age_s", "why"), [
    ("", None, "it was too long ago to say when"), ("unplugged", 0.0, "unplugged"),
])  # fmt: skip
def test_an_exposure_that_cannot_have_an_image_is_one_that_is_lost(
    daemon: Daemon, trouble: str, age_s: float | None, why: str
) -> None:
    front = FrontPanel(SETTINGS._replace(exposure="probe"), daemon)  # type: ignore[arg-type]
    probe = daemon.recorders["probe"]
    probe.source.exposure_window_ms, probe.trouble = 100.0, trouble
    front._told(event("exposure", age_s))
    assert (probe.lost, probe.asks.waiting, front._lights()) == ([why], False, "attention")


def test_a_source_that_is_not_ready_refuses_and_wants_somebody(front: FrontPanel, daemon: Daemon) -> None:
    daemon.recorders["probe"].trouble = "source 'probe' has been silent for 2 s"
    front._upset = float("-inf")
    assert front._lights() == "attention"
    front._told(event("foot"))
    assert daemon.triggered == []
    assert f"has been silent for 2 s [{NotArmed.code}]" in daemon.told[0][1]


def test_a_source_that_stays_open_is_shown_as_armed(front: FrontPanel, daemon: Daemon) -> None:
    daemon.recorders["probe"].armed = True
    assert front._lights() == "armed"


def test_power_that_fails_begins_anew_and_nothing_begins_before_it_is_well(front: FrontPanel, daemon: Daemon) -> None:
    front._failing(False)
    assert (daemon.anew, daemon.told) == (0, [])
    front._failing(True)
    assert daemon.anew == 1
    front._told(event("foot"))
    assert daemon.triggered == []
    assert daemon.told[-1][1].endswith(f"60 s at most [{PowerFailing.code}]")
    again = FrontPanel(SETTINGS, daemon)  # type: ignore[arg-type]
    daemon.power = PowerHold()  # of who began anew
    again._failing(True)
    assert daemon.anew == 1
    assert 59 < daemon.power.left_s() <= 60
    again._failing(False)
    again._told(event("foot"))
    assert (daemon.triggered, daemon.recorders["probe"].woken) == (["probe"], 1)
    assert not PowerHold().left_s()


def test_power_is_held_over_an_end_no_longer_than_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODALITY_AGENT_POWER", repr(time.monotonic() - 1))
    assert PowerHold().left_s() == 0.0
    monkeypatch.setenv("MODALITY_AGENT_POWER", repr(time.monotonic() + 30))
    with pytest.raises(PowerFailing):
        PowerHold().refuse()


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
