"""Devices' pictures against numpy, byte for byte: any size, padding, place in memory, and the edges of every range.

The oracle for colour makes its matrices here, as fractions of Kr and Kb and of the coefficients that DICOM prints.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.native.convert import (
    FILTERS,
    LAYOUTS,
    PACKINGS,
    RESULTS,
    SPACES,
    Plane,
    contiguous,
    convert,
    converted_bytes,
    demosaic,
    unpack,
    unpacked,
)

Matrix = list[list[Fraction]]
ONE = Fraction(1)
BITS = 20
HALF = (1 << (BITS - 1)) + 84
WIDTHS = st.one_of(st.integers(1, 40), st.sampled_from([255, 1023, 1024, 1025, 2051]))
EDGES = st.sampled_from(["noise", "zeros", "ones", "either"])


# --- the oracle of colour ---------------------------------------------------------------------------


def _after(outer: Matrix, inner: Matrix) -> Matrix:
    return [
        [sum(row[k] * inner[k][j] for k in range(3)) + (row[3] if j == 3 else 0) for j in range(4)] for row in outer
    ]  # type: ignore[misc]


def _stretch(gains: list[Fraction], zeros: list[int]) -> Matrix:
    return [[gains[i] if i == j else Fraction(0) for j in range(3)] + [-zeros[i] * gains[i]] for i in range(3)]


def _to_rgb(kr: Fraction, kb: Fraction) -> Matrix:
    kg = 1 - kr - kb
    red, blue = 2 * (1 - kr), 2 * (1 - kb)
    zero = Fraction(0)
    return [[ONE, zero, red, zero], [ONE, -kb * blue / kg, -kr * red / kg, zero], [ONE, blue, zero, zero]]


def _to_ybr(kr: Fraction, kb: Fraction) -> Matrix:
    luma = [kr, 1 - kr - kb, kb]
    rows = [[*luma, Fraction(0)]]
    for colour, weight in ((2, kb), (0, kr)):
        rows.append([((colour == k) - luma[k]) / (2 * (1 - weight)) for k in range(3)] + [Fraction(128)])
    return rows


DICOM: Matrix = [
    [Fraction(n, 10000) for n in row]
    for row in ((2990, 5870, 1140, 0), (-1687, -3313, 5000, 1280000), (5000, -4187, -813, 1280000))
]
FULL = _stretch([ONE] * 3, [0, 128, 128])
VIDEO = _stretch([Fraction(255, 219), Fraction(255, 224), Fraction(255, 224)], [16, 128, 128])
VIDEO_RGB = _stretch([Fraction(255, 219)] * 3, [16] * 3)
BT601, BT709 = (Fraction(299, 1000), Fraction(114, 1000)), (Fraction(2126, 10000), Fraction(722, 10000))


def matrix(space: str, to: str) -> Matrix | None:
    """From a space to RGB or YBR_FULL; None where nothing changes."""
    ybr = to != "RGB"
    if space == ("bt601-full" if ybr else "rgb"):
        return None
    if space.startswith("rgb"):
        inner = VIDEO_RGB if space == "rgb-video" else _stretch([ONE] * 3, [0] * 3)
        return _after(DICOM, inner) if ybr else inner
    rgb = _after(_to_rgb(*(BT601 if space.startswith("bt601") else BT709)), VIDEO if space.endswith("video") else FULL)
    return _after(_to_ybr(*BT601), rgb) if ybr else rgb


def turned(pixels: np.ndarray[Any, Any], space: str, to: str) -> np.ndarray[Any, Any]:
    """(rows, columns, 3) through the matrix in integers."""
    chosen = matrix(space, to)
    if chosen is None:
        return pixels
    numbers = np.array([[floor(v * (1 << BITS) + Fraction(1, 2)) for v in row] for row in chosen], np.int64)
    sums = pixels.astype(np.int64) @ numbers[:, :3].T + numbers[:, 3] + HALF
    return np.clip(sums >> BITS, 0, 255).astype(np.uint8)


def paired(pixels: np.ndarray[Any, Any]) -> bytes:
    """YBR_FULL as YBR_FULL_422 of C.7.6.3.1.2: Y1 Y2 Cb Cr, chroma of the first."""
    even, odd = pixels[:, ::2], pixels[:, 1::2]
    return np.stack([even[..., 0], odd[..., 0], even[..., 1], even[..., 2]], axis=2).tobytes()


def _samples(rng: np.random.Generator, shape: tuple[int, ...], most: int, edge: str) -> np.ndarray[Any, Any]:
    noise = rng.integers(0, most + 1, shape)
    if edge == "noise":
        return noise
    if edge == "either":
        return np.where(noise & 1, most, 0)
    return np.full(shape, most if edge == "ones" else 0)


def _padded(lines: np.ndarray[Any, Any], pad: int, misaligned: int, rng: np.random.Generator) -> memoryview:
    """Lines with rubbish behind each but the last, at any place of memory."""
    rows, width = lines.shape
    room = rng.integers(0, 256, (rows, width + pad), dtype=np.uint8)
    room[:, :width] = lines
    data = bytes(misaligned) + room.tobytes()
    return memoryview(data)[misaligned : len(data) - pad]


def _whole(halved: np.ndarray[Any, Any], rows: int, columns: int) -> np.ndarray[Any, Any]:
    return halved.repeat(2, axis=0)[:rows].repeat(2, axis=1)[:, :columns]


@given(
    layout=st.sampled_from(list(LAYOUTS)), space=st.sampled_from(list(SPACES)), to=st.sampled_from(list(RESULTS)),
    rows=st.integers(1, 5), columns=WIDTHS, pad=st.integers(0, 5), misaligned=st.integers(0, 3), edge=EDGES,
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_colour_is_what_numpy_makes(
    *, layout: str, space: str, to: str, rows: int, columns: int, pad: int, misaligned: int, edge: str, seed: int
) -> None:
    if to == "YBR_FULL_422":
        columns += columns % 2
    by_pixel = layout in ("RGB24", "BGR24", "BGRX32")
    if not by_pixel and space.startswith("rgb"):
        space = "bt709-video"
    rng = np.random.default_rng(seed)
    pairs = (columns + 1) // 2
    chroma = (rows + 1) // 2 if layout in ("NV12", "I420") else rows
    luma = _samples(rng, (rows, 2 * pairs), 255, edge).astype(np.uint8)
    u, v = (_samples(rng, (chroma, pairs), 255, edge).astype(np.uint8) for _ in range(2))
    if by_pixel:
        pixels = _samples(rng, (rows, columns, 3), 255, edge).astype(np.uint8)
        order = {"RGB24": [0, 1, 2], "BGR24": [2, 1, 0], "BGRX32": [2, 1, 0, 0]}[layout]
        lines = [pixels[..., order].reshape(rows, -1)]
    else:
        full = [
            _whole(half, rows, columns) if chroma != rows else half.repeat(2, axis=1)[:, :columns] for half in (u, v)
        ]
        pixels = np.stack([luma[:, :columns], *full], axis=2)
        members = {"Y": luma[:, ::2], "y": luma[:, 1::2], "U": u, "V": v}
        if layout == "NV12":
            lines = [luma[:, :columns], np.stack([u, v], axis=2).reshape(chroma, -1)]
        elif layout == "I420":
            lines = [luma[:, :columns], u, v]
        else:
            names = {"YUYV": "YUyV", "UYVY": "UYVy", "YYUV": "YyUV"}[layout]
            lines = [np.stack([members[name] for name in names], axis=2).reshape(rows, -1)]
    planes = [Plane(_padded(line, pad, misaligned, rng), line.shape[1] + pad) for line in lines]
    out = bytearray(converted_bytes(to, rows, columns))
    assert convert(planes, layout, space, rows, columns, out, to=to) == len(out)
    want = turned(pixels, space, to)
    assert out == (paired(want) if to == "YBR_FULL_422" else want.tobytes())
    if not pad:
        joined = b"".join(line.tobytes() for line in lines)
        again = bytearray(len(out))
        if layout == "NV12" and columns % 2:
            return  # chroma lines are longer than those of luma; one stride does not say so
        convert(contiguous(joined, layout, rows, columns), layout, space, rows, columns, again, to=to)
        assert again == out


@given(
    name=st.sampled_from(list(PACKINGS)), rows=st.integers(1, 5), columns=WIDTHS, pad=st.integers(-1, 5),
    misaligned=st.integers(0, 3), edge=EDGES, seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_samples_are_those_that_numpy_packed(
    *, name: str, rows: int, columns: int, pad: int, misaligned: int, edge: str, seed: int
) -> None:
    """A pad of -1 means no stride: lines follow each other, in packed formats inside of a byte."""
    description = unpacked(name, rows, columns)
    bits = description.bits_stored
    rng = np.random.default_rng(seed)
    samples = _samples(rng, (rows, columns), (1 << bits) - 1, edge)
    runs = samples.reshape(1, -1) if pad < 0 else samples
    if name.endswith("Packed"):
        even, odd = runs[:, ::2], np.pad(runs[:, 1::2], ((0, 0), (0, columns * len(samples) // len(runs) % 2)))
        low = bits - 8
        mask = (1 << low) - 1
        triples = np.stack([even >> low, even & mask | (odd & mask) << 4, odd >> low], axis=2).astype(np.uint8)
        lines = triples.reshape(len(runs), -1)[:, : (runs.shape[1] * 3 + 1) // 2]
    elif name.endswith("p"):
        ones = (runs[..., np.newaxis] >> np.arange(bits) & 1).astype(np.uint8).reshape(len(runs), -1)
        lines = np.packbits(ones, axis=1, bitorder="little")
    else:
        items = np.uint8 if description.bits_allocated == 8 else np.dtype(">u2" if name.endswith("BE") else "<u2")
        lines = np.ascontiguousarray(runs.astype(items)).view(np.uint8)
    src = _padded(lines, max(pad, 0), misaligned, rng)
    out = bytearray(description.frame_bytes)
    stride = 0 if pad < 0 else lines.shape[1] + pad
    assert unpack(src, name, rows, columns, out, stride=stride) == len(out)
    assert out == samples.astype(np.uint8 if description.bits_allocated == 8 else "<u2").tobytes()


@given(
    name=st.sampled_from(list(FILTERS)), rows=st.integers(2, 7), columns=st.one_of(st.integers(2, 40), st.just(1025)),
    pad=st.integers(0, 5), misaligned=st.integers(0, 3), edge=EDGES, seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_filters_are_filled_with_the_mean_of_the_nearest(
    *, name: str, rows: int, columns: int, pad: int, misaligned: int, edge: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    raw = _samples(rng, (rows, columns), 255, edge)
    order = {"RG": "RGGB", "GR": "GRBG", "GB": "GBRG", "BG": "BGGR"}[name[5:7]]
    row, column = np.indices((rows, columns))
    filters = np.array([*order])[row % 2 * 2 + column % 2]
    around = np.pad(raw, 1, mode="reflect")
    in_front = np.pad(filters, 1, mode="reflect")
    nearest = [[(0, 0)], [(-1, 0), (1, 0), (0, -1), (0, 1)], [(-1, -1), (-1, 1), (1, -1), (1, 1)]]
    want = np.full((rows, columns, 3), -1)
    for k, colour in enumerate("RGB"):
        for places in nearest:
            moved = [(slice(1 + y, 1 + y + rows), slice(1 + x, 1 + x + columns)) for y, x in places]
            has = sum((in_front[place] == colour).astype(int) for place in moved)
            total = sum(np.where(in_front[place] == colour, around[place], 0) for place in moved)
            mean = (total + has // 2) // np.maximum(has, 1)
            want[..., k] = np.where((want[..., k] < 0) & (has > 0), mean, want[..., k])
    src = _padded(raw.astype(np.uint8), pad, misaligned, rng)
    out = bytearray(3 * rows * columns)
    assert demosaic(src, name, rows, columns, out, stride=columns + pad) == len(out)
    assert out == want.astype(np.uint8).tobytes()


def test_every_colour_has_the_ybr_that_exact_arithmetic_gives() -> None:
    """All 2^24, a plane of red at a time: ten-thousandths, halves up (PS3.3 C.7.6.3.1.2)."""
    green, blue = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    out = bytearray(3 * 65536)
    coefficients = np.array([[int(v * 10000) for v in row] for row in DICOM])
    for red in range(256):
        rgb = np.stack([np.full_like(green, red), green, blue], axis=2)
        convert([Plane(rgb.astype(np.uint8))], "RGB24", "rgb", 256, 256, out, to="YBR_FULL")
        exact = (rgb @ coefficients[:, :3].T + coefficients[:, 3] + 5000) // 10000
        assert out == np.clip(exact, 0, 255).astype(np.uint8).tobytes()


def test_grey_stays_grey_and_the_ends_stay_the_ends() -> None:
    ramp = np.arange(256, dtype=np.uint8)
    grey = np.repeat(ramp[:, np.newaxis], 3, axis=1)
    out = bytearray(3 * 256)
    convert([Plane(grey)], "RGB24", "rgb", 1, 256, out, to="YBR_FULL")
    assert out == np.stack([ramp, np.full(256, 128), np.full(256, 128)], axis=1).astype(np.uint8).tobytes()
    for space, low, high in (("bt601-video", 16, 235), ("bt709-video", 16, 235), ("bt709-full", 0, 255)):
        ends = np.array([low, 128, high, 128], dtype=np.uint8)  # YUYV without colour
        convert([Plane(ends)], "YUYV", space, 1, 2, memoryview(out)[:6])
        assert out[:6] == bytes([0] * 3 + [255] * 3)
