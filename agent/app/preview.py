"""A frame as letters, as half blocks, or as a small PNG: enough to see that there is a picture, over any line.

Each cell is the mean of its samples, from the C core; where a picture has fewer pixels than cells, or shares chroma, a
few samples are taken where they are needed. Brightness is what a display would show: MONOCHROME1 is inverted, of RGB
the luminance counts, and of more than 8 bits the window that a source names, or else what lies between the darkest and
brightest percent.
"""

from __future__ import annotations

from math import ceil, floor

from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.dataset.pixels import PixelDescription

WIDTH, LINES = 80, 23  # a terminal without the line of the prompt
RAMP: Final = " .:-=+*#%@"  # from dark to light on a dark terminal
_POINTS: Final = 4  # looked at in each direction of a cell
_ASPECT: Final = 2  # a letter is so much taller than wide
_CUT: Final = 0.01  # of the samples at either end of a histogram
_RGB_LUMA: Final = (0.299, 0.587, 0.114)  # ITU-R BT.601


class Window(NamedTuple):
    """Sample values that are shown black and white."""

    low: float
    high: float


class Picture:
    """One native frame; ``level(row, column)`` is its brightness there, 0 to 1."""

    __slots__ = ("_data", "_sample", "description", "window")

    def __init__(
        self, data: memoryview | bytes, description: PixelDescription, window: tuple[float, float] | None = None
    ) -> None:
        """``window`` is centre and width of the configuration, for more than 8 bits."""
        self.description = description
        self._data = data
        self._sample = _sampler(data, description)
        self.window = self._chosen(window)

    def level(self, row: int, column: int) -> float:
        """Brightness of one pixel."""
        low, high = self.window
        found = min(max((self._sample(row, column) - low) / (high - low), 0.0), 1.0)
        return 1.0 - found if self.description.photometric_interpretation == "MONOCHROME1" else found

    def cells(self, width: int, height: int) -> list[list[float]]:
        """Brightness of a grid of ``height`` rows, each cell the mean of its pixels."""
        made = self._shrunk(width, height)
        if made is not None:
            return made
        rows, columns = self.description.rows, self.description.columns
        across = [_places(columns, width, cell) for cell in range(width)]
        found = []
        for cell in range(height):
            down = _places(rows, height, cell)
            found.append([sum(self.level(r, c) for r in down for c in some) / (len(down) * len(some))
                          for some in across])  # fmt: skip
        return found

    def _shrunk(self, width: int, height: int) -> list[list[float]] | None:
        """The same from the C core; None for what it does not shrink."""
        from agent.errors import NativeArgumentError
        from agent.native.picture import Window as Stored
        from agent.native.picture import thumbnail

        low, high = floor(self.window.low), ceil(self.window.high)
        try:
            made = thumbnail(self._data, self.description, height, width, window=Stored(low, max(high, low + 1)))
        except NativeArgumentError:
            return None
        if self.description.samples_per_pixel == 1:
            levels = [value / 255 for value in made]
        else:
            red, green, blue = _RGB_LUMA
            levels = [(red * made[at] + green * made[at + 1] + blue * made[at + 2]) / 255
                      for at in range(0, len(made), 3)]  # fmt: skip
        return [levels[row * width : (row + 1) * width] for row in range(height)]

    def _chosen(self, window: tuple[float, float] | None) -> Window:
        one = self.description
        if one.bits_stored <= 8 and not one.pixel_representation:
            return Window(0, (1 << one.bits_stored) - 1)
        if window is not None and window[1] > 1:
            centre, width = window
            return Window(centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2)  # PS3.3 C.11.2.1.2.1
        rows, columns = _places(one.rows, 1, 0, 64), _places(one.columns, 1, 0, 64)
        seen = sorted(self._sample(row, column) for row in rows for column in columns)
        cut = int(len(seen) * _CUT)
        low, high = seen[cut], seen[-1 - cut]
        return Window(low, high if high > low else low + 1)


