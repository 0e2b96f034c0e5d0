"""Compress the frames of one instance, and say what that did to the pixels (promise P10).

What an instance states about its compression (Photometric Interpretation; loss, ratio and method where anything was
lost) is asked of the encoder that did it, in its `Report`, and worked out nowhere else.

A frame is verified before its samples are given up, where `verify` says so: what was made of it is decoded and
compared, and must be the same, or as near as was allowed. A bit that fell over in memory is not there the second time;
an encoder that is wrong twice raises `EncoderFault`. To decode takes one to two times as long as to encode.
"""

from __future__ import annotations

import time

from agent.errors import EncoderFault, NativeDataError
from agent.native import compress
from agent.native.frame import frame_difference
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

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
    frames: int
    verified: int
    """Frames that were decoded and compared."""
    native_bytes: int
    coded_bytes: int
    encode_s: float
    """CPU seconds of the encoder alone."""

    @property
    def ratio(self) -> float:
        """N of N:1; 1 before the first frame."""
        return self.native_bytes / self.coded_bytes if self.coded_bytes else 1.0


def never() -> bool:
    """Verify nothing."""
    return False


class FrameEncoder:
    """The encoder of one instance; for one thread at a time."""

    __slots__ = ("_back", "_buffer", "_coded_bytes", "_description", "_encode_s", "_frames", "_near", "_syntax",
        "_verified", "_verify")  # fmt: skip

    def __init__(
        self,
        description: PixelDescription,
        transfer_syntax: str,
        near: int = 0,
        verify: Callable[[], bool] = never,
    ) -> None:
        self._description, self._syntax, self._near, self._verify = description, transfer_syntax, near, verify
        self._buffer = memoryview(bytearray(compress.encode_bound(description, transfer_syntax)))
        self._back = bytearray()
        self._frames = self._verified = self._coded_bytes = 0
        self._encode_s = 0.0

    def encode(self, frame: Buffer) -> memoryview:
        """Compress one frame; what is given is good until the next call. `EncoderFault` counts no frame."""
        coded, verify = self._coded(frame), self._verify()
        if verify and not self._comes_back(frame, coded):
            coded = self._coded(frame)
            if not self._comes_back(frame, coded):
                raise EncoderFault("the frame does not come back from its compression")
        self._frames += 1
        self._verified += verify
        self._coded_bytes += coded.nbytes
        return coded

    def _coded(self, frame: Buffer) -> memoryview:
        started = time.thread_time()
        count = compress.encode(frame, self._syntax, description=self._description, near=self._near, out=self._buffer)
        self._encode_s += time.thread_time() - started
        return self._buffer[:count]

    def _comes_back(self, frame: Buffer, coded: memoryview) -> bool:
        if not self._back:
            self._back = bytearray(self._description.frame_bytes)
        try:
            compress.decode(coded, self._syntax, self._description, out=self._back)
        except NativeDataError:
            return False
        return frame_difference(frame, self._back, self._description) <= self._near

    @property
    def report(self) -> Report:
        """What an instance of these frames must say."""
        return Report(
            compress.coded_photometric(self._syntax, self._description.photometric_interpretation),
            compress.lossy_method(self._syntax),
            self._near,
            self._frames,
            self._verified,
            self._frames * self._description.frame_bytes,
            self._coded_bytes,
            self._encode_s,
        )
