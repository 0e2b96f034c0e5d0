"""Tags as plain integers: 0xGGGGEEEE (PS3.5 7.1).

An integer sorts as the Standard orders Data Elements, costs nothing and prints well in hexadecimal; a class would only
add a name. This page holds the few questions one asks of a tag. Tags that the code itself must know have a name here;
everything else is looked up by keyword in ``dictionary``.
"""

from __future__ import annotations

SPECIFIC_CHARACTER_SET = 0x00080005
NUMBER_OF_FRAMES = 0x00280008
BITS_ALLOCATED = 0x00280100
PIXEL_REPRESENTATION = 0x00280103
WAVEFORM_BITS_ALLOCATED = 0x54001004
EXTENDED_OFFSET_TABLE = 0x7FE00001
EXTENDED_OFFSET_TABLE_LENGTHS = 0x7FE00002
FLOAT_PIXEL_DATA = 0x7FE00008
DOUBLE_FLOAT_PIXEL_DATA = 0x7FE00009
PIXEL_DATA = 0x7FE00010
TRAILING_PADDING = 0xFFFCFFFC
ITEM = 0xFFFEE000
ITEM_DELIMITATION = 0xFFFEE00D
SEQUENCE_DELIMITATION = 0xFFFEE0DD

_RESERVED_ODD_GROUPS = frozenset({0x0001, 0x0003, 0x0005, 0x0007, 0xFFFF})


def group(tag: int) -> int:
    """The group number, the high half of the tag."""
    return tag >> 16


def element(tag: int) -> int:
    """The element number, the low half of the tag."""
    return tag & 0xFFFF


def tag_str(tag: int) -> str:
    """The tag as the Standard prints it: ``(0010,0020)``."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def is_private(tag: int) -> bool:
    """Whether the group number is odd and usable (PS3.5 7.8)."""
    return bool(tag >> 16 & 1) and tag >> 16 not in _RESERVED_ODD_GROUPS


def is_private_creator(tag: int) -> bool:
    """Whether the element reserves a private block: (gggg,0010) to (gggg,00FF) of an odd group (PS3.5 7.8.1)."""
    return is_private(tag) and 0x10 <= tag & 0xFFFF <= 0xFF


def private_creator_of(tag: int) -> int:
    """The tag of the creator element that owns this private element; 0 where the element number can have no owner."""
    block = (tag & 0xFFFF) >> 8
    return (tag & 0xFFFF0000) | block if block >= 0x10 else 0


def is_group_length(tag: int) -> bool:
    """Whether the element is a group length, retired outside groups 0000 and 0002 (PS3.5 7.2)."""
    return tag & 0xFFFF == 0
