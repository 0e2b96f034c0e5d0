"""A peer that asks without end is answered at a rate, one that asks now and then at once."""

from __future__ import annotations

import pytest

from agent.link.turns import BURST, LONGEST_S, PER_S, TURN_BYTES, Turns


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def turns(clock: Clock) -> Turns:
    return Turns(clock.time, clock.sleep)


def test_burst_is_answered_at_once() -> None:
    clock = Clock()
    found = turns(clock)
    for _ in range(BURST):
        found.wait()
        assert clock.now == 100.0


def test_without_end_it_is_the_rate() -> None:
    clock = Clock()
    found = turns(clock)
    for _ in range(BURST + 1000):
        found.wait()
    assert clock.now == pytest.approx(100.0 + 1000 / PER_S, abs=0.1)


def test_now_and_then_never_waits() -> None:
    clock = Clock()
    found = turns(clock)
    for _ in range(10_000):
        clock.now += 1.01 / PER_S
        before = clock.now
        found.wait()
        assert clock.now == before


def test_a_long_data_set_counts_for_more() -> None:
    clock = Clock()
    found = turns(clock)
    for _ in range(1000):
        found.wait(10 * TURN_BYTES)
    assert clock.now - 100.0 > 1000 * 10 / PER_S - BURST / PER_S - 1


def test_a_stop_is_noticed() -> None:
    clock = Clock()
    found = turns(clock)
    for _ in range(20):
        before = clock.now
        found.wait(1000 * TURN_BYTES)
        assert clock.now - before <= LONGEST_S
