"""A slow, plain RLE Lossless codec (PS3.5 Annex G): the second opinion for the one in C.

Written from the rules, not from the C code: runs of three or more are replicates, a pair that stands alone between
replicates or row ends is one too, everything else is literal, at most 128 bytes per packet, each row by itself.
"""

from __future__ import annotations

import struct
from itertools import groupby


def planes(native: bytes, rows: int, columns: int, samples: int, sample_bytes: int, planar: int) -> list[bytes]:
    """Byte planes in segment order: sample by sample, the most significant byte first."""
    pixels = rows * columns
    found = []
    for sample in range(samples):
        for byte in reversed(range(sample_bytes)):
            if planar:
                begin, step = sample * pixels * sample_bytes + byte, sample_bytes
                found.append(native[begin : begin + pixels * sample_bytes - byte : step])
            else:
                found.append(native[sample * sample_bytes + byte :: samples * sample_bytes])
    return found


def _pack_row(row: bytes) -> bytes:
    out = bytearray()
    literal = bytearray()

    def flush() -> None:
        if len(literal) == 2 and literal[0] == literal[1]:
            out.extend((255, literal[0]))
        else:
            for i in range(0, len(literal), 128):
                piece = literal[i : i + 128]
                out.append(len(piece) - 1)
                out.extend(piece)
        literal.clear()

    for value, group in groupby(row):
        count = len(list(group))
        if count >= 3:
            flush()
            while count >= 2:
                n = min(count, 128)
                out.extend((257 - n, value))
                count -= n
        literal.extend([value] * count)
    flush()
    return bytes(out)


def encode(native: bytes, rows: int, columns: int, samples: int, sample_bytes: int, planar: int = 0) -> bytes:
    segments = []
    for plane in planes(native, rows, columns, samples, sample_bytes, planar):
        coded = b"".join(_pack_row(plane[i : i + columns]) for i in range(0, len(plane), columns))
        segments.append(coded + bytes(len(coded) % 2))
    offsets = [64 + sum(map(len, segments[:k])) for k in range(len(segments))]
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(segments)


def decode_planes(coded: bytes, pixels: int) -> list[bytes]:
    """Undo PackBits of every segment; raises ValueError or IndexError when the frame is not what it claims."""
    count, *offsets = struct.unpack_from("<16I", coded)
    ends = [*offsets[1:count], len(coded)]
    found = []
    for begin, end in zip(offsets[:count], ends, strict=True):
        plane = bytearray()
        at = begin
        while len(plane) < pixels:
            head = coded[at]
            if head < 128:
                plane += coded[at + 1 : at + 2 + head]
                at += 2 + head
            elif head > 128:
                plane += coded[at + 1 : at + 2] * (257 - head)
                at += 2
            else:
                at += 1
            if at > end:
                raise ValueError("segment ends inside a packet")
        if len(plane) != pixels:
            raise ValueError("packet goes on behind the plane")
        found.append(bytes(plane))
    return found
