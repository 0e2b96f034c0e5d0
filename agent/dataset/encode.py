"""A Data Set to bytes: Implicit VR, Explicit VR and Deflated, all little endian (PS3.5 7 and Annex A).

Strict with what was made here: every value obeys its VR and VM, tags ascend, private elements have their creator,
sequences and items get defined lengths (a reader can skip them, and a damaged one cannot swallow the rest), and what
the Standard has retired (group lengths, Big Endian) is not written.

What was read and not changed is passed on in the bytes it came in, even where they would not be allowed today: it is
not ours to correct. Values, their padding or odd length, undefined lengths, UN in place of a known VR, VRs this edition
does not know, tags out of order and group lengths all come back, unless ``canonical`` is asked for. These do not:

* Explicit VR Big Endian is read and not written (retired, PS3.5 2016b).
* A Deflated Data Set is deflated anew: another compressor makes other bytes of the same Data Set.
* A group length that is not that of its group is left out: it was wrong, or it is since something was changed.
* The reserved bytes of an Explicit VR header and the lengths of delimiters are zero.
* After a tag was added to or removed from a Data Set whose tags were out of order, they ascend.
* Text is encoded anew where Specific Character Set was changed, or an element got into a Data Set with another one.

Specific Character Set: the element in the Data Set binds. Without one, text is written in ASCII if that suffices, else
as ISO_IR 192 (or the set named by ``charset``, for archives that know only Latin-1) and (0008,0005) is added.

A value that was left on disk (``Reference``) stays there: ``encode_parts`` gives bytes and references in the order in
which they are to be written, and whoever has the source copies what the references name. A file of any size is written
like this without its pixels ever being in memory.
Raises ``EncodeError`` with the tag, nothing else.
"""

from __future__ import annotations

import struct

from agent.dataset import dictionary, rules
from agent.dataset import tag as tags
from agent.dataset.charset import DEFAULT, WRITABLE, Charset, charset_for, charset_to_read
from agent.dataset.dataset import DataSet
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE, IMPLICIT_VR_LE, is_encapsulated, uid_name
from agent.dataset.values import Element, Fragments, Raw, Reference, parse
from agent.dataset.vr import VRS, choose, is_ambiguous
from agent.errors import EncodeError
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.dataset.values import Value, Wire

MAX_DEPTH = 32  # twice what we accept from others; an SR tree has about ten levels
MAX_SHORT_LENGTH = 0xFFFE  # longest even value of a 16-bit length field
MAX_LONG_LENGTH = 0xFFFFFFFE
UNDEFINED_LENGTH = 0xFFFFFFFF
_IMPLICIT, _LONG, _SHORT = (struct.Struct(layout).pack for layout in ("<HHI", "<HH2sHI", "<HH2sH"))
_SPECIAL_GROUPS = frozenset({0x0000, 0x0002, 0xFFFE})  # even groups that are not for everybody
_ROOT_ONLY_GROUPS = frozenset({0x0000, 0x0002, 0x0006})  # never inside an item (PS3.5 7.5.1)


def encode(dataset: DataSet, transfer_syntax: str, *, charset: str | None = None, canonical: bool = False) -> bytes:
    """The whole Data Set in a transfer syntax.

    Args:
        dataset: What to write; not changed.
        transfer_syntax: Implicit, Explicit or Deflated Little Endian, or any encapsulated one.
        charset: Defined term preferred where ASCII is not enough and the Data Set names no character set.
        canonical: Write what was read in the form in which we write what was made here, too.

    Raises:
        EncodeError: A rule is broken, or the transfer syntax cannot be written.
    """
    data = _joined(_encode_in_some_charset(dataset, transfer_syntax, charset, canonical=canonical))
    if transfer_syntax == DEFLATED_EXPLICIT_VR_LE:
        from agent.dataset.deflate import deflate  # zlib, for a transfer syntax that is rare

        data = deflate(data)
    return data


