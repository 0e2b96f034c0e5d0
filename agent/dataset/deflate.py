"""Deflated Explicit VR Little Endian: the whole Data Set through RFC 1951, without zlib header (PS3.5 A.5).

Inflation is bounded from both sides: it goes in steps, and a small input that wants to become a large output is stopped
at the limit and not after it.
"""

from __future__ import annotations

import struct
import zlib

from agent.errors import DecodeError, LimitError
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEP_BYTES = 64 * 1024


def deflate(data: bytes) -> bytes:
    """A Data Set deflated, padded to even length."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = compressor.compress(data) + compressor.flush()
    return packed + b"\0" if len(packed) & 1 else packed


def trailer_of(data: bytes | bytearray) -> bytes:
    """What gzip writes behind the stream of ``data`` (RFC 1952 2.3.1), and some writers of DICOM files, too."""
    return struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


class Inflater:
    """Inflates bytes that arrive in pieces, to ``limit_bytes`` at most."""

    __slots__ = ("_inflater", "_left", "_limit")

    def __init__(self, limit_bytes: int) -> None:
        self._inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        self._left = self._limit = limit_bytes

    @property
    def ended(self) -> bool:
        """Whether the deflated stream is complete; what follows is padding."""
        return self._inflater.eof

    @property
    def behind(self) -> bytes:
        """What was given of the bytes that follow the complete stream."""
        return self._inflater.unused_data

    def pieces(self, data: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """The inflated bytes, in steps.

        Raises:
            DecodeError: The bytes are not deflated.
            LimitError: They become more than the limit.
        """
        rest = bytes(data)
        while rest and not self.ended:
            try:
                piece = self._inflater.decompress(rest, _STEP_BYTES)
            except zlib.error as error:
                raise DecodeError(f"the Data Set is not deflated: {error}") from None
            rest = self._inflater.unconsumed_tail
            self._left -= len(piece)
            if self._left < 0:
                raise LimitError(f"the Data Set inflates to more than {self._limit} bytes")
            yield piece
