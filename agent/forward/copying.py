"""A copy of an instance in another transfer syntax, for one destination and one sending.

It is a draft of the spool that is never sealed: under quota, in constant memory, gone when it was sent, and what a
power cut leaves of it is a ``.part`` that the next start deletes; or, where there is no spool, a ``scratch`` file. The
master is hashed first and must be what was sealed; every frame of the copy is decoded and compared before a byte of it
leaves; and the copy has a digest of its own that what is sent must match. SOP Class and Instance UID are those of the
master: it is the same instance (PS3.5 A.4).

Raises ``DataSetError`` or ``NativeError`` for pixels that cannot be converted, ``SpoolFull``, and ``MediaError`` for a
master that is not what it was.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager

from agent.errors import DecodeError
from agent.forward.deliver import DigestCheck
from agent.forward.files import Instance, require_own
from agent.media.file import open_file
from agent.media.reader import instance_of
from agent.spool.faults import read_error
from agent.transcode.choose import Master
from agent.transcode.job import REFER_BYTES, job_of
from agent.transcode.part_writer import Sink
from agent.typed import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.media.file import DicomFile
    from agent.spool.draft import Measured
    from agent.spool.durable import File
    from agent.transcode.choose import Choice

_HASH_BYTES: Final = 1 << 20


class Room(Sink, Protocol):
    """Where a copy is made: a draft of the spool, or a ``scratch`` file beside it."""

    @property
    def file(self) -> File:
        """What was written."""

    def measure(self) -> Measured:
        """Read everything back."""

    def abandon(self) -> None:
        """Remove it; idempotent."""


class Copy(NamedTuple):
    """What is sent instead of the master; ``room`` is abandoned by whoever has sent it."""

    instance: Instance
    work_s: float  # CPU seconds it took
    took_s: float  # and how long that was
    room: Room
    master: Master
    why: str


@contextmanager
def opened(path: str, size: int) -> Iterator[DicomFile]:
    """Open a file of the spool, its large values left where they are."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise read_error(error, path) from error

    def pread(length: int, offset: int) -> bytes:
        try:
            return os.pread(fd, length, offset)
        except OSError as error:
            raise read_error(error, path) from error

    try:
        yield open_file(pread, size, refer_above=REFER_BYTES)
    finally:
        os.close(fd)


def master_of(file: DicomFile, stored: Instance, source: str) -> Master:
    """Say what there is to weigh; pixels that cannot be told apart into frames count as none."""
    syntax, size = stored.transfer_syntax_uid, stored.size - stored.data_set_offset
    try:
        pixels = instance_of(file).pixels
    except DecodeError:
        pixels = None
    if pixels is None:
        return Master(syntax, size, source=source)
    count, description = pixels.number_of_frames, pixels.description
    return Master(syntax, size, count * description.frame_bytes, count, description, source)


def make_copy(
    room: Room, stored: Instance, file: DicomFile, master: Master, choice: Choice, watch: Callable[[], None]
) -> Copy:
    """Write and prove a copy of what is ``stored`` as chosen; ``watch`` is called often, and may raise."""
    began, started = time.monotonic(), time.thread_time()
    try:
        if stored.data_set_sha256:
            _require_sealed(stored, file, watch)
        job = job_of(file, choice.syntax)
        job.write(room, lambda *_: watch())
        with opened(room.file.path, room.file.size) as made:
            job.prove(made, lambda *_: watch())
        found = room.measure()
        require_own(stored, found.origin)
        copy = Instance(room.file.path, stored.sop_class_uid, stored.sop_instance_uid, choice.syntax,
            found.data_set_offset, found.size, found.data_set_sha256)  # fmt: skip
    except BaseException:
        room.abandon()
        raise
    work_s, took_s = time.thread_time() - started, time.monotonic() - began
    return Copy(copy, work_s, took_s, room, master, choice.why)


def _require_sealed(stored: Instance, file: DicomFile, watch: Callable[[], None]) -> None:
    check = DigestCheck(stored)
    at = stored.data_set_offset
    while at < stored.size:
        piece = file.file_pread(min(_HASH_BYTES, stored.size - at), at)
        if not piece:
            break
        check.update(memoryview(piece))
        at += len(piece)
        watch()
    check.verify()
