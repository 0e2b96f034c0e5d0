"""A draft: an instance being written, which nobody has been promised anything about.

``Spool.draft(expected_bytes)`` reserves the room and creates ``<number>.part``; the writer fills it in any order
(``write`` appends, ``write_at`` goes anywhere, so that the head may come last), then ``seal`` makes it an instance or
``abandon`` removes it. A power cut leaves the ``.part``, which recovery deletes; of a clip it keeps the frames that the
record beside it (clip.py) says are durable.

The digest is taken at ``seal`` by reading the file back once: the head of a clip is written last, so its SHA-256 cannot
run along with the writes, and what is hashed is what will be read, not what was meant. Two digests come out of one
pass: of the whole file (the custody receipt, bit rot) and of the Data Set without its File Meta Information, which is
what "same instance" means (P5): the File Meta of the same instance may differ from one carrier to the next. The pass
also finds the end of the Data Set (walk.py): what cannot be read back whole is never promised.

Raises ``SpoolFull`` (the draft stays usable: seal what is there, or abandon) and ``MediaError`` (the draft is dead).
"""

from __future__ import annotations

from functools import partial

from agent.errors import SpoolDamaged, SpoolError, SpoolFull
from agent.media.part10 import PREFIX_LIMIT_BYTES, decode_prefix
from agent.spool.quota import EXTEND_BYTES, Floor
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

    from agent.errors import AgentError
    from agent.media.part10 import FileMeta
    from agent.spool.clip import ClipLog
    from agent.spool.durable import File
    from agent.spool.quota import Admission
    from agent.spool.states import Priority
    from agent.spool.store import Spool
    from agent.spool.walk import Origin

HASH_CHUNK = 256 * 1024  # bytes read at a time: the pass is bound by SHA-256, not by the size of its reads


class InstanceRecord(NamedTuple):
    """What the maker of an instance says about it; the UIDs must be those in the file.

    An empty study or series UID is taken from the file.
    """

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    study_uid: str = ""
    series_uid: str = ""
    captured_at: float | None = None  # wall s of the first frame; None: now
    source: str = ""  # name of the source in the configuration; no patient data
    destinations: tuple[str, ...] | None = None  # None: all configured ones
    facts: tuple[tuple[str, object], ...] = ()  # more for the receipt (frames, dropped ...); no patient data
    priority: Priority | None = None  # None: that of its study


class Sealed(NamedTuple):
    """An instance the spool vouches for."""

    id: int
    path: str
    sop_instance_uid: str
    size: int  # bytes
    file_sha256: str  # hex
    data_set_sha256: str  # hex
    captured_at: float  # wall s
    durable_at: float  # wall s
    duplicate: bool  # True: the spool had these very bytes already, no second file was made (P5)


class Measured(NamedTuple):
    """What reading a whole file tells."""

    meta: FileMeta
    data_set_offset: int
    size: int
    file_sha256: bytes
    data_set_sha256: bytes
    origin: Origin

    def contradiction(self) -> str:
        """In what the Data Set is another instance than the File Meta Information says; empty: in nothing."""
        return self.origin.contradiction(self.meta.sop_class_uid, self.meta.sop_instance_uid)


