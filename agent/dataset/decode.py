"""Bytes to a Data Set, in pieces of any size (PS3.5 7 and Annex A).

Whoever sends the bytes may be broken or hostile, so this page is strict about structure and indifferent to content:

* Every length is checked against what encloses it and against ``Limits`` before a byte is kept for it; nothing is ever
  allocated from a length field.
* Nesting is a list of levels (``level``), not recursion; damage ends in ``DecodeError`` with tag path and offset, a
  depth, count or size above its bound in ``LimitError``. Nothing else leaves this page; who has raised stays dead.
* Values are kept as they came (``Raw``) and understood when asked for; a wrong date is not our business here.

What is tolerated because it is common and harmless: odd lengths, tags out of order, group lengths, empty or absent
padding, UN with a known tag, VRs this edition does not know. UN of undefined length is a sequence in Implicit VR Little
Endian, whatever is around it; of defined length, it is one where the dictionary says so and it starts like one, and
bytes otherwise (PS3.5 6.2.2).

How things stood in the bytes stays with them: ``Wire`` of an element, ``Form`` of a Data Set (see ``encode``).
"""

from __future__ import annotations

import struct

from agent.dataset import dictionary
from agent.dataset import level as levels
from agent.dataset import tag as tags
from agent.dataset.charset import DEFAULT, charset_to_read
from agent.dataset.dataset import DataSet, Form
from agent.dataset.level import EXPLICIT, NOWHERE, UNDEFINED, Header, Level, Limits, Stop, Syntax
from agent.dataset.runs import explicit_run, implicit_run
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE, IMPLICIT_VR_LE
from agent.dataset.values import Element, Raw, Wire
from agent.dataset.vr import TEXT, VRS, is_ambiguous, swapped
from agent.errors import DecodeError, LimitError
from agent.typed import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.deflate import Inflater


__all__ = ["Decoder", "Limits", "Stop", "decode"]

