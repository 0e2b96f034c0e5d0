"""The spool is a DICOM File-set: its DICOMDIR is kept true while instances come and go (PS3.10 8, PS3.3 Annex F).

So the card can be pulled at any time and read in any workstation. ``INST/000000/00000001`` is a File ID already; what
is missing is the directory, and this makes it, never on the way of an image: ``refresh`` compares the ledger with the
records that are kept (``record_index``), reads the heads of the files that are new, once, forgets those that are gone,
and writes ``DICOMDIR`` in one go, in bounded memory, from records that are already encoded.

The old directory stays until the new one has taken its place, whole and synced (``Medium.renew``), and then is
``DICOMDIR.BAK``. A crash or a power cut leaves a valid directory, at worst one generation old: it may lack the newest
instances, or name some that were evicted since. The next start brings it up to date.

Records know their offsets only when all are known, so one new instance writes the whole file: half a KiB for each. A
directory is therefore written at most every ``rest_s`` seconds, which grows with its size: the medium sees no more than
``WEAR_BYTES_PER_S`` of it on average.

Instances without a record are not listed, and told once: of a SOP Class that no record may refer to, or with a Data Set
that names no study. A file that cannot be read is left out and tried again the next time; other errors of the medium
leave everything as it was.
"""

from __future__ import annotations

import os
import time
from functools import partial

from agent.dataset.decode import Limits
from agent.errors import DataSetError, MediaError, SpoolFull
from agent.media.dicomdir import FileSet, stream
from agent.media.dicomdir_reader import open_directory
from agent.media.file import open_file
from agent.media.file_id import of_path
from agent.media.records import REFER_ABOVE_BYTES, entry_of
from agent.spool.faults import media_error, read_error
from agent.spool.names import DIRECTORY, DIRECTORY_BEFORE, RECORDS, file_path
from agent.spool.record_index import RecordIndex
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agent.media.records import Entry
    from agent.spool.durable import Medium

PAGE: Final = 512  # instances that are compared at a time
BATCH: Final = 64  # new ones per transaction: what a stop or a crash loses of the work
KEEP_FREE_BYTES: Final = 64 << 20  # a directory never takes the room of an image
WEAR_BYTES_PER_S: Final = 64 * 1024  # 5 GiB a day: a tenth of what small cards are good for in ten years
MIN_REST_S: Final = 10.0  # a burst of images costs one directory
CHUNK_BYTES: Final = 256 * 1024
_STALE, _FILE, _UID = "stale", "file", "uid"  # what is kept beside the records
LIMITS: Final = Limits(elements=1_000_000)  # an enhanced instance has a hundred elements for each frame


class Outcome(NamedTuple):
    """What ``refresh`` did; ``left``: instances that were not looked at for want of time."""

    added: int = 0
    removed: int = 0
    listed: int = 0
    written: int = 0  # bytes; 0: the directory was true
    left: int = 0
    notes: tuple[str, ...] = ()


class Pace(NamedTuple):
    """How long it may take (None: as long as it takes), and how much it rests for each second of work."""

    within_s: float | None = None
    rest: float = 0.0


ALL_AT_ONCE: Final = Pace()


def rest_s(written: int) -> float:
    """How long to wait after a directory of that many bytes before the next one."""
    return max(MIN_REST_S, written / WEAR_BYTES_PER_S)


def refresh(
    medium: Medium,
    live: Callable[[int, int], list[int]],
    label: str,
    new_uid: Callable[[], str],
    pace: Pace = ALL_AT_ONCE,
) -> Outcome:
    """Bring the directory of a spool up to date.

    Args:
        medium: The spool.
        live: Numbers of the instances whose files are there, ascending: ``live(after, limit)``.
        label: File-set ID, for people.
        new_uid: Makes the File-set UID of a new File-set.
        pace: Time and rest.

    Raises:
        MediaError: The medium or the kept records cannot be read or written; the directory is as it was.
        SpoolFull: There is no room for another directory.
    """
    path = f"{medium.root}/{RECORDS}"
    try:
        return _refreshed(medium, live, label, new_uid, pace)
    except MediaError:
        if os.path.lexists(path):
            raise
        return _refreshed(medium, live, label, new_uid, pace)  # they were damaged and are gone: begin anew


def _refreshed(
    medium: Medium, live: Callable[[int, int], list[int]], label: str, new_uid: Callable[[], str], pace: Pace
) -> Outcome:
    with RecordIndex(f"{medium.root}/{RECORDS}") as index:
        work = _Work(medium, index, pace)
        work.compare(live)
        path = f"{medium.root}/{DIRECTORY}"
        size = 0
        stamp = _stamp(path)
        if not work.left and (index.meta(_STALE) or index.meta(_FILE) != stamp or not stamp):
            size = _write(medium, index, path, FileSet(_uid_of(index, path, new_uid), label))
        notes = tuple(f"{file_path('', number)[1:]}: {note}" for number, note in (*work.notes, *index.notes))
        return Outcome(work.added, work.removed, index.count(), size, work.left, notes)


