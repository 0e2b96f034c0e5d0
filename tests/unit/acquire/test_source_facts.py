"""What a source is configured to say arrives in its instances, and what is missing is asked for by key."""

from __future__ import annotations

import json
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from agent.acquire.exam import KEYS, Exam
from agent.acquire.filesink import FileSink
from agent.acquire.pipeline import Order, capture
from agent.acquire.sources import open_source
from agent.config import load
from agent.config.schema import SECTIONS
from agent.config.schema_source import MULTI_FRAME_WORDS
from agent.config.words import transfer_syntax_uid
from agent.errors import AgentError, ConfigError, FileError, IodError
from agent.media.reader import Instance, open_instance

if TYPE_CHECKING:
    from pathlib import Path

HOLDS = {
    "us": "us-rgb",
    "us-mf": "us-rgb",
    "dx": "dx16",
    "dx-processing": "dx16",
    "cr": "dx16",
    "xa": "dx16",
    "xrf": "us-mono",
    "sc": "us-rgb",
    "sc-mf-byte": "us-mono",
    "sc-mf-word": "dx16",
    "sc-mf-color": "us-rgb",
    "vl-endoscopic": "us-rgb",
    "vl-photo": "us-rgb",
}


def made(folder: Path, kind: str, *, uri: str = "", frames: list[bytes] | None = None, **changes: Any) -> Instance:
    """Capture three frames (or one) of a pattern with these keys; ``frames`` gets what the source delivered."""
    settings = load.parse('[[source]]\nname = "probe"\nuri = "pattern:us-rgb"\n')
    source = settings.source[0]._replace(
        **{
            "sop_class": kind,
            "uri": uri or f"pattern:{HOLDS[kind]}?rows=80&columns=64&rate_hz=0",
            "clip_frames": 3,
            "clip_s": 3600.0,
            **changes,
        }
    )
    sink = FileSink(str(folder / "made.dcm"))
    try:
        with open_source(source.uri) as opened:
            seen: list[bytes] = [] if frames is None else frames

            def note(_uid: str, _frame: int, _number: int, data: memoryview, *_: object) -> None:
                seen.append(bytes(data))

            order = Order(source, transfer_syntax_uid(source.transfer_syntax), note)
            capture(opened, order, Exam(settings), sink, threading.Event())
        sink.publish()
    finally:
        sink.abandon()
    fd = os.open(folder / "made.dcm", os.O_RDONLY)
    return open_instance(partial(os.pread, fd), os.fstat(fd).st_size)


@pytest.mark.parametrize("kind", HOLDS)
def test_every_kind_comes_from_a_pattern_and_has_a_small_grey_icon(kind: str, tmp_path: Path) -> None:
    instance = made(tmp_path, kind, icon=True)
    assert instance.number_of_frames == (3 if kind in MULTI_FRAME_WORDS else 1)
    (icon,) = instance.dataset.items_of("IconImageSequence")
    assert (icon["Rows"], icon["Columns"], icon["SamplesPerPixel"]) == (64, 51, 1)
    pixels = icon["PixelData"]
    assert isinstance(pixels, bytes)
    assert len(set(pixels)) > 4  # a picture, not a plane


def test_icon_follows_the_window(tmp_path: Path) -> None:
    ds = made(tmp_path, "dx", icon=True, window_center=-100.0, window_width=10.0).dataset
    pixels = ds.items_of("IconImageSequence")[0]["PixelData"]
    assert isinstance(pixels, bytes)
    assert set(pixels[:-1]) == {255}


@pytest.mark.parametrize("kind", ["dx", "dx-processing", "cr", "xa"])
def test_nothing_that_is_said_about_pixels_changes_them(kind: str, tmp_path: Path) -> None:
    """No window, no relationship and no display function is ever applied to what is stored."""
    delivered: list[bytes] = []
    said = made(
        tmp_path,
        kind,
        frames=delivered,
        clip_frames=1,
        window_center=9000.0,
        window_width=400.0,
        intensity_sign=-1,
        icon=True,
    )
    assert "WindowCenter" in said.dataset or kind == "dx-processing"
    assert [said.read_frame(0)] == delivered
    assert len(set(delivered[0])) > 20


def test_keys_arrive(tmp_path: Path) -> None:
    ds = made(
        tmp_path,
        "us-mf",
        uri="pattern:us-rgb?rows=80&columns=64&rate_hz=200",
        recognizable_features="YES",
        image_type="ORIGINAL/PRIMARY/ABDOMINAL/0001",
        lossy_history="12.5 ISO_10918_1, 3 ISO_14495_1",
        display_rate_hz=15,
        playback="sweep",
        view="Apical four chamber",
        view_modifier="Transverse",
    ).dataset
    assert ds["RecognizableVisualFeatures"] == "YES"
    assert ds["ImageType"] == ["ORIGINAL", "PRIMARY", "ABDOMINAL", "0001"]
    assert [float(str(value)) for value in ds.values_of("LossyImageCompressionRatio")] == [12.5, 3]
    assert ds["LossyImageCompressionMethod"] == ["ISO_10918_1", "ISO_14495_1"]
    assert (int(str(ds["RecommendedDisplayFrameRate"])), ds["PreferredPlaybackSequencing"]) == (15, 1)
    (view,) = ds.items_of("ViewCodeSequence")
    assert view["CodeValue"] == "399214001"
    assert view.items_of("ViewModifierCodeSequence")[0]["CodeValue"] == "62824007"


