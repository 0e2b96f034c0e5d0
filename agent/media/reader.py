"""Reading a DICOM File without reading its pixels (PS3.10 7.1).

``open_instance`` reads the attributes, finds the frames and leaves the pixels alone; ``read_frame`` fetches one frame.
Memory depends on the number of frames (twelve bytes each), never on their size. The file is reached through a
``pread(length, offset)`` function, so that this package stays free of files: ``functools.partial(os.pread, fd)``.

A Deflated file has no frames on disk to point at; it is inflated into memory, within the limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agent.dataset.decode import Decoder, Limits, Stop
from agent.dataset.encapsulate import Extent, FrameIndex
from agent.dataset.pixels import PixelDescription
from agent.dataset.tag import NUMBER_OF_FRAMES, PIXEL_DATA
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, is_encapsulated
from agent.errors import DecodeError, IodError
from agent.media.part10 import PREFIX_LIMIT_BYTES, FileMeta, decode_prefix

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.dataset import DataSet

_STEP_BYTES = 16 * 1024  # most headers fit in one
_MAX_FRAMES = 1 << 20


class Pixels(NamedTuple):
    """Where the frames are; ``frame_index`` only where Pixel Data are encapsulated."""

    description: PixelDescription
    number_of_frames: int
    offset: int  # of native samples, or of the Basic Offset Table's item
    length: int  # of the native value; -1 where it is encapsulated
    frame_index: FrameIndex | None


class Instance:
    """An open DICOM File: its meta information, its attributes, and a way to its frames."""

    __slots__ = ("_pread", "data_set_offset", "dataset", "meta", "pixels")

    def __init__(
        self,
        meta: FileMeta,
        data_set_offset: int,
        dataset: DataSet,
        pixels: Pixels | None,
        pread: Callable[[int, int], bytes],
    ) -> None:
        self.meta = meta
        self.data_set_offset = data_set_offset
        self.dataset = dataset  # without Pixel Data and what follows them
        self.pixels = pixels  # None where the instance has no Pixel Data
        self._pread = pread

    @property
    def number_of_frames(self) -> int:
        """How many frames there are; 0 without Pixel Data."""
        return self.pixels.number_of_frames if self.pixels else 0

    def frame_extents(self, frame: int) -> list[Extent]:
        """Where the bytes of a frame are in the file, counted from 0; several extents for several fragments."""
        if self.pixels is None or not 0 <= frame < self.pixels.number_of_frames:
            raise IndexError(f"frame {frame} of {self.number_of_frames}")
        if self.pixels.frame_index is not None:
            return self.pixels.frame_index[frame]
        size = self.pixels.description.frame_bytes
        return [Extent(self.pixels.offset + frame * size, size)]

    def read_frame(self, frame: int) -> bytes:
        """The bytes of a frame in the file's transfer syntax, padding of fragments included.

        Raises:
            DecodeError: The file ends before the frame does.
        """
        parts = []
        for offset, length in self.frame_extents(frame):
            part = self._pread(length, offset)
            if len(part) != length:
                raise DecodeError(f"frame {frame} is cut short", tag=PIXEL_DATA, offset=offset)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def open_instance(
    pread: Callable[[int, int], bytes],
    size: int,
    *,
    limits: Limits = Limits(),  # noqa: B008  (immutable)
) -> Instance:
    """Read everything but the pixels.

    Args:
        pread: ``pread(length, offset)``; it may return less only at the end of the file.
        size: Of the file in bytes.
        limits: Bounds on the attributes.

    Raises:
        NotDicomError: No DICM prefix.
        DecodeError: The file is damaged, cut short, or beyond the limits.
    """
    meta, offset = decode_prefix(pread(min(size, PREFIX_LIMIT_BYTES), 0))
    deflated = meta.transfer_syntax_uid == DEFLATED_EXPLICIT_VR_LE
    if deflated:
        limits = limits._replace(value_bytes=limits.total_bytes)
    decoder = Decoder(meta.transfer_syntax_uid, limits=limits, stop_before=None if deflated else PIXEL_DATA)
    at = offset
    while at < size and decoder.stop is None:
        piece = pread(min(_STEP_BYTES, size - at), at)
        if not piece:
            break
        decoder.feed(piece)
        at += len(piece)
    dataset = decoder.finish()
    if deflated:
        return _inflated(meta, offset, dataset)
    pixels = None
    if decoder.stop is not None and decoder.stop.tag == PIXEL_DATA:
        pixels = _locate(pread, size, offset, decoder.stop, dataset, meta)
    return Instance(meta, offset, dataset, pixels, pread)


def _locate(
    pread: Callable[[int, int], bytes], size: int, base: int, stop: Stop, dataset: DataSet, meta: FileMeta
) -> Pixels:
    """Find the frames behind the Pixel Data header."""
    description, frames = _describe(dataset)
    start = base + stop.value_offset
    if stop.length < 0:
        if not is_encapsulated(meta.transfer_syntax_uid):
            raise DecodeError("native Pixel Data cannot have undefined length", tag=PIXEL_DATA, offset=start)
        return Pixels(description, frames, start, -1, FrameIndex.read(pread, start, frames))
    if is_encapsulated(meta.transfer_syntax_uid):
        raise DecodeError("Pixel Data of this transfer syntax must be encapsulated", tag=PIXEL_DATA, offset=start)
    if start + stop.length > size:
        raise DecodeError("Pixel Data are cut short", tag=PIXEL_DATA, offset=size)
    _check_native(description, frames, stop.length)
    return Pixels(description, frames, start, stop.length, None)


def _inflated(meta: FileMeta, offset: int, dataset: DataSet) -> Instance:
    """An instance whose pixels are in memory, because they are nowhere else."""
    if PIXEL_DATA not in dataset:
        return Instance(meta, offset, dataset, None, lambda _length, _offset: b"")
    data = dataset[PIXEL_DATA]
    if not isinstance(data, bytes):
        raise DecodeError("Deflated Pixel Data must be native", tag=PIXEL_DATA)
    description, frames = _describe(dataset)
    _check_native(description, frames, len(data))
    kept = dataset.between(0, PIXEL_DATA)
    pixels = Pixels(description, frames, 0, len(data), None)
    return Instance(meta, offset, kept, pixels, lambda length, start: data[start : start + length])


def _describe(dataset: DataSet) -> tuple[PixelDescription, int]:
    try:
        description = PixelDescription.from_data_set(dataset)
    except IodError as error:
        raise DecodeError(f"the frames cannot be found: {error.message}", tag=error.tag) from None
    frames = dataset.get(NUMBER_OF_FRAMES, 1)
    if not isinstance(frames, int) or not 1 <= frames <= _MAX_FRAMES:
        raise DecodeError(f"{frames!r} frames are not believable", tag=NUMBER_OF_FRAMES)
    return description, frames


def _check_native(description: PixelDescription, frames: int, length: int) -> None:
    """Native frames must all be there (the product is exact: integers do not overflow here)."""
    if description.frame_bytes * frames > length:
        raise DecodeError(
            f"{length} bytes are too few for {frames} frames of {description.frame_bytes}", tag=PIXEL_DATA
        )
