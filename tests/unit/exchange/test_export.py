"""Adding to a File-set: what stays, what is kept, what is written anew, and what must never get lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pydicom
import pytest
from fakes import exports, hostile_media, masters

from agent.dataset import uid
from agent.errors import MediaError
from agent.spool.core import Destination
from agent.spool.file_set import refresh
from agent.spool.store import Spool

if TYPE_CHECKING:
    from pathlib import Path

TWO = (("us", uid.RLE_LOSSLESS), ("dx", uid.EXPLICIT_VR_LE))


def in_directory(folder: Path) -> dict[str, str]:
    """SOP Instance UID -> path, by the DICOMDIR; every file is there and is the instance."""
    found = {}
    for row in pydicom.dcmread(folder / "DICOMDIR").DirectoryRecordSequence:
        if "ReferencedFileID" in row:
            path = "/".join(row.ReferencedFileID)
            assert pydicom.dcmread(folder / path).SOPInstanceUID == row.ReferencedSOPInstanceUIDInFile
            found[str(row.ReferencedSOPInstanceUIDInFile)] = path
    return found


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_two_boxes_share_a_stick(tmp_path: Path, out: Path) -> None:
    """Their counters give the same File IDs; nothing of the other is touched."""
    first = exports.run(exports.filled(tmp_path / "one", TWO), out, label="ONE")
    before = {path: path.read_bytes() for path in hostile_media.files(out)}
    second = exports.run(exports.filled(tmp_path / "two", TWO), out, label="TWO")
    assert second.label == "ONE"
    assert second.file_set_uid == first.file_set_uid
    assert len(in_directory(out)) == 4
    assert all(path.read_bytes() == data for path, data in before.items())
    assert [row.file_id for row in second.exported] == ["INST1\\000000\\00000001", "INST1\\000000\\00000002"]


def test_pages_and_label_speak_of_all_that_is_on_the_medium(tmp_path: Path, out: Path) -> None:
    """A label with one patient on a medium with two sends somebody's images to somebody else."""
    exports.run(exports.filled(tmp_path / "one", TWO), out)
    root = tmp_path / "two" / "spool"
    root.mkdir(parents=True)
    path = masters.write(tmp_path, "cr", uid.EXPLICIT_VR_LE)
    found = pydicom.dcmread(path)
    found.PatientName, found.PatientID = "ROE^RICHARD", "R-2"
    found.StudyInstanceUID, found.SeriesInstanceUID = "2.25.7", "2.25.8"
    found.save_as(path)
    with Spool.open(str(root), destinations=[Destination("pacs")]) as spool:
        spool.import_file(str(path), source="test")
    added = exports.run(root, out)
    assert added.label_text[0] == "ROE^RICHARD, TEST^Änne"
    assert "3 DICOM instances;" in (out / "README.TXT").read_text()
    assert "3 DICOM instances;" in (out / "INDEX.HTM").read_text()


def test_an_instance_that_cannot_be_written_anew_stays_as_it_was(tmp_path: Path, out: Path) -> None:
    """It is damaged or evicted in the spool meanwhile; the medium may hold the only copy."""
    root = exports.filled(tmp_path, TWO)
    first = exports.run(root, out)
    both = {row.sop_instance_uid for row in first.exported}
    pieces = exports.pieces(root)
    damaged, gone = exports.files_of(root)
    damaged.write_bytes(damaged.read_bytes()[:-8])
    gone.unlink()
    again = exports.run_pieces(pieces, out)
    assert {one.sop_instance_uid for one in again.refused} == both
    assert not len(again.exported)
    assert set(in_directory(out)) == both


def test_files_of_others_are_never_replaced(tmp_path: Path, out: Path) -> None:
    (out / "INST" / "000000").mkdir(parents=True)
    (out / "INST" / "000000" / "00000001").write_text("of somebody else")
    (out / "README.TXT").write_text("mine")
    outcome = exports.run(exports.filled(tmp_path, TWO), out)
    assert (out / "INST" / "000000" / "00000001").read_text() == "of somebody else"
    assert (out / "README.TXT").read_text() == "mine"
    assert any("README.TXT is there already" in note for note in outcome.notes)
    assert outcome.exported[0].file_id == "INST1\\000000\\00000001"


@pytest.mark.parametrize("damage", ["directory", "file missing", "file of another", "two in one", "leads out"])
def test_a_faulty_set_is_not_added_to(tmp_path: Path, out: Path, damage: str) -> None:
    exports.run(exports.filled(tmp_path / "one", TWO), out)
    names = hostile_media.files(out)
    if damage == "directory":
        (out / "DICOMDIR").write_bytes(b"0" * 999)
    elif damage == "file missing":
        names[0].unlink()
    elif damage == "file of another":
        names[0].write_bytes(names[1].read_bytes())
    elif damage == "two in one":
        data = names[0].read_bytes()
        own = pydicom.dcmread(names[0]).SOPInstanceUID.encode()
        at = data.rindex(own)
        names[0].write_bytes(data[:at] + own[:-1] + (b"1" if own[-1:] != b"1" else b"2") + data[at + len(own) :])
    else:
        hostile_media.rename_in_directory(out, [["..", "X"]])
    before = (out / "DICOMDIR").read_bytes()
    with pytest.raises(MediaError, match="not one to add to"):
        exports.run(exports.filled(tmp_path / "two", TWO), out)
    assert (out / "DICOMDIR").read_bytes() == before
    assert hostile_media.files(out) == names[damage == "file missing" :]


def test_a_master_that_is_not_what_was_sealed_does_not_go_out(tmp_path: Path, out: Path) -> None:
    root = exports.filled(tmp_path, TWO)
    path = exports.files_of(root)[1]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    outcome = exports.run(root, out)
    assert [one.code for one in outcome.refused] == ["spool.damaged"]
    assert len(in_directory(out)) == 1
    assert len(hostile_media.files(out)) == 1


def test_a_study_of_two_patients_never_lists_one_under_the_other(tmp_path: Path, out: Path) -> None:
    """Neither on a medium nor in the directory of the spool."""
    root = exports.filled(tmp_path, ())
    with Spool.open(str(root), destinations=[Destination("pacs")]) as spool:
        for kind, patient in (("us", "A1"), ("dx", "B2"), ("sc", "A1")):
            path = masters.write(tmp_path / "made", kind, uid.EXPLICIT_VR_LE)
            instance = pydicom.dcmread(path)
            instance.PatientID, instance.PatientName, instance.StudyInstanceUID = patient, f"{patient}^X", "2.25.9"
            instance.save_as(path)
            spool.import_file(str(path))
        listed = refresh(spool.medium, spool.reader.live_numbers, "BOX", lambda: "2.25.8")
    outcome = exports.run(root, out)
    assert sum("2.25.9" in note for note in outcome.notes) == 1
    assert sum("2.25.9" in note for note in listed.notes) == 1
    for folder in (out, root):
        assert len(in_directory(folder)) == 3
        for row in pydicom.dcmread(folder / "DICOMDIR").DirectoryRecordSequence:
            if row.DirectoryRecordType == "PATIENT":
                patient = row.PatientID
            if "ReferencedFileID" in row:
                assert pydicom.dcmread(folder.joinpath(*row.ReferencedFileID)).PatientID == patient