def _places(length: int, cells: int, cell: int, points: int = _POINTS) -> list[int]:
    """Some places of a cell along one direction."""
    start, end = cell * length / cells, (cell + 1) * length / cells
    return sorted({min(int(start + (end - start) * (point + 0.5) / points), length - 1) for point in range(points)})


def _sampler(data: memoryview | bytes, one: PixelDescription) -> Callable[[int, int], float]:
    view = memoryview(data).cast("B")
    columns, wide = one.columns, one.bits_allocated > 8
    shift = one.high_bit + 1 - one.bits_stored
    mask, sign = (1 << one.bits_stored) - 1, 1 << (one.bits_stored - 1)

    def value(index: int) -> int:
        raw = view[2 * index] | view[2 * index + 1] << 8 if wide else view[index]
        found = raw >> shift & mask
        return found - ((found & sign) << 1) if one.pixel_representation else found

    if one.photometric_interpretation == "YBR_FULL_422":
        return lambda row, column: value((row * columns + column) // 2 * 4 + column % 2)
    if one.samples_per_pixel == 1:
        return lambda row, column: value(row * columns + column)
    plane, step = (one.rows * columns, 1) if one.planar_configuration else (1, one.samples_per_pixel)
    if one.photometric_interpretation.startswith("YBR"):
        return lambda row, column: value((row * columns + column) * step)

    def luminance(row: int, column: int) -> float:
        at = (row * columns + column) * step
        return sum(share * value(at + number * plane) for number, share in enumerate(_RGB_LUMA))

    return luminance


def fitted(one: PixelDescription, width: int, height: int, aspect: float = _ASPECT) -> tuple[int, int]:
    """Columns and lines of a preview within ``width`` and ``height`` that keeps the shape of the picture."""
    lines = max(1, round(width * one.rows / one.columns / aspect))
    if lines <= height:
        return width, lines
    return max(1, min(width, round(height * aspect * one.columns / one.rows))), height


def letters(picture: Picture, width: int = WIDTH, height: int = LINES, *, invert: bool = False) -> list[str]:
    """The picture as lines of letters."""
    columns, lines = fitted(picture.description, width, height)
    ramp = RAMP[::-1] if invert else RAMP
    last = len(ramp) - 1
    return ["".join(ramp[round(level * last)] for level in row) for row in picture.cells(columns, lines)]


def blocks(picture: Picture, width: int = WIDTH, height: int = LINES, *, invert: bool = False) -> list[str]:
    """The picture in half blocks, two dots in each letter; grey is dithered (Floyd and Steinberg)."""
    columns, lines = fitted(picture.description, width, height)
    dots = _dithered(picture.cells(columns, 2 * lines))
    shown = "█▀▄ " if invert else " ▄▀█"
    return [
        "".join(shown[2 * top + below] for top, below in zip(dots[row], dots[row + 1], strict=True))
        for row in range(0, 2 * lines, 2)
    ]


def _dithered(cells: Sequence[Sequence[float]]) -> list[list[int]]:
    rest = [list(row) for row in cells]
    for y, row in enumerate(rest):
        for x, level in enumerate(row):
            row[x] = 1.0 if level >= 0.5 else 0.0
            error = level - row[x]
            for across, down, share in ((1, 0, 7), (-1, 1, 3), (0, 1, 5), (1, 1, 1)):
                if y + down < len(rest) and 0 <= x + across < len(row):
                    rest[y + down][x + across] += error * share / 16
    return [[int(level) for level in row] for row in rest]


def grey_png(picture: Picture, width: int) -> bytes:
    """The picture as a PNG of 8-bit grey, at most ``width`` pixels wide."""
    from agent.app.picture_file import png

    columns = min(width, picture.description.columns)
    columns, rows = fitted(picture.description, columns, picture.description.rows, aspect=1)
    pixels = bytes(round(level * 255) for row in picture.cells(columns, rows) for level in row)
    return png(pixels, rows, columns, grey=True)
