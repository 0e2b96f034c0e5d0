"""The tree that the offsets of a DICOMDIR make of its records (PS3.3 F.2.2, F.3.2.2, F.4).

``Tree`` passes over the records once and keeps some 22 bytes of each; ``walk`` follows the offsets from the root, depth
first, and meets every record once at most, so that loops end. What is wrong with the offsets is gathered in
``faults``: an offset that leads to no record, one that leads to a record met before (a loop, or two parents), a record
that nothing leads to, a type that may not stand where it does, a wrong last record of the root.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left

from agent.errors import DecodeError
from agent.media.dicomdir_reader import FIRST, LAST, number_of
from agent.media.record_scan import Place
from agent.media.records import LOWER
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.media.dicomdir_reader import Directory, Record

_BELOW: Final = {kind: frozenset(text.split("|")) for kind, text in LOWER.items()}
_PRIVATE: Final = "PRIVATE"
NOWHERE, AGAIN, ORPHAN, PLACE, LAST_ROOT = "nowhere", "again", "orphan", "place", "last"


class Fault(NamedTuple):
    """Something wrong with the tree: which record (-1: the root), and what in words."""

    rule: str
    number: int
    text: str


class Step(NamedTuple):
    """A record met on the way: its number in the file, how deep it stands, and the number of the one above (-1)."""

    number: int
    depth: int
    parent: int


class Tree:
    """The offsets of all records; ``damage`` is what ended the sequence before its time."""

    __slots__ = ("_after", "_directory", "_ends", "_kind", "_lower", "_names", "_offsets", "damage", "faults")

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._offsets, self._ends = array("Q"), array("Q")
        self._after, self._lower = array("I"), array("I")
        self._kind = array("H")
        self._names: list[str] = []
        self.damage: DecodeError | None = None
        self.faults: list[Fault] = []
        known: dict[str, int] = {}
        try:
            for place in directory.places():
                self._take(directory.read(place), place, known)
        except DecodeError as error:
            self.damage = error

    def _take(self, record: Record, place: Place, known: dict[str, int]) -> None:
        kind = record.kind if record.kind in known or len(known) < 0xFFFF else ""  # a hostile one names thousands
        if kind not in known:
            known[kind] = len(known)
            self._names.append(kind)
        self._offsets.append(place.offset)
        self._ends.append(place.end)
        self._after.append(record.after)
        self._lower.append(record.lower)
        self._kind.append(known[kind])

    def __len__(self) -> int:
        return len(self._offsets)

    def kind(self, number: int) -> str:
        """The type of a record."""
        return self._names[self._kind[number]]

    def offset(self, number: int) -> int:
        """Where a record is."""
        return self._offsets[number]

    def read(self, number: int) -> Record:
        """A whole record."""
        start = self._offsets[number]
        return self._directory.read(Place(start, start + 8, self._ends[number]))

    def walk(self) -> Iterator[Step]:
        """Every record that the root leads to, those below one right behind it; then ``faults`` is complete."""
        self.faults.clear()
        met = bytearray(len(self))
        root = self._directory.root
        todo = [(number_of(root, FIRST), -1, 0, -1)]  # offset, record above, depth, record that it stands in
        last = 0
        while todo:
            offset, parent, depth, source = todo.pop()
            if not offset:
                continue
            number = self._at(offset, source)
            if number < 0 or self._again(number, source, met):
                continue
            met[number] = 1
            if not depth:
                last = offset
            self._check_place(number, parent)
            yield Step(number, depth, parent)
            todo.append((self._after[number], parent, depth, number))
            todo.append((self._lower[number], number, depth + 1, number))
        for number, seen in enumerate(met):
            if not seen:
                self.faults.append(Fault(ORPHAN, number, "no offset leads to it"))
        stated = number_of(root, LAST)
        if stated != last:
            text = f"the last record of the root is said to be at byte {stated}, and is at {last}"
            self.faults.append(Fault(LAST_ROOT, -1, text))

    def _at(self, offset: int, source: int) -> int:
        number = bisect_left(self._offsets, offset)
        if number < len(self) and self._offsets[number] == offset:
            return number
        self.faults.append(Fault(NOWHERE, source, f"an offset leads to byte {offset}, where no record is"))
        return -1

    def _again(self, number: int, source: int, met: bytearray) -> bool:
        if met[number]:
            text = (
                f"a second offset leads to the record at byte {self._offsets[number]}: a loop, or two records above it"
            )
            self.faults.append(Fault(AGAIN, source, text))
        return bool(met[number])

    def _check_place(self, number: int, parent: int) -> None:
        above = self.kind(parent) if parent >= 0 else ""
        kind = self.kind(number)
        if _PRIVATE in (above, kind) or kind in _BELOW.get(above, ()):
            return
        text = f"{kind or 'a record without type'} may not stand below {above or 'the root'} (PS3.3 Table F.4-1)"
        self.faults.append(Fault(PLACE, number, text))
