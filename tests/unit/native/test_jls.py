"""JPEG-LS through the door: what is written, what is refused, and streams that other encoders could have written."""

from __future__ import annotations

import pytest

from agent.errors import NativeArgumentError, NativeDataError
from agent.native.compress import JPEG_LS_LOSSLESS, JPEG_LS_NEAR, decode, encode, encode_bound
from agent.native.frame import FrameDescription

SMALL = FrameDescription(4, 4)
# The example of T.87 H.3: 4 x 4 samples of 8 bits.
EXAMPLE = bytes([0, 0, 90, 74, 68, 50, 43, 205, 64, 145, 145, 145, 100, 145, 145, 145])
EXAMPLE_SCAN = bytes.fromhex("C000006C80208E01C00000574000006EE6000001BC18000005D800009160")
WORDS = FrameDescription(3, 5, 1, 16, 12, 11)


def words(d: FrameDescription, step: int = 37) -> bytes:
    mask = (1 << d.bits_stored) - 1
    values = [i * i * step & mask for i in range(d.rows * d.columns * d.samples_per_pixel)]
    half = 1 << (d.bits_stored - 1)
    signed = [(v ^ half) - half for v in values] if d.pixel_representation else values
    return b"".join((v & 0xFFFF).to_bytes(2, "little") for v in signed)


def test_example_of_the_standard_is_coded_as_printed() -> None:
    coded = encode(EXAMPLE, JPEG_LS_LOSSLESS, description=SMALL)
    assert coded[coded.index(b"\xff\xda") + 10 :].rstrip(b"\0") == EXAMPLE_SCAN + b"\xff\xd9"
    assert decode(coded, JPEG_LS_LOSSLESS, SMALL) == EXAMPLE


@pytest.mark.parametrize(
    ("allocated", "stored", "precision"),
    [(8, 2, 8), (8, 7, 8), (8, 8, 8), (16, 2, 9), (16, 8, 9), (16, 9, 9), (16, 13, 13)],
)
@pytest.mark.parametrize("representation", [0, 1])
def test_precision_is_what_every_decoder_takes(
    allocated: int, stored: int, precision: int, representation: int
) -> None:
    d = FrameDescription(3, 5, 1, allocated, stored, stored - 1, representation)
    native = words(d) if allocated == 16 else words(d)[::2]
    coded = encode(native, JPEG_LS_LOSSLESS, description=d)
    assert coded[6] == precision
    assert decode(coded, JPEG_LS_LOSSLESS, d) == native


def test_loss_that_would_leave_bits_stored_is_refused() -> None:
    d = FrameDescription(20, 30, 1, 8, 7, 6)
    with pytest.raises(NativeDataError, match="or would with this loss"):
        encode(bytes(127 - i * i % 11 for i in range(600)), JPEG_LS_NEAR, description=d, near=3)


def test_head_names_the_bits_stored_and_the_default_thresholds_beyond_twelve() -> None:
    coded = encode(words(WORDS), JPEG_LS_LOSSLESS, description=WORDS)
    assert coded[:13].hex() == "ffd8fff7000b0c000300050101"
    deep = WORDS._replace(bits_stored=16, high_bit=15)
    coded = encode(words(deep), JPEG_LS_LOSSLESS, description=deep)
    assert coded[15:30].hex() == "fff8000d01ffff001200430114" + "0040"


@pytest.mark.parametrize("bits", [2, 7, 8])
@pytest.mark.parametrize("representation", [0, 1])
def test_bytes_of_every_precision_come_back(bits: int, representation: int) -> None:
    d = FrameDescription(3, 50, 1, 8, bits, bits - 1, representation)
    half = 1 << (bits - 1)
    native = bytes(((i * i * 7 & 2 * half - 1) ^ half) - half & 0xFF if representation else i * i * 7 & 2 * half - 1
                   for i in range(150))  # fmt: skip
    assert decode(encode(native, JPEG_LS_LOSSLESS, description=d), JPEG_LS_LOSSLESS, d) == native


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 15, 16])
@pytest.mark.parametrize("representation", [0, 1])
@pytest.mark.parametrize(("samples", "planar"), [(1, 0), (3, 0), (3, 1)])
def test_words_of_every_precision_come_back(bits: int, representation: int, samples: int, planar: int) -> None:
    d = FrameDescription(3, 41, samples, 16, bits, bits - 1, representation, planar_configuration=planar)
    native = words(d)
    coded = encode(native, JPEG_LS_LOSSLESS, description=d)
    assert len(coded) % 2 == 0
    assert len(coded) <= encode_bound(d, JPEG_LS_LOSSLESS)
    assert decode(coded, JPEG_LS_LOSSLESS, d) == native


