"""The start of a file that breaks PS3.10 7.1, and what was tolerated to read it.

Devices have written Data Sets without preamble, without ``DICM``, without File Meta Information, with a wrong group
length, without a Transfer Syntax UID or with one that the bytes contradict. Whoever asks for it gets such a file read,
with a ``Note`` for every rule it breaks; a conforming file gives none. We write none of this.

A transfer syntax is guessed from the first element of the Data Set, and a stated one is overruled only by proof: the
eight bytes there make sense one way and not the other. What starts with no element of a group that can come first is
not DICOM.
"""

from __future__ import annotations

import struct

from agent.dataset.tag import tag_str
from agent.dataset.uid import (
    DEFLATED_EXPLICIT_VR_LE,
    EXPLICIT_VR_BE,
    EXPLICIT_VR_LE,
    IMPLICIT_VR_LE,
    is_encapsulated,
    is_valid_uid,
    uid_name,
)
from agent.dataset.values import Raw
from agent.dataset.vr import VRS
from agent.errors import DecodeError, LimitError, NotDicomError
from agent.media.part10 import MAGIC, META_OFFSET, PREAMBLE_BYTES, FileMeta
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.dataset import DataSet

# PS3.10 7.1 has 19 elements; what holds more than this many is no File Meta Information.
MAX_META_ELEMENTS = 64
# The longest value of group 0002 that is looked at is an AE Title or UID; room for presentation addresses.
_VALUE_BYTES = 1024
# A first element longer than this is no first element: group 0004 to 0010 start with UIDs, dates and lengths.
_FIRST_VALUE_BYTES = 1 << 16
_GROUP_LENGTH, _SOP_CLASS, _SOP_INSTANCE, _SYNTAX = 0x00020000, 0x00020002, 0x00020003, 0x00020010
_SOURCE_AE, _PRIVATE_CREATOR = 0x00020016, 0x00020100
# Groups that open a Data Set in practice; 0000 is a Command Set that somebody wrote to a file.
_FIRST_GROUPS = frozenset({0x0000, 0x0004, 0x0008, 0x0010, 0x0018, 0x0020, 0x0028})
_NEITHER = "no DICM prefix, and no Data Element either"
_NOT_EVEN_LENIENT = "Is it the right file? Not even the start of a Data Set without the head of a file is in it."
_VR_NAMES = frozenset(name.encode() for name in VRS)
_LONG_NAMES = frozenset(name.encode() for name, row in VRS.items() if row.long)


class Note(NamedTuple):
    """One rule that a file breaks and that was tolerated; ``offset`` in bytes from the start of the file."""

    offset: int
    text: str

    def __str__(self) -> str:
        return f"tolerated: {self.text} (byte {self.offset})"


class Prefix(NamedTuple):
    """What stands before the Data Set; ``meta`` has empty texts for what is missing, but a transfer syntax always."""

    meta: FileMeta
    syntax: str  # what the attributes are in; that of ``meta`` says how pixels are encapsulated
    meta_offset: int  # of group 0002, or of the Data Set where there is none
    data_set_offset: int
    notes: list[Note]


def read_prefix(pread: Callable[[int, int], bytes], size: int) -> Prefix:
    """File Meta Information as far as there is any, and where the Data Set starts.

    Args:
        pread: ``pread(length, offset)``; it may return less only at the end of the file.
        size: Of the file in bytes.

    Raises:
        NotDicomError: Nothing at the start of the file looks like a Data Element.
        DecodeError: Group 0002 is cut short.
    """
    notes: list[Note] = []
    start = _start(pread, notes)
    found, offset = _meta(pread, start, size, notes)
    if not found and not _guesses(pread(8, offset)) and offset < size:
        raise NotDicomError(_NEITHER, offset=offset, hint=_NOT_EVEN_LENIENT)
    stated = _text(found, _SYNTAX)
    syntax = _syntax(_uid(found, _SYNTAX), pread(8, offset), offset, notes)
    if found and not _uid(found, _SYNTAX):
        what = f"{stated!r} is no Transfer Syntax UID" if stated else "no Transfer Syntax UID"
        notes.append(Note(start, f"{what}; the bytes look like {uid_name(syntax)}"))
    for tag, name in ((_SOP_CLASS, "Class"), (_SOP_INSTANCE, "Instance")):
        if found and not _uid(found, tag):
            notes.append(Note(start, f"no Media Storage SOP {name} UID"))
    sop_class, sop_instance = (_uid(found, tag) for tag in (_SOP_CLASS, _SOP_INSTANCE))
    named = stated if is_valid_uid(stated) and is_encapsulated(stated) else syntax
    meta = FileMeta(sop_class, sop_instance, named, _text(found, _SOURCE_AE))
    return Prefix(meta, syntax, start, offset, notes)


def odd_lengths(dataset: DataSet, offset: int) -> list[Note]:
    """A note where values have odd lengths (PS3.5 7.1.1); it is about the Data Set at ``offset`` as a whole."""
    odd: list[int] = []
    todo = [dataset]
    while todo:
        level = todo.pop()
        for tag, stored in level.stored.items():
            if isinstance(stored, Raw) and len(stored.data) & 1:
                odd.append(tag)
            elif stored.vr == "SQ":
                todo += level.items_of(tag)
    if not odd:
        return []
    count = "1 value" if len(odd) == 1 else f"{len(odd)} values"
    return [Note(offset, f"{count} of odd length, such as that of {tag_str(min(odd))}")]


