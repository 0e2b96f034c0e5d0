"""The record of a clip under way: what makes an instance of its frames when the process that writes it is gone.

A clip is written frame by frame and its head last, so that without the writer's memory its frames are bytes that nobody
can name. ``<number>.clip`` beside the ``.part`` says what they are, at least once a second, and only of frames that are
on the medium already: first the frames are synced, then the record is written and synced. It has

    a page      magic, and how long a slot is
    two slots   a *mark* each, written in turn, so that a torn one leaves the one before
    a table     length and CRC-32 of every frame; what a mark counts of it is in the CRC that the mark has of the table

A mark is the Data Set that the instance would have if the clip ended here (patient and study with it), how its frames
are laid out, and the record for the ledger. Its SOP Instance UID is its own and not that of the clip, which may have
been acknowledged to its end before a medium that lied lost it: one UID is one byte string for ever.

``complete`` writes head and end of the newest mark whose frames are all whole, into the ``.part`` itself: done again
after a crash it writes the same bytes. Only whoever writes the clip, and recovery, change it.

Raises ``SpoolError`` of the medium, ``SpoolDamaged`` where no mark has frames that are whole.
"""

from __future__ import annotations

import os
import struct
import zlib
from array import array
from contextlib import suppress

from agent.errors import SpoolDamaged, SpoolError
from agent.spool.draft import InstanceRecord
from agent.spool.faults import read_error
from agent.spool.names import clip_path
from agent.spool.states import Priority
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.dataset.dataset import DataSet
    from agent.errors import AgentError
    from agent.media.stream import InstanceLayout
    from agent.spool.durable import File, Medium, Syncer

_MAGIC: Final = b"MGA clip 1\r\n\x1a\n\0\0"
_PAGE: Final = 4096
_PREAMBLE: Final = struct.Struct("<16sI")
_SLOT: Final = struct.Struct("<8sQIII")  # mark, turn, bytes of facts, bytes of the Data Set, CRC-32 of both
_FRAME: Final = struct.Struct("<II")  # length in the file, padding included, and CRC-32
_SAID: Final = ("frames", "pixel_offset", "max_frames", "description", "grey", "colour", "whole")
_SLOT_MARK: Final = b"MGA mark"
FACTS_BYTES: Final = 16 * 1024  # of a slot: the record for the ledger takes one or two KiB
CHUNK_BYTES: Final = 1 << 20


class Grey(NamedTuple):
    """Where the grey frames of a clip in colour lie, one after the other, items and all."""

    frames: int
    file: int  # number; 0: the clip's own
    at: int  # byte
    description: tuple[object, ...]  # a PixelDescription


class Mark(NamedTuple):
    """A clip as far as it is durable."""

    record: InstanceRecord
    frames: int
    pixel_offset: int  # bytes
    max_frames: int
    description: tuple[object, ...]  # a PixelDescription
    data_set: bytes  # Explicit VR Little Endian, without Pixel Data
    grey: Grey | None = None  # frames that turned out to be the grey beginning of one in colour (assemble.py)
    colour: tuple[int, int] = (0, 0)  # then: where the frames behind them are, file number and byte
    whole: str = ""  # SOP Instance UID of the clip, were it complete; the record's is of the clip cut off here
    lengths: array[int] = array("I")  # of its frames, as they lie in the file; filled in when read
    checksums: array[int] = array("I")