def test_planes_and_pixels_are_coded_alike() -> None:
    by_pixel = FrameDescription(2, 30, 3)
    pixels = bytes(i * 11 & 0xFF for i in range(180))
    planes = pixels[0::3] + pixels[1::3] + pixels[2::3]
    by_plane = by_pixel._replace(planar_configuration=1)
    coded = encode(pixels, JPEG_LS_LOSSLESS, description=by_pixel)
    assert encode(planes, JPEG_LS_LOSSLESS, description=by_plane) == coded
    assert decode(coded, JPEG_LS_LOSSLESS, by_plane) == planes


@pytest.mark.parametrize(("native", "representation"), [(b"\x00\x10", 0), (b"\x00\x08", 1), (b"\xff\x0f", 1)])
def test_bits_above_bits_stored_are_refused_not_dropped(native: bytes, representation: int) -> None:
    d = FrameDescription(1, 1, 1, 16, 12, 11, representation)
    with pytest.raises(NativeDataError, match="more than its bits stored"):
        encode(native, JPEG_LS_LOSSLESS, description=d)


@pytest.mark.parametrize("near", [1, 3, 127])
def test_near_lossless_keeps_its_distance(near: int) -> None:
    native = bytes(i * i % 251 for i in range(600))
    d = FrameDescription(20, 30)
    back = decode(encode(native, JPEG_LS_NEAR, description=d, near=near), JPEG_LS_NEAR, d)
    assert 0 < max(abs(a - b) for a, b in zip(native, back, strict=True)) <= near


def test_near_is_refused_where_it_has_no_meaning() -> None:
    with pytest.raises(NativeArgumentError, match="JPEG-LS is lossless"):
        encode(EXAMPLE, JPEG_LS_LOSSLESS, description=SMALL, near=1)
    for near in (-1, 256):
        with pytest.raises(NativeArgumentError, match="near is 0 to 255"):
            encode(EXAMPLE, JPEG_LS_NEAR, description=SMALL, near=near)
    with pytest.raises(NativeArgumentError, match="outside of its limits"):
        encode(EXAMPLE, JPEG_LS_NEAR, description=SMALL, near=128)


@pytest.mark.parametrize(
    "other",
    [{"rows": 5}, {"columns": 5}, {"samples_per_pixel": 3}, {"bits_allocated": 16, "bits_stored": 12, "high_bit": 11}],
)
def test_other_geometry_than_described_is_refused(other: dict[str, int]) -> None:
    coded = encode(EXAMPLE, JPEG_LS_LOSSLESS, description=SMALL)
    with pytest.raises(NativeDataError, match="other rows, columns, samples or bits"):
        decode(coded, JPEG_LS_LOSSLESS, SMALL._replace(**other))


def spliced(*, behind_soi: bytes = b"", before_scan: bytes = b"", rows: bytes = b"") -> bytes:
    coded = encode(EXAMPLE, JPEG_LS_LOSSLESS, description=SMALL)
    at = coded.index(b"\xff\xda")
    head = coded[:2] + behind_soi + coded[2:at]
    return (
        (head.replace(b"\x08\x00\x04\x00\x04", b"\x08" + (rows or b"\x00\x04") + b"\x00\x04"))
        + before_scan
        + coded[at:]
    )


