"""Reading a DICOM File without reading its pixels (PS3.10 7.1).

``open_instance`` reads the attributes, finds the frames and leaves the pixels alone; ``read_frame`` fetches one frame.
Memory depends on the number of frames (twelve bytes each), never on their size. The file is reached through a
``pread(length, offset)`` function, so that this package stays free of files: ``functools.partial(os.pread, fd)``.

A Deflated file has no frames on disk to point at; it is inflated into memory, within the limits.
"""

from __future__ import annotations

from agent.dataset.decode import Limits
from agent.dataset.encapsulate import Extent, FrameIndex
from agent.dataset.pixels import PixelDescription
from agent.dataset.tag import NUMBER_OF_FRAMES, PIXEL_DATA
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, RLE_LOSSLESS
from agent.errors import DecodeError, IodError, LimitError
from agent.media.file import DicomFile, open_file
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.dataset.dataset import DataSet
    from agent.media.lenient import Note
    from agent.media.part10 import FileMeta

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

    __slots__ = ("_pread", "data_set_offset", "dataset", "meta", "notes", "pixels")

    def __init__(
        self,
        meta: FileMeta,
        data_set_offset: int,
        dataset: DataSet,
        pixels: Pixels | None,
        pread: Callable[[int, int], bytes],
        notes: Sequence[Note] = (),
    ) -> None:
        self.meta = meta
        self.data_set_offset = data_set_offset
        self.dataset = dataset  # without Pixel Data
        self.pixels = pixels  # None where the instance has no Pixel Data
        self.notes = notes  # what was tolerated in a file that breaks PS3.10
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
    lenient: bool = False,
) -> Instance:
    """Read everything but the pixels.

    Args:
        pread: ``pread(length, offset)``; it may return less only at the end of the file.
        size: Of the file in bytes.
        limits: Bounds on the attributes.
        lenient: Read a file that breaks PS3.10 where its meaning is certain; see ``file``.

    Raises:
        NotDicomError: No DICM prefix.
        DecodeError: The file is damaged, cut short, or beyond the limits.
    """
    return instance_of(open_file(pread, size, limits=limits, lenient=lenient))


def instance_of(file: DicomFile) -> Instance:
    """The frames of an open file.

    Raises:
        DecodeError: They are not all there, or the Data Set does not describe them.
    """
    meta, _, offset, dataset, value, pread, notes, *_ = file
    if value is None or value.tag != PIXEL_DATA:
        return Instance(meta, offset, dataset, None, pread, notes)
    description, frames = _describe(dataset)
    if value.fragments is not None:
        value.fragments.group(pread, frames, one_each=meta.transfer_syntax_uid == RLE_LOSSLESS)
        pixels = Pixels(description, frames, value.offset, -1, value.fragments)
        return Instance(meta, offset, dataset, pixels, pread, notes)
    _check_native(description, frames, value.length)
    start = value.offset
    if meta.transfer_syntax_uid == DEFLATED_EXPLICIT_VR_LE:  # in memory, because they are nowhere else
        start, pread = 0, _shifted(pread, start)
    return Instance(meta, offset, dataset, Pixels(description, frames, start, value.length, None), pread, notes)


def _shifted(pread: Callable[[int, int], bytes], base: int) -> Callable[[int, int], bytes]:
    return lambda length, offset: pread(length, base + offset)


def _describe(dataset: DataSet) -> tuple[PixelDescription, int]:
    try:
        description = PixelDescription.from_data_set(dataset)
    except IodError as error:
        raise DecodeError(f"the frames cannot be found: {error.message}", tag=error.tag) from None
    frames = dataset.get(NUMBER_OF_FRAMES, 1)
    if not isinstance(frames, int) or frames < 1:
        raise DecodeError(f"{frames!r} frames are not believable", tag=NUMBER_OF_FRAMES)
    if frames > _MAX_FRAMES:
        raise LimitError(f"{frames} frames, more than {_MAX_FRAMES}", tag=NUMBER_OF_FRAMES)
    return description, frames


def _check_native(description: PixelDescription, frames: int, length: int) -> None:
    """Native frames must all be there, and no more (the product is exact: integers do not overflow here)."""
    needed = description.frame_bytes * frames
    if length - needed - (needed & 1) >= description.frame_bytes:  # one byte may be there to make the length even
        raise DecodeError(
            f"{length} bytes of Pixel Data are more than {frames} frames of {description.frame_bytes}",
            tag=PIXEL_DATA,
        )
    if description.frame_bytes * frames > length:
        raise DecodeError(
            f"{length} bytes are too few for {frames} frames of {description.frame_bytes}", tag=PIXEL_DATA
        )
