"""``wrap`` as a command: what it says, what it refuses, and what it leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
from fakes.command import run_command
from fakes.exposures import exposures

PGM = b"P5 4 2 255\n" + bytes(range(8))
PDF = b"%PDF-1.4\n%%EOF\n"


def wrapped(folder: Path, *words: object) -> tuple[int, str, str]:
    done = run_command("wrap", *words, "-o", folder / "out.dcm")
    return done.returncode, done.stdout, done.stderr


def test_what_was_assumed_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(PGM)
    status, said, _ = wrapped(tmp_path, tmp_path / "a.pgm", "--patient-id", "42")
    assert status == 0
    assert "assumed: ConversionType WSD, Modality OT, StudyDate" in said
    assert "PatientName" in said.split("empty: ")[1].splitlines()[0]
    read = pydicom.dcmread(tmp_path / "out.dcm")
    assert read.PatientID == "42"
    assert read.pixel_array.tobytes() == bytes(range(8))


def test_attributes_from_a_file_and_from_the_line(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(PGM)
    values = {"PatientName": "DOE^JANE", "00100020": {"vr": "LO", "Value": ["1"]}, "StudyInstanceUID": "1.2.3",
              "InstanceNumber": 7, "ImageComments": "seen"}  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(values))
    words = (tmp_path / "a.pgm", "--attributes", tmp_path / "a.json", "--set", "PatientID=1", "--set", "Modality=US")
    status, said, error = wrapped(tmp_path, *words, "--json")
    assert status == 0, error
    facts = json.loads(said)
    assert facts["study_instance_uid"] == "1.2.3"
    assert not [text for text in facts["assumed"] if text.startswith("Modality")]
    read = pydicom.dcmread(tmp_path / "out.dcm")
    assert (read.PatientID, read.Modality, read.InstanceNumber) == ("1", "US", 7)
    assert (str(read.PatientName), read.StudyInstanceUID, read.ImageComments) == ("DOE^JANE", "1.2.3", "seen")


def test_kinds_are_told_by_content(tmp_path: Path) -> None:
    files = {"report": PDF, "dose": json.dumps(exposures()).encode()}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    for name, kind in (("report", "pdf"), ("dose", "dose")):
        (tmp_path / "out.dcm").unlink(missing_ok=True)
        status, said, error = wrapped(tmp_path, tmp_path / name, "--json")
        assert status == 0, error
        assert json.loads(said)["sop_class"] == kind


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(PDF)
    (tmp_path / "out.dcm").write_text("mine")
    status, _, error = wrapped(tmp_path, tmp_path / "a.pdf")
    assert status == 3
    assert "already exists" in error
    assert (tmp_path / "out.dcm").read_text() == "mine"
