"""The kinds of PNG that are not read are named, and what a file claims costs nothing."""

from __future__ import annotations

import os
import tracemalloc
import zlib
from pathlib import Path

import pytest
from fakes import pngs

from agent.acquire import png
from agent.errors import DeviceError

LINE = bytes(range(8))


def put(tmp_path: Path, data: bytes) -> int:
    path = tmp_path / "it.png"
    path.write_bytes(data)
    return os.open(path, os.O_RDONLY)


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (pngs.png(8, [LINE], 8, pngs.PALETTE, before=pngs.chunk(b"PLTE", bytes(24))), "a palette"),
        (pngs.png(4, [LINE], 8, pngs.GREY_ALPHA), "an alpha channel"),
        (pngs.png(2, [LINE], 8, pngs.RGBA), "an alpha channel"),
        (pngs.png(8, [LINE], before=pngs.chunk(b"tRNS", b"\0\0")), "transparency"),
        (pngs.png(8, [LINE], before=pngs.chunk(b"acTL", bytes(8))), "animated"),
        (pngs.SIGNATURE + pngs.header(8, 1, 8, pngs.GREY, 1) + pngs.chunk(b"IEND"), "interlaced"),
        (pngs.SIGNATURE + pngs.header(1, 1, 16, pngs.RGB) + pngs.chunk(b"IEND"), "16 bits for each of 3 samples"),
        (pngs.SIGNATURE + pngs.header(1, 1, 8, 5) + pngs.chunk(b"IEND"), "colour type 5"),
    ],
)
def test_other_kinds_are_named(file: bytes, kind: str, tmp_path: Path) -> None:
    assert kind in png.other_kind(put(tmp_path, file), "it")


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (pngs.chunk(b"IDAT", zlib.compress(b"\0" + LINE)), "no end chunk yet"),
        (pngs.chunk(b"IDAT", zlib.compress(b"\0" + LINE)) + pngs.chunk(b"IEND") + b"\0", "behind its end"),
        (pngs.chunk(b"IDAT", zlib.compress(b"\0" + LINE + b"\0")) + pngs.chunk(b"IEND"), "more lines"),
        (pngs.chunk(b"IDAT", zlib.compress(b"\0" + LINE[:7])) + pngs.chunk(b"IEND"), "end before the picture"),
        (pngs.chunk(b"IDAT", zlib.compress(b"\0" + LINE) + b"x") + pngs.chunk(b"IEND"), "behind its last line"),
        (pngs.chunk(b"IDAT", zlib.compress(b"\5" + LINE)) + pngs.chunk(b"IEND"), "a filter that there is not"),
        (pngs.chunk(b"IDAT", b"no stream") + pngs.chunk(b"IEND"), "its lines: "),
        (pngs.chunk(b"IEND"), "end before the picture"),
        (pngs.chunk(b"ABCD") + pngs.chunk(b"IEND"), "ABCD"),
        (pngs.header(8, 1, 8, pngs.GREY) + pngs.chunk(b"IEND"), "comes again"),
        (pngs.chunk(b"IDAT", zlib.compress(b"\0" + LINE)[:5]) + pngs.chunk(b"tEXt") + pngs.chunk(b"IDAT")
         + pngs.chunk(b"IEND"), "comes again"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tail: bytes, reason: str, tmp_path: Path) -> None:
    fd = put(tmp_path, pngs.SIGNATURE + pngs.header(8, 1, 8, pngs.GREY) + tail)
    with pytest.raises(DeviceError, match=reason):
        png.plain_frames(fd, "it").read(0)


def test_a_bomb_ends_with_the_first_byte_too_many(tmp_path: Path) -> None:
    """A megabyte of zlib that is a gigabyte of lines, in a picture of eight pixels."""
    squeezed = zlib.compressobj(9)
    body = b"".join(squeezed.compress(bytes(1 << 20)) for _ in range(64)) + squeezed.flush()
    fd = put(tmp_path, pngs.SIGNATURE + pngs.header(8, 1, 8, pngs.GREY) + pngs.chunk(b"IDAT", body) +
             pngs.chunk(b"IEND"))  # fmt: skip
    tracemalloc.start()
    try:
        with pytest.raises(DeviceError, match="more lines"):
            png.plain_frames(fd, "it").read(0)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_size_beyond_every_picture_is_refused_unread(tmp_path: Path) -> None:
    fd = put(tmp_path, pngs.SIGNATURE + pngs.header(65_535, 65_535, 16, pngs.GREY) + pngs.chunk(b"IEND"))
    with pytest.raises(DeviceError, match="larger than"):
        png.plain_frames(fd, "it")
