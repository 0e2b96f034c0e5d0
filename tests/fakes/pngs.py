"""PNG files written by the letter of the Standard, with any filter for each line, and damaged on purpose."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(columns: int, rows: int, depth: int, colour: int, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, interlace))


def filtered(lines: Sequence[bytes], filters: Sequence[int], pixel: int) -> bytes:
    """Each line behind its filter type, as PNG 9.2 has it."""
    out, above = bytearray(), bytes(len(lines[0]) if lines else 0)
    for line, kind in zip(lines, filters, strict=True):
        out.append(kind)
        for i, byte in enumerate(line):
            a = line[i - pixel] if i >= pixel else 0
            b = above[i]
            c = above[i - pixel] if i >= pixel else 0
            out.append((byte - (0, a, b, (a + b) // 2, _paeth(a, b, c))[kind]) & 0xFF)
        above = line
    return bytes(out)


def _paeth(a: int, b: int, c: int) -> int:
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def png(
    columns: int,
    lines: Sequence[bytes],
    depth: int = 8,
    colour: int = GREY,
    *,
    filters: Sequence[int] | None = None,
    pieces: int = 1,
    before: bytes = b"",
    level: int = 6,
) -> bytes:
    """A whole file; ``lines`` are its packed bytes, ``pieces`` the chunks that they come in."""
    pixel = max(1, depth * SAMPLES[colour] // 8)
    body = zlib.compress(filtered(lines, filters or [0] * len(lines), pixel), level)
    step = -(-len(body) // pieces)
    data = b"".join(chunk(b"IDAT", body[at : at + step]) for at in range(0, len(body), step))
    return SIGNATURE + header(columns, len(lines), depth, colour) + before + data + chunk(b"IEND")
