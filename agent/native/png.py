"""Lines of a PNG picture as they were before its filters (PNG, third edition, 9)."""

from __future__ import annotations

from agent.native._core import lib
from agent.native.frame import c_buffer
from agent.native.status import check
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


def unfilter(out: Buffer, done: int, lines: Buffer, line_bytes: int, pixel_bytes: int) -> int:
    """Write whole filtered lines to ``out``, behind the ``done`` bytes that are there; gives how many there are then.

    Args:
        out: The picture, as many lines of ``line_bytes`` as it has.
        done: Bytes of the lines before these.
        lines: Filter type and ``line_bytes`` bytes of each.
        line_bytes: Of a line, without its filter type.
        pixel_bytes: From a pixel to the next, 1 to 8; 1 where several share a byte.

    Raises:
        NativeDataError: A filter type that PNG has not.
    """
    dst, src = c_buffer(out, writable=True), c_buffer(lines)
    written = lib.mga_png_unfilter(dst, len(dst), done, src, len(src), line_bytes, pixel_bytes)
    return check(written, "unfiltering lines of a PNG", dst, src)
