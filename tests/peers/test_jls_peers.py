"""JPEG-LS against CharLS (two packages), DCMTK and GDCM: they read what we code, we read what they code.

Set JLS_IMAGES to look at more random images than the few hundred of an ordinary run.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fakes.random_images import gdcm_takes
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from agent.native.compress import JPEG_LS_LOSSLESS, JPEG_LS_NEAR, decode, encode
from agent.native.frame import FrameDescription

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

imagecodecs = pytest.importorskip("imagecodecs")
charls = pytest.importorskip("jpeg_ls.CharLS")

IMAGES = int(os.environ.get("JLS_IMAGES", "300"))
BATCH, FRAMES = 50, 10


def cells(kind: int, shape: tuple[int, ...], most: int, rng: np.random.Generator) -> np.ndarray:
    """One of ten kinds of picture: flat, noise, ramps, chequers, sparks, walks, bimodal, smooth, columns."""
    column = np.arange(shape[1]).reshape((1, -1) + (1,) * (len(shape) - 2))
    row = np.arange(shape[0]).reshape((-1, 1) + (1,) * (len(shape) - 2))
    one = np.ones(shape, int)
    return [
        lambda: one * rng.integers(0, most + 1),
        lambda: rng.integers(0, most + 1, shape),
        lambda: one * column * rng.integers(1, 9) % (most + 1),
        lambda: one * ((row + column) % 2) * most,
        lambda: np.where(rng.random(shape) < 0.02, most, 0),
        lambda: np.cumsum(rng.integers(-2, 3, shape), 1) % (most + 1),
        lambda: np.where(rng.random(shape) < 0.02, rng.integers(0, most + 1, shape), most // 2),
        lambda: rng.integers(0, 2, shape) * most,
        lambda: np.clip(np.cumsum(np.cumsum(rng.normal(0, 1, shape), 0), 1) * 4 + most / 2, 0, most),
        lambda: one * rng.integers(0, most + 1, shape)[:, :1],
    ][kind]()


def precision(d: FrameDescription) -> int:
    """Which precision we write."""
    return max(d.bits_stored, 8 if d.bits_allocated == 8 else 9)


def picture(rng: np.random.Generator) -> tuple[FrameDescription, np.ndarray, int]:
    """A picture, and a loss that it bears: below 9 bits only away from its greatest sample."""
    bits, samples = int(rng.integers(2, 17)), int(rng.choice([1, 3]))
    rows = int(rng.choice([1, 2, 3, rng.integers(1, 40)]))
    columns = int(rng.choice([1, 2, 3, rng.integers(1, 80), rng.integers(1, 1500)]))
    most = (1 << bits) - 1
    near = int(rng.choice([0, 0, 1, 3, rng.integers(0, 256)]))
    near = min(near, most // 2)
    shape = (rows, columns, samples) if samples == 3 else (rows, columns)
    kind = "u1" if bits <= 8 and rng.random() < 0.7 else "<u2"
    description = FrameDescription(rows, columns, samples, 8 * np.dtype(kind).itemsize, bits, bits - 1)
    image = cells(int(rng.integers(10)), shape, most, rng).astype(kind)
    return description, np.minimum(image, most - near * (bits < precision(description))).astype(kind), near


def scan_of(coded: bytes) -> bytes:
    return coded[coded.index(b"\xff\xda") :].rstrip(b"\0")


def theirs(d: FrameDescription, image: np.ndarray, near: int, mode: int) -> bytes | None:
    """What CharLS makes of it by plane (0), line (1) or sample (2); None when its buffer is too small for its head."""
    by_plane = mode == 0 and d.samples_per_pixel == 3
    native = np.ascontiguousarray(image.transpose(2, 0, 1)) if by_plane else image
    try:
        return bytes(charls.encode_buffer(native.tobytes(), d.rows, d.columns, d.samples_per_pixel, precision(d),
                                          near, mode))  # fmt: skip
    except RuntimeError:
        return None


def read_back(coded: bytes, image: np.ndarray) -> np.ndarray:
    read = imagecodecs.jpegls_decode(coded)
    if read.size == image.size and read.shape != image.shape and read.ndim == 3 and read.shape[0] == 3:
        read = read.transpose(1, 2, 0)
    return read.reshape(image.shape)


@pytest.mark.parametrize("batch", range((IMAGES + BATCH - 1) // BATCH))
def test_charls_and_we_agree_on_every_sample_and_byte(batch: int) -> None:
    rng = np.random.default_rng(1000 + batch)
    for _ in range(BATCH):
        d, image, near = picture(rng)
        coded = encode(image, JPEG_LS_NEAR, description=d, near=near)
        mine = np.frombuffer(decode(coded, JPEG_LS_NEAR, d), image.dtype).reshape(image.shape)
        assert np.abs(mine.astype(int) - image).max() <= near
        assert np.array_equal(read_back(coded, image), mine), "imagecodecs"
        assert np.array_equal(np.frombuffer(charls.decode_buffer(coded)[0], image.dtype).reshape(image.shape), mine)
        for mode in (0, 1, 2) if d.samples_per_pixel == 3 else (0,):
            other = theirs(d, image, near, mode)
            if other is None:
                continue
            frame = np.frombuffer(decode(other, JPEG_LS_NEAR, d), image.dtype).reshape(image.shape)
            assert np.array_equal(frame, read_back(other, image)), f"interleave mode {mode}"
            if mode == (d.samples_per_pixel == 3):
                assert scan_of(other) == scan_of(coded)


def instance(path: Path, d: FrameDescription, pixels: bytes, syntax: str, frames: int = 1) -> Path:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    ds.Rows, ds.Columns, ds.SamplesPerPixel = d.rows, d.columns, d.samples_per_pixel
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = d.bits_allocated, d.bits_stored, d.high_bit
    ds.PixelRepresentation = d.pixel_representation
    ds.PhotometricInterpretation = "RGB" if d.samples_per_pixel == 3 else "MONOCHROME2"
    if d.samples_per_pixel == 3:
        ds.PlanarConfiguration = 0
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.PixelData = pixels
    ds["PixelData"].VR = "OB" if syntax != ExplicitVRLittleEndian or d.bits_allocated == 8 else "OW"
    ds.save_as(path, enforce_file_format=True)
    return path


def frame(allocated: int, bits: int, samples: int, representation: int) -> tuple[FrameDescription, bytes]:
    """A walk through all values, with lines of the least and the greatest."""
    rng = np.random.default_rng(bits)
    low = -(1 << (bits - 1)) if representation else 0
    values = np.cumsum(rng.normal(0, 2 + (1 << bits) / 50, (60, 82, samples)), 1) + low + (1 << (bits - 1))
    values[20:22], values[22:24] = low, low + (1 << bits) - 1
    whole = np.rint(np.clip(values, low, low + (1 << bits) - 1)).astype("<i4")
    d = FrameDescription(60, 82, samples, allocated, bits, bits - 1, representation)
    return d, whole.astype("u1" if allocated == 8 else "<u2").tobytes()


EVERY = [frame(allocated, bits, samples, representation) for allocated in (8, 16) for bits in range(2, allocated + 1)
         for samples in (1, 3) for representation in (0, 1)]  # fmt: skip
USUAL = [frame(8, 8, 1, 0), frame(8, 8, 3, 0), frame(16, 10, 1, 0), frame(16, 12, 1, 0), frame(16, 12, 1, 1),
         frame(16, 16, 1, 0), frame(16, 16, 1, 1)]  # fmt: skip


def name(value: object) -> str:
    """What a frame is called in the list of tests."""
    if not isinstance(value, FrameDescription):
        return ""
    return f"{value.samples_per_pixel}x{value.bits_stored}of{value.bits_allocated}{'s' * value.pixel_representation}"


def meaning(pixels: bytes, d: FrameDescription) -> np.ndarray:
    """The stored values; what stands above Bits Stored means nothing (PS3.5 8.1.1)."""
    return np.frombuffer(pixels, "u1" if d.bits_allocated == 8 else "<u2") & ((1 << d.bits_stored) - 1)


DECODERS = {"dcmdjpls": [], "gdcmconv": ["--raw"]}
ENCODERS = {"dcmcjpls": [], "gdcmconv": ["--jpegls"]}


@pytest.mark.parametrize(("d", "native"), EVERY, ids=name)
@pytest.mark.parametrize("decoder", DECODERS)
def test_peer_decodes_ours(
    d: FrameDescription, native: bytes, decoder: str, need: Callable[[str], str], tmp_path: Path
) -> None:
    program = need(decoder)
    coded = encode(native, JPEG_LS_LOSSLESS, description=d)
    source = instance(tmp_path / "jls.dcm", d, encapsulate([coded]), JPEG_LS_LOSSLESS)
    subprocess.run([program, *DECODERS[decoder], source, tmp_path / "raw.dcm"], check=True, timeout=60)
    read = dcmread(tmp_path / "raw.dcm")
    pixels = read.PixelData
    if read.get("PlanarConfiguration") == 1:
        pixels = np.frombuffer(pixels, f"u{d.bits_allocated // 8}").reshape(3, -1).T.tobytes()
    assert len(pixels) == len(native)
    assert np.array_equal(meaning(pixels, d), meaning(native, d))


@pytest.mark.parametrize(("d", "native"), EVERY, ids=name)
def test_charls_decodes_ours(d: FrameDescription, native: bytes) -> None:
    coded = encode(native, JPEG_LS_LOSSLESS, description=d)
    for read in (imagecodecs.jpegls_decode(coded).tobytes(), bytes(charls.decode_buffer(coded)[0])):
        assert len(read) == len(native)
        assert np.array_equal(meaning(read, d), meaning(native, d))


@pytest.mark.parametrize(("d", "native"), EVERY, ids=name)
def test_pydicom_decodes_ours_bit_for_bit(d: FrameDescription, native: bytes, tmp_path: Path) -> None:
    coded = encode(native, JPEG_LS_LOSSLESS, description=d)
    source = instance(tmp_path / "jls.dcm", d, encapsulate([coded]), JPEG_LS_LOSSLESS)
    assert dcmread(source).pixel_array.tobytes() == native


@pytest.mark.parametrize(("d", "native"), USUAL, ids=name)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_we_decode_the_peer_s(
    d: FrameDescription, native: bytes, encoder: str, need: Callable[[str], str], tmp_path: Path
) -> None:
    program = need(encoder)
    source = instance(tmp_path / "raw.dcm", d, native, ExplicitVRLittleEndian)
    subprocess.run([program, *ENCODERS[encoder], source, tmp_path / "jls.dcm"], check=True, timeout=60)
    read = dcmread(tmp_path / "jls.dcm")
    assert read.file_meta.TransferSyntaxUID == JPEG_LS_LOSSLESS
    coded = next(iter(generate_frames(read.PixelData, number_of_frames=1)))
    assert decode(coded, JPEG_LS_LOSSLESS, d) == native


@pytest.mark.parametrize("batch", range((IMAGES + BATCH - 1) // BATCH))
def test_programs_and_we_agree_on_random_images(batch: int, need: Callable[[str], str], tmp_path: Path) -> None:
    rng = np.random.default_rng(1000 + batch)
    for _ in range(BATCH // FRAMES):
        d, image, _ = picture(rng)
        d = d._replace(photometric_interpretation="RGB" if d.samples_per_pixel == 3 else "MONOCHROME2")
        most = (1 << d.bits_stored) - 1
        images = [cells(k, image.shape, most, rng).astype(image.dtype) for k in range(FRAMES)]
        coded = [encode(one, JPEG_LS_LOSSLESS, description=d) for one in images]
        grown = any(len(made) > one.nbytes for made, one in zip(coded, images, strict=True))
        ours = instance(tmp_path / "ours.dcm", d, encapsulate(coded), JPEG_LS_LOSSLESS, FRAMES)
        native = instance(
            tmp_path / "native.dcm", d, b"".join(one.tobytes() for one in images), ExplicitVRLittleEndian, FRAMES
        )
        for decoder in [name for name in DECODERS if name != "gdcmconv" or gdcm_takes(d)]:
            subprocess.run([need(decoder), *DECODERS[decoder], ours, tmp_path / "raw.dcm"], check=True, timeout=60)
            read = dcmread(tmp_path / "raw.dcm")
            planes = read.get("PlanarConfiguration") == 1
            wanted = b"".join((np.moveaxis(one, -1, 0) if planes else one).tobytes() for one in images)
            assert read.PixelData == wanted, f"{d}, {decoder}"
        for encoder in [name for name in ENCODERS if name != "gdcmconv" or gdcm_takes(d)]:
            command = [need(encoder), *ENCODERS[encoder], native, tmp_path / "theirs.dcm"]
            done = subprocess.run(command, check=False, timeout=60, capture_output=True, text=True)
            if encoder == "gdcmconv" and grown and "Could not change the Transfer Syntax" in done.stderr:
                continue  # what becomes larger does not fit into its buffer
            assert done.returncode == 0, f"{d}, {encoder}: {done.stderr}"
            made = generate_frames(dcmread(tmp_path / "theirs.dcm").PixelData, number_of_frames=FRAMES)
            for frame, one in zip(made, images, strict=True):
                assert decode(frame, JPEG_LS_LOSSLESS, d) == one.tobytes(), f"{d}, {encoder}"
