"""RLE Lossless against DCMTK, GDCM, pydicom, imagecodecs and pylibjpeg-rle: they read what we code, we read what they
code.

Set RLE_IMAGES to look at more random and edge images than the few hundred of an ordinary run; RLE_SEED for other ones.
"""

from __future__ import annotations

import os
import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest
from fakes.random_images import description_of, gdcm_takes, image_of
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.rle import _rle_decode_frame
from pydicom.pixels.encoders.native import _encode_frame
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, SecondaryCaptureImageStorage
from rle.rle import decode_frame
from rle.utils import encode_pixel_data

from agent.native.compress import RLE_LOSSLESS, decode, encode
from agent.native.frame import FrameDescription
from agent.native.source import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KINDS = ("us-rgb", "us-mono", "dx16")
DECODERS = {"dcmdrle": [], "gdcmconv": ["--raw"]}
ENCODERS = {"dcmcrle": [], "gdcmconv": ["--rle"]}
IMAGES = int(os.environ.get("RLE_IMAGES", "300"))
SEED = int(os.environ.get("RLE_SEED", "1"))
BATCH, FRAMES = 50, 10
PLAIN_BYTES = 30_000  # of images that a codec in Python is given


def frames_of(kind: str) -> tuple[FrameDescription, list[bytes]]:
    with pattern(kind, 122, 250, 0.0, frames=2) as source:
        source.start()
        taken = []
        while len(taken) < 2:
            assert source.wait(10.0)
            frame = source.take()
            assert frame is not None
            taken.append(bytes(frame.data))
            source.give_back(frame)
        return FrameDescription(*source.description), taken  # type: ignore[misc]


def write(path: Path, d: FrameDescription, pixels: bytes, frames: int, *, rle: bool) -> Path:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = RLELossless if rle else ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    ds.Rows, ds.Columns, ds.SamplesPerPixel = d.rows, d.columns, d.samples_per_pixel
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = d.bits_allocated, d.bits_stored, d.high_bit, 0
    ds.PhotometricInterpretation = d.photometric_interpretation
    if d.samples_per_pixel == 3:
        ds.PlanarConfiguration = 0
    ds.NumberOfFrames = frames
    ds.PixelData = pixels
    ds["PixelData"].VR = "OB" if rle or d.bits_allocated == 8 else "OW"
    ds.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("decoder", DECODERS)
def test_peer_decodes_ours(kind: str, decoder: str, need: Callable[[str], str], tmp_path: Path) -> None:
    program = need(decoder)
    description, frames = frames_of(kind)
    coded = [encode(frame, RLE_LOSSLESS, description=description) for frame in frames]
    source = write(tmp_path / "rle.dcm", description, encapsulate(coded), len(frames), rle=True)
    subprocess.run([program, *DECODERS[decoder], source, tmp_path / "raw.dcm"], check=True, timeout=60)
    read = dcmread(tmp_path / "raw.dcm")
    if read.get("PlanarConfiguration") == 1:  # dcmdrle keeps the planes that RLE has
        description = description._replace(planar_configuration=1)
        frames = [bytes(decode(one, RLE_LOSSLESS, description)) for one in coded]
    assert read.PixelData == b"".join(frames)


@pytest.mark.parametrize("kind", KINDS)
def test_pydicom_decodes_ours(kind: str, tmp_path: Path) -> None:
    description, frames = frames_of(kind)
    coded = [encode(frame, RLE_LOSSLESS, description=description) for frame in frames]
    source = write(tmp_path / "rle.dcm", description, encapsulate(coded), len(frames), rle=True)
    assert dcmread(source).pixel_array.tobytes() == b"".join(frames)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_we_decode_the_peer_s(kind: str, encoder: str, need: Callable[[str], str], tmp_path: Path) -> None:
    program = need(encoder)
    description, frames = frames_of(kind)
    source = write(tmp_path / "raw.dcm", description, b"".join(frames), len(frames), rle=False)
    subprocess.run([program, *ENCODERS[encoder], source, tmp_path / "rle.dcm"], check=True, timeout=60)
    read = dcmread(tmp_path / "rle.dcm")
    assert read.file_meta.TransferSyntaxUID == RLELossless
    for coded, native in zip(generate_frames(read.PixelData, number_of_frames=2), frames, strict=True):
        assert decode(coded, RLE_LOSSLESS, description) == native
        assert len(encode(native, RLE_LOSSLESS, description=description)) <= 1.01 * len(coded)


