"""JPEG Lossless through the door: a stream by hand, round trips, exact buffers, damaged input."""

from __future__ import annotations

import random
import struct

import pytest

from agent.errors import NativeArgumentError, NativeDataError
from agent.native.compress import JPEG_LOSSLESS, JPEG_LOSSLESS_SV1, decode, encode, encode_bound
from agent.native.frame import FrameDescription

SV1 = JPEG_LOSSLESS_SV1


def layout(rows: int, columns: int, samples: int = 1, stored: int = 8, **more: int) -> FrameDescription:
    bits = {"bits_allocated": 8 if stored <= 8 else 16, "bits_stored": stored, "high_bit": stored - 1}
    return FrameDescription(rows, columns, samples)._replace(**{**bits, **more})


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def sof3(precision: int, rows: int, columns: int, components: int = 1) -> bytes:
    each = b"".join(bytes([k + 1, 0x11, 0]) for k in range(components))
    return segment(0xC3, struct.pack(">BHHB", precision, rows, columns, components) + each)


def dht(*codes: tuple[int, int], table: int = 0) -> bytes:
    """Codes as (bits, category), shortest first."""
    counts = bytes(sum(bits == length for bits, _ in codes) for length in range(1, 17))
    return segment(0xC4, bytes([table]) + counts + bytes(category for _, category in codes))


def sos(selection: int = 1, transform: int = 0, components: tuple[int, ...] = (1,)) -> bytes:
    each = b"".join(bytes([k, 0]) for k in components)
    return segment(0xDA, bytes([len(components)]) + each + bytes([selection, 0, transform]))


def bits(text: str) -> bytes:
    text = text.replace(" ", "")
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")


SOI, EOI = b"\xff\xd8", b"\xff\xd9"
# categories 0, 1, 2, 8 with the codes 0, 10, 110, 1110; rows (128 129 131) (128 128 127)
CODES = dht((1, 0), (2, 1), (3, 2), (4, 8))
SAMPLES = bits("0 101 11010 0 0 100")
HEAD = SOI + sof3(8, 2, 3) + CODES + sos()
TINY = layout(2, 3)
NATIVE = bytes([128, 129, 131, 128, 128, 127])


def test_a_stream_by_hand_is_read() -> None:
    assert decode(HEAD + SAMPLES + EOI, SV1, TINY) == NATIVE
    assert decode(HEAD + SAMPLES + EOI, JPEG_LOSSLESS, TINY) == NATIVE


def test_what_is_written_is_what_a_hand_would_write() -> None:
    best = dht((1, 0), (2, 1), (3, 2))
    expected = SOI + sof3(8, 2, 3) + best + sos() + SAMPLES + EOI
    assert encode(NATIVE, SV1, description=TINY) == expected + b"\x00" * (len(expected) % 2)


@pytest.mark.parametrize(
    ("selection", "last"),
    [(1, 130), (2, 129), (3, 128), (4, 131), (5, 130), (6, 130), (7, 129)],
)
def test_every_selection_value_predicts_as_table_h_1_says(selection: int, last: int) -> None:
    coded = SOI + sof3(8, 2, 2) + CODES + sos(selection) + bits("0 101 11010 0") + EOI
    # above the last sample 129, left of it 130, left of that above it 128; its difference is 0
    assert decode(coded, JPEG_LOSSLESS, layout(2, 2)) == bytes([128, 129, 130, last])


def test_point_transform_restart_intervals_and_other_segments() -> None:
    noise = segment(0xE0, b"JFIF\x00") + segment(0xFE, b"\xff\xc3 a comment") + b"\xff\xff\xff" + segment(0xEE, b"")
    each_row = segment(0xDD, struct.pack(">H", 3))
    coded = SOI + noise + sof3(8, 2, 3) + each_row + CODES + sos(transform=1)
    coded += bits("0 101 11010") + b"\xff\xd0" + bits("101 0 0") + EOI
    assert decode(coded, SV1, TINY) == bytes(2 * v for v in (64, 65, 67, 65, 65, 65))


def test_one_scan_for_each_component_and_planes() -> None:
    head = SOI + sof3(8, 1, 2, 3) + CODES
    scans = [sos(components=(k + 1,)) + bits(text) for k, text in enumerate(("0 101", "101 0", "0 11010"))]
    planes = [bytes([128, 129]), bytes([129, 129]), bytes([128, 130])]
    assert decode(head + b"".join(scans) + EOI, SV1, layout(1, 2, 3, planar_configuration=1)) == b"".join(planes)
    by_pixel = decode(head + scans[2] + scans[0] + scans[1] + EOI, SV1, layout(1, 2, 3))
    assert by_pixel == bytes(v for pixel in zip(*planes, strict=True) for v in pixel)


