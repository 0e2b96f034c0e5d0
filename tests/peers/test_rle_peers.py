"""RLE Lossless against DCMTK, GDCM and pydicom: they read what we code, we read what they code."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, SecondaryCaptureImageStorage

from agent.native.compress import RLE_LOSSLESS, decode, encode
from agent.native.frame import FrameDescription
from agent.native.source import pattern

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KINDS = ("us-rgb", "us-mono", "dx16")
DECODERS = {"dcmdrle": [], "gdcmconv": ["--raw"]}
ENCODERS = {"dcmcrle": [], "gdcmconv": ["--rle"]}


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
