"""``transcode`` and what frames hold besides samples: bytes behind them, loss that nobody states, overlays of old."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from fakes.command import run_command
from fakes.real_images import frames_of, wheel_file
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    SecondaryCaptureImageStorage,
)

if TYPE_CHECKING:
    from pathlib import Path

TWO = wheel_file("SC_rgb_rle_2frame.dcm")
BASELINE = wheel_file("SC_rgb_jpeg_dcmtk.dcm")
TAIL = b"behind\1"


def coded(path: Path) -> list[bytes]:
    read = pydicom.dcmread(path)
    return list(generate_frames(read.PixelData, number_of_frames=int(read.get("NumberOfFrames", 1))))


def with_frames(path: Path, frames: list[bytes]) -> Path:
    read = pydicom.dcmread(path)
    read.PixelData = encapsulate(frames)
    read.save_as(path)
    return path


def transcode(source: Path, word: str, target: Path, *more: str) -> Any:
    return run_command("transcode", source, "--to", word, "-o", target, *more)


@pytest.mark.parametrize("word", ["jpeg-ls", "jpeg-lossless", "htj2k", "rle"])
def test_bytes_behind_a_frame_are_neither_lost_nor_kept_in_silence(word: str, tmp_path: Path) -> None:
    source, out = tmp_path / "source.dcm", tmp_path / "out.dcm"
    assert transcode(TWO, word, source).returncode == 0
    first, second = coded(source)
    with_frames(source, [first + bytes(6), (second if word == "rle" else second.rstrip(b"\0")) + TAIL])
    said = "frame 2 has 7 bytes behind its end marker"
    if word == "rle":
        said = "frame 2 has 7 bytes beside the packets of its planes"
    refused = transcode(source, "explicit", out)
    assert (refused.returncode, out.exists()) == (30, False)
    assert f"{source}: {said}, which would be lost" in refused.stderr
    left_out = transcode(source, "explicit", out, "--lenient")
    assert (left_out.returncode, f"{said}; they were left out" in left_out.stderr) == (0, True)
    assert np.array_equal(frames_of(out), frames_of(TWO))
    out.unlink()
    copied = transcode(source, word, out)
    assert (copied.returncode, f"{said}; they are copied as they are" in copied.stderr) == (0, True)
    assert [frame.rstrip(b"\0") for frame in coded(out)] == [frame.rstrip(b"\0") for frame in coded(source)]
    assert "frame 1" not in refused.stderr + left_out.stderr + copied.stderr
    assert f"warning: (7FE0,0010) PixelData {said}" in run_command("check", source).stdout


def test_the_first_few_frames_are_named_and_the_others_counted(tmp_path: Path) -> None:
    source, out = tmp_path / "source.dcm", tmp_path / "out.dcm"
    assert transcode(TWO, "jpeg-ls", source).returncode == 0
    made = pydicom.dcmread(source)
    made.NumberOfFrames = 30
    made.PixelData = encapsulate([frame.rstrip(b"\0") + TAIL for frame in coded(source) * 15])
    made.save_as(source)
    for word, more in (("explicit", ("--lenient",)), ("jpeg-ls", ())):
        done = transcode(source, word, out, *more)
        assert (done.returncode, len(done.stderr.splitlines())) == (0, 9)
        assert done.stderr.endswith("... and so of 22 more frames\n")
        out.unlink()


def test_a_second_picture_in_a_lossy_frame_is_said(tmp_path: Path) -> None:
    """Frames that nobody decodes here are looked through all the same; so is a picture in front of the end marker."""
    source = tmp_path / "source.dcm"
    source.write_bytes(BASELINE.read_bytes())
    (frame,) = coded(source)
    picture = frame.rstrip(b"\0")
    said = f"warning: (7FE0,0010) PixelData frame 1 has {len(picture)} bytes behind its end marker"
    assert "end marker" not in run_command("check", source).stdout
    for frame in (picture + picture, picture[:-2] + picture):
        with_frames(source, [frame])
        assert said in run_command("check", source).stdout


def scan_of(plane: np.ndarray[Any, Any], component: int, near: int) -> bytes:
    """The one scan of a JPEG-LS picture of one plane, as that of a component of a larger one."""
    picture = imagecodecs.jpegls_encode(plane, level=near)
    scan = bytearray(picture[picture.index(b"\xff\xda") : -2])
    assert scan[:5] == b"\xff\xda\0\x08\x01"
    scan[5] = component
    return bytes(scan)


def test_loss_in_any_scan_is_seen(tmp_path: Path) -> None:
    planes = np.random.default_rng(1).integers(0, 255, (3, 40, 30), dtype=np.uint8)
    nears = (0, 0, 3)
    header = b"\xff\xd8\xff\xf7" + struct.pack(">HBHHB", 17, 8, 40, 30, 3) + b"\1\x11\0\2\x11\0\3\x11\0"
    picture = header + b"".join(map(scan_of, planes, (1, 2, 3), nears)) + b"\xff\xd9"
    seen = imagecodecs.jpegls_decode(picture).astype(int)
    if seen.shape[-1] == 3:
        seen = np.moveaxis(seen, -1, 0)
    assert [np.abs(one - other).max() for one, other in zip(seen, planes.astype(int), strict=True)] == list(nears)
    source = tmp_path / "source.dcm"
    made = pydicom.dcmread(wheel_file("SC_rgb_small_odd.dcm"))
    made.Rows, made.Columns, made.PlanarConfiguration = 40, 30, 0
    made.PixelData = encapsulate([picture])
    made["PixelData"].is_undefined_length = True
    made.file_meta.TransferSyntaxUID = JPEGLSLossless
    made.save_as(source)
    for word in ("explicit", "jpeg-ls"):
        done = transcode(source, word, tmp_path / "out.dcm")
        assert (done.returncode, "near-lossless" in done.stderr) == (30, True), done.stderr
        assert not (tmp_path / "out.dcm").exists()
    assert "frame 1 cannot be decoded: it is near-lossless" in run_command("check", source).stdout


def test_a_file_too_large_to_be_inflated_again_is_refused_before_the_work(tmp_path: Path) -> None:
    source, pixels = tmp_path / "big.dcm", 2 << 30
    with source.open("wb") as file:
        file.write(wheel_file("CT_small.dcm").read_bytes()[:6288])
        file.write(struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, pixels))
        file.truncate(file.tell() + pixels)
    started = time.monotonic()
    done = transcode(source, "deflated", tmp_path / "out.dcm")
    assert time.monotonic() - started < 5  # deflating it takes half a minute
    assert (done.returncode, "[dataset.limit]" in done.stderr) == (35, True)
    assert "no more than 67108864 are inflated again" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["big.dcm"]
    fits = pydicom.dcmread(wheel_file("CT_small.dcm"))
    fits.Rows = fits.Columns = 4096
    fits.PixelData = bytes(2 * 4096 * 4096)
    fits.save_as(source)
    assert transcode(source, "deflated", tmp_path / "out.dcm").returncode == 0
    fits.NumberOfFrames = 2
    fits.PixelData *= 2
    fits.save_as(source)
    assert transcode(source, "rle", tmp_path / "rle.dcm").returncode == 0
    assert transcode(tmp_path / "rle.dcm", "deflated", tmp_path / "no.dcm").returncode == 35


@pytest.mark.parametrize(("word", "signed", "said"), [
    ("jpeg-ls", 0, "samples have bits above the 12 stored, which would be lost"),
    ("jpeg-lossless", 0, "samples have bits above the 12 stored, which would be lost"),
    ("jpeg-ls", 1, "a sample needs more than its bits stored"),
])  # fmt: skip
def test_an_overlay_in_the_bits_of_samples_is_named(word: str, signed: int, said: str, tmp_path: Path) -> None:
    samples = np.frombuffer(pydicom.dcmread(wheel_file("CT_small.dcm")).PixelData, "<u2") & 0x7FF
    source = in_bits(samples, signed)
    source.save_as(tmp_path / "plain.dcm")
    assert transcode(tmp_path / "plain.dcm", word, tmp_path / "coded.dcm").returncode == 0
    source = in_bits(samples | (samples & 1) << 13, signed)
    source.save_as(tmp_path / "bits.dcm")
    done = transcode(tmp_path / "bits.dcm", word, tmp_path / "out.dcm")
    assert (done.returncode, f"{tmp_path}/bits.dcm: frame 1: " in done.stderr) == (30, True)
    assert said in done.stderr
    assert "at (7FE0,0010) [dataset.encode]" in done.stderr
    for element, vr, value in ((0x10, "US", 128), (0x11, "US", 128), (0x40, "CS", "G"), (0x50, "SS", [1, 1]),
                               (0x100, "US", 16), (0x102, "US", 13)):  # fmt: skip
        source.add_new(0x60020000 | element, vr, value)  # no Overlay Data: it is in the samples
    source.save_as(tmp_path / "overlay.dcm")
    done = transcode(tmp_path / "overlay.dcm", word, tmp_path / "out.dcm")
    assert (done.returncode, said in done.stderr) == (30, True)
    assert " (overlay 6002 in bit 13: retired, PS3.5 8.1.2) at (7FE0,0010)" in done.stderr
    assert "--to rle" in done.stderr
    keeps_all(tmp_path / "overlay.dcm", "rle", tmp_path)


@pytest.mark.parametrize("word", ["rle", "jpeg-lossless"])
def test_bits_above_signed_samples_come_back(word: str, tmp_path: Path) -> None:
    """Not everybody lets the sign go on in the bits that are not stored."""
    samples = np.frombuffer(pydicom.dcmread(wheel_file("CT_small.dcm")).PixelData, "<u2")
    in_bits(samples & 0x0FFF, 1).save_as(tmp_path / "source.dcm")
    keeps_all(tmp_path / "source.dcm", word, tmp_path)


def in_bits(samples: np.ndarray[Any, Any], signed: int) -> pydicom.Dataset:
    made = pydicom.dcmread(wheel_file("CT_small.dcm"))
    made.PixelRepresentation, made.BitsStored, made.HighBit = signed, 12, 11
    made.PixelData = samples.astype("<u2").tobytes()
    return made


def keeps_all(source: Path, word: str, folder: Path) -> None:
    assert transcode(source, word, folder / "there.dcm").returncode == 0
    assert transcode(folder / "there.dcm", "explicit", folder / "back.dcm").returncode == 0
    assert pydicom.dcmread(folder / "back.dcm").PixelData == pydicom.dcmread(source).PixelData


def native_file(path: Path, rows: int, columns: int, pixels: bytes, syntax: str = ExplicitVRLittleEndian) -> Path:
    """One frame of 8 bit samples in words."""
    read = Dataset()
    read.file_meta = FileMetaDataset()
    read.file_meta.TransferSyntaxUID = syntax
    read.file_meta.MediaStorageSOPClassUID = read.SOPClassUID = SecondaryCaptureImageStorage
    read.file_meta.MediaStorageSOPInstanceUID = read.SOPInstanceUID = "1.2.3"
    read.Rows, read.Columns, read.SamplesPerPixel, read.PhotometricInterpretation = rows, columns, 1, "MONOCHROME2"
    read.BitsAllocated, read.BitsStored, read.HighBit, read.PixelRepresentation = 8, 8, 7, 0
    read.add_new("PixelData", "OW", pixels)
    little = syntax == ExplicitVRLittleEndian
    read.preamble = bytes(128)
    dcmwrite(path, read, implicit_vr=False, little_endian=little, force_encoding=True)
    return path


@pytest.mark.parametrize("word", ["rle", "jpeg-ls", "explicit"])
def test_the_last_sample_of_a_big_endian_word_is_not_its_padding(word: str, tmp_path: Path) -> None:
    samples = bytes(range(1, 16))
    words = np.frombuffer(samples + b"\0", "<u2").astype(">u2").tobytes()
    source = native_file(tmp_path / "source.dcm", 3, 5, words, ExplicitVRBigEndian)
    out = tmp_path / "out.dcm"
    assert transcode(source, word, out).returncode == 0
    assert frames_of(out).tobytes() == samples


def test_bytes_behind_native_frames_are_not_lost_in_silence(tmp_path: Path) -> None:
    source, out = native_file(tmp_path / "source.dcm", 4, 4, bytes(range(16)) + TAIL + b"\0"), tmp_path / "out.dcm"
    refused = transcode(source, "rle", out)
    assert (refused.returncode, out.exists()) == (30, False)
    assert "Pixel Data have 7 bytes behind the last frame, which would be lost" in refused.stderr
    left_out = transcode(source, "rle", out, "--lenient")
    assert (left_out.returncode, "7 bytes behind the last frame; they were left out" in left_out.stderr) == (0, True)
    padded = native_file(tmp_path / "padded.dcm", 4, 4, bytes(range(16)) + bytes(8))
    assert transcode(padded, "rle", tmp_path / "padded.out").returncode == 0


def test_bytes_behind_encapsulated_samples_are_not_lost_in_silence(tmp_path: Path) -> None:
    source, out = native_file(tmp_path / "source.dcm", 4, 4, bytes(range(16))), tmp_path / "out.dcm"
    read = pydicom.dcmread(source)
    read.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.98"
    read.PixelData = encapsulate([bytes(range(16)) + TAIL])
    read["PixelData"].VR = "OB"
    read["PixelData"].is_undefined_length = True
    read.save_as(source)
    refused = transcode(source, "explicit", out)
    assert (refused.returncode, out.exists()) == (30, False)
    assert "frame 1 has 7 bytes behind its samples, which would be lost" in refused.stderr


def test_a_compressed_icon_is_not_left_in_a_syntax_that_nobody_names(tmp_path: Path) -> None:
    source, out = tmp_path / "source.dcm", tmp_path / "out.dcm"
    assert transcode(TWO, "jpeg-ls", source).returncode == 0
    read = pydicom.dcmread(source)
    icon = Dataset()
    for keyword in ("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns",
                    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):  # fmt: skip
        setattr(icon, keyword, read[keyword].value)
    icon.add_new("PixelData", "OB", encapsulate(coded(source)[:1]))
    icon["PixelData"].is_undefined_length = True
    read.IconImageSequence = [icon]
    read.save_as(source)
    refused = transcode(source, "rle", out)
    assert (refused.returncode, out.exists()) == (30, False)
    assert "the image in (0088,0200) is compressed, too" in refused.stderr
    assert transcode(source, "jpeg-ls", out).returncode == 0
    assert pydicom.dcmread(out).IconImageSequence[0].PixelData == icon.PixelData
