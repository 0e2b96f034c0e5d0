"""Both ends together, the firmware and the agent's session, on a line of bytes that may do anything to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.firmware import Firmware

from agent.panel.messages import LIGHTS, Numbers
from agent.panel.session import SILENT_S, Session
from agent.panel.ticks import DRIFT, TickMap

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from agent.panel.session import Event

START = 1000.0  # of our clock, when the panel's is at 0


def clean(data: bytes) -> bytes:
    return data


class Pair:
    """A panel and an agent; ``run`` lets both live."""

    def __init__(self, hurt: Callable[[bytes], bytes] = clean, *, watchdog_s: int = 0) -> None:
        self.firmware = Firmware()
        self.numbers = Numbers()
        self.session = Session(self.numbers, START, watchdog_s=watchdog_s)
        self.events: list[Event] = []
        self._hurt = hurt
        self._offset_us = 0

    @property
    def now(self) -> float:
        return START + (self._offset_us + self.firmware.board.us) / 1e6

    def run(self, ms: int) -> None:
        for _ in range(ms):
            self.firmware.run(1)
            board = self.firmware.board
            heard = self._hurt(bytes(board.outgoing))
            board.outgoing.clear()
            self.events += self.session.receive(heard, self.now)
            self.session.tick(self.now)
            board.incoming += self._hurt(bytes(self.session.outgoing))
            self.session.outgoing.clear()

    def press(self, place: int, ms: int = 25) -> None:
        self.firmware.board.levels[place] ^= 1
        self.run(ms)

    def reset_processor(self) -> None:
        board = self.firmware.board
        self._offset_us += board.us
        self.firmware = Firmware(board.memory, 0, board.levels)

    def open_again(self) -> None:
        self.session = Session(self.numbers, self.now)


def test_they_greet_and_an_event_comes_once_with_its_time() -> None:
    pair = Pair()
    pair.run(600)
    assert pair.session.hello is not None
    assert pair.session.hello.abilities == ("exposure", "temperature", "power_fail", "power_cycle")
    pressed = pair.now + 0.001
    pair.press(0, 500)
    (event,) = pair.events
    assert (event.number, event.input, event.pressed) == (1, "foot", True)
    assert event.at == pytest.approx(pressed, abs=event.uncertainty_s)
    assert event.uncertainty_s < 0.002
    assert pair.firmware.panel.outbox.count == 0


def test_what_the_panel_shows_is_what_the_agent_says_at_once() -> None:
    pair = Pair()
    pair.run(100)
    pair.session.lights = LIGHTS.index("capturing")
    pair.run(3)
    assert pair.firmware.board.shown == (1, 0, 0, 1)


def test_a_press_while_the_line_is_down_comes_late_and_says_when_it_was() -> None:
    deaf = [False]
    pair = Pair(lambda data: b"" if deaf[0] else data)
    pair.run(1500)
    deaf[0] = True
    pressed = pair.now + 0.001
    pair.press(1, 8000)
    assert pair.session.hello is None
    deaf[0] = False
    pair.run(2500)
    (event,) = pair.events
    assert event.at == pytest.approx(pressed, abs=0.01)


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.05])
def test_no_event_is_lost_or_doubled(rng: random.Random, rate: float) -> None:
    def hurt(data: bytes) -> bytes:
        hit = bytearray(byte if rng.random() >= rate else rng.randrange(256) for byte in data)
        return bytes(hit) if rng.random() >= rate else bytes(hit[rng.randrange(len(hit) + 1) :])

    pair = Pair(hurt)
    pair.run(1500)
    made = []
    for _ in range(60):
        place = rng.randrange(4)
        pair.press(place, rng.randrange(25, 120))
        made.append((place, pair.firmware.board.levels[place]))
        while pair.firmware.panel.outbox.count > 5:  # a finger waits
            pair.run(10)
        if rng.random() < 0.1:
            pair.reset_processor()
        if rng.random() < 0.1:
            pair.open_again()
    pair.run(4000)
    names = {"foot": 0, "foot_2": 1, "button": 2, "button_2": 3}
    assert [(names[one.input], one.pressed) for one in pair.events] == made
    assert [one.number for one in pair.events] == list(range(1, 61))
    assert (pair.session.missed > 0) == (rate > 0)


def test_another_panel_begins_with_what_it_has() -> None:
    pair = Pair()
    pair.run(100)
    for _ in range(3):
        pair.press(0)
    pair.run(100)
    pair.firmware = Firmware()
    pair.firmware.board.memory = b""
    pair.firmware.board.random = lambda: 0xBEEF  # type: ignore[method-assign]
    pair.firmware.panel = type(pair.firmware.panel)(pair.firmware.board)
    pair.run(1500)
    pair.press(0, 100)
    assert [one.number for one in pair.events] == [1, 2, 3, 1]


def test_silence_is_noticed_and_greeted_away() -> None:
    pair = Pair()
    pair.run(100)
    now = pair.now
    pair.session.tick(now + SILENT_S + 0.1)
    assert pair.session.hello is None
    pair.run(1200)
    assert pair.session.speaks


def test_an_agent_that_leaves_disarms_the_watchdog() -> None:
    pair = Pair(watchdog_s=10)
    pair.run(1500)
    assert pair.firmware.panel.heart.armed
    assert pair.session.state is not None
    pair.session.leave()
    pair.firmware.board.incoming += pair.session.outgoing
    pair.firmware.run(60_000, step_us=10_000)
    assert not pair.firmware.panel.heart.armed
    assert not pair.firmware.panel.heart.cycling


def test_a_panel_of_another_version_is_greeted_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.VERSION", 2)
    pair = Pair(watchdog_s=10)
    pair.run(3000)
    assert pair.session.hello is not None
    assert not pair.session.speaks
    assert not pair.firmware.panel.heart.armed


def test_ticks_are_mapped_by_the_surest_ping() -> None:
    ticks = TickMap()
    assert ticks.time_of(5) is None
    ticks.learn(10.0, 10.010, 5000)  # the middle is 10.005
    assert ticks.time_of(5000) == pytest.approx((10.005, 0.005))
    ticks.learn(11.0, 11.020, 1_010_000)  # less sure
    assert ticks.time_of(5000) == pytest.approx((10.005, 0.005))
    ticks.learn(12.0, 12.002, 2_001_500)  # surer: an error of 500 us is found
    at, uncertainty = ticks.time_of(2_001_500)  # type: ignore[misc]
    assert (at, uncertainty) == pytest.approx((12.001, 0.001))
    assert ticks.time_of(1_001_500) == pytest.approx((11.001, 0.001 + DRIFT))


def test_ticks_come_round_and_begin_anew() -> None:
    ticks = TickMap()
    ticks.learn(10.0, 10.002, 0x3FFFFFFF)
    assert ticks.time_of(999) == pytest.approx((10.002, 0.001), abs=1e-5)
    ticks.learn(20.0, 20.010, 77)  # not ten seconds later: another clock
    assert ticks.time_of(77) == pytest.approx((20.005, 0.005))