class Draft:
    """One ``.part`` file and its reservation; used by one thread at a time.

    As a context manager it abandons itself when it was not sealed.
    """

    __slots__ = ("_admission", "_floor", "_limit", "_no_room", "_position", "_reserved", "_spool", "clip", "file",
                 "moved", "number", "settled", "stays", "waiting")  # fmt: skip

    def __init__(self, spool: Spool, admission: Admission, number: int, file: File, floor: Floor = Floor.WHOLE) -> None:
        self._spool = spool
        self._admission = admission
        self._limit = 0  # bytes promised to this draft
        self._reserved = 0  # the part of them that is neither allocated nor written
        self._position = 0
        self._floor = floor
        self.moved = False  # the .part has another name now
        self.settled = False  # what became of it is in the ledger
        self.stays = False  # the .part is kept when it is not sealed: some of its frames are durable
        self.clip: ClipLog | None = None
        self._no_room: SpoolFull | None = None  # for the record of a clip
        self.number = number
        self.file = file
        self.waiting: Draft | None = None

    def write(self, data: ReadableBuffer) -> int:
        """Append all of ``data`` at ``tell()``; returns its length in bytes."""
        done = self.write_at(self._position, data)
        self._position += done
        return done

    def write_at(self, offset: int, data: ReadableBuffer) -> int:
        """Write all of ``data`` at ``offset`` without moving ``tell()``; returns its length in bytes."""
        end = offset + memoryview(data).nbytes
        if end > self._limit:
            self.reserve(max(end, self._limit + (0 if self._floor is Floor.NONE else EXTEND_BYTES)))
        before = self.file.size
        done = self.file.write_at(offset, data)
        self._give_back(self.file.size - before)
        return done

    def reserve(self, length: int) -> None:
        """Make sure of room up to ``length`` bytes; raises ``SpoolFull`` and changes nothing."""
        more = length - self._limit
        if more <= 0:
            return
        self._admission.reserve(more, floor=self._floor)
        self._reserved += more
        try:
            allocated = self.file.allocate(length)
        except SpoolError:
            self._give_back(more)
            raise
        self._limit = length
        if allocated:
            self._give_back(self._reserved)

    def tell(self) -> int:
        """Return where ``write`` goes on, in bytes."""
        return self._position

    def seek(self, offset: int) -> None:
        """Let ``write`` go on at ``offset`` (the pixel data start behind a head that is written last)."""
        self._position = offset

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Read back what was written, all of ``buffer``."""
        self.file.fill(offset, buffer)

    def clip_log(self, data_set_limit: int) -> ClipLog | None:
        """Begin the record that lets the frames of a clip outlive this process; None without room for it.

        The clip itself may have its room reserved: it goes on without, and ``unkept`` says so.
        """
        from agent.spool.clip import ClipLog  # of clips alone

        try:
            self._admission.reserve(0, floor=self._floor)
            self.clip = ClipLog(self._spool.medium, self.file, data_set_limit)
        except SpoolFull as error:
            self._no_room = error
        return self.clip

    @property
    def unkept(self) -> AgentError | None:
        """Why a power cut would have cost more of the clip than its last second, where that is so."""
        return self._no_room if self.clip is None else self.clip.failure

    def log_beside(self, log: ClipLog) -> None:
        """Let the record of a clip make this file durable, too."""
        log.also(self.file)

    def salvage(self) -> Sealed | None:
        """After a failure: seal what was durable of the clip; None where that is nothing.

        Raises ``AgentError`` where that cannot be now; the next start tries again.
        """
        return self._spool.salvage(self)

    def beside(self, expected_bytes: int) -> Draft:
        """A second draft for what has to wait, as ``Spool.draft``; it is abandoned with this one at the latest."""
        self.waiting = self._spool.draft(expected_bytes)
        return self.waiting

    def cut(self, length: int) -> None:
        """Give up what was written behind ``length``; what the record of a clip needs goes when the rest is durable."""
        if self.clip is not None and self.clip.marks:
            self.file.sync()
        self.file.cut(length)

    def finishing(self) -> None:
        """From now on the reserve may be used: the writer was told ``SpoolFull`` and completes what it has."""
        self._floor = Floor.NONE

    def seal(self, record: InstanceRecord) -> Sealed:
        """Make it durable, then known (P1); see ``Spool.seal``."""
        return self._spool.seal(self, record)

    def abandon(self) -> None:
        """Remove the file and give the room back; idempotent, also after ``seal``."""
        self._spool.abandon(self)

    def measure(self) -> Measured:
        """Read everything back; raises ``NotDicomError``, ``DecodeError``, ``MediaError``."""
        return measure(self.file.read_into, self.file.size)

    def release(self) -> None:
        """Give back all that is still reserved."""
        self._give_back(self._reserved)

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, *exc: object) -> None:
        self.abandon()

    def _give_back(self, count: int) -> None:
        count = min(count, self._reserved)
        self._reserved -= count
        if count:
            self._admission.release(count)


def measure(read_into: Callable[[int, memoryview], int], size: int) -> Measured:
    """Hash ``size`` bytes, decode their prefix, walk their Data Set; ``read_into(offset, memoryview) -> count``.

    Raises ``NotDicomError`` or ``DecodeError`` when this is not a complete DICOM file.
    """
    import hashlib  # the first file pays for it, not the idle daemon: it loads OpenSSL

    buffer = memoryview(bytearray(min(HASH_CHUNK, max(size, 1))))
    whole, inner = hashlib.sha256(), hashlib.sha256()
    meta: FileMeta | None = None
    data_set_offset = position = count = 0
    while position < size:
        count = read_into(position, buffer[: min(len(buffer), size - position)])
        if count <= 0:
            raise SpoolDamaged(f"the file ends at byte {position} of {size}")
        if meta is None:
            meta, data_set_offset = decode_prefix(bytes(buffer[: min(count, PREFIX_LIMIT_BYTES)]))
        whole.update(buffer[:count])
        if position + count > data_set_offset:
            inner.update(buffer[max(data_set_offset - position, 0) : count])
        position += count
    if meta is None:
        meta, data_set_offset = decode_prefix(b"")  # raises: an empty file is not DICOM
    from agent.spool.walk import walk  # and how Data Sets are read; a box that takes nothing in does without

    at_once = count == size  # then what was hashed is still at hand
    pread = partial(_at_hand, buffer) if at_once else partial(_pread, read_into)
    origin = walk(pread, size, data_set_offset, meta.transfer_syntax_uid)
    return Measured(meta, data_set_offset, size, whole.digest(), inner.digest(), origin)


def _at_hand(buffer: memoryview, length: int, offset: int) -> bytes:
    return bytes(buffer[offset : offset + length])


def _pread(read_into: Callable[[int, memoryview], int], length: int, offset: int) -> bytes:
    buffer = bytearray(length)
    return bytes(buffer[: read_into(offset, memoryview(buffer))])
