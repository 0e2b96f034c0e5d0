"""Pixel Data against the Attributes that describe them (PS3.3 C.7.6.3, PS3.5 8 and A.4).

The pixels stay where they are: native ones are judged by their length, encapsulated ones by their items, offset tables
and the first two bytes of each frame. A fragment costs sixteen bytes of memory, a table its own size.
"""

from __future__ import annotations

import struct
from array import array

from agent.dataset import uid
from agent.dataset.pixels import PixelDescription
from agent.dataset.tag import EXTENDED_OFFSET_TABLE, EXTENDED_OFFSET_TABLE_LENGTHS, PIXEL_DATA, tag_str
from agent.errors import IodError
from agent.iod import syntaxes
from agent.iod.conditions import first
from agent.iod.modules import ERROR, Finding
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.dataset.dataset import DataSet
    from agent.dataset.encapsulate import FrameIndex

_NATIVE, _ENCAPSULATED = "PS3.5 8.1.1", "PS3.5 A.4"
_SOI, _SOC = b"\xff\xd8", b"\xff\x4f"
_STARTS = {
    **dict.fromkeys(
        (
            uid.JPEG_BASELINE,
            uid.JPEG_EXTENDED,
            uid.JPEG_LOSSLESS,
            uid.JPEG_LOSSLESS_SV1,
            uid.JPEG_LS_LOSSLESS,
            uid.JPEG_LS_NEAR,
        ),
        _SOI,
    ),
    **dict.fromkeys(
        (uid.JPEG_2000_LOSSLESS, uid.JPEG_2000, uid.HTJ2K_LOSSLESS, uid.HTJ2K_LOSSLESS_RPCL, uid.HTJ2K), _SOC
    ),
}
# A frame of these is one fragment (PS3.5 A.4.2, A.4.11).
_ONE_FRAGMENT = frozenset(
    {uid.RLE_LOSSLESS, uid.HTJ2K_LOSSLESS, uid.HTJ2K_LOSSLESS_RPCL, uid.HTJ2K, uid.ENCAPSULATED_UNCOMPRESSED}
)
_EXPLICIT_NATIVE = frozenset({uid.EXPLICIT_VR_LE, uid.DEFLATED_EXPLICIT_VR_LE, uid.EXPLICIT_VR_BE})
_ITEM_HEADER_BYTES = 8
_FRAMES_LOOKED_AT = 4096  # of a longer cine the first ones; each costs a read


class Found(NamedTuple):
    """Pixel Data of a file: VR, value length (-1: encapsulated) and their items."""

    vr: str
    length: int
    fragments: FrameIndex | None
    pread: Callable[[int, int], bytes]


def check_pixels(ds: DataSet, syntax: str, found: Found) -> Iterator[Finding]:
    """Everything that is wrong between Pixel Data, the Data Set around them and the transfer syntax."""
    try:
        description = PixelDescription.from_data_set(ds)
    except IodError:
        return  # what is missing is the business of the tables
    frames = first(ds, 0x00280008)
    count = frames if isinstance(frames, int) and frames > 0 else 1
    yield from _allowed(syntax, description)
    yield from _visible_light(ds, syntax, description)
    if found.fragments is None:
        yield from _native(syntax, description, count, found)
        return
    if found.vr not in {"OB", "OB or OW"}:  # the latter: Implicit VR, which says nothing
        yield _finding(PIXEL_DATA, f"has VR {found.vr}; encapsulated ones are OB", _ENCAPSULATED)
    offsets, lengths = array("Q"), array("Q")
    for extent in found.fragments.fragments():
        offsets.append(extent.offset)
        lengths.append(extent.length)
    yield from _fragments(syntax, offsets, lengths, count, found)
    yield from _basic_table(found, offsets, count)
    yield from _extended_table(ds, found.fragments, offsets, lengths, count)


def _finding(tag: int, text: str, section: str) -> Finding:
    return Finding(ERROR, tag_str(tag), tag, section, "", "", text)


def _allowed(syntax: str, description: PixelDescription) -> Iterator[Finding]:
    if syntax not in syntaxes.ALLOWED:
        return
    try:
        syntaxes.require(syntax, description)
    except IodError as error:
        tag = error.tag or PIXEL_DATA
        text = error.message.removesuffix(f" at {tag_str(tag)}")
        yield _finding(tag, f"does not go with the transfer syntax: {text}", "PS3.5 8.2")


def _visible_light(ds: DataSet, syntax: str, description: PixelDescription) -> Iterator[Finding]:
    """Visible light images are RGB only where nothing was lost; DCT-based JPEG of them is YBR_FULL_422."""
    lossy_jpeg = syntax in (uid.JPEG_BASELINE, uid.JPEG_EXTENDED)
    visible = str(first(ds, 0x00080016)) in (uid.VL_ENDOSCOPIC, uid.VL_PHOTOGRAPHIC)
    if lossy_jpeg and visible and description.photometric_interpretation == "RGB":
        yield _finding(0x00280004, "is RGB, and lossy JPEG of visible light is YBR_FULL_422", "PS3.3 C.8.12.1.1.1")


