"""The table of a display, and what is said about it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from agent.display import gsdf
from agent.display.calibration import Calibration, Measurement, calibrate, conformance
from agent.errors import DisplayError


def gamma(ddl: int, top: int = 255) -> float:
    return 0.4 + 249.6 * (ddl / top) ** 2.2


def measured(step: int = 1, top: int = 255) -> list[Measurement]:
    levels = sorted({*range(0, top + 1, step), top})
    return [Measurement(ddl, gamma(ddl, top)) for ddl in levels]


def test_p_values_are_evenly_spaced_indices() -> None:
    """The worked example of PS3.14: 1 to 250 cd/m2, five P-values."""
    made = calibrate([Measurement(level, gsdf.luminance(71.50 + 532.61 * level / 4095)) for level in range(4096)])
    assert made.target[0] == pytest.approx(1.00, rel=1e-3)
    for p, luminance in ((64, 8.74), (128, 33.20), (192, 97.15), (255, 250.04)):
        assert made.target[p] == pytest.approx(luminance, rel=2e-3)


def test_a_display_that_follows_needs_no_table() -> None:
    low, high = gsdf.jnd_index(1.0), gsdf.jnd_index(250.0)
    levels = [Measurement(ddl, gsdf.luminance(low + (high - low) * ddl / 255)) for ddl in range(256)]
    made = calibrate(levels)
    assert made.ddl == tuple(range(256))
    assert made.as_bytes() == bytes(range(256))
    assert made.conformance.max_step_deviation < 1e-6
    assert made.conformance.jnd_per_step == pytest.approx((high - low) / 255)


def test_table_rises_from_the_first_level_to_the_last() -> None:
    made = calibrate(measured(), ambient=0.5, entries=256)
    assert (made.ddl[0], made.ddl[-1]) == (0, 255)
    assert list(made.ddl) == sorted(made.ddl)
    assert made.luminance[0] == pytest.approx(0.9)
    assert made.luminance[-1] == pytest.approx(250.5)


def test_more_levels_than_p_values_follow_closer() -> None:
    coarse = calibrate(measured(), entries=256).conformance
    fine = calibrate(measured(top=1023), entries=256).conformance
    assert fine.max_step_deviation < coarse.max_step_deviation / 2
    assert fine.max_index_deviation < coarse.max_index_deviation / 2
    assert fine.jnd_per_step == pytest.approx(coarse.jnd_per_step)


@pytest.mark.parametrize("step", [8, 15, 17])
def test_some_measured_levels_stand_for_all(step: int) -> None:
    """The table from few levels must be right on the display itself, not on its own interpolation."""
    made = calibrate(measured(step), ambient=0.5)
    low, high = gsdf.jnd_index(gamma(0) + 0.5), gsdf.jnd_index(gamma(255) + 0.5)
    wanted = [low + (high - low) * p / 255 for p in range(256)]
    off = [abs(gsdf.jnd_index(gamma(ddl) + 0.5) - index) for ddl, index in zip(made.ddl, wanted, strict=True)]
    full = calibrate(measured(), ambient=0.5).conformance.max_index_deviation
    assert max(off) < full + 0.5


def test_ambient_light_costs_dark_levels() -> None:
    dark, lit = calibrate(measured()), calibrate(measured(), ambient=10.0)
    assert lit.conformance.jnd_per_step < dark.conformance.jnd_per_step
    assert lit.ddl[64] > dark.ddl[64] or lit.luminance[0] == pytest.approx(10.4)
    assert lit.ambient == 10.0


def test_order_of_measurements_does_not_matter() -> None:
    assert calibrate(measured()[::-1]) == calibrate(measured())


@pytest.mark.parametrize(
    ("rows", "options", "text"),
    [
        ([(0, 1.0)], {}, "1 measurements"),
        ([(0, 1.0), (0, 2.0)], {}, "measured twice"),
        ([(0, 1.0), (9, 0.5)], {}, "falls from 1 to 0.5 cd/m2 between levels 0 and 9"),
        ([(0, 1.0), (9, 1.0)], {}, "equally bright"),
        ([(0, 0.0), (9, 1.0)], {}, "outside the function"),
        ([(0, 1.0), (9, 4200.0)], {}, "outside the function"),
        ([(0, 1.0), (70000, 2.0)], {}, "level 70000"),
        ([(0, 1.0), (9, 2.0)], {"ambient": -1.0}, "not 0 or more"),
        ([(0, 1.0), (9, 2.0)], {"entries": 1}, "1 entries"),
        ([(0, 1.0), (9, 2.0)], {"entries": 5000}, "5000 entries"),
    ],
)
def test_measurements_that_cannot_be(rows: list[tuple[int, float]], options: dict[str, float], text: str) -> None:
    with pytest.raises(DisplayError, match=text):
        calibrate([Measurement(*row) for row in rows], **options)  # type: ignore[arg-type]


def test_a_wide_table_is_not_for_8_bit_pictures() -> None:
    with pytest.raises(DisplayError, match="1024 entries"):
        calibrate(measured(), entries=1024).as_bytes()
    with pytest.raises(DisplayError, match="up to 1023"):
        calibrate(measured(top=1023)).as_bytes()


def test_judging_a_calibrated_display() -> None:
    made = calibrate(measured(top=1023), ambient=0.5)
    shown = [gamma(ddl, 1023) for ddl in made.ddl]
    judged = conformance(shown, ambient=0.5)
    assert judged.jnd_per_step == pytest.approx(made.conformance.jnd_per_step)
    assert judged.max_step_deviation == pytest.approx(made.conformance.max_step_deviation, abs=1e-6)
    flat = conformance([gamma(ddl) for ddl in range(256)], ambient=0.5)
    assert flat.max_step_deviation > judged.max_step_deviation * 2
    assert flat.max_index_deviation > judged.max_index_deviation * 10
    with pytest.raises(DisplayError, match="too few"):
        conformance([1.0])


def test_the_worst_step_is_named() -> None:
    made = calibrate(measured())
    assert isinstance(made, Calibration)
    indices = list(map(gsdf.jnd_index, made.luminance))
    steps = [after - before for before, after in pairwise(indices)]
    worst = made.conformance.worst_step
    assert abs(steps[worst] - made.conformance.jnd_per_step) == pytest.approx(made.conformance.max_step_deviation)
