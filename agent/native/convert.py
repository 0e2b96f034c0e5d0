"""Pictures as devices leave them, made into frames: packed grey samples, and colour in any of the usual layouts.

Formats go by the names that V4L2 and GenICam give them (`PACKINGS`, `LAYOUTS`). Lines may be padded: `stride` is the
distance of their beginnings in bytes, 0 where they are not. Nothing is guessed: what chroma means depends on matrix and
range, which no layout tells, so `convert` asks for both.

The arithmetic. A sample is taken out of its bits, never scaled: 10 bits stay 10 bits (Bits Stored). Colour is one
3 x 3 matrix of integers with 20 bits of fraction, applied once, rounded to the nearest and kept in 0..255
(`native/src/colour_matrices.c` has the numbers and where they come from). RGB to YBR_FULL gives what exact arithmetic
with the coefficients of PS3.3 C.7.6.3.1.2 gives, halves up. Halved chroma is given to every pixel that shares it, and
YBR_FULL_422 keeps the chroma of the first pixel of each pair, which is where the Standard wants it sampled.
"""

from __future__ import annotations

from agent.errors import NativeArgumentError
from agent.native._core import ffi, lib
from agent.native.frame import FrameDescription, c_buffer
from agent.native.status import check
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Buffer

    from agent.typed import Any


class Packing(NamedTuple):
    """How grey samples stand in memory."""

    kind: int
    bits: int


_EIGHT, _LITTLE, _BIG = lib.MGA_PACKING_8, lib.MGA_PACKING_16_LITTLE, lib.MGA_PACKING_16_BIG
PACKINGS = {
    "GREY": Packing(_EIGHT, 8),
    "Y10": Packing(_LITTLE, 10),
    "Y12": Packing(_LITTLE, 12),
    "Y16": Packing(_LITTLE, 16),
    "Y16_BE": Packing(_BIG, 16),
    "Mono8": Packing(_EIGHT, 8),
    **{f"Mono{bits}": Packing(_LITTLE, bits) for bits in (10, 12, 14, 16)},
    **{f"Mono{bits}p": Packing(lib.MGA_PACKING_DENSE, bits) for bits in (10, 12)},
    **{f"Mono{bits}Packed": Packing(lib.MGA_PACKING_GIGE, bits) for bits in (10, 12)},
}
"""Grey formats by their V4L2 and GenICam names."""

LAYOUTS = {
    "RGB24": lib.MGA_LAYOUT_RGB24,
    "BGR24": lib.MGA_LAYOUT_BGR24,
    "BGRX32": lib.MGA_LAYOUT_BGRX32,
    "YUYV": lib.MGA_LAYOUT_YUYV,
    "UYVY": lib.MGA_LAYOUT_UYVY,
    "YYUV": lib.MGA_LAYOUT_YYUV,
    "NV12": lib.MGA_LAYOUT_NV12,
    "I420": lib.MGA_LAYOUT_I420,
}
"""Colour layouts; YYUV is the native YBR_FULL_422 of DICOM."""

SPACES = {
    "rgb": lib.MGA_SPACE_RGB,
    "rgb-video": lib.MGA_SPACE_RGB_VIDEO,
    "bt601-full": lib.MGA_SPACE_601_FULL,
    "bt601-video": lib.MGA_SPACE_601_VIDEO,
    "bt709-full": lib.MGA_SPACE_709_FULL,
    "bt709-video": lib.MGA_SPACE_709_VIDEO,
}
"""What samples mean. DICOM's YBR_FULL is bt601-full; cameras and grabbers mostly give a video range."""

RESULTS = {
    "RGB": lib.MGA_RESULT_RGB,
    "YBR_FULL": lib.MGA_RESULT_YBR_FULL,
    "YBR_FULL_422": lib.MGA_RESULT_YBR_FULL_422,
}


FILTERS = {
    "BayerRG8": lib.MGA_BAYER_RG,
    "BayerGR8": lib.MGA_BAYER_GR,
    "BayerGB8": lib.MGA_BAYER_GB,
    "BayerBG8": lib.MGA_BAYER_BG,
}
"""Filters in front of the pixels, by GenICam's names: of the first two of the first line."""


class Plane(NamedTuple):
    """One plane of a picture; `data` may be longer than its lines."""

    data: Buffer
    stride: int = 0


