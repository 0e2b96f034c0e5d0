"""Instances damaged on purpose, one rule at a time, as bytes of files; nobody's encoder stands in the way.

A file is made from an instance that our builder made: its Data Set becomes nodes ``[tag, vr, value]`` (bytes, or items
as lists of nodes), a damage changes some, and ``serialize`` writes whatever they are. damaged.py names what is broken.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any, NamedTuple

from fakes.documents import DOCUMENTS
from fakes.instances import DESCRIPTIONS, acquisition, frames, make, with_pixels

from agent.dataset import uid
from agent.dataset.charset import Charset
from agent.dataset.dataset import DataSet
from agent.dataset.rules import format_value
from agent.dataset.tag import PIXEL_DATA
from agent.dataset.values import Fragments, Raw
from agent.dataset.vr import VRS, choose, is_ambiguous

Node = list[Any]
Change = Callable[[list[Node]], None]
UTF_8 = Charset("ISO_IR 192", "utf_8")


class Damage(NamedTuple):
    """One broken rule: in an instance of which kind, by which change, in which transfer syntax."""

    kind: str
    change: Change
    syntax: str = uid.EXPLICIT_VR_LE


# --- nodes --------------------------------------------------------------------------------------


def nodes(ds: DataSet) -> list[Node]:
    """A Data Set as nodes."""
    made = []
    for tag in ds.tags():
        stored = ds.stored[tag]
        if stored.vr == "SQ":
            made.append([tag, "SQ", [nodes(item) for item in ds.items_of(tag)]])
            continue
        vr = choose(stored.vr, ds[tag], signed=False, wide=True) if is_ambiguous(stored.vr) else stored.vr
        value = ds[tag]
        if isinstance(value, Fragments):
            made.append([tag, vr, value])
        else:
            made.append([tag, vr, stored.data if isinstance(stored, Raw) else format_value(vr, value, UTF_8)])
    return made


def serialize(level: list[Node]) -> bytes:
    """Nodes in Explicit VR Little Endian, just as they are."""
    out = bytearray()
    for tag, vr, value in level:
        group, element, name = tag >> 16, tag & 0xFFFF, vr.encode()
        if isinstance(value, Fragments):
            out += struct.pack("<HH2sHI", group, element, name, 0, 0xFFFFFFFF)
            for part in (value.offset_table, *value.fragments):
                out += struct.pack("<HHI", 0xFFFE, 0xE000, len(part)) + part
            out += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
            continue
        if isinstance(value, list):
            inner = map(serialize, value)
            value = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in inner)  # noqa: PLW2901
        row = VRS.get(vr)
        if row is None or row.long:
            out += struct.pack("<HH2sHI", group, element, name, 0, len(value)) + value
        else:
            out += struct.pack("<HH2sH", group, element, name, len(value)) + value
    return bytes(out)


def meta(ds: DataSet, syntax: str) -> list[Node]:
    """Group 0002 without its length, which ``file_bytes`` adds."""

    def text(value: str) -> bytes:
        return value.encode() + b"\0" * (len(value) & 1)

    return [
        [0x00020001, "OB", b"\0\1"],
        [0x00020002, "UI", text(ds.text("SOPClassUID"))],
        [0x00020003, "UI", text(ds.text("SOPInstanceUID"))],
        [0x00020010, "UI", text(syntax)],
        [0x00020012, "UI", text(uid.IMPLEMENTATION_CLASS_UID)],
    ]


@cache
def _sound(kind: str, syntax: str) -> list[Node]:
    if kind in DOCUMENTS:
        made = DOCUMENTS[kind]()
        return [*meta(made, syntax), *nodes(made)]
    ds = make(kind, transfer_syntax_uid=syntax)
    full = with_pixels(ds, frames(DESCRIPTIONS[kind], acquisition(kind).number_of_frames), syntax)
    return [*meta(full, syntax), *nodes(full)]


def instance(damage: Damage | None, kind: str, syntax: str = uid.EXPLICIT_VR_LE) -> list[Node]:
    """The nodes of an instance of this kind, damaged or not."""
    level = deepcopy(_sound(kind, syntax))
    if damage is not None:
        damage.change(level)
    return level


def changed(before: list[Node], after: list[Node]) -> set[int]:
    """Tags of the elements that two levels do not have alike, and of those below them."""
    found: set[int] = set()
    for tag in {node[0] for node in (*before, *after)}:
        mine, other = ([node for node in level if node[0] == tag] for level in (before, after))
        if mine != other:
            found.add(tag)
            old, new = (node[0][2] if node and node[0][1] == "SQ" else [] for node in (mine, other))
            for at in range(max(len(old), len(new))):
                found |= changed(old[at] if at < len(old) else [], new[at] if at < len(new) else [])
    return found


def file_bytes(damage: Damage | None, kind: str, syntax: str = uid.EXPLICIT_VR_LE) -> bytes:
    """The file of an instance of this kind, damaged or not; group 0002 is changed like the rest."""
    return as_file(instance(damage, kind, syntax))


def as_file(level: list[Node]) -> bytes:
    """Nodes as a file of PS3.10."""
    group_2 = serialize([node for node in level if node[0] >> 16 == 2])
    head = serialize([[0x00020000, "UL", struct.pack("<I", len(group_2))]])
    return bytes(128) + b"DICM" + head + group_2 + serialize([node for node in level if node[0] >> 16 != 2])


# --- ways to damage -----------------------------------------------------------------------------


def find(level: list[Node], tag: int) -> Node:
    return next(node for node in level if node[0] == tag)


def drop(*tags: int) -> Change:
    def change(level: list[Node]) -> None:
        level[:] = [node for node in level if node[0] not in tags]

    return change


def put(tag: int, data: bytes | str, vr: str = "") -> Change:
    """Set the bytes (and VR) of an element, in its place."""

    def change(level: list[Node]) -> None:
        value = data.encode() if isinstance(data, str) else data
        have = [node for node in level if node[0] == tag]
        if have:
            have[0][1:] = [vr or have[0][1], value]
            return
        level.append([tag, vr, value])
        level.sort(key=lambda node: node[0])

    return change


def number(tag: int, value: int, code: str = "<H", vr: str = "US") -> Change:
    return put(tag, struct.pack(code, value), vr)


def inside(sequence: int, change: Change) -> Change:
    """Change the first item of a sequence."""
    return lambda level: change(find(level, sequence)[2][0])


def also(*changes: Change) -> Change:
    def change(level: list[Node]) -> None:
        for each in changes:
            each(level)

    return change


def twice(tag: int) -> Change:
    def change(level: list[Node]) -> None:
        level.insert(level.index(find(level, tag)) + 1, list(find(level, tag)))

    return change


def behind(tag: int, other: int) -> Change:
    """Move an element behind another."""

    def change(level: list[Node]) -> None:
        node = find(level, tag)
        level.remove(node)
        level.insert(level.index(find(level, other)) + 1, node)

    return change


def pixels(edit: Callable[[bytes], bytes]) -> Change:
    def change(level: list[Node]) -> None:
        node = find(level, PIXEL_DATA)
        node[2] = edit(node[2])

    return change


def fragments(edit: Callable[[Fragments], Fragments]) -> Change:
    return pixels(edit)  # type: ignore[arg-type]


def items(sequence: int, edit: Callable[[list[list[Node]]], list[list[Node]]]) -> Change:
    def change(level: list[Node]) -> None:
        node = find(level, sequence)
        node[2] = edit(node[2])

    return change


def icon(photometric: str, samples: int) -> Change:
    """Add an Icon Image of 2 by 2 pixels."""
    item = [
        [0x00280002, "US", struct.pack("<H", samples)],
        [0x00280004, "CS", photometric.encode()],
        *([[0x00280006, "US", b"\0\0"]] if samples > 1 else []),
        [0x00280010, "US", b"\2\0"],
        [0x00280011, "US", b"\2\0"],
        [0x00280100, "US", b"\x08\0"],
        [0x00280101, "US", b"\x08\0"],
        [0x00280102, "US", b"\7\0"],
        [0x00280103, "US", b"\0\0"],
        [PIXEL_DATA, "OB", bytes(4 * samples)],
    ]
    return lambda level: put_items(level, ICON, [item])


def put_items(level: list[Node], tag: int, found: list[list[Node]]) -> None:
    level.append([tag, "SQ", found])
    level.sort(key=lambda node: node[0])


def palette(red: bytes, others: bytes, size: int) -> Change:
    """Make PALETTE COLOR pixels of an ultrasound image."""
    return also(
        number(0x00280002, 1),
        put(0x00280004, "PALETTE COLOR "),
        drop(0x00280006),
        put(0x00281101, red, "US"),
        *(put(tag, others, "US") for tag in (0x00281102, 0x00281103)),
        *(put(tag, bytes(size), "OW") for tag in (0x00281201, 0x00281202, 0x00281203)),
        pixels(lambda data: data[: len(data) // 3]),
    )


def references(sequence: int) -> Change:
    """Add a list of referenced instances, where none is referenced."""
    sop = [[0x00081150, "UI", uid.SC.encode() + b"\0"], [0x00081155, "UI", b"2.25.9"]]
    series = [[0x0008114A, "SQ", [sop]], [0x0020000E, "UI", b"2.25.8"]]
    return lambda level: put_items(level, sequence, [series])


def source_image(purposes: int) -> Change:
    """Add a Source Image with so many purposes of reference."""
    purpose = [[0x00080100, "SH", b"121322"], [0x00080102, "SH", b"DCM "], [0x00080104, "LO", b"Source image"]]
    item = [
        [0x00081150, "UI", uid.SC.encode() + b"\0"],
        [0x00081155, "UI", b"2.25.9"],
        [PURPOSE, "SQ", [purpose] * purposes],
    ]
    return lambda level: put_items(level, 0x00082112, [item])


def voi_lut(entries: int, words: int) -> Change:
    """Add a VOI LUT of so many entries with a table of so many words."""
    descriptor = struct.pack("<HHH", entries, 0, 16)
    item = [[0x00283002, "US", descriptor], [0x00283006, "OW", bytes(2 * words)]]
    return lambda level: put_items(level, 0x00283010, [item])


def functional_groups(shared: int, per_frame: int = 0, frames: int = 2) -> Change:
    """Add Functional Groups with so many of the Macros of a plane in the one item, and in that of each frame."""

    def change(level: list[Node]) -> None:
        put(0x00200052, "2.25.7", "UI")(level)
        put(0x00201040, "", "LO")(level)
        put_items(level, SHARED_GROUPS, [deepcopy(PLANE[:shared])])
        put_items(level, FRAME_GROUPS, [deepcopy(PLANE[:per_frame]) for _ in range(frames)])

    return change


SHARED_GROUPS, FRAME_GROUPS = 0x52009229, 0x52009230
PLANE: list[Node] = [
    [0x00209113, "SQ", [[[0x00200032, "DS", b"0\\0\\0 "]]]],
    [0x00209116, "SQ", [[[0x00200037, "DS", b"1\\0\\0\\0\\1\\0 "]]]],
    [0x00289110, "SQ", [[[0x00180050, "DS", b"1 "], [0x00280030, "DS", b"1\\1 "]]]],
]
ICON = 0x00880200
REGIONS, EQUIPMENT, ANATOMY, VIEW = 0x00186011, 0x0018A001, 0x00082218, 0x00540220
PURPOSE = 0x0040A170
