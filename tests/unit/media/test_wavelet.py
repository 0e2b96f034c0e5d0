"""Which wavelet a codestream names, wherever it names one; judged by streams of OpenJPH and OpenJPEG too."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import pytest

from agent.media.wavelet import is_irreversible

PICTURE = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">HH", marker, len(body) + 2) + body


def cod(transformation: int) -> bytes:
    return segment(0xFF52, bytes([0, 2, 0, 1, 0, 5, 4, 4, 0, transformation]))


def coc(transformation: int) -> bytes:
    return segment(0xFF53, bytes([1, 0, 5, 4, 4, 0, transformation]))


def tile(head: bytes, data: bytes = b"\x12\xff\x52\x34" * 5) -> bytes:
    return segment(0xFF90, struct.pack(">HIBB", 0, 14 + len(head) + len(data), 0, 1)) + head + b"\xff\x93" + data


def stream(main: bytes, *tiles: bytes) -> bytes:
    size = segment(0xFF51, bytes(36) + b"\7\1\1")
    return b"\xff\x4f" + size + main + b"".join(tiles) + b"\xff\xd9"


@pytest.mark.parametrize("reversible", [True, False])
def test_real_streams(reversible: bool) -> None:
    made = imagecodecs.htj2k_encode(PICTURE, reversible=reversible, rgb=True, planar=False)
    assert is_irreversible(made) is not reversible
    made = imagecodecs.jpeg2k_encode(PICTURE, level=0 if reversible else 30, reversible=reversible, codecformat="J2K")
    assert is_irreversible(made) is not reversible


@pytest.mark.parametrize(
    ("main", "tiles", "irreversible"),
    [
        (cod(1), [tile(b"")], False),
        (cod(0), [tile(b"")], True),
        (cod(1) + coc(0), [tile(b"")], True),
        (cod(1) + coc(1), [tile(coc(1)), tile(cod(1))], False),
        (cod(1), [tile(b""), tile(cod(0))], True),
        (cod(1), [tile(coc(1)), tile(coc(0))], True),
    ],
)
def test_every_header_counts(main: bytes, tiles: list[bytes], irreversible: bool) -> None:
    assert is_irreversible(stream(main, *tiles)) is irreversible


def test_damaged_headers_end_the_walk() -> None:
    whole = stream(cod(1) + coc(1), tile(coc(1)), tile(cod(1)))
    for end in range(len(whole)):
        assert not is_irreversible(whole[:end])
    assert not is_irreversible(stream(cod(1), segment(0xFF90, bytes(8)) + b"\xff\x93"))  # a tile of no bytes
