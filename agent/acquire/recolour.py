"""From grey to colour in the middle of a clip: frames that were stored as one sample per pixel get their three back.

The frame that has colour comes while the ring fills, so nothing old is touched then; the clip goes on at once, and the
frames before it are rewritten after the last one, when the source has stopped. Room is made sure of first: a medium
that has none for the whole clip in colour ends it in front of the coloured frame, and what is there is a grey clip.

* Native frames have known sizes. Colour goes to where it will stay, behind the room that the grey frames need, and
  those are spread out in place from the last one down: no second file, nothing is written twice.
* Compressed ones have not. Colour waits in a second file; at the end the grey frames move there too, and the instance
  is written anew, frame by frame: decoded, spread out and coded again, so that it is what it would have been anyway.
  All frames wait meanwhile: where that fails they are written without compression, or else the grey ones as they were.
* Deflated instances are gathered in memory and are spread out at once.
"""

from __future__ import annotations

import zlib
from array import array

from agent.acquire.writers import WRAPPING_BYTES, Ahead, Parts, StreamWriter, WholeWriter
from agent.dataset.uid import is_encapsulated
from agent.errors import SpoolFull
from agent.native import compress, grey
from agent.spool.clip import Grey
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.acquire.writers import Sink, Writer
    from agent.dataset.dataset import DataSet
    from agent.dataset.pixels import PixelDescription
    from agent.media.part10 import FileMeta
    from agent.native.encoder import Report

COPY_BYTES: Final = 1 << 20
# In colour a coded frame takes three times its bytes, where the coder finds nothing in common; an eighth of it is to
# spare, and longer headers.
_MORE_PER_FRAME_BYTES: Final = 1024


class _Kept(NamedTuple):
    """Grey frames in the instance's file, in front of ``end``."""

    writer: StreamWriter
    frames: int
    end: int

    @property
    def start(self) -> int:
        return self.writer.pixel_offset

    @property
    def size(self) -> int:
        return self.end - self.start


def recolour(sink: Sink, kept: Writer, frames: int, make: Callable[[], Writer], data: memoryview) -> Writer:
    """Go on in colour with the frame ``data`` after ``frames`` grey ones in ``kept``; ``make`` makes a colour writer.

    Raises:
        SpoolFull: There is no room.
        EncoderFault: The frame does not come back. Whatever is raised, ``kept`` goes on as if nothing had been asked.
    """
    end = sink.tell()
    colour = make()
    try:
        if not frames:
            colour.frame(data)
            return colour
        if isinstance(kept, WholeWriter):
            return _at_once(kept, colour, data)
        assert isinstance(kept, StreamWriter)
        assert isinstance(colour, StreamWriter)
        way = Beside if is_encapsulated(kept.transfer_syntax_uid) else InPlace
        made = way(sink, _Kept(kept, frames, end), colour, data)
        kept.log = None  # frames are the other one's from here on
        return made
    except BaseException:
        sink.seek(end)
        raise


def pieces(size: int) -> Iterator[tuple[int, memoryview]]:
    """Where in so many bytes, and memory for what is there."""
    buffer = memoryview(bytearray(min(COPY_BYTES, size)))
    for at in range(0, size, COPY_BYTES):
        yield at, buffer[: min(COPY_BYTES, size - at)]


def _at_once(kept: WholeWriter, colour: Writer, data: memoryview) -> Writer:
    wide = memoryview(bytearray(colour.description.frame_bytes))
    for plane in kept.frames():
        grey.widen(plane, colour.description, wide)
        colour.frame(wide)
    colour.frame(data)
    return colour


