"""Does a display follow the GSDF? The contrast it shows, beside the contrast that the function wants.

PS3.14 says how to measure (Annex C) and sets no limit. What sites accept displays by is the contrast response: of 18
P-values spread evenly from 0 to the last one, each pair of neighbours has a contrast, the difference of their
luminances over their mean, and it may differ by 10 % from that of the function between the same darkest and brightest
luminance; 20 % where nobody makes a diagnosis (AAPM TG 18, IEC 62563-1). Single steps of P are not judged: a display of
8 bits cannot make each of them right, nor can an eye tell.
"""

from __future__ import annotations

from itertools import pairwise

from agent.display.gsdf import jnd_index, luminance
from agent.errors import DisplayError
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.display.calibration import Measurement

LEVELS: Final = 18
DEFAULT_TOLERANCE_PERCENT: Final = 10.0


class Interval(NamedTuple):
    """From one P-value to the next one judged: how many percent its contrast is above that of the function."""

    first: int
    last: int
    deviation_percent: float


class Verdict(NamedTuple):
    """The intervals of a display, its darkest and brightest luminance with ambient light, and what was tolerated."""

    intervals: tuple[Interval, ...]
    darkest: float
    brightest: float
    tolerance_percent: float

    @property
    def worst(self) -> Interval:
        """The interval that differs most."""
        return max(self.intervals, key=lambda interval: abs(interval.deviation_percent))

    @property
    def passed(self) -> bool:
        """Whether every interval is within the tolerance."""
        return abs(self.worst.deviation_percent) <= self.tolerance_percent


def verify(
    measurements: Sequence[Measurement],
    *,
    ambient: float = 0.0,
    entries: int = 256,
    tolerance_percent: float = DEFAULT_TOLERANCE_PERCENT,
) -> Verdict:
    """Judge a calibrated display by luminances of P-values (``ddl`` of a measurement), in any order.

    Raises:
        DisplayError: A P-value was measured twice, is beyond ``entries``, or too few were.
    """
    if not ambient >= 0:
        raise DisplayError(f"ambient light of {ambient:g} cd/m2 is not 0 or more")
    if not 0 < tolerance_percent <= 100:
        raise DisplayError(f"a tolerance of {tolerance_percent:g} % is not above 0 and up to 100")
    if entries < LEVELS:
        raise DisplayError(f"{entries} P-values are too few to judge a display, {LEVELS} are wanted")
    found: dict[int, float] = {}
    for p_value, value in measurements:
        if p_value in found:
            raise DisplayError(f"P-value {p_value} was measured twice")
        if p_value >= entries:
            hint = "Are there more? Say --entries N."
            raise DisplayError(f"P-value {p_value} is beyond the last of {entries}", hint=hint)
        found[p_value] = value + ambient
    chosen = _spread(sorted(found), entries)
    dark, bright = found[chosen[0]], found[chosen[-1]]
    low, high = jnd_index(dark), jnd_index(bright)
    if high <= low:
        raise DisplayError(f"the last P-value is as dark as the first one, or darker ({bright:g} and {dark:g} cd/m2)")
    wanted = {p: luminance(low + (high - low) * p / (entries - 1)) for p in chosen}
    intervals = tuple(
        Interval(one, two, 100 * (_contrast(found[one], found[two]) / _contrast(wanted[one], wanted[two]) - 1))
        for one, two in pairwise(chosen)
    )
    return Verdict(intervals, dark, bright, tolerance_percent)


def _spread(p_values: list[int], entries: int) -> list[int]:
    """Those of the measured P-values that are spread evenly; an error names what is missing."""
    ideal = [round((entries - 1) * number / (LEVELS - 1)) for number in range(LEVELS)]
    reach = (entries - 1) / (LEVELS - 1) / 4
    chosen = [min(p_values, key=lambda p: abs(p - place), default=-1) for place in ideal]
    missing = [place for place, p in zip(ideal, chosen, strict=True) if not abs(p - place) <= reach]
    missing += [end for end in (0, entries - 1) if end not in chosen and end not in missing]
    if missing:
        raise DisplayError(
            f"{LEVELS} P-values spread evenly are wanted, near {', '.join(map(str, ideal))};"
            f" nothing was measured near {', '.join(map(str, sorted(missing)))}",
            hint="Measure these too, P-value by P-value; --entries N says how many P-values there are.",
        )
    return chosen


def _contrast(one: float, two: float) -> float:
    return 2 * (two - one) / (two + one)
