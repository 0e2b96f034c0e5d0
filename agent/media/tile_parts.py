"""Where a codestream of JPEG 2000 or HTJ2K ends (T.800 A.3, A.4).

Tile-parts state their lengths and stand side by side, from the first SOT marker to the end marker: what lies behind
is nothing that a decoder looks at. A last tile-part may leave its length out and then reaches to the end of the data.
"""

from __future__ import annotations

from struct import unpack_from

from agent.typed import Final

MAX_PARTS: Final = 1 << 16  # tiles, and segments of the main header
_SOT: Final = 0xFF90
_END: Final = b"\xff\xd9"
_SOT_BYTES: Final = 12  # of the marker and its segment


def behind_end(data: bytes) -> int:
    """How many bytes stand behind the end marker, without the zeros that pad; 0 where none is found."""
    at = 2
    for _ in range(MAX_PARTS):
        if data[at : at + 2] == _END:
            return len(data[at + 2 :].rstrip(b"\0"))
        if at + _SOT_BYTES > len(data):
            return 0
        marker, length = unpack_from(">HH", data, at)
        step = unpack_from(">I", data, at + 6)[0] if marker == _SOT else 2 + length
        if step < 4 or marker >> 8 != 0xFF:
            return 0
        at += step
    return 0
