"""What each family of SOP Classes adds, and what it refuses."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from fakes.instances import GRAY8, GRAY12, GRAY14, RGB, acquisition, make

from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.errors import IodError
from agent.iod import codes, modules, regions
from agent.iod.acquisition import (
    AngiographyFacts,
    CaptureFacts,
    CineFacts,
    ContextItem,
    Derivation,
    Icon,
    Reference,
    Rescale,
    UltrasoundFacts,
    VoiLut,
    Window,
    XrayFacts,
)
from agent.iod.build import KINDS, rehearse

FRAME_TIME, FRAME_TIME_VECTOR, PAGE_NUMBER_VECTOR = 0x00181063, 0x00181065, 0x00182001


# --- several at once ----------------------------------------------------------------------------


def test_everything_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(IodError) as caught:
        make("dx", xray=XrayFacts(), patient_orientation=None, burned_in_annotation=None)
    missing = {0x00181164, 0x00281040, 0x00281041, 0x00200020, 0x00280301}
    assert set(caught.value.tags) == missing
    for keyword in ("ImagerPixelSpacing", "PixelIntensityRelationship", "PatientOrientation", "BurnedInAnnotation"):
        assert keyword in str(caught.value)
    assert caught.value.tag in missing


def test_a_list_of_complaints_ends() -> None:
    with pytest.raises(IodError) as caught:
        rehearse(
            "dx",
            description=RGB,
            context=DataSet(),
            acquisition=acquisition("dx", xray=XrayFacts(), sop_instance_uid="", series_instance_uid=""),
        )
    assert str(caught.value).count(";") <= 20


def test_families_are_loaded_by_name() -> None:
    for kind in KINDS.values():
        module = kind.compose.partition(".")[0]
        assert hasattr(__import__(f"agent.iod.{module}", fromlist=["x"]), kind.compose.partition(".")[2])


# --- angiography --------------------------------------------------------------------------------


def test_xa_knows_what_it_was_told_and_leaves_the_rest_empty() -> None:
    ds = make("xa")
    assert ds["ImageType"] == ["ORIGINAL", "PRIMARY", "SINGLE PLANE"]
    assert (ds["RadiationSetting"], ds["PixelIntensityRelationship"]) == ("GR", "LIN")
    assert (ds["PositionerPrimaryAngle"], ds.get("PositionerSecondaryAngle")) == (-30, None)
    assert "PositionerSecondaryAngle" in ds
    assert "PositionerMotion" in ds
    assert (ds["FrameIncrementPointer"], ds["FrameTime"], ds["NumberOfFrames"]) == (FRAME_TIME, 66.667, 3)
    assert (ds["XRayTubeCurrent"], ds["ExposureTime"]) == (300, 8)
    assert "Exposure" not in ds  # current and time tell it
    assert "TableMotion" not in ds


def test_one_frame_of_xa_is_no_cine() -> None:
    ds = make("xa", number_of_frames=1, frame_time_ms=None)
    for keyword in ("NumberOfFrames", "FrameIncrementPointer", "FrameTime", "CineRate", "PositionerMotion"):
        assert keyword not in ds


def test_xrf_has_no_positioner() -> None:
    ds = make("xrf", number_of_frames=2, frame_times_ms=[0, 40.0])
    assert (ds["Modality"], ds["FrameIncrementPointer"]) == ("RF", FRAME_TIME_VECTOR)
    assert "PositionerPrimaryAngle" not in ds
    for keyword in ("KVP", "XRayTubeCurrent", "ExposureTime", "Exposure"):
        assert keyword in ds
        assert ds.get(keyword) is None


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"angiography": AngiographyFacts()}, "RadiationSetting is absent"),
        ({"angiography": AngiographyFacts("XX")}, "allowed are SC, GR"),
        ({"xray": XrayFacts()}, "PixelIntensityRelationship is absent"),
        ({"xray": XrayFacts(pixel_intensity_relationship="LOG")}, "ModalityLUTSequence|RescaleIntercept"),
        ({"angiography": AngiographyFacts("GR", plane="")}, "ImageType"),
        ({"angiography": AngiographyFacts("GR", plane="TRIPLANE")}, "ImageType"),
    ],
)
def test_angiography_refuses(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(IodError, match=text):
        make("xa", **changes)


@pytest.mark.parametrize("kind", ["xa", "xrf"])
def test_angiography_has_8_10_12_or_16_bits(kind: str) -> None:
    with pytest.raises(IodError, match="BitsStored"):
        make(kind, description=GRAY14)
    with pytest.raises(IodError, match="PhotometricInterpretation"):
        make(kind, description=GRAY12._replace(photometric_interpretation="MONOCHROME1"))


def test_attributes_of_the_source_fill_what_is_empty() -> None:
    more = DataSet({"PositionerSecondaryAngle": 12.5, "KVP": 80, "DistanceSourceToDetector": 1000})
    ds = make("xa", attributes=more)
    assert ds["PositionerSecondaryAngle"] == 12.5
    with pytest.raises(IodError, match="KVP of the attributes of the source contradicts"):
        make("xa", attributes=DataSet({"KVP": 70}))


# --- secondary capture --------------------------------------------------------------------------


def test_pages_have_an_order_and_no_time() -> None:
    ds = make("sc-mf-byte", number_of_frames=3)
    assert ds["FrameIncrementPointer"] == PAGE_NUMBER_VECTOR
    assert ds["PageNumberVector"] == [1, 2, 3]
    assert "FrameTime" not in ds
    assert "CineRate" not in ds
    with pytest.raises(IodError, match="no room for 20000 pages"):
        make("sc-mf-byte", number_of_frames=20000)


def test_one_frame_of_a_capture_is_spaced_by_nothing() -> None:
    for kind in ("sc-mf-byte", "sc-mf-word", "sc-mf-color"):
        ds = make(kind, number_of_frames=1, frame_time_ms=None)
        assert ds["NumberOfFrames"] == 1
        assert "FrameIncrementPointer" not in ds


def test_multi_frame_captures_in_time() -> None:
    ds = make("sc-mf-color")
    assert (ds["FrameIncrementPointer"], ds["FrameTime"]) == (FRAME_TIME, 40)
    assert "RescaleSlope" not in ds
    assert "PresentationLUTShape" not in ds
    uneven = make("sc-mf-color", frame_time_ms=None, frame_times_ms=[0, 51.5])
    assert uneven["FrameTimeVector"] == [0, 51.5]


def test_grayscale_captures_declare_p_values() -> None:
    for kind in ("sc-mf-byte", "sc-mf-word"):
        ds = make(kind)
        assert (ds["RescaleIntercept"], ds["RescaleSlope"], ds["RescaleType"]) == (0, 1, "US")
        assert ds["PresentationLUTShape"] == "IDENTITY"
        windowed = make(kind, xray=XrayFacts(windows=(Window(100, 50),)))
        assert (windowed["WindowCenter"], windowed["WindowWidth"]) == ([100], [50])


def test_only_words_may_have_another_rescale() -> None:
    other = CaptureFacts("DI", rescale=Rescale(-1024, 1, "US"))
    assert make("sc-mf-word", capture=other)["RescaleIntercept"] == -1024
    with pytest.raises(IodError, match="RescaleIntercept"):
        make("sc-mf-byte", capture=other._replace(pages=True))


@pytest.mark.parametrize(
    ("kind", "description"),
    [("sc-mf-byte", GRAY12), ("sc-mf-word", GRAY8), ("sc-mf-color", GRAY8), ("sc-mf-byte", RGB)],
)
def test_captures_hold_their_own_pixels_only(kind: str, description: Any) -> None:
    with pytest.raises(IodError, match=r"BitsAllocated|SamplesPerPixel|BitsStored|Photometric"):
        make(kind, description=description)


def test_multi_frame_capture_wants_burned_in_annotation_known() -> None:
    with pytest.raises(IodError, match="BurnedInAnnotation is absent"):
        make("sc-mf-color", burned_in_annotation=None)


# --- visible light ------------------------------------------------------------------------------


def test_visible_light() -> None:
    ds = make("vl-endoscopic")
    assert ds["Modality"] == "ES"
    assert ds["AcquisitionContextSequence"] == []
    assert "LossyImageCompression" in ds
    assert ds.get("LossyImageCompression") is None
    assert make("vl-photo")["Modality"] == "XC"
    for description in (GRAY12, RGB._replace(photometric_interpretation="YBR_FULL")):
        with pytest.raises(IodError, match=r"Bits|Photometric"):
            make("vl-photo", description=description)


def test_acquisition_context() -> None:
    items = (
        ContextItem(codes.Code("122123", "DCM", "Stage"), codes.Code("128975004", "SCT", "Resting State")),
        ContextItem(codes.Code("122125", "DCM", "Note"), "at rest"),
        ContextItem(codes.Code("8867-4", "LN", "Heart rate"), 61.0, codes.Code("/min", "UCUM", "per minute")),
    )
    ds = make("vl-photo", context_items=items)
    made = ds.items_of("AcquisitionContextSequence")
    assert [item["ValueType"] for item in made] == ["CODE", "TEXT", "NUMERIC"]
    assert made[0].items_of("ConceptCodeSequence")[0]["CodeValue"] == "128975004"
    assert (made[1]["TextValue"], made[2]["NumericValue"]) == ("at rest", 61.0)
    with pytest.raises(IodError, match="without unit"):
        make("vl-photo", context_items=(ContextItem(items[2].name, 3.0),))
    with pytest.raises(IodError, match="AcquisitionContextSequence") as caught:
        make("us", context_items=items)
    assert caught.value.tags == (0x00400555,)


# --- ultrasound ---------------------------------------------------------------------------------


def test_regions_of_a_spectrum_beside_its_picture() -> None:
    component = regions.PixelComponent(
        regions.RANGES,
        regions.CM_PER_SECOND,
        regions.FLOW_VELOCITY,
        bounds=(0, 127),
        break_points=((0, -40.0), (127, 40.0)),
    )
    found = (
        regions.tissue((0, 0, 7, 5), 0.02),
        regions.tissue((2, 2, 4, 4), 0.02, colour_flow=True)._replace(component=component),
        regions.spectrum((0, 6, 15, 11), 0.005, 1.5, 9)._replace(
            sample_volume=(3, 3), doppler_angle_degrees=60.0, pulse_repetition_hz=4000, transducer_frequency_khz=3500
        ),
        regions.m_mode((8, 0, 15, 5), 0.01, 0.02)._replace(line=(3, 0, 3, 5), steering_angle_degrees=5.0),
    )
    ds = make("us-mf", ultrasound=UltrasoundFacts("TTE", 0x0D, found))
    assert modules.check(ds) == []
    picture, flow, spectrum, strip = ds.items_of("SequenceOfUltrasoundRegions")
    assert (picture["RegionSpatialFormat"], picture["RegionDataType"], picture["RegionFlags"]) == (1, 1, 2)
    assert "ReferencePixelX0" not in picture
    assert (flow["RegionDataType"], flow["PixelComponentOrganization"], flow["PixelComponentRangeStop"]) == (2, 1, 127)
    assert flow["TableOfYBreakPoints"] == [-40.0, 40.0]
    assert (spectrum["RegionSpatialFormat"], spectrum["RegionDataType"]) == (3, 3)
    assert (spectrum["PhysicalUnitsXDirection"], spectrum["PhysicalUnitsYDirection"]) == (4, 7)
    assert spectrum["PhysicalDeltaY"] == -1.5
    assert (spectrum["ReferencePixelY0"], spectrum["ReferencePixelPhysicalValueY"]) == (3, 0.0)
    assert (spectrum["DopplerSampleVolumeXPosition"], spectrum["DopplerCorrectionAngle"]) == (3, 60.0)
    assert (strip["RegionSpatialFormat"], strip["TMLinePositionY1"]) == (2, 5)


def test_frequency_spectrum_says_so() -> None:
    region = regions.spectrum((0, 0, 9, 9), 0.005, 20, 5, frequency=True, continuous=True)
    assert (region.data_type, region.units_y, region.flags) == (4, 5, 0x06)


@pytest.mark.parametrize(
    ("component", "present", "absent"),
    [
        (
            regions.PixelComponent(regions.BIT_ALIGNED, mask=0xFF, break_points=((0, 0.0),)),
            "PixelComponentMask",
            "NumberOfTableEntries",
        ),
        (
            regions.PixelComponent(regions.TABLE, table=((0, 0.5), (1, 1.5))),
            "TableOfParameterValues",
            "PixelComponentMask",
        ),
        (
            regions.PixelComponent(regions.BY_CODE, meanings=(codes.anatomy("LIVER").code,)),
            "PixelValueMappingCodeSequence",
            "TableOfPixelValues",
        ),
    ],
)
def test_pixel_components(component: regions.PixelComponent, present: str, absent: str) -> None:
    region = regions.tissue((0, 0, 15, 11), 0.02)._replace(component=component)
    ds = make("us", ultrasound=UltrasoundFacts(regions=(region,)))
    (item,) = ds.items_of("SequenceOfUltrasoundRegions")
    assert present in item
    assert absent not in item
    assert modules.check(ds) == []


def test_views_of_ultrasound() -> None:
    view = codes.ultrasound_view("Parasternal long axis")
    ds = make("us", ultrasound=UltrasoundFacts(view=view, view_modifiers=(codes.view_modifier("Transverse"),)))
    (item,) = ds.items_of("ViewCodeSequence")
    assert item["CodeValue"] == view.code.value
    assert item.items_of("ViewModifierCodeSequence")[0]["CodeMeaning"] == "Transverse"


# --- clips --------------------------------------------------------------------------------------


def test_playback_as_the_site_wants_it() -> None:
    facts = CineFacts(
        12,
        1,
        trim=(2, 9),
        frame_delay_ms=3.5,
        exposure_ms=8,
        representative_frame=4,
        interesting=((4, "peak"), (7, "end")),
    )
    ds = make("us-mf", number_of_frames=10, frame_time_ms=40, cine=facts)
    assert (ds["CineRate"], ds["RecommendedDisplayFrameRate"], ds["PreferredPlaybackSequencing"]) == (25, 12, 1)
    assert (ds["StartTrim"], ds["StopTrim"], ds["FrameDelay"], ds["ActualFrameDuration"]) == (2, 9, 3.5, 8)
    assert (ds["RepresentativeFrameNumber"], ds["FrameNumbersOfInterest"]) == (4, [4, 7])
    assert ds["FrameOfInterestDescription"] == ["peak", "end"]
    rehearse("us-mf", description=RGB, context=DataSet(), acquisition=acquisition("us-mf", cine=facts))


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (CineFacts(trim=(0, 2)), "StartTrim 0"),
        (CineFacts(trim=(3, 2)), "StartTrim 3 and StopTrim 2"),
        (CineFacts(trim=(1, 4)), "1 to 3"),
        (CineFacts(representative_frame=4), "frame 4 of interest"),
        (CineFacts(interesting=((9, "x"),)), "frame 9 of interest"),
    ],
)
def test_frames_outside_the_clip_are_refused(facts: CineFacts, text: str) -> None:
    with pytest.raises(IodError, match=text):
        make("us-mf", cine=facts)


# --- every image --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_icon_is_a_picture_of_its_own(kind: str) -> None:
    ds = make(kind, icon=Icon(3, 5, bytes(range(15))))
    (icon,) = ds.items_of("IconImageSequence")
    assert (icon["Rows"], icon["Columns"], icon["PhotometricInterpretation"]) == (3, 5, "MONOCHROME2")
    assert icon["PixelData"] == bytes(range(15)) + b"\0"


@pytest.mark.parametrize(
    "icon", [Icon(0, 5, b""), Icon(129, 1, bytes(129)), Icon(2, 2, bytes(5)), Icon(2, 2, bytes(12))]
)
def test_icons_that_are_none(icon: Icon) -> None:
    with pytest.raises(IodError, match="icon"):
        make("us", icon=icon)


def test_what_was_derived_says_from_what() -> None:
    source = Reference(uid.DX_PROCESSING, "2.25.77", codes.FOR_PROCESSING_PREDECESSOR)
    part = Reference(uid.US_MULTIFRAME, "2.25.78", codes.UNCOMPRESSED_PREDECESSOR, frames=(2, 5))
    derivation = Derivation("Edges enhanced", (codes.concept("Edge enhancement", 7203),), (source, part))
    ds = make("dx", derivation=derivation)
    assert ds["ImageType"] == ["DERIVED", "PRIMARY", ""]
    assert ds["DerivationDescription"] == "Edges enhanced"
    first, second = ds.items_of("SourceImageSequence")
    assert first["ReferencedSOPInstanceUID"] == "2.25.77"
    assert "ReferencedFrameNumber" not in first
    assert second["ReferencedFrameNumber"] == [2, 5]
    assert second.items_of("PurposeOfReferenceCodeSequence")[0]["CodeValue"] == "121320"
    graded = make("us", derivation=derivation, ultrasound=UltrasoundFacts("TTE"))
    assert graded["ImageType"] == ["DERIVED", "PRIMARY", "TTE"]


def test_visual_features() -> None:
    assert "RecognizableVisualFeatures" not in make("vl-photo")
    assert make("vl-photo", recognizable_features=True)["RecognizableVisualFeatures"] == "YES"
    assert make("us", recognizable_features=False)["RecognizableVisualFeatures"] == "NO"


# --- P-values -----------------------------------------------------------------------------------


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("voi", [{}, {"windows": (Window(5000, 900),)}, {"voi_lut": VoiLut(0, 12, range(4096))}])
def test_no_voi_ever_touches_what_is_stored(photometric: str, voi: dict[str, Any]) -> None:
    """The GSDF is the display's: the description of the pixels goes in and comes out, whatever is said about them."""
    description = GRAY14._replace(photometric_interpretation=photometric)
    facts = acquisition("dx").xray._replace(**voi)
    ds = make("dx", description=description, xray=facts)
    for keyword, value in description.to_elements().items():
        assert ds[keyword] == value
    assert (ds["RescaleIntercept"], ds["RescaleSlope"]) == (0, 1)
    assert "ModalityLUTSequence" not in ds
    assert "PresentationLUTSequence" not in ds
    assert ds["PresentationLUTShape"] == ("INVERSE" if photometric == "MONOCHROME1" else "IDENTITY")


def test_nothing_that_makes_instances_knows_the_display_function() -> None:
    made = [name for name in sys.modules if name.startswith(("agent.iod", "agent.media", "agent.acquire"))]
    for name in made:
        held = vars(sys.modules[name]).values()
        assert not [value for value in held if getattr(value, "__module__", "").startswith("agent.display")], name
