"""What is no raw samples is recognised; what may be some is let through."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pydicom
import pytest

from agent.acquire.lookalike import HEAD_BYTES, recognised

GREY = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
DICOM = Path(pydicom.__file__).parent / "data" / "test_files" / "MR_small.dcm"


def picture(kind: str) -> Callable[[], bytes]:
    def made() -> bytes:
        out = io.BytesIO()
        PIL.Image.fromarray(GREY).save(out, kind)
        return out.getvalue()

    return made


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", "b")
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return out.getvalue()


def array() -> bytes:
    out = io.BytesIO()
    np.save(out, GREY)
    return out.getvalue()


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "png": ("a PNG", picture("PNG")),
    "jpeg": ("a JPEG or JPEG-LS", picture("JPEG")),
    "tiff": ("a TIFF", picture("TIFF")),
    "gif": ("a GIF", picture("GIF")),
    "bmp": ("a BMP", picture("BMP")),
    "webp": ("a WebP", picture("WEBP")),
    "pgm": ("a PBM, PGM, PPM or PAM", picture("PPM")),
    "pdf": ("a PDF", picture("PDF")),
    "dicom": ("a DICOM file", DICOM.read_bytes),
    "bare": ("a DICOM file", lambda: DICOM.read_bytes()[132:]),
    "program": ("a program", Path(sys.executable).read_bytes),
    "zip": ("a ZIP archive or office document", zipped),
    "tar": ("a tar archive", tarred),
    "gzip": ("a gzip archive", lambda: gzip.compress(bytes(99))),
    "bzip2": ("a bzip2 archive", lambda: bz2.compress(bytes(99))),
    "xz": ("an xz archive", lambda: lzma.compress(bytes(99))),
    "array": ("a NumPy array", array),
    "python": ("a text", Path(__file__).read_bytes),
    "umlauts": ("a text", ("Grüße aus München\n" * 200).encode),
    "xml": ("a text", lambda: b"<?xml version='1.0'?><a/>"),
    "json": ("a text", lambda: b'{"rows": 3, "columns": 4}'),
    "mp4": ("a video or picture of the MP4 family", lambda: b"\0\0\0\x18ftypmp42" + bytes(99)),
    "ts": ("an MPEG video", lambda: (b"G" + bytes(range(187))) * 9),
}


@pytest.mark.parametrize("kind", FILES)
def test_recognised(kind: str) -> None:
    name, make = FILES[kind]
    data = make()
    assert recognised(data[:HEAD_BYTES], len(data)) == name


def test_samples_are_not_taken_for_something_else() -> None:
    chance = np.random.default_rng(7)
    for turn in range(3000):
        low = int(chance.integers(0, 200))
        high = low + int(chance.integers(1, 55))
        kind = (np.uint8, np.dtype("<u2"), np.dtype(">u2"))[turn % 3]
        data = chance.integers(low, high, 2048).astype(kind).tobytes()
        assert recognised(data[:HEAD_BYTES], len(data)) is None
    for level in range(256):
        assert recognised(bytes([level]) * HEAD_BYTES, 9999) is None
        assert recognised(bytes((level + at) % 256 for at in range(HEAD_BYTES)), 9999) is None
    assert recognised(b"BM" + bytes(99), 9999) is None
    assert recognised(b"P5\x80\x80" * 99, 9999) is None