_STEP_BYTES = 64 * 1024  # how much ``decode`` and inflation take at a time
_FIRST_DELIMITER = 0xFFFE0000
_LONGEST_SHORT_BYTES = 0xFFFF
_ITEM_START = b"\xfe\xff\x00\xe0"  # of what stands in UN, always little endian
_READ, _READ_UNDEFINED = Form(), Form(undefined=True)
_UNDEFINED_SQ, _UNDEFINED_UN = Wire("SQ", undefined=True), Wire("UN", undefined=True)
_TEXT_VRS = frozenset(name for name, row in VRS.items() if row.kind is TEXT)
_SEQUENCE_LE = struct.Struct("<HHII")
_ITEM_LE, _ITEM_BE = struct.Struct("<HHI"), struct.Struct(">HHI")


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
        if refer_above is None or transfer_syntax == DEFLATED_EXPLICIT_VR_LE:
            refer_above = NOWHERE
        self._refer_above = refer_above
        self._longest = min(limits.text_bytes, limits.value_bytes, refer_above)  # values up to it break no limit
        self._quick = self._longest > _LONGEST_SHORT_BYTES  # nor do any with a short header
        self._inflater: Inflater | None = None
        if transfer_syntax == DEFLATED_EXPLICIT_VR_LE:
            from agent.dataset.deflate import Inflater  # zlib, for a transfer syntax that is rare

            self._inflater = Inflater(limits.total_bytes)
        self._data = b""  # what is at hand
        self._base = offset  # of the first byte at hand
        self._at = offset  # of the next byte to read
        self._arrived = bytearray()  # behind what is at hand
        self._needed = 0  # nothing can be done before the byte in front of this offset is there
        self._left_out = offset  # bytes before the next to read that are not held
        self._passing = 0  # bytes still to come that belong to a value left out
        self._elements = 0
        self._undecided: list[tuple[DataSet, int]] = []  # elements whose VR depends on others
        self._dead = False
        syntax = {IMPLICIT_VR_LE: levels.IMPLICIT, EXPLICIT_VR_BE: levels.BIG}.get(transfer_syntax, EXPLICIT)
        root = Level(0, offset, NOWHERE, NOWHERE, syntax, DEFAULT)
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
        at = self._base + len(self._data) + len(self._arrived) - self._passing
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
        self._data, self._needed = b"", 0
        self._arrived.clear()
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
            if self._data or self._arrived or self._passing or len(self._levels) > 1:
                self._fail("the Data Set is cut short", levels.next_tag(self._levels[-1], self._data + self._arrived))
            levels.set_form(self._levels[0], self._root, _READ)
        levels.decide(self._undecided, self._root)
        self._undecided.clear()
        return self._root

    def so_far(self) -> DataSet:
        """What was read in front of an error; what it was in the middle of ends there."""
        return levels.end_all(self._levels, self._undecided)

    # --- the walk --------------------------------------------------------------------------

    def _take(self, piece: bytes | bytearray | memoryview) -> None:
        if self._passing:
            passed = min(self._passing, len(piece))
            self._passing -= passed
            piece = piece[passed:]
        end = self._base + len(self._data) + len(self._arrived) + len(piece)
        if end < self._needed:
            self._arrived += piece
        else:
            if self._data or self._arrived:
                piece = b"".join((self._data, self._arrived, piece))
                self._arrived.clear()
            self._data = piece if type(piece) is bytes else bytes(piece)
            while self.stop is None and self._step():
                pass
        if self.stop is None and end - self._left_out > self._limits.total_bytes:
            self._fail(f"more than {self._limits.total_bytes} bytes", kind=LimitError)
        read = self._at - self._base
        if read:
            self._passing += max(0, read - len(self._data))
            self._data = self._data[read:]
            self._base = self._at

    def _step(self) -> bool:
        """Read one header and what belongs to it, or a run of elements; False when more bytes are needed."""
        level = self._levels[-1]
        if self._at == level.end:
            self._close(level)
            return True
        if self._at + 8 > level.bound:
            self._fail("no room for another element in what encloses it")
        here = self._at - self._base
        if len(self._data) < here + 8:
            return self._wait(8)
        if level.dataset is None:
            return self._item_or_delimiter(level, here)
        if self._quick and not level.syntax.big and self._take_quickly(level, level.dataset, here):
            return True
        return self._element(level, level.dataset, here)

    def _take_quickly(self, level: Level, dataset: DataSet, here: int) -> bool:
        """Open a sequence, or take a run of elements as ``runs`` can; False where neither comes next."""
        if self._data[here + 4 : here + 6] == b"SQ" and level.syntax is EXPLICIT:
            return self._sequence(level, here)
        before = self._stop_before if len(self._levels) == 1 else _FIRST_DELIMITER
        if level.last < tags.SPECIFIC_CHARACTER_SET < before:
            before = tags.SPECIFIC_CHARACTER_SET  # which changes what is behind it
        held, count = dataset.held, len(dataset.held)
        room = min(len(self._data), level.bound - self._base)
        bounds = (room, before, self._limits.elements - self._elements, self._longest)
        run = (self._data, here, level, held, bounds)
        end = implicit_run(*run, self._vr_of) if level.syntax.implicit else explicit_run(*run)
        dataset.unread = True
        self._elements += len(held) - count
        self._at += end - here
        return end > here

    def _stops_before(self, header: Header) -> bool:
        if len(self._levels) > 1 or not self._stop_before <= header.tag < _FIRST_DELIMITER:
            return False
        length = -1 if header.length == UNDEFINED else header.length
        self.stop = Stop(header.tag, header.vr, self._at, self._at + header.size, length)
        return True

    def _element(self, level: Level, dataset: DataSet, here: int) -> bool:
        """Take an element into the Data Set of a level, or open the level it starts."""
        header = levels.read_header(self._data, here, level.syntax, self._vr_of)
        if header is None:
            return self._wait(12)
        if header.vr == levels.NO_VR:
            vr = self._data[here + 4 : here + 6]
            self._fail(f"{vr!r} is not a Value Representation", header.tag)
        if self._stops_before(header):
            return False
        return self._take_element(level, dataset, header, here)

    def _sequence(self, level: Level, here: int) -> bool:
        """Open a sequence in Explicit VR the short way; False where something is unusual about it."""
        data = self._data
        if len(data) < here + 12:
            return False
        group, number, _, length = _SEQUENCE_LE.unpack_from(data, here)
        tag = group << 16 | number
        if not level.last < tag < (self._stop_before if len(self._levels) == 1 else _FIRST_DELIMITER):
            return False
        if length != UNDEFINED and self._at + 12 + length > level.bound:
            return False
        self._count(level, tag)
        self._open(level, tag, "SQ", 12, length, None)
        return True

    def _wait(self, size: int) -> bool:
        """Say that nothing can be done before this many bytes are there."""
        self._needed = self._at + size
        return False

    def _take_element(self, level: Level, dataset: DataSet, header: Header, here: int) -> bool:
        tag, vr, size, length, wire = header
        if tag >> 16 == 0xFFFE:
            self._end_of_item(level, tag, length)
            return True
        if tag in dataset.held:
            self._fail("the element occurs twice", tag)
        if length != UNDEFINED and self._at + size + length > level.bound:
            self._fail("the value is longer than what encloses it", tag)
        if vr == "SQ" and wire is levels.DEFINED_UN and 0 < length < UNDEFINED:
            start = here + size
            if length >= 4 and len(self._data) < start + 4:
                return self._wait(size + 4)
            if self._data[start : start + 4] != _ITEM_START:
                header = header._replace(vr="UN", wire=None)
        if header.vr == "SQ" or length == UNDEFINED:
            self._count(level, tag)
            self._open(level, tag, header.vr, size, length, header.wire)
            return True
        if length > self._refer_above and tag != tags.SPECIFIC_CHARACTER_SET:
            self._leave(level, dataset, header)
            return True
        return self._value(level, dataset, header, here + size)

    def _value(self, level: Level, dataset: DataSet, header: Header, start: int) -> bool:
        """Keep the value that starts here in what is at hand, if all of it is."""
        tag, vr, size, length, wire = header
        if length > (self._limits.text_bytes if vr in _TEXT_VRS else self._limits.value_bytes):
            self._fail(f"a value of {length} bytes is above the limit", tag, LimitError)
        if len(self._data) < start + length:
            return self._wait(size + length)
        self._count(level, tag)
        data = self._data[start : start + length]
        if level.syntax.big and wire is not levels.DEFINED_UN:
            data = swapped(vr, data)
        if tag == tags.SPECIFIC_CHARACTER_SET:
            before, level.charset = level.charset, charset_to_read(data.decode("ascii", "replace"))
            if not level.ordered:  # it is that of what stands in front of it, too
                levels.set_charset(dataset, before, level.charset)
        if is_ambiguous(vr):
            self._undecided.append((dataset, tag))
        dataset.held[tag] = Raw(tag, vr, data, level.charset, wire)
        self._at += size + length
        return True

    def _leave(self, level: Level, dataset: DataSet, header: Header) -> None:
        """Put a reference in place of a value, and go on behind it."""
        tag, _, size, length, _ = header
        self._count(level, tag)
        dataset.held[tag] = levels.left_element(level, header, self._at)
        self._left_out += length
        self._at += size + length

    # --- levels ----------------------------------------------------------------------------

    def _open(self, level: Level, tag: int, vr: str, size: int, length: int, wire: Wire | None) -> None:
        """Open a sequence, or encapsulated Pixel Data (PS3.5 7.5, A.4)."""
        syntax, start = level.syntax, self._at + size
        end = NOWHERE if length == UNDEFINED else start + length
        if tag == tags.PIXEL_DATA and vr in {"OB", "OW", "OB or OW"}:  # the last in Implicit VR, against PS3.5 A.4
            vr = "OB" if is_ambiguous(vr) else vr
            opened = self._push(tag, start, NOWHERE, syntax)
            opened.fragments, opened.vr, opened.wire = [], vr, Wire(vr, undefined=True)
            return
        if vr not in {"SQ", "UN"}:
            self._fail(f"{vr} cannot have undefined length", tag)
        if len(self._levels) > 2 * self._limits.depth:  # a sequence and an item each
            self._fail(f"sequences are nested more than {self._limits.depth} deep", tag, LimitError)
        if wire is not None or vr == "UN":
            wire, syntax = _UNDEFINED_UN if length == UNDEFINED else levels.DEFINED_UN, levels.IMPLICIT
        elif length == UNDEFINED:
            wire = _UNDEFINED_SQ
        opened = self._push(tag, start, end, syntax)
        opened.items, opened.wire = [], wire

    def _push(self, tag: int, start: int, end: int, syntax: Syntax) -> Level:
        level = self._levels[-1]
        opened = Level(tag, start, end, level.bound, syntax, level.charset)
        self._levels.append(opened)
        self._at = start
        return opened

    def _item_or_delimiter(self, level: Level, here: int) -> bool:
        """What may stand in a sequence or in encapsulated Pixel Data: an item, or its end."""
        group, number, length = (_ITEM_BE if level.syntax.big else _ITEM_LE).unpack_from(self._data, here)
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
        self._one_more(level.tag)
        self._push(level.tag, start, end, level.syntax).dataset = DataSet()
        return True

    def _fragment(self, level: Level, fragments: list[bytes], start: int, length: int) -> bool:
        if self._refer_above != NOWHERE:
            level.fragments = [b""]  # there are some, and that is all there is to know
            self._left_out += length
            self._at = self._base + start + length
            return True
        if length > self._limits.value_bytes:
            self._fail(f"a fragment of {length} bytes is above the limit", tags.PIXEL_DATA, LimitError)
        if len(fragments) > self._limits.fragments:
            self._fail(f"more than {self._limits.fragments} fragments", tags.PIXEL_DATA, LimitError)
        if len(self._data) < start + length:
            return self._wait(8 + length)
        fragments.append(self._data[start : start + length])
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
            levels.set_form(level, level.dataset, _READ_UNDEFINED if level.end == NOWHERE else _READ)
            outer.items.append(level.dataset)
        elif level.items is not None and outer.dataset is not None:
            outer.dataset.held[level.tag] = Element(level.tag, "SQ", level.items, level.wire)
        elif level.fragments is not None and outer.dataset is not None:
            if not level.fragments:
                self._fail("encapsulated Pixel Data without Basic Offset Table item", level.tag)
            left = self._at if self._refer_above != NOWHERE else None
            outer.dataset.held[level.tag] = levels.pixels_of(level, level.fragments, left)

    # --- bounds and errors -----------------------------------------------------------------

    def _count(self, level: Level, tag: int) -> None:
        """Count an element of a level, and see whether it is in its place."""
        level.ordered = level.ordered and tag > level.last
        level.last = max(level.last, tag)
        self._one_more(tag)

    def _one_more(self, tag: int) -> None:
        self._elements += 1
        if self._elements > self._limits.elements:
            self._fail(f"more than {self._limits.elements} elements", tag, LimitError)

    def _fail(self, message: str, tag: int | None = None, kind: type[DecodeError] = DecodeError) -> NoReturn:
        """Raise with the path of open items, for example ``in (0040,0275)[0]``."""
        self._dead = True
        path = levels.path_of(self._levels)
        raise kind(message + (f" in {path}" if path else ""), tag=tag, offset=self._at)
