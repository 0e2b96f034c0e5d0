"""The open structures of a Data Set being decoded, and the header of one element (PS3.5 7.1, 7.5).

A level is the root or an item (both hold a Data Set), a sequence, or encapsulated Pixel Data. It ends where its length
says or at its delimiter, and never beyond the level around it. A list of levels takes the place of recursion.
"""

from __future__ import annotations

import struct

from agent.dataset import tag as tags
from agent.dataset.dataset import DataSet, Form
from agent.dataset.values import Element, Fragments, Raw, Reference, Wire
from agent.dataset.vr import VRS, choose, is_ambiguous, word_bytes
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.charset import Charset

UNDEFINED = 0xFFFFFFFF  # the length that stands for none
NOWHERE = 1 << 64  # an end no offset reaches: the level has no length of its own


class Limits(NamedTuple):
    """What a Data Set may ask of us; the defaults are far above what an archive returns or a modality writes."""

    total_bytes: int = 64 << 20  # all that is held in memory; pixel data are left where they are (``stop_before``)
    value_bytes: int = 16 << 20  # largest value held: an overlay of a 100 megapixel detector, or offsets of 10^6 frames
    text_bytes: int = 1 << 20  # largest text value
    elements: int = 10_000  # in all levels together
    depth: int = 16  # sequences inside sequences; the deepest real SR trees have about ten
    fragments: int = 65_536  # of one Pixel Data element


class Stop(NamedTuple):
    """The root element the decoder stopped before: where its value starts, and its length (-1: undefined)."""

    tag: int
    vr: str
    header_offset: int
    value_offset: int
    length: int


class Syntax(NamedTuple):
    """How headers are encoded; it may change inside UN (PS3.5 6.2.2)."""

    implicit: bool
    big: bool = False


EXPLICIT, IMPLICIT, BIG = Syntax(implicit=False), Syntax(implicit=True), Syntax(implicit=False, big=True)
DEFINED_UN = Wire("UN")
NO_VR = "?"
_VR_NAMES = {name.encode(): name for name in VRS}
_SHORT_VRS = {name.encode(): name for name, row in VRS.items() if not row.long}
_HEADER_LE, _HEADER_BE = struct.Struct("<HH2sH"), struct.Struct(">HH2sH")
ITEM_BYTES = 8  # of a header without VR
_LENGTH_LE, _LENGTH_BE = struct.Struct("<I"), struct.Struct(">I")


class Header(NamedTuple):
    """The header of a Data Element as it stands in the bytes."""

    tag: int
    vr: str
    size: int  # of the header itself
    length: int  # of the value; UNDEFINED
    wire: Wire | None = None  # where the VR in the bytes is not ``vr``


class Level:
    """One open structure: ``dataset`` for root and items, ``items`` for a sequence, ``fragments`` for pixel data."""

    __slots__ = (
        "bound",
        "charset",
        "dataset",
        "end",
        "fragments",
        "items",
        "last",
        "ordered",
        "start",
        "syntax",
        "tag",
        "vr",
        "wire",
    )

    def __init__(self, tag: int, start: int, end: int, bound: int, syntax: Syntax, charset: Charset) -> None:
        self.tag = tag  # of the sequence or pixel data
        self.start = start  # where its content starts
        self.end = end  # where it ends by its length, or NOWHERE
        self.bound = end if end < bound else bound  # where it ends at the latest
        self.syntax = syntax
        self.charset = charset
        self.dataset: DataSet | None = None
        self.items: list[DataSet] | None = None
        self.fragments: list[bytes] | None = None
        self.vr = "SQ"
        self.wire: Wire | None = None
        self.last = -1  # the highest tag so far
        self.ordered = True  # whether tags have ascended so far


