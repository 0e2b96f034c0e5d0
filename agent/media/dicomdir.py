r"""Writing a DICOMDIR: any number of records, in bounded memory (PS3.3 Annex F, PS3.10 8.6).

Of instances that fit in memory, as those of an export::

    entries = [entry_of(r"A\B\00000001", file.meta, file.dataset, extra=profile, icon=item), ...]   # records.py
    data = build(entries, FileSet(uid, "STICK_1"))

Of any number, kept wherever::

    for piece in stream(rows, FileSet(uid)): out.write(piece)

``rows`` gives the records in the order of the file, each before those below it, and is asked twice: offsets point
forward, so the first pass measures. Four bytes per record is all that is kept between the two. This order, in which
every record stands behind the one it belongs to, is the one that readers understand that only look from record to
record and never at an offset.

A File-set has each Patient ID once (F.5.1). Where two patients carry the same one, by issuer, name or birth date, the
second is listed under a Patient ID with a number behind it, because under the name of another an image is lost; where a
study says that it is of two patients, it is listed under each with what is hers. ``Arrangement.notes`` tells both.
"""

from __future__ import annotations

import struct
from array import array

from agent.dataset.dataset import DataSet
from agent.dataset.decode import decode
from agent.dataset.encode import element_header, encode, item_header
from agent.dataset.uid import EXPLICIT_VR_LE, MEDIA_STORAGE_DIRECTORY
from agent.errors import EncodeError, LimitError
from agent.media import file_id as file_ids
from agent.media.part10 import FileMeta, encode_prefix
from agent.media.records import ABOVE, PATIENT_ID, Entry, Part
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RECORDS: Final = 0x00041220
LAST_OFFSET: Final = 0xFFFFFFFE  # offsets and the length of the sequence are 32-bit numbers
IN_USE: Final = 0xFFFF
MAX_PATIENT_ID: Final = 64  # characters of LO
_UL, _US = struct.Struct("<HH2sHI"), struct.Struct("<HH2sHH")
_UL_BYTES, _US_BYTES = _UL.size, _US.size


Person = tuple[str, str, str]  # issuer of the Patient ID, name, birth date; what is empty is not known


class FileSet(NamedTuple):
    """What a directory says of its File-set; ``uid`` stays the same as long as there is the File-set (PS3.10 8.6)."""

    uid: str
    label: str = ""  # File-set ID: at most 16 characters of a File ID
    descriptor: str = ""  # File ID of a README, and the character set it is in
    descriptor_charset: str = ""
    source_ae_title: str = ""


class Row(NamedTuple):
    """One record to write: how deep it stands (0: at the root), its type, and its encoded keys."""

    depth: int
    kind: str
    body: bytes


def build(entries: Iterable[Entry], file_set: FileSet) -> bytes:
    """The whole DICOMDIR of some instances.

    Raises:
        EncodeError: Two instances have one File ID or one SOP Instance UID, or a name of the File-set is none.
        LimitError: It would be longer than its offsets reach.
    """
    return b"".join(stream(Arrangement(entries), file_set))


def stream(rows: Iterable[Row], file_set: FileSet) -> Iterator[bytes]:
    """The DICOMDIR in pieces, a record each.

    Args:
        rows: Every record in the order of the file; iterated twice and must give the same both times.
        file_set: What it is the directory of.

    Raises:
        EncodeError, LimitError: As ``build``, before the first piece.
    """
    head = _head(file_set)
    start = sum(map(len, head)) + 2 * _UL_BYTES + _US_BYTES + 12
    after, first, last, end = _measure(rows, start)
    yield b"".join(
        (
            *head,
            _UL.pack(0x0004, 0x1200, b"UL", 4, first),
            _UL.pack(0x0004, 0x1202, b"UL", 4, last),
            _US.pack(0x0004, 0x1212, b"US", 2, 0),
            element_header(RECORDS, "SQ", end - start, explicit=True),
        )
    )
    at = start
    for number, (row, below) in enumerate(_with_next(rows)):
        size = _size(row)
        lower = at + size if below is not None and below.depth > row.depth else 0
        yield item_header(size - 8) + _links(row.kind, after[number], lower) + row.body
        at += size
    if at != end:
        raise EncodeError("the records of a directory changed while it was written")