def _native(syntax: str, description: PixelDescription, count: int, found: Found) -> Iterator[Finding]:
    needed = description.frame_bytes * count
    if description.bits_allocated == 1:
        pixels = description.rows * description.columns * description.samples_per_pixel * count
        needed = (pixels + 7) // 8
    needed += needed & 1
    if found.length != needed:
        text = f"has {found.length} bytes, not the {needed} of {count} frame{'s' * (count > 1)}"
        yield _finding(PIXEL_DATA, text, _NATIVE)
    wanted = ("OW",) if description.bits_allocated > 8 or syntax == uid.IMPLICIT_VR_LE else ("OB", "OW")
    if found.vr not in wanted and syntax in _EXPLICIT_NATIVE:
        yield _finding(PIXEL_DATA, f"has VR {found.vr} with {description.bits_allocated} bits allocated", "PS3.5 A.2")


def _fragments(syntax: str, offsets: array[int], lengths: array[int], count: int, found: Found) -> Iterator[Finding]:
    frames = f"{count} frame{'s' * (count > 1)}"
    short = len(offsets) < count and not uid.is_video(syntax)
    if short or (syntax in _ONE_FRAGMENT and len(offsets) != count):
        yield _finding(PIXEL_DATA, f"has {len(offsets)} fragments for {frames}", _ENCAPSULATED)
    odd = next((number for number, length in enumerate(lengths) if length & 1 or not length), None)
    if odd is not None:
        text = f"has fragment {odd} of {lengths[odd]} bytes; a fragment is even and not empty"
        yield _finding(PIXEL_DATA, text, _ENCAPSULATED)
    start = _STARTS.get(syntax)
    if start is None or len(offsets) != count:
        return
    for number, offset in enumerate(offsets[:_FRAMES_LOOKED_AT], 1):
        if found.pread(2, offset) != start:
            yield _finding(PIXEL_DATA, f"has frame {number} that starts no codestream", "PS3.5 8.2")
            return


def _basic_table(found: Found, offsets: array[int], count: int) -> Iterator[Finding]:
    """Entries are as many as frames and hit the items of fragments (PS3.5 A.4)."""
    assert found.fragments is not None
    table = found.fragments.table
    if not table.length:
        return
    if table.length != 4 * count:
        text = f"has a Basic Offset Table of {table.length} bytes for {count} frame{'s' * (count > 1)}"
        yield _finding(PIXEL_DATA, text, _ENCAPSULATED)
    elif not _hits(found.pread(table.length, table.offset), table.offset + table.length, offsets):
        yield _finding(PIXEL_DATA, "has a Basic Offset Table that does not hit its fragments", _ENCAPSULATED)


def _hits(data: bytes, base: int, offsets: array[int]) -> bool:
    """Whether entries start at 0, rise, and each is where an item starts."""
    at, last = 0, -1
    for (entry,) in struct.iter_unpack("<I", data):
        target = base + entry + _ITEM_HEADER_BYTES
        while at < len(offsets) and offsets[at] < target:
            at += 1
        if at == len(offsets) or offsets[at] != target or entry <= last or (last < 0 and entry):
            return False
        last = entry
    return True


def _extended_table(
    ds: DataSet, index: FrameIndex, offsets: array[int], lengths: array[int], count: int
) -> Iterator[Finding]:
    """The Extended Offset Table takes the place of an empty basic one (PS3.3 C.7.6.3.1.8)."""
    if EXTENDED_OFFSET_TABLE not in ds:
        return
    section = "PS3.3 C.7.6.3.1.8"
    if index.table.length:
        yield _finding(EXTENDED_OFFSET_TABLE, "must not be present beside a Basic Offset Table", section)
    base = index.table.offset + index.table.length + _ITEM_HEADER_BYTES
    for tag, real, slack in ((EXTENDED_OFFSET_TABLE, offsets, 0), (EXTENDED_OFFSET_TABLE_LENGTHS, lengths, 1)):
        data = ds.get(tag)
        if not isinstance(data, bytes):
            continue
        origin = base if tag == EXTENDED_OFFSET_TABLE else 0  # a length leaves out the padding of its fragment
        fits = len(data) == 8 * count and len(real) == count
        if not fits or any(
            not 0 <= value - origin - said <= slack
            for (said,), value in zip(struct.iter_unpack("<Q", data), real, strict=True)
        ):
            yield _finding(tag, "does not describe the fragments", section)