def read_header(data: bytes, here: int, syntax: Syntax, vr_of: Callable[[int], str]) -> Header | None:
    """The header that starts here, of which eight bytes are there; None where it needs twelve.

    ``NO_VR`` is its VR where that is not even two capital letters; delimiters have none.
    """
    layout, long_layout = (_HEADER_BE, _LENGTH_BE) if syntax.big else (_HEADER_LE, _LENGTH_LE)
    group, number, vr, short = layout.unpack_from(data, here)
    tag = group << 16 | number
    if syntax.implicit or group == 0xFFFE:
        length: int = long_layout.unpack_from(data, here + 4)[0]
        return Header(tag, "" if group == 0xFFFE else vr_of(tag), 8, length)
    if vr in _SHORT_VRS:
        return Header(tag, _SHORT_VRS[vr], 8, short)
    if not (vr.isalpha() and vr.isupper()):
        return Header(tag, NO_VR, 8, 0)
    if len(data) < here + 12:
        return None
    length = long_layout.unpack_from(data, here + 8)[0]
    if vr == b"UN" and not tags.is_private(tag):
        return Header(tag, vr_of(tag), 12, length, DEFINED_UN)
    return (
        Header(tag, "UN", 12, length, Wire(vr.decode()))
        if vr not in _VR_NAMES
        else Header(tag, _VR_NAMES[vr], 12, length)
    )


def decide(undecided: list[tuple[DataSet, int]], root: DataSet) -> None:
    """Choose the VRs that depend on what was read since."""
    for dataset, tag in undecided:
        raw = dataset.held[tag]
        if isinstance(raw, Raw) and is_ambiguous(raw.vr):
            signed = dataset.get(tags.PIXEL_REPRESENTATION, root.get(tags.PIXEL_REPRESENTATION, 0)) == 1
            dataset.held[tag] = raw._replace(vr=choose(raw.vr, raw.data, signed=signed, wide=True))


def set_form(level: Level, dataset: DataSet, form: Form) -> None:
    """Note how the Data Set of a level stood in the bytes."""
    dataset.form = form if level.ordered else form._replace(order=tuple(dataset.held))


def set_charset(dataset: DataSet, before: Charset, charset: Charset) -> None:
    """Put another character set in place of the one that all of a Data Set inherited."""
    pending = [dataset]
    while pending:
        stored = pending.pop().stored
        for tag, found in stored.items():
            if isinstance(found, Raw) and found.charset is before:
                stored[tag] = found._replace(charset=charset)
            elif isinstance(found, Element) and isinstance(found.value, list):
                items = [item for item in found.value if isinstance(item, DataSet)]
                pending += [item for item in items if tags.SPECIFIC_CHARACTER_SET not in item.stored]


def left_element(level: Level, header: Header, at: int) -> Element:
    """The element of a value that is left where it is; its header starts at this offset."""
    tag, vr, size, length, wire = header
    vr = choose(vr, b"", signed=False, wide=True) if is_ambiguous(vr) else vr
    word = word_bytes(vr) if level.syntax.big and wire is not DEFINED_UN else 1
    return Element(tag, vr, Reference(at + size, length, word=word, charset=level.charset), wire)


def pixels_of(level: Level, fragments: list[bytes], left: int | None) -> Element:
    """Encapsulated Pixel Data: what was kept, or a reference that ends at ``left``."""
    value: Fragments | Reference = Fragments(fragments[0], tuple(fragments[1:]))
    if left is not None:
        value = Reference(level.start, left - level.start, encapsulated=True)
    return Element(level.tag, level.vr, value, level.wire)


def end_all(levels: list[Level], undecided: list[tuple[DataSet, int]]) -> DataSet:
    """Hand what open items and sequences hold to what is around them; the root."""
    while len(levels) > 1:
        level = levels.pop()
        outer = levels[-1]
        if level.dataset is not None and outer.items is not None:
            outer.items.append(level.dataset)
        elif level.items is not None and outer.dataset is not None:
            outer.dataset.held[level.tag] = Element(level.tag, "SQ", level.items, level.wire)
    root = levels[0].dataset
    assert root is not None
    decide(undecided, root)
    return root


def next_tag(level: Level, data: bytes) -> int | None:
    """The tag of the element whose header starts these bytes, if there is one."""
    if level.dataset is None or len(data) < ITEM_BYTES:
        return None
    layout = _HEADER_BE if level.syntax.big else _HEADER_LE
    group, number, _, _ = layout.unpack_from(data)
    return int(group << 16 | number)


def path_of(levels: list[Level]) -> str:
    """The open items, as in ``(0040,0275)[0]``."""
    return "".join(f"{tags.tag_str(level.tag)}[{len(level.items)}]" for level in levels if level.items is not None)
