"""Reading a DICOMDIR, record by record, whatever it is in (PS3.3 Annex F, PS3.10 8.6).

``open_directory`` reads what stands in front of the records; ``Directory.records`` passes over them in the order of the
file, and ``read`` gives one by its offset. Nothing is followed here and nothing is believed: who wants the tree asks
``dicomdir_tree``. Memory holds one record at a time.

The head is read leniently, with a note for each rule that it breaks. A directory is in Explicit VR Little Endian;
Implicit VR Little Endian, which is not allowed and has been written, is read, others are not.
"""

from __future__ import annotations

from agent.dataset.dataset import DataSet
from agent.dataset.decode import Limits, decode
from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, MEDIA_STORAGE_DIRECTORY, uid_name
from agent.errors import DecodeError
from agent.media.lenient import read_prefix
from agent.media.record_scan import MAX_RECORD_BYTES, Place, Window, places, root_of
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.dataset.decode import Stop
    from agent.media.lenient import Note
    from agent.media.part10 import FileMeta

    Pread = Callable[[int, int], bytes]

LIMITS: Final = Limits(total_bytes=MAX_RECORD_BYTES, value_bytes=1 << 20, text_bytes=1 << 16)  # of one record
LAST_NUMBER: Final = 0xFFFFFFFF
NEXT, USED, LOWER, KIND, FILE_ID = 0x00041400, 0x00041410, 0x00041420, 0x00041430, 0x00041500
FIRST, LAST, FLAG, LABEL, DESCRIPTOR = 0x00041200, 0x00041202, 0x00041212, 0x00041130, 0x00041141


class Record(NamedTuple):
    """One Directory Record: where it is, what it points to, and all that it says."""

    offset: int
    after: int  # of the next record of its entity; 0: none
    lower: int  # of the first record below it; 0: none
    kind: str
    file_id: str  # components divided by backslashes; empty: it refers to no file
    dataset: DataSet


class Directory:
    """An open DICOMDIR; ``pread`` must work as long as records are asked for."""

    __slots__ = ("_pread", "_stop", "_syntax", "data_set_offset", "meta", "notes", "root", "size")

    def __init__(self, pread: Pread, size: int) -> None:
        found = read_prefix(pread, size)
        self.meta: FileMeta = found.meta
        self.notes: list[Note] = found.notes  # what was tolerated
        self.data_set_offset = found.data_set_offset
        self.size = size
        self._syntax = found.syntax
        self._pread = Window(pread)
        if found.syntax not in (EXPLICIT_VR_LE, IMPLICIT_VR_LE):
            text = f"a DICOMDIR is in Explicit VR Little Endian, not in {uid_name(found.syntax)}"
            raise DecodeError(text, hint="Whoever made it broke PS3.10 8.6; read the files themselves.")
        self.root: DataSet
        self._stop: Stop | None
        self.root, self._stop = root_of(pread, found.data_set_offset, size, found.syntax)
        if self._stop is None and FIRST not in self.root and self.meta.sop_class_uid != MEDIA_STORAGE_DIRECTORY:
            raise DecodeError("it is no DICOMDIR: it has no Directory Record Sequence")

    @property
    def has_records(self) -> bool:
        """Whether there is a Directory Record Sequence."""
        return self._stop is not None

    def places(self) -> Iterator[Place]:
        """Where each record is, in the order of the file.

        Raises:
            DecodeError: The sequence is damaged or cut short behind those that were given.
        """
        stop = self._stop
        if stop is not None:
            explicit = self._syntax != IMPLICIT_VR_LE
            yield from places(self._pread, stop.value_offset, stop.length, self.size, explicit=explicit)

    def records(self) -> Iterator[Record]:
        """Every record, in the order of the file.

        Raises:
            DecodeError: One is damaged, or what ``places`` raises.
        """
        for place in self.places():
            yield self.read(place)

    def read(self, place: Place) -> Record:
        """The record at a place.

        Raises:
            DecodeError: It is damaged.
        """
        start = place.start
        data = self._pread(place.end - start, start)
        if len(data) < place.end - start:
            raise DecodeError("the records of the directory are cut short", offset=start + len(data))
        try:
            found = decode(data, self._syntax, limits=LIMITS)
        except DecodeError as error:
            raise type(error)(f"the record at byte {place.offset} is damaged: {error.message}") from None
        kind = found.text(KIND)
        file_id = found.text(FILE_ID)
        return Record(place.offset, number_of(found, NEXT), number_of(found, LOWER), kind, file_id, found)


def open_directory(pread: Pread, size: int) -> Directory:
    """Read what a DICOMDIR says in front of its records.

    Args:
        pread: ``pread(length, offset)``; it may return less only at the end of the file.
        size: Of the file in bytes.

    Raises:
        NotDicomError: There is no DICOM in it.
        DecodeError: It is damaged there, in a transfer syntax that no DICOMDIR may have, or another kind of file.
    """
    return Directory(pread, size)


def number_of(dataset: DataSet, tag: int) -> int:
    """An offset or flag; 0 where it is absent or no number of 32 bits."""
    value = dataset.get(tag)
    return value if isinstance(value, int) and 0 <= value <= LAST_NUMBER else 0
