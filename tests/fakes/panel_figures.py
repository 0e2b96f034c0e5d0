"""How long a panel takes to cycle the power of a dead agent, to have a clip sealed, and for an update."""

from __future__ import annotations

import random
import statistics
import time
from typing import TYPE_CHECKING, Any

from fakes.noisy_line import NoisyLine
from fakes.panel import RealPanel
from fakes.panel_proof import Driver
from fakes.site import Site, table

from agent.panel import bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RATE = 10  # of the panel's time, where an agent's own does not matter
WATCHDOG_S = 20
_CLIP = {"name": "clip", "uri": "pattern:us-mono?rows=480&columns=640&rate_hz=30", "clip_frames": 5000, "clip_s": 60.0,
         "sop_class": "us-mf"}  # fmt: skip


def wait(what: Callable[[], bool], within_s: float = 60) -> float:
    """Wait for it; returns the seconds."""
    begun = time.monotonic()
    while not what():
        assert time.monotonic() < begun + within_s
        time.sleep(0.001)
    return time.monotonic() - begun


def watchdog(folder: Path) -> dict[str, Any]:
    """An agent that says nothing more, and is not there after the cycle either."""
    line = NoisyLine(folder, random.Random(1))
    panel = RealPanel(line.there, folder, rate=RATE)
    driver = Driver(line.here, watchdog_s=WATCHDOG_S)
    try:
        wait(lambda: "armed" in driver.panel.facts().get("flags", ()))
        line.pull()
        fired_s = wait(lambda: "off 1" in panel.happened) * RATE
        off_s = wait(lambda: "off 0" in panel.happened) * RATE
        return {"watchdog_asked_s": WATCHDOG_S, "watchdog_fired_s": round(fired_s, 1), "power_off_s": round(off_s, 1)}
    finally:
        panel.stop()
        driver.stop()
        line.close()


def power_fail(folder: Path, times: int) -> dict[str, Any]:
    """From the pin of the supply to a clip that is sealed, on an installed daemon."""
    line = NoisyLine(folder, random.Random(1))
    panel = RealPanel(line.there, folder)
    site = Site(folder / "site")
    site.configure(destinations=[], sources=[_CLIP])
    config = site.config.read_text() + "\n" + table("[panel]", {"port": line.here, "button": "clip"})
    site.config.write_text(config)
    sealed: list[float] = []
    starts = 0
    try:
        site.start()
        while len(sealed) < times:
            starts += 1
            wait(lambda n=starts: site.log().count("there, firmware") >= n)
            time.sleep(3.0)  # an agent that has seen the supply fail holds captures until it is well
            panel.move("level", 2, 1)
            wait(lambda n=starts: site.log().count("was pressed: a capture") >= n)
            time.sleep(3.0)
            panel.move("level", 2, 0)
            before = site.log().count("is not made"), len(list(site.files()))
            panel.move("power", 1)
            ends = wait(lambda b=before: (site.log().count("is not made"), len(list(site.files()))) != b)
            if site.log().count("is not made") == before[0]:  # else there was no frame yet that could be sealed
                sealed.append(ends * 1000)
            panel.move("power", 0)
        return {"power_fails": times, "sealed_ms_median": round(statistics.median(sealed)),
                "sealed_ms_most": round(max(sealed))}  # fmt: skip
    finally:
        site.stop()
        panel.stop()
        line.close()


def update(folder: Path, noise: float, seed: int) -> dict[str, Any]:
    """The firmware of this tree goes over the line."""
    line = NoisyLine(folder, random.Random(seed), noise)
    panel = RealPanel(line.there, folder)
    driver = Driver(line.here)
    image = bundle.shipped("simulated")
    try:
        wait(lambda: bool(driver.panel.facts().get("running")))
        driver.panel.update(image, downgrade=False, may_restart=lambda: True)
        facts = driver.panel.facts
        seconds = wait(lambda: facts()["update"]["done"] or facts()["update"]["failed"], within_s=900)
        return {"update_bytes": len(image.data), "update_noise": noise, "update_s": round(seconds, 1),
                "update_failed": facts()["update"]["failed"]}  # fmt: skip
    finally:
        panel.stop()
        driver.stop()
        line.close()
