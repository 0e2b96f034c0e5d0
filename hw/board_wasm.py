"""The board of the tests: MicroPython as WebAssembly under node, whose pins and line are functions of JavaScript.

Bytes do not pass between the two languages, so the line and the kept memory are files.
"""

import time

import _pins
from board import KEPT, Board


class Simulated(Board):
    """Everything a Pico W has, at the speed that the test wants."""

    kind = 2
    abilities = 0b01111

    def __init__(self) -> None:
        super().__init__()
        self.cause = _pins.cause()
        self.serial = 0x5741534D
        self._line_in = open("/dev/line", "rb")
        self._line_out = open("/dev/line", "wb")
        self._kept = open("/dev/kept", "r+b")

    def ticks(self) -> int:
        return _pins.ticks()

    def ticks_between(self, then: int, now: int) -> int:
        return time.ticks_diff(now, then)

    def random(self) -> int:
        return _pins.random()

    def read(self, buffer: bytearray) -> int:
        return self._line_in.readinto(buffer) or 0

    def write(self, buffer: bytearray, size: int) -> None:
        self._line_out.write(memoryview(buffer)[:size])

    def level(self, place: int) -> int:
        return _pins.level(place)

    def power_fails(self) -> bool:
        return _pins.power_fails()

    def temperature(self) -> int:
        return _pins.temperature()

    def lights(self, green: int, amber: int, red: int, buzzer: int) -> None:
        _pins.lights(green, amber, red, buzzer)

    def power_cycle(self, on: int) -> None:
        _pins.power_cycle(on)

    def feed(self) -> None:
        _pins.feed()

    def keep(self, data: bytearray) -> None:
        self._kept.write(data)

    def kept(self) -> bytes:
        return self._kept.read(KEPT)

    def rest(self) -> None:
        """Let JavaScript move the pins, and tell the edges of the exposure input."""
        edges = _pins.rest()
        for level in range(2):
            if edges >> level & 1:
                self.edge(_pins.edge(level), level)
