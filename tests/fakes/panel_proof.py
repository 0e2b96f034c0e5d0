"""An operator at a real panel whose line is bad, whose processor is reset, and whose cable is pulled.

``prove`` lets the firmware on MicroPython and the agent's driver live until so many frames were on the line, and
returns what the operator did and what the agent heard of it. The panel's time goes ten times as fast, and so does the
agent's part of the protocol.
"""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from fakes.noisy_line import NoisyLine
from fakes.panel import RealPanel

from agent.panel import session
from agent.panel.driver import Panel

if TYPE_CHECKING:
    from pathlib import Path

    from agent.panel.session import Event

RATE = 10
PULL_EVERY_S = 4.0
PULLED_S = 0.2


class Outcome(NamedTuple):
    """What came of it."""

    frames: int
    hit: int
    unheard: int  # whole frames in a row that a receiver did not take
    pressed: list[int]  # by the operator
    heard: list[int]  # by the agent
    numbers: list[int]
    starts: int  # of the processor
    pulls: int
    lost: int
    seconds: float


class Driver:
    """The agent's driver in a thread, and what it tells."""

    def __init__(self, port: str, *, watchdog_s: int = 0) -> None:
        self.events: list[Event] = []
        self.said: list[str] = []
        self.failed_at: list[float] = []
        self.shows = "ready"
        self.panel = Panel(
            port, self.events.append, lambda: self.shows, self._fails,
            lambda _level, text: self.said.append(text), watchdog_s=watchdog_s,
        )  # fmt: skip
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.panel.work, args=(self._stop,))
        self._thread.start()

    def _fails(self, fails: bool) -> None:
        if fails:
            self.failed_at.append(time.monotonic())

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def prove(folder: Path, frames: int, *, noise: float, resets: int, seed: int) -> Outcome:
    """Let it happen; ``resets`` in a thousand presses."""
    begun = time.monotonic()
    line = NoisyLine(folder, random.Random(seed), noise)
    before = session.BEAT_S, session.SILENT_S
    session.BEAT_S, session.SILENT_S = before[0] / RATE, before[1] / RATE  # type: ignore[misc]
    driver = Driver(line.here)
    panel = RealPanel(line.there, folder, rate=RATE, seed=seed, resets=resets)
    pulls = 0
    try:
        pull_at = time.monotonic() + PULL_EVERY_S
        while line.frames < frames:
            time.sleep(0.05)
            if time.monotonic() >= pull_at:
                line.pull()
                time.sleep(PULLED_S)
                line.plug()
                pulls += 1
                pull_at = time.monotonic() + PULL_EVERY_S
        panel.move("enough")
        panel.wait_for("enough")
        _settle(driver, panel)
        pressed = [int(one.split()[1]) for one in panel.happened if one.startswith("pressed")]
        heard = [one for one in driver.events if one.pressed]
        names = ("foot", "foot_2", "button", "button_2")
        return Outcome(
            line.frames, line.to_panel.hit + line.to_agent.hit, max(line.to_panel.unheard, line.to_agent.unheard),
            pressed, [names.index(one.input) for one in heard], [one.number for one in driver.events],
            panel.starts, pulls, int(driver.panel.facts().get("lost", 0)), time.monotonic() - begun,
        )  # fmt: skip
    finally:
        panel.stop()
        driver.stop()
        line.close()
        session.BEAT_S, session.SILENT_S = before  # type: ignore[misc]


def _settle(driver: Driver, panel: RealPanel) -> None:
    """Wait until all that was pressed has been heard, or nothing comes any more."""
    end = time.monotonic() + 20
    while time.monotonic() < end and sum(one.pressed for one in driver.events) < panel.count("pressed"):
        time.sleep(0.05)
    time.sleep(0.5)  # what would come twice
