"""Runs of unsuspicious Data Elements, taken in one tight loop each (PS3.5 7.1.2, 7.1.3).

Nine elements of ten are like this: the tag is above the one before, the length is defined and within all bounds, the
value has arrived, and the VR is known and no sequence. The first element that is not so ends the run and is left to
``decode``, which also names what is wrong with it; so whatever is checked there must end a run here.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, TypeAlias

from agent.dataset.values import Raw
from agent.dataset.vr import VRS

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.level import Level
    from agent.dataset.values import Element

_HEADER = struct.Struct("<HH2sH").unpack_from
_IMPLICIT_HEADER = struct.Struct("<HHI").unpack_from
_LENGTH = struct.Struct("<I").unpack_from
_SHORT_VRS = {name.encode(): name for name, row in VRS.items() if not row.long}
_LONG_VRS = {name.encode(): name for name, row in VRS.items() if row.long and name not in {"SQ", "UN"}}


# Where a run ends at the latest: in the bytes at hand, before this tag, after so many elements, at a longer value.
Bounds: TypeAlias = tuple[int, int, int, int]


def explicit_run(data: bytes, here: int, level: Level, stored: dict[int, Element | Raw], bounds: Bounds) -> int:
    """Take elements of Explicit VR Little Endian from ``here`` on; where they end."""
    room, before, elements, longest = bounds
    new, short_vrs, long_vrs, charset, last = tuple.__new__, _SHORT_VRS, _LONG_VRS, level.charset, level.last
    for _ in range(elements):
        start = here + 8
        if start > room:
            break
        group, number, name, length = _HEADER(data, here)
        tag = group << 16 | number
        if not last < tag < before:
            break
        vr = short_vrs.get(name)
        if vr is None:
            vr = long_vrs.get(name)
            start += 4
            if vr is None or start > room:
                break
            length = _LENGTH(data, here + 8)[0]
            if length > longest:
                break
        end = start + length
        if end > room:
            break
        stored[tag] = new(Raw, (tag, vr, data[start:end], charset, None))
        last, here = tag, end
    level.last = last
    return here


def implicit_run(
    data: bytes, here: int, level: Level, stored: dict[int, Element | Raw], bounds: Bounds, vr_of: Callable[[int], str]
) -> int:
    """Take elements of Implicit VR Little Endian from ``here`` on; where they end."""
    room, before, elements, longest = bounds
    new, charset, last = tuple.__new__, level.charset, level.last
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
        stored[tag] = new(Raw, (tag, vr, data[start:end], charset, None))
        last, here = tag, end
    level.last = last
    return here