def _text(found: dict[int, bytes], tag: int) -> str:
    return found.get(tag, b"").decode("ascii", "replace").strip(" \0")


def _uid(found: dict[int, bytes], tag: int) -> str:
    uid = _text(found, tag)
    return uid if is_valid_uid(uid) else ""


def _start(pread: Callable[[int, int], bytes], notes: list[Note]) -> int:
    """Where group 0002 starts, or the Data Set if there is none."""
    head = pread(META_OFFSET + 8, 0)
    if head[PREAMBLE_BYTES:META_OFFSET] == MAGIC:
        return META_OFFSET
    if head[: len(MAGIC)] == MAGIC:
        notes.append(Note(0, "no preamble"))
        return len(MAGIC)
    for offset in (0, PREAMBLE_BYTES):
        if _is_meta(head[offset : offset + 8]) or _guesses(head[offset : offset + 8]):
            notes.append(Note(offset, "no DICM prefix" if offset else "no preamble and no DICM prefix"))
            return offset
    raise NotDicomError(_NEITHER, offset=PREAMBLE_BYTES, hint=_NOT_EVEN_LENIENT)


# --- group 0002 ---------------------------------------------------------------------------------


def _is_meta(header: bytes) -> bool:
    return len(header) == 8 and header[:2] == b"\2\0"


def _meta(pread: Callable[[int, int], bytes], start: int, size: int, notes: list[Note]) -> tuple[dict[int, bytes], int]:
    """The elements of group 0002, whatever its length says, and where they end."""
    found: dict[int, bytes] = {}
    at = start
    stated = None
    count = 0
    while _is_meta(pread(8, at)):
        count += 1
        if count > MAX_META_ELEMENTS:
            raise LimitError(f"more than {MAX_META_ELEMENTS} elements of File Meta Information", offset=at)
        tag, header_bytes, length = _meta_header(pread(12, at), at, found, notes)
        value_at = at + header_bytes
        if value_at + length > size:
            raise DecodeError("File Meta Information is cut short", tag=tag, offset=at)
        found[tag] = pread(min(length, _VALUE_BYTES), value_at)
        at = value_at + length
        if tag == _GROUP_LENGTH and length == 4:
            stated = at + int.from_bytes(found[tag], "little")
    if not found:
        notes.append(Note(start, "no File Meta Information"))
    elif stated is None:
        notes.append(Note(start, "no group length of File Meta Information"))
    elif stated != at:
        notes.append(Note(start, f"the group length says that File Meta Information ends at {stated}, not at {at}"))
    return found, at


def _meta_header(header: bytes, at: int, found: dict[int, bytes], notes: list[Note]) -> tuple[int, int, int]:
    """Tag, header length and value length; Explicit VR as it must be, or Implicit VR."""
    tag = 0x00020000 | int.from_bytes(header[2:4], "little")
    vr = header[4:6]
    if vr not in _VR_NAMES:
        if not found:
            notes.append(Note(at, "File Meta Information in Implicit VR"))
        return tag, 8, int.from_bytes(header[4:8], "little")
    if vr not in _LONG_NAMES:
        return tag, 8, int.from_bytes(header[6:8], "little")
    if len(header) < 12:
        raise DecodeError("File Meta Information is cut short", tag=tag, offset=at)
    return tag, 12, int.from_bytes(header[8:12], "little")


# --- the transfer syntax ------------------------------------------------------------------------


def _guesses(header: bytes) -> list[str]:
    """The transfer syntaxes in which these eight bytes can be the first element of a Data Set, likeliest first."""
    if len(header) < 8:
        return []
    fits = []
    for syntax, layout in ((EXPLICIT_VR_LE, "<HH2sH"), (EXPLICIT_VR_BE, ">HH2sH")):
        group, element, vr, length = struct.unpack(layout, header)
        if group in _FIRST_GROUPS and vr in _VR_NAMES and (vr not in _LONG_NAMES or length == 0):
            fits.append(syntax)
    group, element, length = struct.unpack("<HHI", header)
    if group in _FIRST_GROUPS and length <= _FIRST_VALUE_BYTES and (group or element or length):
        fits.append(IMPLICIT_VR_LE)
    return fits


def _syntax(stated: str, header: bytes, offset: int, notes: list[Note]) -> str:
    """The transfer syntax to read the Data Set with."""
    guesses = _guesses(header)
    if not stated:
        return guesses[0] if guesses else IMPLICIT_VR_LE
    family = stated if stated in (IMPLICIT_VR_LE, EXPLICIT_VR_BE, DEFLATED_EXPLICIT_VR_LE) else EXPLICIT_VR_LE
    if family in guesses or not guesses:
        return stated
    notes.append(Note(offset, f"{uid_name(stated)} is stated, and the bytes are {uid_name(guesses[0])}"))
    return guesses[0]
