"""Files as DCMTK, GDCM and dicom3tools see them: independent judges of what we write and how we read."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pydicom
import pytest
from pydicom.data import get_testdata_file

from agent.dataset.dataset import DataSet
from agent.dataset.decode import decode
from agent.dataset.pixels import PixelDescription
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_LE, IMPLICIT_VR_LE, RLE_LOSSLESS, SC
from agent.media.instance import encode_instance
from agent.media.part10 import FileMeta, decode_prefix
from agent.media.stream import InstanceLayout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DESCRIPTION = PixelDescription(16, 15)
# A whole SC Image, so that dciodvfy has nothing to say but about the encoding.
ATTRIBUTES = DataSet(
    {
        "SOPClassUID": SC,
        "SOPInstanceUID": "1.2.3.4",
        "StudyDate": None,
        "StudyTime": None,
        "AccessionNumber": None,
        "Modality": "OT",
        "ConversionType": "WSD",
        "ReferringPhysicianName": None,
        "PatientName": "M\u00fcller^Zo\u00eb",
        "PatientID": "7",
        "PatientBirthDate": None,
        "PatientSex": "O",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.1",
        "StudyID": None,
        "SeriesNumber": 1,
        "Laterality": None,
        "InstanceNumber": 1,
        "PatientOrientation": None,
        "ProcedureCodeSequence": [
            DataSet({"CodeValue": "1", "CodingSchemeDesignator": "99TEST", "CodeMeaning": "\u00e9t\u00e9"}),
        ],
        "Manufacturer": None,
        **DESCRIPTION.to_elements(),
    }
)


def run(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, timeout=60, check=False)
    text = (result.stdout + result.stderr).decode("utf-8", "replace")
    assert result.returncode == 0, f"{command}: {text[-2000:]}"
    return text


def streamed(path: Path, syntax: str, *, max_frames: int = 1, extended: bool = False) -> tuple[Path, bytes]:
    """One frame written through a layout with room for more, which leaves slack in the File Meta Information."""
    frame = os.urandom(DESCRIPTION.frame_bytes - 1) + b"\1"
    layout = InstanceLayout(syntax, DESCRIPTION, max_frames=max_frames, extended=extended)
    body = layout.before(len(frame)) + frame + layout.after(len(frame))
    head, tail = layout.finish(FileMeta(SC, "1.2.3.4", syntax, "AGENT"), ATTRIBUTES)
    path.write_bytes(head + body + tail)
    return path, frame


LAYOUTS = [(EXPLICIT_VR_LE, 1, False), (IMPLICIT_VR_LE, 1, False), (EXPLICIT_VR_LE, 5000, False),
           (RLE_LOSSLESS, 1, False), (RLE_LOSSLESS, 100_000, True)]  # fmt: skip


@pytest.mark.parametrize(("syntax", "max_frames", "extended"), LAYOUTS)
def test_dcmdump_reads_what_was_streamed(
    tmp_path: Path, need: Callable[[str], str], syntax: str, max_frames: int, extended: bool
) -> None:
    path, _ = streamed(tmp_path / "x", syntax, max_frames=max_frames, extended=extended)
    text = run(need("dcmdump"), "+L", "--no-uid-names", str(path))
    assert "W:" not in text
    assert "E:" not in text
    assert "(7fe0,0010) O" in text
    assert "M\u00fcller^Zo\u00eb" in text


@pytest.mark.parametrize(("syntax", "max_frames", "extended"), LAYOUTS)
def test_gdcmdump_reads_what_was_streamed(
    tmp_path: Path, need: Callable[[str], str], syntax: str, max_frames: int, extended: bool
) -> None:
    path, _ = streamed(tmp_path / "x", syntax, max_frames=max_frames, extended=extended)
    text = run(need("gdcmdump"), str(path))
    assert "(7fe0,0010)" in text


@pytest.mark.parametrize(("syntax", "max_frames", "extended"), LAYOUTS)
def test_dciodvfy_finds_no_error(
    tmp_path: Path, need: Callable[[str], str], syntax: str, max_frames: int, extended: bool
) -> None:
    path, _ = streamed(tmp_path / "x", syntax, max_frames=max_frames, extended=extended)
    command = [need("dciodvfy"), str(path)]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    said = result.stdout + result.stderr
    assert "SCImage" in said
    assert "Error" not in said


@pytest.mark.parametrize("source", [IMPLICIT_VR_LE, EXPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE])
@pytest.mark.parametrize("option", ["+ti", "+te", "+td"])
def test_dcmconv_makes_of_it_what_we_make_of_it(
    tmp_path: Path, need: Callable[[str], str], source: str, option: str
) -> None:
    """DCMTK reads one of our transfer syntaxes and writes another: the Data Set we read back is the same."""
    frame = bytes(range(DESCRIPTION.frame_bytes))
    path, converted = tmp_path / "x", tmp_path / "y"
    path.write_bytes(b"".join(encode_instance(FileMeta(SC, "1.2.3.4", source), ATTRIBUTES, [frame])))
    run(need("dcmconv"), option, str(path), str(converted))
    back = read(converted)
    assert back.text("SpecificCharacterSet") == "ISO_IR 192"
    del back["SpecificCharacterSet"]
    assert bytes(back["PixelData"]) == frame  # type: ignore[arg-type]
    del back["PixelData"]
    assert [(e.tag, e.vr, e.value or None) for e in back if e.vr != "SQ"] == [
        (e.tag, e.vr, e.value or None) for e in ATTRIBUTES if e.vr != "SQ"
    ]
    assert back.items_of("ProcedureCodeSequence") == ATTRIBUTES.items_of("ProcedureCodeSequence")
    assert read(converted).tags() == [int(element.tag) for element in pydicom.dcmread(converted)]


@pytest.mark.parametrize("lengths", ["+e", "-e"], ids=["defined", "undefined"])
@pytest.mark.parametrize("name", ["rtplan.dcm", "liver_1frame.dcm", "CT_small.dcm", "MR_small.dcm"])
def test_we_read_real_files_as_dcmconv_rewrites_them(
    tmp_path: Path, need: Callable[[str], str], name: str, lengths: str
) -> None:
    source = get_testdata_file(name)
    assert isinstance(source, str)
    converted = tmp_path / "y"
    run(need("dcmconv"), "+te", lengths, source, str(converted))
    theirs = pydicom.dcmread(converted)
    ours = read(converted)
    assert ours.tags() == [int(element.tag) for element in theirs]
    if "PixelData" in theirs:
        assert ours["PixelData"] == theirs.PixelData


def read(path: Path) -> DataSet:
    data = path.read_bytes()
    meta, offset = decode_prefix(data)
    return decode(data[offset:], meta.transfer_syntax_uid)
