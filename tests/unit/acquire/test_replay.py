"""Replay: every kind of file gives its frames exactly, or is refused with its name and the reason."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pydicom
import pytest

from agent.acquire.pictures import check_samples
from agent.acquire.replay import open_frames
from agent.acquire.sources import open_source
from agent.dataset.pixels import PixelDescription
from agent.errors import ConfigError, DeviceError

WHEEL = Path(pydicom.__file__).parent / "data" / "test_files"
GREY = np.arange(6, dtype=np.uint8).reshape(2, 3)
COLOUR = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
WIDE = (np.arange(6, dtype=np.uint16) * 9999).reshape(2, 3)


def frames_of(path: Path) -> tuple[PixelDescription, bytes]:
    replay = open_frames(str(path))
    try:
        return replay.description, os.pread(replay.fd, replay.total * replay.description.frame_bytes, replay.offset)
    finally:
        os.close(replay.fd)


def refusal(path: Path, kind: type[Exception] = DeviceError) -> str:
    with pytest.raises(kind) as caught:
        open_frames(str(path))
    assert str(path) in str(caught.value) or isinstance(caught.value, ConfigError)
    return str(caught.value)


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# --- PNG -------------------------------------------------------------------------------------


@pytest.mark.parametrize("array", [GREY, COLOUR, WIDE])
def test_png_is_exact(array: np.ndarray, tmp_path: Path) -> None:
    PIL.Image.fromarray(array).save(tmp_path / "a.png")
    description, data = frames_of(tmp_path / "a.png")
    assert data == array.tobytes()
    assert (description.rows, description.columns) == (2, 3)
    assert description.bits_stored == array.itemsize * 8 == description.high_bit + 1
    assert description.photometric_interpretation == ("RGB" if array.ndim == 3 else "MONOCHROME2")


def test_palette_bilevel_and_opaque_png_become_plain(tmp_path: Path) -> None:
    image = PIL.Image.fromarray(COLOUR)
    image.quantize(8).save(tmp_path / "palette.png")
    assert frames_of(tmp_path / "palette.png")[1] == image.quantize(8).convert("RGB").tobytes()
    PIL.Image.fromarray(GREY > 2).save(tmp_path / "bits.png")
    assert frames_of(tmp_path / "bits.png")[1] == bytes([0, 0, 0, 255, 255, 255])
    for bits, levels in ((2, [0, 85, 170, 255]), (4, [0, 17, 34, 51])):  # the scaling that PNG itself defines
        packed = bytes([0b00011011]) if bits == 2 else bytes([0x01, 0x23])
        head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 1, bits, 0, 0, 0, 0))
        body = png_chunk(b"IDAT", zlib.compress(b"\0" + packed)) + png_chunk(b"IEND", b"")
        assert frames_of(put(tmp_path / "few.png", b"\x89PNG\r\n\x1a\n" + head + body))[1] == bytes(levels)
    image.convert("RGBA").save(tmp_path / "opaque.png")
    assert frames_of(tmp_path / "opaque.png")[1] == COLOUR.tobytes()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_png_that_cannot_be_carried_is_refused(tmp_path: Path) -> None:
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(bytes(7))) + png_chunk(b"IEND", b"")
    deep = put(tmp_path / "deep.png", b"\x89PNG\r\n\x1a\n" + head + body)
    assert "16-bit colour" in refusal(deep)
    image = PIL.Image.fromarray(COLOUR).convert("RGBA")
    image.putpixel((0, 0), (1, 2, 3, 100))
    image.save(tmp_path / "glass.png")
    assert "transparency" in refusal(tmp_path / "glass.png")
    parts = [PIL.Image.fromarray(GREY + n) for n in range(3)]
    parts[0].save(tmp_path / "moving.png", save_all=True, append_images=parts[1:])
    assert "3 pictures in one PNG" in refusal(tmp_path / "moving.png")
    PIL.Image.fromarray(GREY).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    for size in (8, 20, 40, len(whole) - 20):
        refusal(put(tmp_path / "cut.png", whole[:size]))


# --- PGM, PPM --------------------------------------------------------------------------------


def test_pnm_is_read_in_place_where_it_can_be(tmp_path: Path) -> None:
    path = put(tmp_path / "a.pgm", b"P5 # made\n#by hand\n 3\t2 255\n" + GREY.tobytes())
    replay = open_frames(str(path))
    os.close(replay.fd)
    assert replay.offset == path.stat().st_size - 6
    assert frames_of(path)[1] == GREY.tobytes()
    description, data = frames_of(put(tmp_path / "a.ppm", b"P6\n3 2\n255\n" + COLOUR.tobytes()))
    assert data == COLOUR.tobytes()
    assert description.photometric_interpretation == "RGB"


def test_pnm_of_16_bits_is_turned_to_little_endian(tmp_path: Path) -> None:
    description, data = frames_of(put(tmp_path / "a.pgm", b"P5 3 2 65535\n" + WIDE.astype(">u2").tobytes()))
    assert data == WIDE.tobytes()
    assert description.bits_stored == 16
    twelve = put(tmp_path / "b.pgm", b"P5 1 2 4095\n" + struct.pack(">2H", 4095, 7))
    description, data = frames_of(twelve)
    assert (description.bits_allocated, description.bits_stored, description.high_bit) == (16, 12, 11)
    assert data == struct.pack("<2H", 4095, 7)


def test_pictures_may_follow_each_other_in_one_pnm(tmp_path: Path) -> None:
    one, two = b"P5 3 2 255\n" + bytes(6), b"P5 3 2 255 " + bytes(range(6))
    assert frames_of(put(tmp_path / "a.pgm", one + two))[1] == bytes(6) + bytes(range(6))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"P2 1 1 255\n7\n", "only binary PGM"),
        (b"P7\nWIDTH 1\n", "not P7"),
        (b"P5 1 1\n", "damaged P5 header"),
        (b"P5 1 x 255\n1", "damaged P5 header"),
        (b"P5 1 1 255", "damaged P5 header"),
        (b"P5 #", "damaged P5 header"),
        (b"P5 1 1 0\n1", "maximum value 0"),
        (b"P5 1 1 65536\n1", "maximum value 65536"),
        (b"P5 0 1 255\n", "no picture"),
        (b"P5 70000 1 255\n", "no picture"),
        (b"P5 65000 65000 255\n", "larger than"),
        (b"P5 99999999999999 1 255\n", "damaged P5 header"),
        (b"P6 1 1 65535\n123456", "colour needs a maximum value of 255"),
        (b"P5 2 2 255\n123", "1 bytes are missing"),
        (b"P5 2 1 255\n12P5 1 2 255\n12", "another geometry"),
        (b"P5 2 1 255\n12rest", "only binary PGM"),
        (b"P5 2 1 99\n" + bytes([99, 100]), "above the maximum 99"),
        (b"P5 1 1 4000\n" + struct.pack(">H", 4001), "above the maximum 4000"),
        (b"P5 1 1 4095\n" + struct.pack(">H", 4096), "above the maximum 4095"),
        (b"P5 2 1 127\n" + bytes([127, 128]), "above the maximum 127"),
    ],
)
def test_damaged_pnm_is_refused(data: bytes, text: str, tmp_path: Path) -> None:
    assert text in refusal(put(tmp_path / "a.pgm", data))


# --- raw -------------------------------------------------------------------------------------


def test_raw_with_sidecar_is_read_in_place(tmp_path: Path) -> None:
    path = put(tmp_path / "clip.raw", b"head" + COLOUR.tobytes() * 3)
    put(tmp_path / "clip.toml", b"rows = 2\ncolumns = 3\nsamples_per_pixel = 3\noffset_bytes = 4\n")
    replay = open_frames(str(path))
    os.close(replay.fd)
    assert (replay.offset, replay.total) == (4, 3)
    assert frames_of(path)[1] == COLOUR.tobytes() * 3
    put(
        tmp_path / "clip.raw.toml",
        b"rows=2\ncolumns=3\nbits_allocated=16\nbits_stored=14\nframes=1\nbyte_order='big'\n",
    )
    description, data = frames_of(put(path, (WIDE >> 2).astype(">u2").tobytes()))
    assert data == (WIDE >> 2).tobytes()
    assert (description.bits_stored, description.high_bit) == (14, 13)


def test_a_rest_behind_the_last_whole_frame_is_refused_unless_frames_are_counted(tmp_path: Path) -> None:
    path = put(tmp_path / "clip.raw", GREY.tobytes() * 2 + b"rest")
    put(tmp_path / "clip.toml", b"rows = 2\ncolumns = 3\n")
    with pytest.raises(DeviceError, match=r"clip\.raw: 4 bytes are behind the last of 2 whole frames") as caught:
        open_frames(str(path))
    assert "'frames = 2' leaves the rest out" in caught.value.hint
    put(tmp_path / "clip.toml", b"rows = 2\ncolumns = 3\nframes = 2\n")
    assert frames_of(path)[1] == GREY.tobytes() * 2


def test_no_hint_blames_a_cable_or_the_configuration(tmp_path: Path) -> None:
    """A replay has neither; whoever reads the hint must be sent to the file."""
    put(tmp_path / "clip.toml", b"rows = 2\n")
    put(tmp_path / "folder.toml", b"")
    for name, data in (("empty.png", b""), ("cut.png", b"\x89PNG\r\n\x1a\n"), ("a.pgm", b"P5 2 2 255\n1"),
                       ("clip.raw", GREY.tobytes()), ("none", None), ("a.dcm", bytes(128) + b"DICM")):  # fmt: skip
        path = tmp_path / name if data is None else put(tmp_path / name, data)
        with pytest.raises((DeviceError, ConfigError)) as caught:
            open_frames(str(path))
        assert "cable" not in caught.value.hint
        assert "configuration" not in caught.value.hint


@pytest.mark.parametrize(
    ("sidecar", "kind", "text"),
    [
        (b"rows = 2", ConfigError, "columns must be a whole number from 1"),
        (b"rows = 2\ncolumns = true", ConfigError, "columns must be"),
        (b"rows = 2\ncolumns = 3\ncolour = 1", ConfigError, "unknown key 'colour'"),
        (b"rows = ", ConfigError, "clip.toml"),
        (b"\xff", ConfigError, "clip.toml"),
        (b"rows = 2\ncolumns = 3\nbits_allocated = 12", ConfigError, "samples of 12 bits"),
        (b"rows = 2\ncolumns = 3\nbits_stored = 9", ConfigError, "bits stored 9"),
        (b"rows = 2\ncolumns = 3\npixel_representation = 2", ConfigError, "pixel representation"),
        (b"rows = 2\ncolumns = 3\nphotometric_interpretation = 3", ConfigError, "is none of MONOCHROME1, MONOCHROME2"),
        (b"rows = 2\ncolumns = 3\nphotometric_interpretation = 'BLUE'", ConfigError, "'BLUE' is none of"),
        (b"rows = 2\ncolumns = 3\nphotometric_interpretation = 'PALETTE COLOR'", ConfigError, "is none of"),
        (b"rows = 2\ncolumns = 3\nbyte_order = 'middle'", ConfigError, "byte_order"),
        (b"rows = 2\ncolumns = 3\nframes = 2", DeviceError, "holds 1 whole frames of 6 bytes, 2 wanted"),
        (b"rows = 3\ncolumns = 3", DeviceError, "holds 0 whole frames"),
        (b"rows = 2\ncolumns = 3\noffset_bytes = 90", DeviceError, "holds 0 whole frames"),
    ],
)
def test_wrong_sidecars_are_refused(sidecar: bytes, kind: type[Exception], text: str, tmp_path: Path) -> None:
    put(tmp_path / "clip.toml", sidecar)
    assert text in refusal(put(tmp_path / "clip.raw", GREY.tobytes()), kind)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize(
    ("signed", "good", "bad"),
    [(0, [0, 1, 4095], 4096), (0, [0, 1, 4095], 0x8000), (1, [0, 2047, 0xF800, 0xFFFF], 2048), (1, [0], 0x0FFF)],
)
def test_samples_beyond_the_bits_stored_are_refused(
    order: str, signed: int, good: list[int], bad: int, tmp_path: Path
) -> None:
    put(
        tmp_path / "clip.toml",
        f"rows=1\ncolumns={len(good)}\nbits_allocated=16\nbits_stored=12\npixel_representation={signed}\n"
        f"byte_order='{order}'".encode(),
    )
    kind = ("<" if order == "little" else ">") + f"{len(good)}H"
    first, second = struct.pack(kind, *good), struct.pack(kind, *good[:-1], bad)
    assert frames_of(put(tmp_path / "clip.raw", first))[1] == struct.pack(f"<{len(good)}H", *good)
    text = refusal(put(tmp_path / "clip.raw", first + second))
    assert "frame 2" in text
    assert "12 bits stored" in text


@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize(("allocated", "stored"), [(8, 7), (8, 1), (16, 15), (16, 10), (16, 8), (16, 1)])
def test_every_sample_value_is_judged_right_wherever_it_lies(signed: int, allocated: int, stored: int) -> None:
    d = PixelDescription(1, 1, 1, allocated, stored, stored - 1, signed)
    code = "<B" if allocated == 8 else "<H"
    size = allocated // 8
    for value in (
        range(1 << allocated) if allocated == 8 else [*range(2048), *range(0x7F00, 0x8100), *range(0xF800, 0x10000)]
    ):
        meant = value - (1 << allocated) if signed and value >> (allocated - 1) else value
        legal = -(1 << (stored - 1)) <= meant < 1 << (stored - 1) if signed else meant < 1 << stored
        data = bytes(size) * (value % 3) + struct.pack(code, value) + bytes(size)
        if legal:
            check_samples(data, d, "here")
        else:
            with pytest.raises(DeviceError, match="here: "):
                check_samples(data, d, "here")
    late = bytearray(300_000)
    check_samples(bytes(late), d, "here")
    if not signed:
        late[-1] = 0x80
        with pytest.raises(DeviceError):
            check_samples(bytes(late), d, "here")


# --- folders and everything else ------------------------------------------------------------


def test_folder_is_taken_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 9, 1, 100):
        PIL.Image.fromarray(GREY + number).save(tmp_path / f"frame{number}.png")
    put(tmp_path / "Frame2.PGM", b"P5 3 2 255\n" + (GREY + 2).tobytes())
    put(tmp_path / "notes.txt", b"not a frame")
    put(tmp_path / ".hidden.png", b"not a frame")
    _, data = frames_of(tmp_path)
    assert data == b"".join((GREY + n).tobytes() for n in (1, 2, 9, 10, 100))


def test_folder_of_two_geometries_is_refused(tmp_path: Path) -> None:
    PIL.Image.fromarray(GREY).save(tmp_path / "1.png")
    PIL.Image.fromarray(COLOUR).save(tmp_path / "2.png")
    assert "frame 2 is 2 x 3 RGB of 8 bits, the first is 2 x 3 MONOCHROME2 of 8 bits" in refusal(tmp_path)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    assert "no frames in this folder" in refusal(tmp_path)
    assert "No such file" in refusal(tmp_path / "missing.png")
    assert "empty" in refusal(put(tmp_path / "empty.png", b""))
    assert "is a JPEG or JPEG-LS, which is not replayed" in refusal(
        put(tmp_path / "a.jpg", b"\xff\xd8\xff\xe0" + bytes(200))
    )
    assert "is nothing that is replayed" in refusal(put(tmp_path / "b.raw", bytes(200)))
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refusal(tmp_path / "pipe")


# --- DICOM -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "examples_rgb_color.dcm", "examples_overlay.dcm", "MR_small.dcm", "MR_small_implicit.dcm", "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm", "SC_rgb_rle_2frame.dcm", "SC_rgb_rle_16bit_2frame.dcm", "SC_rgb_small_odd.dcm",
        "image_dfl.dcm", "SC_rgb_jpeg_dcmd.dcm",
    ],
)  # fmt: skip
def test_real_dicom_files_are_exact(name: str) -> None:
    description, data = frames_of(WHEEL / name)
    expected = pydicom.dcmread(WHEEL / name).pixel_array
    assert (description.rows, description.columns) == expected.shape[-3:-1] or expected.ndim == 2
    assert data == expected.astype(expected.dtype.newbyteorder("<")).tobytes()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("examples_ybr_color.dcm", r"JPEG Baseline"),
        ("JPEG2000.dcm", "1.2.840.10008.1.2.4.91"),
        ("examples_palette.dcm", "palette"),
        ("SC_ybr_full_422_uncompressed.dcm", "compressed lossily once"),
        ("liver_1frame.dcm", "1 samples of 1 bits"),
        ("rtdose.dcm", "1 samples of 32 bits"),
        ("ExplVR_BigEnd.dcm", "Big Endian"),
        ("waveform_ecg.dcm", "no Pixel Data"),
        ("MR_truncated.dcm", "cut short"),
    ],
)
def test_dicom_that_cannot_be_replayed_is_refused_by_its_reason(name: str, text: str) -> None:
    assert text in refusal(WHEEL / name)


def changed(tmp_path: Path, name: str, **values: object) -> Path:
    ds = pydicom.dcmread(WHEEL / name)
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    ds.save_as(tmp_path / "changed.dcm")
    return tmp_path / "changed.dcm"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"LossyImageCompression": "01"}, "compressed lossily once (LossyImageCompression)"),
        ({"LossyImageCompressionRatio": [10.5]}, "compressed lossily once (LossyImageCompressionRatio)"),
        ({"LossyImageCompressionMethod": "ISO_10918_1"}, "compressed lossily once (LossyImageCompressionMethod)"),
        ({"PixelData": bytes(64 * 64 * 2 * 2)}, "8192 bytes of Pixel Data are more than 1 frames of 8192"),
        (
            {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0, "PixelData": b"\x00\x10" * 4096},
            "12 bits stored",
        ),
    ],
)
def test_dicom_that_says_or_holds_too_much_is_refused(values: dict[str, object], text: str, tmp_path: Path) -> None:
    assert text.replace("8192 bytes of", "16384 bytes of") in refusal(changed(tmp_path, "MR_small.dcm", **values))


def test_dicom_that_never_was_lossy_may_say_so(tmp_path: Path) -> None:
    path = changed(tmp_path, "MR_small.dcm", LossyImageCompression="00", LossyImageCompressionRatio=None)
    assert frames_of(path)[1] == pydicom.dcmread(WHEEL / "MR_small.dcm").PixelData


def test_more_rle_frames_than_the_header_says_are_refused(tmp_path: Path) -> None:
    assert "2 fragments do not make 1 frames" in refusal(changed(tmp_path, "SC_rgb_rle_2frame.dcm", NumberOfFrames=1))


def test_damaged_rle_frame_is_named(tmp_path: Path) -> None:
    data = bytearray((WHEEL / "SC_rgb_rle_2frame.dcm").read_bytes())
    second = data.rindex(
        struct.pack("<4I", 3, 64, *struct.unpack("<2I", data[data.rindex(struct.pack("<2I", 3, 64)) + 8 :][:8]))
    )
    data[second] = 9
    assert "frame 2: decoding a RLE Lossless frame: the RLE header" in refusal(put(tmp_path / "a.dcm", bytes(data)))


def test_no_room_to_unpack_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    PIL.Image.fromarray(GREY).save(tmp_path / "a.png")
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/scratch")
    with Path("/dev/full").open("wb") as full:
        monkeypatch.setattr("tempfile.TemporaryFile", lambda **_how: full)
        assert "unpacking frame 1 into /scratch: No space left on device" in refusal(tmp_path / "a.png")


# --- the source ------------------------------------------------------------------------------


def test_a_replay_delivers_every_frame_once(tmp_path: Path) -> None:
    for number in range(5):
        PIL.Image.fromarray(COLOUR + number).save(tmp_path / f"{number}.png")
    before = len(os.listdir("/proc/self/fd"))
    with open_source(f"replay:{tmp_path}") as opened:
        source = opened.source
        source.start()
        seen = []
        while not source.ended:
            assert source.wait(10.0)
            frame = source.take()
            if frame is not None:
                seen.append(bytes(frame.data))
                source.give_back(frame)
        assert seen == [(COLOUR + n).tobytes() for n in range(5)]
        assert source.counters().dropped == 0
    assert len(os.listdir("/proc/self/fd")) == before


def test_file_that_shrinks_names_itself(tmp_path: Path) -> None:
    path = put(tmp_path / "a.pgm", b"P5 3 2 255\n" + GREY.tobytes())
    with open_source(f"replay:{path}") as opened:
        source = opened.source
        os.truncate(path, 12)
        source.start()
        assert source.wait(10.0)
        with pytest.raises(DeviceError, match=r"a\.pgm: the file ended inside a frame"):
            source.take()