@pytest.mark.parametrize(
    "coded",
    [
        spliced(behind_soi=b"\xff\xe8\x00\x06SPIF\xff\xfe\x00\x04hi"),  # application data and a comment
        spliced(behind_soi=b"\xff\xff\xff\xfe\x00\x02"),  # fill bytes
        spliced(before_scan=b"\xff\xf8\x00\x0d\x01\x00\xff\x00\x03\x00\x07\x00\x15\x00\x40"),  # the defaults, preset
        spliced(before_scan=b"\xff\xf8\x00\x0d\x01" + bytes(10)),  # zeros mean defaults
        spliced(before_scan=b"\xff\xdd\x00\x04\x00\x00"),  # no restarts
        spliced(behind_soi=b"\xff\xf8\x00\x08\x04\x02\x00\x04\x00\x04"),  # sizes told twice
        spliced(before_scan=b"\xff\xf8\x00\x08\x04\x02\x00\x04\x00\x04", rows=b"\0\0"),
        spliced() + b"\x00\x00rubbish",
    ],
)
def test_unusual_but_legible_frames_decode(coded: bytes) -> None:
    assert decode(coded, JPEG_LS_LOSSLESS, SMALL) == EXAMPLE


def test_lines_may_be_told_behind_the_scan() -> None:
    coded = spliced(rows=b"\0\0").rstrip(b"\0")
    assert decode(coded[:-2] + b"\xff\xdc\x00\x04\x00\x04\xff\xd9", JPEG_LS_LOSSLESS, SMALL) == EXAMPLE
    with pytest.raises(NativeDataError, match="other rows"):
        decode(coded, JPEG_LS_LOSSLESS, SMALL)


def test_restart_intervals_begin_anew() -> None:
    whole = FrameDescription(9, 4)
    native = bytes(i * 29 % 256 for i in range(36))
    parts = [(native[i : i + 16], whole._replace(rows=min(4, 9 - i // 4))) for i in range(0, 36, 16)]
    strips = [encode(part, JPEG_LS_LOSSLESS, description=description) for part, description in parts]
    head = encode(native, JPEG_LS_LOSSLESS, description=whole)
    at = head.index(b"\xff\xda")
    scans = [strip[strip.index(b"\xff\xda") + 10 :].rstrip(b"\0")[:-2] for strip in strips]
    coded = (head[:at] + b"\xff\xdd\x00\x04\x00\x04" + head[at : at + 10] + scans[0] + b"\xff\xd0" + scans[1]
             + b"\xff\xd1" + scans[2] + b"\xff\xd9")  # fmt: skip
    assert decode(coded, JPEG_LS_LOSSLESS, whole) == native
    for wrong in (coded.replace(b"\xff\xd1", b"\xff\xd2"), coded.replace(b"\xff\xd0", b"")):
        with pytest.raises(NativeDataError):
            decode(wrong, JPEG_LS_LOSSLESS, whole)


@pytest.mark.parametrize(
    ("coded", "text"),
    [
        (b"", "too early"),
        (b"\xff\xd8", "too early"),
        (b"\xff\xd8\xff\xd9", "too early"),
        (b"\x00" * 64, "marker segment"),
        (spliced(behind_soi=b"\xff\xc0\x00\x02"), "marker segment"),
        (spliced(behind_soi=b"\xff\xfe\x00\x01"), "marker segment"),
        (spliced(before_scan=b"\xff\xf8\x00\x0d\x01\x01\x00" + bytes(8)), "marker segment"),  # MAXVAL beyond P
        (spliced(before_scan=b"\xff\xf8\x00\x0d\x01\x00\xff\x00\x07\x00\x03\x00\x15\x00\x40"), "marker segment"),
        (spliced(before_scan=b"\xff\xf8\x00\x0d\x01\x00\xff\x00\x03\x00\x07\x00\x15\x00\x02"), "marker segment"),
        (spliced(before_scan=b"\xff\xf8\x00\x05\x02\x01\x01"), "DICOM images do not have"),
        (spliced().replace(b"\xff\xda\x00\x08\x01\x01\x00", b"\xff\xda\x00\x08\x01\x01\x01"), "do not have"),
        (spliced().replace(b"\xff\xda\x00\x08\x01\x01", b"\xff\xda\x00\x08\x01\x02"), "marker segment"),
        (spliced().replace(EXAMPLE_SCAN, EXAMPLE_SCAN + b"\x12\x34\x56"), "more than its plane"),
        (spliced().replace(EXAMPLE_SCAN, EXAMPLE_SCAN[:-4]), "."),
        (spliced().replace(EXAMPLE_SCAN, bytes(30)), "no encoder writes"),
    ],
)
def test_hostile_frames_are_refused(coded: bytes, text: str) -> None:
    with pytest.raises(NativeDataError, match=text):
        decode(coded, JPEG_LS_LOSSLESS, SMALL)
