"""The ticks of a depth scale, found in a strip of a picture: a suggestion, never a scale.

The strip is added up across its narrow side. Ticks are the stretches that are brighter than half way from the median to
the brightest, and each lies at the centre of its brightness. Found are only ticks that lie evenly, for what is uneven
is text, speckle, or a scale that a cursor crosses; then there is no suggestion, and places are typed.
"""

from __future__ import annotations

from agent.app.calibrate_measure import TICK_OFF_PIXELS
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.acquire.region_template import Rectangle

MIN_TICKS: Final = 4
MAX_THICK: Final = 6  # pixels; more is no tick
MIN_CONTRAST: Final = 24  # of 255, of a tick against the strip


def found(pixels: bytes, columns: int, strip: Rectangle, samples: int) -> list[float] | None:
    """Return the places of ticks along the longer side of ``strip``, of 8-bit pixels; None where none lie evenly."""
    profile = _profile(pixels, columns, strip, samples)
    level = sorted(profile)[len(profile) // 2]
    bright = max(profile)
    if bright - level < MIN_CONTRAST:
        return None
    start = strip[0] if strip[2] >= strip[3] else strip[1]
    places: list[float] = []
    run: list[int] = []
    for index, value in enumerate([*profile, level]):
        if value > (level + bright) / 2:
            run.append(index)
        elif run:
            if len(run) > MAX_THICK:
                return None
            weights = [profile[at] - level for at in run]
            places.append(start + sum(at * weight for at, weight in zip(run, weights, strict=True)) / sum(weights))
            run = []
    return places if _even(places) else None


def _profile(pixels: bytes, columns: int, strip: Rectangle, samples: int) -> list[float]:
    top, left, rows, width = strip
    lines = [pixels[((top + row) * columns + left) * samples :][: width * samples] for row in range(rows)]
    if rows >= width:
        return [sum(line) / len(line) for line in lines]
    return [sum(sum(line[at * samples : (at + 1) * samples]) for line in lines) / (rows * samples)
            for at in range(width)]  # fmt: skip


def _even(places: Sequence[float]) -> bool:
    if len(places) < MIN_TICKS:
        return False
    step = (places[-1] - places[0]) / (len(places) - 1)
    return all(abs(place - places[0] - index * step) <= TICK_OFF_PIXELS / 2 for index, place in enumerate(places))
