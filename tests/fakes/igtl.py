"""OpenIGTLink messages as pyigtl packs them, and what our source makes of a stream of them."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyigtl

from agent.errors import DeviceError
from agent.native.igtl import open_igtl

if TYPE_CHECKING:
    from agent.native.source import Counters, Source

HEADER = 58


def picture(number: int, shape: tuple[int, ...], dtype: str = "uint8") -> np.ndarray[Any, Any]:
    """Samples that depend on the number alone; the number itself is in the first two bytes' worth of samples."""
    samples = np.random.default_rng(number).integers(0, 256, shape, np.uint8).astype(dtype)
    if np.dtype(dtype).itemsize == 2:
        samples = samples * np.array(257, dtype)
    flat = samples.reshape(-1)
    flat[0], flat[1] = number & 0xFF, number >> 8 & 0xFF
    return samples


def image(
    samples: np.ndarray[Any, Any], device: str = "Probe", *, matrix: object = None, axes: str = "lps",
    stamp: float = 0.0, version: int = 1, message_id: int = 0, metadata: dict[str, str] | None = None,
) -> bytes:  # fmt: skip
    """An IMAGE of rows x columns (x 3)."""
    message = pyigtl.ImageMessage(
        samples[np.newaxis], device_name=device, timestamp=stamp, ijk_to_world_matrix=matrix,
        world_coordinate_system=axes,
    )  # fmt: skip
    return _packed(message, version, message_id, metadata)


def transform(
    matrix: object, device: str = "ProbeToReference", *, version: int = 1, message_id: int = 0, stamp: float = 0.0
) -> bytes:
    """A TRANSFORM of a matrix of 4 x 4."""
    return _packed(pyigtl.TransformMessage(matrix, device_name=device, timestamp=stamp), version, message_id, None)


def string(text: str, device: str = "Note", *, version: int = 1, message_id: int = 0) -> bytes:
    """A STRING, which nobody needs."""
    return _packed(pyigtl.StringMessage(text, device_name=device, timestamp=0.0), version, message_id, None)


def status(code: int, text: str) -> bytes:
    """A STATUS; pyigtl has none, the CRC is its."""
    from pyigtl.messages import CRC64

    body = struct.pack(">Hq20s", code, 0, b"") + text.encode() + b"\0"
    return struct.pack(">H12s20sQQQ", 1, b"STATUS", b"Server", 0, len(body), CRC64(body)) + body


def _packed(message: Any, version: int, message_id: int, metadata: dict[str, str] | None) -> bytes:
    message.header_version, message.message_id, message.metadata = version, message_id, metadata or {}
    return bytes(message.pack())


def flipped(message: bytes, at: int) -> bytes:
    """The message with one bit changed in its body."""
    at = HEADER + at % (len(message) - HEADER)
    return message[:at] + bytes([message[at] ^ 0x10]) + message[at + 1 :]


class Seen(NamedTuple):
    """What came of a stream."""

    numbers: list[int]
    frames: list[bytes]
    beside: list[tuple[str, ...]]
    counters: Counters
    told: dict[str, object]
    error: str
    source: Source


def see(*messages: bytes, **options: Any) -> Seen:
    """Everything that a stream of messages gives, until it ends: as many images as the ring holds, at most."""
    fd = os.memfd_create("stream")
    os.write(fd, b"".join(messages))
    os.lseek(fd, 0, os.SEEK_SET)
    try:
        source = open_igtl(fd, **options)
    finally:
        os.close(fd)
    numbers, frames, beside, error = [], [], [], ""
    with source:
        source.start()
        while not source.ended:
            assert source.wait(10)
            try:
                frame = source.take()
            except DeviceError as failure:
                error = failure.message
                continue
            if frame is not None:
                numbers.append(frame.number)
                frames.append(bytes(frame.data))
                beside.append(frame.beside)
                source.give_back(frame)
        return Seen(numbers, frames, beside, source.counters(), dict(source.told()), error, source)
