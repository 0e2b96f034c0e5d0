"""What a value of VR UN holds, where somebody wants to look inside (PS3.5 6.2.2).

UN of defined length is kept as bytes: only who knows the private element can say what they are. If they can be read as
items, they are the items of a sequence in Implicit VR Little Endian, which is what a sender must write whose private
sequence came through somebody who did not know its VR. The Data Set is not changed by looking.
"""

from __future__ import annotations

import struct

from agent.dataset.decode import Limits, decode
from agent.dataset.uid import IMPLICIT_VR_LE
from agent.errors import DecodeError
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet

_ITEM = b"\xfe\xff\x00\xe0"
_ANY_SEQUENCE = 0x00081032  # Procedure Code Sequence; what matters is that the dictionary knows it for one


def items_in(
    value: object,
    *,
    limits: Limits = Limits(),  # noqa: B008  (immutable)
) -> list[DataSet] | None:
    """The items that a value of VR UN consists of, or None where it is anything else."""
    if not isinstance(value, bytes) or not value.startswith(_ITEM):
        return None
    header = struct.pack("<HHI", _ANY_SEQUENCE >> 16, _ANY_SEQUENCE & 0xFFFF, len(value))
    try:
        return decode(header + value, IMPLICIT_VR_LE, limits=limits).items_of(_ANY_SEQUENCE)
    except DecodeError:
        return None
