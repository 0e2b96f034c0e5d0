"""What JPEG and JPEG-LS pictures say about themselves."""

from __future__ import annotations

import struct

import pytest

from agent.dataset import uid
from agent.errors import DecodeError
from agent.media.codestream import behind_end, near_of, read_jpeg

JFIF = (0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")


def adobe(transform: int) -> tuple[int, bytes]:
    return 0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform])


def jpeg(
    sof: int = 0xC0,
    *segments: tuple[int, bytes],
    bits: int = 8,
    ids: tuple[int, ...] = (1, 2, 3),
    rows: int = 4,
    columns: int = 6,
    end: bytes = b"\xff\xd9",
    scan: tuple[int, int, int] = (0, 63, 0),
) -> bytes:
    """A picture of markers only; the scan is noise."""
    frame = struct.pack(">BHHB", bits, rows, columns, len(ids)) + b"".join(bytes([one, 0x11, 0]) for one in ids)
    start = bytes([len(ids)]) + b"".join(bytes([one, 0]) for one in ids) + bytes(scan)
    body = b"\xff\xd8"
    for marker, data in (*segments, (sof, frame), (0xC4, b"\0" * 17), (0xDA, start)):
        body += b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data
    return body + b"\x12\x34\xff\0\x56" + end


def exif(order: str, value: int) -> tuple[int, bytes]:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, value, 0)
    return 0xE1, b"Exif\0\0" + mark + struct.pack(f"{order}IH", 8, 1) + entry


@pytest.mark.parametrize(
    ("data", "photometric"),
    [
        (jpeg(0xC0, JFIF), "YBR_FULL_422"),
        (jpeg(0xC0), "YBR_FULL_422"),
        (jpeg(0xC0, ids=(0x52, 0x47, 0x42)), "RGB"),
        (jpeg(0xC0, JFIF, ids=(0x52, 0x47, 0x42)), "YBR_FULL_422"),
        (jpeg(0xC0, adobe(0)), "RGB"),
        (jpeg(0xC0, adobe(1)), "YBR_FULL_422"),
        (jpeg(0xC0, JFIF, adobe(0)), "RGB"),
        (jpeg(0xC0, ids=(1,)), "MONOCHROME2"),
        (jpeg(0xC3, scan=(1, 0, 0)), "RGB"),
        (jpeg(0xC3, adobe(1), scan=(1, 0, 0)), "YBR_FULL"),
        (jpeg(0xF7, scan=(0, 2, 0)), "RGB"),
    ],
)
def test_colour(data: bytes, photometric: str) -> None:
    found = read_jpeg(data).description
    assert found.photometric_interpretation == photometric
    assert (found.rows, found.columns) == (4, 6)
    assert found.samples_per_pixel == (1 if photometric == "MONOCHROME2" else 3)


@pytest.mark.parametrize(
    ("data", "syntax", "lossy", "allocated"),
    [
        (jpeg(0xC0), uid.JPEG_BASELINE, True, 8),
        (jpeg(0xC1, ids=(1,), bits=12), uid.JPEG_EXTENDED, True, 16),
        (jpeg(0xC3, ids=(1,), bits=16, scan=(1, 0, 0)), uid.JPEG_LOSSLESS_SV1, False, 16),
        (jpeg(0xC3, ids=(1,), bits=10, scan=(6, 0, 0)), uid.JPEG_LOSSLESS, False, 16),
        (jpeg(0xF7, ids=(1,), bits=12, scan=(0, 0, 0)), uid.JPEG_LS_LOSSLESS, False, 16),
        (jpeg(0xF7, ids=(1,), bits=8, scan=(2, 0, 0)), uid.JPEG_LS_NEAR, True, 8),
    ],
)
def test_transfer_syntax(data: bytes, syntax: str, lossy: bool, allocated: int) -> None:
    found = read_jpeg(data)
    assert (found.transfer_syntax_uid, found.lossy, found.description.bits_allocated) == (syntax, lossy, allocated)
    assert found.description.high_bit == found.description.bits_stored - 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation(order: str) -> None:
    assert read_jpeg(jpeg(0xC0, exif(order, 6))).orientation == 6
    assert read_jpeg(jpeg(0xC0)).orientation == 1
    marker, data = exif(order, 6)
    for length in range(len(data)):
        assert read_jpeg(jpeg(0xC0, (marker, data[:length]))).orientation in (1, 6)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x89PNG", "no JPEG"),
        (jpeg(0xC2), "progressive"),
        (jpeg(0xC9), "arithmetic"),
        (jpeg(0xC5), "hierarchical"),
        (jpeg(ids=(1, 2, 3, 4)), "4 components"),
        (jpeg(ids=(1, 2)), "2 components"),
        (jpeg(rows=0), "rows and columns"),
        (jpeg(columns=0), "rows and columns"),
        (jpeg(bits=12), "12 bits"),
        (jpeg(0xC3, scan=(1, 0, 1)), "point transform"),
        (jpeg(0xF7, scan=(0, 0, 1)), "point transform"),
        (jpeg(end=b""), "end marker"),
        (jpeg(end=b"\xff\xd9more"), "4 bytes behind its end marker"),
        (jpeg() + jpeg(), "behind its end marker"),
        (jpeg() + b"\0\0" + jpeg() + jpeg(), "behind its end marker"),
        (jpeg(end=b"") + jpeg(), "another picture before"),
        (jpeg(0xF7, ids=(1,), scan=(0, 0, 0)) + jpeg(), "behind its end marker"),
        (jpeg(end=b"\xff\xc4\0\2" * 5000 + b"\xff\xd9"), "more than 4096 markers"),
        (jpeg(0xC0, (0xC0, b"\x08\0\4\0\6\1\1\x11\0")), "two frame headers"),
        (b"\xff\xd8" + b"\xff\x01" * 5000, "more than 4096 markers"),
        (b"\xff\xd8\xff\xd9", "before its first scan"),
        (b"\xff\xd8\xff\xe0\0\1", "wrong length"),
        (b"\xff\xd8\xff\xda\0\x0a\1\1\0\0\0\0\0\0", "before its frame header"),
    ],
)
def test_refused(data: bytes, text: str) -> None:
    with pytest.raises(DecodeError, match=text):
        read_jpeg(data)


