"""Whether a codestream of JPEG 2000 or HTJ2K rounds its samples.

The header of the whole, of a tile or of a component names the wavelet (T.800 A.6.1, A.6.2). Headers are walked by the
lengths they state; damaged ones are the decoder's to judge.
"""

from __future__ import annotations

from struct import unpack_from

from agent.typed import Final

_SOT, _SOD, _EOC = 0xFF90, 0xFF93, 0xFFD9
_COD, _COC = 0xFF52, 0xFF53
# Where in the segment the transformation stands; the index of one of up to 256 components takes one byte.
_TRANSFORMATION: Final = {_COD: 13, _COC: 10}
_REVERSIBLE: Final = 1  # the 5/3 wavelet; all others round


def is_irreversible(data: bytes) -> bool:
    """Whether any part of the picture went through a wavelet that does not give back what it was given."""
    at, tile_end = 2, 0
    while at + 4 <= len(data):
        marker, length = unpack_from(">HH", data, at)
        if marker == _SOD and tile_end > at:
            at = tile_end
            continue
        if marker in (_SOD, _EOC) or length < 2 or at + 2 + length > len(data):
            return False
        if marker == _SOT and length >= 8:
            tile_end = at + int(unpack_from(">I", data, at + 6)[0])
        place = _TRANSFORMATION.get(marker, 0)
        if place and place < 2 + length and data[at + place] != _REVERSIBLE:
            return True
        at += 2 + length
    return False