def test_pages_of_a_document(tmp_path: Path) -> None:
    ds = made(tmp_path, "sc-mf-byte", conversion_type="SD").dataset
    assert ds["ConversionType"] == "SD"
    assert [int(str(page)) for page in ds.values_of("PageNumberVector")] == [1, 2, 3]
    assert "ImageComments" not in ds


def test_attributes_file_says_what_has_no_key(tmp_path: Path) -> None:
    region = {
        "RegionSpatialFormat": 1,
        "RegionDataType": 1,
        "RegionFlags": 2,
        "RegionLocationMinX0": 0,
        "RegionLocationMinY0": 0,
        "RegionLocationMaxX1": 63,
        "RegionLocationMaxY1": 79,
        "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": 0.02,
        "PhysicalDeltaY": 0.02,
    }
    path = tmp_path / "probe.json"
    path.write_text(json.dumps({"SequenceOfUltrasoundRegions": [region], "TransducerType": "LINEAR"}))
    ds = made(tmp_path, "us", attributes_file=str(path)).dataset
    assert ds["TransducerType"] == "LINEAR"
    assert ds.items_of("SequenceOfUltrasoundRegions")[0]["PhysicalDeltaX"] == 0.02
    path.write_text(json.dumps({"PositionerPrimaryAngle": -30, "PositionerSecondaryAngle": {"vr": "DS", "Value": [5]}}))
    (tmp_path / "made.dcm").unlink()
    ds = made(tmp_path, "xa", attributes_file=str(path)).dataset
    assert [float(str(ds[name])) for name in ("PositionerPrimaryAngle", "PositionerSecondaryAngle")] == [-30, 5]


def test_much_to_say_finds_room_in_the_head(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    path.write_text(json.dumps({"ImageComments": "x" * 9000, "AcquisitionDeviceProcessingDescription": "y"}))
    with pytest.raises(IodError, match="AcquisitionDeviceProcessingDescription"):
        made(tmp_path, "us", attributes_file=str(path))
    path.write_text(json.dumps({"ImageComments": "ä" * 9000, "AdditionalPatientHistory": "y" * 9000}))
    ds = made(tmp_path, "us", attributes_file=str(path), icon=True).dataset
    assert len(str(ds["ImageComments"])) == len(str(ds["AdditionalPatientHistory"])) == 9000
    assert "IconImageSequence" in ds


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("{", ConfigError, "not JSON"),
        ("[]", ConfigError, "no JSON object"),
        ('{"NoSuchThing": 1}', ConfigError, "NoSuchThing"),
        ('{"KVP": 70}', IodError, "KVP is in no Module"),
        ('{"Rows": 7}', IodError, "Rows of the attributes of the source contradicts"),
        ("[" * 100_000, ConfigError, "not JSON"),
        (" " * ((1 << 20) + 1), ConfigError, "is longer"),
        (None, FileError, "No such file"),
    ],
)
def test_attribute_files_that_make_no_sense(
    text: str | None, error: type[AgentError], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "probe.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(error, match=message):
        made(tmp_path, "us", attributes_file=str(path))
    assert not (tmp_path / "made.dcm").exists()


def test_everything_missing_is_asked_for_by_key(tmp_path: Path) -> None:
    picture = tmp_path / "picture.pgm"
    picture.write_bytes(b"P5 16 12 4095\n" + bytes(2 * 16 * 12))
    with pytest.raises(IodError) as caught:
        made(tmp_path, "dx", uri=f"replay:{picture}")
    for key in ("pixel_spacing_mm", "intensity_relationship", "intensity_sign", "patient_orientation", "laterality"):
        assert key in caught.value.hint
    assert "attributes_file" not in caught.value.hint
    with pytest.raises(IodError) as caught:
        made(tmp_path, "xa", uri=f"replay:{picture}")
    assert "Set radiation_setting, intensity_relationship of the source (" in caught.value.hint.replace(
        "intensity_relationship, radiation_setting", "radiation_setting, intensity_relationship"
    )


def test_pictures_that_do_not_fit_are_nobody_s_missing_fact(tmp_path: Path) -> None:
    with pytest.raises(IodError) as caught:
        made(tmp_path, "us", uri="pattern:dx16?rows=64&columns=64&rate_hz=0")
    assert "do not fit this SOP Class" in caught.value.hint


def test_keys_of_hints_are_keys() -> None:
    known = {key.name for section in SECTIONS if section.name == "source" for key in section.keys}
    assert set(KEYS.values()) <= known
