"""The pixel path in numbers that can be checked by hand, and what it refuses."""

from __future__ import annotations

import pytest

from agent.errors import NativeArgumentError, NativeDataError
from agent.native import detector, table
from agent.native.convert import Plane, contiguous, convert, converted, unpack, unpacked
from agent.native.frame import FrameDescription
from agent.native.region import Region, blackout, crop, cropped

GREY12 = FrameDescription(2, 2, 1, 16, 12, 11)


@pytest.mark.parametrize(
    ("name", "packed", "samples"),
    [
        ("Mono12Packed", "AB 21 CD", [0xAB1, 0xCD2]),  # GigE Vision: high, low bits of both, high
        ("Mono10Packed", "AB 21 CD", [0x2AD, 0x336]),
        ("Mono12p", "AB 21 CD", [0x1AB, 0xCD2]),  # PFNC: the lowest bits first
        ("Mono10p", "FF 03 00", [0x3FF, 0x000]),
        ("Y10", "FF 03 00 00", [0x3FF, 0x000]),
        ("Y16_BE", "12 34 00 FF", [0x1234, 0x00FF]),
    ],
)
def test_packed_samples(name: str, packed: str, samples: list[int]) -> None:
    out = bytearray(4)
    assert unpack(bytes.fromhex(packed), name, 1, 2, out) == 4
    assert [int.from_bytes(out[i : i + 2], "little") for i in (0, 2)] == samples
    assert unpacked(name, 1, 2).bits_stored == int("".join(c for c in name if c.isdigit()))


def test_lines_of_an_odd_width_go_on_inside_of_a_group() -> None:
    out = bytearray(4)
    unpack(bytes.fromhex("AB 21 CD"), "Mono12Packed", 2, 1, out)
    assert out == bytes.fromhex("B1 0A D2 0C")
    unpack(bytes.fromhex("AB 01 FF CD 02"), "Mono12Packed", 2, 1, out, stride=3)
    assert out == bytes.fromhex("B1 0A D2 0C")


def test_a_sample_beyond_its_bits_is_a_lie_of_the_device() -> None:
    with pytest.raises(NativeDataError, match="unpacking Y10: a sample needs more than its bits stored"):
        unpack(b"\x00\x04", "Y10", 1, 1, bytearray(2))


@pytest.mark.parametrize(
    ("rgb", "ybr"),
    [((255, 0, 0), (76, 85, 255)), ((0, 255, 0), (150, 44, 21)), ((0, 0, 255), (29, 255, 107)),
     ((255, 255, 255), (255, 128, 128)), ((0, 0, 0), (0, 128, 128)), ((1, 2, 3), (2, 129, 127))],
)  # fmt: skip
def test_primaries_as_ybr_full_and_back(rgb: tuple[int, ...], ybr: tuple[int, ...]) -> None:
    out = bytearray(3)
    convert([Plane(bytes(rgb))], "RGB24", "rgb", 1, 1, out, to="YBR_FULL")
    assert tuple(out) == ybr
    convert([Plane(bytes(ybr))], "RGB24", "bt601-full", 1, 1, out)
    assert all(abs(a - b) <= 1 for a, b in zip(out, rgb, strict=True))


def test_matrix_and_range_are_what_the_caller_says() -> None:
    """The same four bytes, red in BT.709 video range, are another colour in each other reading."""
    out, seen = bytearray(6), []
    for space in ("bt709-video", "bt709-full", "bt601-video", "bt601-full"):
        convert([Plane(bytes([63, 102, 63, 240]))], "YUYV", space, 1, 2, out)
        seen.append(tuple(out[:3]))
    assert seen == [(255, 1, 0), (239, 15, 15), (233, 0, 2), (220, 0, 17)]


def test_chroma_of_the_first_pixel_stays() -> None:
    out = bytearray(4)
    convert([Plane(bytes([255, 0, 0, 0, 0, 255]))], "RGB24", "rgb", 1, 2, out, to="YBR_FULL_422")
    assert out == bytes([76, 29, 85, 255])
    assert converted("YBR_FULL_422", 1, 2).photometric_interpretation == "YBR_FULL_422"


@pytest.mark.parametrize("layout", ["NV12", "I420"])
def test_planes_behind_each_other_are_taken_apart(layout: str) -> None:
    planes = contiguous(bytes(range(60)), layout, 4, 6, stride=8)
    assert [(bytes(plane.data)[0], len(bytes(plane.data)), plane.stride) for plane in planes] == (
        [(0, 32, 8), (32, 16, 8)] if layout == "NV12" else [(0, 32, 8), (32, 8, 4), (40, 8, 4)]
    )


