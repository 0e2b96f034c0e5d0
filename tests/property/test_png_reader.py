"""PNG pictures of any size, depth and filters come out as Pillow has them; no damage ever gives a picture."""

from __future__ import annotations

import io
import os

import numpy as np
import PIL.Image
import pytest
from fakes import pngs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.acquire import png
from agent.errors import DeviceError

KINDS = [(pngs.GREY, depth) for depth in (1, 2, 4, 8, 16)] + [(pngs.RGB, 8)]


@st.composite
def pictures(draw: st.DrawFn) -> tuple[int, int, int, bytes]:
    """Columns, depth, colour and a file."""
    colour, depth = draw(st.sampled_from(KINDS))
    columns, rows = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    size = (columns * depth * pngs.SAMPLES[colour] + 7) // 8
    seed = draw(st.integers(0, 2**32 - 1))
    dice = np.random.default_rng(seed)
    lines = [(dice.integers(0, 256, size) // draw(st.sampled_from([1, 64]))).astype(np.uint8).tobytes()
             for _ in range(rows)]  # fmt: skip
    filters = draw(st.lists(st.integers(0, 4), min_size=rows, max_size=rows))
    before = pngs.chunk(b"tEXt", b"Comment\0none") if draw(st.booleans()) else b""
    file = pngs.png(columns, lines, depth, colour, filters=filters, pieces=draw(st.integers(1, 9)), before=before,
                    level=draw(st.sampled_from([0, 6])))  # fmt: skip
    return columns, depth, colour, file


def samples(file: bytes) -> bytes:
    fd = os.memfd_create("png")
    try:
        os.write(fd, file)
        other = png.other_kind(fd, "it")
        if other:
            raise DeviceError(other)
        return png.plain_frames(fd, "it").read(0)
    finally:
        os.close(fd)


def pillow(file: bytes, depth: int, colour: int) -> bytes:
    image = PIL.Image.open(io.BytesIO(file), formats=["PNG"])
    if depth == 16:
        return np.asarray(image).astype("<u2").tobytes()
    return image.convert("RGB" if colour == pngs.RGB else "L").tobytes()


@settings(max_examples=120)
@given(pictures())
def test_every_picture_is_what_pillow_has(picture: tuple[int, int, int, bytes]) -> None:
    _, depth, colour, file = picture
    assert samples(file) == pillow(file, depth, colour)


@settings(max_examples=120)
@given(pictures(), st.data())
def test_no_part_of_a_file_is_a_picture(picture: tuple[int, int, int, bytes], data: st.DataObject) -> None:
    file = picture[3]
    with pytest.raises(DeviceError):
        samples(file[: data.draw(st.integers(8, len(file) - 1))])
    with pytest.raises(DeviceError):
        samples(file + data.draw(st.binary(min_size=1, max_size=20)))


@settings(max_examples=200)
@given(pictures(), st.data())
def test_no_flipped_bit_gives_a_picture(picture: tuple[int, int, int, bytes], data: st.DataObject) -> None:
    file = bytearray(picture[3])
    at = data.draw(st.integers(8, len(file) - 1))
    file[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DeviceError):
        samples(bytes(file))


@settings(max_examples=200)
@given(pictures(), st.lists(st.binary(max_size=60), max_size=4))
@example((1, 8, 0, pngs.png(1, [b"\1"])), [])
def test_chunks_that_are_no_picture_end_in_words(picture: tuple[int, int, int, bytes], bodies: list[bytes]) -> None:
    """Right checksums around anything: a picture or a sentence."""
    head = picture[3][:33]
    file = head + b"".join(pngs.chunk(b"IDAT", body) for body in bodies) + pngs.chunk(b"IEND")
    with pytest.raises(DeviceError):
        samples(file)
