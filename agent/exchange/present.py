"""The File-set that a medium has already: what an export adds to.

The records of what stays are made anew of its files, so that the new directory is whole whoever wrote the old one;
icons are taken over. A set that is damaged, encrypted or not to be read is refused and stays as it is: an export must
not make of a faulty set one that looks right. A record that leads out of the medium, or to another instance than it
says, makes a set faulty also where ours is to take its place: the file that it leads to is somebody's.

Raises ``MediaError``.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress

from agent.dataset.decode import Limits
from agent.errors import AgentError, DataSetError, FileError, MediaError
from agent.exchange.beneath import folder, is_beneath, open_beneath
from agent.exchange.writer import DIRECTORY
from agent.media import file_id, records
from agent.media.dicomdir_reader import LABEL, open_directory
from agent.media.file import open_file
from agent.media.part10 import PREFIX_LIMIT_BYTES, decode_prefix
from agent.media.profile import keys_of
from agent.transcode.job import REFER_BYTES
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from agent.exchange.shelf import Rows, Shelf
    from agent.media.dicomdir_reader import Directory, Record
    from agent.media.profile import Profile

_UID, _OWN_UID, _ICON = 0x00041511, 0x00080018, 0x00880200
# An enhanced multi-frame instance has a hundred elements for each frame; but whoever made it, this one came on a stick,
# and an element takes 170 bytes.
_LIMITS: Final = Limits(elements=60_000)
_SHOWN: Final = 200  # characters of a name that is none
_HINT: Final = "Use an empty medium, or look at this one with 'modality-agent media check'."


class There(NamedTuple):
    """An instance that the medium has."""

    sop_instance_uid: str
    file_id: str


class Present(NamedTuple):
    """A File-set; all empty where there is none."""

    file_set_uid: str
    label: str
    files: Rows[There]  # by SOP Instance UID, of those that are there and are it
    named: Rows[str]  # every File ID of the directory, by itself


def present_set(
    root: str, profile: Profile, leaving: Container[str], take: Callable[[records.Entry], None], shelf: Shelf
) -> Present:
    """What is below ``root``; instances of the UIDs in ``leaving`` are written anew, ``take`` gets what stays."""
    path = f"{root}/{DIRECTORY}"
    files = shelf.rows(There._make, key=lambda one: one.sop_instance_uid)
    named = shelf.rows(str, key=str)
    if not os.path.lexists(path):
        return Present("", "", files, named)
    try:
        with folder(root) as top, _directory(top) as directory:
            for record in directory.records():
                if not record.file_id:
                    continue
                uid = record.dataset.text(_UID)
                fault = file_id.fault_of(record.file_id)
                if fault:
                    raise FileError(f"File ID {record.file_id[:_SHOWN]!r}: {fault}")
                named.append(record.file_id)
                if uid not in leaving:
                    take(_entry(top, record, uid, profile))
                elif not _is_there(top, record.file_id, uid):
                    continue
                files.append(There(uid, record.file_id))
            return Present(directory.meta.sop_instance_uid, directory.root.text(LABEL), files, named)
    except AgentError as error:
        raise MediaError(f"{path}: the File-set on the medium is not one to add to: {error}", hint=_HINT) from None


def sizes_of(root: str, shelf: Shelf) -> Rows[tuple[str, int]]:
    """SOP Instance UID and bytes of the files that the DICOMDIR below ``root`` names; empty where it has none."""
    sizes: Rows[tuple[str, int]] = shelf.rows(tuple, key=lambda row: row[0])
    try:
        with folder(root) as top, _directory(top) as directory:
            for record in directory.records():
                if record.file_id and not file_id.fault_of(record.file_id):
                    with suppress(OSError):
                        size = os.lstat(f"{root}/{file_id.path_of(record.file_id)}").st_size
                        sizes.append((record.dataset.text(_UID), size))
    except AgentError:
        return sizes  # whoever writes to it says why not
    return sizes


@contextmanager
def _directory(top: int) -> Iterator[Directory]:
    fd = open_beneath(top, DIRECTORY)
    try:
        yield open_directory(lambda length, offset: os.pread(fd, length, offset), os.fstat(fd).st_size)
    finally:
        os.close(fd)


def _is_there(top: int, name: str, uid: str) -> bool:
    """Whether a file that ours may take the place of is there, and no ruin; another instance is a ``FileError``."""
    path = file_id.path_of(name)
    if not is_beneath(top, path):
        return False
    fd = open_beneath(top, path)
    try:
        meta, _ = decode_prefix(os.pread(fd, PREFIX_LIMIT_BYTES, 0))
    except (DataSetError, OSError):
        return False  # it stays: nothing says whose it was
    finally:
        os.close(fd)
    _require(name, meta.sop_instance_uid, uid)
    return True


def _require(name: str, found: str, uid: str) -> None:
    if found != uid:
        raise FileError(f"{name} is not the instance that the directory names")


def _entry(top: int, record: Record, uid: str, profile: Profile) -> records.Entry:
    name = record.file_id
    fd = open_beneath(top, file_id.path_of(name))
    try:
        file = open_file(
            lambda length, offset: os.pread(fd, length, offset), os.fstat(fd).st_size, limits=_LIMITS,
            refer_above=REFER_BYTES,
        )  # fmt: skip
        _require(name, file.meta.sop_instance_uid, uid)
        _require(name, file.dataset.text(_OWN_UID) or uid, uid)
        icons = record.dataset.items_of(_ICON)
        return records.entry_of(name, file.meta, file.dataset, extra=keys_of(profile), icon=icons[0] if icons else None)
    finally:
        os.close(fd)
