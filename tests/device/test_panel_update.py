"""The panel's firmware is replaced over its line, on a real MicroPython: by good ones, bad ones, and without power."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest
from fakes.noisy_line import NoisyLine
from fakes.panel import RealPanel
from fakes.panel_proof import Driver

from agent.panel import bundle
from agent.panel.image import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agent.panel.update import Image

RATE = 10  # of the panel's time


def shipped(version: str, **changed: bytes | None) -> Image:
    """The firmware of this tree for the board of the tests, with another version, and modules that are otherwise."""
    image = bundle.shipped("simulated")
    files, at = {}, image.manifest_size
    for name, size, _ in image.manifest.files:
        files[name] = image.data[at : at + size]
        at += size
    numbers = version.replace(".", ", ").encode()
    files["panel.py"] = files["panel.py"].replace(b"FIRMWARE = (0, 2, 0)", b"FIRMWARE = (%s)" % numbers)
    files |= {f"{name}.py": text for name, text in changed.items() if text is not None}
    return bundle.make(files, "simulated", version)


class Site:
    """A panel, a line and an agent."""

    def __init__(self, folder: Path, noise: float = 0.0, **options: object) -> None:
        self.folder = folder
        self.line = NoisyLine(folder, random.Random(7), noise)
        self.panel = RealPanel(self.line.there, folder, rate=RATE, **options)
        self.driver = Driver(self.line.here)
        self.wait(lambda: bool(self.driver.panel.facts().get("running")))

    def wait(self, what: Callable[[], bool], within_s: float = 60) -> None:
        end = time.monotonic() + within_s
        while not what():
            assert time.monotonic() < end, (self.driver.panel.facts(), self.driver.said, self.panel.happened[-20:])
            time.sleep(0.01)

    def update(self, image: Image) -> dict[str, object]:
        """Do it; returns what became of it."""
        self.driver.panel.update(image, downgrade=False, may_restart=lambda: True)
        self.wait(lambda: self.facts["done"] or self.facts["failed"], within_s=150)
        return self.facts

    @property
    def facts(self) -> dict[str, object]:
        return dict(self.driver.panel.facts()["update"])

    def runs(self) -> tuple[str, str]:
        """Version and slot."""
        self.wait(lambda: bool(self.driver.panel.facts().get("running")))
        facts = self.driver.panel.facts()
        return facts["firmware"], facts["running"]["slot"]

    def close(self) -> None:
        self.panel.stop()
        self.driver.stop()
        self.line.close()


@pytest.fixture
def sites() -> Iterator[list[Site]]:
    made: list[Site] = []
    yield made
    for site in made:
        site.close()


def test_a_good_one_runs_and_stays_and_a_bad_one_does_not(sites: list[Site], tmp_path: Path) -> None:
    sites.append(site := Site(tmp_path))
    assert site.runs() == ("0.2.0", "frozen")
    began = time.monotonic()
    image = shipped("0.3.0")
    assert site.update(image)["failed"] == ""
    print(f"{len(image.data)} bytes in {time.monotonic() - began:.1f} s, starts: {site.panel.starts}")
    assert site.runs() == ("0.3.0", "a")
    flash = tmp_path / "flash"
    assert (flash / "slot").read_bytes() == b"1001"
    for name, _, _ in parse((flash / "a/manifest").read_bytes()).files:
        assert (flash / "a" / name).is_file()
    crashes = shipped("0.4.0", firmware=b"def run(slots):\n    raise ValueError('no')\n")
    assert "failed when it was started" in str(site.update(crashes)["failed"])
    assert site.runs() == ("0.3.0", "a")
    damaged = shipped("0.4.0", heart=b"this is no module\n")
    assert "failed when it was started" in str(site.update(damaged)["failed"])
    assert site.runs() == ("0.3.0", "a")
    site.panel.move("level", 0, 1)
    site.wait(lambda: any(event.pressed for event in site.driver.events))


def test_one_that_hears_nobody_is_taken_back(sites: list[Site], tmp_path: Path) -> None:
    """It feeds the watchdog of the processor for ever: what the frozen part has set up resets it."""
    sites.append(site := Site(tmp_path))
    deaf = b"import _pins\ndef run(slots):\n    while True:\n        _pins.feed()\n        _pins.rest()\n"
    assert "not heard in time" in str(site.update(shipped("0.4.0", firmware=deaf))["failed"])
    assert "guarded" in site.panel.happened
    assert site.runs() == ("0.2.0", "frozen")
    assert (tmp_path / "flash/slot").read_bytes() == b"0003"


@pytest.mark.parametrize("cut", [(1, 5), (1, 15), (2, 2)])
def test_power_goes_while_the_flash_is_written(sites: list[Site], tmp_path: Path, cut: tuple[int, int]) -> None:
    """In a file, between pointer and its renaming, and before the confirmation; the unit tests cut everywhere."""
    sites.append(site := Site(tmp_path, cut=cut))
    out = site.update(shipped("0.3.0"))
    assert "cut" in site.panel.happened
    assert site.runs()[0] in ("0.2.0", "0.3.0")
    if out["failed"]:
        assert "not heard in time" in str(out["failed"])
        assert site.update(shipped("0.3.0"))["failed"] == ""
    assert site.runs()[0] == "0.3.0"