def encode_parts(
    dataset: DataSet, transfer_syntax: str, *, charset: str | None = None, canonical: bool = False
) -> list[bytes | Reference]:
    """The Data Set as what to write one after the other: bytes, and references to bytes of the source.

    The arguments are those of ``encode``. A reference gives ``length`` bytes, swapped by ``word``.

    Raises:
        EncodeError: As ``encode``; also for a reference in what is to be deflated.
    """
    if transfer_syntax == DEFLATED_EXPLICIT_VR_LE:
        return [encode(dataset, transfer_syntax, charset=charset, canonical=canonical)]
    parts: list[bytes | Reference] = []
    run: list[bytes] = []
    for part in _encode_in_some_charset(dataset, transfer_syntax, charset, canonical=canonical):
        if isinstance(part, Reference):
            parts += (b"".join(run), part)
            run.clear()
        else:
            run.append(part)
    return [*parts, b"".join(run)] if run or not parts else parts


def _joined(parts: list[bytes | Reference]) -> bytes:
    try:
        return b"".join(parts)  # type: ignore[arg-type]  # the error is the check
    except TypeError:
        raise EncodeError("the Data Set refers to values that are not in memory") from None


def element_header(tag: int, vr: str, length: int, *, explicit: bool) -> bytes:
    """Tag, VR and length (PS3.5 7.1.2, 7.1.3).

    Raises:
        EncodeError: The length does not fit its field.
    """
    row = VRS.get(vr)
    long = not explicit or row is None or row.long  # those of the future are long
    if length > (MAX_LONG_LENGTH if long else MAX_SHORT_LENGTH) and not (long and length == UNDEFINED_LENGTH):
        raise EncodeError(f"{length} bytes are too long for the length field of {vr}", tag=tag)
    if not explicit:
        return _IMPLICIT(tag >> 16, tag & 0xFFFF, length)
    if long:
        return _LONG(tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)
    return _SHORT(tag >> 16, tag & 0xFFFF, vr.encode(), length)


def item_header(length: int) -> bytes:
    """The header of an item or fragment of this many bytes (PS3.5 7.5)."""
    return struct.pack("<HHI", 0xFFFE, 0xE000, length)


ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


# --- character set ------------------------------------------------------------------------------


def _encode_in_some_charset(
    dataset: DataSet, transfer_syntax: str, preferred: str | None, *, canonical: bool
) -> list[bytes | Reference]:
    if transfer_syntax == EXPLICIT_VR_BE:
        raise EncodeError(f"{uid_name(transfer_syntax)} is retired and is not written")
    for charset in _candidates(dataset, preferred):
        work = dataset
        if charset.terms and not dataset.text(tags.SPECIFIC_CHARACTER_SET):
            work = dataset.copy()
            work.set(tags.SPECIFIC_CHARACTER_SET, charset.terms, vr="CS")
        try:
            parts: list[bytes | Reference] = []
            _Encoder(work, transfer_syntax, parts, keep=not canonical).data_set(work, charset, depth=0)
            return parts
        except UnicodeEncodeError as error:
            reason = error
    raise EncodeError(
        f"{charset.terms or 'the default character set'} cannot write U+{ord(reason.object[reason.start]):04X}",
        tag=tags.SPECIFIC_CHARACTER_SET,
        hint="Leave out Specific Character Set and the agent chooses one, or name ISO_IR 192.",
    )


def _candidates(dataset: DataSet, preferred: str | None) -> Iterable[Charset]:
    """The character sets to try, first match wins."""
    terms = dataset.text(tags.SPECIFIC_CHARACTER_SET)
    if terms:
        return [_known(terms, dataset)]
    return WRITABLE if preferred is None else (DEFAULT, _known(preferred, None), *WRITABLE[1:])


def _known(terms: str, dataset: DataSet | None) -> Charset:
    charset = charset_for(terms)
    if charset is not None:
        return charset
    if dataset is not None and isinstance(dataset.stored[tags.SPECIFIC_CHARACTER_SET], Raw):
        return charset_to_read(terms)  # read like this; unchanged elements keep their bytes
    raise EncodeError(f"Specific Character Set {terms!r} cannot be written", tag=tags.SPECIFIC_CHARACTER_SET)


