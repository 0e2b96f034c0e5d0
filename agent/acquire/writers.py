"""Two ways to put the frames of one instance into a file.

``StreamWriter`` is the way of everything that can be written in one pass: each frame goes to its place as it comes, the
head is written last, memory does not grow with the number of frames. ``WholeWriter`` is for Deflated Explicit VR Little
Endian, whose Data Set is one deflate stream from its first byte: the head must be known before the first pixel, so the
frames are gathered in memory, and the amount is bounded.
"""

from __future__ import annotations

import zlib

from agent.config.words import MADE, near_refusal, transfer_syntax_word
from agent.dataset.pixels import near_excess
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, HTJ2K_LOSSLESS, is_encapsulated
from agent.errors import SpoolFull, UsageError
from agent.media.instance import encode_instance
from agent.media.stream import InstanceLayout
from agent.typed import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed import ReadableBuffer

    from agent.dataset.dataset import DataSet
    from agent.dataset.pixels import PixelDescription
    from agent.media.part10 import FileMeta
    from agent.native.encoder import FrameEncoder, Report
    from agent.spool.clip import ClipLog, Grey

# Deflated is for single images: 4096 x 4096 with 16 bits.
WHOLE_LIMIT_BYTES: Final = 32 * 1024 * 1024
# Room is asked for in pieces of this size, so that a frame costs no system call for it.
AHEAD_BYTES: Final = 8 * 1024 * 1024
# Item header and padding around a compressed frame.
WRAPPING_BYTES: Final = 16