class InPlace:
    """Native frames: a hole for the grey ones, filled at the end."""

    __slots__ = ("_colour", "_from", "_kept", "_sink")

    def __init__(self, sink: Sink, kept: _Kept, colour: StreamWriter, data: memoryview) -> None:
        self._sink = sink
        self._kept = kept
        self._colour = colour
        self._from = kept.start  # where the grey frames are
        colour.leave(kept.frames)
        colour.log = kept.writer.log
        colour.frame(data)

    @property
    def description(self) -> PixelDescription:
        """In colour."""
        return self._colour.description

    @property
    def encode_s(self) -> float:
        """Of colour alone."""
        return self._colour.encode_s

    @property
    def report(self) -> None:
        """There is no compression."""
        return

    @property
    def stream(self) -> None:
        """They lie in two places."""
        return

    @property
    def parts(self) -> Parts:
        """In which."""
        kept, size = self._kept, self.description.frame_bytes
        grey = Grey(kept.frames, 0, self._from, tuple(kept.writer.description))
        return Parts(self._colour.layout, grey, (0, self._colour.pixel_offset + kept.frames * size))

    def set_apart(self, mark: Callable[[], bool]) -> None:
        """Where frames are kept on the way, put the grey ones where they are not written over."""
        if self._colour.log is None:
            return
        spare = self._sink.tell() + WRAPPING_BYTES
        try:
            self._sink.reserve(spare + self._kept.size)
        except SpoolFull as error:
            self._colour.log.failure = error
            self._colour.log.void()
            return
        for at, piece in pieces(self._kept.size):
            self._sink.read_into(self._kept.start + at, piece)
            self._sink.write_at(spare + at, piece)
        self._from = spare
        mark()

    def room(self) -> int:
        """How many more frames fit."""
        return self._colour.room()

    def frame(self, data: memoryview) -> None:
        """Write one in colour."""
        self._colour.frame(data)

    def finish(self, meta: FileMeta, dataset: DataSet) -> None:
        """From the last frame down none is overwritten before it was read."""
        start, size = self._kept.start, self.description.frame_bytes
        plane, wide = memoryview(bytearray(size // 3)), memoryview(bytearray(size))
        for index in reversed(range(self._kept.frames)):
            self._sink.read_into(self._from + index * len(plane), plane)
            grey.widen(plane, self.description, wide)
            self._sink.write_at(start + index * size, wide)
        self._colour.finish(meta, dataset)


class Beside:
    """Compressed frames: colour waits in a second file."""

    __slots__ = ("_ahead", "_ahead_waiting", "_colour", "_end", "_kept", "_lengths", "_log", "_moved", "_sink",
        "_waiting")  # fmt: skip

    def __init__(self, sink: Sink, kept: _Kept, colour: StreamWriter, data: memoryview) -> None:
        self._sink = sink
        self._kept = kept
        self._colour = colour
        grown = kept.size * 3 + kept.size // 8 + kept.frames * _MORE_PER_FRAME_BYTES
        self._end = colour.pixel_offset + grown  # of the instance in colour, no less
        self._lengths = array("I")
        self._moved = False
        self._ahead = Ahead(sink)
        body = colour.code(data)
        self._ahead.up_to(self._end + body.nbytes + WRAPPING_BYTES)
        self._waiting = sink.beside(kept.size + body.nbytes)
        self._log = kept.writer.log
        if self._log is not None:
            self._waiting.log_beside(self._log)
        self._ahead_waiting = Ahead(self._waiting)
        self._waiting.seek(kept.size)
        self._wait(body)

    @property
    def description(self) -> PixelDescription:
        """In colour."""
        return self._colour.description

    @property
    def encode_s(self) -> float:
        """Of colour alone."""
        return self._colour.encode_s

    @property
    def report(self) -> Report | None:
        """Of colour alone."""
        return self._colour.report

    @property
    def stream(self) -> None:
        """They lie in two files."""
        return

    @property
    def parts(self) -> Parts:
        """In which, and where."""
        kept, beside = self._kept, self._waiting.number
        file, at = (beside, 0) if self._moved else (0, kept.start)
        grey = Grey(kept.frames, file, at, tuple(kept.writer.description))
        return Parts(self._colour.layout, grey, (beside, kept.size))

    def room(self) -> int:
        """How many more frames fit."""
        return self._colour.room() - self._kept.frames - len(self._lengths)

    def frame(self, data: memoryview) -> None:
        """Let one wait."""
        self._wait(self._colour.code(data))

    def _wait(self, body: memoryview) -> None:
        end = self._end + body.nbytes + WRAPPING_BYTES
        self._ahead.up_to(end)
        self._ahead_waiting.up_to(self._waiting.tell() + body.nbytes)
        self._waiting.write(body)
        self._lengths.append(body.nbytes)
        if self._log is not None:
            self._log.frame(body.nbytes, zlib.crc32(body))
        self._end = end

    def settle(self, mark: Callable[[], bool]) -> None:
        """Write the instance anew, when ``mark`` has made sure of its frames where they wait."""
        self._sink.finishing()
        self._move()
        mark()
        self._sink.seek(self._colour.pixel_offset)
        for wide in self._grey_frames():
            self._colour.frame(wide)
        for body in self._coloured_bodies():
            self._colour.coded(body)

    def uncompressed(self, writer: StreamWriter) -> None:
        """Write it anew with ``writer``, which does not compress, after ``settle`` has failed."""
        self._move()
        frames, size = self._kept.frames + len(self._lengths), self.description.frame_bytes
        self._sink.reserve(writer.pixel_offset + frames * size + WRAPPING_BYTES)
        for wide in self._grey_frames():
            writer.frame(wide)
        wide = memoryview(bytearray(size))
        for body in self._coloured_bodies():
            compress.decode(body, self._colour.transfer_syntax_uid, self.description, out=wide)
            writer.frame(wide)
        self._colour = writer

    def grey(self) -> Writer:
        """Give up what has colour: the writer of the grey frames, which are again where they were."""
        if self._moved:
            for at, piece in pieces(self._kept.size):
                self._waiting.read_into(at, piece)
                self._sink.write_at(self._kept.start + at, piece)
        self._sink.seek(self._kept.end)
        return self._kept.writer

    def finish(self, meta: FileMeta, dataset: DataSet) -> None:
        """Complete what was written anew; the second file goes with the first one, which is sealed by then."""
        self._colour.finish(meta, dataset)

    def _move(self) -> None:
        """Let the grey frames wait too."""
        if not self._moved:
            for at, piece in pieces(self._kept.size):
                self._sink.read_into(self._kept.start + at, piece)
                self._waiting.write_at(at, piece)
        self._moved = True

    def _coloured_bodies(self) -> Iterator[memoryview]:
        buffer = memoryview(bytearray(max(self._lengths)))
        at = self._kept.size
        for length in self._lengths:
            self._waiting.read_into(at, buffer[:length])
            yield buffer[:length]
            at += length

    def _grey_frames(self) -> Iterator[memoryview]:
        """In colour."""
        kept = self._kept.writer
        extents = list(kept.extents())
        coded = memoryview(bytearray(max(length for _, length in extents)))
        plane = memoryview(bytearray(kept.description.frame_bytes))
        wide = memoryview(bytearray(self.description.frame_bytes))
        for offset, length in extents:
            self._waiting.read_into(offset - self._kept.start, coded[:length])
            compress.decode(coded[:length], kept.transfer_syntax_uid, kept.description, out=plane)
            grey.widen(plane, self.description, wide)
            yield wide