# --- structure ----------------------------------------------------------------------------------


class _Encoder:
    """Walks one Data Set; knows the root for what items inherit, and where its parts go."""

    __slots__ = ("encapsulated", "explicit", "keep", "parts", "root")

    def __init__(self, root: DataSet, transfer_syntax: str, parts: list[bytes | Reference], *, keep: bool) -> None:
        self.root = root
        self.explicit = transfer_syntax != IMPLICIT_VR_LE
        self.encapsulated = is_encapsulated(transfer_syntax)
        self.keep = keep  # the form of what was read
        self.parts = parts

    def data_set(self, dataset: DataSet, charset: Charset, depth: int) -> int:
        """Append the encoded elements; how many bytes they are."""
        form = dataset.form if self.keep else None
        order = dataset.tags()
        if form is not None and form.order is not None and len(form.order) == len(order):
            order = list(form.order) if set(form.order) == set(order) else order
        size, group_length, elements = 0, _GroupLength(self.parts), dataset.stored
        for tag in order:
            stored, group = elements[tag], tag >> 16
            if form is not None:
                size -= group_length.superfluous(group, size)
            if tags.is_group_length(tag) and tag:
                if form is not None and isinstance(stored, Raw) and len(stored.data) == 4:
                    size += self._plain(tag, "UL", stored.data)
                    group_length.follows(stored, size)
                continue
            if (depth or group & 1 or group in _SPECIAL_GROUPS) and (form is None or not _is_as_read(stored)):
                _check_place(tag, dataset, depth)
            vr = stored.vr if stored.vr in VRS else self._vr(stored, dataset)
            if not self.explicit:
                _check_implicit(tag, vr)
            try:
                if isinstance(stored, Raw):
                    if tag == tags.PIXEL_DATA and self.encapsulated and depth == 0 and form is None:
                        raise EncodeError("Pixel Data of this transfer syntax must be encapsulated")
                    size += self._raw(stored, vr, charset, kept=form is not None)
                else:
                    size += self._element(stored, vr, charset, depth, kept=form is not None)
            except EncodeError as error:
                raise (error if error.tag is not None else EncodeError(error.message, tag=tag)) from None
        return size - group_length.superfluous(-1, size)

    def _plain(self, tag: int, vr: str, value: bytes) -> int:
        header = element_header(tag, vr, len(value), explicit=self.explicit)
        self.parts += (header, value)
        return len(header) + len(value)

    def _raw(self, raw: Raw, vr: str, charset: Charset, *, kept: bool) -> int:
        """Append bytes as they were read, unless they are text in another character set."""
        data = raw.data
        if VRS[vr].charset and raw.charset != charset and not _is_plain_ascii(data):
            return self._plain(raw.tag, vr, rules.format_value(vr, parse(raw), charset))
        if not kept:
            if raw.wire is not None and raw.wire.vr not in VRS and dictionary.vr_of(raw.tag) == "SQ":
                raise EncodeError(f"as {raw.wire.vr}, which is not known here, it cannot be told to be a sequence")
            return self._plain(raw.tag, vr, data + VRS[vr].pad if len(data) & 1 else data)
        return self._plain(raw.tag, vr if raw.wire is None else raw.wire.vr, data)

    def _element(self, element: Element, vr: str, charset: Charset, depth: int, *, kept: bool) -> int:
        tag, value = element.tag, element.value
        wire = element.wire if kept else None
        if vr == "SQ":
            return self._sequence(element, charset, depth, wire)
        if isinstance(value, Reference):
            return self._reference(element, vr, charset, depth, kept=kept)
        pixels = tag == tags.PIXEL_DATA and self.encapsulated and value is not None
        if pixels and (depth == 0 or isinstance(value, Fragments)):
            return self._fragments(tag, vr, value, kept=wire is not None)
        data = rules.format_value(vr, value, charset)
        _check_vm(tag, vr, data, element)
        return self._plain(tag, vr, data)

    def _reference(self, element: Element, vr: str, charset: Charset, depth: int, *, kept: bool) -> int:
        tag, value = element.tag, element.value
        assert isinstance(value, Reference)
        if VRS[vr].charset and value.charset != charset:
            raise EncodeError("a text that is not in memory cannot get another character set", tag=tag)
        if value.encapsulated and not self.encapsulated:
            raise EncodeError("Pixel Data of a native transfer syntax cannot be encapsulated", tag=tag)
        if tag == tags.PIXEL_DATA and self.encapsulated and not value.encapsulated and depth == 0:
            raise EncodeError("Pixel Data of this transfer syntax must be encapsulated", tag=tag)
        padding = VRS[vr].pad if value.length & 1 and not kept else b""
        length = UNDEFINED_LENGTH if value.encapsulated else value.length + len(padding)
        name = vr if element.wire is None or not kept else element.wire.vr
        header = element_header(tag, name, length, explicit=self.explicit)
        self.parts += (header, value, padding) if padding else (header, value)
        return len(header) + value.length + len(padding)

    def _sequence(self, element: Element, charset: Charset, depth: int, wire: Wire | None) -> int:
        tag, value = element.tag, element.value
        if depth >= MAX_DEPTH:
            raise EncodeError(f"sequences are nested more than {MAX_DEPTH} deep", tag=tag)
        if value is not None and not isinstance(value, list):
            raise EncodeError("a sequence holds a list of Data Sets", tag=tag)
        vr, undefined = wire or ("SQ", False)
        place, outside = self._place(), self.explicit
        self.explicit = outside and vr == "SQ"  # UN is Implicit VR inside (PS3.5 6.2.2)
        size = sum(self._item(tag, item, charset, depth) for item in value or [])
        self.explicit = outside
        header = element_header(tag, vr, UNDEFINED_LENGTH if undefined else size, explicit=outside)
        self.parts[place] = header
        if undefined:
            self.parts.append(SEQUENCE_END)
            size += len(SEQUENCE_END)
        return len(header) + size

    def _item(self, tag: int, item: object, charset: Charset, depth: int) -> int:
        if not isinstance(item, DataSet):
            raise EncodeError(f"an item is a DataSet, not a {type(item).__name__}", tag=tag)
        terms = item.text(tags.SPECIFIC_CHARACTER_SET)
        place = self._place()
        size = self.data_set(item, _known(terms, item) if terms else charset, depth + 1)
        undefined = self.keep and item.form is not None and item.form.undefined
        self.parts[place] = item_header(UNDEFINED_LENGTH if undefined else size)
        if undefined:
            self.parts.append(ITEM_END)
            size += len(ITEM_END)
        return len(ITEM_END) + size  # whose header is as long

    def _place(self) -> int:
        """Where a header goes whose length is not known yet."""
        self.parts.append(b"")
        return len(self.parts) - 1

    def _fragments(self, tag: int, vr: str, value: Value, *, kept: bool) -> int:
        """Offset table, fragments and delimiter behind the Pixel Data header (PS3.5 A.4)."""
        if not isinstance(value, Fragments):
            raise EncodeError("Pixel Data of an encapsulated transfer syntax needs Fragments", tag=tag)
        parts = [element_header(tag, vr, UNDEFINED_LENGTH, explicit=self.explicit)]
        for data in (value.offset_table, *value.fragments):
            if len(data) & 1 and not kept:
                raise EncodeError(f"a fragment of {len(data)} bytes is not padded", tag=tag)
            parts += (item_header(len(data)), data)
        parts.append(SEQUENCE_END)
        self.parts += parts
        return sum(map(len, parts))

    def _vr(self, stored: Element | Raw, dataset: DataSet) -> str:
        """The VR to write; a choice the dictionary leaves is made here."""
        vr = stored.vr
        if not is_ambiguous(vr):
            return "UN"
        signed = dataset.get(tags.PIXEL_REPRESENTATION, self.root.get(tags.PIXEL_REPRESENTATION, 0)) == 1
        pixels = stored.tag == tags.PIXEL_DATA
        if pixels and self.encapsulated and isinstance(stored, Element) and isinstance(stored.value, Fragments):
            return "OB"
        bits = dataset.get(tags.BITS_ALLOCATED if pixels else tags.WAVEFORM_BITS_ALLOCATED, 16)
        wide = not self.explicit or not isinstance(bits, int) or bits > 8
        return choose(vr, stored.data if isinstance(stored, Raw) else stored.value, signed=signed, wide=wide)


