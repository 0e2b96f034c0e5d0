from __future__ import annotations

from typing import Any

import pytest
from fakes.instances import CONTEXT, DESCRIPTIONS, GRAY8, GRAY14, RGB, acquisition, make

from agent import __version__
from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.errors import IodError
from agent.iod import codes
from agent.iod.acquisition import FieldOfView, LossyStep, UltrasoundFacts, VoiLut, Window
from agent.iod.build import KINDS, build, rehearse

NOTHING = DataSet()


@pytest.mark.parametrize("kind", KINDS)
def test_identity_time_and_patient_arrive(kind: str) -> None:
    ds = make(kind)
    facts = acquisition(kind)
    assert ds["SOPClassUID"] == KINDS[kind].sop_class_uid
    assert ds["SOPInstanceUID"] == facts.sop_instance_uid
    assert ds["SeriesInstanceUID"] == facts.series_instance_uid
    assert ds["Modality"] == KINDS[kind].modality
    assert (ds["ContentDate"], ds["ContentTime"], ds["TimezoneOffsetFromUTC"]) == ("20260301", "101512.25", "+0100")
    assert ds["PatientName"] == "TEST^Änne"
    assert ds["SpecificCharacterSet"] == "ISO_IR 192"
    assert ds["BurnedInAnnotation"] == "NO"
    assert "PixelData" not in ds
    (agent,) = ds.items_of("ContributingEquipmentSequence")
    assert (agent["Manufacturer"], agent["SoftwareVersions"]) == ("modality-agent", __version__)
    assert agent.items_of("PurposeOfReferenceCodeSequence")[0]["CodeValue"] == "109103"


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_are_not_changed(kind: str) -> None:
    context = CONTEXT.copy()
    make(kind, context=context)
    assert context == CONTEXT


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_known_leaves_type_2_empty(kind: str) -> None:
    ds = make(kind, context=NOTHING)
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "AccessionNumber"):
        assert keyword in ds
        assert ds.get(keyword) is None
    assert "SpecificCharacterSet" not in ds


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("dx", {"xray": acquisition("dx").xray._replace(imager_pixel_spacing_mm=None)}, 0x00181164, "DX Detector Module"),
    ("dx", {"xray": acquisition("dx").xray._replace(pixel_intensity_relationship="")}, 0x00281040, "type 1"),
    ("dx", {"xray": acquisition("dx").xray._replace(pixel_intensity_sign=0)}, 0x00281041, "DX Image Module"),
    ("dx", {"xray": acquisition("dx").xray._replace(pixel_intensity_relationship="SQRT")}, 0x00281040, "LIN, LOG"),
    ("dx", {"burned_in_annotation": None}, 0x00280301, "Table C.8-70, type 1"),
    ("dx", {"patient_orientation": None}, 0x00200020, "type 1C"),
    ("dx", {"anatomy": codes.anatomy("HAND")}, 0x00200062, "DX Anatomy Imaged Module"),
    ("dx", {"laterality": "X"}, 0x00200062, "allowed are R, L, U, B"),
    ("dx", {"xray": acquisition("dx").xray._replace(windows=(Window(1, 0),))}, 0x00281051, "at least 1"),
    ("us-mf", {"frame_time_ms": None}, 0x00181063, "type 1C"),
    ("us-mf", {"frame_time_ms": 0.0}, 0x00181063, "above 0"),
    ("us-mf", {"frame_time_ms": -5.0}, 0x00181063, "above 0"),
    ("us-mf", {"frame_times_ms": [0, 1]}, 0x00181065, "one value per frame"),
    ("us-mf", {"number_of_frames": 0}, 0x00280008, "above 0"),
    ("us", {"number_of_frames": 2}, 0x00280008, "one frame"),
    ("sc", {"capture": acquisition("sc").capture._replace(conversion_type="")}, 0x00080064, "SC Equipment Module"),
    ("sc", {"transfer_syntax_uid": "1.2.3"}, 0x00020010, "1.2.3"),
    ("sc", {"transfer_syntax_uid": uid.JPEG_LS_NEAR}, 0x00282112, "last lossy step"),
    ("us", {"attributes": DataSet({"EchoTime": 1})}, 0x00180081, "EchoTime is in no Module"),
    ("us", {"attributes": DataSet({"Rows": 1})}, 0x00280010, "contradicts"),
    ("us", {"sop_instance_uid": ""}, 0x00080018, "SOP Common Module"),
]


