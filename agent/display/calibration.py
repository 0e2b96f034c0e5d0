"""A display that follows the GSDF: from measured luminances to the table P-value -> DDL, and how well it then does.

A digital driving level (DDL) is what the display gets, luminance is what a photometer held to the screen says. The
light of the room that the screen reflects adds the same luminance to every level, so it is part of the calculation and
not of the measurement. The range from the darkest to the brightest level, in JND indices, is divided into equal steps,
one per P-value (PS3.14 7.1), and each P-value gets the level that comes nearest.

Between measured levels luminance is interpolated with a monotone cubic (Fritsch and Carlson): a display is a smooth
curve, and one that could turn back would have two levels for one luminance. 18 levels are enough for a display with a
plain gamma; the error then stays within a third of a JND. The result is judged as PS3.14
Annex C does: JNDs for each step of P, their mean and their spread. It judges the *table*: whether the display holds it
is known only after measuring again with the table in place (``conformance``).
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from agent.display.gsdf import jnd_index, luminance
from agent.errors import DisplayError
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_ENTRIES: Final = 2
MAX_ENTRIES: Final = 4096  # 12 bits of P-values; displays that take more do not exist
DEFAULT_ENTRIES: Final = 256
MAX_DDL: Final = 65535
MAX_MEASUREMENTS: Final = 65536  # one for every level of a 16-bit display
MIN_MEASUREMENTS: Final = 2


class Measurement(NamedTuple):
    """Luminance in cd/m2 of one driving level, without ambient light."""

    ddl: int
    luminance: float


class Conformance(NamedTuple):
    """How a display follows the GSDF, in JNDs (PS3.14 Annex C).

    ``jnd_per_step`` is the mean of all steps of P, ``worst_step`` the step (from P to P + 1) that differs most from it
    by ``max_step_deviation``; ``rms_step_deviation`` is the spread around the mean; ``max_index_deviation`` how far any
    P-value is from its place on the function.
    """

    jnd_per_step: float
    max_step_deviation: float
    worst_step: int
    rms_step_deviation: float
    max_index_deviation: float


class Calibration(NamedTuple):
    """The table of a display: ``ddl[p]`` is shown for P-value ``p``; luminances include ambient light."""

    ddl: tuple[int, ...]
    luminance: tuple[float, ...]  # reached
    target: tuple[float, ...]  # by the function
    ambient: float
    conformance: Conformance

    def as_bytes(self) -> bytes:
        """The table for 8-bit P-values and levels, as ``bytes.translate`` takes it; DisplayError for another."""
        if len(self.ddl) != 1 << 8 or max(self.ddl) >= 1 << 8:
            raise DisplayError(f"a table of {len(self.ddl)} entries up to {max(self.ddl)} does not fit 8-bit pictures")
        return bytes(self.ddl)


def calibrate(
    measurements: Sequence[Measurement], *, ambient: float = 0.0, entries: int = DEFAULT_ENTRIES
) -> Calibration:
    """Make the table of a display from its measured levels (any order, the range they span is used).

    ``ambient`` is the reflected light in cd/m2, ``entries`` how many P-values there are.

    Raises:
        DisplayError: Too few measurements, a level twice, luminance that falls or leaves the range of the function.
    """
    if not MIN_ENTRIES <= entries <= MAX_ENTRIES:
        raise DisplayError(f"a table of {entries} entries is outside {MIN_ENTRIES} to {MAX_ENTRIES}")
    levels, luminances = _characteristic(measurements, ambient)
    curve = [jnd_index(value) for value in _every_level(levels, luminances)]
    low, high = curve[0], curve[-1]
    step = (high - low) / (entries - 1)
    wanted = [low + step * p for p in range(entries)]
    chosen = [_nearest(curve, index) for index in wanted]
    reached = [curve[at] for at in chosen]
    return Calibration(
        tuple(levels[0] + at for at in chosen),
        tuple(map(luminance, reached)),
        tuple(luminance(min(index, high)) for index in wanted),
        ambient,
        _judge(reached, wanted),
    )


def conformance(luminances: Sequence[float], *, ambient: float = 0.0) -> Conformance:
    """Judge a calibrated display by the luminances of all its P-values from 0 on, measured without ambient light."""
    if len(luminances) < MIN_ENTRIES:
        raise DisplayError(f"{len(luminances)} luminances are too few to judge a display")
    reached = [jnd_index(value + ambient) for value in luminances]
    step = (reached[-1] - reached[0]) / (len(reached) - 1)
    return _judge(reached, [reached[0] + step * p for p in range(len(reached))])


def _characteristic(measurements: Sequence[Measurement], ambient: float) -> tuple[list[int], list[float]]:
    """Levels and their luminances with ambient light, ascending, checked."""
    if not ambient >= 0:  # not a number, too
        raise DisplayError(f"ambient light of {ambient:g} cd/m2 is not 0 or more")
    if not MIN_MEASUREMENTS <= len(measurements) <= MAX_MEASUREMENTS:
        raise DisplayError(f"{len(measurements)} measurements: {MIN_MEASUREMENTS} to {MAX_MEASUREMENTS} are wanted")
    ordered = sorted(measurements)
    before: Measurement | None = None
    for now in ordered:
        if not 0 <= now.ddl <= MAX_DDL:
            raise DisplayError(f"level {now.ddl} is outside 0 to {MAX_DDL}")
        if before is not None and now.ddl == before.ddl:
            raise DisplayError(f"level {now.ddl} was measured twice")
        if before is not None and now.luminance < before.luminance:
            raise DisplayError(
                f"luminance falls from {before.luminance:g} to {now.luminance:g} cd/m2"
                f" between levels {before.ddl} and {now.ddl}"
            )
        before = now
    if ordered[-1].luminance <= ordered[0].luminance:
        raise DisplayError("the display is equally bright at all measured levels")
    return [row.ddl for row in ordered], [row.luminance + ambient for row in ordered]


def _every_level(levels: list[int], luminances: list[float]) -> list[float]:
    """Luminance of every level from the first to the last one measured."""
    slopes = _monotone_slopes(levels, luminances)
    curve: list[float] = []
    for at in range(len(levels) - 1):
        width = levels[at + 1] - levels[at]
        for offset in range(width):
            t = offset / width
            left, right = (1 + 2 * t) * (1 - t) ** 2, t * t * (3 - 2 * t)
            bend = slopes[at] * t * (1 - t) ** 2 - slopes[at + 1] * t * t * (1 - t)
            curve.append(left * luminances[at] + right * luminances[at + 1] + width * bend)
    curve.append(luminances[-1])
    return curve


def _monotone_slopes(levels: list[int], luminances: list[float]) -> list[float]:
    """Slopes at the measured levels that keep the cubic from turning back (at most three times either rise)."""
    widths = [after - before for before, after in pairwise(levels)]
    rises = [(luminances[at + 1] - luminances[at]) / widths[at] for at in range(len(widths))]
    if len(rises) == 1:
        return rises * 2
    slopes = [_end_slope(widths[0], widths[1], rises[0], rises[1])]
    for at in range(1, len(rises)):
        before, after = rises[at - 1], rises[at]
        slope = (widths[at] * before + widths[at - 1] * after) / (widths[at - 1] + widths[at])
        slopes.append(min(slope, 3 * before, 3 * after))
    slopes.append(_end_slope(widths[-1], widths[-2], rises[-1], rises[-2]))
    return slopes


def _end_slope(width: float, next_width: float, rise: float, next_rise: float) -> float:
    """Slope at an end from the three points there, kept between 0 and what a monotone cubic bears."""
    slope = ((2 * width + next_width) * rise - width * next_rise) / (width + next_width)
    return min(3 * rise, max(0.0, slope))


def _nearest(curve: list[float], index: float) -> int:
    """Position in the ascending curve that comes nearest; the lower of two."""
    at = min(bisect_left(curve, index), len(curve) - 1)
    return at - 1 if at and index - curve[at - 1] <= curve[at] - index else at


def _judge(reached: list[float], wanted: list[float]) -> Conformance:
    steps = [after - before for before, after in pairwise(reached)]
    mean = sum(steps) / len(steps)
    deviations = [abs(step - mean) for step in steps]
    worst = max(range(len(steps)), key=deviations.__getitem__)
    spread = (sum(value * value for value in deviations) / len(steps)) ** 0.5
    off = max(abs(got - want) for got, want in zip(reached, wanted, strict=True))
    return Conformance(mean, deviations[worst], worst, spread, off)
