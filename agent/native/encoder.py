"""Compress the frames of one instance, and say what that did to the pixels (promise P10).

What an instance states about its compression (Photometric Interpretation; loss, ratio and method where anything was
lost) is asked of the encoder that did it, in its `Report`, and worked out nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agent.native import compress

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from agent.native.frame import PixelDescription


class Report(NamedTuple):
    """What was done to the frames so far."""

    photometric_interpretation: str
    """Of the coded frames."""
    method: str
    """Lossy Image Compression Method; empty where nothing was lost."""
    near: int
    """Most that a sample differs."""
    native_bytes: int
    coded_bytes: int

    @property
    def ratio(self) -> float:
        """N of N:1; 1 before the first frame."""
        return self.native_bytes / self.coded_bytes if self.coded_bytes else 1.0


class FrameEncoder:
    """The encoder of one instance; for one thread at a time."""

    __slots__ = ("_buffer", "_coded_bytes", "_description", "_native_bytes", "_near", "_syntax")

    def __init__(self, description: PixelDescription, transfer_syntax: str, near: int = 0) -> None:
        self._description, self._syntax, self._near = description, transfer_syntax, near
        self._buffer = memoryview(bytearray(compress.encode_bound(description, transfer_syntax)))
        self._native_bytes = self._coded_bytes = 0

    def encode(self, frame: Buffer) -> memoryview:
        """Compress one frame; what is given is good until the next call."""
        count = compress.encode(frame, self._syntax, description=self._description, near=self._near, out=self._buffer)
        self._native_bytes += self._description.frame_bytes
        self._coded_bytes += count
        return self._buffer[:count]

    @property
    def report(self) -> Report:
        """What an instance of these frames must say."""
        return Report(
            self._description.photometric_interpretation,
            compress.lossy_method(self._syntax),
            self._near,
            self._native_bytes,
            self._coded_bytes,
        )
