"""What an operator gets: the installed daemon, a real panel, sources whose frames carry their number and time.

The marks are read from the pixels of the instances, which say by themselves which frame they are of.
"""

from __future__ import annotations

import json
import random
import re
import time
from typing import TYPE_CHECKING, NamedTuple

import pydicom
import pytest
from fakes.command import run_command
from fakes.noisy_line import NoisyLine
from fakes.panel import RealPanel
from fakes.site import Archive, Site, table

from agent.native.frame import FrameDescription, Mark, read_mark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

RATE_HZ = 25
URI = f"pattern:us-mono?rows=128&columns=128&rate_hz={RATE_HZ}"
CLIP = {"name": "probe", "uri": URI, "sop_class": "us-mf", "clip_frames": 5000, "clip_s": 60.0, "pre_trigger_s": 1.0}
XRAY = {"name": "detector", "uri": URI, "sop_class": "us", "pre_trigger_s": 1.0, "exposure_delay_ms": 5.0,
        "exposure_window_ms": 120.0}  # fmt: skip


class Instance(NamedTuple):
    """One, and the marks of its frames."""

    image: pydicom.Dataset
    marks: list[Mark]


class Bench:
    """Site, archive, line and panel."""

    def __init__(self, folder: Path) -> None:
        self.line = NoisyLine(folder, random.Random(1))
        self.panel = RealPanel(self.line.there, folder)
        self.archive = Archive(folder / "archive")
        self.archive.start()
        self.site = Site(folder / "site")
        to = {"name": "pacs", "called_ae": "BENCH", "port": self.archive.port}
        self.site.configure(destinations=[to], sources=[CLIP, XRAY])
        rows = {"port": self.line.here, "foot": "probe", "foot_does": "toggle", "exposure": "detector"}
        self.site.config.write_text(self.site.config.read_text() + "\n" + table("[panel]", rows))
        self.agent = self.site.start()
        self.panel.wait_for("lights 1 0 0 0")

    def wait_for(self, text: str, times: int = 1) -> None:
        self.agent.wait_until(text, lambda: self.site.log().count(text) >= times)

    def status(self) -> str:
        return run_command("status", "--config", self.site.config).stdout

    def told(self, one: Instance) -> dict[str, str]:
        """What its receipt says of the capture."""
        uid = str(one.image.SOPInstanceUID)
        said = json.loads(run_command("receipt", uid, "--json", "--config", self.site.config).stdout)
        detail: dict[str, str] = said["events"][0]["detail"]
        return detail

    def press(self) -> None:
        self.panel.move("level", 0, 1)
        time.sleep(0.2)
        self.panel.move("level", 0, 0)

    def received(self, count: int) -> list[Instance]:
        """What has come to the archive, which is where it is looked at."""
        self.agent.wait_until("everything is committed", lambda: self.site.all_in("committed", count))
        return [_read(path) for _, path in self.archive.index()]

    def close(self) -> None:
        self.site.stop()
        self.panel.stop()
        self.archive.stop()
        self.line.close()


def _read(path: Path) -> Instance:
    image = pydicom.dcmread(path)
    shape = FrameDescription(image.Rows, image.Columns)
    size = shape.frame_bytes
    frames = [image.PixelData[at : at + size] for at in range(0, int(image.get("NumberOfFrames", 1)) * size, size)]
    marks = [read_mark(frame, shape) for frame in frames]
    assert None not in marks
    return Instance(image, marks)  # type: ignore[arg-type]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000 & 0xFFFFFFFF


