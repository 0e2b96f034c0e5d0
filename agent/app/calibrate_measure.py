"""What somebody measured in a picture, and what a pixel is worth by it: typed places, lengths, units, and their doubt.

A place is ``ROW,COLUMN`` of the frame, counted from 0. Along each axis a scale comes from two places whose distance is
known, or from the ticks of a scale. A place that was read off a picture may be off by half a pixel, so that the worth
of a pixel is known no better than its **bound**: for two places ``n`` pixels apart one part in ``n``, as both may be
off, one each way; for ticks half of the sum of the weights that the fitted line (least squares) gives to each of them.

Of several measures along an axis the one with the closest bound counts, and all must agree with it within theirs. The
pixels of nearly every scanner are square; where X and Y differ by more than their bounds, that is said: the picture is
stretched, or a distance is wrong.
"""

from __future__ import annotations

from agent.errors import UsageError
from agent.iod.region_words import UNITS, word_of
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

CLICK_PIXELS: Final = 0.5
MIN_PIXELS: Final = 10  # closer places are worth a tenth at best: nobody measures with that
LEAN_MAX: Final = 0.02  # off the axis; the length is then wrong by a fiftieth of a percent
TICK_OFF_PIXELS: Final = 1.5  # how far a tick may lie off the line through all: more is a tick left out, or a slip
MAX_TICKS: Final = 200
# What may stand behind a length: its Physical Units, and how many of them it is.
LENGTHS: Final = {
    "": (UNITS["cm"], 0.1), "mm": (UNITS["cm"], 0.1), "cm": (UNITS["cm"], 1.0), "ms": (UNITS["s"], 0.001),
    "s": (UNITS["s"], 1.0), "cm/s": (UNITS["cm/s"], 1.0), "m/s": (UNITS["cm/s"], 100.0), "Hz": (UNITS["Hz"], 1.0),
    "kHz": (UNITS["Hz"], 1000.0),
}  # fmt: skip
DOWN, ACROSS = "down", "across"


class Measure(NamedTuple):
    """What one pixel is worth along an axis by one measure: ``delta`` +- ``bound`` in Physical Units ``unit``."""

    axis: str
    option: str  # as it was typed
    unit: int
    delta: float
    bound: float
    places: tuple[tuple[float, float], ...]  # row, column; of ticks the other coordinate is not known: NaN


class Square(NamedTuple):
    """How X and Y compare: ``ratio`` of X to Y, +- ``bound``."""

    ratio: float
    bound: float

    @property
    def agrees(self) -> bool:
        """Whether the places that were read off explain the difference."""
        return abs(self.ratio - 1) <= self.bound


def distance(axis: str, text: str) -> Measure:
    """Read ``ROW,COLUMN-ROW,COLUMN=LENGTH``."""
    option = f"--{axis} {text}"
    places, _, length = text.partition("=")
    ends = places.split("-")
    if not length or len(ends) != 2:
        raise UsageError(f"{option}: is ROW,COLUMN-ROW,COLUMN=LENGTH, for example 60,410-460,410=100mm")
    first, second = (_place(option, end) for end in ends)
    along, off = abs(first[0] - second[0]), abs(first[1] - second[1])
    if axis == ACROSS:
        along, off = off, along
    if along < MIN_PIXELS:
        raise UsageError(f"{option}: the places are {along:g} pixels apart, at least {MIN_PIXELS} are wanted",
                         hint="Take places far apart: one part in their distance is all that is known.")  # fmt: skip
    if off > LEAN_MAX * along:
        line = "row" if axis == ACROSS else "column"
        raise UsageError(f"{option}: the places are {off:g} {line}s apart; of --{axis} both lie in one {line}")
    unit, value = _length(option, length)
    delta = value / along
    return Measure(axis, option, unit, delta, delta * 2 * CLICK_PIXELS / along, (first, second))


def ticks(axis: str, text: str) -> Measure:
    """Read ``PLACE,PLACE,...=LENGTH``: rows or columns of neighbouring ticks, and how far these are apart."""
    option = f"--ticks-{axis} {text}"
    places, _, length = text.partition("=")
    try:
        at = [float(word) for word in places.split(",")]
    except ValueError:
        at = []
    if not length or not 3 <= len(at) <= MAX_TICKS or any(not 0 <= one <= 65535 for one in at):
        raise UsageError(f"{option}: is three ticks or more as ROW,ROW,ROW=LENGTH, for example 60,110,160=10mm")
    steps = [index - (len(at) - 1) / 2 for index in range(len(at))]
    weights = [step / sum(one * one for one in steps) for step in steps]
    slope = sum(weight * place for weight, place in zip(weights, at, strict=True))
    middle = sum(at) / len(at)
    off, place = max((abs(place - middle - slope * step), place) for step, place in zip(steps, at, strict=True))
    if off > TICK_OFF_PIXELS:
        hint = "Is one left out, or given twice, or is it a slip?"
        raise UsageError(f"{option}: the tick at {place:g} is {off:.1f} pixels off the line through all", hint=hint)
    if abs(at[-1] - at[0]) < MIN_PIXELS:
        raise UsageError(f"{option}: the ticks span {abs(at[-1] - at[0]):g} pixels, at least {MIN_PIXELS} are wanted")
    unit, value = _length(option, length)
    delta = value / abs(slope)
    bound = delta * CLICK_PIXELS * sum(map(abs, weights)) / abs(slope)
    unknown = float("nan")
    known = tuple((one, unknown) if axis == DOWN else (unknown, one) for one in at)
    return Measure(axis, option, unit, delta, bound, known)


def chosen(measures: Sequence[Measure]) -> Measure:
    """Return the closest of the measures along one axis; raises where another one contradicts it."""
    best = min(measures, key=lambda one: one.bound / one.delta)
    for one in measures:
        if one.unit != best.unit or abs(one.delta - best.delta) > one.bound + best.bound:
            hint = "One of the places or lengths is wrong, or they are of different regions."
            raise UsageError(f"{one.option} says {worth(one)}, and {best.option} says {worth(best)}", hint=hint)
    return best


def compared(across: Measure, down: Measure) -> Square | None:
    """Return how X and Y compare; None where they are not both lengths."""
    if across.unit != down.unit or across.unit != UNITS["cm"]:
        return None
    ratio = across.delta / down.delta
    return Square(ratio, ratio * (across.bound / across.delta + down.bound / down.delta))


def worth(one: Measure) -> str:
    """Say what a pixel is worth, and how well that is known."""
    unit, times = ("mm", 10.0) if one.unit == UNITS["cm"] else (word_of(UNITS, one.unit), 1.0)
    return f"{one.delta * times:.5g} {unit} +- {one.bound * times:.2g} ({100 * one.bound / one.delta:.2g} %)"


def _place(option: str, text: str) -> tuple[float, float]:
    try:
        row, column = (float(word) for word in text.split(","))
    except ValueError:
        row = column = -1.0
    if not (0 <= row <= 65535 and 0 <= column <= 65535):
        raise UsageError(f"{option}: '{text}' is no place; it is ROW,COLUMN, counted from 0")
    return row, column


def _length(option: str, text: str) -> tuple[int, float]:
    number = text.rstrip("abcdefghijklmnopqrstuvwxyzHZ/")
    unit = text[len(number) :]
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if unit not in LENGTHS or not 0 < value < 1e9:
        raise UsageError(f"{option}: '{text}' is no length; it is a number above 0 with one of "
                         f"{', '.join(one for one in LENGTHS if one)}")  # fmt: skip
    code, times = LENGTHS[unit]
    return code, value * times