def samples_of(d: FrameDescription, kind: str, seed: int) -> bytes:
    r = random.Random(seed)
    count = d.rows * d.columns * d.samples_per_pixel
    top = (1 << d.bits_stored) - 1
    values = {
        "noise": lambda i: r.randrange(top + 1),
        "flat": lambda i: top // 3,
        "ramp": lambda i: i & top,
        "board": lambda i: top * ((i + i // d.columns) & 1),
        "walk": lambda i: (i * i // 97 + r.randrange(3)) & top,
    }[kind]
    numbers = [values(i) for i in range(count)]
    if d.pixel_representation:
        numbers = [v - top - 1 if v > top >> 1 else v for v in numbers]
    code = ("b" if d.pixel_representation else "B") if d.bits_allocated == 8 else "h" if d.pixel_representation else "H"
    return struct.pack(f"<{count}{code}", *numbers)


@pytest.mark.parametrize("kind", ["noise", "flat", "ramp", "board", "walk"])
@pytest.mark.parametrize("stored", range(1, 17))
def test_round_trips(kind: str, stored: int) -> None:
    shapes = [(1, 1, 1), (1, 70, 1), (33, 1, 3), (5, 41, 3), (9, 130, 1)]
    for seed, (rows, columns, samples) in enumerate(shapes):
        for more in ({}, {"pixel_representation": 1}, {"planar_configuration": 1}, {"bits_allocated": 16}):
            description = layout(rows, columns, samples, stored, **more)
            native = samples_of(description, kind, seed)
            coded = encode(native, SV1, description=description)
            assert len(coded) % 2 == 0
            assert len(coded) <= encode_bound(description, SV1)
            assert decode(coded, SV1, description) == native


@pytest.mark.parametrize(("allocated", "stored"), [(16, 12), (16, 8), (16, 15), (8, 7), (8, 2)])
@pytest.mark.parametrize("planar", [0, 1])
def test_bits_above_high_bit_are_refused_wherever_they_are(allocated: int, stored: int, planar: int) -> None:
    size = allocated // 8
    description = layout(3, 67, 3, stored, bits_allocated=allocated, planar_configuration=planar)
    sound = bytearray(samples_of(description, "noise", 1))
    assert decode(encode(sound, SV1, description=description), SV1, description) == sound
    for at in (*range(0, len(sound), 17 * size), len(sound) - size):
        broken = bytearray(sound)
        broken[at : at + size] = (int.from_bytes(broken[at : at + size], "little") | 1 << stored).to_bytes(
            size, "little"
        )
        with pytest.raises(NativeDataError, match="more than its bits stored"):
            encode(broken, SV1, description=description)


@pytest.mark.parametrize("description", [layout(4, 9), layout(2, 5, 3), layout(3, 4, stored=16), layout(1, 3, 3, 12)])
def test_every_destination_size_is_obeyed(description: FrameDescription) -> None:
    native = samples_of(description, "noise", 3)
    whole = encode(native, SV1, description=description)
    for size in range(len(whole) + 40):
        guarded = bytearray(b"\xaa" * (size + 32))
        view = memoryview(guarded)[:size]
        if size < len(whole):
            with pytest.raises(NativeArgumentError, match="destination is too small"):
                encode(native, SV1, description=description, out=view)
        else:
            assert encode(native, SV1, description=description, out=view) == len(whole)
            assert guarded[: len(whole)] == whole
        assert guarded[size:] == b"\xaa" * 32


@pytest.mark.parametrize("description", [layout(4, 9), layout(2, 5, 3), layout(3, 4, stored=16)])
def test_truncation_at_every_byte_is_refused(description: FrameDescription) -> None:
    native = samples_of(description, "walk", 1)
    coded = encode(native, SV1, description=description).rstrip(b"\x00")
    assert decode(coded[:-2], SV1, description) == native, "a missing EOI loses nothing"
    for size in range(len(coded) - 2):
        with pytest.raises(NativeDataError):
            decode(coded[:size], SV1, description)


@pytest.mark.parametrize(
    ("coded", "text"),
    [
        (b"", "too early"),
        (b"\xff\xd9" + HEAD[2:], "marker segment"),
        (SOI + EOI, "too early"),
        (HEAD + EOI, "too early"),
        (HEAD + b"\xfe\xff\xd9", "too early"),
        (HEAD + bits("1" * 128), "no encoder writes"),
        (HEAD.replace(sof3(8, 2, 3), b""), "marker segment"),
        (HEAD.replace(CODES, b""), "marker segment"),
        (HEAD.replace(sof3(8, 2, 3), sof3(8, 3, 2)), "other rows"),
        (HEAD.replace(sof3(8, 2, 3), sof3(7, 2, 3)), "other rows"),
        (HEAD.replace(sof3(8, 2, 3), sof3(9, 2, 3)), "other rows"),
        (HEAD.replace(sof3(8, 2, 3), sof3(0, 2, 3)), "other rows"),
        (HEAD.replace(sof3(8, 2, 3), sof3(8, 0, 3)), "other rows"),
        (HEAD.replace(sof3(8, 2, 3), sof3(8, 2, 3, 3)), "other rows"),
        (HEAD.replace(sof3(8, 2, 3), 2 * sof3(8, 2, 3)), "marker segment"),
        (HEAD.replace(b"\xff\xc3", b"\xff\xc0"), "do not have"),
        (HEAD.replace(b"\xff\xc3", b"\xff\xcb"), "do not have"),
        (HEAD.replace(CODES, dht((1, 0), (1, 1), (2, 2))), "marker segment"),
        (HEAD.replace(CODES, dht((1, 0), (2, 0))), "marker segment"),
        (HEAD.replace(CODES, dht((1, 0), (2, 17))), "marker segment"),
        (HEAD.replace(CODES, dht((1, 0), table=4)), "marker segment"),
        (HEAD.replace(CODES, dht((1, 0), table=0x10)), "marker segment"),
        (HEAD.replace(CODES, dht()), "marker segment"),
        (HEAD.replace(CODES, segment(0xC4, bytes([0, *[255] * 16]))), "marker segment"),
        (HEAD.replace(CODES, CODES + segment(0xDD, b"\x00\x02")), "marker segment"),
        (HEAD.replace(CODES, CODES + segment(0xDD, b"\x03")), "marker segment"),
        (HEAD.replace(sos(), sos(0)), "marker segment"),
        (HEAD.replace(sos(), sos(8)), "marker segment"),
        (HEAD.replace(sos(), sos(1, 8)), "marker segment"),
        (HEAD.replace(sos(), sos(components=(2,))), "marker segment"),
        (HEAD.replace(sos(), sos(components=(1, 1))), "marker segment"),
        (HEAD.replace(sos(), sos(components=())), "marker segment"),
        (HEAD.replace(sos(), b"\xff\xda\x00\x01"), "marker segment"),
        (HEAD.replace(sos(), b"\xff\xda\xff\xff"), "too early"),
        (
            HEAD.replace(CODES, CODES + segment(0xDD, b"\x00\x03")) + bits("000") + b"\xff\xd1" + bits("000"),
            "marker seg",
        ),
        (HEAD.replace(CODES, CODES + segment(0xDD, b"\x00\x03")) + bits("000") + EOI, "marker segment"),
    ],
)
def test_hostile_frames_are_refused(coded: bytes, text: str) -> None:
    with pytest.raises(NativeDataError, match=text):
        decode(coded, SV1, TINY)


def test_a_component_is_decoded_once() -> None:
    head = SOI + sof3(8, 1, 1, 3) + CODES
    with pytest.raises(NativeDataError, match="marker segment"):
        decode(head + 2 * (sos(components=(1,)) + bits("0")) + EOI, SV1, layout(1, 1, 3))


def test_a_larger_precision_than_bits_stored_is_read() -> None:
    coded = encode(struct.pack("<3H", 5, 0, 1023), SV1, description=layout(1, 3, stored=12))
    assert decode(coded, SV1, layout(1, 3, stored=10)) == struct.pack("<3H", 5, 0, 1023)


def test_signed_samples_keep_their_sign_whatever_the_precision() -> None:
    native, twelve = struct.pack("<3h", -5, 0, 7), layout(1, 3, stored=12, pixel_representation=1)
    coded = encode(native, SV1, description=twelve)
    assert coded[coded.index(b"\xff\xc3") + 4] == 16, "decoders that know no sign get one"
    assert decode(coded, SV1, twelve) == native
    bare = encode(struct.pack("<3H", 0xFFB, 0, 7), SV1, description=layout(1, 3, stored=12))
    assert decode(bare, SV1, twelve) == native
