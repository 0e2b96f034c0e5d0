"""Random and edge images for the codecs: one row, one column, one pixel, long rows; eight kinds of picture."""

from __future__ import annotations

import numpy as np

from agent.native.frame import FrameDescription


def shape_of(r: np.random.Generator) -> tuple[int, ...]:
    rows, columns = (int(r.integers(1, 48)), int(r.integers(1, 200)))
    match int(r.integers(12)):
        case 0:
            rows = 1
        case 1:
            columns = 1
        case 2:
            rows, columns = 1, 1
        case 3:
            rows, columns = int(r.integers(1, 3)), int(r.integers(3000, 9000))
        case 4:
            rows, columns = int(r.integers(150, 300)), int(r.integers(150, 300))
    return (rows, columns) if r.integers(3) else (rows, columns, 3)


def image_of(r: np.random.Generator, like: tuple[np.ndarray, int] | None = None) -> tuple[np.ndarray, int]:
    """One of eight kinds of picture and its bits stored; of the same layout as another one, if that is wanted."""
    shape, bits = (like[0].shape, like[1]) if like is not None else (shape_of(r), int(r.integers(2, 17)))
    top = (1 << bits) - 1
    place = np.indices(shape[:2]).sum(0).reshape(shape[:2] + (1,) * (len(shape) - 2)) * np.ones(shape, int)
    picture = [
        lambda: r.integers(0, top + 1, shape),
        lambda: np.full(shape, r.integers(0, top + 1)),
        lambda: np.cumsum(r.integers(-3, 4, shape), 1) + top // 2,
        lambda: place % 2 * top,
        lambda: place * max(1, top // (shape[0] + shape[1])),
        lambda: np.where(r.random(shape) < 0.01, r.integers(0, top + 1, shape), top // 5),
        lambda: np.ones(shape, int) * r.integers(0, top + 1, shape)[:, :1],
        lambda: np.cumsum(np.cumsum(r.normal(0, 1, shape), 0), 1).astype(int) + r.integers(-9, 10, shape),
    ][int(r.integers(8))]()
    return np.ascontiguousarray((picture & top).astype("u1" if bits <= 8 else "<u2")), bits


def description_of(image: np.ndarray, bits: int) -> FrameDescription:
    samples = 3 if image.ndim == 3 else 1
    return FrameDescription(*image.shape[:2], samples, image.itemsize * 8, bits, bits - 1)


def gdcm_takes(d: FrameDescription) -> bool:
    """GDCM refuses clips of less than 8 bits, and of colours of more."""
    return d.bits_stored == d.bits_allocated == 8 or (d.bits_stored > 8 and d.samples_per_pixel == 1)
