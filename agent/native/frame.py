"""What a frame is: its description, the frame itself, and the mark that a pattern burns into it.

A description is anything that has the attributes of `PixelDescription` (PS3.3 C.7.6.3), whatever its class: the one of
`agent.dataset` fits, and so does `FrameDescription` here, which exists because this package knows no Data Sets.
"""

from __future__ import annotations

import sys
from operator import attrgetter

from agent.errors import NativeArgumentError, NativeDataError
from agent.native._core import ffi, lib
from agent.native.status import check
from agent.typed import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer


class PixelDescription(Protocol):
    """The layout of one frame in the words of the Standard."""

    @property
    def rows(self) -> int:
        """Lines of the frame."""

    @property
    def columns(self) -> int:
        """Pixels of a line."""

    @property
    def samples_per_pixel(self) -> int:
        """1 or 3."""

    @property
    def bits_allocated(self) -> int:
        """8 or 16."""

    @property
    def bits_stored(self) -> int:
        """Bits that mean something."""

    @property
    def high_bit(self) -> int:
        """Always bits_stored - 1 here."""

    @property
    def pixel_representation(self) -> int:
        """0 unsigned, 1 two's complement."""

    @property
    def photometric_interpretation(self) -> str:
        """What the samples mean."""

    @property
    def planar_configuration(self) -> int:
        """0 by pixel, 1 by plane."""

    @property
    def frame_bytes(self) -> int:
        """Bytes of one native frame."""


class FrameDescription(NamedTuple):
    """The description that a source gives of its own frames."""

    rows: int
    columns: int
    samples_per_pixel: int = 1
    bits_allocated: int = 8
    bits_stored: int = 8
    high_bit: int = 7
    pixel_representation: int = 0
    photometric_interpretation: str = "MONOCHROME2"
    planar_configuration: int = 0

    @property
    def frame_bytes(self) -> int:
        """Bytes of one native frame."""
        return self.rows * self.columns * self.samples_per_pixel * self.bits_allocated // 8


class Frame(NamedTuple):
    """One frame in the ring; valid until it is given back."""

    number: int
    """Counted by the source from 1; a gap is a loss."""
    timestamp_ns: int
    """CLOCK_MONOTONIC (`time.monotonic_ns`), when the frame was begun."""
    data: memoryview
    """The samples, read-only, straight from the ring; released when the frame is given back."""
    slot: int
    losses: tuple[int, int, int] = (0, 0, 0)
    """Lost, damaged and restarts of `Counters` until this frame: what became of numbers that are missing before it."""
    beside: tuple[str, ...] = ()
    """What the device said of this frame beside its samples, as words ``NAME=VALUE``."""


class Mark(NamedTuple):
    """What a pattern burnt into the picture, read back from its binary strip."""

    number: int
    """Frame number modulo 2**32."""
    timestamp_ms: int
    """CLOCK_MONOTONIC in milliseconds modulo 2**32."""


Layout = tuple[int, int, int, int, int, int, int, int]
"""Rows, columns, samples per pixel, bits allocated and stored, pixel representation, planar configuration, high bit."""


layout_of: Callable[[PixelDescription], Layout] = attrgetter(
    "rows",
    "columns",
    "samples_per_pixel",
    "bits_allocated",
    "bits_stored",
    "pixel_representation",
    "planar_configuration",
    "high_bit",
)
"""What the C core is told of a description, as something to look it up by."""


def layout_struct(layout: Layout) -> Any:
    """Make the C struct; refuses samples that do not sit in the low bits (high_bit must be bits_stored - 1)."""
    *members, high_bit = layout
    bits_stored = layout[4]
    if high_bit != bits_stored - 1:
        raise NativeArgumentError(f"high bit {high_bit} with {bits_stored} bits stored is not supported")
    return ffi.new("mga_format *", members)


def c_format(description: PixelDescription) -> Any:
    """Make the C struct of a description."""
    return layout_struct(layout_of(description))


# Items of arrays (PEP 3118) -> pixel representation. Samples are little endian, on every machine.
_ITEMS = {"B": 0, "b": 1, "<B": 0, "<b": 1, "<H": 0, "<h": 1}
if sys.byteorder == "little":
    _ITEMS |= {"H": 0, "h": 1}
_COLOURS = {1: "MONOCHROME2", 3: "RGB"}


def array_description(frame: Buffer, bits_stored: int | None = None) -> FrameDescription:
    """Describe an array of shape (rows, columns) or (rows, columns, samples) that says itself what its items are."""
    try:
        view = memoryview(frame)
    except TypeError as error:
        raise NativeArgumentError(f"not a usable buffer: {error}") from error
    shape, items = view.shape or (), view.format.lstrip("@=")
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in _COLOURS):
        raise NativeArgumentError(
            f"an array of shape {shape} is no frame",
            hint="Frames are (rows, columns) or (rows, columns, 1 or 3); flat bytes need a description.",
        )
    if items not in _ITEMS:
        raise NativeArgumentError(
            f"items of the format '{view.format}' are no samples",
            hint="Samples are 8 or 16 bit integers, little endian.",
        )
    samples = shape[2] if len(shape) == 3 else 1
    bits = 8 * view.itemsize
    stored = bits if bits_stored is None else bits_stored
    return FrameDescription(shape[0], shape[1], samples, bits, stored, stored - 1, _ITEMS[items], _COLOURS[samples])


_BYTES = ffi.typeof("uint8_t[]")


def c_buffer(buffer: Buffer, *, writable: bool = False) -> Any:
    """Borrow the bytes of any C-contiguous buffer, whatever its items are."""
    try:
        return ffi.from_buffer(_BYTES, buffer, writable)
    except (BufferError, TypeError, ValueError) as error:
        raise NativeArgumentError(f"not a usable buffer: {error}") from error


def frame_difference(one: Buffer, other: Buffer, description: PixelDescription) -> int:
    """Measure the most that a sample of one frame differs from that of the other; 0 for the same frame."""
    a, b = c_buffer(one), c_buffer(other)
    widest = lib.mga_frame_difference(a, len(a), b, len(b), c_format(description))
    return check(widest, "comparing two frames", a, b)


def read_mark(data: Buffer, description: PixelDescription) -> Mark | None:
    """Read number and time back from a pattern's picture, or None when it carries no mark."""
    borrowed = c_buffer(data)
    mark = ffi.new("mga_mark *")
    try:
        found = lib.mga_mark_read(borrowed, len(borrowed), c_format(description), mark)
        check(found, "reading the mark of a frame", borrowed)
    except NativeDataError:
        return None
    return Mark(mark.number, mark.timestamp_ms)