def test_a_clip_has_the_second_before_the_pedal_each_frame_once_and_in_order(bench: Bench) -> None:
    bench.agent.wait_until("it is armed", lambda: "armed, waits for a trigger" in bench.status())
    time.sleep(1.2)
    pressed = _now_ms()
    bench.press()
    bench.wait_for("'foot' was pressed: a clip of probe")
    heard = _now_ms()  # the pedal was pressed in between
    time.sleep(0.7)
    stopped = _now_ms()
    bench.press()
    bench.wait_for("ended by operator")
    ended = _now_ms()
    (clip,) = bench.received(1)
    numbers = [mark.number for mark in clip.marks]
    dropped = int(re.search(r"frames?, (\d+) dropped", bench.site.log()).group(1))  # type: ignore[union-attr]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] - numbers[0] + 1 - len(numbers) == dropped
    first, last = clip.marks[0].timestamp_ms, clip.marks[-1].timestamp_ms
    before_s = float(bench.told(clip)["pre_trigger_s"])
    assert 0.2 < before_s <= 1.0  # a busy machine may have lost the first ones, and the last
    assert pressed - 100 <= first + 1000 * before_s <= heard + 100  # as well as a busy machine knows the panel's clock
    assert stopped - 500 <= last <= ended
    began = clip.image.ContentTime if "ContentTime" in clip.image else clip.image.AcquisitionTime
    monotonic_ms = _now_ms() - first
    wall = time.time() - monotonic_ms / 1000
    assert _seconds(str(began)) == pytest.approx(_local_seconds(wall), abs=0.5)


def _seconds(text: str) -> float:
    return int(text[:2]) * 3600 + int(text[2:4]) * 60 + float(text[4:])


def _local_seconds(wall: float) -> float:
    local = time.localtime(wall)
    return local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec + wall % 1


def test_each_exposure_has_the_first_frame_after_it(bench: Bench) -> None:
    bench.agent.wait_until("it is armed", lambda: bench.status().count("armed, waits for a trigger") == 2)
    exposed = []
    for _ in range(5):
        time.sleep(0.35 + random.Random(len(exposed)).random() * 0.1)
        exposed.append(_now_ms())
        bench.panel.move("exposure", 1)
        time.sleep(0.05)
        bench.panel.move("exposure", 0)
    bench.wait_for("captured ", 5)
    images = sorted(bench.received(5), key=lambda one: one.marks[0].number)
    assert len({one.marks[0].number for one in images}) == 5
    beyond = []
    for moment, one in zip(exposed, images, strict=True):
        ((_, begun),) = one.marks
        told = bench.told(one)
        after, known = float(told["exposure_to_frame_ms"]), float(told["exposure_known_to_ms"])
        heard = begun - after  # when the panel saw it, by our clock
        assert moment - known - 2 <= heard <= moment + 300 + known
        assert 5 + known - 1.5 <= after <= 5 + 120 - known + 1.5
        beyond.append(after - known - 5)
    assert sorted(beyond)[2] <= 1000 / RATE_HZ + 10  # the others may be of a source that a busy machine held up
    assert "HAS NO IMAGE" not in bench.site.log()


def test_a_source_that_is_unplugged_is_told_at_once_and_opened_again(tmp_path: Path) -> None:
    raw = tmp_path / "frames.raw"
    raw.write_bytes(bytes(256 * 50))
    (tmp_path / "frames.toml").write_text("rows = 16\ncolumns = 16\n")
    line = NoisyLine(tmp_path, random.Random(1))
    panel = RealPanel(line.there, tmp_path)
    site = Site(tmp_path / "site")
    uri = f"replay:{raw}?rate_hz=50&repeat=1"
    source = {"name": "probe", "uri": uri, "sop_class": "us-mf", "pre_trigger_s": 1.0, "clip_frames": 20}
    site.configure(destinations=[], sources=[source])
    site.config.write_text(site.config.read_text() + "\n" + table("[panel]", {"port": line.here, "foot": "probe"}))
    agent = site.start()
    try:
        panel.wait_for("lights 1 0 0 0")
        agent.wait_until("it is armed", lambda: "armed, waits for a trigger" in _status(site))
        raw.write_bytes(b"")
        agent.wait_until("it is told", lambda: "error   from probe: " in site.log())
        panel.wait_for("lights 0 0 1 1")
        done = run_command("trigger", "probe", "--config", site.config)
        assert (done.returncode, "capture.not_armed" in done.stderr) == (6, True)
        raw.write_bytes(bytes(256 * 50))
        agent.wait_until("it is armed again", lambda: "armed, waits for a trigger" in _status(site))
        assert run_command("trigger", "probe", "--config", site.config).returncode == 0
        agent.wait_until("it captures", lambda: "captured " in site.log())
    finally:
        site.stop()
        panel.stop()
        line.close()


def _status(site: Site) -> str:
    return run_command("status", "--config", site.config).stdout
