"""Secondary Capture instances written by pydicom, so that what we send was not made by what is under test."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

if TYPE_CHECKING:
    from pathlib import Path

SECONDARY_CAPTURE = UID("1.2.840.10008.5.1.4.1.1.7")
MULTI_FRAME_GRAYSCALE_BYTE = UID("1.2.840.10008.5.1.4.1.1.7.2")
MULTI_FRAME_FROM_BYTES = 1 << 24
FRAME_BYTES = 1 << 20


def write_instances(folder: Path, number: int, pixel_bytes: int) -> list[Path]:
    """Write ``number`` files with about ``pixel_bytes`` of noise each; UIDs and pixels are the same in every run."""
    folder.mkdir(parents=True, exist_ok=True)
    multi_frame = pixel_bytes >= MULTI_FRAME_FROM_BYTES
    columns = 1024 if multi_frame else 64
    rows = FRAME_BYTES // columns if multi_frame else pixel_bytes // columns
    frames = pixel_bytes // (rows * columns)
    noise = random.Random(pixel_bytes).randbytes(rows * columns)
    paths = []
    for index in range(number):
        data_set = _header(f"{pixel_bytes}-{number}", index, multi_frame=multi_frame)
        data_set.Rows, data_set.Columns = rows, columns
        if multi_frame:
            data_set.NumberOfFrames = frames
        path = folder / f"{index:05d}.dcm"
        data_set.save_as(path, enforce_file_format=True)
        with path.open("ab") as file:  # by hand: a gigabyte does not pass through memory
            file.write(b"\xe0\x7f\x10\x00OB\x00\x00" + (frames * len(noise)).to_bytes(4, "little"))
            for _ in range(frames):
                file.write(noise)
        paths.append(path)
    return paths


def _header(seed: str, index: int, *, multi_frame: bool) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MULTI_FRAME_GRAYSCALE_BYTE if multi_frame else SECONDARY_CAPTURE
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[seed, str(index)])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    data_set.SOPClassUID = meta.MediaStorageSOPClassUID
    data_set.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data_set.StudyInstanceUID = generate_uid(entropy_srcs=[seed])
    data_set.SeriesInstanceUID = generate_uid(entropy_srcs=[seed, "series"])
    data_set.PatientName, data_set.PatientID, data_set.Modality = "Bench^Load", "BENCH", "OT"
    data_set.PatientBirthDate = data_set.PatientSex = data_set.StudyDate = data_set.StudyTime = ""
    data_set.ReferringPhysicianName = data_set.AccessionNumber = data_set.StudyID = ""
    data_set.SeriesNumber, data_set.InstanceNumber, data_set.PatientOrientation = 1, index + 1, ""
    data_set.ConversionType, data_set.BodyPartExamined = "SYN", "HEAD"
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.BitsAllocated = data_set.BitsStored = 8
    data_set.HighBit, data_set.PixelRepresentation = 7, 0
    return data_set
