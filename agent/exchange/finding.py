"""The files of a medium that may be instances: those that its DICOMDIR names, or all that lie in a folder.

A medium comes from a stranger. Names that lead out of it, links, devices, and more folders below each other than any
tool makes are refused with a word, each by itself, and the rest goes on. What is no DICOM File in a plain folder is
passed over; what a DICOMDIR names must be there and be the instance that it says.
"""

from __future__ import annotations

import os
from itertools import islice

from agent.errors import AgentError, DecodeError, FileError, NotDicomError
from agent.exchange.beneath import kind_of, open_beneath
from agent.exchange.opening import is_encrypted
from agent.exchange.shelf import Shelf
from agent.exchange.take_in import MAX_FILE_BYTES
from agent.media.dicomdir_reader import open_directory
from agent.media.file_id import DICOMDIR, fault_of, path_of
from agent.media.part10 import MAGIC, META_OFFSET, PREFIX_LIMIT_BYTES, decode_prefix
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.exchange.opening import Opener

_UID = 0x00041511
DEPTH: Final = 32  # folders below each other; a File-set has eight
MAX_FILES: Final = 1_000_000
_SICK: Final = "The medium may be damaged: try another reader."
_PAGE: Final = 10_000  # names of a folder that are sorted at once


class Candidate(NamedTuple):
    """A plain file that is open; whoever gets it closes it."""

    name: str  # below the root
    descriptor: int
    size: int


class Refused(NamedTuple):
    """Something that is not even looked into."""

    name: str
    error: AgentError


class PassedOver(NamedTuple):
    """A file that is no DICOM File."""

    name: str


Found = Candidate | Refused | PassedOver


def directory_of(root: int) -> str:
    """The name of the DICOMDIR in the root of a medium; empty where there is none."""
    names = (DICOMDIR, DICOMDIR.lower())
    return next((name for name in names if _exists(root, name)), "")


def named_files(root: int, name: str, opener: Opener | None = None) -> Iterator[Found]:
    """Every file that the DICOMDIR ``name`` in the root names. Raises ``DecodeError`` for one that is none.

    One that is damaged in its middle is told behind the files that it names in front of that. ``opener`` opens what is
    encrypted.
    """
    descriptor = _opened(open_beneath(root, name), opener)
    try:
        size = os.fstat(descriptor).st_size
        directory = open_directory(lambda length, offset: os.pread(descriptor, length, offset), size)
        seen = Shelf().rows(str, key=str)
        try:
            for record in directory.records():
                if record.file_id and record.file_id not in seen:
                    seen.append(record.file_id)
                    yield _named(root, record.file_id, record.dataset.text(_UID), opener)
        except DecodeError as error:  # in its middle: what it names in front of that is good
            yield Refused(name, error)
    finally:
        os.close(descriptor)


def all_files(
    root: int, top: str = "", *, without: tuple[int, int] | None = None, opener: Opener | None = None
) -> Iterator[Found]:
    """Every file in and below a folder, but its DICOMDIR; ``top`` is how it is called.

    ``without``: device and inode of a folder that is left out with all that is in it.
    """
    yield from _below(root, top, without, iter(range(MAX_FILES)), opener)


def _below(
    folder: int, path: str, without: tuple[int, int] | None, left: Iterator[int], opener: Opener | None
) -> Iterator[Found]:
    """What is in a folder and below it; one descriptor for each folder on the way, and a page of names."""
    with os.scandir(folder) as entries:
        while page := sorted(entry.name for entry in islice(entries, _PAGE)):
            for name in page:
                if next(left, None) is None:
                    raise FileError(f"more than {MAX_FILES} files", hint="Import it folder by folder.")
                found = _entry(folder, path, name, len(path.split("/")) if path else 0, opener)
                if isinstance(found, int):
                    try:
                        there = os.fstat(found)
                        if (there.st_dev, there.st_ino) != without:
                            yield from _below(found, f"{path}/{name}" if path else name, without, left, opener)
                    finally:
                        os.close(found)
                elif found is not None:
                    yield found


def one_file(root: int, name: str, opener: Opener | None = None) -> Found:
    """One file that was named itself."""
    return _candidate(name, lambda: open_beneath(root, name), opener)


def _opened(descriptor: int, opener: Opener | None) -> int:
    """What is inside, where it is encrypted and can be opened; else the file itself. Closes what it does not return."""
    inner = -1
    try:
        inner = descriptor if opener is None or not is_encrypted(descriptor) else opener.open(descriptor)
    finally:
        if inner != descriptor:
            os.close(descriptor)
    return inner


def _named(root: int, file_id: str, uid: str, opener: Opener | None) -> Found:
    fault = fault_of(file_id)
    if fault:
        hint = "Whoever made the medium made a mistake or means harm; the file is not opened."
        return Refused(file_id[:200], FileError(f"{file_id[:200]!r} is no File ID: {fault}", hint=hint))
    found = _candidate(file_id, lambda: open_beneath(root, path_of(file_id), any_case=True), opener)
    if isinstance(found, Candidate) and uid:
        try:
            there = decode_prefix(os.pread(found.descriptor, PREFIX_LIMIT_BYTES, 0))[0].sop_instance_uid
            if there != uid:
                raise DecodeError(f"it is instance {there}, and the DICOMDIR names {uid}")
        except AgentError as error:
            os.close(found.descriptor)
            return Refused(file_id, error)
    if isinstance(found, PassedOver):
        return Refused(file_id, NotDicomError("the DICOMDIR names it, and it is no DICOM File"))
    return found


def _entry(folder: int, path: str, name: str, depth: int, opener: Opener | None) -> Found | int | None:
    """A file, a folder to go on in, or nothing."""
    whole = f"{path}/{name}" if path else name
    try:
        mode = os.lstat(name, dir_fd=folder).st_mode
        if kind_of(mode) == "a folder":
            if depth >= DEPTH:
                return Refused(whole, FileError(f"it lies deeper than {DEPTH} folders", hint="Import it by itself."))
            return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        return Refused(whole, FileError(error.strerror or str(error)))
    if not path and name.upper() == DICOMDIR:
        return None
    return _candidate(whole, lambda: open_beneath(folder, name), opener)


def _candidate(name: str, opened: Callable[[], int], opener: Opener | None) -> Found:
    try:
        descriptor = _opened(opened(), opener)
    except AgentError as error:
        return Refused(name, error)
    except OSError as error:
        return Refused(name, FileError(error.strerror or str(error), hint=_SICK))
    size = os.fstat(descriptor).st_size
    try:
        if size > MAX_FILE_BYTES:
            raise FileError(f"{size} bytes are more than {MAX_FILE_BYTES}, which no instance has")
        is_dicom = os.pread(descriptor, len(MAGIC), META_OFFSET - len(MAGIC)) == MAGIC
    except OSError as error:
        os.close(descriptor)
        return Refused(name, FileError(error.strerror or str(error), hint=_SICK))
    except FileError as error:
        os.close(descriptor)
        return Refused(name, error)
    if not is_dicom:
        os.close(descriptor)
        return PassedOver(name)
    return Candidate(name, descriptor, size)


def _exists(root: int, name: str) -> bool:
    try:
        os.lstat(name, dir_fd=root)
    except OSError:
        return False
    return True