@pytest.mark.parametrize(("kind", "changes", "tag", "text"), REFUSED)
def test_refusals_name_tag_module_and_type(kind: str, changes: dict[str, Any], tag: int, text: str) -> None:
    with pytest.raises(IodError) as caught:
        make(kind, **changes)
    assert caught.value.tag == tag
    assert text in str(caught.value)


def test_unknown_kind_lists_the_known() -> None:
    with pytest.raises(IodError, match="us, us-mf, dx"):
        build("mr", description=RGB, context=NOTHING, acquisition=acquisition("us"))


@pytest.mark.parametrize(
    ("context", "text"),
    [
        ({"Rows": 5}, "Rows does not belong"),
        ({"SOPInstanceUID": "2.25.7"}, "SOPInstanceUID does not belong"),
        ({"StudyInstanceUID": "2.25.7"}, "StudyInstanceUID of the context contradicts"),
        ({"Modality": "CT"}, "Modality CT is not one of US, IVUS"),
        ({"BodyPartExamined": "HEART"}, "BodyPartExamined of the context contradicts"),
        ({"PatientSex": "X"}, "Patient Module"),
    ],
)
def test_context_may_not_overrule(context: dict[str, Any], text: str) -> None:
    with pytest.raises(IodError, match=text):
        make("us", context=DataSet(context))


def test_context_may_repeat_what_is_true() -> None:
    context = CONTEXT.copy()
    context["StudyInstanceUID"] = acquisition("us").study_instance_uid
    context["BodyPartExamined"] = "ABDOMEN"
    assert make("us", context=context)["BodyPartExamined"] == "ABDOMEN"
    assert make("sc", context=DataSet({"Modality": "ES"}))["Modality"] == "ES"


def test_context_keeps_its_own_character_set() -> None:
    context = CONTEXT.copy()
    context["SpecificCharacterSet"] = "ISO_IR 100"
    assert make("us", context=context)["SpecificCharacterSet"] == "ISO_IR 100"


def test_ultrasound_image_type_grows_with_what_is_known() -> None:
    assert make("us", ultrasound=UltrasoundFacts())["ImageType"] == ["ORIGINAL", "PRIMARY"]
    assert make("us", ultrasound=UltrasoundFacts("TTE"))["ImageType"] == ["ORIGINAL", "PRIMARY", "TTE"]
    assert make("us", ultrasound=UltrasoundFacts("", 0x11))["ImageType"] == ["ORIGINAL", "PRIMARY", "", "0011"]
    assert make("us", image_type=("DERIVED", "PRIMARY"))["ImageType"] == ["DERIVED", "PRIMARY"]


def test_no_region_is_ever_guessed() -> None:
    assert "SequenceOfUltrasoundRegions" not in make("us", ultrasound=UltrasoundFacts())


def test_regular_cine_has_a_frame_time() -> None:
    ds = make("us-mf", number_of_frames=30, frame_time_ms=33.333)
    assert ds["FrameIncrementPointer"] == 0x00181063
    assert ds["FrameTime"] == 33.333
    assert "FrameTimeVector" not in ds
    assert (ds["NumberOfFrames"], ds["CineRate"], ds["EffectiveDuration"]) == (30, 30, 1.0)
    assert "ImageComments" not in ds


def test_drops_are_in_the_vector_and_in_words() -> None:
    ds = make("us-mf", frame_time_ms=50, frame_times_ms=[0, 33.3, 66.7], frames_dropped=1, comments="rest")
    assert ds["FrameIncrementPointer"] == 0x00181065
    assert ds["FrameTimeVector"] == [0, 33.3, 66.7]
    assert "FrameTime" not in ds
    assert ds["ImageComments"] == "rest. Frames dropped during capture: 1"
    text = ds.items_of("ContributingEquipmentSequence")[0].text("ContributionDescription")
    assert "monotonic clock" in text
    assert "frames dropped: 1" in text


def test_one_frame_cine_points_to_frame_time_zero() -> None:
    ds = make("us-mf", number_of_frames=1, frame_time_ms=None)
    assert ds["FrameTime"] == 0
    assert "CineRate" not in ds