def test_a_region_and_its_description() -> None:
    d = FrameDescription(2, 3, 3, photometric_interpretation="RGB")
    out = bytearray(3)
    crop(bytes(range(18)), d, Region(1, 2, 1, 1), out)
    assert out == bytes([15, 16, 17])
    assert cropped(d, Region(1, 2, 1, 1)) == d._replace(rows=1, columns=1)


def test_signed_samples_are_blacked_out_with_signed_values() -> None:
    d = FrameDescription(1, 2, 1, 16, 12, 11, pixel_representation=1)
    frame = bytearray(4)
    blackout(frame, d, [Region(0, 1, 1, 1)], [-2048])
    assert frame == bytes.fromhex("00 00 00 F8")


def test_a_detector_s_frame() -> None:
    frame = bytearray.fromhex("64 00 C8 00 0A 00 FF 0F")  # 100, 200, 10, 4095
    offset, gain = bytes.fromhex("14 00" * 4), bytes.fromhex("00 60" * 4)  # 20, and 1.5
    detector.correct(frame, GREY12, frame, offset=offset, gain=gain, pedestal=5)
    assert [int.from_bytes(frame[i : i + 2], "little") for i in range(0, 8, 2)] == [125, 275, 0, 4095]
    dead = detector.defects([(1, 1), (0, 0), (1, 1)], GREY12)
    assert detector.replace(frame, GREY12, dead) == 2
    assert [int.from_bytes(frame[i : i + 2], "little") for i in range(0, 8, 2)] == [138, 275, 0, 138]


def test_a_window_of_the_whole_range_is_the_identity() -> None:
    d = FrameDescription(1, 1)
    assert table.window(d, 128, 256).entries == bytes(range(256))
    assert table.window(d, "100.5", 1).entries == bytes(101) + b"\xff" * 155
    assert table.window(d, "100.25", "0.5", function="LINEAR_EXACT").entries == bytes(101) + b"\xff" * 155


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: unpack(b"", "Mono11", 1, 1, bytearray(2)), "grey format 'Mono11' is not known"),
        (lambda: convert([], "YUY2", "rgb", 1, 1, bytearray(3)), "colour layout 'YUY2' is not known"),
        (lambda: convert([], "YUYV", "bt2020", 1, 1, bytearray(3)), "colour space 'bt2020' is not known"),
        (lambda: convert([], "YUYV", "bt601-full", 1, 1, bytearray(3), to="HSV"), "photometric interpretation 'HSV'"),
        (lambda: convert([Plane(b"\0" * 4)], "YUYV", "rgb", 1, 2, bytearray(6)), "unsupported"),
        (lambda: convert([Plane(b"\0" * 3)], "YUYV", "bt601-full", 1, 2, bytearray(6)), "source is not as large"),
        (lambda: convert([Plane(b"\0" * 4)], "YUYV", "bt601-full", 1, 2, bytearray(5)), "destination is too small"),
        (lambda: unpack(b"", "GREY", 1, 1, b""), "not a usable buffer"),
        (lambda: crop(bytes(8), GREY12, Region(1, 1, 2, 1), bytearray(8)), "outside of its limits"),
        (lambda: blackout(bytearray(8), GREY12, [Region(0, 0, 1, 1)], [4096]), "outside of its limits"),
        (lambda: detector.correct(bytes(8), GREY12, bytearray(8), gain=bytes(6)), "source is not as large"),
        (lambda: detector.defects([(2, 0)], GREY12), "dead pixel 2, 0 is outside of 2 x 2"),
        (lambda: detector.replace(bytearray(8), GREY12, detector.defects([(i // 2, i % 2) for i in range(4)], GREY12)),
         "outside of its limits"),
        (lambda: table.apply(bytes(8), GREY12, table.table([0] * 100, 8), bytearray(4)), "outside of its limits"),
        (lambda: table.table([0], 17), "17 bits"),
        (lambda: table.table([256], 8), "no number of 8 bits"),
        (lambda: table.table([512], 9), "needs more than 9 bits"),
        (lambda: table.window(GREY12, 1, 0), "LINEAR is 0 wide"),
        (lambda: table.window(GREY12, 1, 1, function="SIGMOID"), "SIGMOID"),
        (lambda: table.logarithm(GREY12._replace(pixel_representation=1), 8), "unsigned"),
    ],
)  # fmt: skip
def test_what_is_refused(call: object, words: str) -> None:
    assert callable(call)
    with pytest.raises(NativeArgumentError, match=words):
        call()
