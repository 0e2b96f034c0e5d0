"""Values in memory: their types, and reading them from bytes.

========================  =====================================================================
VR                        value
========================  =====================================================================
text, UI, dates, AS, AE   ``str``; several: list of ``str``
IS                        ``int``; DS ``float``; what is no number stays ``str``
US SS UL SL UV SV FL FD   ``int`` or ``float``; several: list
AT                        ``int`` tag; several: list
OB OW OD OF OL OV UN      ``bytes``
SQ                        list of ``DataSet`` (empty list: no items)
encapsulated Pixel Data   ``Fragments``
any, left on disk         ``Reference`` (only where ``Decoder`` was told to, ``refer_above``)
any, empty                ``None``; an empty one among several is ``""``
========================  =====================================================================

Reading is tolerant: it never fails, because by then the structure is known to be sound and nobody is helped by losing
a study over a letter in a Patient ID. Writing is strict (``rules``). Reading happens when a value is asked for; until
then a Data Set that was read holds ``Raw`` bytes, which is fast and lets unchanged elements be written byte for byte.
"""

from __future__ import annotations

import struct

from agent.dataset.charset import DEFAULT, Charset
from agent.dataset.vr import BYTES, NUMBER, TAG, VRS
from agent.typed import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.dataset.dataset import DataSet


class Fragments(NamedTuple):
    """Encapsulated Pixel Data held in memory (PS3.5 A.4): the Basic Offset Table item and the fragments behind it."""

    offset_table: bytes
    fragments: tuple[bytes, ...]


class Reference:
    """A value that was left where it is: ``length`` bytes at ``offset`` of what the Data Set was read from.

    Of encapsulated Pixel Data all items and the delimiter behind them are meant. ``word`` is above 1 where the bytes
    are big endian words of that size; whoever copies them has to swap. ``charset`` matters for text only.
    """

    __slots__ = ("charset", "encapsulated", "length", "offset", "word")

    def __init__(
        self, offset: int, length: int, *, encapsulated: bool = False, word: int = 1, charset: Charset = DEFAULT
    ) -> None:
        self.offset = offset
        self.length = length
        self.encapsulated = encapsulated
        self.word = word
        self.charset = charset

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reference):
            return NotImplemented
        return (self.offset, self.length, self.encapsulated) == (other.offset, other.length, other.encapsulated)

    def __hash__(self) -> int:
        return hash((self.offset, self.length))

    def __repr__(self) -> str:
        return f"Reference({self.offset}, {self.length}{', encapsulated=True' if self.encapsulated else ''})"


Scalar: TypeAlias = "str | int | float"
Value: TypeAlias = (
    "Scalar | bytes | bytearray | memoryview | Fragments | Reference | Sequence[Scalar] | Sequence[DataSet] | None"
)


class Wire(NamedTuple):
    """How an element stood in the bytes, where we would write it otherwise; see ``encode`` for what becomes of it."""

    vr: str  # UN where the dictionary knew better, or a VR that this edition does not know
    undefined: bool = False  # length


class Element(NamedTuple):
    """A Data Element: tag, VR and value in memory."""

    tag: int
    vr: str
    value: Value
    wire: Wire | None = None


class Raw(NamedTuple):
    """A Data Element as it was read: little endian bytes, and the character set they are in."""

    tag: int
    vr: str
    data: bytes
    charset: Charset = DEFAULT
    wire: Wire | None = None


# An element of a run that nobody has asked for yet: VR, the bytes at hand, where its value starts and ends in them, and
# the character set. A plain tuple, because of a hundred elements in a file most programs look at ten.
Unread: TypeAlias = "tuple[str, bytes, int, int, Charset]"
_new = tuple.__new__  # half the price of Raw(...)


def raw_of(tag: int, unread: Unread) -> Raw:
    """The element that was left in the bytes around it."""
    vr, data, start, end, charset = unread
    return _new(Raw, (tag, vr, data[start:end], charset, None))


# Both ends of these are insignificant (PS3.5 6.2); in the others only the padding at the end is taken off.
_STRIP_BOTH = frozenset({"AE", "CS", "DS", "IS", "DA", "TM", "DT", "AS"})
_NUMBERS_AS_TEXT = frozenset({"IS", "DS"})
_PADDING = " \0"


def parse(raw: Raw) -> Value:
    """The value of an element that was read; never fails, bytes that fit no number stay bytes."""
    _, vr, data, charset, _ = raw
    row = VRS.get(vr)
    if row is None or row.kind is BYTES:
        return data
    if not data:
        return None
    if row.kind is NUMBER or row.kind is TAG:
        count, rest = divmod(len(data), row.size)
        if rest:
            return data
        numbers: tuple[int | float, ...]
        if row.kind is TAG:
            halves = struct.unpack(f"<{2 * count}H", data)
            numbers = tuple(high << 16 | low for high, low in zip(halves[::2], halves[1::2], strict=True))
        else:
            numbers = struct.unpack(f"<{count}{row.code}", data)
        return numbers[0] if count == 1 else list(numbers)
    text = charset.decode(data, name=vr == "PN") if row.charset else data.decode("ascii", "replace")
    return _parse_text(vr, text, multi=row.multi)


def _parse_text(vr: str, text: str, *, multi: bool) -> Value:
    text = text.rstrip(_PADDING)
    if not multi:
        return text or None
    if "\\" not in text:
        if vr in _NUMBERS_AS_TEXT:
            return _scalar(vr, text) if text else None
        return (text.lstrip(_PADDING) if vr in _STRIP_BOTH else text) or None
    return [_scalar(vr, part) for part in text.split("\\")]


def _scalar(vr: str, text: str) -> Scalar:
    text = text.strip(_PADDING) if vr in _STRIP_BOTH else text.rstrip(_PADDING)
    if vr == "IS" and text.lstrip("+-").isdecimal() and text.isascii():
        return int(text) if len(text) <= VRS["IS"].limit else text
    if vr == "DS" and text and "_" not in text and text[-1].isdigit() | (text[-1] == "."):
        try:
            return float(text)
        except ValueError:
            return text
    return text
