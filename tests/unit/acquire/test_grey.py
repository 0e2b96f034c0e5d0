"""The rule grey_as_monochrome: a third where nothing has colour, the very RGB instance where something has."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.grey_clips import COLUMNS, FRAMES, LOSSLESS, ROWS, TOML, GreyClip, grey_clip, settings_of
from fakes.grey_clips import record_clip as run

from agent.acquire import writers
from agent.acquire.exam import Exam
from agent.acquire.frame_log import read_frame_log
from agent.acquire.pipeline import Order, capture
from agent.acquire.recorder import Recorder
from agent.acquire.sources import open_source
from agent.config import load
from agent.config.words import transfer_syntax_uid
from agent.dataset.dataset import DataSet
from agent.dataset.pixels import PixelDescription
from agent.dataset.uid import is_encapsulated
from agent.errors import ConfigError, EncoderFault, IodError, SpoolFull, UsageError
from agent.media.reader import Instance, open_instance
from agent.native import compress
from agent.native.frame import FrameDescription
from agent.native.grey import widen
from agent.spool.core import Destination
from agent.spool.quota import Policy
from agent.spool.store import Spool

RGB_ONLY = ("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "WindowCenter", "WindowWidth",
            "PresentationLUTShape")  # fmt: skip
# What no two captures have in common.
OF_THE_MOMENT = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "ContributingEquipmentSequence")


def read(path: Path) -> Instance:
    fd = os.open(path, os.O_RDONLY)
    return open_instance(partial(os.pread, fd), os.fstat(fd).st_size)


def native_frame(instance: Instance, index: int) -> bytes:
    data = instance.read_frame(index)
    assert instance.pixels is not None
    if not is_encapsulated(instance.meta.transfer_syntax_uid):
        return data
    return bytes(compress.decode(data, instance.meta.transfer_syntax_uid, instance.pixels.description))


def lasting(dataset: DataSet) -> DataSet:
    kept = dataset.copy()
    for keyword in OF_THE_MOMENT:
        del kept[keyword]
    for tag in kept.tags():
        if kept.element(tag).vr in ("DA", "TM"):
            del kept[tag]
    return kept


@pytest.mark.parametrize(
    ("word", "planar"),
    [
        *((word, 0) for word in LOSSLESS),
        *((word, 1) for word in LOSSLESS if not word.startswith(("jpeg", "htj2k"))),
    ],  # PS3.5 8.2
)
def test_a_grey_clip_is_a_third_and_gives_every_captured_frame_back(tmp_path: Path, word: str, planar: int) -> None:
    clip = grey_clip(tmp_path, FRAMES, planar=planar)
    done = run(tmp_path / "a", clip, transfer_syntax=word)
    assert (done.frames, done.ended_by) == (FRAMES, "frames")
    assert done.grey == (
        f"R = G = B in every pixel of {FRAMES} frames: stored as MONOCHROME2, "
        "a third of the samples, exactly reversible" + ", source by plane" * planar
    )
    instance = read(tmp_path / "a")
    assert instance.pixels is not None
    assert instance.pixels.description == PixelDescription(ROWS, COLUMNS)
    said = instance.dataset
    assert [said.get(keyword) for keyword in RGB_ONLY] == [1, "MONOCHROME2", None, 128, 256, "IDENTITY"]
    assert str(said.items_of("ContributingEquipmentSequence")[0]["ContributionDescription"]).endswith(
        "; R = G = B in every pixel: stored as MONOCHROME2"
    )
    digests = read_frame_log(f"{tmp_path}/a.log")[done.sop_instance_uid]
    colour = FrameDescription(ROWS, COLUMNS, 3, photometric_interpretation="RGB", planar_configuration=planar)
    for index in range(FRAMES):
        plane, wide = native_frame(instance, index), bytearray(colour.frame_bytes)
        assert plane == clip.frames[index, ..., 0].tobytes()
        widen(plane, colour, wide)
        assert hashlib.sha256(wide).hexdigest() == digests[index]
        assert wide == clip.native(index)


@pytest.mark.parametrize("word", LOSSLESS)
@pytest.mark.parametrize("coloured", [(0,), (1,), (4, 6), (FRAMES - 1,)], ids=str)
def test_one_bit_of_colour_makes_the_instance_that_there_is_without_the_rule(
    tmp_path: Path, word: str, coloured: tuple[int, ...]
) -> None:
    clip = grey_clip(tmp_path, FRAMES, coloured)
    done = run(tmp_path / "a", clip, transfer_syntax=word, icon=True)
    assert (done.frames, done.dropped, done.ended_by) == (FRAMES, 0, "frames")
    first = coloured[0]
    before = f"R = G = B in every pixel of the first {first}, " if first else ""
    assert done.grey == f"{before}frame {first + 1} has colour: stored as RGB"
    plain = run(tmp_path / "b", clip, transfer_syntax=word, icon=True, grey_as_monochrome=False)
    assert plain.grey == ""
    made, other = read(tmp_path / "a"), read(tmp_path / "b")
    assert lasting(made.dataset) == lasting(other.dataset)
    for index in range(FRAMES):
        assert made.read_frame(index) == other.read_frame(index)
        assert native_frame(made, index) == clip.native(index)
    if word != "deflated":  # which squeezes UIDs and times too
        assert (tmp_path / "a").stat().st_size == (tmp_path / "b").stat().st_size
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.log", "b", "b.log", "clip.raw", "clip.toml"]


def test_frames_by_plane_come_back_by_plane(tmp_path: Path) -> None:
    for word in ("explicit", "rle"):
        clip = grey_clip(tmp_path / word, 5, [3], planar=1)
        run(tmp_path / word / "a", clip, transfer_syntax=word)
        instance = read(tmp_path / word / "a")
        assert [native_frame(instance, index) for index in range(5)] == [clip.native(index) for index in range(5)]


@pytest.mark.parametrize("kind", ["us", "sc"])
@pytest.mark.parametrize("coloured", [[], [0]], ids=["grey", "colour"])
def test_single_images_follow_the_rule_too(tmp_path: Path, kind: str, coloured: list[int]) -> None:
    clip = grey_clip(tmp_path, 1, coloured)
    done = run(tmp_path / "a", clip, sop_class=kind, transfer_syntax="jpeg-ls")
    instance = read(tmp_path / "a")
    assert instance.dataset["PhotometricInterpretation"] == ("RGB" if coloured else "MONOCHROME2")
    assert ("every pixel of the frame: stored as MONOCHROME2" in done.grey) == (not coloured)
    wanted = clip.native(0) if coloured else clip.frames[0, ..., 0].tobytes()
    assert native_frame(instance, 0) == wanted


def test_the_icon_is_what_it_is_in_colour(tmp_path: Path) -> None:
    clip = grey_clip(tmp_path, 2)
    icons = []
    for name, rule in (("a", True), ("b", False)):
        run(tmp_path / name, clip, icon=True, grey_as_monochrome=rule)
        icons.append(read(tmp_path / name).dataset.items_of("IconImageSequence")[0])
    assert icons[0] == icons[1]
    assert icons[0]["PixelData"][:COLUMNS] == clip.frames[0, 0, :, 0].tobytes()


def test_a_source_that_is_grey_already_is_left_alone(tmp_path: Path) -> None:
    clip = GreyClip("pattern:us-mono?rows=48&columns=64&rate_hz=0", np.zeros(0), 0)
    done = run(tmp_path / "a", clip, clip_frames=2)
    assert done.grey == ""
    assert "WindowCenter" not in read(tmp_path / "a").dataset


def test_the_pattern_in_colour_stays_in_colour(tmp_path: Path) -> None:
    clip = GreyClip("pattern:us-rgb?rows=480&columns=640&rate_hz=0", np.zeros(0), 0)
    run(tmp_path / "a", clip, clip_frames=2)
    assert read(tmp_path / "a").dataset["PhotometricInterpretation"] == "RGB"


# --- what the site says --------------------------------------------------------------------------


def said_by_site(tmp_path: Path, **attributes: object) -> str:
    (tmp_path / "site.json").write_text(json.dumps(attributes))
    return str(tmp_path / "site.json")


def test_what_only_colour_has_is_left_out_and_a_window_of_the_site_stays(tmp_path: Path) -> None:
    said = {"UltrasoundColorDataPresent": 1, "WindowCenter": 100, "WindowWidth": 50, "HeartRate": 61}
    path = said_by_site(tmp_path, **said)
    run(tmp_path / "a", grey_clip(tmp_path, 2), attributes_file=path)
    run(tmp_path / "b", grey_clip(tmp_path, 2, [1]), attributes_file=path)
    grey, colour = read(tmp_path / "a").dataset, read(tmp_path / "b").dataset
    keywords = ("UltrasoundColorDataPresent", "WindowCenter", "HeartRate", "PresentationLUTShape")
    assert [grey.get(keyword) for keyword in keywords] == [None, 100, 61, "IDENTITY"]
    assert [colour.get(keyword) for keyword in keywords] == [1, 100, 61, None]


def test_attributes_that_grey_would_contradict_are_refused_before_the_first_frame(tmp_path: Path) -> None:
    path = said_by_site(tmp_path, PhotometricInterpretation="RGB")
    run(tmp_path / "b", grey_clip(tmp_path, 2), attributes_file=path, grey_as_monochrome=False)
    with pytest.raises(IodError, match="PhotometricInterpretation of the attributes of the source contradicts"):
        run(tmp_path / "a", grey_clip(tmp_path, 2), attributes_file=path)
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "a.log").read_text() == ""


def test_a_region_that_calibrates_colour_is_refused(tmp_path: Path) -> None:
    region = {
        "RegionLocationMinX0": 0, "RegionLocationMinY0": 0, "RegionLocationMaxX1": 9, "RegionLocationMaxY1": 9,
        "PhysicalUnitsXDirection": 3, "PhysicalUnitsYDirection": 3, "PhysicalDeltaX": 0.1, "PhysicalDeltaY": 0.1,
        "RegionSpatialFormat": 1, "RegionDataType": 2, "RegionFlags": 0, "PixelComponentOrganization": 1,
        "PixelComponentRangeStart": 0, "PixelComponentRangeStop": 127, "PixelComponentPhysicalUnits": 7,
        "PixelComponentDataType": 3, "NumberOfTableBreakPoints": 2, "TableOfXBreakPoints": [0, 127],
        "TableOfYBreakPoints": [-40.0, 40.0],
    }  # fmt: skip
    path = said_by_site(tmp_path, SequenceOfUltrasoundRegions=[region])
    run(tmp_path / "b", grey_clip(tmp_path, 2), attributes_file=path, grey_as_monochrome=False)
    with pytest.raises(IodError, match="calibrates the components of a colour pixel"):
        run(tmp_path / "a", grey_clip(tmp_path, 2), attributes_file=path)


@pytest.mark.parametrize("kind", ["sc-mf-color", "vl-endoscopic", "vl-photo", "dx"])
def test_the_rule_is_refused_where_the_sop_class_does_not_have_both(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UsageError, match=f"grey_as_monochrome: an instance of {kind} keeps its photometric"):
        run(tmp_path / "a", grey_clip(tmp_path, 1), sop_class=kind)
    with pytest.raises(ConfigError, match=rf"grey_as_monochrome.* is for us, us-mf, sc; '{kind}' keeps"):
        load.parse(TOML.replace("us-rgb?", "dx16?" if kind == "dx" else "us-rgb?") + f'sop_class = "{kind}"\n')


def test_a_lossy_syntax_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="loses samples, and the rule must give all back"):
        run(tmp_path / "a", grey_clip(tmp_path, 1), transfer_syntax="jpeg-ls-near", near=1)
    with pytest.raises(ConfigError, match=r"grey_as_monochrome.* gives every sample back, and near does not"):
        load.parse(TOML + 'transfer_syntax = "jpeg-ls-near"\nnear = 1\n')


# --- room ------------------------------------------------------------------------------------------


class Media:
    """Bytes that may be written, shared by the files of one capture, and the reserve for finishing."""

    def __init__(self, room: int, reserve: int) -> None:
        self.room, self.reserve, self.taken = room, reserve, 0

    def take(self, count: int, *, finishing: bool) -> None:
        if self.taken + count > self.room + self.reserve * finishing:
            raise SpoolFull("no room")
        self.taken += count


class FullSink:
    """A file on such media."""

    def __init__(self, media: Media) -> None:
        self.media, self.data, self.position, self.limit, self.ending = media, bytearray(), 0, 0, False
        self.waiting: FullSink | None = None

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int) -> None:
        self.position = offset

    def reserve(self, length: int) -> None:
        if length > self.limit:
            self.media.take(length - self.limit, finishing=self.ending)
            self.limit = length

    def cut(self, length: int) -> None:
        del self.data[length:]

    def finishing(self) -> None:
        self.ending = True

    def write(self, data: Any) -> int:
        done = self.write_at(self.position, data)
        self.position += done
        return done

    def write_at(self, offset: int, data: Any) -> int:
        view = bytes(data)
        self.reserve(offset + len(view))
        self.data.extend(bytes(max(0, offset + len(view) - len(self.data))))
        self.data[offset : offset + len(view)] = view
        return len(view)

    def read_into(self, offset: int, buffer: memoryview) -> None:
        buffer[:] = self.data[offset : offset + len(buffer)]

    def beside(self, expected_bytes: int) -> FullSink:
        self.waiting = FullSink(self.media)
        self.waiting.reserve(expected_bytes)
        return self.waiting

    def abandon(self) -> None:
        self.media.taken -= self.limit


@pytest.mark.parametrize("word", ["explicit", "rle", "jpeg-ls", "jpeg-lossless"])
def test_whatever_room_there_is_no_frame_that_was_taken_is_lost(tmp_path: Path, word: str) -> None:
    """From room for nothing to room for all: a grey clip up to the colour, or an RGB one, and every frame exact."""
    clip = grey_clip(tmp_path, 14, [6])
    settings, source = settings_of(uri=clip.uri, transfer_syntax=word, clip_frames=14)
    ends = set()
    for room in range(20_000, 180_000, 4999):
        sink, taken = FullSink(Media(room, reserve=64)), 0

        def count(_uid: str, frame: int, _number: int, _data: memoryview, *_: object) -> None:
            nonlocal taken
            taken = frame

        try:
            with open_source(source.uri) as opened:
                order = Order(source, transfer_syntax_uid(word), count)
                done = capture(opened, order, Exam(settings), sink, threading.Event())
        except SpoolFull:
            assert taken == 0, f"{taken} frames were lost with room for {room}"
            ends.add("nothing")
            continue
        data = bytes(sink.data)
        instance = open_instance(lambda length, offset, data=data: data[offset : offset + length], len(data))
        grey = instance.dataset["PhotometricInterpretation"] == "MONOCHROME2"
        assert instance.number_of_frames == done.frames == taken
        assert grey == (done.frames <= 6)
        for index in range(done.frames):
            wanted = clip.frames[index, ..., 0].tobytes() if grey else clip.native(index)
            assert native_frame(instance, index) == wanted
        ends.add(f"{'grey' if grey else 'colour'} {done.ended_by}")
    assert ends == {"nothing", "grey full", "colour full", "colour frames"}


def test_a_grey_clip_has_no_more_frames_than_it_could_have_in_colour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = grey_clip(tmp_path, FRAMES, [FRAMES - 1])
    monkeypatch.setattr(writers, "WHOLE_LIMIT_BYTES", 5 * ROWS * COLUMNS * 3)
    done = run(tmp_path / "a", clip, transfer_syntax="deflated")
    assert (done.frames, done.ended_by) == (5, "room")


@pytest.mark.parametrize("word", [word for word in LOSSLESS if is_encapsulated(transfer_syntax_uid(word))])
def test_a_coloured_frame_that_does_not_come_back_leaves_the_grey_ones_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    whole = compress.encode

    def encode(frame: Any, syntax: str, *, description: PixelDescription, out: memoryview, **options: Any) -> int:
        count = whole(frame, syntax, description=description, out=out, **options)
        out[count // 2] ^= 0x10 if description.samples_per_pixel == 3 else 0
        return count

    monkeypatch.setattr(compress, "encode", encode)
    clip = grey_clip(tmp_path / "clip", FRAMES, [4])
    done = run(tmp_path / "a.dcm", clip, transfer_syntax=word)
    assert (done.frames, done.ended_by) == (4, "failed")
    assert isinstance(done.failure, EncoderFault)
    assert "frame 5: " in str(done.failure)
    instance = read(tmp_path / "a.dcm")
    assert [native_frame(instance, index) for index in range(4)] == [
        clip.frames[index, ..., 0].tobytes() for index in range(4)
    ]
    assert instance.number_of_frames == 4


@pytest.mark.parametrize("coloured", [[], [0], [5]])
def test_every_frame_of_the_instance_counts_as_verified(tmp_path: Path, coloured: list[int]) -> None:
    done = run(tmp_path / "a.dcm", grey_clip(tmp_path, FRAMES, coloured), transfer_syntax="jpeg-ls", verify="all")
    assert done.report is not None
    assert (done.report.frames, done.report.verified) == (FRAMES, FRAMES)
    assert done.report.native_bytes == done.native_bytes


# --- through the spool -----------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["explicit", "jpeg-ls"])
def test_the_receipt_says_what_became_of_the_pixels(tmp_path: Path, word: str) -> None:
    (tmp_path / "spool").mkdir()
    policy = Policy(min_free_bytes=1, min_free_fraction=0.0)
    settings, source = settings_of(transfer_syntax=word)
    with Spool.open(str(tmp_path / "spool"), destinations=[Destination("pacs")], policy=policy) as spool:
        for coloured, wanted in (
            ([], "stored as MONOCHROME2"),
            ([5], "the first 5, frame 6 has colour: stored as RGB"),
        ):
            clip = grey_clip(tmp_path / f"{word}{coloured}", FRAMES, coloured)
            unit = Recorder(source._replace(uri=clip.uri), Exam(settings), spool, lambda _source, _done: None)
            done = unit.record(threading.Event())
            receipt = spool.receipt(done.captured.sop_instance_uid)
            assert receipt is not None
            detail = receipt.events[0].detail
            assert wanted in detail["grey"]
            assert detail["pixels"] == ("colour8" if coloured else "grey8")
            assert int(detail["native_bytes"]) == FRAMES * ROWS * COLUMNS * (3 if coloured else 1)
            instance = read(Path(done.sealed.path))
            index = FRAMES - 1
            assert native_frame(instance, index) == (
                clip.native(index) if coloured else clip.frames[index, ..., 0].tobytes()
            )
        assert list(Path(spool.root).rglob("*.part")) == []
        assert spool.admission._outstanding == 0