class Arrangement:
    """Instances in the order of a directory, each record above them once; ``notes`` are (File ID, what is odd)."""

    __slots__ = ("_entries", "_parts", "notes")

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.notes: list[tuple[str, str]] = []
        self._entries: list[tuple[tuple[str, ...], Entry]] = []
        self._parts: dict[tuple[str, ...], Part] = {}
        groups = _Groups(self.notes)
        names: set[str] = set()
        uids: set[str] = set()
        for entry in entries:
            for known, name, tag in ((names, entry.file_id, 0x00041500), (uids, entry.sop_instance_uid, 0x00041511)):
                if name in known:
                    raise EncodeError(f"two instances are called {name}; a File-set has each once", tag=tag)
                known.add(name)
            self.notes += [(entry.file_id, note) for note in entry.notes]
            place: tuple[str, ...] = ()
            for part in groups.above(entry):
                place = (*place, part.key)
                self._parts.setdefault(place, part)
            self._entries.append((place, entry))
        self._entries.sort(key=self._order)

    def _order(self, row: tuple[tuple[str, ...], Entry]) -> tuple[str, ...]:
        place, entry = row
        above = (text for depth in range(len(place)) for text in (self._parts[place[: depth + 1]].order, place[depth]))
        return ("0" if place else "1", *above, entry.order, entry.file_id)  # what is of no patient comes last

    def __iter__(self) -> Iterator[Row]:
        before: tuple[str, ...] = ()
        for place, entry in self._entries:
            same = 0
            while same < min(len(place), len(before)) and place[same] == before[same]:
                same += 1
            for depth in range(same, len(place)):
                yield Row(depth, ABOVE[depth], self._parts[place[: depth + 1]].body)
            yield Row(len(place), entry.kind, entry.body)
            before = place


class _Groups:
    """Which patient and study an instance is listed under."""

    def __init__(self, notes: list[tuple[str, str]]) -> None:
        self._notes = notes
        self._patients: dict[str, list[Part]] = {}  # by Patient ID, several where it is not that of one person
        self._keys: set[str] = set()  # the Patient IDs that are listed
        self._studies: dict[str, list[tuple[str, int]]] = {}  # its patients: the Patient ID as it was, and which of it

    def above(self, entry: Entry) -> tuple[Part, ...]:
        """The records above an instance, as they are to be written."""
        if not entry.above:
            return ()
        patient, study, series = entry.above
        known = self._patients.setdefault(patient.key, [])
        listed = self._studies.setdefault(study.key, [])
        mine = [(number, known[number].person) for said, number in listed if said == patient.key]
        number = which(mine, patient.person)
        if number is None:
            number = which([(number, part.person) for number, part in enumerate(known)], patient.person)
        if number is None:
            number = self._new(known, patient, entry.file_id)
        part = known[number]
        known[number] = part._replace(person=whole(part.person, patient.person))
        if (patient.key, number) not in listed:
            if listed:
                said, other = listed[0]
                self._notes.append((entry.file_id, other_patient(study.key, self._patients[said][other].key, part.key)))
            listed.append((patient.key, number))
        return (part, study, series)

    def _new(self, known: list[Part], wanted: Part, file_id: str) -> int:
        made, turn = wanted, len(known)
        while known or made.key in self._keys:
            turn += 1
            made = renamed(wanted, turn)
            if made.key not in self._keys:
                self._notes.append((file_id, renamed_note(wanted.key, made.key)))
                break
        self._keys.add(made.key)
        known.append(made)
        return len(known) - 1


def which(known: Iterable[tuple[int, Person]], person: Person) -> int | None:
    """Which of the patients with one Patient ID somebody is; none where nobody fits, or more than one."""
    fits = [(number, theirs) for number, theirs in known if same_person(theirs, person)]
    same = [number for number, theirs in fits if theirs == person]
    return same[0] if same else fits[0][0] if len(fits) == 1 else None


