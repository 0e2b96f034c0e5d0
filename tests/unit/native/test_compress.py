"""RLE Lossless through the door: golden frames, exact buffers, damaged input, every kind of buffer."""

from __future__ import annotations

import array
import struct
import threading
from itertools import pairwise, product
from pathlib import Path

import pytest
from fakes import rle_twin

from agent.errors import NativeArgumentError, NativeDataError
from agent.native.compress import (
    JPEG_LS_LOSSLESS,
    JPEG_LS_NEAR,
    RLE_LOSSLESS,
    TRANSFER_SYNTAXES,
    decode,
    encode,
    encode_bound,
    rle_beside,
)
from agent.native.frame import FrameDescription

VECTORS = Path(__file__).parents[2] / "vectors" / "rle_frames.txt"
TINY = FrameDescription(2, 3)
NATIVE = bytes([1, 2, 3, 9, 9, 9])


def layout(rows: int, columns: int, samples: int = 1, bits: int = 8, planar: int = 0) -> FrameDescription:
    return FrameDescription(rows, columns, samples, bits, bits, bits - 1, planar_configuration=planar)


def vectors() -> list[tuple[str, FrameDescription, bytes, bytes]]:
    found = []
    for line in VECTORS.read_text().splitlines():
        if not line.startswith("#"):
            encoder, rows, columns, samples, bits, native, coded = line.split()
            description = layout(int(rows), int(columns), int(samples), int(bits))
            found.append((encoder, description, bytes.fromhex(native), bytes.fromhex(coded)))
    return found


@pytest.mark.parametrize(("encoder", "description", "native", "coded"), vectors())
def test_golden_frames_decode(encoder: str, description: FrameDescription, native: bytes, coded: bytes) -> None:
    assert decode(coded, RLE_LOSSLESS, description) == native
    ours = encode(native, RLE_LOSSLESS, description=description)
    assert decode(ours, RLE_LOSSLESS, description) == native
    assert len(ours) <= len(coded), "no other encoder is better"


def test_tn1023_example_is_coded_as_printed() -> None:
    _, description, native, coded = next(v for v in vectors() if v[0] == "by-hand")
    assert encode(native, RLE_LOSSLESS, description=description) == coded


