"""A foot on the pedal of a real panel, beside the installed daemon."""

from __future__ import annotations

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from fakes.command import run_command
from fakes.noisy_line import NoisyLine
from fakes.panel import RealPanel
from fakes.site import Site, table
from pydicom.uid import UltrasoundImageStorage, UltrasoundMultiFrameImageStorage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

STILL = {"name": "still", "uri": "pattern:us-mono?rows=64&columns=64&rate_hz=50", "clip_frames": 1, "sop_class": "us"}
CLIP = {**STILL, "name": "clip", "sop_class": "us-mf", "clip_frames": 5000, "clip_s": 60.0}


class Bench:
    """Site, line and panel."""

    def __init__(self, folder: Path) -> None:
        self.line = NoisyLine(folder, random.Random(1))
        self.panel = RealPanel(self.line.there, folder)
        self.site = Site(folder / "site")
        self.frames = folder / "frames"
        self.site.configure(destinations=[], sources=[STILL, {**CLIP, "frame_digest_file": str(self.frames)}])
        rows = {"port": self.line.here, "foot": "still", "button": "clip", "foot_2": "clip", "foot_2_does": "toggle",
                "button_2": "clip", "button_2_does": "still", "watchdog_s": 60}  # fmt: skip
        self.site.config.write_text(self.site.config.read_text() + "\n" + table("[panel]", rows))
        self.agent = self.site.start()
        self.wait_for("there, firmware")

    def wait_for(self, text: str, times: int = 1) -> None:
        self.agent.wait_until(text, lambda: self.site.log().count(text) >= times)

    def press(self, place: int) -> None:
        for level in (1, 0):
            self.panel.move("level", place, level)
            time.sleep(0.2)  # a board that is simulated on a busy machine looks only now and then

    def close(self) -> None:
        self.site.stop()
        self.panel.stop()
        self.line.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_a_foot_is_a_trigger(bench: Bench) -> None:
    bench.panel.wait_for("lights 1 0 0 0")
    for number in (1, 2, 3):
        bench.press(0)
        bench.wait_for("captured ", number)
    assert [row.source for row in bench.site.rows()] == ["still"] * 3
    status = run_command("status", "--config", bench.site.config)
    assert "panel    firmware 0.2.0, last reset: power_on, 31.5 degrees" in status.stdout


def test_the_lights_say_that_it_captures(bench: Bench) -> None:
    bench.press(2)
    bench.panel.wait_for("lights 1 0 0 1")  # with a beep
    bench.press(2)
    bench.press(2)
    bench.wait_for("'button' was pressed and makes no capture of clip: a capture of clip is already waiting")
    bench.panel.wait_for("lights 0 0 1 1")


def test_the_firmware_is_updated_between_two_captures(bench: Bench) -> None:
    """Presses while it goes over are captures, and the panel restarts when nothing is recorded."""
    config = ("--config", str(bench.site.config))
    agent_says: dict[str, Any] = {}
    while not agent_says.get("running"):
        agent_says = json.loads(run_command("panel", "status", "--json", *config).stdout)
    assert (agent_says["firmware"], agent_says["running"]["slot"]) == ("0.2.0", "frozen")
    bench.press(2)
    bench.panel.wait_for("lights 1 0 0 1")
    refused = run_command("panel", "update", *config)
    assert (refused.returncode, "is capturing" in refused.stderr) == (42, True)
    run_command("trigger", "clip", "--stop", *config)
    bench.wait_for("captured ")
    broken = bench.site.config.parent / "broken.fw"
    done = run_command("panel", "bundle", "-o", str(broken), "--board", "simulated", *config)
    assert done.returncode == 0, done.stderr
    broken.write_bytes(broken.read_bytes()[:-1] + b"?")
    refused = run_command("panel", "update", str(broken), *config)
    assert (refused.returncode, "has another SHA-256" in refused.stderr) == (33, True), refused.stderr
    with ThreadPoolExecutor(1) as pool:
        update = pool.submit(run_command, "panel", "update", "--json", *config)
        bench.wait_for("goes to the panel")
        bench.press(0)
        bench.wait_for("captured ", 2)
        done = update.result()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["done"] is True
    bench.wait_for("its firmware was updated (0.2.0)")
    status = run_command("panel", "status", *config).stdout
    assert "slot a" in status
    bench.press(0)
    bench.wait_for("captured ", 3)


def test_a_press_that_comes_late_makes_nothing(bench: Bench) -> None:
    bench.line.pull()
    bench.press(0)
    time.sleep(2.5)
    bench.line.plug()
    bench.wait_for("'foot' was pressed and makes no capture of still: it was ")
    assert bench.site.rows() == []


def test_when_the_power_fails_a_clip_is_sealed(bench: Bench) -> None:
    bench.press(2)
    bench.agent.wait_until("it has frames", lambda: bench.frames.exists() and bench.frames.stat().st_size > 0)
    before = time.monotonic()
    bench.panel.move("power", 1)
    bench.wait_for("captured ")
    print(f"sealed {(time.monotonic() - before) * 1000:.0f} ms after the supply failed")
    bench.wait_for("the power is about to fail")
    assert [row.source for row in bench.site.rows()] == ["clip"]
    bench.wait_for("there, firmware", 2)  # and the agent is back, should the power be
    bench.press(0)
    bench.wait_for("the power is about to fail; captures are held for")
    bench.panel.wait_for("lights 0 0 1 1")
    bench.panel.move("power", 0)
    bench.wait_for("the power is well again: captures go on")
    bench.press(0)
    bench.wait_for("captured ", 2)
    assert [row.source for row in bench.site.rows()] == ["clip", "still"]


def test_a_pedal_begins_a_clip_and_ends_it_and_a_still_is_refused_meanwhile(bench: Bench) -> None:
    bench.press(1)
    bench.panel.wait_for("lights 1 0 0 1")
    bench.press(3)
    bench.wait_for("'button_2' was pressed and makes no still of clip: clip captures already; a still beside that is")
    bench.press(1)
    bench.wait_for("'foot_2' was pressed again: the clip of clip ends")
    bench.wait_for("ended by operator")
    bench.press(3)
    bench.wait_for("captured ", 2)
    clip, still = (pydicom.dcmread(path) for path in bench.site.files())
    assert (clip.SOPClassUID, still.SOPClassUID) == (UltrasoundMultiFrameImageStorage, UltrasoundImageStorage)
    assert 1 <= int(clip.NumberOfFrames) < 5000
    assert "NumberOfFrames" not in still
