"""File-sets in a file system: where the DICOMDIR is, and which file a File ID means (PS3.12).

A File ID comes from whoever made the medium. It leads to a file only if it is one (``agent.media.file_id``), and no
component of it is a symbolic link: what is outside of the File-set is never opened. An ISO 9660 medium without its own
names shows them in lower case, so that a name is looked for as it is written and then in lower case.
"""

from __future__ import annotations

import contextlib
import os
import stat
from contextlib import contextmanager

from agent.app.source_file import opened, reading
from agent.dataset.uid import MEDIA_STORAGE_DIRECTORY
from agent.errors import DataSetError, FileError, OutsideFileSet
from agent.exchange.foreign import refuse_foreign
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
        FileError: There is nothing of that name, or something that is no File-set.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise FileError.of(path, error) from None
    refuse_foreign(path)
    if not stat.S_ISDIR(mode):
        require_directory(path)
        return Place(os.path.dirname(path) or ".", path)
    for name in (DICOMDIR, DICOMDIR.lower()):
        found = os.path.join(path, name)
        if os.path.lexists(found):
            return Place(path, found)
    return Place(path, "")


def sets_below(root: str) -> list[str]:
    """Folders of a folder that are File-sets: several media beside each other, as an export makes them."""
    try:
        names = sorted(entry.name for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []
    return [name for name in names if os.path.lexists(f"{root}/{name}/{DICOMDIR}")]


def require_directory(path: str) -> None:
    """Refuse a file that neither is called DICOMDIR nor is one: the folder around it is not what was meant."""
    if os.path.basename(path).upper() == DICOMDIR:
        return
    with contextlib.suppress(DataSetError), opened(path, lenient=True, header_only=True) as file:
        if file.meta.sop_class_uid == MEDIA_STORAGE_DIRECTORY:
            return
    hint = "Name the folder of a File-set, or its DICOMDIR; 'modality-agent check FILE' checks one file."
    raise FileError(f"{path} is a file, and no DICOMDIR", hint=hint)


@contextmanager
def opened_directory(path: str) -> Iterator[Directory]:
    """Open a DICOMDIR; records can be read inside the block.

    Raises:
        FileError: It cannot be read.
        DecodeError: It is none, or damaged in front of its records.
    """
    with reading(path) as (pread, size):
        yield open_directory(pread, size)


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