class _GroupLength:
    """The group length written last, until its group has ended and it is known to be right (PS3.5 7.2)."""

    __slots__ = ("_group", "_parts", "_place", "_start", "_stated")

    def __init__(self, parts: list[bytes | Reference]) -> None:
        self._parts = parts
        self._group = -1

    def follows(self, raw: Raw, size: int) -> None:
        """Remember the group length that was just written; ``size`` is that of the Data Set so far."""
        self._group, self._stated = raw.tag >> 16, int.from_bytes(raw.data, "little")
        self._place, self._start = len(self._parts), size

    def superfluous(self, group: int, size: int) -> int:
        """How many bytes were taken back, at an element of this group or the end, because the length was wrong."""
        if self._group in (-1, group):
            return 0
        self._group = -1
        if size - self._start == self._stated:
            return 0
        place = slice(self._place - 2, self._place)
        removed = sum(len(part) for part in self._parts[place] if isinstance(part, bytes))
        self._parts[place] = [b"", b""]
        return removed


def _check_implicit(tag: int, vr: str) -> None:
    """Whether readers can tell, without the VR, that this element is a sequence or that it is none."""
    known = dictionary.vr_of(tag)
    if vr != known and "SQ" in (vr, known) and known != "UN":
        raise EncodeError(f"as {vr} it cannot be written in Implicit VR, where it is read as {known}", tag=tag)


