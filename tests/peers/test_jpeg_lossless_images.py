"""Random and edge images between our JPEG Lossless and libjpeg-turbo 3 and two other decoders, bit for bit.

Set JPL_IMAGES to look at more than the few hundred of an ordinary run; JPL_SEED for other ones.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from fakes.random_images import description_of, image_of

from agent.native.compress import JPEG_LOSSLESS_SV1, decode, encode

imagecodecs = pytest.importorskip("imagecodecs")

IMAGES = int(os.environ.get("JPL_IMAGES", "300"))
SEED = int(os.environ.get("JPL_SEED", "1"))
BATCH = 50


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
