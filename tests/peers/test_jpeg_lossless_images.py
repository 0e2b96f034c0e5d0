"""Random and edge images between our JPEG Lossless and libjpeg-turbo 3 and two other decoders, bit for bit.

Set JPL_IMAGES to look at more than the few hundred of an ordinary run; JPL_SEED for other ones.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from agent.native.compress import JPEG_LOSSLESS_SV1, decode, encode
from agent.native.frame import FrameDescription

imagecodecs = pytest.importorskip("imagecodecs")

IMAGES = int(os.environ.get("JPL_IMAGES", "300"))
SEED = int(os.environ.get("JPL_SEED", "1"))
BATCH = 50


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


def image_of(r: np.random.Generator) -> tuple[np.ndarray, int]:
    """One of eight kinds of picture and its bits stored."""
    shape, bits = shape_of(r), int(r.integers(2, 17))
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


@pytest.mark.parametrize("batch", range((IMAGES + BATCH - 1) // BATCH))
def test_images_are_the_same_at_both_ends(batch: int) -> None:
    r = np.random.default_rng([SEED, batch])
    for k in range(BATCH):
        image, bits = image_of(r)
        what = f"image {k} of batch {batch}: {image.shape}, {bits} bits"
        description, native = description_of(image, bits), image.tobytes()
        ours = encode(image, JPEG_LOSSLESS_SV1, description=description)
        assert decode(ours, JPEG_LOSSLESS_SV1, description) == native, what
        assert imagecodecs.jpeg8_decode(ours).tobytes() == native, what
        if k % 4 == 0:
            assert imagecodecs.jpegsof3_decode(ours).tobytes() == native, what
        if k % 4 == 1 and image.ndim == 2:
            assert imagecodecs.ljpeg_decode(ours).tobytes() == native, what
            theirs = imagecodecs.ljpeg_encode(image, bitspersample=bits)
            assert decode(theirs, JPEG_LOSSLESS_SV1, description) == native, what
        for selection in (1, int(r.integers(2, 8))):
            theirs = imagecodecs.jpeg8_encode(image, lossless=True, predictor=selection, bitspersample=bits)
            assert decode(theirs, JPEG_LOSSLESS_SV1, description) == native, f"{what}, selection value {selection}"
            if selection == 1:
                assert len(ours) <= len(theirs), what
