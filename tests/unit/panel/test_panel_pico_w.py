"""The wiring of a Pico W, against a ``machine`` that notes what is done with it."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from fakes import firmware  # noqa: F401  the modules of hw/ by their own names

if TYPE_CHECKING:
    from collections.abc import Iterator


class Pin:
    """Level 1 where nothing pulls it down."""

    IN, OUT, PULL_UP, IRQ_FALLING, IRQ_RISING = range(5)
    made: dict[int, Pin]

    def __init__(self, number: int, *_mode: int, value: int = 1) -> None:
        self._level = value
        Pin.made[number] = self

    def value(self, level: int | None = None) -> int:
        if level is not None:
            self._level = level
        return self._level

    def irq(self, handler: Any, _edges: int) -> None:
        self.handler = handler


class Adc:
    volts = 0.706

    def __init__(self, channel: int) -> None:
        assert channel == 4

    def read_u16(self) -> int:
        return round(self.volts / 3.3 * 65535)


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    Pin.made = {}
    machine = SimpleNamespace(
        Pin=Pin, ADC=Adc, UART=lambda *_a, **_k: None, WDT=lambda timeout: SimpleNamespace(timeout=timeout),
        PWRON_RESET=1, WDT_RESET=3, reset_cause=lambda: 3, unique_id=lambda: bytes(8), mem32={},
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "machine", machine)
    monkeypatch.setattr("time.ticks_us", lambda: 1234, raising=False)
    monkeypatch.delitem(sys.modules, "board_pico_w", raising=False)
    import board_pico_w

    yield board_pico_w.PicoW()
    sys.modules.pop("board_pico_w", None)


@pytest.mark.parametrize(("volts", "degrees"), [(0.706, 27.0), (0.706 - 0.01721, 37.0), (0.706 + 0.04303, 2.0)])
def test_the_temperature_is_that_of_the_data_sheet(board: Any, volts: float, degrees: float) -> None:
    board._heat.volts = volts
    assert board.temperature() / 100 == pytest.approx(degrees, abs=0.05)


def test_a_switch_pulls_to_ground_and_lights_are_four_outputs(board: Any) -> None:
    assert [board.level(place) for place in range(4)] == [0, 0, 0, 0]
    Pin.made[7].value(0)
    assert [board.level(place) for place in range(4)] == [0, 1, 0, 0]
    board.lights(1, 0, 0, 1)
    assert [Pin.made[number].value() for number in (18, 19, 20, 21)] == [1, 0, 0, 1]
    assert not board.power_fails()
    Pin.made[11].value(0)
    assert board.power_fails()
    board.power_cycle(1)
    assert Pin.made[22].value() == 1


def test_an_exposure_is_noted_with_its_level(board: Any) -> None:
    Pin.made[10].value(0)
    Pin.made[10].handler(Pin.made[10])
    assert board.next_edge() == (1234, 1)


def test_what_is_kept_goes_through_four_registers(board: Any) -> None:
    data = bytearray(range(240, 256))
    board.keep(data)
    assert board.kept() == bytes(data)
