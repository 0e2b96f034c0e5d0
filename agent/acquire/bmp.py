"""BMP files: uncompressed, 24 bits for each pixel, or 8 bits with a palette of greys in order.

Rows are padded to four bytes and stand from the bottom up, unless the height is negative; colours are blue, green, red.
Other kinds are refused. A file that is not as long as its pixels need, or longer, is not whole.

Raises ``DeviceError``, naming the file and the reason.
"""

from __future__ import annotations

import os
import struct

from agent.acquire.pictures import Frames, check_geometry, describe, read_exactly
from agent.errors import DeviceError
from agent.typed import Final

_HEAD: Final = struct.Struct("<2sIHHIIiiHHIIiiII")  # BITMAPFILEHEADER, BITMAPINFOHEADER
_INFO_BYTES: Final = (40, 108, 124)  # of the info header: of Windows 3, 95 and 98
_FILE_HEADER_BYTES: Final = 14
_GREYS: Final = b"".join(bytes((grey, grey, grey, 0)) for grey in range(256))


def bmp_frames(fd: int, path: str) -> Frames:
    """Look at a BMP file."""
    (_, _, _, _, offset, info, columns, height, planes, depth, compression, _, _, _, used, _) = _HEAD.unpack(
        read_exactly(fd, _HEAD.size, 0, path)
    )
    if info not in _INFO_BYTES or planes != 1 or compression or depth not in (8, 24):
        raise DeviceError(f"{path}: BMP of a kind that is not taken; uncompressed 24 bits, or 8 bits of grey are")
    if depth == 8 and (used not in (0, 256) or not _is_grey(fd, path, _FILE_HEADER_BYTES + info)):
        raise DeviceError(f"{path}: BMP with a palette that is not 256 greys in order")
    rows, samples = abs(height), depth // 8
    description = describe(rows, columns, samples, 8, 8)
    check_geometry(description, path)
    line = columns * samples
    stride = line + -line % 4
    size = os.fstat(fd).st_size
    if size != offset + rows * stride or offset < _FILE_HEADER_BYTES + info:
        raise DeviceError(f"{path}: {size} bytes, this BMP has exactly {offset + rows * stride}: not whole, or damaged")

    def read(_index: int) -> bytes:
        data = read_exactly(fd, rows * stride, offset, path)
        order = range(rows) if height < 0 else range(rows - 1, -1, -1)
        out = bytearray(b"".join(data[row * stride : row * stride + line] for row in order))
        if samples == 3:
            out[0::3], out[2::3] = out[2::3], out[0::3]
        return bytes(out)

    return Frames(description, 1, None, read)


def _is_grey(fd: int, path: str, at: int) -> bool:
    """Whether entry n of the palette is grey n; its fourth byte means nothing."""
    found = bytearray(read_exactly(fd, len(_GREYS), at, path))
    found[3::4] = bytes(256)
    return bytes(found) == _GREYS