class _Work:
    """One comparison of the ledger with the records that are kept."""

    def __init__(self, medium: Medium, index: RecordIndex, pace: Pace) -> None:
        self._medium = medium
        self._index = index
        self._pace = pace
        self._began = self._rested = time.monotonic()
        self.added = self.removed = self.left = 0
        self.notes: list[tuple[int, str]] = []

    def compare(self, live: Callable[[int, int], list[int]]) -> None:
        """Make the kept records those of the ledger."""
        wanted, known = _Pages(live), _Pages(self._index.numbers)
        new: list[int] = []
        gone: list[int] = []
        while (number := min(wanted.first, known.first)) < _Pages.END:
            if known.first > number:
                new.append(number)
            elif wanted.first > number:
                gone.append(number)
            for pages in (wanted, known):
                if pages.first == number:
                    pages.skip()
            if len(new) + len(gone) >= BATCH:
                self._apply(new, gone)
        self._apply(new, gone)
        if self.removed:
            self._index.prune()

    def _apply(self, new: list[int], gone: list[int]) -> None:
        made = self._read(new)
        if made or gone:
            self._index.begin()
            for number, entry in made:
                if entry is None:
                    self._index.refuse(number)
                else:
                    self._index.add(number, entry)
            for number in gone:
                self._index.remove(number)
            self._index.keep(_STALE, "1")
            self._index.commit()
        self.added += sum(entry is not None for _, entry in made)
        self.removed += len(gone)
        new.clear()
        gone.clear()
        if self._pace.rest and made:
            time.sleep((time.monotonic() - self._rested) * self._pace.rest)
        self._rested = time.monotonic()

    def _read(self, new: list[int]) -> list[tuple[int, Entry | None]]:
        """The records of new instances; None where there can be none."""
        made: list[tuple[int, Entry | None]] = []
        for number in new:
            if self._pace.within_s is not None and time.monotonic() - self._began >= self._pace.within_s:
                self.left += 1
                continue
            try:
                made.append((number, _entry(self._medium.root, number)))
            except FileNotFoundError:
                continue  # evicted since the ledger was asked
            except DataSetError as error:
                self.notes.append((number, f"{error.message}; it is not in the DICOMDIR"))
                made.append((number, None))
            except MediaError as error:
                self.notes.append((number, f"{error.message}; it is not in the DICOMDIR until it can be read"))
        return made


class _Pages:
    """Ascending numbers, a page at a time."""

    END: Final = 1 << 63

    def __init__(self, ask: Callable[[int, int], list[int]]) -> None:
        self._ask = ask
        self._page: list[int] = []
        self._at = 0
        self._load(0)

    def _load(self, after: int) -> None:
        self._page, self._at = self._ask(after, PAGE), 0
        self.first = self._page[0] if self._page else self.END

    def skip(self) -> None:
        """Go on behind the first one."""
        self._at += 1
        if self._at < len(self._page):
            self.first = self._page[self._at]
        else:
            self._load(self.first)


def _entry(root: str, number: int) -> Entry:
    """What an instance is listed as; reads the head of its file."""
    path = file_path(root, number)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise read_error(error, path) from error
    try:
        pread = partial(_pread, fd, path)
        size = os.fstat(fd).st_size
        file = open_file(pread, size, limits=LIMITS, refer_above=REFER_ABOVE_BYTES, header_only=True)
        return entry_of(of_path(file_path("", number)[1:]), file.meta, file.dataset)
    finally:
        os.close(fd)


def _pread(fd: int, path: str, length: int, offset: int) -> bytes:
    try:
        return os.pread(fd, length, offset)
    except OSError as error:
        raise read_error(error, path) from error


def _write(medium: Medium, index: RecordIndex, path: str, file_set: FileSet) -> int:
    stamp = _stamp(path)
    old = int(stamp.split()[1]) if stamp else 0
    free = medium.free().bytes
    if free < KEEP_FREE_BYTES + 2 * old:
        raise SpoolFull(f"no room for another {DIRECTORY} in {medium.root}: {free} bytes are free")
    index.begin()
    try:
        size = medium.renew(path, _chunks(stream(index, file_set)), f"{medium.root}/{DIRECTORY_BEFORE}")
    except DataSetError as error:  # beyond what its offsets reach: 8 million instances
        raise MediaError(f"{DIRECTORY} of {medium.root}: {error.message}", hint=error.hint) from error
    index.keep(_FILE, _stamp(path))
    index.keep(_STALE, "")
    index.keep(_UID, file_set.uid)
    index.commit()
    return size


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in writes of a size that a card likes."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= CHUNK_BYTES:
            yield b"".join(held)
            held.clear()
            size = 0
    yield b"".join(held)


def _uid_of(index: RecordIndex, path: str, new_uid: Callable[[], str]) -> str:
    """The File-set UID, which stays as long as there is a trace of it (PS3.10 8.6)."""
    kept = index.meta(_UID)
    if kept:
        return kept
    for known in (path, path.removesuffix(DIRECTORY) + DIRECTORY_BEFORE):
        try:
            fd = os.open(known, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            uid = open_directory(partial(_pread, fd, known), os.fstat(fd).st_size).meta.sop_instance_uid
        except (DataSetError, MediaError):
            continue
        finally:
            os.close(fd)
        if uid:
            return uid
    return new_uid()


def _stamp(path: str) -> str:
    """What tells the file that was written from any other of its name; empty: there is none."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise media_error(error, "stat", path) from error
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}"
