"""Previews and icons against numpy, byte for byte: means of boxes, windows, colours, on any frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.acquire.icon import ICON_SIDE, make_icon
from agent.dataset.pixels import PixelDescription
from agent.iod.acquisition import Acquisition, XrayFacts
from agent.iod.acquisition import Window as Voi
from agent.native.picture import Window, find_window, thumbnail

SEEDS = st.integers(0, 2**32 - 1)
SIDE = st.integers(1, 70)
EDGES = st.sampled_from(["noise", "zeros", "ones", "either"])
Array = np.ndarray[Any, Any]


def frame_of(d: PixelDescription, edge: str, seed: int) -> tuple[bytes, Array]:
    """Any bits, those above the stored ones too; and the stored values as (rows, columns, samples)."""
    rng = np.random.default_rng(seed)
    shape = (d.rows, d.columns, d.samples_per_pixel)
    bits = rng.integers(0, 1 << d.bits_allocated, shape)
    if edge != "noise":
        bits = np.where(bits & 1, (1 << d.bits_allocated) - 1, 0) if edge == "either" else np.full(
            shape, 0 if edge == "zeros" else (1 << d.bits_allocated) - 1)  # fmt: skip
    values = bits & ((1 << d.bits_stored) - 1)
    if d.pixel_representation:
        values = values - ((values >> (d.bits_stored - 1)) << d.bits_stored)
    stored = bits.astype(f"<u{d.bits_allocated // 8}")
    return np.ascontiguousarray(stored.transpose(2, 0, 1) if d.planar_configuration else stored).tobytes(), values


def means(values: Array, rows: int, columns: int) -> Array:
    """Mean of each box [i * size // n, (i + 1) * size // n), which is never empty as n is never above size."""
    down = [i * values.shape[0] // rows for i in range(rows + 1)]
    right = [i * values.shape[1] // columns for i in range(columns + 1)]
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.int64), down[:-1], axis=0), right[:-1], axis=1)
    return np.asarray(sums / (np.diff(down)[:, None] * np.diff(right))[..., None])


def as_bytes(levels: Array) -> Array:
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def shrunk(values: Array, d: PixelDescription, rows: int, columns: int, window: tuple[int, int]) -> Array:
    levels = (means(values, rows, columns) - window[0]) * 255.0 / (window[1] - window[0])
    if d.photometric_interpretation == "YBR_FULL":
        y, cb, cr = levels[..., 0], levels[..., 1] - 128.0, levels[..., 2] - 128.0
        return as_bytes(np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=2))
    return 255 - as_bytes(levels) if d.photometric_interpretation == "MONOCHROME1" else as_bytes(levels)


@st.composite
def descriptions(draw: Any) -> PixelDescription:
    name = draw(st.sampled_from(["MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL"]))
    allocated = draw(st.sampled_from([8, 16]))
    stored = draw(st.integers(1, allocated))
    samples = 1 if name.startswith("MONO") else 3
    signed, planar = draw(st.integers(0, 1)), draw(st.integers(0, samples // 3))
    return PixelDescription(draw(SIDE), draw(SIDE), samples, allocated, stored, stored - 1, signed, name, planar)


@given(d=descriptions(), edge=EDGES, seed=SEEDS, data=st.data())
def test_a_thumbnail(d: PixelDescription, edge: str, seed: int, data: Any) -> None:
    frame, values = frame_of(d, edge, seed)
    rows, columns = data.draw(st.integers(1, d.rows)), data.draw(st.integers(1, d.columns))
    low = data.draw(st.integers(-40000, 65000))
    window = Window(low, low + data.draw(st.integers(1, 70000)))
    want = shrunk(values, d, rows, columns, window)
    assert thumbnail(frame, d, rows, columns, window=window) == want.tobytes()


@given(d=descriptions(), edge=EDGES, seed=SEEDS, tail=st.floats(0, 0.49))
def test_a_window_found(d: PixelDescription, edge: str, seed: int, tail: float) -> None:
    frame, values = frame_of(d, edge, seed)
    base = 1 << (d.bits_stored - 1) if d.pixel_representation else 0
    shift = max(0, d.bits_stored - 8)
    counts = np.bincount(((values + base) >> shift).ravel(), minlength=256)
    cut = int(tail * values.size)
    low = min(int(np.argmax(np.cumsum(counts) > cut)), 255)
    high = max(255 - int(np.argmax(np.cumsum(counts[::-1]) > cut)), low)
    bottom, top = (low << shift) - base, ((high + 1) << shift) - 1 - base
    assert find_window(frame, d, tail) == (bottom, max(top, bottom + 1))


@given(d=descriptions(), seed=SEEDS, scale=st.integers(1, 4), windowed=st.booleans())
def test_an_icon(d: PixelDescription, seed: int, scale: int, *, windowed: bool) -> None:
    d = d._replace(rows=d.rows * scale, columns=d.columns * scale)
    frame, values = frame_of(d, "noise", seed)
    most = (1 << d.bits_stored) - 1
    xray = XrayFacts(windows=(Voi(100, 151),) if windowed else ())
    facts = Acquisition("1.2", "1.2", "1.2", "1.2", "", "", xray=xray)
    made = make_icon(memoryview(frame), d, facts)
    assert made is not None
    ratio = min(1.0, ICON_SIDE / max(d.rows, d.columns))
    assert (made.rows, made.columns) == (max(1, int(d.rows * ratio)), max(1, int(d.columns * ratio)))
    assert max(made.rows, made.columns) <= ICON_SIDE
    window = (round(99.5 - 75), round(99.5 + 75)) if windowed else (0, most) if d.samples_per_pixel == 3 else tuple(
        find_window(frame, d))  # fmt: skip
    want = shrunk(values, d, made.rows, made.columns, window).astype(int)
    if d.samples_per_pixel == 3:
        want = (want @ np.array([299, 587, 114]) // 1000)[..., None]
    assert made.data == want.astype(np.uint8).tobytes()
