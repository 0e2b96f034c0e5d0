"""Runs of unsuspicious Data Elements, taken in one tight loop each (PS3.5 7.1.2, 7.1.3).

Nine elements of ten are like this: the tag is above the one before, the length is defined and within all bounds, the
value has arrived, and the VR is known and no sequence. The first element that is not so ends the run and is left to
``decode``, which also names what is wrong with it; so whatever is checked there must end a run here.
"""

from __future__ import annotations

import struct

from agent.dataset.vr import VRS
from agent.typed import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.charset import Charset
    from agent.dataset.values import Element, Raw, Unread

_HEADER = struct.Struct("<HH2sH").unpack
_IMPLICIT_HEADER = struct.Struct("<HHI").unpack_from
_LENGTH = struct.Struct("<I").unpack_from
_SHORT_VRS = {name.encode(): name for name, row in VRS.items() if not row.long}
_LONG_VRS = {name.encode(): name for name, row in VRS.items() if row.long and name not in {"SQ", "UN"}}

# What the eight bytes of a header mean: tag, VR, size of the header, length of the value (-1: in the four behind).
# The files of a department share most of theirs; a hostile one cannot make more of them stay than this.
_HEADS_KEPT = 2048
_heads: dict[bytes, tuple[int, str, int, int]] = {}


class Place(Protocol):
    """The level that a run is in, as far as it matters to it: a ``Level`` of the decoder, or who only walks by."""

    last: int  # the highest tag so far
    charset: Charset


# Where a run ends at the latest: in the bytes at hand, before this tag, after so many elements, at a longer value.
Bounds: TypeAlias = tuple[int, int, int, int]


def explicit_run(data: bytes, here: int, level: Place, held: dict[int, Element | Raw | Unread], bounds: Bounds) -> int:
    """Take elements of Explicit VR Little Endian from ``here`` on; where they end."""
    room, before, elements, longest = bounds
    known, charset, last = _heads.get, level.charset, level.last
    for _ in range(elements):
        head = data[here : here + 8]
        row = known(head) or _head(head)
        if row is None:
            break
        tag, vr, size, length = row
        if not last < tag < before:
            break
        start = here + size
        if length < 0:
            if start > room:
                break
            length = _LENGTH(data, here + 8)[0]
            if length > longest:
                break
        end = start + length
        if end > room:
            break
        held[tag] = (vr, data, start, end, charset)
        last = tag
        here = end
    level.last = last
    return here


def _head(head: bytes) -> tuple[int, str, int, int] | None:
    """Understand a header and remember it; None where it ends a run."""
    if len(head) < 8:
        return None
    group, number, name, length = _HEADER(head)
    vr = _SHORT_VRS.get(name)
    if vr is not None:
        row = (group << 16 | number, vr, 8, length)
    elif name in _LONG_VRS:
        row = (group << 16 | number, _LONG_VRS[name], 12, -1)
    else:
        return None
    if len(_heads) >= _HEADS_KEPT:
        _heads.clear()
    _heads[head] = row
    return row


def implicit_run(
    data: bytes,
    here: int,
    level: Place,
    held: dict[int, Element | Raw | Unread],
    bounds: Bounds,
    vr_of: Callable[[int], str],
) -> int:
    """Take elements of Implicit VR Little Endian from ``here`` on; where they end."""
    room, before, elements, longest = bounds
    charset, last = level.charset, level.last
    for _ in range(elements):
        start = here + 8
        if start > room:
            break
        group, number, length = _IMPLICIT_HEADER(data, here)
        tag = group << 16 | number
        end = start + length
        if not last < tag < before or length > longest or end > room:
            break
        vr = vr_of(tag)
        if vr == "SQ" or len(vr) > 2:
            break
        held[tag] = (vr, data, start, end, charset)
        last, here = tag, end
    level.last = last
    return here