def whole(one: Person, other: Person) -> Person:
    """What both together say of one patient."""
    return (one[0] or other[0], one[1] or other[1], one[2] or other[2])


def same_person(one: Person, other: Person) -> bool:
    """Whether nothing that both say of a patient differs."""
    return all(mine == theirs or not mine or not theirs for mine, theirs in zip(one, other, strict=True))


def renamed(part: Part, number: int) -> Part:
    """The PATIENT record of another patient with a Patient ID that is taken."""
    tail = f"_{number}"
    key = part.key[: MAX_PATIENT_ID - len(tail)] + tail
    body = decode(part.body, EXPLICIT_VR_LE)
    body.set(PATIENT_ID, key)
    return part._replace(key=key, body=encode(body, EXPLICIT_VR_LE), order=f"{part.order}{tail}")


def renamed_note(taken: str, given: str) -> str:
    """What is said of a patient whose Patient ID is that of another."""
    return f"Patient ID {taken} is that of another patient, too: listed as {given}"


def other_patient(study: str, patient: str, own: str) -> str:
    """What is said of the first instance of a study that is of another patient by those before it."""
    return f"study {study} is of patient {patient} by other instances, of {own} by this one: listed under each"


# --- bytes --------------------------------------------------------------------------------------


def _head(file_set: FileSet) -> list[bytes]:
    """Everything in front of the first offset."""
    if not file_ids.is_label(file_set.label):
        raise EncodeError(f"{file_set.label!r} is no File-set ID: at most 16 of A-Z, 0-9 and _", tag=0x00041130)
    made = DataSet()
    made.set(0x00041130, file_set.label or None)
    if file_set.descriptor:
        fault = file_ids.fault_of(file_set.descriptor)
        if fault:
            raise EncodeError(f"{file_set.descriptor!r} is no File ID: {fault}", tag=0x00041141)
        made.set(0x00041141, file_set.descriptor.split("\\"))
        if file_set.descriptor_charset:
            made.set(0x00041142, file_set.descriptor_charset)
    meta = FileMeta(MEDIA_STORAGE_DIRECTORY, file_set.uid, EXPLICIT_VR_LE, file_set.source_ae_title)
    return [encode_prefix(meta), encode(made, EXPLICIT_VR_LE)]


def _measure(rows: Iterable[Row], at: int) -> tuple[array[int], int, int, int]:
    """For each record where its next sibling is (0: none); where first and last of the root are, and the end."""
    after = array("L" if array("L").itemsize == 4 else "I")
    open_: list[int] = []  # the last record of each depth
    first = last = 0
    for number, row in enumerate(rows):
        if row.depth > len(open_):
            raise EncodeError(f"a {row.kind} record stands below nothing")
        if row.depth < len(open_):
            after[open_[row.depth]] = at
            del open_[row.depth :]
        open_.append(number)
        after.append(0)
        if row.depth == 0:
            first, last = first or at, at
        at += _size(row)
        if at > LAST_OFFSET:
            text = "a DICOMDIR of more than 4 GiB cannot point to its last records"
            raise LimitError(text, hint="Make two File-sets.")
    return after, first, last, at


def _with_next(rows: Iterable[Row]) -> Iterator[tuple[Row, Row | None]]:
    before: Row | None = None
    for row in rows:
        if before is not None:
            yield before, row
        before = row
    if before is not None:
        yield before, None


def _size(row: Row) -> int:
    """Bytes of a record with its item header."""
    return 8 + 2 * _UL_BYTES + _US_BYTES + 8 + len(row.kind) + (len(row.kind) & 1) + len(row.body)


def _links(kind: str, after: int, lower: int) -> bytes:
    value = kind.encode() + b" " * (len(kind) & 1)
    return (
        _UL.pack(0x0004, 0x1400, b"UL", 4, after)
        + _US.pack(0x0004, 0x1410, b"US", 2, IN_USE)
        + _UL.pack(0x0004, 0x1420, b"UL", 4, lower)
        + element_header(0x00041430, "CS", len(value), explicit=True)
        + value
    )
