"""A File-set with an instance of every kind that we make and, written by pydicom, of others that a spool may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes import documents
from fakes.instances import DESCRIPTIONS, frames, make, with_pixels

from agent.dataset.uid import EXPLICIT_VR_LE
from agent.iod.build import KINDS
from agent.media.dicomdir_reader import open_directory
from agent.media.dicomdir_tree import Tree
from agent.media.instance import encode_instance
from agent.media.part10 import FileMeta

if TYPE_CHECKING:
    from pathlib import Path

    from agent.dataset.dataset import DataSet

# SOP Class of PS3.6 -> Attributes that its record needs; what stands at the root is of no patient.
FOREIGN = {
    "1.2.840.10008.5.1.4.1.1.11.1": {"ContentLabel": "GSPS", "ContentDescription": "Ö", "PresentationCreationDate":
        "20260301", "PresentationCreationTime": "1015"},
    "1.2.840.10008.5.1.4.1.1.9.1.1": {"ContentDate": "20260301", "ContentTime": "1015"},
    "1.2.840.10008.5.1.4.1.1.481.2": {"DoseSummationType": "PLAN"},
    "1.2.840.10008.5.1.4.1.1.481.3": {"StructureSetLabel": "S", "StructureSetDate": "20260301"},
    "1.2.840.10008.5.1.4.1.1.481.5": {"RTPlanLabel": "P"},
    "1.2.840.10008.5.1.4.1.1.481.4": {"TreatmentDate": "20260301"},
    "1.2.840.10008.5.1.4.1.1.66": {"ContentDate": "20260301", "ContentTime": "1015"},
    "1.2.840.10008.5.1.4.1.1.66.1": {"ContentDate": "20260301", "ContentTime": "1015", "ContentLabel": "R"},
    "1.2.840.10008.5.1.4.1.1.77.1.5.3": {},
    "1.2.840.10008.5.1.4.39.1": {"ContentLabel": "HOT", "ContentDescription": "hot"},
}  # fmt: skip


def write_file_set(root: Path) -> list[Path]:
    """Write every instance under names that are File IDs; no DICOMDIR."""
    made = []
    for number, kind in enumerate(KINDS):
        dataset = make(kind, sop_instance_uid=f"2.25.{5000 + number}", series_instance_uid=f"2.25.{6000 + number}")
        pictures = frames(DESCRIPTIONS[kind], int(str(dataset.get("NumberOfFrames", 1))))
        made.append(write(root / "IMG" / f"{number:08X}", with_pixels(dataset, pictures, EXPLICIT_VR_LE)))
    for name, dataset in (("PDF", documents.pdf()), ("CDA", documents.cda()), ("DOSE", documents.rdsr())):
        made.append(write(root / "DOC" / name, dataset))
    for number, (uid, facts) in enumerate(FOREIGN.items()):
        made.append(write_foreign(root / "OTHER" / f"{number:04d}", uid, number, facts))
    return made


def write(path: Path, dataset: DataSet) -> Path:
    """Write one instance."""
    meta = FileMeta(dataset.text("SOPClassUID"), dataset.text("SOPInstanceUID"), EXPLICIT_VR_LE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(encode_instance(meta, dataset)))
    return path


def write_foreign(path: Path, sop_class: str, number: int, facts: dict[str, str]) -> Path:
    """Write one instance with pydicom."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = f"2.25.{8000 + number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, f"2.25.{8000 + number}"
    if not sop_class.startswith("1.2.840.10008.5.1.4.3"):
        ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Groß^Özlem", "4711", "", "F"
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.7000", f"2.25.{7100 + number}"
        ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20260228", "0815", "77", ""
        ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "OT", number + 1, 1
    for keyword, value in facts.items():
        setattr(ds, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def tree_of(path: Path) -> Tree:
    """The records of a DICOMDIR."""
    data = path.read_bytes()
    return Tree(open_directory(lambda length, at: data[at : at + length], len(data)))


def listed(path: Path) -> list[str]:
    """File IDs in the order of a DICOMDIR without fault."""
    tree = tree_of(path)
    found = [tree.read(step.number).file_id for step in tree.walk()]
    assert tree.faults == []
    assert tree.damage is None
    return [file_id for file_id in found if file_id]
