"""A picture with regions, marks, measured places and a scale drawn on it, so that a person sees what a template says.

Regions are green, marks yellow, measured places red. Along the left and lower edge of each region stand ticks of its
own scale in cyan, every fifth one longer: laid beside the scale of the scanner, they show at once whether it is right.
"""

from __future__ import annotations

from math import floor, isnan, log10

from agent.app.picture_file import png
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.acquire.region_template import Rectangle
    from agent.iod.regions import Region

Colour = tuple[int, int, int]
REGION: Final[Colour] = (0, 255, 0)
MARK: Final[Colour] = (255, 255, 0)
PLACE: Final[Colour] = (255, 64, 64)
SCALE: Final[Colour] = (0, 255, 255)
_CROSS: Final = 4  # pixels from its middle
_TICK, _LONG = 5, 10
MIN_STEP: Final = 8  # pixels between ticks


class Drawing:
    """RGB pixels that can be drawn on."""

    def __init__(self, pixels: bytes, rows: int, columns: int) -> None:
        """``pixels`` are 8-bit, grey or RGB by pixel."""
        self.rows, self.columns = rows, columns
        if len(pixels) == rows * columns:
            self.pixels = bytearray(3 * len(pixels))
            for sample in range(3):
                self.pixels[sample::3] = pixels
        else:
            self.pixels = bytearray(pixels)

    def png(self) -> bytes:
        """Return it as a file."""
        return png(self.pixels, self.rows, self.columns)

    def box(self, top: int, left: int, rows: int, columns: int, colour: Colour) -> None:
        """Draw the outermost pixels of a rectangle."""
        for row in (top, top + rows - 1):
            self._row(row, left, columns, colour)
        for column in (left, left + columns - 1):
            self._column(column, top, rows, colour)

    def place(self, row: float, column: float, within: Rectangle) -> None:
        """Draw a cross; where one coordinate is not known, a line through ``within``."""
        top, left, rows, columns = within
        if isnan(column):
            self._row(round(row), left, columns, PLACE)
        elif isnan(row):
            self._column(round(column), top, rows, PLACE)
        else:
            self._row(round(row), round(column) - _CROSS, 2 * _CROSS + 1, PLACE)
            self._column(round(column), round(row) - _CROSS, 2 * _CROSS + 1, PLACE)

    def region(self, one: Region) -> None:
        """Draw a region and its scale."""
        self.box(one.min_y, one.min_x, one.max_y - one.min_y + 1, one.max_x - one.min_x + 1, REGION)
        for place, size in scale(one.delta_y, one.max_y - one.min_y):
            self._row(one.min_y + place, one.min_x + 1, size, SCALE)
        for place, size in scale(one.delta_x, one.max_x - one.min_x):
            self._column(one.min_x + place, one.max_y - size, size, SCALE)

    def _row(self, row: int, left: int, columns: int, colour: Colour) -> None:
        first, last = max(left, 0), min(left + columns, self.columns)
        if 0 <= row < self.rows and first < last:
            at = 3 * (row * self.columns + first)
            self.pixels[at : at + 3 * (last - first)] = bytes(colour) * (last - first)

    def _column(self, column: int, top: int, rows: int, colour: Colour) -> None:
        if 0 <= column < self.columns:
            for row in range(max(top, 0), min(top + rows, self.rows)):
                at = 3 * (row * self.columns + column)
                self.pixels[at : at + 3] = bytes(colour)


def step_of(delta: float) -> float:
    """Return the units between ticks: 1, 2 or 5 times a power of ten, and never below ``MIN_STEP`` pixels."""
    least = abs(delta) * MIN_STEP
    ten = 10.0 ** floor(log10(least))
    return next(ten * times for times in (1, 2, 5, 10) if ten * times >= least * (1 - 1e-9))


def scale(delta: float, pixels: int) -> Iterator[tuple[int, int]]:
    """Ticks along ``pixels``: where, and how long."""
    apart = step_of(delta) / abs(delta)
    for number in range(1, int(pixels / apart) + 1):
        yield round(number * apart), _LONG if number % 5 == 0 else _TICK


def draw(
    drawing: Drawing, regions: Sequence[Region], marks: Sequence[Rectangle], places: Sequence[tuple[float, float]],
    within: Rectangle,
) -> None:  # fmt: skip
    """Draw all of it."""
    for one in regions:
        drawing.region(one)
    for mark in marks:
        drawing.box(*mark, MARK)
    for row, column in places:
        drawing.place(row, column, within)
