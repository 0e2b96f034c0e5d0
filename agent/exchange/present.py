"""The File-set that a medium has already: what an export adds to.

Its records are made anew of its files, so that the new directory is whole whoever wrote the old one; icons are taken
over. A set that is damaged, encrypted or not to be read is refused and stays as it is: an export must not make of a
faulty set one that looks right.

Raises ``MediaError``.
"""

from __future__ import annotations

import os

from agent.errors import AgentError, FileError, MediaError
from agent.exchange.beneath import folder, open_beneath
from agent.exchange.plan import LIMITS, opened
from agent.exchange.writer import DIRECTORY
from agent.media import file_id, records
from agent.media.file import open_file
from agent.media.profile import keys_of
from agent.transcode.job import REFER_BYTES
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet
    from agent.media.profile import Profile

_RECORDS, _FILE_ID, _UID, _ICON, _LABEL = 0x00041220, 0x00041500, 0x00041511, 0x00880200, 0x00041130
_HINT: Final = "Use an empty medium, or look at this one with 'modality-agent media check'."


class Present(NamedTuple):
    """A File-set; all empty where there is none."""

    file_set_uid: str
    label: str
    files: dict[str, str]  # SOP Instance UID -> File ID
    entries: list[records.Entry]
    notes: list[tuple[str, str]]


def present_set(root: str, profile: Profile) -> Present:
    """What is below ``root``."""
    path = f"{root}/{DIRECTORY}"
    if not os.path.lexists(path):
        return Present("", "", {}, [], [])
    try:
        with opened(path) as directory, folder(root) as top:
            rows = directory.dataset.items_of(_RECORDS)
            entries = [_entry(top, row, profile) for row in rows if _FILE_ID in row]
            label = directory.dataset.text(_LABEL)
            uid = directory.meta.sop_instance_uid
    except AgentError as error:
        raise MediaError(f"{path}: the File-set on the medium is not one to add to: {error}", hint=_HINT) from None
    return Present(uid, label, {entry.sop_instance_uid: entry.file_id for entry in entries}, entries, [])


def _entry(top: int, row: DataSet, profile: Profile) -> records.Entry:
    name = row.text(_FILE_ID)
    fault = file_id.fault_of(name)
    if fault:
        raise FileError(f"File ID {name!r}: {fault}")
    fd = open_beneath(top, file_id.path_of(name))
    try:
        file = open_file(
            lambda length, offset: os.pread(fd, length, offset), os.fstat(fd).st_size, limits=LIMITS,
            refer_above=REFER_BYTES,
        )  # fmt: skip
        if file.meta.sop_instance_uid != row.text(_UID):
            raise FileError(f"{name} is not the instance that the directory names")
        icons = row.items_of(_ICON)
        return records.entry_of(name, file.meta, file.dataset, extra=keys_of(profile), icon=icons[0] if icons else None)
    finally:
        os.close(fd)
