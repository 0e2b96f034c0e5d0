"""The yardstick orders the codecs as everybody knows them, for each kind of pixels."""

from __future__ import annotations

import pytest

from agent.dataset import uid
from agent.dataset.pixels import PixelDescription
from agent.transcode.yardstick import encode_per_byte, seconds_per_byte

KINDS = [
    PixelDescription(10, 10),
    PixelDescription(10, 10, 1, 16, 12, 11),
    PixelDescription(9, 9, 3, 8, 8, 7, 0, "RGB"),
]


@pytest.mark.parametrize("description", KINDS)
def test_rle_is_cheaper_than_jpeg_ls(description: PixelDescription) -> None:
    cost = {syntax: seconds_per_byte(description, uid.EXPLICIT_VR_LE, syntax)
            for syntax in (uid.IMPLICIT_VR_LE, uid.RLE_LOSSLESS, uid.JPEG_LS_LOSSLESS)}  # fmt: skip
    assert 0 < cost[uid.IMPLICIT_VR_LE] < cost[uid.JPEG_LS_LOSSLESS]
    assert cost[uid.RLE_LOSSLESS] < cost[uid.JPEG_LS_LOSSLESS]
    assert 0 < encode_per_byte(description, uid.RLE_LOSSLESS) < encode_per_byte(description, uid.JPEG_LS_LOSSLESS)
    assert encode_per_byte(description, uid.EXPLICIT_VR_LE) == 0