class ClipLog:
    """The writing side: one thread adds frames, another one (or the same) makes them durable."""

    __slots__ = ("_beside", "_checksum", "_file", "_frames", "_medium", "_named_in", "_parts", "_slot_bytes", "_syncer",
        "_table", "_turn", "failure")  # fmt: skip

    def __init__(self, medium: Medium, part: File, data_set_limit: int) -> None:
        self._slot_bytes = -(-(_SLOT.size + FACTS_BYTES + data_set_limit) // _PAGE) * _PAGE
        self._table = bytearray()
        self._frames = 0  # of the table, written
        self._checksum = 0
        self._turn = 0
        self._medium = medium
        self._beside: list[Syncer] = []
        self._named_in = ""  # the folder of a file whose name is not durable yet
        self._parts = [part]
        self.failure: AgentError | None = None  # why there are no more marks
        self._file = medium.create(clip_path(part.path))
        try:
            self._file.write_at(0, _PREAMBLE.pack(_MAGIC, self._slot_bytes))
            medium.sync_folder(os.path.dirname(part.path))
            self._syncer: Syncer = part.syncer()
        except BaseException:
            self._file.close()
            with suppress(SpoolError):  # it says nothing; the next start removes it
                medium.remove(self._file.path, sync=False)
            raise

    def frame(self, length: int, checksum: int) -> None:
        """Note a frame that was written: its bytes in the file and their CRC-32."""
        self._table += _FRAME.pack(length, checksum)

    def also(self, file: File) -> None:
        """From now on frames lie in this file, too."""
        self._beside.append(file.syncer())
        self._named_in = os.path.dirname(file.path)
        self._parts.append(file)

    def keep(self, mark: Mark) -> None:
        """Make the frames of ``mark`` durable, then the mark."""
        facts = _packed(mark)
        new = bytes(self._table[self._frames * _FRAME.size : mark.frames * _FRAME.size])
        checksum = zlib.crc32(new, self._checksum)
        body = facts + mark.data_set
        head = _SLOT.pack(_SLOT_MARK, self._turn + 1, len(facts), len(mark.data_set), zlib.crc32(body, checksum))
        if len(head) + len(body) > self._slot_bytes:
            raise SpoolDamaged(f"{self._file.path}: a mark of {len(body)} bytes, there is room for {self._slot_bytes}")
        for syncer in (self._syncer, *self._beside):
            syncer.sync()
        if self._named_in:
            self._medium.sync_folder(self._named_in)
            self._named_in = ""
        self._file.write_at(_table_at(self._slot_bytes) + self._frames * _FRAME.size, new)
        self._file.write_at(_slot_at(self._turn, self._slot_bytes), head + body)
        self._file.sync()
        self._frames, self._checksum, self._turn = mark.frames, checksum, self._turn + 1

    def void(self) -> None:
        """Forget it all, durably: the frames are about to be written anew where they are."""
        self.close()
        self._turn = 0
        self._medium.remove(self._file.path)

    @property
    def broken(self) -> SpoolError | None:
        """Return what killed a file that frames are written to; None: they all live."""
        return next((part.failed for part in self._parts if part.failed is not None), None)

    @property
    def marks(self) -> int:
        """How many marks are durable."""
        return self._turn

    def close(self) -> None:
        """Let go of the files; idempotent."""
        for syncer in (self._syncer, *self._beside):
            syncer.close()
        self._file.close()


def _slot_at(turn: int, slot_bytes: int) -> int:
    return _PAGE + turn % 2 * slot_bytes


def _table_at(slot_bytes: int) -> int:
    return _PAGE + 2 * slot_bytes


def _packed(mark: Mark) -> bytes:
    import json  # a box that records clips has it

    facts = {name: getattr(mark, name) for name in _SAID}
    return json.dumps({**facts, "record": mark.record._asdict()}).encode()


def marks(path: str) -> list[Mark]:
    """Read the whole marks of a record, the newest first; none where there is none. Raises ``FileUnreadable``."""
    try:
        with open(path, "rb") as file:
            preamble = file.read(_PREAMBLE.size)
            if len(preamble) < _PREAMBLE.size:
                return []
            magic, slot_bytes = _PREAMBLE.unpack(preamble)
            if magic != _MAGIC:
                return []
            size = os.fstat(file.fileno()).st_size
            found = [one for turn in (0, 1) if (one := _read(file.fileno(), turn, slot_bytes, size)) is not None]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise read_error(error, path) from error
    return [mark for _turn, mark in sorted(found, key=lambda one: one[0], reverse=True)]


def _read(fd: int, turn: int, slot_bytes: int, size: int) -> tuple[int, Mark] | None:
    """Read one slot; None where it is torn."""
    import json

    at = _slot_at(turn, slot_bytes)
    head = os.pread(fd, _SLOT.size, at)
    if len(head) < _SLOT.size or not head.startswith(_SLOT_MARK):
        return None
    _mark, number, facts_bytes, data_set_bytes, checksum = _SLOT.unpack(head)
    if facts_bytes + data_set_bytes > slot_bytes:
        return None
    body = os.pread(fd, facts_bytes + data_set_bytes, at + _SLOT.size)
    try:
        facts: dict[str, Any] = json.loads(body[:facts_bytes])
        frames = facts["frames"]
        if _table_at(slot_bytes) + frames * _FRAME.size > size:
            return None
        table = os.pread(fd, frames * _FRAME.size, _table_at(slot_bytes))
        if zlib.crc32(body, zlib.crc32(table)) != checksum:
            return None
        lengths, checksums = array("I"), array("I")
        for length, one in _FRAME.iter_unpack(table):
            lengths.append(length)
            checksums.append(one)
        record = InstanceRecord(**facts.pop("record"))
        priority = record.priority and Priority(record.priority)
        names = record.destinations and tuple(record.destinations)
        record = record._replace(
            priority=priority, destinations=names, facts=tuple((key, value) for key, value in record.facts)
        )
        grey = facts.pop("grey")
        facts["grey"] = grey and Grey._make((*grey[:-1], tuple(grey[-1])))
        facts["colour"] = tuple(facts["colour"])
        mark = Mark(**facts, record=record, data_set=body[facts_bytes:], lengths=lengths, checksums=checksums)
    except (ValueError, TypeError, KeyError):
        return None
    return number, mark._replace(description=tuple(mark.description))


def complete(file: File, found: list[Mark]) -> tuple[Mark, int]:
    """Make an instance of the newest mark whose frames are whole; returns it and the size of the file.

    Raises ``SpoolDamaged`` where there is none, and then nothing is written.
    """
    from agent.dataset.decode import decode
    from agent.dataset.uid import EXPLICIT_VR_LE
    from agent.media.part10 import FileMeta

    for mark in found:
        if mark.grey is not None:
            continue
        layout = _layout(mark)
        if not mark.frames or _whole(file, mark, layout) < mark.frames:
            continue
        dataset: DataSet = decode(mark.data_set, EXPLICIT_VR_LE)
        record = mark.record
        meta = FileMeta(record.sop_class_uid, record.sop_instance_uid, record.transfer_syntax_uid)
        head, tail = layout.finish(meta, dataset)
        end = _end(mark, layout)
        file.write_at(end, tail)
        file.write_at(0, head)
        file.cut(end + len(tail))
        return mark, end + len(tail)
    raise SpoolDamaged(f"{file.path}: none of its frames is whole")


def _layout(mark: Mark) -> InstanceLayout:
    from agent.dataset.pixels import PixelDescription
    from agent.media.stream import InstanceLayout

    description = PixelDescription._make(mark.description)
    syntax = mark.record.transfer_syntax_uid
    return InstanceLayout.resumed(syntax, description, mark.max_frames, mark.pixel_offset, mark.lengths)


def _end(mark: Mark, layout: InstanceLayout) -> int:
    end = mark.pixel_offset
    for at, length in layout.extents():
        end = at + length
    return end


def _whole(file: File, mark: Mark, layout: InstanceLayout) -> int:
    """Count the frames up to the first one that is not what was written."""
    for index, ((at, length), checksum) in enumerate(zip(layout.extents(), mark.checksums, strict=True)):
        if at + length > file.size or checksum_of(file, at, length) != checksum:
            return index
    return mark.frames


def checksum_of(file: File, at: int, length: int) -> int:
    """Return the CRC-32 of bytes that were written."""
    found = 0
    for piece in _pieces(file, at, length):
        found = zlib.crc32(piece, found)
    return found


def _pieces(file: File, at: int, length: int) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(min(CHUNK_BYTES, length)))
    done = 0
    while done < length:
        piece = buffer[: min(len(buffer), length - done)]
        file.fill(at + done, piece)
        yield piece
        done += len(piece)
