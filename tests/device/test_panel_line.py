"""The agent's driver and the firmware on MicroPython, with a line between them."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest
from fakes.noisy_line import NoisyLine
from fakes.panel import RealPanel
from fakes.panel_proof import Driver, prove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def ends() -> Iterator[list[Driver | RealPanel]]:
    made: list[Driver | RealPanel] = []
    yield made
    for one in made:
        one.stop()


@pytest.fixture
def line(tmp_path: Path, ends: object) -> Iterator[NoisyLine]:
    made = NoisyLine(tmp_path, random.Random(1))
    yield made
    made.close()


def wait_until(true: Callable[[], object], timeout_s: float = 30) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_press_is_heard_and_the_lights_answer(
    ends: list[Driver | RealPanel], line: NoisyLine, tmp_path: Path
) -> None:
    ends += [panel := RealPanel(line.there, tmp_path), driver := Driver(line.here)]
    wait_until(lambda: driver.panel.facts()["present"])
    before = time.monotonic()
    panel.move("level", 0, 1)
    wait_until(lambda: driver.events)
    event = driver.events[0]
    assert (event.input, event.pressed) == ("foot", True)
    assert event.at is not None
    assert before - event.uncertainty_s <= event.at <= time.monotonic() + event.uncertainty_s
    driver.shows = "capturing"
    panel.wait_for("lights 1 0 0 1")
    assert driver.panel.facts()["firmware"] == "0.2.0"


def test_a_cable_that_was_pulled_costs_nothing(ends: list[Driver | RealPanel], line: NoisyLine, tmp_path: Path) -> None:
    ends += [panel := RealPanel(line.there, tmp_path), driver := Driver(line.here)]
    wait_until(lambda: driver.panel.facts()["present"])
    line.pull()
    wait_until(lambda: not driver.panel.facts()["present"])
    panel.move("level", 0, 1)
    line.plug()
    wait_until(lambda: driver.events)
    assert [event.number for event in driver.events] == [1]
    assert [text for text in driver.said if "there, firmware" in text] == [
        "there, firmware 0.2.0, last reset: power_on"
    ] * 2


def test_an_agent_that_is_gone_has_its_power_cycled(
    ends: list[Driver | RealPanel], line: NoisyLine, tmp_path: Path
) -> None:
    ends += [panel := RealPanel(line.there, tmp_path, rate=10), driver := Driver(line.here, watchdog_s=60)]
    wait_until(lambda: "armed" in driver.panel.facts().get("flags", ()))
    line.pull()  # as a dead agent: nothing is said
    panel.wait_for("off 1")
    panel.wait_for("off 0")


def test_an_agent_that_ends_in_order_is_left_alone(
    ends: list[Driver | RealPanel], line: NoisyLine, tmp_path: Path
) -> None:
    ends += [panel := RealPanel(line.there, tmp_path, rate=10), driver := Driver(line.here, watchdog_s=20)]
    wait_until(lambda: "armed" in driver.panel.facts().get("flags", ()))
    ends.remove(driver)
    driver.stop()
    time.sleep(3)  # thirty seconds of the panel
    assert panel.count("off") == 0


def test_failing_power_is_told_at_once(ends: list[Driver | RealPanel], line: NoisyLine, tmp_path: Path) -> None:
    ends += [panel := RealPanel(line.there, tmp_path), driver := Driver(line.here)]
    wait_until(lambda: driver.panel.facts().get("inputs") == [])
    wait_until(lambda: driver.panel.facts()["temperature_c"] == 31.5)
    before = time.monotonic()
    panel.move("power", 1)
    wait_until(lambda: driver.failed_at)
    print(f"power failure told after {(driver.failed_at[0] - before) * 1000:.1f} ms")
    assert driver.failed_at[0] - before < 1  # a few milliseconds on a machine that is not busy
    panel.move("power", 0)
    time.sleep(0.3)
    assert len(driver.failed_at) == 1


def test_no_press_is_lost_or_doubled_on_a_bad_line(tmp_path: Path, seed: int) -> None:
    """``scripts/panel`` does it with 100,000 frames."""
    outcome = prove(tmp_path, 2500, noise=0.01, resets=10, seed=seed % 1000 + 1)
    assert outcome.heard == outcome.pressed
    assert outcome.numbers == list(range(1, len(outcome.numbers) + 1))
    assert (outcome.unheard, outcome.lost) == (0, 0)
    assert len(outcome.heard) > 100
    assert outcome.hit > 250
