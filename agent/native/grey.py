"""Grey pixels in colour frames: a frame with R = G = B everywhere as one sample per pixel, and back.

Nothing is computed and nothing rounded: `widen` of what `narrow` made is the frame, bit for bit, bits above the stored
ones included. Descriptions are those of the colour frame, with samples by pixel or by plane.
"""

from __future__ import annotations

from agent.native._core import lib
from agent.native.frame import PixelDescription, c_buffer, c_format
from agent.native.status import check
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


def narrow(frame: Buffer, description: PixelDescription, out: Buffer) -> bool:
    """Write one sample of each pixel to `out` (a third of the frame); False where a pixel has colour.

    Then `out` holds anything: the work ends soon after the first coloured pixel.
    """
    src, dst = c_buffer(frame), c_buffer(out, writable=True)
    written = lib.mga_grey_narrow(dst, len(dst), src, len(src), c_format(description))
    return check(written, "looking for colour in a frame", src, dst) > 0


def widen(plane: Buffer, description: PixelDescription, out: Buffer) -> int:
    """Write the colour frame of one grey plane to `out`; gives its bytes."""
    src, dst = c_buffer(plane), c_buffer(out, writable=True)
    written = lib.mga_grey_widen(dst, len(dst), src, len(src), c_format(description))
    return check(written, "making a colour frame of grey samples", src, dst)
