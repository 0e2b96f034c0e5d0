"""SIGKILL between the steps that an event of the panel takes: a press has one image at most, and none silently."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import dying_agent
from fakes.dying_agent import ASKED, NEVER, NOTED, ORDERED, SEALED
from fakes.noisy_line import NoisyLine
from fakes.panel import RealPanel
from fakes.process import Process
from fakes.site import Site, table

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

STILL = {"name": "still", "uri": "pattern:us-mono?rows=64&columns=64&rate_hz=50", "sop_class": "us"}


class Bench:
    """A panel that is on all the time, and agents that die."""

    def __init__(self, folder: Path) -> None:
        self.line = NoisyLine(folder, random.Random(1))
        self.panel = RealPanel(self.line.there, folder)
        self.site = Site(folder / "site")
        self.site.configure(destinations=[], sources=[STILL])
        panel = table("[panel]", {"port": self.line.here, "foot": "still"})
        self.site.config.write_text(self.site.config.read_text() + "\n" + panel)
        self.lives = 0

    def live(self, point: str) -> Process:
        """Begin a life that ends at this point of the next press."""
        command = [sys.executable, str(Path(dying_agent.__file__)), point, "run", "--config", str(self.site.config)]
        agent = Process(command, self.site.folder / "agent.log")
        self.lives += 1
        agent.wait_until("it hears the panel", lambda: self.site.log().count("there, firmware") == self.lives)
        return agent

    def press(self) -> None:
        for level in (1, 0):
            self.panel.move("level", 0, level)
            time.sleep(0.2)

    def close(self) -> None:
        self.panel.stop()
        self.line.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_a_press_has_one_image_whenever_the_agent_dies(bench: Bench) -> None:
    images = 0
    for point in (ASKED, ORDERED, SEALED, NOTED):
        dying = bench.live(point)
        bench.press()
        dying.wait_until("it is dead", lambda dying=dying: dying.poll() is not None)  # type: ignore[misc]
        dying.stop()
        living = bench.live(NEVER)
        images += point != NOTED
        living.wait_until("there is an image of the press", lambda: len(bench.site.rows()) >= images)  # noqa: B023
        time.sleep(0.5)  # another one
        assert len(bench.site.rows()) == images, point
        assert ("asked for an image of still, and there is none" in bench.site.log()) == (point == NOTED), point
        living.stop()
    assert "events of the panel are lost" not in bench.site.log()
