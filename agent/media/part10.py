"""File Meta Information: what stands before the Data Set in a DICOM File (PS3.10 7.1).

A file is 128 bytes of preamble, ``DICM``, group 0002 in Explicit VR Little Endian, and the Data Set in the transfer
syntax that (0002,0010) names. The preamble we write is zero; the one we read is ignored, whatever hides in it.

Group 0002 may be given an exact size: Private Information (0002,0102), under a creator UID of ours, fills the rest with
zero bytes that readers must ignore. This is how a cine is written in one pass (see ``stream``).

This module is on the path of ``send`` and knows group 0002 by heart instead of loading the dictionary.
"""

from __future__ import annotations

import struct

from agent.dataset.uid import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    PRIVATE_INFORMATION_CREATOR_UID,
    TRANSFER_SYNTAX_NAMES,
    is_valid_uid,
)
from agent.errors import DecodeError, EncodeError, NotDicomError
from agent.typed import NamedTuple

PREAMBLE_BYTES = 128
MAGIC = b"DICM"
META_OFFSET = PREAMBLE_BYTES + len(MAGIC)

# Reading this much from the start of a file is always enough for ``decode_prefix``: no conforming meta information
# besides private bulk comes near it, and a hostile one ends here.
PREFIX_LIMIT_BYTES = 64 * 1024
# Longest group 0002 we believe: the slack of a cine with 100,000 frames needs 1.6 MB.
MAX_META_BYTES = 4 * 1024 * 1024

_GROUP_LENGTH, _VERSION = 0x00020000, 0x00020001
_SOP_CLASS, _SOP_INSTANCE, _TRANSFER_SYNTAX = 0x00020002, 0x00020003, 0x00020010
_IMPLEMENTATION_CLASS, _IMPLEMENTATION_VERSION, _SOURCE_AE = 0x00020012, 0x00020013, 0x00020016
_PRIVATE_CREATOR, _PRIVATE_INFORMATION = 0x00020100, 0x00020102
_LONG_VRS = frozenset({b"OB", b"UN", b"UR", b"UT", b"OW", b"UC", b"OD", b"OF", b"OL", b"OV", b"SQ", b"SV", b"UV"})
_USUAL_VRS = frozenset({b"UI", b"SH", b"UL", b"AE"})
_GROUP_LENGTH_BYTES = 12  # the element (0002,0000) itself
_MAX_AE_BYTES = 16


