"""Region calibration while capturing: regions only of a template that every frame shows, and a reason where none is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fakes.calibrated import COLUMNS, ROWS, SECTOR, WHERE, clip, mark_of, picture, template, write
from pydicom import dcmread

from agent.acquire.described import Captured, Order
from agent.acquire.exam import Exam
from agent.acquire.filesink import FileSink
from agent.acquire.pipeline import capture
from agent.acquire.recorder import Recorder
from agent.acquire.rehearsal import rehearse_sources
from agent.acquire.sources import open_configured
from agent.config import load
from agent.config.regions import REGIONS_MAX
from agent.config.words import transfer_syntax_uid
from agent.errors import ConfigError
from agent.iod.regions import Region, spectrum
from agent.spool.core import Destination
from agent.spool.quota import Policy
from agent.spool.store import Spool

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import Settings, SourceSettings


def settings_of(**keys: Any) -> Settings:
    found = load.parse('[[source]]\nname = "probe"\nuri = "pattern:us-rgb"\ntransfer_syntax = "explicit"\n')
    return found._replace(source=(found.source[0]._replace(**keys),))


def made(folder: Path, **keys: Any) -> tuple[Any, Captured]:
    """The Data Set as pydicom reads it, and what was captured."""
    settings = settings_of(**keys)
    source: SourceSettings = settings.source[0]
    path = folder / f"{len(list(folder.iterdir()))}.dcm"
    sink = FileSink(str(path))
    try:
        with open_configured(source) as opened:
            order = Order(source, transfer_syntax_uid(source.transfer_syntax))
            done = capture(opened, order, Exam(settings), sink, threading.Event())
        sink.publish()
    finally:
        sink.abandon()
    return dcmread(path), done


def deltas(data_set: Any) -> list[tuple[float, float]]:
    return [(one.PhysicalDeltaX, one.PhysicalDeltaY) for one in data_set.get("SequenceOfUltrasoundRegions", [])]


def bounds(data_set: Any) -> list[tuple[int, ...]]:
    names = ("MinX0", "MinY0", "MaxX1", "MaxY1")
    return [tuple(one[f"RegionLocation{name}"].value for name in names) for one in data_set.SequenceOfUltrasoundRegions]


def test_a_clip_whose_frames_all_show_the_mark_has_the_regions_and_says_whose(tmp_path: Path) -> None:
    path = write(tmp_path / "deep.toml", template(16))
    ds, done = made(tmp_path, uri=clip(tmp_path / "f", picture(16), picture(16, 2)), calibration=path)
    assert deltas(ds) == [(0.05, 0.04)]
    assert bounds(ds) == [(10, 8, 49, 43)]
    assert ds.NumberOfFrames == 2
    [item] = ds.ContributingEquipmentSequence
    assert "; regions calibrated by deep.toml (its marks in every frame, sha256 " in item.ContributionDescription
    assert done.calibration in item.ContributionDescription
    assert not done.uncalibrated


@pytest.mark.parametrize(
    ("depths", "reason"),
    [
        ((8, 8, 8), "frame 1 shows no mark of deep.toml"),
        ((16, 8, 16), "frame 2 does not show the mark of deep.toml any more"),
        ((16, 16, 8), "frame 3 does not show the mark of deep.toml any more"),
    ],
)
def test_one_frame_of_another_depth_leaves_the_clip_without_regions(
    tmp_path: Path, depths: tuple[int, ...], reason: str
) -> None:
    path = write(tmp_path / "deep.toml", template(16))
    frames = [picture(depth, number) for number, depth in enumerate(depths)]
    ds, done = made(tmp_path, uri=clip(tmp_path / "f", *frames), calibration=path)
    assert "SequenceOfUltrasoundRegions" not in ds
    assert ds.ImageComments.startswith(f"No calibrated regions of a template: {reason}")
    assert (done.uncalibrated, done.calibration) == (reason, "")
    assert np.array_equal(ds.pixel_array, frames)


def test_a_frame_behind_the_clip_does_not_count(tmp_path: Path) -> None:
    path = write(tmp_path / "deep.toml", template(16))
    uri = clip(tmp_path / "f", picture(16), picture(16), picture(8))
    ds, _ = made(tmp_path, uri=uri, calibration=path, clip_frames=2)
    assert deltas(ds) == [(0.05, 0.04)]


@pytest.mark.parametrize(("depth", "wanted"), [(16, [(0.05, 0.04)]), (8, [(0.02, 0.02)]), (4, [])])
def test_of_a_folder_the_template_counts_whose_mark_is_seen(
    tmp_path: Path, depth: int, wanted: list[tuple[float, float]]
) -> None:
    (tmp_path / "t").mkdir()
    write(tmp_path / "t" / "deep.toml", template(16))
    write(tmp_path / "t" / "flat.toml", template(8, SECTOR._replace(delta_x=0.02, delta_y=0.02)))
    (tmp_path / "t" / ".hidden.toml").write_text("[")
    (tmp_path / "t" / "notes.txt").write_text("[")
    uri = clip(tmp_path / "f", picture(depth))
    ds, done = made(tmp_path, uri=uri, sop_class="us", calibration=str(tmp_path / "t"))
    assert deltas(ds) == wanted
    assert done.uncalibrated == ("" if wanted else "frame 1 shows no mark of deep.toml, flat.toml")


def test_two_templates_that_are_seen_at_once_are_none(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    write(tmp_path / "t" / "deep.toml", template(16))
    write(tmp_path / "t" / "logo.toml", template(16, tolerance=3, marks=(
        template(16).marks[0]._replace(rectangle=(2, 50, 3, 8), pixels=mark_of(16)[:3].tobytes()),)))  # fmt: skip
    ds, done = made(tmp_path, uri=clip(tmp_path / "f", picture(16)), calibration=str(tmp_path / "t"))
    assert "SequenceOfUltrasoundRegions" not in ds
    assert done.uncalibrated == "frame 1 shows the marks of deep.toml, logo.toml at once"


@pytest.mark.parametrize(("noise", "tolerance", "found"), [(3, 3, True), (4, 3, False), (1, 0, False), (0, 0, True)])
def test_a_noisy_grabber_is_met_by_a_tolerance_and_no_more(
    tmp_path: Path, noise: int, tolerance: int, *, found: bool
) -> None:
    frame = picture(16)
    top, left, rows, columns = WHERE
    part = frame[top : top + rows, left : left + columns]
    part[2, 3, 1] = part[2, 3, 1] + noise if part[2, 3, 1] < 128 else part[2, 3, 1] - noise
    path = write(tmp_path / "deep.toml", template(16, tolerance=tolerance))
    ds, _ = made(tmp_path, uri=clip(tmp_path / "f", frame), calibration=path)
    assert bool(deltas(ds)) is found


def test_a_crop_moves_the_regions_and_a_black_out_may_cover_the_mark(tmp_path: Path) -> None:
    flow = spectrum((20, 40, 59, 47), 0.01, 2.0, 44)
    bar = Region(0, 0, 5, 5, 1.0, 1.0, 0, 0, spatial_format=5, data_type=13)
    path = write(tmp_path / "deep.toml", template(16, SECTOR, flow, bar))
    ds, done = made(
        tmp_path, uri=clip(tmp_path / "f", picture(16)), sop_class="us", calibration=path, crop="12,30,34,20",
        blackout=("0,48,10,16",),
    )  # fmt: skip
    assert bounds(ds) == [(0, 0, 19, 31), (0, 28, 19, 33)]
    sector, doppler = ds.SequenceOfUltrasoundRegions
    assert "ReferencePixelX0" not in sector
    # the base line is row 44 of the frame: 32 of the crop, 4 of what is left of the region
    assert (doppler.ReferencePixelX0, doppler.ReferencePixelY0) == (-10, 4)
    assert (doppler.PhysicalDeltaX, doppler.PhysicalDeltaY) == (0.01, -2.0)
    assert done.calibration.startswith("regions calibrated by deep.toml")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda _path: None, "No such file or directory"),
        (lambda path: path.write_text("rows ="), "Invalid value"),
        (lambda path: write(path, template(16, rows=ROWS + 1)), f"is for frames of {ROWS + 1} rows and {COLUMNS}"),
        (lambda path: write(path, template(16, samples="MONOCHROME2, 8 of 8 bits")), "are MONOCHROME2, 8 of 8 bits"),
    ],
    ids=["missing", "no-toml", "other-frames", "other-samples"],
)
def test_a_template_that_cannot_be_used_costs_no_image_and_is_refused_before(
    tmp_path: Path, make: Any, reason: str
) -> None:
    path = tmp_path / "deep.toml"
    make(path)
    keys = {"uri": clip(tmp_path / "f", picture(16)), "calibration": str(path)}
    ds, done = made(tmp_path, **keys)
    assert "SequenceOfUltrasoundRegions" not in ds
    assert ds.ImageComments.startswith("No calibrated regions of a template: the template cannot be used")
    assert str(tmp_path) not in str(ds)  # the folders of a box are nobody's business
    assert reason in done.uncalibrated
    [(where, said)] = rehearse_sources(settings_of(**keys)).problems
    assert where == "source[0].calibration"
    assert "source 'probe', calibration: " in said
    assert reason in said


def test_a_crop_that_leaves_no_region_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "deep.toml", template(16))
    keys = {"uri": clip(tmp_path / "f", picture(16)), "calibration": path, "crop": "44,0,4,64"}
    [(_, said)] = rehearse_sources(settings_of(**keys)).problems
    assert "the crop 44,0,4,64 leaves nothing of the regions of deep.toml" in said
    assert "SequenceOfUltrasoundRegions" not in made(tmp_path, **keys)[0]


def test_regions_are_said_once(tmp_path: Path) -> None:
    more = tmp_path / "more.json"
    more.write_text('{"SequenceOfUltrasoundRegions": [{"RegionSpatialFormat": 1, "RegionDataType": 1, "RegionFlags": 0,'
                    '"RegionLocationMinX0": 0, "RegionLocationMinY0": 0, "RegionLocationMaxX1": 5,'
                    '"RegionLocationMaxY1": 5, "PhysicalUnitsXDirection": 3, "PhysicalUnitsYDirection": 3,'
                    '"PhysicalDeltaX": 0.5, "PhysicalDeltaY": 0.5}]}')  # fmt: skip
    path = write(tmp_path / "deep.toml", template(16))
    keys = {"uri": clip(tmp_path / "f", picture(16)), "calibration": path, "attributes_file": str(more)}
    [(where, said)] = rehearse_sources(settings_of(**keys)).problems
    assert (where, "has regions of its own" in said) == ("source[0].calibration", True)
    ds, done = made(tmp_path, **keys)
    assert deltas(ds) == [(0.5, 0.5)]
    assert done.uncalibrated == "attributes_file has regions of its own"


def test_a_template_without_marks_holds_and_is_remarked(tmp_path: Path) -> None:
    path = write(tmp_path / "any.toml", template(None, fixed_depth=True))
    keys = {"uri": clip(tmp_path / "f", picture(16), picture(8)), "calibration": path}
    ds, done = made(tmp_path, **keys)
    assert deltas(ds) == [(0.05, 0.04)]
    assert "any.toml (without marks, " in done.calibration
    found = rehearse_sources(settings_of(**keys))
    assert found.problems == []
    assert "any.toml has no mark, so that nobody notices when depth or zoom are others" in found.notes[0]
    keys["uri"] = "replay:/nowhere"
    assert len(rehearse_sources(settings_of(**keys)).notes) == 2  # frames may come later, templates do not


def test_a_template_without_marks_is_not_used_unless_somebody_answers_for_the_depth(tmp_path: Path) -> None:
    path = write(tmp_path / "any.toml", template(None))
    ds, done = made(tmp_path, uri=clip(tmp_path / "f", picture(16)), calibration=path)
    assert deltas(ds) == []
    assert done.uncalibrated.endswith(
        "any.toml: has no mark, so that nobody would notice when depth or zoom are others"
    )


def test_grey_frames_are_compared_in_colour(tmp_path: Path) -> None:
    frame = picture(16)[..., :1].repeat(3, axis=2)
    path = write(tmp_path / "deep.toml", template(16))
    ds, _ = made(tmp_path, uri=clip(tmp_path / "f", frame, frame), calibration=path, grey_as_monochrome=True)
    assert ds.PhotometricInterpretation == "MONOCHROME2"
    assert deltas(ds) == [(0.05, 0.04)]


@pytest.mark.parametrize("syntax", ["explicit", "jpeg-ls", "deflated"])
def test_the_head_has_room_for_all_regions_that_a_template_may_have(tmp_path: Path, syntax: str) -> None:
    full = SECTOR._replace(reference_x=1, reference_y=1, reference_value_x=0.0, reference_value_y=0.0,
                           transducer_frequency_khz=3000, pulse_repetition_hz=4000)  # fmt: skip
    path = write(tmp_path / "deep.toml", template(16, *[full] * REGIONS_MAX))
    uri = clip(tmp_path / "f", picture(16), picture(16))
    ds, done = made(tmp_path, uri=uri, calibration=path, transfer_syntax=syntax, icon=True)
    assert len(deltas(ds)) == REGIONS_MAX
    assert not done.uncalibrated


def test_colour_that_comes_late_keeps_the_regions(tmp_path: Path) -> None:
    grey = picture(16)[..., :1].repeat(3, axis=2)
    path = write(tmp_path / "deep.toml", template(16))
    uri = clip(tmp_path / "f", grey, grey, picture(16))
    ds, done = made(tmp_path, uri=uri, calibration=path, transfer_syntax="rle", grey_as_monochrome=True)
    assert "frame 3 has colour" in done.grey
    assert (ds.PhotometricInterpretation, len(deltas(ds))) == ("RGB", 1)


def test_a_template_that_changed_on_disk_counts_from_the_next_capture_on_and_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "deep.toml"
    write(path, template(16))
    settings = settings_of(uri=clip(tmp_path / "f", picture(16)), sop_class="us", calibration=str(path))
    said: list[str] = []
    receipts: list[str] = []
    (tmp_path / "spool").mkdir()
    policy = Policy(min_free_bytes=1, min_free_fraction=0.0)
    with Spool.open(str(tmp_path / "spool"), destinations=[Destination("pacs")], policy=policy) as spool:
        recorder = Recorder(settings.source[0], Exam(settings), spool, lambda *_: None, warn=said.append)

        def record() -> str:
            done = recorder.record(threading.Event()).captured
            receipt = spool.receipt(done.sop_instance_uid)
            assert receipt is not None
            receipts.append(receipt.events[0].detail["calibration"])
            return done.uncalibrated

        assert record() == ""
        assert said == []
        write(path, template(8))
        assert {record(), record(), record()} == {"frame 1 shows no mark of deep.toml"}
        assert said == ["source 'probe': no calibrated regions: frame 1 shows no mark of deep.toml"]
        write(path, template(16, SECTOR._replace(delta_x=0.06)))
        assert record() == ""
        assert said[1:] == [f"source 'probe': {receipts[-1]}"]
        assert len(set(receipts)) == 3, receipts  # two digests and none


def test_other_sop_classes_have_no_regions() -> None:
    with pytest.raises(ConfigError) as caught:
        load.parse('[[source]]\nname = "a"\nuri = "pattern:us-rgb"\nsop_class = "sc"\ncalibration = "/t.toml"\n')
    assert "'sc' has no regions" in str(caught.value)


@pytest.mark.parametrize("crop", ["", "8,8,38,40"])
def test_a_source_that_stays_open_is_calibrated_by_the_frames_of_its_clip_alone(crop: str, tmp_path: Path) -> None:
    shown = [picture(4), *(picture(16, seed) for seed in range(2, 6))]  # the depth of the first is another one
    keys = {"calibration": write(tmp_path / "deep.toml", template(16)), "crop": crop, "clip_frames": 2}
    uri = f"{clip(tmp_path / 'f', *shown)}?rate_hz=100&repeat=1"
    settings = settings_of(uri=uri, pre_trigger_s=0.1, pre_trigger_mib=1, **keys)
    (tmp_path / "spool").mkdir()
    policy = Policy(min_free_bytes=1, min_free_fraction=0.0)
    seen: list[Any] = []
    with Spool.open(str(tmp_path / "spool"), destinations=[Destination("pacs")], policy=policy) as spool:
        unit = Recorder(settings.source[0], Exam(settings), spool, lambda _source, done: seen.append(done))
        unit._stay_armed()
        try:
            found = [dcmread(unit.record(threading.Event()).sealed.path) for _ in range(10)]
        finally:
            unit._disarm()
    told = [one.captured.calibration or one.captured.uncalibrated for one in seen]
    regions = [deltas(ds) for ds in found]
    assert [(0.05, 0.04)] in regions
    assert [] in regions
    assert all(one == ([(0.05, 0.04)] if "its marks in every frame" in text else []) for one, text in
               zip(regions, told, strict=True))  # fmt: skip
    assert all(text for text in told)
    assert {(ds.Rows, ds.Columns) for ds in found} == ({(38, 40)} if crop else {(ROWS, COLUMNS)})
