"""A PNG file from 8-bit samples: forty lines of the standard, so that a contact sheet needs no imaging library.

ISO/IEC 15948: signature, IHDR, one IDAT with filter 0 before each row, IEND.
"""

from __future__ import annotations

import struct
import zlib

from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB = 0, 2
# White between the pictures of a sheet.
_GAP: Final = 4


def png(pixels: bytes | bytearray, rows: int, columns: int, *, grey: bool = False) -> bytes:
    """Encode ``rows`` x ``columns`` RGB pixels, 3 bytes each, or of one byte each where they are grey."""
    stride = columns if grey else columns * 3
    raw = b"".join(b"\0" + pixels[row * stride : (row + 1) * stride] for row in range(rows))
    header = struct.pack(">IIBBBBB", columns, rows, 8, _GREY if grey else _RGB, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(raw, 6)) + _chunk(b"IEND", b"")


def sheet(pictures: Sequence[bytes], rows: int, columns: int, per_line: int) -> bytes:
    """Lay ``pictures`` (grey or RGB, each ``rows`` x ``columns``) out line by line and encode the sheet."""
    lines = -(-len(pictures) // per_line)
    width, height = per_line * (columns + _GAP) + _GAP, lines * (rows + _GAP) + _GAP
    canvas = bytearray(b"\xff" * (width * height * 3))
    for index, picture in enumerate(pictures):
        rgb = picture if len(picture) == rows * columns * 3 else _to_rgb(picture)
        top = _GAP + index // per_line * (rows + _GAP)
        left = _GAP + index % per_line * (columns + _GAP)
        for row in range(rows):
            at = ((top + row) * width + left) * 3
            canvas[at : at + columns * 3] = rgb[row * columns * 3 : (row + 1) * columns * 3]
    return png(canvas, height, width)


def _to_rgb(grey: bytes) -> bytes:
    rgb = bytearray(len(grey) * 3)
    for channel in range(3):
        rgb[channel::3] = grey
    return bytes(rgb)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
