"""JPEG Lossless against DCMTK and GDCM: they read what we code, we read every selection value that they code.

Set JPL_IMAGES to look at more random and edge images than the few hundred of an ordinary run; JPL_SEED for other ones.
"""

from __future__ import annotations

import os
import random
import struct
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fakes.random_images import description_of as description_of_image
from fakes.random_images import gdcm_takes, image_of
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    JPEGLossless,
    JPEGLosslessSV1,
    SecondaryCaptureImageStorage,
)

from agent.native.compress import JPEG_LOSSLESS_SV1, decode, encode
from agent.native.frame import FrameDescription

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# (samples, bits stored, signed)
LAYOUTS = [(1, 8, 0), (3, 8, 0), (1, 10, 0), (1, 12, 0), (1, 12, 1), (1, 16, 0), (1, 16, 1)]
SHAPES = [(1, 1), (1, 300), (200, 1), (37, 70)]
KINDS = ("noise", "flat", "walk", "board")
DECODERS = {"dcmdjpeg": [], "gdcmconv": ["--raw"]}
ENCODERS = {
    "dcmcjpeg sv1": ["dcmcjpeg", "+e1"],
    **{f"dcmcjpeg {k}": ["dcmcjpeg", "+el", "+sv", str(k)] for k in range(1, 8)},
    "gdcmconv": ["gdcmconv", "--jpeg"],
}
IMAGES = int(os.environ.get("JPL_IMAGES", "300"))
SEED = int(os.environ.get("JPL_SEED", "1"))
BATCH, FRAMES = 50, 10


def description_of(shape: tuple[int, int], samples: int, stored: int, signed: int) -> FrameDescription:
    photometric = "RGB" if samples == 3 else "MONOCHROME2"
    return FrameDescription(
        *shape, samples, 8 if stored == 8 else 16, stored, stored - 1, signed, photometric_interpretation=photometric
    )


def frame_of(d: FrameDescription) -> bytes:
    """One frame, a quarter of it of each kind."""
    r = random.Random(d.bits_stored)
    count, top = d.rows * d.columns * d.samples_per_pixel, (1 << d.bits_stored) - 1
    low = -(top + 1) // 2 if d.pixel_representation else 0
    values = {
        "noise": [r.randint(0, top) for _ in range(count)],
        "flat": [top // 3] * count,
        "walk": [(i * i // 50 + r.randint(0, 9)) % top for i in range(count)],
        "board": [top * (i & 1) for i in range(count)],
    }
    code = "B" if d.bits_allocated == 8 else "h" if d.pixel_representation else "H"
    quarters = [values[kind][k * count // 4 : (k + 1) * count // 4] for k, kind in enumerate(KINDS)]
    return struct.pack(f"<{count}{code}", *(v + low for quarter in quarters for v in quarter))


def write(path: Path, d: FrameDescription, pixels: bytes, syntax: UID, frames: int = 1) -> Path:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID = CTImageStorage if d.pixel_representation else SecondaryCaptureImageStorage
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    ds.Rows, ds.Columns, ds.SamplesPerPixel = d.rows, d.columns, d.samples_per_pixel
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = d.bits_allocated, d.bits_stored, d.high_bit
    ds.PixelRepresentation = d.pixel_representation
    ds.PhotometricInterpretation = d.photometric_interpretation
    if d.samples_per_pixel == 3:
        ds.PlanarConfiguration = 0
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.PixelData = pixels + b"\0" * (len(pixels) % 2)
    ds["PixelData"].VR = "OB" if syntax.is_encapsulated or d.bits_allocated == 8 else "OW"
    ds.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize(("samples", "stored", "signed"), LAYOUTS)
@pytest.mark.parametrize("decoder", DECODERS)
def test_peer_decodes_ours(
    samples: int, stored: int, signed: int, decoder: str, need: Callable[[str], str], tmp_path: Path
) -> None:
    program = need(decoder)
    for shape in SHAPES:
        d = description_of(shape, samples, stored, signed)
        native = frame_of(d)
        coded = encode(native, JPEG_LOSSLESS_SV1, description=d)
        source = write(tmp_path / "coded.dcm", d, encapsulate([coded]), JPEGLosslessSV1)
        subprocess.run([program, *DECODERS[decoder], source, tmp_path / "raw.dcm"], check=True, timeout=60)
        read = dcmread(tmp_path / "raw.dcm")
        assert read.get("PlanarConfiguration", 0) == 0
        assert read.PixelData[: len(native)] == native, (shape, decoder)


@pytest.mark.parametrize(("samples", "stored", "signed"), LAYOUTS)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_we_decode_the_peer_s(
    samples: int, stored: int, signed: int, encoder: str, need: Callable[[str], str], tmp_path: Path
) -> None:
    program, *options = ENCODERS[encoder]
    for shape in SHAPES:
        d = description_of(shape, samples, stored, signed)
        native = frame_of(d)
        source = write(tmp_path / "raw.dcm", d, native, ExplicitVRLittleEndian)
        subprocess.run([need(program), *options, source, tmp_path / "coded.dcm"], check=True, timeout=60)
        read = dcmread(tmp_path / "coded.dcm")
        syntax = read.file_meta.TransferSyntaxUID
        assert syntax in (JPEGLossless, JPEGLosslessSV1)
        (coded,) = generate_frames(read.PixelData, number_of_frames=1)
        assert decode(coded, syntax, d) == native, (shape, encoder)


@pytest.mark.parametrize("batch", range((IMAGES + BATCH - 1) // BATCH))
def test_programs_and_we_agree_on_random_images(batch: int, need: Callable[[str], str], tmp_path: Path) -> None:
    r = np.random.default_rng([SEED, batch])
    for number in range(BATCH // FRAMES):
        first = image_of(r)
        images = [first[0], *(image_of(r, first)[0] for _ in range(FRAMES - 1))]
        d = description_of_image(*first)
        d = d._replace(photometric_interpretation="RGB" if d.samples_per_pixel == 3 else "MONOCHROME2")
        what = f"batch {batch}: {FRAMES} frames of {first[0].shape}, {first[1]} bits"
        pixels = b"".join(image.tobytes() for image in images)
        coded = encapsulate([encode(image, JPEG_LOSSLESS_SV1, description=d) for image in images])
        ours = write(tmp_path / "ours.dcm", d, coded, JPEGLosslessSV1, FRAMES)
        native = write(tmp_path / "native.dcm", d, pixels, ExplicitVRLittleEndian, FRAMES)
        for decoder, options in DECODERS.items():
            if decoder != "gdcmconv" or gdcm_takes(d):
                subprocess.run([need(decoder), *options, ours, tmp_path / "raw.dcm"], check=True, timeout=60)
                read = dcmread(tmp_path / "raw.dcm").PixelData
                assert read[: len(pixels)] == pixels, f"{what}, {decoder}"
        for encoder in ("dcmcjpeg sv1", f"dcmcjpeg {2 + (5 * batch + number) % 6}", "gdcmconv"):
            program, *choice = ENCODERS[encoder]
            if program != "gdcmconv" or gdcm_takes(d):
                subprocess.run([need(program), *choice, native, tmp_path / "theirs.dcm"], check=True, timeout=60)
                theirs = dcmread(tmp_path / "theirs.dcm")
                frames = generate_frames(theirs.PixelData, number_of_frames=FRAMES)
                for frame, image in zip(frames, images, strict=True):
                    assert decode(frame, theirs.file_meta.TransferSyntaxUID, d) == image.tobytes(), f"{what}, {encoder}"
