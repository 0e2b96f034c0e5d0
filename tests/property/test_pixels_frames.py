"""Regions, detector corrections and tables against numpy, byte for byte, on any frame."""

from __future__ import annotations

from fractions import Fraction
from math import floor, log1p, sqrt
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.native import detector, table
from agent.native.frame import FrameDescription
from agent.native.region import Region, blackout, crop, cropped

SEEDS = st.integers(0, 2**32 - 1)


def _frame(rng: np.random.Generator, d: FrameDescription) -> np.ndarray[Any, Any]:
    """(rows, columns, samples) of any bits."""
    shape = (d.rows, d.columns, d.samples_per_pixel)
    return rng.integers(0, 1 << d.bits_allocated, shape, dtype=f"<u{d.bits_allocated // 8}")


def _stored(frame: np.ndarray[Any, Any], planar: int) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(frame.transpose(2, 0, 1) if planar else frame)


@given(
    rows=st.integers(1, 9), columns=st.integers(1, 70), samples=st.sampled_from([1, 3]), bits=st.sampled_from([8, 16]),
    planar=st.sampled_from([0, 1]), pad=st.integers(0, 5), misaligned=st.integers(0, 3), number=st.integers(0, 4),
    seed=SEEDS,
)  # fmt: skip
def test_regions(
    *, rows: int, columns: int, samples: int, bits: int, planar: int, pad: int, misaligned: int, number: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    d = FrameDescription(rows, columns, samples, bits, bits, bits - 1, planar_configuration=planar)
    frame = _frame(rng, d)
    tops, lefts = rng.integers(0, rows, number + 1), rng.integers(0, columns, number + 1)
    regions = [
        Region(int(top), int(left), int(rng.integers(1, rows - top + 1)), int(rng.integers(1, columns - left + 1)))
        for top, left in zip(tops, lefts, strict=True)
    ]
    r = regions.pop()
    lines = _stored(frame, planar).reshape(rows * (samples if planar else 1), -1).view(np.uint8)
    room = rng.integers(0, 256, (lines.shape[0], lines.shape[1] + pad), dtype=np.uint8)
    room[:, : lines.shape[1]] = lines
    src = memoryview(bytes(misaligned) + room.tobytes())[misaligned:]
    out = bytearray(cropped(d, r).frame_bytes)
    assert crop(src, d, r, out, stride=lines.shape[1] + pad) == len(out)
    assert out == _stored(frame[r.top : r.top + r.rows, r.left : r.left + r.columns], planar).tobytes()

    value = rng.integers(0, 1 << bits, samples)
    hidden = bytearray(_stored(frame, planar).tobytes())
    blackout(hidden, d, regions, [int(v) for v in value])
    for one in regions:
        frame[one.top : one.top + one.rows, one.left : one.left + one.columns] = value
    assert hidden == _stored(frame, planar).tobytes()


@given(
    rows=st.integers(1, 5), columns=st.integers(1, 600), stored=st.integers(1, 16), pedestal=st.integers(0, 65535),
    dark=st.booleans(), gains=st.booleans(), in_place=st.booleans(), edge=st.booleans(), seed=SEEDS,
)  # fmt: skip
def test_dark_frame_and_gain(
    *,
    rows: int,
    columns: int,
    stored: int,
    pedestal: int,
    dark: bool,
    gains: bool,
    in_place: bool,
    edge: bool,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    pedestal &= (1 << stored) - 1
    d = FrameDescription(rows, columns, 1, 16, stored, stored - 1)
    frame, offset, gain = (_frame(rng, d)[..., 0] for _ in range(3))
    if edge:
        frame, offset, gain = (np.where(given & 1, 65535, 0).astype("<u2") for given in (frame, offset, gain))
    apart = frame.astype(np.int64) - (offset if dark else 0)
    scaled = (np.abs(apart) * (gain.astype(np.int64) if gains else detector.GAIN_ONE) + detector.GAIN_ONE // 2) >> 14
    want = np.clip(np.sign(apart) * scaled + pedestal, 0, (1 << stored) - 1).astype("<u2")
    out = frame.copy() if in_place else np.empty_like(frame)
    detector.correct(
        out if in_place else frame,
        d,
        out,
        offset=offset if dark else None,
        gain=gain if gains else None,
        pedestal=pedestal,
    )
    assert out.tobytes() == want.tobytes()


@given(rows=st.integers(3, 12), columns=st.integers(3, 12), bits=st.sampled_from([8, 16]), number=st.integers(0, 8),
       seed=SEEDS)  # fmt: skip
def test_dead_pixels(*, rows: int, columns: int, bits: int, number: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    d = FrameDescription(rows, columns, 1, bits, bits, bits - 1)
    frame = _frame(rng, d)[..., 0]
    points = [(int(rng.integers(rows)), int(rng.integers(columns))) for _ in range(number)]
    good = np.ones((rows, columns), bool)
    for point in points:
        good[point] = False
    distance_rows, distance_columns = np.arange(rows)[:, np.newaxis], np.arange(columns)
    want = frame.copy()
    for row, column in points:
        distance = np.maximum(abs(distance_rows - row), abs(distance_columns - column))
        nearest = distance[good].min()
        chosen = frame[good & (distance == nearest)].astype(np.int64)
        want[row, column] = (chosen.sum() + len(chosen) // 2) // len(chosen)
    assert detector.replace(frame, d, detector.defects(points, d)) == len(set(points))
    assert frame.tobytes() == want.tobytes()


@given(
    allocated=st.sampled_from([8, 16]), stored=st.integers(1, 16), signed=st.sampled_from([0, 1]),
    samples=st.sampled_from([1, 3]), bits=st.integers(1, 16), seed=SEEDS,
)  # fmt: skip
def test_a_table(*, allocated: int, stored: int, signed: int, samples: int, bits: int, seed: int) -> None:
    stored = min(stored, allocated)
    rng = np.random.default_rng(seed)
    d = FrameDescription(3, 37, samples, allocated, stored, stored - 1, signed)
    entries = rng.integers(0, 1 << bits, 1 << stored)
    through = table.table([int(entry) for entry in entries], bits)
    frame = _frame(rng, d)
    values = frame.astype(np.int64) & ((1 << stored) - 1)
    if signed:
        values = (values + (1 << (stored - 1))) % (1 << stored)
    made = table.made(d, through)
    out = bytearray(made.frame_bytes)
    assert table.apply(frame, d, through, out) == len(out)
    assert out == entries[values].astype(f"<u{made.bits_allocated // 8}").tobytes()


@given(
    stored=st.integers(1, 12), signed=st.sampled_from([0, 1]), exact=st.booleans(), bits=st.sampled_from([8, 12]),
    centre=st.decimals(-5000, 5000, places=2), width=st.decimals(1, 9000, places=2),
)  # fmt: skip
def test_a_window_is_the_text_of_the_standard(
    *, stored: int, signed: int, exact: bool, bits: int, centre: Any, width: Any
) -> None:
    d = FrameDescription(1, 1, 1, 16, stored, stored - 1, signed)
    function = "LINEAR_EXACT" if exact else "LINEAR"
    got = np.frombuffer(table.window(d, str(centre), str(width), function=function, bits=bits).entries,
                        np.uint8 if bits == 8 else "<u2")  # fmt: skip
    c, w, most = Fraction(centre), Fraction(width), (1 << bits) - 1
    lowest = -(1 << stored) // 2 if signed else 0
    for entry, x in zip(got, range(lowest, lowest + (1 << stored)), strict=True):
        if exact:
            y = 0 if x <= c - w / 2 else most if x > c + w / 2 else ((x - c) / w + Fraction(1, 2)) * most
        elif x <= c - Fraction(1, 2) - (w - 1) / 2:
            y = 0
        elif x > c - Fraction(1, 2) + (w - 1) / 2:
            y = most
        else:
            y = ((x - (c - Fraction(1, 2))) / (w - 1) + Fraction(1, 2)) * most
        assert entry == floor(y + Fraction(1, 2))


@given(stored=st.integers(2, 14), bits=st.integers(2, 16))
def test_logarithm_and_root_rise_from_end_to_end(*, stored: int, bits: int) -> None:
    d = FrameDescription(1, 1, 1, 16, stored, stored - 1)
    greatest, most = (1 << stored) - 1, (1 << bits) - 1
    for made, curve in (
        (table.logarithm(d, bits), lambda x: log1p(x) / log1p(greatest)),
        (table.square_root(d, bits), lambda x: sqrt(x / greatest)),
    ):
        got = np.frombuffer(made.entries, np.uint8 if bits <= 8 else "<u2").astype(np.int64)
        assert got[0] == 0
        assert got[-1] == most
        assert (np.diff(got) >= 0).all()
        assert all(abs(entry - curve(x) * most) <= 0.5 + 1e-6 for x, entry in enumerate(got))


@given(stored=st.integers(2, 16), bits=st.integers(2, 16))
def test_a_logarithm_that_is_rational_is_exact_on_every_machine(stored: int, bits: int) -> None:
    """1 + x = 2^k: the entry is k / stored of the greatest, and a half goes up whatever libm's last digit is."""
    made = table.logarithm(FrameDescription(1, 1, 1, 16, stored, stored - 1), bits)
    got = np.frombuffer(made.entries, np.uint8 if bits <= 8 else "<u2")
    for k in range(stored + 1):
        assert got[2**k - 1] == floor(Fraction(((1 << bits) - 1) * k, stored) + Fraction(1, 2)), k
