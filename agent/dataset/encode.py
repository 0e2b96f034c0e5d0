"""A Data Set to bytes: Implicit VR, Explicit VR and Deflated, all little endian (PS3.5 7 and Annex A).

Strict: every value obeys its VR and VM, tags ascend, private elements have their creator, and what the Standard has
retired (group lengths, Big Endian) is not written. Elements that were read and not changed are passed on as the bytes
they came in, even where a value would not be allowed today: it is not ours to correct.

Specific Character Set: the element in the Data Set binds. Without one, text is written in ASCII if that suffices, else
as ISO_IR 192 (or the set named by ``charset``, for archives that know only Latin-1) and (0008,0005) is added.

Sequences and items get defined lengths: a reader can skip them, and a damaged one cannot swallow the rest.
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
from agent.dataset.values import Element, Fragments, Raw, parse
from agent.dataset.vr import VRS, choose, is_ambiguous
from agent.errors import EncodeError

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    if transfer_syntax == EXPLICIT_VR_BE:
        raise EncodeError(f"{uid_name(transfer_syntax)} is retired and is not written")
    data = _encode_in_some_charset(dataset, transfer_syntax, charset)
    if transfer_syntax == DEFLATED_EXPLICIT_VR_LE:
        from agent.dataset.deflate import deflate  # zlib, for a transfer syntax that is rare

        data = deflate(data)
    return data


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


def _encode_in_some_charset(dataset: DataSet, transfer_syntax: str, preferred: str | None) -> bytes:
    for charset in _candidates(dataset, preferred):
        work = dataset
        if charset.terms and tags.SPECIFIC_CHARACTER_SET not in dataset:
            work = dataset.between(0, 1 << 32)
            work.set(tags.SPECIFIC_CHARACTER_SET, charset.terms, vr="CS")
        try:
            return b"".join(_Encoder(work, transfer_syntax).data_set(work, charset, depth=0))
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
    """Walks one Data Set; knows the root for what items inherit."""

    __slots__ = ("encapsulated", "explicit", "root")

    def __init__(self, root: DataSet, transfer_syntax: str) -> None:
        self.root = root
        self.explicit = transfer_syntax != IMPLICIT_VR_LE
        self.encapsulated = is_encapsulated(transfer_syntax)

    def data_set(self, dataset: DataSet, charset: Charset, depth: int) -> list[bytes]:
        """The encoded elements, header and value alternating."""
        parts: list[bytes] = []
        order = dataset.tags()
        for tag in order:
            if tags.is_group_length(tag) and tag:
                continue
            self._check_place(tag, dataset, order, depth)
            stored = dataset.stored[tag]
            vr = self._vr(stored, dataset)
            try:
                value = self._value(stored, vr, charset, depth)
                if isinstance(stored, Element):
                    _check_vm(tag, vr, value, stored)
            except EncodeError as error:
                raise (error if error.tag is not None else EncodeError(error.message, tag=tag)) from None
            undefined = isinstance(stored, Element) and isinstance(stored.value, Fragments)
            length = UNDEFINED_LENGTH if undefined else len(value)
            parts += (element_header(tag, vr, length, explicit=self.explicit), value)
        return parts

    def _value(self, stored: Element | Raw, vr: str, charset: Charset, depth: int) -> bytes:
        if isinstance(stored, Raw):
            return self._raw_value(stored, vr, charset)
        if vr == "SQ":
            return self._sequence(stored, charset, depth)
        if stored.tag == tags.PIXEL_DATA and depth == 0 and stored.value is not None and self.encapsulated:
            return _fragments(stored)
        return rules.format_value(vr, stored.value, charset)

    def _raw_value(self, raw: Raw, vr: str, charset: Charset) -> bytes:
        """Bytes as they were read, unless they are text in another character set."""
        data = raw.data
        if VRS[vr].charset and raw.charset != charset and not _is_plain_ascii(data):
            return rules.format_value(vr, parse(raw), charset)
        return data + VRS[vr].pad if len(data) & 1 else data

    def _sequence(self, element: Element, charset: Charset, depth: int) -> bytes:
        if depth >= MAX_DEPTH:
            raise EncodeError(f"sequences are nested more than {MAX_DEPTH} deep", tag=element.tag)
        if element.value is not None and not isinstance(element.value, list):
            raise EncodeError("a sequence holds a list of Data Sets", tag=element.tag)
        parts: list[bytes] = []
        for item in element.value or []:
            if not isinstance(item, DataSet):
                raise EncodeError(f"an item is a DataSet, not a {type(item).__name__}", tag=element.tag)
            terms = item.text(tags.SPECIFIC_CHARACTER_SET)
            content = b"".join(self.data_set(item, _known(terms, item) if terms else charset, depth + 1))
            parts += (item_header(len(content)), content)
        return b"".join(parts)

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


def _fragments(element: Element) -> bytes:
    """Offset table, fragments and delimiter behind the Pixel Data header (PS3.5 A.4)."""
    if not isinstance(element.value, Fragments):
        raise EncodeError("Pixel Data of an encapsulated transfer syntax needs Fragments", tag=element.tag)
    parts: list[bytes] = []
    for content in element.value:
        for data in [content] if isinstance(content, bytes) else content:
            if len(data) & 1:
                raise EncodeError(f"a fragment of {len(data)} bytes is not padded", tag=element.tag)
            parts += (item_header(len(data)), data)
    return b"".join((*parts, SEQUENCE_END))


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
