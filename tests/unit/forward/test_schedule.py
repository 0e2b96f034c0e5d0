"""Windows against the wall clock: summer time, steps of the clock, and what people are told."""

from __future__ import annotations

import calendar
import time
from typing import TYPE_CHECKING

import pytest

from agent.config.windows import spans
from agent.forward.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

MIDDLE_EUROPE = "CET-1CEST,M3.5.0,M10.5.0/3"  # 2026: 29 March and 25 October, both Sundays


@pytest.fixture
def _europe(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", MIDDLE_EUROPE)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def wall(text: str, hours: int = 1) -> float:
    """A moment as a clock shows it that is ``hours`` before UTC."""
    return float(calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M"))) - hours * 3600


def at(text: str, *windows: str, hours: int = 1) -> Schedule:
    return Schedule(spans(windows), lambda: wall(text, hours))


def shown(turn: float | None) -> str:
    return time.strftime("%a %H:%M %Z", time.localtime(turn)) if turn is not None else "never"


pytestmark = pytest.mark.usefixtures("_europe")


@pytest.mark.parametrize(
    ("now", "is_open", "turns"),
    [
        ("2026-02-02 21:59", False, "Mon 22:00 CET"),
        ("2026-02-02 22:00", True, "Tue 06:00 CET"),
        ("2026-02-03 05:59", True, "Tue 06:00 CET"),
        ("2026-02-03 06:00", False, "Tue 22:00 CET"),
        ("2026-02-06 23:00", True, "Mon 06:00 CET"),  # the whole weekend joins the nights on both sides
        ("2026-02-08 12:00", True, "Mon 06:00 CET"),
    ],
)
def test_nights_and_weekends(now: str, is_open: bool, turns: str) -> None:
    schedule = at(now, "22:00-06:00", "Sat,Sun 00:00-24:00")
    assert schedule.open() is is_open
    assert shown(schedule.turns_at()) == turns


def test_the_hour_that_summer_time_leaves_out() -> None:
    """At 02:00 CET it is 03:00 CEST: a window from 02:30 opens with the jump, one within the hour not at all."""
    assert shown(at("2026-03-29 01:30", "02:30-05:00").turns_at()) == "Sun 03:00 CEST"
    assert shown(at("2026-03-29 01:30", "02:15-02:45").turns_at()) == "Mon 02:15 CEST"
    assert at("2026-03-29 03:00", "02:30-05:00", hours=2).open()


def test_the_hour_that_comes_twice_is_open_twice() -> None:
    twice = [at("2026-10-25 02:30", "02:00-03:00", hours=hours) for hours in (2, 1)]
    assert [schedule.open() for schedule in twice] == [True, True]
    assert shown(twice[0].turns_at()) == "Sun 03:00 CET"


def test_a_step_of_the_clock_counts_at_once() -> None:
    now = [wall("2026-02-02 12:00")]
    schedule = Schedule(spans(["22:00-06:00"]), lambda: now[0])
    assert not schedule.open()
    now[0] += 11 * 3600
    assert schedule.open()
    now[0] -= 11 * 3600
    assert not schedule.open()


def test_a_window_of_all_week_never_turns() -> None:
    schedule = at("2026-02-02 12:00", "00:00-24:00")
    assert schedule.open()
    assert schedule.turns_at() is None


def test_zones_off_by_a_quarter_and_seconds_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "NPT-5:45")
    time.tzset()
    schedule = Schedule(spans(["22:07-22:08"]), lambda: wall("2026-02-02 16:20", 0) + 59.5)
    turn = schedule.turns_at()
    assert shown(turn) == "Mon 22:07 NPT"
    assert Schedule(spans(["22:07-22:08"]), lambda: turn or 0.0).open()