def test_cut_anywhere_is_an_error_and_nothing_else() -> None:
    whole = jpeg(0xC0, JFIF, adobe(1), exif(">", 3))
    for length in range(len(whole)):
        with pytest.raises(DecodeError):
            read_jpeg(whole[:length])
    for at in range(len(whole)):
        for value in (0, 0xFF, whole[at] ^ 1):
            try:
                read_jpeg(whole[:at] + bytes([value]) + whole[at + 1 :])
            except DecodeError:
                continue


def test_padding_behind_the_end_is_not_cut_short() -> None:
    assert read_jpeg(jpeg(end=b"\xff\xd9\0")).transfer_syntax_uid == uid.JPEG_BASELINE


def test_only_markers_end_a_scan() -> None:
    table = b"\xff\xc4\0\6\xff\xd9\xff\xd8"  # of the second scan: what it holds is no marker
    scan = b"\xff\xda\0\x08\1\2\0\0\x3f\0\xff\x7f\xff\xd0\xff\0\xff\xff\xff\xd9"
    assert read_jpeg(jpeg(end=table + scan + bytes(600))).transfer_syntax_uid == uid.JPEG_BASELINE
    with pytest.raises(DecodeError, match="no end marker"):
        read_jpeg(jpeg(end=table + scan[:-1]))


def scans(*nears: int, end: bytes = b"\xff\xd9") -> bytes:
    """A JPEG-LS picture with one scan for each component; in its scans a byte below 80H may stand behind FFH."""
    picture = jpeg(0xF7, ids=(1, 2, 3), end=b"")
    body = picture[: picture.index(b"\xff\xda")]
    for number, near in enumerate(nears):
        body += b"\xff\xda\0\x08\1" + bytes([number + 1, 0, near, 0, 0]) + b"\x12\xff\x7f\x34"
    return body + end


@pytest.mark.parametrize(("nears", "largest"), [((0, 0, 0), 0), ((0, 0, 3), 3), ((2, 0, 0), 2), ((0, 7, 1), 7)])
def test_loss_in_any_scan_counts(nears: tuple[int, ...], largest: int) -> None:
    assert near_of(scans(*nears)) == largest
    assert near_of(scans(*nears, end=b"")) == largest
    stream = read_jpeg(scans(*nears))
    assert (stream.lossy, stream.transfer_syntax_uid) == (
        (True, uid.JPEG_LS_NEAR) if largest else (False, uid.JPEG_LS_LOSSLESS)
    )


def test_every_scan_of_lossless_jpeg_counts() -> None:
    one = jpeg(0xC3, scan=(1, 0, 0), end=b"")
    for scan, wanted in (((1, 0, 0), uid.JPEG_LOSSLESS_SV1), ((4, 0, 0), uid.JPEG_LOSSLESS)):
        more = jpeg(0xC3, scan=scan)
        assert read_jpeg(one + more[more.index(b"\xff\xda") :]).transfer_syntax_uid == wanted
    shifted = jpeg(0xC3, scan=(1, 0, 2))
    with pytest.raises(DecodeError, match="point transform"):
        read_jpeg(one + shifted[shifted.index(b"\xff\xda") :])


@pytest.mark.parametrize(("more", "count"), [(b"", 0), (bytes(5), 0), (b"x", 1), (b"\0\0x\0", 3), (b"\xff\xd8\xff", 3)])
def test_what_stands_behind_the_end_is_counted(more: bytes, count: int) -> None:
    for picture in (scans(0, 0, 0), jpeg(), jpeg(0xC3, (0xE1, b"Exif\0\0\xff\xd8\xff\xd9"))):
        assert behind_end(picture + more) == count
        assert behind_end(picture[:-2] + jpeg() + more) == len(jpeg()) + count
    assert behind_end(jpeg(end=b"") + b"more") == 0
    assert behind_end(b"") == 0
