"""A Data Set to bytes: Implicit VR, Explicit VR and Deflated, all little endian (PS3.5 7 and Annex A).

Strict: every value obeys its VR and VM, tags ascend, private elements have their creator, and what the Standard has
retired (group lengths, Big Endian) is not written. Elements that were read and not changed are passed on as the bytes
they came in, even where a value would not be allowed today: it is not ours to correct.

Specific Character Set: the element in the Data Set binds. Without one, text is written in ASCII if that suffices, else
as ISO_IR 192 (or the set named by ``charset``, for archives that know only Latin-1) and (0008,0005) is added.

Sequences and items get defined lengths: a reader can skip them, and a damaged one cannot swallow the rest.

A value that was left on disk (``Reference``) stays there: ``encode_parts`` gives bytes and references in the order in
which they are to be written, and whoever has the source copies what the references name. A file of any size is written
like this without its pixels ever being in memory.
Raises ``EncodeError`` with the tag, nothing else.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from agent.dataset import dictionary, rules
from agent.dataset import tag as tags
from agent.dataset.charset import DEFAULT, WRITABLE, Charset, charset_for, charset_to_read
from agent.dataset.dataset import DataSet
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE, IMPLICIT_VR_LE, is_encapsulated, uid_name
from agent.dataset.values import Element, Fragments, Raw, Reference, parse
from agent.dataset.vr import VRS, choose, is_ambiguous
from agent.errors import EncodeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.dataset.values import Value

MAX_DEPTH = 32  # twice what we accept from others; an SR tree has about ten levels
MAX_SHORT_LENGTH = 0xFFFE  # longest even value of a 16-bit length field
MAX_LONG_LENGTH = 0xFFFFFFFE
UNDEFINED_LENGTH = 0xFFFFFFFF
_ROOT_ONLY_GROUPS = frozenset({0x0000, 0x0002, 0x0006})  # never inside an item (PS3.5 7.5.1)


def encode(dataset: DataSet, transfer_syntax: str, *, charset: str | None = None) -> bytes:
    """The whole Data Set in a transfer syntax.

    Args:
        dataset: What to write; not changed.
        transfer_syntax: Implicit, Explicit or Deflated Little Endian, or any encapsulated one.
        charset: Defined term preferred where ASCII is not enough and the Data Set names no character set.

    Raises:
        EncodeError: A rule is broken, or the transfer syntax cannot be written.
    """
    data = _joined(_encode_in_some_charset(dataset, transfer_syntax, charset))
    if transfer_syntax == DEFLATED_EXPLICIT_VR_LE:
        from agent.dataset.deflate import deflate  # zlib, for a transfer syntax that is rare

        data = deflate(data)
    return data


def encode_parts(dataset: DataSet, transfer_syntax: str, *, charset: str | None = None) -> list[bytes | Reference]:
    """The Data Set as what to write one after the other: bytes, and references to bytes of the source.

    The arguments are those of ``encode``. A reference gives ``length`` bytes, swapped by ``word``.

    Raises:
        EncodeError: As ``encode``; also for a reference in what is to be deflated.
    """
    if transfer_syntax == DEFLATED_EXPLICIT_VR_LE:
        return [encode(dataset, transfer_syntax, charset=charset)]
    parts: list[bytes | Reference] = []
    run: list[bytes] = []
    for part in _encode_in_some_charset(dataset, transfer_syntax, charset):
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
    long = not explicit or VRS[vr].long
    if length > (MAX_LONG_LENGTH if long else MAX_SHORT_LENGTH) and not (long and length == UNDEFINED_LENGTH):
        raise EncodeError(f"{length} bytes are too long for the length field of {vr}", tag=tag)
    if not explicit:
        return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, length)
    if long:
        return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), length)


def item_header(length: int) -> bytes:
    """The header of an item or fragment of this many bytes (PS3.5 7.5)."""
    return struct.pack("<HHI", 0xFFFE, 0xE000, length)


SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


# --- character set ------------------------------------------------------------------------------


def _encode_in_some_charset(dataset: DataSet, transfer_syntax: str, preferred: str | None) -> list[bytes | Reference]:
    if transfer_syntax == EXPLICIT_VR_BE:
        raise EncodeError(f"{uid_name(transfer_syntax)} is retired and is not written")
    for charset in _candidates(dataset, preferred):
        work = dataset
        if charset.terms and tags.SPECIFIC_CHARACTER_SET not in dataset:
            work = dataset.between(0, 1 << 32)
            work.set(tags.SPECIFIC_CHARACTER_SET, charset.terms, vr="CS")
        try:
            parts: list[bytes | Reference] = []
            _Encoder(work, transfer_syntax, parts).data_set(work, charset, depth=0)
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

    __slots__ = ("encapsulated", "explicit", "parts", "root")

    def __init__(self, root: DataSet, transfer_syntax: str, parts: list[bytes | Reference]) -> None:
        self.root = root
        self.explicit = transfer_syntax != IMPLICIT_VR_LE
        self.encapsulated = is_encapsulated(transfer_syntax)
        self.parts = parts

    def data_set(self, dataset: DataSet, charset: Charset, depth: int) -> int:
        """Append the encoded elements; how many bytes they are."""
        size = 0
        order = dataset.tags()
        for tag in order:
            if tags.is_group_length(tag) and tag:
                continue
            self._check_place(tag, dataset, order, depth)
            stored = dataset.stored[tag]
            vr = self._vr(stored, dataset)
            try:
                if isinstance(stored, Raw):
                    size += self._plain(tag, vr, self._raw_value(stored, vr, charset))
                else:
                    size += self._element(stored, vr, charset, depth)
            except EncodeError as error:
                raise (error if error.tag is not None else EncodeError(error.message, tag=tag)) from None
        return size

    def _plain(self, tag: int, vr: str, value: bytes) -> int:
        header = element_header(tag, vr, len(value), explicit=self.explicit)
        self.parts += (header, value)
        return len(header) + len(value)

    def _element(self, element: Element, vr: str, charset: Charset, depth: int) -> int:
        tag, _, value = element
        if vr == "SQ":
            return self._sequence(element, charset, depth)
        if isinstance(value, Reference):
            return self._reference(tag, vr, value, charset, depth)
        if tag == tags.PIXEL_DATA and self.encapsulated and value is not None and depth == 0:
            return self._fragments(tag, vr, value)
        data = rules.format_value(vr, value, charset)
        _check_vm(tag, vr, data, element)
        return self._plain(tag, vr, data)

    def _raw_value(self, raw: Raw, vr: str, charset: Charset) -> bytes:
        """Bytes as they were read, unless they are text in another character set."""
        data = raw.data
        if VRS[vr].charset and raw.charset != charset and not _is_plain_ascii(data):
            return rules.format_value(vr, parse(raw), charset)
        return data + VRS[vr].pad if len(data) & 1 else data

    def _reference(self, tag: int, vr: str, value: Reference, charset: Charset, depth: int) -> int:
        if VRS[vr].charset and value.charset != charset:
            raise EncodeError("a text that is not in memory cannot get another character set", tag=tag)
        if value.encapsulated and not self.encapsulated:
            raise EncodeError("Pixel Data of a native transfer syntax cannot be encapsulated", tag=tag)
        if tag == tags.PIXEL_DATA and self.encapsulated and not value.encapsulated and depth == 0:
            raise EncodeError("Pixel Data of this transfer syntax must be encapsulated", tag=tag)
        padding = VRS[vr].pad if value.length & 1 else b""
        length = UNDEFINED_LENGTH if value.encapsulated else value.length + len(padding)
        header = element_header(tag, vr, length, explicit=self.explicit)
        self.parts += (header, value, padding) if padding else (header, value)
        return len(header) + value.length + len(padding)

    def _sequence(self, element: Element, charset: Charset, depth: int) -> int:
        tag, value = element.tag, element.value
        if depth >= MAX_DEPTH:
            raise EncodeError(f"sequences are nested more than {MAX_DEPTH} deep", tag=tag)
        if value is not None and not isinstance(value, list):
            raise EncodeError("a sequence holds a list of Data Sets", tag=tag)
        place = self._place()
        size = sum(self._item(tag, item, charset, depth) for item in value or [])
        header = self.parts[place] = element_header(tag, "SQ", size, explicit=self.explicit)
        return len(header) + size

    def _item(self, tag: int, item: object, charset: Charset, depth: int) -> int:
        if not isinstance(item, DataSet):
            raise EncodeError(f"an item is a DataSet, not a {type(item).__name__}", tag=tag)
        terms = item.text(tags.SPECIFIC_CHARACTER_SET)
        place = self._place()
        size = self.data_set(item, _known(terms, item) if terms else charset, depth + 1)
        header = self.parts[place] = item_header(size)
        return len(header) + size

    def _place(self) -> int:
        """Where a header goes whose length is not known yet."""
        self.parts.append(b"")
        return len(self.parts) - 1

    def _fragments(self, tag: int, vr: str, value: Value) -> int:
        """Offset table, fragments and delimiter behind the Pixel Data header (PS3.5 A.4)."""
        if not isinstance(value, Fragments):
            raise EncodeError("Pixel Data of an encapsulated transfer syntax needs Fragments", tag=tag)
        parts = [element_header(tag, vr, UNDEFINED_LENGTH, explicit=self.explicit)]
        for data in (value.offset_table, *value.fragments):
            if len(data) & 1:
                raise EncodeError(f"a fragment of {len(data)} bytes is not padded", tag=tag)
            parts += (item_header(len(data)), data)
        parts.append(SEQUENCE_END)
        self.parts += parts
        return sum(map(len, parts))

    def _vr(self, stored: Element | Raw, dataset: DataSet) -> str:
        """The VR to write; a choice the dictionary leaves is made here."""
        vr = stored.vr
        if not is_ambiguous(vr):
            return vr if vr in VRS else "UN"
        signed = dataset.get(tags.PIXEL_REPRESENTATION, self.root.get(tags.PIXEL_REPRESENTATION, 0)) == 1
        pixels = stored.tag == tags.PIXEL_DATA
        if pixels and self.encapsulated and isinstance(stored, Element) and isinstance(stored.value, Fragments):
            return "OB"
        bits = dataset.get(tags.BITS_ALLOCATED if pixels else tags.WAVEFORM_BITS_ALLOCATED, 16)
        wide = not self.explicit or not isinstance(bits, int) or bits > 8
        return choose(vr, stored.data if isinstance(stored, Raw) else stored.value, signed=signed, wide=wide)

    def _check_place(self, tag: int, dataset: DataSet, order: list[int], depth: int) -> None:
        """Whether an element of this group may stand here."""
        group = tag >> 16
        if depth and group in _ROOT_ONLY_GROUPS:
            raise EncodeError("an item cannot hold elements of this group", tag=tag)
        if group == 0x0002:
            raise EncodeError("File Meta Information is not part of a Data Set", tag=tag)
        if group == 0 and order[-1] >> 16:
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
    count = len(found) if isinstance(found, list | tuple) else str(found).count("\\") + 1
    vm = dictionary.vm_of(tag)
    if not dictionary.vm_allows(vm, count):
        raise EncodeError(f"{count} values where {vm} are allowed", tag=tag)
