"""Every element of an instance, damaged in every way that its VR allows; damaged.py has the damages with a meaning.

An element is removed, emptied, doubled, given another VR, another number of values, a value outside its terms, one that
its VR forbids, or a number that may be none; a sequence has no items, one more, or an empty one. Whether that breaks a
rule depends on the element: it is for the judges to say, and for the test that they say the same.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from copy import deepcopy

from fakes.nodes import Node, instance

from agent.dataset import dictionary
from agent.dataset.tag import PIXEL_DATA, tag_str
from agent.dataset.vr import TEXT, VRS

Way = tuple[int, ...]
OTHER_VR = {
    "CS": "SH",
    "SH": "LO",
    "LO": "SH",
    "US": "UL",
    "UL": "US",
    "DS": "IS",
    "IS": "DS",
    "PN": "LO",
    "DA": "TM",
    "TM": "DA",
    "UI": "LO",
    "SS": "US",
    "FD": "FL",
    "FL": "FD",
    "DT": "LO",
    "SL": "UL",
    "AT": "UL",
    "OB": "LO",
}
BINARY = {"US": "<H", "SS": "<h", "UL": "<I", "SL": "<i", "FL": "<f", "FD": "<d"}
WRONG = {
    "CS": (b"BOGUS ",),
    "DS": (b"0 ", b"-1", b"x "),
    "IS": (b"0 ", b"-1", b"x ", b"99999999999 "),
    "UI": (b"1.2.x3", b"1.2.34"),
    **dict.fromkeys(("DA", "TM", "DT", "AS"), (b"99999999",)),
    **dict.fromkeys(("LO", "PN", "SH"), (b"A" * 66, b"a\x1fb ")),
}


def damages(kind: str) -> Iterator[tuple[str, list[Node]]]:
    """Each damage by name, with the nodes that it leaves."""
    sound = instance(None, kind)
    for way, path, node in _walk(sound):
        for what, instead in _changes(node):
            level = deepcopy(sound)
            place = level
            for at, item in zip(way[:-1:2], way[1::2], strict=True):
                place = place[at][2][item]
            place[way[-1] : way[-1] + 1] = [instead] if instead else []
            yield f"{path}: {what}", level


def _walk(level: list[Node], way: Way = (), path: str = "") -> Iterator[tuple[Way, str, Node]]:
    for at, node in enumerate(level):
        here = f"{path}{dictionary.keyword_of(node[0]) or tag_str(node[0])}"
        if node[0] >> 16 != 2 and node[0] != PIXEL_DATA:
            yield (*way, at), here, node
        if node[1] == "SQ":
            for number, item in enumerate(node[2]):
                yield from _walk(item, (*way, at, number), f"{here}[{number + 1}].")


def _changes(node: Node) -> Iterator[tuple[str, Node | None]]:
    tag, vr, value = node
    yield "removed", None
    yield "empty", [tag, vr, [] if vr == "SQ" else b""]
    if vr == "SQ":
        yield "an item more", [tag, vr, [*value, *value[:1]]]
        yield "an empty item", [tag, vr, [[]]]
        return
    if vr in OTHER_VR:
        yield f"as {OTHER_VR[vr]}", [tag, OTHER_VR[vr], value]
    if VRS[vr].kind is TEXT and VRS[vr].multi:
        plain = value.rstrip(b"\0 ")
        yield "twice", [tag, vr, _even(plain + b"\\" + plain, vr)]
        count = plain.count(b"\\") + 1
        for wrong in map(bytes.strip, WRONG.get(vr, ())):
            yield f"{wrong[:12].decode()!r}", [tag, vr, _even(b"\\".join([wrong] * count), vr)]
    elif vr in BINARY and value:
        size = struct.calcsize(BINARY[vr])
        yield "twice", [tag, vr, value + value[:size]]
        for number in (0, 250):
            yield f"{number}", [tag, vr, struct.pack(BINARY[vr], number) * (len(value) // size)]


def _even(value: bytes, vr: str) -> bytes:
    return value + (b"\0" if vr == "UI" else b" ") * (len(value) % 2)
