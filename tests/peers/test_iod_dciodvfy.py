"""dciodvfy and pydicom judge instances of every kind in every transfer syntax that issue A writes."""

from __future__ import annotations

import io
import subprocess
from typing import TYPE_CHECKING

import pydicom
import pytest
from fakes.instances import CONTEXT, DESCRIPTIONS, GRAY8, acquisition, frames, make, with_pixels

from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.iod import codes, modules
from agent.iod.acquisition import FieldOfView, LossyStep, Synchronized, VoiLut, Window
from agent.iod.build import KINDS
from agent.media.part10 import FileMeta, encode_prefix

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SYNTAXES = {
    "explicit": uid.EXPLICIT_VR_LE,
    "implicit": uid.IMPLICIT_VR_LE,
    "deflated": uid.DEFLATED_EXPLICIT_VR_LE,
    "rle": uid.RLE_LOSSLESS,
}
# Warnings that come from what the site did not say, not from how the instance was made.
UNKNOWN_BY_SITE = ("needed to build DICOMDIR", "only permitted to be empty when actually unknown")


def file_bytes(kind: str, ds: DataSet, syntax: str, pictures: list[bytes]) -> bytes:
    full = with_pixels(ds, pictures, syntax)
    assert modules.check(full, pixel_data=True) == []
    meta = FileMeta(KINDS[kind].sop_class_uid, ds.text("SOPInstanceUID"), syntax)
    return encode_prefix(meta) + encode(full, syntax)


# PS3.3 Table A.8-1 has the Synchronization Module; dciodvfy's Secondary Capture does not, those with frames do.
NOT_IN_ITS_SC = ("Attribute is not present in standard DICOM IOD", "this is a Standard Extended SOP Class")


def judge(program: str, path: Path, *, unscheduled: bool = False, also: tuple[str, ...] = ()) -> None:
    result = subprocess.run([program, str(path)], capture_output=True, text=True, check=False, timeout=30)
    said = (result.stdout + result.stderr).splitlines()
    assert [line for line in said if "Error" in line] == []
    known = (*also, *(UNKNOWN_BY_SITE if unscheduled else ()))
    assert [line for line in said if "Warning" in line and not any(text in line for text in known)] == []
    assert any("Image" in line for line in said), said  # it did recognize the IOD


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_in_every_syntax(kind: str, syntax: str, need: Callable[[str], str], tmp_path: Path) -> None:
    facts = acquisition(kind)
    pictures = frames(DESCRIPTIONS[kind], facts.number_of_frames)
    ds = make(kind, transfer_syntax_uid=SYNTAXES[syntax])
    data = file_bytes(kind, ds, SYNTAXES[syntax], pictures)
    read = pydicom.dcmread(io.BytesIO(data))
    assert read.file_meta.TransferSyntaxUID == SYNTAXES[syntax]
    assert str(read.PatientName) == "TEST^Änne"
    assert read.SOPClassUID == KINDS[kind].sop_class_uid
    assert read.pixel_array.tobytes() == b"".join(pictures)
    path = tmp_path / "instance.dcm"
    path.write_bytes(data)
    if syntax != "deflated":  # dciodvfy takes the deflated bytes for elements
        judge(need("dciodvfy"), path)