def test_dx_without_window_gets_the_full_range() -> None:
    ds = make("dx")
    assert (ds["WindowCenter"], ds["WindowWidth"]) == (8192, 16384)
    assert (ds["RescaleIntercept"], ds["RescaleSlope"], ds["RescaleType"]) == (0, 1, "US")
    assert ds["PresentationLUTShape"] == "IDENTITY"
    assert ds["ImageType"] == ["ORIGINAL", "PRIMARY", ""]
    assert ds["ImageLaterality"] == "U"
    assert ds["LossyImageCompression"] == "00"
    assert ds["AcquisitionContextSequence"] == []
    inverse = GRAY14._replace(photometric_interpretation="MONOCHROME1")
    assert make("dx", description=inverse)["PresentationLUTShape"] == "INVERSE"


def test_dx_for_processing_has_no_voi() -> None:
    ds = make("dx-processing")
    assert ds["PresentationIntentType"] == "FOR PROCESSING"
    assert "WindowCenter" not in ds
    assert ds["ImageLaterality"] == "R"


def test_dx_with_lut_and_field_of_view() -> None:
    facts = acquisition("dx").xray._replace(
        voi_lut=VoiLut(0, 12, range(4096), "CURVE"), field_of_view=FieldOfView((0, 4), 180, horizontal_flip=True)
    )
    ds = make("dx", xray=facts)
    (lut,) = ds.items_of("VOILUTSequence")
    assert lut["LUTDescriptor"] == [4096, 0, 12]
    assert lut["LUTData"][:4] == b"\x00\x00\x01\x00"
    assert "WindowCenter" not in ds
    assert (ds["FieldOfViewRotation"], ds["FieldOfViewHorizontalFlip"]) == (180, "YES")
    full = make("dx", xray=facts._replace(voi_lut=VoiLut(0, 16, [0] * 65536)))
    assert full.items_of("VOILUTSequence")[0]["LUTDescriptor"] == [0, 0, 16]


def test_cr_declares_p_values_only_with_a_voi() -> None:
    assert "PresentationLUTShape" not in make("cr")
    facts = acquisition("cr").xray._replace(windows=(Window(100, 200, "X"),))
    ds = make("cr", xray=facts)
    assert ds["PresentationLUTShape"] == "IDENTITY"
    assert ds["WindowCenterWidthExplanation"] == ["X"]
    assert (ds["ViewPosition"], ds["BodyPartExamined"]) == ("PA", "KNEE")


def test_lossy_steps_are_kept_in_order() -> None:
    steps = (LossyStep(10, "ISO_10918_1"), LossyStep(4.56789, "ISO_14495_1"))
    ds = make("us", lossy_steps=steps, transfer_syntax_uid=uid.JPEG_LS_NEAR)
    assert ds["LossyImageCompression"] == "01"
    assert ds["LossyImageCompressionRatio"] == [10, 4.568]
    assert ds["LossyImageCompressionMethod"] == ["ISO_10918_1", "ISO_14495_1"]


def test_sides() -> None:
    assert make("us")["ImageLaterality"] == "U"
    assert make("us", laterality="B")["ImageLaterality"] == "B"
    for anatomy in (codes.anatomy("CAROTID"), codes.anatomy("KIDNEY"), None):
        ds = make("us", anatomy=anatomy)
        assert "ImageLaterality" not in ds
        assert "Laterality" in ds
        assert ds.get("Laterality") is None


@pytest.mark.parametrize("kind", ["us", "us-mf"])
def test_ultrasound_refuses_x_ray_pixels(kind: str) -> None:
    with pytest.raises(IodError, match=r"BitsStored must equal|BitsAllocated must be 8"):
        make(kind, description=GRAY14)


def test_x_ray_refuses_colour() -> None:
    for kind in ("dx", "cr"):
        with pytest.raises(IodError, match=r"PhotometricInterpretation|SamplesPerPixel"):
            make(kind, description=RGB)
    assert set(DESCRIPTIONS) == set(KINDS)
    assert make("us", description=GRAY8)["SamplesPerPixel"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_rehearsal_knows_before_the_first_frame(kind: str) -> None:
    facts = acquisition(kind, date="", time="", timezone_offset="", frame_time_ms=None)
    rehearse(kind, description=DESCRIPTIONS[kind], context=NOTHING, acquisition=facts)
    with pytest.raises(IodError, match="StudyInstanceUID"):
        rehearse(
            kind, description=DESCRIPTIONS[kind], context=NOTHING, acquisition=facts._replace(study_instance_uid="")
        )
