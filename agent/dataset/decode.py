"""Bytes to a Data Set, in pieces of any size (PS3.5 7 and Annex A).

Whoever sends the bytes may be broken or hostile, so this page is strict about structure and indifferent to content:

* Every length is checked against what encloses it and against ``Limits`` before a byte is kept for it; nothing is ever
  allocated from a length field.
* Nesting is a list of levels (``level``), not recursion; depth, count and size end in ``DecodeError`` with tag path
  and offset. No other exception leaves this page, and a decoder that has raised stays dead.
* Values are kept as they came (``Raw``) and understood when asked for; a wrong date is not our business here.

What is tolerated because it is common and harmless: odd lengths, tags out of order, group lengths, empty or absent
padding, UN with a known tag (its content is Implicit VR, PS3.5 6.2.2), VRs this edition does not know.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from agent.dataset import dictionary
from agent.dataset import tag as tags
from agent.dataset.charset import DEFAULT, charset_to_read
from agent.dataset.dataset import DataSet
from agent.dataset.level import NOWHERE, UNDEFINED, Header, Level
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE, IMPLICIT_VR_LE
from agent.dataset.values import Element, Fragments, Raw, Reference
from agent.dataset.vr import TAG, TEXT, VRS, choose, is_ambiguous
from agent.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.deflate import Inflater


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


_STEP_BYTES = 64 * 1024  # how much ``decode`` and inflation take at a time
_FIRST_DELIMITER = 0xFFFE0000
_LONGEST_SHORT_BYTES = 0xFFFF
_ITEM_START = b"\xfe\xff\x00\xe0"
_VR_NAMES = {name.encode(): name for name in VRS}
_SHORT_VRS = {name.encode(): name for name, row in VRS.items() if not row.long}
_TEXT_VRS = frozenset(name for name, row in VRS.items() if row.kind is TEXT)
_HEADER_LE, _HEADER_BE = struct.Struct("<HH2sH"), struct.Struct(">HH2sH")
_LENGTH_LE, _LENGTH_BE = struct.Struct("<I"), struct.Struct(">I")


def decode(
    data: bytes | bytearray | memoryview,
    transfer_syntax: str,
    *,
    limits: Limits = Limits(),  # noqa: B008  (immutable)
    stop_before: int | None = None,
    vr_of: Callable[[int], str] = dictionary.vr_of,
) -> DataSet:
    """A Data Set from all its bytes; see ``Decoder`` for the arguments.

    Raises:
        DecodeError: The bytes are not a complete Data Set in this transfer syntax, or exceed a limit.
    """
    decoder = Decoder(transfer_syntax, limits=limits, stop_before=stop_before, vr_of=vr_of)
    view = memoryview(data)
    for at in range(0, len(view), _STEP_BYTES):
        decoder.feed(view[at : at + _STEP_BYTES])
        if decoder.stop is not None:
            break
    return decoder.finish()


class Decoder:
    """Decodes a Data Set that arrives in pieces.

    Args:
        transfer_syntax: Implicit VR is told by the UID; everything unknown is Explicit VR Little Endian (PS3.5 10).
        limits: Bounds on what is kept.
        stop_before: Stop at the first root element with this tag or a higher one; see ``stop``.
        vr_of: VRs for Implicit VR; the default is the dictionary.
        offset: Of the first byte in what the bytes come from; ``stop``, ``Reference`` and errors count from there.
        refer_above: Leave longer values where they are: each becomes a ``Reference``, and so does encapsulated Pixel
            Data of any length. They pass by unseen (``skip``) and count against no limit. Not for Deflated, whose
            values are nowhere to refer to; the default is to hold everything.
    """

    def __init__(
        self,
        transfer_syntax: str,
        *,
        limits: Limits = Limits(),  # noqa: B008  (immutable)
        stop_before: int | None = None,
        vr_of: Callable[[int], str] = dictionary.vr_of,
        offset: int = 0,
        refer_above: int | None = None,
    ) -> None:
        self.stop: Stop | None = None
        self._limits = limits
        self._stop_before = _FIRST_DELIMITER if stop_before is None else stop_before
        self._vr_of = vr_of
        big = transfer_syntax == EXPLICIT_VR_BE
        self._swap = big
        if refer_above is None or transfer_syntax == DEFLATED_EXPLICIT_VR_LE:
            refer_above = NOWHERE
        self._refer_above = refer_above
        # Whether no short value can break a limit or needs its bytes swapped.
        longest = min(limits.text_bytes, limits.value_bytes, self._refer_above)
        self._easy = not big and longest > _LONGEST_SHORT_BYTES
        self._header, self._length = (_HEADER_BE, _LENGTH_BE) if big else (_HEADER_LE, _LENGTH_LE)
        self._inflater = _inflater(limits) if transfer_syntax == DEFLATED_EXPLICIT_VR_LE else None
        self._buffer = bytearray()
        self._base = offset  # of the first byte in the buffer
        self._at = offset  # of the next byte to read
        self._left_out = offset  # bytes before it that are not held
        self._passing = 0  # bytes still to come that belong to a value left out
        self._elements = 0
        self._undecided: list[tuple[DataSet, int]] = []  # elements whose VR depends on others
        self._dead = False
        implicit = transfer_syntax == IMPLICIT_VR_LE
        root = Level(0, start=offset, end=NOWHERE, bound=NOWHERE, implicit=implicit, charset=DEFAULT)
        root.dataset = self._root = DataSet()
        self._levels = [root]

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes.

        Raises:
            DecodeError: They cannot belong to a Data Set, or a limit is exceeded.
        """
        if self._dead:
            raise DecodeError("the decoder has failed before", offset=self._at)
        if self.stop is not None:
            return
        try:
            for piece in (data,) if self._inflater is None else self._inflater.pieces(data):
                self._take(piece)
        except DecodeError:
            self._dead = True
            raise

    def skip(self, size: int) -> int:
        """Pass over the rest of a value that is left where it is, because the caller can seek.

        The result is where the bytes of the next ``feed`` must start: as far on as possible, but not behind ``size``,
        the end of the bytes.
        """
        at = self._base + len(self._buffer) - self._passing
        passed = max(0, min(self._passing, size - at))
        self._passing -= passed
        return at + passed

    @property
    def sound_end(self) -> int | None:
        """Where the last whole root element ends; None inside one."""
        return self._at if len(self._levels) == 1 else None

    def resume(self, offset: int) -> None:
        """Go on behind the element it stopped before, with the bytes from ``offset`` on; it stops no more."""
        assert self.stop is not None
        self._stop_before, self.stop = _FIRST_DELIMITER, None
        self._buffer.clear()
        self._left_out += offset - self._at
        self._at = self._base = offset

    def finish(self) -> DataSet:
        """The Data Set, once all bytes (or all up to ``stop_before``) were fed.

        Raises:
            DecodeError: Something is still open.
        """
        if self._dead:
            raise DecodeError("the decoder has failed before", offset=self._at)
        if self.stop is None:
            if self._inflater is not None and not self._inflater.ended:
                self._fail("the deflated Data Set is cut short")
            if self._buffer or self._passing or len(self._levels) > 1:
                self._fail("the Data Set is cut short")
        for dataset, tag in self._undecided:
            raw = dataset.stored[tag]
            if isinstance(raw, Raw) and is_ambiguous(raw.vr):
                signed = dataset.get(tags.PIXEL_REPRESENTATION, self._root.get(tags.PIXEL_REPRESENTATION, 0)) == 1
                dataset.stored[tag] = raw._replace(vr=choose(raw.vr, raw.data, signed=signed, wide=True))
        self._undecided.clear()
        return self._root

    # --- the walk --------------------------------------------------------------------------

    def _take(self, piece: bytes | bytearray | memoryview) -> None:
        if self._passing:
            passed = min(self._passing, len(piece))
            self._passing -= passed
            piece = piece[passed:]
        self._buffer += piece
        while self.stop is None and self._step():
            pass
        if self.stop is None and self._base - self._left_out + len(self._buffer) > self._limits.total_bytes:
            self._fail(f"more than {self._limits.total_bytes} bytes")
        self._passing += max(0, self._at - self._base - len(self._buffer))
        del self._buffer[: self._at - self._base]
        self._base = self._at

    def _step(self) -> bool:
        """Read one header and what belongs to it; False when more bytes are needed."""
        level = self._levels[-1]
        if self._at == level.end:
            self._close(level)
            return True
        if self._at + 8 > level.bound:
            self._fail("no room for another element in what encloses it")
        here = self._at - self._base
        if len(self._buffer) < here + 8:
            return False
        if level.dataset is None:
            return self._item_or_delimiter(level, here)
        if self._easy and not level.implicit and self._take_easy(level, level.dataset.stored, here):
            return True
        header = self._element_header(level, here)
        if header is None or self._stops_before(header):
            return False
        return self._element(level, level.dataset, header, here)

    def _stops_before(self, header: Header) -> bool:
        if len(self._levels) > 1 or not self._stop_before <= header.tag < _FIRST_DELIMITER:
            return False
        length = -1 if header.length == UNDEFINED else header.length
        self.stop = Stop(header.tag, header.vr, self._at, self._at + header.size, length)
        return True

    def _take_easy(self, level: Level, stored: dict[int, Element | Raw], here: int) -> bool:
        """Take a run of elements with a short header, all there and unsuspicious, in one tight loop.

        Nine elements of ten are like this. The first that is not is left to the long way, which also names what is
        wrong with it; so everything that is checked there makes this loop stop.
        """
        buffer, unpack, names, charset = self._buffer, _HEADER_LE.unpack_from, _SHORT_VRS, level.charset
        room = min(len(buffer), level.bound - self._base)
        before = self._stop_before if len(self._levels) == 1 else _FIRST_DELIMITER
        start = here
        for _ in range(self._limits.elements - self._elements):
            if here + 8 > room:
                break
            group, number, name, length = unpack(buffer, here)
            tag, end = group << 16 | number, here + 8 + length
            vr = names.get(name)
            if vr is None or end > room or tag >= before or tag in stored or tag == tags.SPECIFIC_CHARACTER_SET:
                break
            stored[tag] = Raw(tag, vr, bytes(buffer[here + 8 : end]), charset)
            self._elements += 1
            here = end
        self._at += here - start
        return here > start

    def _element_header(self, level: Level, here: int) -> Header | None:
        """The header of a Data Element; None when it has not arrived."""
        group, number, vr, short = self._header.unpack_from(self._buffer, here)
        tag = group << 16 | number
        if level.implicit or group == 0xFFFE:
            length: int = self._length.unpack_from(self._buffer, here + 4)[0]
            return Header(tag, "" if group == 0xFFFE else self._vr_of(tag), 8, length)
        if vr in _SHORT_VRS:
            return Header(tag, _SHORT_VRS[vr], 8, short)
        if not (vr.isalpha() and vr.isupper()):
            self._fail(f"{vr!r} is not a Value Representation", tag)
        if len(self._buffer) < here + 12:
            return None
        length = self._length.unpack_from(self._buffer, here + 8)[0]
        return Header(tag, _VR_NAMES.get(vr, "UN"), 12, length)

    def _element(self, level: Level, dataset: DataSet, header: Header, here: int) -> bool:
        """Take an element into the Data Set of a level, or open the level it starts."""
        tag, vr, size, length = header
        if tag >> 16 == 0xFFFE:
            self._end_of_item(level, tag, length)
            return True
        if tag in dataset.stored:
            self._fail("the element occurs twice", tag)
        known = self._vr_of(tag) if vr == "UN" and not tags.is_private(tag) else vr
        if length == UNDEFINED:
            self._open_undefined(level, header)
            return True
        start = here + size
        if self._base + start + length > level.bound:
            self._fail("the value is longer than what encloses it", tag)
        if known == "SQ":
            if length >= 4 and len(self._buffer) < start + 4:
                return False
            if vr == "SQ" or length == 0 or self._buffer[start : start + 4] == _ITEM_START:
                self._count(tag)
                self._open(level, header, implicit=level.implicit or vr == "UN")
                return True
            known = "UN"
        if length > self._refer_above and tag != tags.SPECIFIC_CHARACTER_SET:
            self._leave(level, dataset, header, known)
            return True
        return self._value(level, dataset, Header(tag, known, start, length))

    def _value(self, level: Level, dataset: DataSet, header: Header) -> bool:
        """Keep a value that starts at ``header.size`` in the buffer, if it is there."""
        tag, vr, start, length = header
        if length > (self._limits.text_bytes if vr in _TEXT_VRS else self._limits.value_bytes):
            self._fail(f"a value of {length} bytes is above the limit", tag)
        end = start + length
        if len(self._buffer) < end:
            return False
        self._count(tag)
        self._keep(level, dataset, Raw(tag, vr, bytes(self._buffer[start:end]), level.charset))
        self._at = self._base + end
        return True

    def _keep(self, level: Level, dataset: DataSet, raw: Raw) -> None:
        if self._swap:
            raw = raw._replace(data=_swapped(raw.vr, raw.data))
        if raw.tag == tags.SPECIFIC_CHARACTER_SET:
            level.charset = charset_to_read(raw.data.decode("ascii", "replace"))
        if is_ambiguous(raw.vr):
            self._undecided.append((dataset, raw.tag))
        dataset.stored[raw.tag] = raw

    def _leave(self, level: Level, dataset: DataSet, header: Header, vr: str) -> None:
        """Put a reference in place of a value, and go on behind it."""
        tag, _, size, length = header
        self._count(tag)
        vr = choose(vr, b"", signed=False, wide=True) if is_ambiguous(vr) else vr
        word = _word_bytes(vr) if self._swap else 1
        dataset.stored[tag] = Element(tag, vr, Reference(self._at + size, length, word=word, charset=level.charset))
        self._left_out += length
        self._at += size + length

    # --- levels ----------------------------------------------------------------------------

    def _open_undefined(self, level: Level, header: Header) -> None:
        """Open a sequence or encapsulated Pixel Data of undefined length (PS3.5 7.5, A.4)."""
        self._count(header.tag)
        if header.tag == tags.PIXEL_DATA and header.vr in {"OB", "OW"}:
            self._push(level, header.tag, self._at + header.size, NOWHERE, implicit=False).fragments = []
            self._levels[-1].vr = header.vr
        elif header.vr in {"SQ", "UN"}:
            self._open(level, header, implicit=level.implicit or header.vr == "UN")
        else:
            self._fail(f"{header.vr or 'the element'} cannot have undefined length", header.tag)

    def _open(self, level: Level, header: Header, *, implicit: bool) -> None:
        """Open a sequence."""
        if len(self._levels) > 2 * self._limits.depth:  # a sequence and an item each
            self._fail(f"sequences are nested more than {self._limits.depth} deep", header.tag)
        start = self._at + header.size
        end = NOWHERE if header.length == UNDEFINED else start + header.length
        self._push(level, header.tag, start, end, implicit=implicit).items = []

    def _push(self, level: Level, tag: int, start: int, end: int, *, implicit: bool) -> Level:
        opened = Level(tag, start=start, end=end, bound=level.bound, implicit=implicit, charset=level.charset)
        self._levels.append(opened)
        self._at = start
        return opened

    def _item_or_delimiter(self, level: Level, here: int) -> bool:
        """What may stand in a sequence or in encapsulated Pixel Data: an item, or its end."""
        group, number, _, _ = self._header.unpack_from(self._buffer, here)
        length: int = self._length.unpack_from(self._buffer, here + 4)[0]
        tag = group << 16 | number
        start = self._at + 8
        if tag == tags.SEQUENCE_DELIMITATION:
            if level.end != NOWHERE or length:
                self._fail("a delimiter where none belongs", tag)
            self._at = start
            self._close(level)
            return True
        if tag != tags.ITEM:
            self._fail("an item was expected", tag)
        end = NOWHERE if length == UNDEFINED else start + length
        if end != NOWHERE and end > level.bound:
            self._fail("the item is longer than what encloses it", tag)
        if level.fragments is not None:
            return self._fragment(level, level.fragments, here + 8, length)
        self._count(level.tag)
        self._push(level, level.tag, start, end, implicit=level.implicit).dataset = DataSet()
        return True

    def _fragment(self, level: Level, fragments: list[bytes], start: int, length: int) -> bool:
        if self._refer_above != NOWHERE:
            level.fragments = [b""]  # there are some, and that is all there is to know
            self._left_out += length
            self._at = self._base + start + length
            return True
        if length > self._limits.value_bytes:
            self._fail(f"a fragment of {length} bytes is above the limit", tags.PIXEL_DATA)
        if len(fragments) > self._limits.fragments:
            self._fail(f"more than {self._limits.fragments} fragments", tags.PIXEL_DATA)
        if len(self._buffer) < start + length:
            return False
        fragments.append(bytes(self._buffer[start : start + length]))
        self._at = self._base + start + length
        return True

    def _end_of_item(self, level: Level, tag: int, length: int) -> None:
        if tag != tags.ITEM_DELIMITATION or length or level.end != NOWHERE or len(self._levels) == 1:
            self._fail("a delimiter where none belongs", tag)
        self._at += 8
        self._close(level)

    def _close(self, level: Level) -> None:
        """End the innermost level and hand what it holds to the one around it."""
        self._levels.pop()
        outer = self._levels[-1]
        if level.dataset is not None and outer.items is not None:
            outer.items.append(level.dataset)
        elif level.items is not None and outer.dataset is not None:
            outer.dataset.stored[level.tag] = Element(level.tag, "SQ", level.items)
        elif level.fragments is not None and outer.dataset is not None:
            if not level.fragments:
                self._fail("encapsulated Pixel Data without Basic Offset Table item", level.tag)
            value: Fragments | Reference = Fragments(level.fragments[0], tuple(level.fragments[1:]))
            if self._refer_above != NOWHERE:
                value = Reference(level.start, self._at - level.start, encapsulated=True)
            outer.dataset.stored[level.tag] = Element(level.tag, level.vr, value)

    # --- bounds and errors -----------------------------------------------------------------

    def _count(self, tag: int) -> None:
        self._elements += 1
        if self._elements > self._limits.elements:
            self._fail(f"more than {self._limits.elements} elements", tag)

    def _fail(self, message: str, tag: int | None = None) -> NoReturn:
        """Raise with the path of open items, for example ``in (0040,0275)[0]``."""
        self._dead = True
        path = "".join(
            f"{tags.tag_str(level.tag)}[{len(level.items)}]" for level in self._levels if level.items is not None
        )
        raise DecodeError(message + (f" in {path}" if path else ""), tag=tag, offset=self._at)


def _inflater(limits: Limits) -> Inflater:
    from agent.dataset.deflate import Inflater  # zlib, for a transfer syntax that is rare

    return Inflater(limits.total_bytes)


def _swapped(vr: str, data: bytes) -> bytes:
    """Big endian words as little endian ones (PS3.5 7.3); a rest that is no word stays as it is."""
    size = _word_bytes(vr)
    if size == 1 or len(data) % size:
        return data
    words = bytearray(len(data))
    for place in range(size):
        words[place::size] = data[size - 1 - place :: size]
    return bytes(words)


def _word_bytes(vr: str) -> int:
    row = VRS.get(vr)
    return 1 if row is None else 2 if row.kind is TAG else row.size