@pytest.mark.parametrize(
    "known", [Synchronized("NTP", "10.0.0.1"), Synchronized("NTP", "2001:db8:0:0:0:0:0:1"), Synchronized(source="PPS0")]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_clock_that_is_kept_right(kind: str, known: Synchronized, need: Callable[[str], str], tmp_path: Path) -> None:
    ds = make(kind, synchronized=known, timezone_offset="-0330")
    path = tmp_path / "instance.dcm"
    path.write_bytes(
        file_bytes(kind, ds, uid.EXPLICIT_VR_LE, frames(DESCRIPTIONS[kind], acquisition(kind).number_of_frames))
    )
    judge(need("dciodvfy"), path, also=NOT_IN_ITS_SC if kind == "sc" else ())
    same_values(ds, pydicom.dcmread(path))


@pytest.mark.parametrize("kind", KINDS)
def test_pydicom_reads_every_value_back(kind: str) -> None:
    ds = make(kind)
    read = pydicom.dcmread(
        io.BytesIO(
            file_bytes(kind, ds, uid.EXPLICIT_VR_LE, frames(DESCRIPTIONS[kind], acquisition(kind).number_of_frames))
        )
    )
    same_values(ds, read)


def same_values(ours: DataSet, theirs: pydicom.Dataset) -> None:
    for element in ours:
        other = theirs[element.tag]
        assert element.vr == other.VR or other.VR in element.vr.split(" or ")
        if element.vr == "SQ":
            assert len(other.value) == len(ours.items_of(element.tag))
            for item, read in zip(ours.items_of(element.tag), other.value, strict=True):
                same_values(item, read)
            continue
        values = [] if other.is_empty else list(other.value) if other.VM > 1 else [other.value]
        mine = ours.values_of(element.tag)
        assert [str(v) for v in mine] == [str(v) for v in values] or [float(v) for v in mine] == [
            float(v) for v in values
        ]


@pytest.mark.parametrize("context", [DataSet(), DataSet({"PatientID": "ONLY-ID"})], ids=["nobody", "only an id"])
@pytest.mark.parametrize("kind", KINDS)
def test_unscheduled_exams(kind: str, context: DataSet, need: Callable[[str], str], tmp_path: Path) -> None:
    pictures = frames(DESCRIPTIONS[kind], acquisition(kind).number_of_frames)
    without = {} if kind.startswith("dx") else {"anatomy": None, "laterality": ""}
    path = tmp_path / "instance.dcm"
    path.write_bytes(file_bytes(kind, make(kind, context=context, **without), uid.EXPLICIT_VR_LE, pictures))
    judge(need("dciodvfy"), path, unscheduled=True)


VARIANTS = {
    "irregular cine": ("us-mf", {"frame_time_ms": None, "frame_times_ms": [0, 33.3, 66.7], "frames_dropped": 1}),
    "one-frame cine": ("us-mf", {"number_of_frames": 1, "frame_time_ms": None}),
    "burned in": ("us", {"burned_in_annotation": True}),
    "lossy once": ("sc", {"lossy_steps": (LossyStep(12.3456, "ISO_10918_1"),)}),
    "paired without side": ("us", {"anatomy": codes.anatomy("CAROTID")}),
    "lossy dx": ("dx", {"lossy_steps": (LossyStep(7, "ISO_14495_1"),)}),
    "dx with its own windows": (
        "dx",
        {"xray": acquisition("dx").xray._replace(windows=(Window(2000, 3000, "BONE"), Window(1000, 900, "SOFT")))},
    ),
    "dx with a VOI LUT": ("dx", {"xray": acquisition("dx").xray._replace(voi_lut=VoiLut(0, 12, range(4096), "CURVE"))}),
    "dx field of view": ("dx", {"xray": acquisition("dx").xray._replace(field_of_view=FieldOfView((0, 0), 90))}),
    "cr with window": ("cr", {"xray": acquisition("cr").xray._replace(windows=(Window(8192, 16384),))}),
    "generator": (
        "dx",
        {"attributes": DataSet({"KVP": 85, "ExposureInuAs": 2500, "DistanceSourceToDetector": 1100, "Grid": "NONE"})},
    ),
    "transducer": ("us", {"attributes": DataSet({"TransducerType": "CURVED LINEAR", "MechanicalIndex": 0.7})}),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_variants(name: str, need: Callable[[str], str], tmp_path: Path) -> None:
    kind, changes = VARIANTS[name]
    pictures = frames(DESCRIPTIONS[kind], changes.get("number_of_frames", acquisition(kind).number_of_frames))
    path = tmp_path / "instance.dcm"
    path.write_bytes(file_bytes(kind, make(kind, **changes), uid.EXPLICIT_VR_LE, pictures))
    judge(need("dciodvfy"), path, unscheduled=name == "paired without side")


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("kind", ["dx", "dx-processing", "cr", "sc"])
def test_both_grayscale_senses(kind: str, photometric: str, need: Callable[[str], str], tmp_path: Path) -> None:
    description = GRAY8._replace(photometric_interpretation=photometric)
    path = tmp_path / "instance.dcm"
    path.write_bytes(file_bytes(kind, make(kind, description=description), uid.EXPLICIT_VR_LE, frames(description, 1)))
    judge(need("dciodvfy"), path)


@pytest.mark.parametrize("name", ["MANDIBLE", "BILIARYTRACT", "KIDNEY", "PORTALV", "THYROID", "WHOLEBODY"])
def test_sides_of_parts_that_are_not_paired(name: str, need: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "instance.dcm"
    ds = make("us", anatomy=codes.anatomy(name))
    path.write_bytes(file_bytes("us", ds, uid.EXPLICIT_VR_LE, frames(DESCRIPTIONS["us"], 1)))
    result = subprocess.run([need("dciodvfy"), str(path)], capture_output=True, text=True, check=False, timeout=30)
    assert "Error" not in result.stdout + result.stderr


def test_scheduled_exam(need: Callable[[str], str], tmp_path: Path) -> None:
    context = CONTEXT.copy()
    request = DataSet({"RequestedProcedureID": "RP1", "ScheduledProcedureStepID": "SPS1"})
    context.update(
        DataSet(
            {
                "RequestAttributesSequence": [request],
                "ReferringPhysicianName": "REF^ER",
                "PerformedProcedureStepID": "PPS1",
                "PerformedProcedureStepStartDate": "20260301",
                "PerformedProcedureStepStartTime": "101500",
            }
        )
    )
    for kind in KINDS:
        path = tmp_path / f"{kind}.dcm"
        pictures = frames(DESCRIPTIONS[kind], acquisition(kind).number_of_frames)
        path.write_bytes(file_bytes(kind, make(kind, context=context), uid.EXPLICIT_VR_LE, pictures))
        judge(need("dciodvfy"), path)
