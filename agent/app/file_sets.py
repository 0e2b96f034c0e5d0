"""File-sets in a file system: where the DICOMDIR is, and which file a File ID means (PS3.12).

A File ID comes from whoever made the medium. It leads to a file only if it is one (``agent.media.file_id``), and no
component of it is a symbolic link: what is outside of the File-set is never opened. An ISO 9660 medium without its own
names shows them in lower case, so that a name is looked for as it is written and then in lower case.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager

from agent.app.source_file import open_regular
from agent.errors import FileError, OutsideFileSet
from agent.media.dicomdir_reader import Directory, open_directory
from agent.media.file_id import DICOMDIR, fault_of
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_FOLLOW: Final = os.O_NOFOLLOW | os.O_RDONLY | os.O_CLOEXEC


class Place(NamedTuple):
    """A folder, and its DICOMDIR (empty: it has none)."""

    root: str
    directory: str


def place_of(path: str) -> Place:
    """The File-set that a path means: a folder, or a DICOMDIR.

    Raises:
        FileError: There is nothing of that name.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise FileError.of(path, error) from None
    if not stat.S_ISDIR(mode):
        return Place(os.path.dirname(path) or ".", path)
    for name in (DICOMDIR, DICOMDIR.lower()):
        found = os.path.join(path, name)
        if os.path.lexists(found):
            return Place(path, found)
    return Place(path, "")


@contextmanager
def opened_directory(path: str) -> Iterator[Directory]:
    """Open a DICOMDIR; records can be read inside the block.

    Raises:
        FileError: It cannot be read.
        DecodeError: It is none, or damaged in front of its records.
    """
    fd = open_regular(path)
    try:

        def pread(length: int, offset: int) -> bytes:
            try:
                return os.pread(fd, length, offset)
            except OSError as error:
                raise FileError.of(path, error) from None

        yield open_directory(pread, os.fstat(fd).st_size)
    finally:
        os.close(fd)


def file_of(root: str, file_id: str) -> str:
    """The path of the regular file that a File ID means.

    Raises:
        OutsideFileSet: It is no File ID, or a symbolic link is on the way.
        FileError: There is no such file.
    """
    fault = fault_of(file_id)
    if fault:
        raise OutsideFileSet(f"{file_id!r} is no File ID: {fault}")
    path = root
    components = file_id.split("\\")
    for number, component in enumerate(components):
        path, mode = _below(path, component, file_id)
        if stat.S_ISLNK(mode):
            raise OutsideFileSet(f"{path}: a symbolic link stands for {component} of {file_id!r}")
        last = number == len(components) - 1
        if not (stat.S_ISREG(mode) if last else stat.S_ISDIR(mode)):
            raise FileError(f"{path}: not a {'file' if last else 'folder'}", hint="Is the medium whole?")
    return path


def _below(folder: str, component: str, file_id: str) -> tuple[str, int]:
    for name in (component, component.lower()):
        path = os.path.join(folder, name)
        try:
            return path, os.lstat(path).st_mode
        except FileNotFoundError:
            continue
        except OSError as error:
            raise FileError.of(path, error) from None
    raise FileError(
        f"{file_id!r}: no such file below {folder}", hint="The medium lacks a file that its DICOMDIR names."
    )