def _known(table: dict[str, Any], name: str, what: str) -> Any:
    if name not in table:
        raise NativeArgumentError(f"{what} '{name}' is not known", hint=f"There are {', '.join(table)}.")
    return table[name]


def unpacked(name: str, rows: int, columns: int) -> FrameDescription:
    """Describe what `unpack` makes of a grey format."""
    packing = _known(PACKINGS, name, "the grey format")
    allocated = 8 if packing.kind == _EIGHT else 16
    return FrameDescription(rows, columns, 1, allocated, packing.bits, packing.bits - 1)


def unpack(src: Buffer, name: str, rows: int, columns: int, out: Buffer, *, stride: int = 0) -> int:
    """Write the samples of a grey format to `out`; gives their bytes.

    Without `stride` lines follow each other, in packed formats also inside of a byte. A sample larger than its bits
    allow is `NativeDataError`: the device gives another format than it says.
    """
    packing = _known(PACKINGS, name, "the grey format")
    params = ffi.new("mga_unpack_params *", [rows, columns, packing.kind, packing.bits, stride])
    borrowed, dst = c_buffer(src), c_buffer(out, writable=True)
    written = lib.mga_samples_unpack(dst, len(dst), borrowed, len(borrowed), params)
    return check(written, f"unpacking {name}", borrowed, dst)


def converted(to: str, rows: int, columns: int) -> FrameDescription:
    """Describe what `convert` makes; `frame_bytes` of YBR_FULL_422 counts three samples where two are stored."""
    _known(RESULTS, to, "the photometric interpretation")
    return FrameDescription(rows, columns, 3, photometric_interpretation=to)


def converted_bytes(to: str, rows: int, columns: int) -> int:
    """How much `convert` writes."""
    return (
        rows * columns * (2 if _known(RESULTS, to, "the photometric interpretation") == RESULTS["YBR_FULL_422"] else 3)
    )


def convert(
    planes: Sequence[Plane], layout: str, space: str, rows: int, columns: int, out: Buffer, *, to: str = "RGB"
) -> int:
    """Write a colour picture to `out`, by pixel, as RGB, YBR_FULL or YBR_FULL_422; gives the bytes written."""
    params = ffi.new(
        "mga_colour_params *",
        [
            rows,
            columns,
            _known(LAYOUTS, layout, "the colour layout"),
            _known(SPACES, space, "the colour space"),
            _known(RESULTS, to, "the photometric interpretation"),
        ],
    )
    borrowed = [c_buffer(plane.data) for plane in planes]
    members = [[data, len(data), plane.stride] for data, plane in zip(borrowed, planes, strict=True)]
    dst = c_buffer(out, writable=True)
    written = lib.mga_colour_convert(dst, len(dst), ffi.new("mga_plane[]", members), len(members), params)
    return check(written, f"converting {layout} to {to}", *borrowed, dst)


def demosaic(src: Buffer, name: str, rows: int, columns: int, out: Buffer, *, stride: int = 0) -> int:
    """Write RGB by pixel of a picture with a filter in front of each pixel; gives the bytes written.

    What a pixel lacks is the mean, halves up, of the two or four nearest that have it; beyond the edges the picture is
    mirrored about its outermost line.
    """
    params = ffi.new("mga_bayer_params *", [rows, columns, _known(FILTERS, name, "the order of filters"), stride])
    borrowed, dst = c_buffer(src), c_buffer(out, writable=True)
    written = lib.mga_bayer_convert(dst, len(dst), borrowed, len(borrowed), params)
    return check(written, f"converting {name}", borrowed, dst)


def contiguous(data: Buffer, layout: str, rows: int, columns: int, *, stride: int = 0) -> list[Plane]:
    """Take the planes of a picture apart that stand behind each other in one buffer, as single-planar V4L2 gives them.

    `stride` is that of the first plane; the chroma lines of I420 are half as far apart.
    """
    if layout not in ("NV12", "I420"):
        return [Plane(data, stride)]
    view = memoryview(data).cast("B")
    luma = stride or columns
    halved = [luma + luma % 2] if layout == "NV12" else [(luma + 1) // 2] * 2
    planes, at = [Plane(view[: luma * rows], luma)], luma * rows
    for step in halved:
        planes.append(Plane(view[at : at + step * ((rows + 1) // 2)], step))
        at += step * ((rows + 1) // 2)
    return planes
