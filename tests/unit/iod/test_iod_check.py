"""The checker against instances damaged in one place at a time."""

from __future__ import annotations

import pytest
from fakes.instances import DESCRIPTIONS, frames, make, with_pixels

from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.dataset.tag import PIXEL_DATA
from agent.dataset.values import Element, Reference
from agent.iod import modules, tables
from agent.iod.build import KINDS
from agent.iod.modules import check, complete, errors
from agent.iod.pixel_data import Found, check_pixels

MADE = {kind: make(kind) for kind in KINDS}


def rows_in_use(kind: str, *types: str) -> list[tuple[str, tables.Row]]:
    ds = MADE[kind]
    return [
        (use.table, row)
        for use in modules.in_use(ds, KINDS[kind].iod)
        for row in tables.rows(use.table)
        if row.type in types and row.tag in ds
    ]


def found(ds: DataSet, tag: int) -> list[modules.Finding]:
    return [finding for finding in errors(check(ds)) if finding.tag == tag]


@pytest.mark.parametrize("kind", KINDS)
def test_what_we_build_has_no_findings(kind: str) -> None:
    assert check(MADE[kind]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_type_1_attribute_missing_or_empty_is_found(kind: str) -> None:
    rows = rows_in_use(kind, "1")
    assert len(rows) > 12
    for table, row in rows:
        if row.tag == 0x00080016:
            continue  # without SOP Class there is no IOD; see below
        if table == "C.8-17":
            continue  # its sequence is what says that this user-optional Module is used
        ds = MADE[kind].copy()
        ds[row.tag] = None
        assert any(f.text == "is empty" and f.type == "1" for f in found(ds, row.tag)), (table, row.tag)
        del ds[row.tag]
        assert any(f.text == "is absent" and f.type == "1" and f.module for f in found(ds, row.tag)), (table, row.tag)


@pytest.mark.parametrize("kind", KINDS)
def test_each_type_2_attribute_missing_is_found_and_empty_is_not(kind: str) -> None:
    for table, row in rows_in_use(kind, "2"):
        ds = MADE[kind].copy()
        del ds[row.tag]
        assert [f.type for f in found(ds, row.tag)][:1] == ["2"], (table, row.tag)
        ds[row.tag] = None
        assert not [f for f in found(ds, row.tag) if f.type]


@pytest.mark.parametrize("kind", KINDS)
def test_each_enumerated_value_is_closed(kind: str) -> None:
    for table, row in [(t, r) for t, r in rows_in_use(kind, "1", "2", "1C", "2C", "3") if r.enumerated]:
        ds = MADE[kind].copy()
        element = ds.element(row.tag)
        ds.set(row.tag, 999 if isinstance(element.value, int | float) else "BOGUS", element.vr)
        assert any("allowed are" in f.text for f in found(ds, row.tag)), (table, row.tag)


DAMAGE = [
    ("us", {"PixelRepresentation": 1}, "PixelRepresentation", "allowed are 0"),
    ("us", {"PhotometricInterpretation": "HSV"}, "PhotometricInterpretation", "allowed are"),
    ("us", {"BitsStored": 7, "HighBit": 6}, "BitsStored", "must equal Bits Allocated"),
    ("us", {"HighBit": 3}, "HighBit", "one less"),
    ("us", {"SamplesPerPixel": 1}, "PlanarConfiguration", "must not be present unless"),
    ("us", {"SamplesPerPixel": 1}, "SamplesPerPixel", "must be 3 for RGB"),
    ("us", {"ImageType": ["SOURCE", "PRIMARY"]}, "ImageType", "value 1"),
    ("us", {"ImageType": ["ORIGINAL", "PRIMARY", "ABDOMINAL", "1"]}, "ImageType", "four hex digits"),
    ("us", {"LossyImageCompressionRatio": 5}, "LossyImageCompression", "must be 01"),
    ("us", {"ImageLaterality": "X"}, "ImageLaterality", "allowed are R, L, U, B"),
    ("us", {"Rows": [1, 2]}, "Rows", "VM is 1"),
    ("us-mf", {"NumberOfFrames": 0}, "NumberOfFrames", "above 0"),
    ("us-mf", {"FrameIncrementPointer": 0x00181065}, "FrameIncrementPointer", "has no value"),
    ("us-mf", {"FrameIncrementPointer": 0x00181065}, "FrameTimeVector", "is absent although"),
    ("us-mf", {"FrameIncrementPointer": 0x00280010}, "FrameIncrementPointer", "Frame Time"),
    ("us-mf", {"FrameTimeVector": [0, 1]}, "FrameTimeVector", "one value per frame"),
    ("us-mf", {"FrameTimeVector": [1, 1, 1]}, "FrameTimeVector", "start with 0"),
    ("dx", {"PresentationIntentType": "FOR PROCESSING"}, "PresentationIntentType", "for this SOP Class"),
    ("dx", {"WindowCenter": None, "WindowWidth": None}, "WindowCenter", "is empty although FOR PRESENTATION"),
    ("dx", {"WindowWidth": 0.5}, "WindowWidth", "at least 1"),
    ("dx", {"WindowWidth": [100, 200]}, "WindowWidth", "as many values"),
    ("dx", {"PresentationLUTShape": "INVERSE"}, "PresentationLUTShape", "must be IDENTITY"),
    ("dx", {"PatientOrientation": None}, "PatientOrientation", "is empty although"),
    ("dx", {"FieldOfViewRotation": 90}, "FieldOfViewHorizontalFlip", "is absent although"),
    ("dx", {"PixelSpacing": [1, 1]}, "PixelSpacing", "calibration"),
    ("dx", {"LossyImageCompression": "01"}, "LossyImageCompressionRatio", "is absent although"),
    ("dx-processing", {"WindowCenter": 1, "WindowWidth": 2}, "WindowCenter", "must not be present"),
    ("cr", {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "PhotometricInterpretation", "MONOCHROME1"),
    ("cr", {"SpecificCharacterSet": None}, "SpecificCharacterSet", "is empty although text goes beyond"),
    ("sc", {"BitsAllocated": 12}, "BitsAllocated", "multiple of 8"),
    ("sc", {"PatientSex": "X"}, "PatientSex", "allowed are M, F, O"),
]


@pytest.mark.parametrize(("kind", "changes", "keyword", "text"), DAMAGE)
def test_damage_in_one_place(kind: str, changes: dict[str, object], keyword: str, text: str) -> None:
    ds = MADE[kind].copy()
    ds.update(changes)  # type: ignore[arg-type]
    tag = DataSet({keyword: None}).tags()[0]
    assert any(text in finding.text for finding in found(ds, tag)), [str(f) for f in check(ds)]


def test_nested_items_are_walked_with_their_path() -> None:
    ds = make("us")
    region = ds.items_of("SequenceOfUltrasoundRegions")[0]
    del region["PhysicalDeltaX"]
    region["RegionLocationMaxX1"] = 16
    region["PhysicalUnitsXDirection"] = 13
    equipment = ds.items_of("ContributingEquipmentSequence")[0]
    del equipment.items_of("PurposeOfReferenceCodeSequence")[0]["CodeMeaning"]
    said = {(finding.path, finding.text) for finding in check(ds)}
    assert ("(0018,6011)[1].(0018,602C)", "is absent") in said
    assert ("(0018,A001)[1].(0040,A170)[1].(0008,0104)", "is absent") in said
    assert ("(0018,6011)[1].(0018,601C)", "must lie between 0 and 15") in said
    assert ("(0018,6011)[1].(0018,6024)", "must lie between 0 and 12") in said


def test_code_sequences_need_exactly_one_way_to_say_the_code() -> None:
    ds = make("us")
    item = ds.items_of("AnatomicRegionSequence")[0]
    del item["CodeValue"]
    assert {f.tag for f in errors(check(ds))} >= {0x00080100, 0x00080119, 0x00080120}
    item["LongCodeValue"] = "12345678901234567890"
    assert errors(check(ds)) == []


def test_unknown_sop_class_is_the_only_finding() -> None:
    for ds in (DataSet(), DataSet({"SOPClassUID": uid.VERIFICATION})):
        assert [f.tag for f in check(ds)] == [0x00080016]


def test_wrong_vr_and_foreign_attributes() -> None:
    ds = make("us")
    ds.set("PatientID", "P", "SH")
    ds["EchoTime"] = 3
    ds.set(0x00091001, "x", "LO")
    severities = {f.text: f.severity for f in check(ds)}
    assert severities == {"has VR SH, not LO": "error", "is not part of the IOD": "warning"}


def test_user_optional_module_counts_once_it_is_used() -> None:
    ds = make("dx")
    assert "C.8-72" in {use.table for use in modules.in_use(ds, "dx")}  # the view is there
    assert "PositionerType" in ds
    del ds["PositionerType"]
    assert [f.module for f in errors(check(ds))] == ["DX Positioning"]


def test_overlay_groups_share_one_table() -> None:
    ds = make("us")
    ds[0x60020010] = 12
    assert {f.tag for f in errors(check(ds))} >= {0x60020011, 0x60020040, 0x60023000}
    ds[0x60020040] = "X"
    assert any("allowed are G, R" in f.text for f in found(ds, 0x60020040))


def test_pixel_data_are_asked_for_only_on_demand() -> None:
    ds = make("sc")
    assert check(ds) == []
    full = with_pixels(ds, frames(DESCRIPTIONS["sc"], 1), uid.EXPLICIT_VR_LE)
    assert check(full, pixel_data=True) == []


def test_complete_adds_only_what_is_missing() -> None:
    ds = DataSet({"SOPClassUID": uid.US, "PatientID": "P"})
    complete(ds, "us")
    assert ds["PatientID"] == "P"
    assert ds.get("PatientName") is None
    assert "PatientName" in ds
    assert "PatientOrientation" in ds
    assert "SOPInstanceUID" not in ds


def test_findings_read_well() -> None:
    ds = make("dx")
    del ds["ImagerPixelSpacing"]
    assert [str(f) for f in check(ds)] == [
        "error: (0018,1164) ImagerPixelSpacing is absent: DX Detector (PS3.3 Table C.8-71, type 1)"
    ]


@pytest.mark.parametrize("kind", ["us", "sc", "dx", "vl-photo"])
def test_an_animal_has_a_patient_study_with_its_neutering(kind: str) -> None:
    ds = MADE[kind].copy()
    ds["PatientSpeciesDescription"] = "dog"
    assert [f.type for f in found(ds, 0x00102203)] == ["2C"]
    complete(ds, KINDS[kind].iod)
    assert 0x00102203 in ds
    assert not found(ds, 0x00102203)
    ds["PatientSpeciesDescription"] = "HUMAN"
    del ds["PatientSexNeutered"]
    assert not found(ds, 0x00102203)


@pytest.mark.parametrize(("pixels", "allowed"), [
    (None, True), (bytes(2), False), (Reference(0, 2), False), (Reference(0, 2, encapsulated=True), True),
])  # fmt: skip
def test_odd_columns_of_shared_chroma_are_for_jpeg_itself(pixels: bytes | Reference | None, allowed: bool) -> None:
    ds = MADE["sc"].copy()
    for keyword, value in (("PhotometricInterpretation", "YBR_FULL_422"), ("Columns", 15),
                           ("LossyImageCompressionMethod", ["ISO_10918_1"])):  # fmt: skip
        ds[keyword] = value
    if pixels is not None:
        ds.stored[PIXEL_DATA] = Element(PIXEL_DATA, "OB", pixels)
    assert bool(found(ds, 0x00280011)) is not allowed


@pytest.mark.parametrize(("kind", "syntax", "photometric", "wrong"), [
    ("vl-photo", uid.JPEG_BASELINE, "RGB", True), ("vl-endoscopic", uid.JPEG_BASELINE, "RGB", True),
    ("vl-photo", uid.JPEG_BASELINE, "YBR_FULL_422", False), ("vl-photo", uid.JPEG_LS_LOSSLESS, "RGB", False),
    ("sc", uid.JPEG_BASELINE, "RGB", False),
])  # fmt: skip
def test_lossy_jpeg_of_visible_light_is_not_rgb(kind: str, syntax: str, photometric: str, wrong: bool) -> None:
    ds = MADE[kind].copy()
    ds["PhotometricInterpretation"] = photometric
    tags = [finding.tag for finding in check_pixels(ds, syntax, Found("OB", 0, None, lambda _n, _at: b""))]
    assert (0x00280004 in tags) is wrong


def test_a_modality_that_is_no_defined_term_is_a_warning() -> None:
    ds = MADE["sc"].copy()
    ds["Modality"] = "QQ"
    said = [finding for finding in check(ds) if finding.tag == 0x00080060]
    assert [(finding.severity, finding.text) for finding in said] == [
        ("warning", "has 'QQ', which is not a defined term")
    ]