@pytest.mark.parametrize("columns", [1, 2, 3, 17, 63, 64, 65, 127, 128, 129, 130, 257, 1000])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("planar", [0, 1])
def test_twin_agrees_byte_for_byte(columns: int, samples: int, bits: int, planar: int) -> None:
    description = layout(3, columns, samples, bits, planar)
    size = description.frame_bytes
    for native in (bytes(size), bytes(i * i // 7 % 5 for i in range(size)), bytes(i * 37 % 251 for i in range(size))):
        coded = encode(native, RLE_LOSSLESS, description=description)
        assert coded == rle_twin.encode(native, 3, columns, samples, bits // 8, planar)
        assert len(coded) <= encode_bound(description, RLE_LOSSLESS)
        assert decode(coded, RLE_LOSSLESS, description) == native


@pytest.mark.parametrize("native", [bytes(40), bytes(range(40)), bytes([5] * 20) + bytes(range(20))])
@pytest.mark.parametrize("description", [layout(2, 20), layout(1, 20, bits=16), layout(5, 8)])
def test_every_destination_size_is_obeyed(native: bytes, description: FrameDescription) -> None:
    whole = encode(native, RLE_LOSSLESS, description=description)
    for size in range(encode_bound(description, RLE_LOSSLESS) + 400):
        guarded = bytearray(b"\xaa" * (size + 32))
        view = memoryview(guarded)[:size]
        if size < len(whole):
            with pytest.raises(NativeArgumentError, match="destination is too small"):
                encode(native, RLE_LOSSLESS, description=description, out=view)
        else:
            assert encode(native, RLE_LOSSLESS, description=description, out=view) == len(whole)
            assert guarded[: len(whole)] == whole
        assert guarded[size:] == b"\xaa" * 32


@pytest.mark.parametrize("description", [layout(4, 9), layout(2, 5, 3), layout(3, 4, bits=16), layout(1, 3, 3, 16)])
def test_truncation_at_every_byte_is_refused(description: FrameDescription) -> None:
    native = bytes(i // 3 % 7 for i in range(description.frame_bytes))
    coded = rle_twin.encode(
        native, description.rows, description.columns, description.samples_per_pixel, description.bits_allocated // 8
    )
    padding = 0
    while decode_ok(coded[: len(coded) - padding - 1], description, native):
        padding += 1
    assert padding <= 1
    for size in range(len(coded) - padding):
        with pytest.raises(NativeDataError):
            decode(coded[:size], RLE_LOSSLESS, description)


def decode_ok(coded: bytes, description: FrameDescription, native: bytes) -> bool:
    try:
        return decode(coded, RLE_LOSSLESS, description) == native
    except NativeDataError:
        return False


def frame(*segments: bytes, count: int | None = None, offsets: list[int] | None = None) -> bytes:
    starts = [64 + sum(map(len, segments[:k])) for k in range(len(segments))] if offsets is None else offsets
    head = struct.pack("<16I", len(segments) if count is None else count, *starts, *[0] * (15 - len(starts)))
    return head + b"".join(segments)


@pytest.mark.parametrize(
    ("coded", "text"),
    [
        (b"", "too early"),
        (bytes(64), "RLE header"),
        (frame(b"\x05" + NATIVE, count=0), "RLE header"),
        (frame(b"\x05" + NATIVE, count=2), "RLE header"),
        (frame(b"\x05" + NATIVE, count=16), "RLE header"),
        (frame(b"\x05" + NATIVE, count=0xFFFFFFFF), "RLE header"),
        (frame(b"\x05" + NATIVE, offsets=[0]), "RLE header"),
        (frame(b"\x05" + NATIVE, offsets=[63]), "RLE header"),
        (frame(b"\x05" + NATIVE, offsets=[1000]), "RLE header"),
        (frame(b"\x05" + NATIVE, offsets=[0xFFFFFFFF]), "RLE header"),
        (frame(), "RLE header"),
        (frame(b""), "too early"),
        (frame(b"\x80" * 50), "too early"),
        (frame(b"\x06" + NATIVE), "too early"),
        (frame(b"\xfb"), "too early"),
        (frame(b"\xfc\x01\xff"), "too early"),
        (frame(b"\x7f" + bytes(128)), "more than its plane"),
        (frame(b"\x81\x00"), "more than its plane"),
        (frame(b"\x04" + NATIVE[:5] + b"\xff\x09"), "more than its plane"),
    ],
)
def test_hostile_frames_are_refused(coded: bytes, text: str) -> None:
    with pytest.raises(NativeDataError, match=text):
        decode(coded, RLE_LOSSLESS, TINY)


@pytest.mark.parametrize(
    "coded",
    [
        frame(b"\x05" + NATIVE),  # one packet over both rows
        frame(b"\x80\x02" + NATIVE[:3] + b"\x80\xfe\x09"),  # no operations between
        frame(b"\x05" + NATIVE + b"\x00"),  # padded
        frame(b"\x05" + NATIVE + b"\x80\x00\x00\x80" + bytes(1000)),  # padded more than need be
        frame(b"\x00\x80\x05" + NATIVE, offsets=[66]),  # a gap behind the header
    ],
)
def test_unusual_but_legible_frames_decode(coded: bytes) -> None:
    assert rle_beside(coded, TINY) == 0
    assert decode(coded, RLE_LOSSLESS, TINY) == NATIVE


@pytest.mark.parametrize(
    ("coded", "count"),
    [
        (frame(b"\x05" + NATIVE + b"\x01"), 1),
        (frame(b"\x05" + NATIVE + b"\x00\x00\x81\x00\x80\x00"), 3),
        (frame(b"\x05" + NATIVE + b"\xff\x09"), 2),  # packets of rows that nobody describes
        (frame(b"\x02" + NATIVE[:3] + b"\xfe\x09" + bytes([0x7F]) * 500), 500),
        (frame(b"\xab\x00\x05" + NATIVE, offsets=[66]), 1),  # in a gap behind the header
        (frame(b"\xab\xcd\x05" + NATIVE + b"\x07", offsets=[66]), 3),
    ],
)
def test_bytes_beside_the_packets_are_told(coded: bytes, count: int) -> None:
    assert rle_beside(coded, TINY) == count
    with pytest.raises(NativeDataError, match="beside the packets of its planes"):
        decode(coded, RLE_LOSSLESS, TINY)
    assert decode(coded, RLE_LOSSLESS, TINY, lenient=True) == NATIVE
    out = bytearray(6)
    assert (decode(coded, RLE_LOSSLESS, TINY, out=out, lenient=True), out) == (6, NATIVE)


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("bits", [8, 16])
def test_bytes_beside_the_packets_of_any_segment_are_told(bits: int, planar: int) -> None:
    description = layout(7, 500, 3, bits, planar)
    native = bytes(i * i // 9 % 11 for i in range(description.frame_bytes))
    coded = encode(native, RLE_LOSSLESS, description=description)
    offsets = [*struct.unpack_from("<15I", coded, 4)[: 3 * bits // 8], len(coded)]
    segments = [coded[start:end] for start, end in pairwise(offsets)]
    tails = (bytes(1000), b"\x80" * 301, b"\x02", bytes(400) + b"\xfe" + bytes(3))
    for k, tail in product(range(len(segments)), tails):
        longer = frame(*(segment + tail * (k == place) for place, segment in enumerate(segments)))
        assert decode(longer, RLE_LOSSLESS, description, lenient=True) == native
        meant = len(tail.rstrip(b"\0\x80"))
        assert 0 <= rle_beside(longer, description) - meant <= (meant > 0)  # the padding before it
        assert decode_ok(longer, description, native) == (meant == 0)


@pytest.mark.parametrize("coded", [frame(b"\x06" + NATIVE), frame(b"\x7f" + bytes(128)), frame(count=1), b""])
def test_damage_is_no_matter_of_bytes_beside_the_packets(coded: bytes) -> None:
    for ask in (lambda: rle_beside(coded, TINY), lambda: decode(coded, RLE_LOSSLESS, TINY, lenient=True)):
        with pytest.raises(NativeDataError, match=r"too early|more than its plane|RLE header"):
            ask()


def test_decode_reads_segments_only_where_they_are() -> None:
    rgb = layout(1, 2, 3)
    good = frame(b"\xff\x01", b"\xff\x02", b"\xff\x03")
    assert decode(good, RLE_LOSSLESS, rgb) == bytes([1, 2, 3, 1, 2, 3])
    for offsets in ([64, 63, 68], [64, 70, 68], [64, 66, 71], [66, 64, 68]):
        with pytest.raises(NativeDataError):
            decode(frame(b"\xff\x01", b"\xff\x02", b"\xff\x03", offsets=offsets), RLE_LOSSLESS, rgb)


def test_out_may_be_larger_but_not_smaller() -> None:
    coded = encode(NATIVE, RLE_LOSSLESS, description=TINY)
    out = bytearray(10)
    assert decode(coded, RLE_LOSSLESS, TINY, out=out) == 6
    assert out == NATIVE + bytes(4)
    with pytest.raises(NativeArgumentError, match="destination"):
        decode(coded, RLE_LOSSLESS, TINY, out=bytearray(5))


@pytest.mark.parametrize("size", [0, 5, 7])
def test_frame_must_have_its_exact_size(size: int) -> None:
    with pytest.raises(NativeArgumentError, match="source is not as large"):
        encode(bytes(size), RLE_LOSSLESS, description=TINY)


def test_any_contiguous_buffer_will_do() -> None:
    words = array.array("H", [1, 2, 3, 0x0904, 9, 9])
    description = layout(2, 3, bits=16)
    expected = encode(words.tobytes(), RLE_LOSSLESS, description=description)
    for buffer in (words, memoryview(words), bytearray(words.tobytes()), memoryview(words.tobytes()).toreadonly()):
        assert encode(buffer, RLE_LOSSLESS, description=description) == expected
    out = array.array("H", bytes(12))
    assert decode(expected, RLE_LOSSLESS, description, out=out) == 12
    assert out == words


def test_other_buffers_are_refused() -> None:
    strided = memoryview(bytes(12))[::2]
    with pytest.raises(NativeArgumentError, match="not a usable buffer"):
        encode(strided, RLE_LOSSLESS, description=TINY)
    with pytest.raises(NativeArgumentError, match="not a usable buffer"):
        encode("123456", RLE_LOSSLESS, description=TINY)  # type: ignore[call-overload]
    with pytest.raises(NativeArgumentError, match="not a usable buffer"):
        decode(encode(NATIVE, RLE_LOSSLESS, description=TINY), RLE_LOSSLESS, TINY, out=bytes(6))


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": 0}, {"columns": 0}, {"rows": 65536}, {"samples_per_pixel": 2}, {"bits_allocated": 1},
        {"bits_allocated": 32}, {"bits_stored": 9, "high_bit": 8}, {"bits_stored": 0, "high_bit": -1},
        {"planar_configuration": 2}, {"high_bit": 5}, {"rows": 65535, "columns": 65535},
    ],
)  # fmt: skip
def test_unknown_layouts_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(NativeArgumentError):
        encode_bound(TINY._replace(**wrong), RLE_LOSSLESS)


def test_other_transfer_syntaxes_are_refused_by_name() -> None:
    assert {RLE_LOSSLESS, JPEG_LS_LOSSLESS, JPEG_LS_NEAR} <= set(TRANSFER_SYNTAXES)
    with pytest.raises(NativeArgumentError, match=r"1\.2\.840\.10008\.1\.2\.4\.90"):
        encode(NATIVE, "1.2.840.10008.1.2.4.90", description=TINY)


def test_two_threads_encode_at_the_same_time() -> None:
    description = layout(300, 400)
    frames = [bytes(i * k % 253 for i in range(description.frame_bytes)) for k in (3, 5)]
    expected = [encode(native, RLE_LOSSLESS, description=description) for native in frames]
    wrong: list[int] = []

    def work(k: int) -> None:
        coded = [encode(frames[k], RLE_LOSSLESS, description=description) for _ in range(30)]
        wrong.extend(k for one in coded if one != expected[k])

    threads = [threading.Thread(target=work, args=(k,)) for k in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