class FileMeta(NamedTuple):
    """The File Meta Information that matters to us."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    source_ae_title: str = ""


def encode_prefix(meta: FileMeta, *, length: int | None = None) -> bytes:
    """Preamble, prefix and group 0002: everything before the Data Set.

    With ``length`` the result has exactly that many bytes.

    Raises:
        EncodeError: A UID or AE Title is not one, or ``length`` is too small or odd.
    """
    body = _element(_VERSION, b"OB", b"\0\1")
    for tag, uid in (
        (_SOP_CLASS, meta.sop_class_uid),
        (_SOP_INSTANCE, meta.sop_instance_uid),
        (_TRANSFER_SYNTAX, meta.transfer_syntax_uid),
        (_IMPLEMENTATION_CLASS, IMPLEMENTATION_CLASS_UID),
    ):
        body += _uid_element(tag, uid)
    body += _element(_IMPLEMENTATION_VERSION, b"SH", IMPLEMENTATION_VERSION_NAME.encode())
    body += _source_element(meta.source_ae_title)
    if length is not None:
        body += _filler(length - META_OFFSET - _GROUP_LENGTH_BYTES - len(body), length)
    group_length = _element(_GROUP_LENGTH, b"UL", struct.pack("<I", len(body)))
    return bytes(PREAMBLE_BYTES) + MAGIC + group_length + body


def min_filler_bytes() -> int:
    """The smallest slack that ``encode_prefix`` can fill, other than none."""
    return len(_uid_element(_PRIVATE_CREATOR, PRIVATE_INFORMATION_CREATOR_UID)) + 12 + 2


def decode_prefix(data: bytes) -> tuple[FileMeta, int]:
    """The File Meta Information and the offset of the Data Set.

    ``data`` is the start of the file: all of it or at least the first ``PREFIX_LIMIT_BYTES`` bytes.

    Raises:
        NotDicomError: No ``DICM`` at byte 128.
        DecodeError: Group 0002 is damaged or lacks an element of type 1.
    """
    if data[PREAMBLE_BYTES:META_OFFSET] != MAGIC:
        raise NotDicomError("no DICM prefix", offset=PREAMBLE_BYTES)
    found, end = _elements(data[:PREFIX_LIMIT_BYTES])
    meta = FileMeta(
        _uid_value(found, _SOP_CLASS, "Media Storage SOP Class UID"),
        _uid_value(found, _SOP_INSTANCE, "Media Storage SOP Instance UID"),
        _uid_value(found, _TRANSFER_SYNTAX, "Transfer Syntax UID"),
        found.get(_SOURCE_AE, b"").decode("ascii", "replace").strip(" \0"),
    )
    return meta, end


# --- writing ------------------------------------------------------------------------------------


def _element(tag: int, vr: bytes, value: bytes) -> bytes:
    layout = "<HH2sHI" if vr in _LONG_VRS else "<HH2sH"
    fields = (0, len(value)) if vr in _LONG_VRS else (len(value),)
    return struct.pack(layout, tag >> 16, tag & 0xFFFF, vr, *fields) + value


def _uid_element(tag: int, uid: str) -> bytes:
    if not is_valid_uid(uid):
        raise EncodeError(f"{uid!r} is no UID", tag=tag)
    value = uid.encode()
    return _element(tag, b"UI", value + b"\0" if len(value) & 1 else value)


def _source_element(ae_title: str) -> bytes:
    if not ae_title:
        return b""
    if not (ae_title.isascii() and ae_title.isprintable() and ae_title.strip()) or "\\" in ae_title:
        raise EncodeError(f"{ae_title!r} is no AE Title", tag=_SOURCE_AE)
    if len(ae_title) > _MAX_AE_BYTES:
        raise EncodeError(f"{ae_title!r} is longer than {_MAX_AE_BYTES} characters", tag=_SOURCE_AE)
    value = ae_title.encode()
    return _element(_SOURCE_AE, b"AE", value + b" " if len(value) & 1 else value)


def _filler(missing: int, length: int) -> bytes:
    """Private Information of exactly ``missing`` bytes, headers and creator included; nothing for none."""
    if missing == 0:
        return b""
    creator = _uid_element(_PRIVATE_CREATOR, PRIVATE_INFORMATION_CREATOR_UID)
    size = missing - len(creator) - 12
    if size < 2 or size & 1:
        raise EncodeError(f"File Meta Information cannot be made {length} bytes long", tag=_PRIVATE_INFORMATION)
    return creator + _element(_PRIVATE_INFORMATION, b"OB", bytes(size))


# --- reading ------------------------------------------------------------------------------------


def _elements(data: bytes) -> tuple[dict[int, bytes], int]:
    """The elements of group 0002 up to Private Information, and where the group ends."""
    found: dict[int, bytes] = {}
    at, end = META_OFFSET, None
    while end is None or at < end:
        if len(data) < at + 8 and end is None:
            break  # a file that ends with its meta information and states no group length
        tag, header, size = _header(data, at)
        if tag >> 16 != 0x0002:
            if end is not None:
                raise DecodeError("the group length does not match", tag=_GROUP_LENGTH, offset=at)
            break
        if tag >= _PRIVATE_CREATOR and end is not None:
            return found, end  # bulk we do not need, and which may lie beyond what we were given
        if at + header + size > len(data):
            raise DecodeError("File Meta Information is cut short", tag=tag, offset=at)
        found[tag] = data[at + header : at + header + size]
        at += header + size
        if tag == _GROUP_LENGTH:
            end = _end_of_group(found[tag], at)
    return found, at


def _header(data: bytes, at: int) -> tuple[int, int, int]:
    """Tag, header length and value length of the element at an offset."""
    if len(data) < at + 8:
        raise DecodeError("File Meta Information is cut short", offset=at)
    group, element, vr, size = struct.unpack_from("<HH2sH", data, at)
    tag = group << 16 | element
    if group != 0x0002:
        return tag, 0, 0
    if vr in _USUAL_VRS:
        return tag, 8, size
    if not (vr.isalpha() and vr.isupper()):
        raise DecodeError("File Meta Information must be in Explicit VR", tag=tag, offset=at)
    if vr not in _LONG_VRS:
        return tag, 8, size
    if len(data) < at + 12:
        raise DecodeError("File Meta Information is cut short", tag=tag, offset=at)
    return tag, 12, struct.unpack_from("<I", data, at + 8)[0]


def _end_of_group(value: bytes, at: int) -> int:
    if len(value) != 4:
        raise DecodeError("the group length is not four bytes", tag=_GROUP_LENGTH, offset=at)
    length: int = struct.unpack("<I", value)[0]
    if length > MAX_META_BYTES:
        raise DecodeError(f"a group length of {length} bytes is not believable", tag=_GROUP_LENGTH, offset=at)
    return at + length


def _uid_value(found: dict[int, bytes], tag: int, name: str) -> str:
    uid = found.get(tag, b"").decode("ascii", "replace").rstrip(" \0")
    if uid not in TRANSFER_SYNTAX_NAMES and not is_valid_uid(uid):
        raise DecodeError(f"{name} is {'no UID' if uid else 'missing'}", tag=tag)
    return uid
