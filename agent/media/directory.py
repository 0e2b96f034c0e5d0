"""A DICOMDIR: records that find each other by their place in the file (PS3.3 F.3.2.2, PS3.10 8.6).

Offsets count bytes from the start of the file to the item of a record, so that whatever changes the length of anything
in front of them breaks all of them: such a file is not rewritten. ``stray_offsets`` finds those that lead to no record.
"""

from __future__ import annotations

from agent.dataset.tag import tag_str
from agent.dataset.uid import EXPLICIT_VR_LE, MEDIA_STORAGE_DIRECTORY
from agent.errors import EncodeError
from agent.media.record_scan import RECORDS, Window, places, root_of
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.media.file import DicomFile

_ROOT: Final = (0x00041200, 0x00041202)  # first and last record of the root entity
_RECORD: Final = (0x00041400, 0x00041420)  # next record, and first one of the entity below
_END: Final = 1 << 63  # that of the file, which was read already


def is_directory(file: DicomFile) -> bool:
    """Whether a file is a DICOMDIR."""
    return file.meta.sop_class_uid == MEDIA_STORAGE_DIRECTORY or RECORDS in file.dataset


def require_no_directory(file: DicomFile) -> None:
    """Raise ``EncodeError`` for a DICOMDIR: its offsets would lead nowhere in another file."""
    if is_directory(file):
        raise EncodeError(
            "a DICOMDIR is not rewritten: its records are found by their place in this very file",
            hint="Make a new one of the new files with a tool for File-sets, such as DCMTK's dcmmkdir.",
        )


def stray_offsets(file: DicomFile) -> Iterator[tuple[str, int, int]]:
    """Path, tag and value of every offset of a DICOMDIR in Explicit VR Little Endian that leads to no record.

    Raises:
        DecodeError: The records cannot be followed.
    """
    if file.meta.transfer_syntax_uid != EXPLICIT_VR_LE:
        return
    known = {0}  # which is how one says that there is none
    if RECORDS in file.dataset:
        known.update(_places(file))
    for tag in _ROOT:
        value = file.dataset.get(tag)
        if isinstance(value, int) and value not in known:
            yield tag_str(tag), tag, value
    for number, record in enumerate(file.dataset.items_of(RECORDS), 1):
        for tag in _RECORD:
            value = record.get(tag)
            if isinstance(value, int) and value not in known:
                yield f"{tag_str(RECORDS)}[{number}].{tag_str(tag)}", tag, value


def _places(file: DicomFile) -> Iterator[int]:
    """Where the items of the records are."""
    _, stop = root_of(file.pread, file.data_set_offset, _END, EXPLICIT_VR_LE)
    if stop is not None:
        for place in places(Window(file.pread), stop.value_offset, stop.length, _END):
            yield place.offset
