"""A display passes where its contrast is that of the function, and the interval that does not is named."""

from __future__ import annotations

import pytest

from agent.display.calibration import Measurement, calibrate
from agent.display.gsdf import jnd_index, luminance
from agent.display.verification import verify

LOW, HIGH = jnd_index(0.9), jnd_index(350.0)


def display(entries: int = 256, step: int = 1, bend: float = 1.0) -> list[Measurement]:
    """A display that follows the function, or bends away from it."""
    last = entries - 1
    levels = sorted({*range(0, entries, step), last})
    return [Measurement(p, luminance(LOW + (HIGH - LOW) * (p / last) ** bend)) for p in levels]


@pytest.mark.parametrize(("entries", "step"), [(256, 1), (256, 15), (256, 5), (1024, 1), (1024, 20), (18, 1)])
def test_the_function_itself_passes(entries: int, step: int) -> None:
    verdict = verify(display(entries, step), entries=entries)
    assert verdict.passed
    assert abs(verdict.worst.deviation_percent) < 1e-6
    assert len(verdict.intervals) == 17
    assert verdict.intervals[0].first == 0
    assert verdict.intervals[-1].last == entries - 1
    assert (verdict.darkest, verdict.brightest) == (pytest.approx(0.9), pytest.approx(350.0))


def test_one_level_that_is_off_is_found() -> None:
    rows = display(step=15)
    index = jnd_index(rows[4].luminance)
    rows[4] = Measurement(60, luminance(index + 0.2 * (HIGH - LOW) / 17))  # a fifth of an interval too bright
    verdict = verify(rows)
    assert not verdict.passed
    off = {(row.first, row.last) for row in verdict.intervals if abs(row.deviation_percent) > 10}
    assert off == {(45, 60), (60, 75)}
    assert abs(verdict.worst.deviation_percent) == pytest.approx(20, abs=2)
    assert verify(rows, tolerance_percent=25).passed


def test_ambient_light_that_was_forgotten_fails() -> None:
    table = calibrate([Measurement(d, 0.4 + 349.6 * (d / 1023) ** 2.2) for d in range(1024)], ambient=2.0)
    shown = [Measurement(p, 0.4 + 349.6 * (ddl / 1023) ** 2.2) for p, ddl in enumerate(table.ddl)]
    assert verify(shown, ambient=2.0).passed
    assert not verify(shown).passed


def test_levels_near_the_wanted_ones_will_do() -> None:
    rows = [Measurement(p, luminance(LOW + (HIGH - LOW) * p / 255)) for p in (*range(1, 255, 2), 0, 255)]
    assert verify(rows).passed
    assert verify(rows[::-1]) == verify(rows)
