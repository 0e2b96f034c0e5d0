"""Rectangles of frames: one cut out, others made unreadable because text is burned into them.

Rows and columns are counted from 0, as in C; a rectangle that leaves the frame is refused, never cut to fit.
"""

from __future__ import annotations

from agent.native._core import ffi, lib
from agent.native.frame import FrameDescription, PixelDescription, c_buffer, c_format
from agent.native.status import check
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Buffer


class Region(NamedTuple):
    """A rectangle of pixels."""

    top: int
    left: int
    rows: int
    columns: int


def cropped(description: PixelDescription, region: Region) -> FrameDescription:
    """Describe what `crop` makes."""
    d = description
    return FrameDescription(
        region.rows,
        region.columns,
        d.samples_per_pixel,
        d.bits_allocated,
        d.bits_stored,
        d.high_bit,
        d.pixel_representation,
        d.photometric_interpretation,
        d.planar_configuration,
    )


def crop(frame: Buffer, description: PixelDescription, region: Region, out: Buffer, *, stride: int = 0) -> int:
    """Write the samples of one region to `out`; gives their bytes. `stride`: where lines of the frame are padded."""
    src, dst = c_buffer(frame), c_buffer(out, writable=True)
    where = ffi.new("mga_region *", list(region))
    written = lib.mga_region_crop(dst, len(dst), src, len(src), c_format(description), stride, where)
    return check(written, "cutting a region out of a frame", src, dst)


def blackout(frame: Buffer, description: PixelDescription, regions: Sequence[Region], value: Sequence[int]) -> None:
    """Give every pixel of the regions one value, in place: a number for each sample per pixel."""
    dst = c_buffer(frame, writable=True)
    where = ffi.new("mga_region[]", [list(region) for region in regions])
    numbers = ffi.new("int32_t[3]", list(value))
    done = lib.mga_region_blackout(dst, len(dst), c_format(description), where, len(regions), numbers)
    check(done, "blacking out regions of a frame", dst)
