"""The oracle of tests/fakes/oracle.py over everything we make: nothing missing, no value outside an enumeration."""

from __future__ import annotations

import io

import pydicom
import pytest
from fakes.damaged import DAMAGE
from fakes.documents import DOCUMENTS
from fakes.instances import DESCRIPTIONS, acquisition, frames, make, with_pixels
from fakes.nodes import file_bytes
from fakes.oracle import Oracle
from pydicom.dataset import Dataset

from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.iod.build import KINDS
from agent.media.part10 import FileMeta, encode_prefix

ORACLE = Oracle()


def read(data: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def written(ds: DataSet, syntax: str) -> Dataset:
    """An instance as our encoder writes it and pydicom reads it."""
    meta = FileMeta(ds.text("SOPClassUID"), ds.text("SOPInstanceUID"), syntax)
    return read(encode_prefix(meta) + encode(ds, syntax))


@pytest.mark.parametrize("syntax", [uid.EXPLICIT_VR_LE, uid.IMPLICIT_VR_LE])
@pytest.mark.parametrize("kind", KINDS)
def test_no_image_violates_a_table(kind: str, syntax: str) -> None:
    before = ORACLE.rows_walked
    ds = with_pixels(make(kind), frames(DESCRIPTIONS[kind], acquisition(kind).number_of_frames), syntax)
    assert ORACLE.violations(written(ds, syntax)) == []
    assert ORACLE.rows_walked - before > 200


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_no_document_violates_a_table(kind: str) -> None:
    before = ORACLE.rows_walked
    assert ORACLE.violations(written(DOCUMENTS[kind](), uid.EXPLICIT_VR_LE)) == []
    assert ORACLE.rows_walked - before > 150


@pytest.mark.parametrize("kind", KINDS)
def test_no_exam_without_a_patient_violates_a_table(kind: str) -> None:
    without = {} if kind.startswith("dx") else {"anatomy": None, "laterality": ""}
    ds = make(kind, context=DataSet(), **without)
    pictures = frames(DESCRIPTIONS[kind], acquisition(kind).number_of_frames)
    full = with_pixels(ds, pictures, uid.EXPLICIT_VR_LE)
    assert ORACLE.violations(written(full, uid.EXPLICIT_VR_LE)) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("type 1 missing: Modality", "(0008,0060) table_C.7-5a: type 1 is absent"),
        ("type 1 empty: Series Instance UID", "(0020,000E) table_C.7-5a: type 1 is empty"),
        ("type 2 missing: Study ID", "(0020,0010) table_C.7-3: type 2 is absent"),
        (
            "type 1 missing in an item: Physical Delta X",
            "(00186011)[1].(0018,602C) table_C.8-17: type 1 is absent",
        ),
        ("enumeration: Patient's Sex", "(0010,0040) table_C.7-1: 'X' is not one of ['M', 'F', 'O']"),
        ("enumeration: Pixel Intensity Relationship Sign", "(0028,1041) table_C.8-70: 5 is not one of ['+1', '-1']"),
        ("VR: Patient ID as SH", "(0010,0020): VR SH is not LO"),
        ("type 1C empty where none is needed: Pixel Aspect Ratio", "(0028,0034) table_C.7-11c: type 1C is empty"),
    ],
)
def test_the_oracle_sees_damage(name: str, text: str) -> None:
    assert text in ORACLE.violations(read(file_bytes(DAMAGE[name], DAMAGE[name].kind)))


def test_the_oracle_knows_every_kind_and_names_its_edition() -> None:
    assert {row.sop_class_uid for row in KINDS.values()} <= set(ORACLE.sop_classes)
    assert "2024c" in ORACLE.editions