def _is_as_read(stored: Element | Raw) -> bool:
    """Whether an element of a Data Set that was read can have been read; of a sequence it does not matter."""
    return isinstance(stored, Raw) or stored.wire is not None or stored.vr == "SQ"


def _check_place(tag: int, dataset: DataSet, depth: int) -> None:
    """Whether an element of this group may stand here."""
    group = tag >> 16
    if depth and group in _ROOT_ONLY_GROUPS:
        raise EncodeError("an item cannot hold elements of this group", tag=tag)
    if group == 0x0002:
        raise EncodeError("File Meta Information is not part of a Data Set", tag=tag)
    if group == 0 and max(dataset.stored) >> 16:
        raise EncodeError("a Command Set holds nothing but group 0000", tag=tag)
    if group in {0x0001, 0x0003, 0x0005, 0x0007, 0xFFFE, 0xFFFF}:
        raise EncodeError("the group number is reserved", tag=tag)
    if not tags.is_private(tag) or tags.is_private_creator(tag):
        return
    if isinstance(dataset.stored[tag], Element) and tags.private_creator_of(tag) not in dataset:
        raise EncodeError("a private element needs its creator element", tag=tag)


def _is_plain_ascii(data: bytes) -> bool:
    return data.isascii() and b"\x1b" not in data


def _check_vm(tag: int, vr: str, value: bytes, element: Element) -> None:
    """Whether the number of values is one the dictionary allows; private and unknown elements may hold any."""
    row = VRS[vr]
    if not row.multi or not value or tags.is_private(tag):
        return
    found = element.value
    count = len(found) if isinstance(found, list | tuple) else found.count("\\") + 1 if isinstance(found, str) else 1
    vm = dictionary.vm_of(tag)
    if (count != 1 or vm != "1") and not dictionary.vm_allows(vm, count):
        raise EncodeError(f"{count} values where {vm} are allowed", tag=tag)
