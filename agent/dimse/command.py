"""The Command Set: the elements of group 0000 and their encoding (PS3.7 6.3.1, Annex E).

A Command Set is always Implicit VR Little Endian: tag, 32-bit length, value, in ascending order, the group length
first. UIDs are padded with NUL, text with spaces. The value representations are not on the wire, so the table below
is all there is to know. Tags are plain integers; in group 0000 tag and element number are the same.

``decode`` takes what peers send: any order, a wrong group length, retired and unknown elements. It does not take
elements of another group, lengths past the end, or numbers of the wrong size: ``RemoteProtocolError``.
"""

from __future__ import annotations

from struct import Struct

from agent.errors import LocalProtocolError, RemoteProtocolError
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Value = int | str | tuple[int, ...]

GROUP_LENGTH = 0x0000
AFFECTED_SOP_CLASS_UID = 0x0002
REQUESTED_SOP_CLASS_UID = 0x0003
COMMAND_FIELD = 0x0100
MESSAGE_ID = 0x0110
MESSAGE_ID_RESPONDED_TO = 0x0120
MOVE_DESTINATION = 0x0600
PRIORITY = 0x0700
DATA_SET_TYPE = 0x0800
STATUS = 0x0900
OFFENDING_ELEMENT = 0x0901
ERROR_COMMENT = 0x0902
ERROR_ID = 0x0903
AFFECTED_SOP_INSTANCE_UID = 0x1000
REQUESTED_SOP_INSTANCE_UID = 0x1001
EVENT_TYPE_ID = 0x1002
ATTRIBUTE_IDENTIFIER_LIST = 0x1005
ACTION_TYPE_ID = 0x1008
REMAINING_SUBOPERATIONS = 0x1020
COMPLETED_SUBOPERATIONS = 0x1021
FAILED_SUBOPERATIONS = 0x1022
WARNING_SUBOPERATIONS = 0x1023
MOVE_ORIGINATOR_AE = 0x1030
MOVE_ORIGINATOR_MESSAGE_ID = 0x1031

# Value of (0000,0800) when no Data Set follows; anything else means that one does.
NO_DATA_SET = 0x0101
A_DATA_SET = 0x0001

# tag -> value representation (PS3.7 Table E.1-1)
VR = {
    GROUP_LENGTH: "UL",
    AFFECTED_SOP_CLASS_UID: "UI",
    REQUESTED_SOP_CLASS_UID: "UI",
    COMMAND_FIELD: "US",
    MESSAGE_ID: "US",
    MESSAGE_ID_RESPONDED_TO: "US",
    MOVE_DESTINATION: "AE",
    PRIORITY: "US",
    DATA_SET_TYPE: "US",
    STATUS: "US",
    OFFENDING_ELEMENT: "AT",
    ERROR_COMMENT: "LO",
    ERROR_ID: "US",
    AFFECTED_SOP_INSTANCE_UID: "UI",
    REQUESTED_SOP_INSTANCE_UID: "UI",
    EVENT_TYPE_ID: "US",
    ATTRIBUTE_IDENTIFIER_LIST: "AT",
    ACTION_TYPE_ID: "US",
    REMAINING_SUBOPERATIONS: "US",
    COMPLETED_SUBOPERATIONS: "US",
    FAILED_SUBOPERATIONS: "US",
    WARNING_SUBOPERATIONS: "US",
    MOVE_ORIGINATOR_AE: "AE",
    MOVE_ORIGINATOR_MESSAGE_ID: "US",
}

_TEXT_LIMIT = {"UI": 64, "AE": 16, "LO": 64}

_ELEMENT = Struct("<HHL")
_US = Struct("<HHLH")
_UL = Struct("<HHLL")
_AT = Struct("<HH")


def encode(elements: Iterable[tuple[int, Value]]) -> bytes:
    """Return the Command Set with its group length; ``elements`` are (tag, value) in ascending order."""
    body = b"".join([_encode_element(tag, value) for tag, value in elements])
    return _UL.pack(0, GROUP_LENGTH, 4, len(body)) + body


def decode(data: bytes) -> dict[int, Value]:
    """Return the known elements by tag: numbers as int, UIDs and text as str without padding, AT as tuple of tags."""
    found: dict[int, Value] = {}
    at, end = 0, len(data)
    while at < end:
        if end - at < 8:
            raise RemoteProtocolError(f"Command Set: {end - at} stray bytes where an element should begin")
        group, tag, length = _ELEMENT.unpack_from(data, at)
        at += 8
        stop = at + length
        if group or stop > end:
            raise RemoteProtocolError(
                f"Command Set: element ({group:04X},{tag:04X}) of {length} bytes at byte {at - 8}"
            )
        vr = VR.get(tag)
        if vr == "US":
            if length != 2:
                raise RemoteProtocolError(f"Command Set: ({group:04X},{tag:04X}) has {length} bytes, not 2")
            found[tag] = data[at] | data[at + 1] << 8
        elif vr == "UI":
            text = data[at:stop].rstrip(b"\0 ").decode("ascii", "replace")
            found[tag] = text if text.isascii() and text.isprintable() else _printable(text)
        elif vr is not None:
            found[tag] = _decode_value(vr, data[at:stop])
        at = stop
    return found


def _encode_element(tag: int, value: Value) -> bytes:
    vr = VR[tag]
    if isinstance(value, int):
        if not 0 <= value <= 0xFFFF:
            raise LocalProtocolError(f"Command Set: {value} does not fit (0000,{tag:04X})")
        return _US.pack(0, tag, 2, value)
    if isinstance(value, str):
        return encode_text(tag, vr, value)
    data = b"".join([_AT.pack(item >> 16, item & 0xFFFF) for item in value])
    return _ELEMENT.pack(0, tag, len(data)) + data


def encode_text(tag: int, vr: str, value: str) -> bytes:
    """Return one element of text, padded to even; LocalProtocolError if it is too long or not plain ASCII."""
    if len(value) > _TEXT_LIMIT[vr] or not value.isascii() or (vr == "UI" and value.strip("0123456789.")):
        raise LocalProtocolError(f"Command Set: {value!r} is no value for (0000,{tag:04X})")
    data = value.encode("ascii")
    if len(data) & 1:
        data += b"\0" if vr == "UI" else b" "
    return _ELEMENT.pack(0, tag, len(data)) + data


def _decode_value(vr: str, data: bytes) -> Value:
    if vr == "AT":
        return tuple(group << 16 | element for group, element in _AT.iter_unpack(data[: len(data) & ~3]))
    if vr == "UL":
        return int.from_bytes(data, "little")
    return _printable(data.decode("ascii", "replace").strip(" \0"))


def _printable(text: str) -> str:
    """Text of a peer as it may be shown: whatever is not printable ASCII becomes a question mark."""
    return "".join(c if c.isprintable() and c.isascii() else "?" for c in text)
