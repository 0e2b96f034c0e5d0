"""The daemon with a grabber that is pulled, comes back, sends another picture, and is too quick: nothing kept is lost,
and receipts say what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from fakes.command import run_command
from fakes.site import Site
from fakes.v4l2_device import BY_ID, FakeDevice, build, oracle

ROWS, COLUMNS = 16, 24
PLAIN = f"format GREY {COLUMNS}x{ROWS} 12x8\nrates 40\n"


class Grabbing:
    """A site with one such source, which captures by itself."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.site = Site(folder)
        self.device = FakeDevice(folder, library)

    def start(self, script: str, **source: Any) -> None:
        self.device.script(script)
        row = {"name": "grabber", "uri": f"v4l2:{BY_ID}", "sop_class": "us-mf", "clip_frames": 30, "every_s": 0.2}
        self.site.configure(destinations=[], sources=[{**row, **source}])
        self.site.start(env=self.device.environment({}))

    def wait(self, ready: Callable[[], bool]) -> None:
        until = time.monotonic() + 40
        while not ready():
            assert time.monotonic() < until, self.site.log()
            time.sleep(0.02)

    def clips(self, count: int) -> list[pydicom.Dataset]:
        """The first instances, each frame of them proven to be that of the device."""
        self.wait(lambda: len(self.site.rows()) >= count)
        return [pydicom.dcmread(path) for path in self.site.files()[:count]]

    def receipt(self, clip: pydicom.Dataset) -> dict[str, Any]:
        told = run_command("receipt", clip.SOPInstanceUID, "--config", self.site.config, "--json").json
        found: dict[str, Any] = next(event["detail"] for event in told["events"] if event["kind"] == "durable")
        return found


def proven(clip: pydicom.Dataset) -> list[int]:
    """The sequence numbers of its frames, which rise; each frame is what the device drew under its number."""
    frames = clip.pixel_array
    sequences = [int(frame[0, 0]) * pow(29, -1, 256) % 256 for frame in frames]
    assert sequences == sorted({*sequences})
    for frame, sequence in zip(frames, sequences, strict=True):
        np.testing.assert_array_equal(frame, oracle("GREY", sequence, clip.Rows, clip.Columns))
    return sequences


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("v4l2"))


@pytest.fixture
def grabbing(tmp_path: Path, library: Path) -> Iterator[Grabbing]:
    made = Grabbing(tmp_path / "site", library)
    yield made
    if made.site.agent is not None:
        made.site.stop()


def test_a_pulled_cable_ends_a_clip_and_the_next_begins_when_the_device_is_back(grabbing: Grabbing) -> None:
    grabbing.start(PLAIN + "gone 20\naway\n")
    (first,) = grabbing.clips(1)
    assert 1 < len(proven(first)) <= 20
    told = grabbing.receipt(first)
    assert (told["ended_by"], told["failure"]) == ("failed", "native.device")
    grabbing.wait(lambda: "cannot be opened: No such file or directory" in grabbing.site.log())
    assert "the device vanished while it was in use (VIDIOC_DQBUF: No such device, ENODEV)" in grabbing.site.log()
    grabbing.device.script(PLAIN)
    second = grabbing.clips(2)[1]
    assert len(proven(second)) == 30
    assert "failure" not in grabbing.receipt(second)


def test_another_picture_ends_a_clip_and_the_next_has_its_size(grabbing: Grabbing) -> None:
    grabbing.start(PLAIN + "change 20\n")
    first, second = grabbing.clips(2)
    assert proven(first)[0] == proven(second)[0] == 0
    assert [(clip.Columns, clip.Rows) for clip in (first, second)] == [(COLUMNS, ROWS), (12, 8)]
    assert "the device now sends pictures of another size or kind (V4L2_EVENT_SOURCE_CHANGE)" in grabbing.site.log()


def test_losses_stand_in_the_receipt_and_in_the_instance(grabbing: Grabbing) -> None:
    grabbing.start(PLAIN + "gap 2 3 7\nerror 4\nshort 5\n", clip_frames=10, captures=1)
    (clip,) = grabbing.clips(1)
    assert proven(clip) == [0, 1, 6, 8, 9, 10, 11, 12, 13, 14]
    told = grabbing.receipt(clip)
    assert (told["dropped"], told["lost"], told["damaged"]) == ("5", "3", "2")
    assert "Frames dropped during capture: 5" in clip.ImageComments


def test_a_processor_that_is_too_slow_drops_and_tells(grabbing: Grabbing) -> None:
    """A thousand frames/s are too much for any encoder; what is kept is whole."""
    wide = "format Y12 480x240\nrates 1000\n"
    grabbing.start(wide, clip_frames=20, captures=1, sop_class="sc-mf-word", burned_in_annotation="NO",
                   transfer_syntax="jpeg-ls")  # fmt: skip
    (clip,) = grabbing.clips(1)
    told = grabbing.receipt(clip)
    assert told["frames"] == "20"
    assert int(told["dropped"]) > 0
    assert f"Frames dropped during capture: {told['dropped']}" in clip.ImageComments
