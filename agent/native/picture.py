"""Small 8-bit pictures of frames for people: previews and contact sheets, never Pixel Data.

Colour comes out as RGB, MONOCHROME1 is turned so that more means brighter. Photometric interpretations that need more
than arithmetic on one pixel (palettes, subsampled chroma) are refused with `NativeArgumentError`.
"""

from __future__ import annotations

from agent.errors import NativeArgumentError
from agent.native._core import ffi, lib
from agent.native.frame import PixelDescription, c_buffer, c_format
from agent.native.status import check
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Buffer

_COLOURS = {
    "MONOCHROME1": lib.MGA_COLOUR_INVERTED,
    "MONOCHROME2": lib.MGA_COLOUR_AS_IS,
    "RGB": lib.MGA_COLOUR_AS_IS,
    "YBR_FULL": lib.MGA_COLOUR_YBR_FULL,
}
DEFAULT_TAIL = 0.005
"""Half a percent of the samples may go black and as many white: markers and collimator edges."""


class Window(NamedTuple):
    """Stored values that are shown as black and as white."""

    low: int
    high: int


def find_window(frame: Buffer, description: PixelDescription, tail: float = DEFAULT_TAIL) -> Window:
    """Choose the window of one frame from its histogram; `tail` is the fraction (0..0.5) cut off at each end."""
    src = c_buffer(frame)
    window = ffi.new("mga_window *")
    found = lib.mga_window_find(src, len(src), c_format(description), tail, window)
    check(found, "finding the window of a frame", src)
    return Window(window.low, window.high)


def _full_window(description: PixelDescription) -> Window:
    return Window(0, (1 << description.bits_stored) - 1)


def thumbnail(
    frame: Buffer,
    description: PixelDescription,
    out_rows: int,
    out_columns: int,
    *,
    window: Window | None = None,
) -> bytes:
    """Shrink one frame to `out_rows` x `out_columns`; gives 8-bit RGB or grey bytes by pixel.

    Without `window` colour is shown in full range and grey by `find_window`.
    """
    name = description.photometric_interpretation
    if name not in _COLOURS:
        raise NativeArgumentError(f"no preview of {name} frames")
    if window is None:
        window = _full_window(description) if description.samples_per_pixel == 3 else find_window(frame, description)
    src = c_buffer(frame)
    params = ffi.new("mga_thumbnail_params *", [out_rows, out_columns, list(window), _COLOURS[name]])
    out = bytearray(out_rows * out_columns * description.samples_per_pixel)
    dst = c_buffer(out, writable=True)
    made = lib.mga_thumbnail(dst, len(dst), src, len(src), c_format(description), params)
    check(made, "making a preview", src, dst)
    return bytes(out)


def luma(rgb: bytes) -> bytes:
    """Y of 8-bit RGB by pixel (PS3.3 C.7.6.3.1.2), in thousandths."""
    return bytes((299 * r + 587 * g + 114 * b) // 1000 for r, g, b in zip(rgb[::3], rgb[1::3], rgb[2::3], strict=True))
