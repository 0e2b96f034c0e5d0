"""Small instances of every kind, from facts that a real site would give; used by unit and peer tests."""

from __future__ import annotations

import struct
from typing import Any

from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.dataset.pixels import PixelDescription
from agent.dataset.values import Fragments
from agent.iod import codes
from agent.iod.acquisition import Acquisition, AngiographyFacts, CaptureFacts, UltrasoundFacts, XrayFacts
from agent.iod.build import KINDS, build
from agent.iod.regions import Region

RGB = PixelDescription(12, 16, 3, 8, 8, 7, 0, "RGB", 0)
GRAY8 = PixelDescription(12, 16)
GRAY14 = PixelDescription(12, 16, 1, 16, 14, 13, 0, "MONOCHROME2")
GRAY12 = PixelDescription(12, 16, 1, 16, 12, 11, 0, "MONOCHROME2")
DESCRIPTIONS = {
    "us": RGB,
    "us-mf": RGB,
    "sc": RGB,
    "dx": GRAY14,
    "dx-processing": GRAY14,
    "cr": GRAY14,
    "xa": GRAY12,
    "xrf": GRAY8,
    "sc-mf-byte": GRAY8,
    "sc-mf-word": GRAY12,
    "sc-mf-color": RGB,
    "vl-endoscopic": RGB,
    "vl-photo": RGB,
}

CONTEXT = DataSet(
    {
        "PatientName": "TEST^Änne",
        "PatientID": "P-1",
        "PatientBirthDate": "19700102",
        "PatientSex": "F",
        "StudyDate": "20260301",
        "StudyTime": "101500",
        "StudyID": "S1",
        "AccessionNumber": "A1",
        "SeriesNumber": 1,
        "Manufacturer": "Bench Works",
        "StationName": "ROOM1",
    }
)

_XRAY = XrayFacts(
    imager_pixel_spacing_mm=(0.143, 0.143),
    pixel_intensity_relationship="LOG",
    pixel_intensity_sign=-1,
    detector_type="SCINTILLATOR",
    view=codes.view("PA"),
)
_BY_KIND: dict[str, dict[str, Any]] = {
    "us": {
        "anatomy": codes.anatomy("ABDOMEN"),
        "ultrasound": UltrasoundFacts("ABDOMINAL", 1, (Region(0, 0, 15, 11, 0.02, 0.02),)),
    },
    "us-mf": {"anatomy": codes.anatomy("KIDNEY"), "laterality": "L", "number_of_frames": 3, "frame_time_ms": 33.333},
    "dx": {"anatomy": codes.anatomy("CHEST"), "patient_orientation": ("L", "F"), "xray": _XRAY},
    "dx-processing": {
        "anatomy": codes.anatomy("HAND"),
        "laterality": "R",
        "patient_orientation": ("L", "F"),
        "xray": _XRAY,
    },
    "cr": {"anatomy": codes.anatomy("KNEE"), "laterality": "L", "xray": _XRAY},
    "xa": {
        "anatomy": codes.anatomy("HEART"),
        "number_of_frames": 3,
        "frame_time_ms": 66.667,
        "xray": XrayFacts(pixel_intensity_relationship="LIN"),
        "angiography": AngiographyFacts("GR", kvp=80, tube_current_ma=300, exposure_time_ms=8, primary_angle=-30),
    },
    "xrf": {
        "anatomy": codes.anatomy("STOMACH"),
        "xray": XrayFacts(pixel_intensity_relationship="DISP"),
        "angiography": AngiographyFacts("SC"),
    },
    "sc": {"anatomy": codes.anatomy("HEAD")},
    "sc-mf-byte": {"anatomy": codes.anatomy("HEAD"), "capture": CaptureFacts("SD", pages=True), "number_of_frames": 2},
    "sc-mf-word": {"anatomy": codes.anatomy("HEAD"), "number_of_frames": 3, "frame_time_ms": 40},
    "sc-mf-color": {"anatomy": codes.anatomy("HEAD"), "number_of_frames": 2, "frame_time_ms": 40},
    "vl-endoscopic": {"anatomy": codes.anatomy("STOMACH")},
    "vl-photo": {"anatomy": codes.anatomy("HAND"), "laterality": "R"},
}


def acquisition(kind: str, **changes: Any) -> Acquisition:
    """Return the facts of one acquisition of this kind."""
    facts: dict[str, Any] = {
        "sop_instance_uid": f"2.25.{1000 + list(KINDS).index(kind)}",
        "study_instance_uid": "2.25.1",
        "series_instance_uid": f"2.25.{100 + list(KINDS).index(kind)}",
        "transfer_syntax_uid": uid.EXPLICIT_VR_LE,
        "date": "20260301",
        "time": "101512.25",
        "timezone_offset": "+0100",
        "burned_in_annotation": False,
    }
    return Acquisition(**(facts | _BY_KIND[kind] | changes))


def make(
    kind: str, *, context: DataSet = CONTEXT, description: PixelDescription | None = None, **changes: Any
) -> DataSet:
    """Build an instance without Pixel Data."""
    return build(
        kind, description=description or DESCRIPTIONS[kind], context=context, acquisition=acquisition(kind, **changes)
    )


def frames(description: PixelDescription, count: int) -> list[bytes]:
    """Frames whose samples differ and stay inside Bits Stored."""
    samples = description.rows * description.columns * description.samples_per_pixel
    code = f"<{samples}{'H' if description.bits_allocated == 16 else 'B'}"
    top = 1 << description.bits_stored
    return [struct.pack(code, *((at * 7 + number * 31) % top for at in range(samples))) for number in range(count)]


def with_pixels(ds: DataSet, pictures: list[bytes], transfer_syntax_uid: str) -> DataSet:
    """Append Pixel Data, native or as RLE Lossless (PS3.5 Annex G), one fragment per frame."""
    full = ds.copy()
    if transfer_syntax_uid == uid.RLE_LOSSLESS:
        description = PixelDescription.from_data_set(ds)
        full.set("PixelData", Fragments(b"", tuple(rle_frame(picture, description) for picture in pictures)), "OB")
    else:
        data = b"".join(pictures)
        full.set("PixelData", data + b"\0" * (len(data) % 2), "OW" if full["BitsAllocated"] == 16 else "OB")
    return full


def rle_frame(picture: bytes, description: PixelDescription) -> bytes:
    """One frame of RLE Lossless made of literal runs only: the plainest valid form (PS3.5 G.3 to G.5)."""
    stride = description.samples_per_pixel * description.bits_allocated // 8
    width = description.bits_allocated // 8
    planes = [
        picture[sample * width + width - 1 - byte :: stride]
        for sample in range(stride // width)
        for byte in range(width)
    ]
    segments = []
    for plane in planes:
        runs = b"".join(
            bytes([len(plane[at : at + 128]) - 1]) + plane[at : at + 128] for at in range(0, len(plane), 128)
        )
        segments.append(runs + b"\x80" * (len(runs) % 2))
    offsets = [64 + sum(map(len, segments[:number])) for number in range(len(segments))]
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(segments)