# --- random images --------------------------------------------------------------------------------

BATCHES = range((IMAGES + BATCH - 1) // BATCH)


def by_plane(image: np.ndarray) -> bytes:
    return (np.moveaxis(image, -1, 0) if image.ndim == 3 else image).tobytes()


def theirs_in_process(image: np.ndarray, d: FrameDescription, coded: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """Name of each peer, what it reads in our frame, by plane, and the frame that it makes, if it makes any."""
    pixels = d.rows * d.columns
    yield "imagecodecs", imagecodecs.dicomrle_decode(coded, image.dtype), b""
    if image.nbytes <= PLAIN_BYTES:
        runner = SimpleNamespace(
            get_option=lambda _name, default: default, bits_allocated=d.bits_allocated,
            samples_per_pixel=d.samples_per_pixel, columns=d.columns,
        )  # fmt: skip
        read = _rle_decode_frame(coded, d.rows, d.columns, d.samples_per_pixel, d.bits_allocated, ">")
        yield "pydicom", bytes(read), _encode_frame(image.tobytes(), runner)
    made = encode_pixel_data(
        image.tobytes(), rows=d.rows, columns=d.columns, samples_per_pixel=d.samples_per_pixel,
        bits_allocated=d.bits_allocated, number_of_frames=1, byteorder="<",
    )  # fmt: skip
    yield "pylibjpeg-rle", bytes(decode_frame(coded, pixels, d.bits_allocated, "<")), made


@pytest.mark.parametrize("batch", BATCHES)
def test_random_images_are_the_same_at_both_ends(batch: int) -> None:
    r = np.random.default_rng([SEED, batch])
    for k in range(BATCH):
        image, bits = image_of(r)
        d = description_of(image, bits)
        ours = encode(image, RLE_LOSSLESS, description=d)
        assert decode(ours, RLE_LOSSLESS, d) == image.tobytes()
        for peer, read, made in theirs_in_process(image, d, ours):
            what = f"image {k} of batch {batch}: {image.shape}, {bits} bits, {peer}"
            assert read == by_plane(image), what
            assert not made or decode(made, RLE_LOSSLESS, d) == image.tobytes(), what


@pytest.mark.parametrize("batch", BATCHES)
def test_programs_and_we_agree_on_random_images(batch: int, need: Callable[[str], str], tmp_path: Path) -> None:
    r = np.random.default_rng([SEED, batch])
    for _ in range(BATCH // FRAMES):
        first = image_of(r)
        images = [first[0], *(image_of(r, first)[0] for _ in range(FRAMES - 1))]
        d = description_of(*first)
        what = f"batch {batch}: {FRAMES} frames of {first[0].shape}, {first[1]} bits"
        pixels = b"".join(image.tobytes() for image in images)
        coded = encapsulate([encode(image, RLE_LOSSLESS, description=d) for image in images])
        if d.samples_per_pixel == 3 or d.bits_allocated == 8:  # for GDCM; RLE does not care
            d = d._replace(bits_stored=d.bits_allocated, high_bit=d.bits_allocated - 1)
        d = d._replace(photometric_interpretation="RGB" if d.samples_per_pixel == 3 else "MONOCHROME2")
        left_out = set() if gdcm_takes(d) else {"gdcmconv"}
        ours = write(tmp_path / "ours.dcm", d, coded, FRAMES, rle=True)
        native = write(tmp_path / "native.dcm", d, pixels, FRAMES, rle=False)
        for decoder in DECODERS.keys() - left_out:
            subprocess.run([need(decoder), *DECODERS[decoder], ours, tmp_path / "raw.dcm"], check=True, timeout=60)
            read = dcmread(tmp_path / "raw.dcm")
            planes = read.get("PlanarConfiguration") == 1  # dcmdrle keeps the planes that RLE has
            assert read.PixelData == (b"".join(map(by_plane, images)) if planes else pixels), f"{what}, {decoder}"
        for encoder in ENCODERS.keys() - left_out:
            subprocess.run([need(encoder), *ENCODERS[encoder], native, tmp_path / "theirs.dcm"], check=True, timeout=60)
            made = generate_frames(dcmread(tmp_path / "theirs.dcm").PixelData, number_of_frames=FRAMES)
            for frame, image in zip(made, images, strict=True):
                assert decode(frame, RLE_LOSSLESS, d) == image.tobytes(), f"{what}, {encoder}"
