"""Tables that samples go through, and the usual ones: logarithm, square root, window.

A table has an entry for each value that the stored bits can have, beginning with the lowest (PS3.3 C.11.2.1.1 counts
the same way), of 8 or 16 bits, little endian as samples are. Entries are rounded to the nearest, halves up. Windows and
square roots are exact arithmetic; logarithms are those of the machine, in doubles, and what lies as close below a half
as their last digits may be wrong is one: where 1 + x is a power of two it is, and every machine must make the same.
"""

from __future__ import annotations

import math
import sys
from array import array
from fractions import Fraction

from agent.errors import NativeArgumentError
from agent.native._core import lib
from agent.native.frame import FrameDescription, PixelDescription, c_buffer, c_format
from agent.native.status import check
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Buffer

_TIE = 1e-9  # an ulp of 65535 is 7e-12, and libm is off by two at most
_BYTE = 8
_WORD = 16


class Table(NamedTuple):
    """Entries for every value of one kind of sample."""

    entries: bytes
    bits: int
    """Most that an entry needs, Bits Stored of what it makes; more than 8: entries of two bytes."""
    wide: bool = False
    """Entries of two bytes all the same."""

    @property
    def entry_bits(self) -> int:
        """Bits Allocated of what it makes."""
        return _BYTE if self.bits <= _BYTE and not self.wide else _WORD


def table(values: Iterable[int], bits: int) -> Table:
    """Make a table of its numbers."""
    if not 1 <= bits <= _WORD:
        raise NativeArgumentError(f"a table of {bits} bits is not supported")
    try:
        entries = array("B" if bits <= _BYTE else "H", values)
    except (OverflowError, TypeError) as error:
        raise NativeArgumentError(f"an entry is no number of {bits} bits: {error}") from error
    if entries and max(entries) >> bits:
        raise NativeArgumentError(f"entry {max(entries)} needs more than {bits} bits")
    if sys.byteorder == "big":
        entries.byteswap()
    return Table(entries.tobytes(), bits)


def widened(narrow: Table) -> Table:
    """The same numbers in entries of two bytes."""
    return Table(bytes(byte for entry in narrow.entries for byte in (entry, 0)), narrow.bits, wide=True)


def made(description: PixelDescription, through: Table) -> FrameDescription:
    """Describe what `apply` makes: unsigned samples."""
    d = description
    return FrameDescription(
        d.rows,
        d.columns,
        d.samples_per_pixel,
        through.entry_bits,
        through.bits,
        through.bits - 1,
        0,
        d.photometric_interpretation,
        d.planar_configuration,
    )


def apply(frame: Buffer, description: PixelDescription, through: Table, out: Buffer) -> int:
    """Write each sample's entry to `out`; gives the bytes. Bits above the stored ones are not looked at."""
    src, dst, entries = c_buffer(frame), c_buffer(out, writable=True), c_buffer(through.entries)
    layout = c_format(description)
    written = lib.mga_table_apply(dst, len(dst), src, len(src), layout, entries, len(entries), through.entry_bits)
    return check(written, "sending samples through a table", src, dst, entries)


def _values(description: PixelDescription) -> range:
    most = 1 << description.bits_stored
    lowest = -most // 2 if description.pixel_representation else 0
    return range(lowest, lowest + most)


def _unsigned(description: PixelDescription) -> range:
    if description.pixel_representation:
        raise NativeArgumentError("this table is for unsigned samples")
    return _values(description)


def logarithm(description: PixelDescription, bits: int) -> Table:
    """log(1 + x), stretched so that the greatest sample becomes the greatest entry."""
    most, whole = (1 << bits) - 1, math.log1p((1 << description.bits_stored) - 1)
    return table((math.floor(most * math.log1p(x) / whole + 0.5 + _TIE) for x in _unsigned(description)), bits)


def square_root(description: PixelDescription, bits: int) -> Table:
    """The root of x, stretched likewise: noise of quanta is as large in dark as in bright places."""
    most, greatest = (1 << bits) - 1, (1 << description.bits_stored) - 1
    # floor(sqrt(q) + 1/2) is (floor(sqrt(4 q)) + 1) // 2
    return table(((math.isqrt(4 * most * most * x // greatest) + 1) // 2 for x in _unsigned(description)), bits)


def window(
    description: PixelDescription, centre: str | float, width: str | float, *, function: str = "LINEAR", bits: int = 8
) -> Table:
    """A window (PS3.3 C.11.2.1.2 LINEAR, C.11.2.1.3.2 LINEAR_EXACT); centre and width as numbers or as DS has them."""
    c, w, most = Fraction(centre), Fraction(width), (1 << bits) - 1
    if function == "LINEAR" and w >= 1:
        c, w = c - Fraction(1, 2), w - 1
    elif function != "LINEAR_EXACT" or w <= 0:
        raise NativeArgumentError(f"no window of the function {function} is {width} wide")
    low, high = c - w / 2, c + w / 2
    if w == 0:
        return table((0 if x <= low else most for x in _values(description)), bits)
    # ((x - c) / w + 1/2) * most + 1/2 as (slope * x + start) // below, in integers
    slope, start = most / w, (Fraction(1, 2) - c / w) * most + Fraction(1, 2)
    below = math.lcm(slope.denominator, start.denominator)
    rise, begin = int(slope * below), int(start * below)
    return table(
        (0 if x <= low else most if x > high else (rise * x + begin) // below for x in _values(description)), bits
    )
