r"""What the numbers of an image can be: sizes above 0, tables as long as they say, one quantity told once.

A rule is what rules.py says it is. ``positive`` makes one from tags, so that a Module states its sizes in one line;
a value that is not there at all (``\0.143``) is no size either.

Sources: PS3.3 10.7.1.3, C.7.6.3, C.7.6.9, C.8.7.2, C.8.11.4, C.11.1.1.1, C.11.2.1.1.
"""

from __future__ import annotations

from agent.iod.conditions import first, values
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.dataset.dataset import DataSet
    from agent.iod.rules import Complaint, Rule

LUT_ENTRIES_16_BIT = 65536  # is written as 0 in a descriptor
ROWS, COLUMNS = 0x00280010, 0x00280011
PIXEL_SPACINGS = (0x00280030, 0x00181164, 0x00182010)
DETECTOR_SIZES = (0x00187020, 0x00187022, 0x00187026, 0x00181149)
# The same quantity in its unit, and in a thousandth of it.
SCALED = ((0x00181150, 0x00188150), (0x00181151, 0x00188151), (0x00181152, 0x00181153))


def numbers(ds: DataSet, tag: int) -> list[float]:
    """Values as numbers, also those given as text; what is none is left to the encoder."""
    return [number for number in map(_number, values(ds, tag)) if number is not None]


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def positive(*tags: int) -> Rule:
    """Make a rule: every value is above 0, or there is none."""

    def rule(ds: DataSet) -> Iterator[Complaint]:
        for tag in tags:
            if any(_is_no_size(value) for value in values(ds, tag)):
                yield tag, "must be above 0"

    return rule


def _is_no_size(value: object) -> bool:
    number = _number(value)
    return value == "" or (number is not None and not number > 0)


def slope(ds: DataSet) -> Iterator[Complaint]:
    """A slope of 0 would make all values one (C.11.1)."""
    if 0 in numbers(ds, 0x00281053):
        yield 0x00281053, "must not be 0"


def distances(ds: DataSet) -> Iterator[Complaint]:
    """Spacing is above 0; of the one row or column there is, it may be 0 (10.7.1.3)."""
    for tag in PIXEL_SPACINGS:
        for value, count in zip(values(ds, tag), (first(ds, ROWS), first(ds, COLUMNS)), strict=False):
            if _is_no_size(value) and not (count == 1 and _number(value) == 0):
                yield tag, "must be above 0"
                break


def scaled(ds: DataSet) -> Iterator[Complaint]:
    """Exposure, time and current in their unit and in a thousandth of it are the same, rounded or cut (C.8.7.2)."""
    for tag, fine in SCALED:
        whole, thousandths = numbers(ds, tag), numbers(ds, fine)
        if whole and thousandths and abs(whole[0] * 1000 - thousandths[0]) >= 1000:
            yield fine, f"is not the {whole[0]:g} of ({tag >> 16:04X},{tag & 0xFFFF:04X}) in thousandths"


def palette(ds: DataSet) -> Iterator[Complaint]:
    """The descriptors of a palette agree, and its tables are as long as they say (C.7.6.3.1.5, C.7.6.3.1.6)."""
    descriptors = [values(ds, tag) for tag in (0x00281101, 0x00281102, 0x00281103)]
    for tag, found in zip((0x00281101, 0x00281102, 0x00281103), descriptors, strict=True):
        if found and list(found) != list(descriptors[0]):
            yield tag, "must equal the descriptor of red"
        if len(found) == 3 and found[2] not in {8, 16}:
            yield tag, "must have 8 or 16 as its third value"
        data = ds.get(tag + 0x100)
        if isinstance(data, bytes):
            yield from _table_length(tag + 0x100, len(data), found)


def luts(ds: DataSet) -> Iterator[Complaint]:
    """Entries of a Modality or VOI LUT have 8 or 16 bits, and are as many as it says (C.11.1.1.1, C.11.2.1.1)."""
    for sequence in (0x00283000, 0x00283010):
        for number, item in enumerate(ds.items_of(sequence), 1):
            descriptor = values(item, 0x00283002)
            if len(descriptor) == 3 and not 8 <= _bits(descriptor) <= 16:
                yield (sequence, number, 0x00283002), "must have 8 or 16 as its third value"
            data = item.get(0x00283006)
            size = len(data) if isinstance(data, bytes) else 2 * len(values(item, 0x00283006))
            for tag, text in _table_length(0x00283006, size, descriptor) if size else ():
                yield (sequence, number, tag), text


def _bits(descriptor: Sequence[object]) -> int:
    return descriptor[2] if isinstance(descriptor[2], int) else 0


def _table_length(tag: int, size: int, descriptor: Sequence[object]) -> Iterator[tuple[int, str]]:
    """Whether a table of so many bytes has the entries of its descriptor, in words or, with 8 bits, in bytes."""
    if len(descriptor) != 3 or not isinstance(descriptor[0], int):
        return
    entries = descriptor[0] % LUT_ENTRIES_16_BIT or LUT_ENTRIES_16_BIT
    allowed = {2 * entries} | ({entries + entries % 2} if descriptor[2] == 8 else set())
    if size not in allowed:
        yield tag, f"has {size} bytes for {entries} entries"
