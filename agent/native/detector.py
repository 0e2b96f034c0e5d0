"""What the raw frame of a flat-panel detector needs: its dark frame, the gain of its pixels, its dead pixels.

    corrected = (sample - offset) * gain / GAIN_ONE + pedestal

rounded to the nearest, halves away from zero, and kept inside of the stored bits. The pedestal keeps noise that lies
below the dark frame; without one it ends at 0, and the mean of dark areas rises. A dead pixel gets the mean, rounded
half up, of the good pixels of the nearest ring around it that has any.
"""

from __future__ import annotations

from array import array

from agent.errors import NativeArgumentError
from agent.native._core import ffi, lib
from agent.native.frame import PixelDescription, c_buffer, c_format
from agent.native.status import check
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Buffer

GAIN_ONE: int = lib.MGA_GAIN_ONE
"""A gain of 1.0 in a gain frame, whose samples have 16 bits."""
_PIXELS = ffi.typeof("uint32_t[]")


def correct(
    frame: Buffer,
    description: PixelDescription,
    out: Buffer,
    *,
    offset: Buffer | None = None,
    gain: Buffer | None = None,
    pedestal: int = 0,
) -> int:
    """Write the frame less its dark frame, times its gain, to `out`, which may be the frame; gives the bytes."""
    src, dst = c_buffer(frame), c_buffer(out, writable=True)
    dark = ffi.NULL if offset is None else c_buffer(offset)
    gains = ffi.NULL if gain is None else c_buffer(gain)
    sizes = [0 if given is None else len(borrowed) for given, borrowed in ((offset, dark), (gain, gains))]
    params = ffi.new("mga_flat_params *", [dark, sizes[0], gains, sizes[1], pedestal])
    written = lib.mga_flat_correct(dst, len(dst), src, len(src), c_format(description), params)
    given = [borrowed for borrowed in (dark, gains) if borrowed != ffi.NULL]
    return check(written, "correcting a detector's frame", src, dst, *given)


def defects(points: Iterable[tuple[int, int]], description: PixelDescription) -> array[int]:
    """Make the list that `replace` takes of rows and columns, counted from 0, in any order."""
    rows, columns = description.rows, description.columns
    found = set()
    for row, column in points:
        if not (0 <= row < rows and 0 <= column < columns):
            raise NativeArgumentError(f"dead pixel {row}, {column} is outside of {rows} x {columns}")
        found.add(row * columns + column)
    return array("I", sorted(found))


def replace(frame: Buffer, description: PixelDescription, dead: array[int]) -> int:
    """Replace dead pixels in place; gives their number. Refused where one has no good pixel within reach."""
    dst = c_buffer(frame, writable=True)
    pixels = ffi.from_buffer(_PIXELS, dead)
    done = lib.mga_defects_replace(dst, len(dst), c_format(description), pixels, len(dead))
    return check(done, "replacing dead pixels", dst, pixels)