class Sink(Protocol):
    """Where an instance is written: a draft of the spool or a plain file."""

    number: int  # of the draft; 0 outside of the spool

    def log_beside(self, log: ClipLog) -> None:
        """Let the record of a clip make this file durable, too."""

    def write(self, data: ReadableBuffer) -> int:
        """Append."""

    def write_at(self, offset: int, data: ReadableBuffer) -> int:
        """Write anywhere."""

    def seek(self, offset: int) -> None:
        """Let ``write`` go on at ``offset``."""

    def tell(self) -> int:
        """Where ``write`` goes on."""

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Read back what was written, all of ``buffer``."""

    def reserve(self, length: int) -> None:
        """Make sure of room up to ``length`` bytes, or raise ``SpoolFull`` and change nothing."""

    def cut(self, length: int) -> None:
        """Give up what was written behind ``length``."""

    def finishing(self) -> None:
        """From now on the reserve may be used."""

    def clip_log(self, data_set_limit: int) -> ClipLog | None:
        """What keeps the frames of a clip on the way, where the place is one that does."""

    def beside(self, expected_bytes: int) -> Sink:
        """A second file for what has to wait, with that much room, or ``SpoolFull``; it ends with this one."""

    def abandon(self) -> None:
        """Remove what was written."""


class Parts(NamedTuple):
    """Frames that lie in two places: grey ones, and behind them those in colour."""

    layout: InstanceLayout  # of the instance in colour
    grey: Grey
    colour: tuple[int, int]  # file number (0: the clip's own) and byte


class Writer(Protocol):
    """One instance being written."""

    @property
    def encode_s(self) -> float:
        """CPU seconds of the compressor so far."""

    @property
    def description(self) -> PixelDescription:
        """What its frames are."""

    @property
    def report(self) -> Report | None:
        """What compression did to the frames so far; None where there is none."""

    @property
    def stream(self) -> StreamWriter | None:
        """Whose frames lie in the file one after the other, if they do."""

    @property
    def parts(self) -> Parts | None:
        """Where the frames lie, if in two places."""

    def room(self) -> int:
        """How many more frames fit."""

    def frame(self, data: memoryview) -> None:
        """Write one native frame."""

    def finish(self, meta: FileMeta, dataset: DataSet) -> None:
        """Complete the file; ``dataset`` has no Pixel Data."""


def always() -> bool:
    """Verify every frame."""
    return True


def require_available(transfer_syntax_uid: str, near: int = 0) -> None:
    """Refuse what this build cannot write (``UsageError`` that lists what it can), or not with this ``near``."""
    word = transfer_syntax_word(transfer_syntax_uid)
    if word not in MADE:
        raise UsageError(f"this build cannot make instances in {word}", hint=f"Available: {', '.join(MADE)}.")
    if transfer_syntax_uid == HTJ2K_LOSSLESS:
        from agent.native import htj2k

        if not htj2k.is_installed():
            raise UsageError("htj2k needs a library that is not here", hint=htj2k.HINT)
    reason = near_refusal(transfer_syntax_uid, near)
    if reason:
        raise UsageError(reason, hint="Set both keys of the source, or neither; jpeg-ls loses nothing.")


def make_writer(
    sink: Sink,
    transfer_syntax_uid: str,
    description: PixelDescription,
    max_frames: int,
    more_header_bytes: int = 0,
    near: int = 0,
    verify: Callable[[], bool] = always,
) -> Writer:
    """Choose the writer for a transfer syntax; raises ``UsageError`` for one this build does not have.

    ``more_header_bytes`` is what the attributes may take beyond the usual; ``near`` the most that a sample may differ;
    ``verify`` is asked before each compressed frame is written whether it is decoded and compared.
    """
    require_available(transfer_syntax_uid, near)
    excess = near_excess(near, description.bits_stored)
    if excess:
        raise UsageError(excess, hint="Set a smaller 'near' for this source; jpeg-ls loses nothing.")
    if transfer_syntax_uid == DEFLATED_EXPLICIT_VR_LE:
        return WholeWriter(sink, description, max_frames)
    return StreamWriter(sink, transfer_syntax_uid, description, max_frames, more_header_bytes, near, verify)


class Ahead:
    """Room in a sink, asked for in large pieces while there are some, then to the byte."""

    __slots__ = ("_reserved", "_sink")

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._reserved = 0

    def up_to(self, end: int) -> None:
        """Make sure of ``end`` bytes; raises ``SpoolFull``."""
        if end <= self._reserved:
            return
        try:
            self._sink.reserve(end + AHEAD_BYTES)
            self._reserved = end + AHEAD_BYTES
        except SpoolFull:
            self._sink.reserve(end)
            self._reserved = end


class StreamWriter:
    """Frame by frame with constant memory. A frame that finds no room (``SpoolFull``) leaves no trace."""

    __slots__ = ("_ahead", "_encoder", "_sink", "description", "layout", "log", "transfer_syntax_uid")

    def __init__(
        self,
        sink: Sink,
        transfer_syntax_uid: str,
        description: PixelDescription,
        max_frames: int,
        more_header_bytes: int = 0,
        near: int = 0,
        verify: Callable[[], bool] = always,
    ) -> None:
        self._sink = sink
        self.transfer_syntax_uid = transfer_syntax_uid
        self.description = description
        self.layout = InstanceLayout(
            transfer_syntax_uid, description, max_frames=max_frames, more_header_bytes=more_header_bytes
        )
        self._ahead = Ahead(sink)
        self.log: ClipLog | None = None
        self._encoder: FrameEncoder | None = None
        if is_encapsulated(transfer_syntax_uid):
            from agent.native.encoder import FrameEncoder  # a source of native frames never needs it

            self._encoder = FrameEncoder(description, transfer_syntax_uid, near, verify)
        sink.seek(self.layout.pixel_offset)

    @property
    def encode_s(self) -> float:
        """CPU seconds of the encoder."""
        return self._encoder.report.encode_s if self._encoder is not None else 0.0

    @property
    def report(self) -> Report | None:
        """What the encoder says it did."""
        return self._encoder.report if self._encoder is not None else None

    @property
    def stream(self) -> StreamWriter | None:
        """Itself."""
        return self

    @property
    def parts(self) -> None:
        """They lie in one place."""
        return

    @property
    def pixel_offset(self) -> int:
        """Where the first frame, or the item it is in, begins."""
        return self.layout.pixel_offset

    def room(self) -> int:
        """How many more frames fit into this instance."""
        return self.layout.room(self.description.frame_bytes)

    def frame(self, data: memoryview) -> None:
        """Compress if asked, and write."""
        self.coded(self.code(data))

    def code(self, data: memoryview) -> memoryview:
        """One frame as it is written; good until the next one."""
        return data if self._encoder is None else self._encoder.encode(data)

    def coded(self, body: memoryview) -> None:
        """Write a frame that ``code`` has made."""
        length = body.nbytes
        self._ahead.up_to(self._sink.tell() + length + WRAPPING_BYTES)
        before, after = self.layout.before(length), self.layout.after(length)
        try:
            for part in (before, body, after):
                if len(part):
                    self._sink.write(part)
        except SpoolFull:  # the medium promised room and has none
            self.layout.forget()
            raise
        if self.log is not None:
            self.log.frame(length + len(after), zlib.crc32(after, zlib.crc32(body)))

    def leave(self, frames: int) -> None:
        """Count native frames whose place stays empty for now."""
        size = self.description.frame_bytes
        for _ in range(frames):
            self.layout.before(size)
        self._sink.seek(self._sink.tell() + frames * size)

    def extents(self) -> Iterator[tuple[int, int]]:
        """Offset and length in the file of every frame so far, padding included."""
        return self.layout.extents()

    def finish(self, meta: FileMeta, dataset: DataSet) -> None:
        """Write what comes behind the pixels, then the head."""
        head, tail = self.layout.finish(meta, dataset)
        if tail:
            self._sink.write(tail)
        self._sink.write_at(0, head)


class WholeWriter:
    """All frames in memory, bounded; the whole file at the end."""

    __slots__ = ("_frames", "_limit", "_pixels", "_sink", "description")
    report = None
    stream = parts = None
    encode_s = 0.0  # deflated as a whole, at the end

    def __init__(self, sink: Sink, description: PixelDescription, max_frames: int) -> None:
        self._sink = sink
        self.description = description
        self._limit = min(max_frames, WHOLE_LIMIT_BYTES // description.frame_bytes)
        if not self._limit:
            raise UsageError(
                f"a frame of {description.frame_bytes} bytes is too large for the deflated transfer syntax",
                hint="Use explicit or rle.",
            )
        self._frames = 0
        self._pixels = bytearray()

    def room(self) -> int:
        """How many more frames fit into memory."""
        return self._limit - self._frames

    def frame(self, data: memoryview) -> None:
        """Keep one frame."""
        self._pixels += data
        self._frames += 1

    def frames(self) -> Iterator[memoryview]:
        """The frames so far."""
        size = self.description.frame_bytes
        return (memoryview(self._pixels)[at : at + size] for at in range(0, len(self._pixels), size))

    def finish(self, meta: FileMeta, dataset: DataSet) -> None:
        """Encode everything and write it."""
        for part in encode_instance(meta, dataset, [self._pixels]):
            self._sink.write(part)
