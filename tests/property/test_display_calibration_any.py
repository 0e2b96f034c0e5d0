"""Any display that grows brighter with its level gets a table that does, too, and stays near the function."""

from __future__ import annotations

from itertools import accumulate, pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from agent.display.calibration import Measurement, calibrate, conformance
from agent.display.gsdf import jnd_index, luminance


@st.composite
def displays(draw: st.DrawFn) -> list[Measurement]:
    steps = draw(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 40)), min_size=1, max_size=20))
    levels = list(accumulate((step for step, _ in steps), initial=draw(st.integers(0, 10))))
    bright = list(accumulate((rise for _, rise in steps), initial=draw(st.floats(0.05, 5))))
    bright[-1] += 1.0  # not equally bright everywhere
    return [Measurement(level, value) for level, value in zip(levels, bright, strict=True)]


@given(displays(), st.floats(0, 20), st.integers(2, 300))
@example([Measurement(0, 0.5), Measurement(5, 0.5), Measurement(6, 1.5)], 1.0, 2)
def test_tables_rise_within_the_measured_range(rows: list[Measurement], ambient: float, entries: int) -> None:
    made = calibrate(rows, ambient=ambient, entries=entries)
    assert len(made.ddl) == entries
    darkest = [row.ddl for row in rows if row.luminance + ambient == rows[0].luminance + ambient]
    assert darkest[0] <= made.ddl[0] <= darkest[-1]  # which may be several levels
    assert all(before <= after for before, after in pairwise(made.ddl))
    assert all(before <= after for before, after in pairwise(made.luminance))
    assert rows[0].ddl <= made.ddl[0]
    assert made.ddl[-1] <= rows[-1].ddl
    judged = made.conformance
    assert judged.max_step_deviation >= judged.rms_step_deviation >= 0
    again = conformance(made.luminance)
    assert abs(again.max_step_deviation - judged.max_step_deviation) < 1e-3


@given(st.floats(1, 1023))
def test_there_and_back(index: float) -> None:
    assert abs(jnd_index(luminance(index)) - index) < 1e-6
