"""Raspberry Pi Pico W. Pins by number of GPIO; switches and sensors pull to ground, so pressed is 0 there."""

import os
import time

import machine
from board import BUTTON, BUTTON_2, FOOT, FOOT_2, KEPT, Board
from messages import BAUD

_SWITCHES = {FOOT: 6, FOOT_2: 7, BUTTON: 8, BUTTON_2: 9}
_LIGHTS = (18, 19, 20, 21)  # green, amber, red, buzzer
_EXPOSURE, _POWER_GOOD, _POWER_CYCLE = 10, 11, 22
_TX, _RX = 0, 1
_WATCHDOG_MS = 2000  # the loop takes less than one
_SCRATCH = 0x4005800C  # RP2040 4.7.6: SCRATCH0 to 3, which the boot ROM and MicroPython leave alone
_CAUSES = {machine.PWRON_RESET: 1, machine.WDT_RESET: 3}  # machine.reset() is one by the watchdog, too
_THERMOMETER = 4  # channel of the converter; RP2040 4.9.5: 0.706 V at 27 degrees, 1.721 mV less for each more


class PicoW(Board):
    """The board as it is wired in the table above."""

    kind = 1
    abilities = 0b01111  # exposure, temperature, power_fail, power_cycle

    def __init__(self) -> None:
        super().__init__()
        pin = machine.Pin
        self.cause = _CAUSES.get(machine.reset_cause(), 0)
        self.serial = int.from_bytes(machine.unique_id(), "little")
        self._switches = [pin(_SWITCHES[place], pin.IN, pin.PULL_UP) for place in sorted(_SWITCHES)]
        self._lights = [pin(number, pin.OUT, value=0) for number in _LIGHTS]
        self._cycle = pin(_POWER_CYCLE, pin.OUT, value=0)
        self._power_good = pin(_POWER_GOOD, pin.IN, pin.PULL_UP)
        self._exposure = pin(_EXPOSURE, pin.IN, pin.PULL_UP)
        self._exposure.irq(self._exposed, pin.IRQ_FALLING | pin.IRQ_RISING)
        self._heat = machine.ADC(_THERMOMETER)
        self._line = machine.UART(0, BAUD, tx=pin(_TX), rx=pin(_RX), rxbuf=1024, txbuf=1024)
        self._wdt = machine.WDT(timeout=_WATCHDOG_MS)

    def _exposed(self, pin: machine.Pin) -> None:
        self.edge(self.ticks(), 1 - pin.value())

    def ticks(self) -> int:
        return time.ticks_us()  # type: ignore[return-value]  # small integers that the stubs keep opaque

    def ticks_between(self, then: int, now: int) -> int:
        return time.ticks_diff(now, then)

    def random(self) -> int:
        return int.from_bytes(os.urandom(4), "little")

    def read(self, buffer: bytearray) -> int:
        return self._line.readinto(buffer, min(self._line.any(), len(buffer))) or 0

    def write(self, buffer: bytearray, size: int) -> None:
        self._line.write(memoryview(buffer)[:size])

    def level(self, place: int) -> int:
        return 1 - self._switches[place].value()

    def power_fails(self) -> bool:
        return not self._power_good.value()

    def temperature(self) -> int:
        volts = self._heat.read_u16() * 3.3 / 65535
        return int((27 - (volts - 0.706) / 0.001721) * 100)

    def lights(self, green: int, amber: int, red: int, buzzer: int) -> None:
        for pin, on in zip(self._lights, (green, amber, red, buzzer)):
            pin.value(on)

    def power_cycle(self, on: int) -> None:
        self._cycle.value(on)

    def feed(self) -> None:
        self._wdt.feed()

    def keep(self, data: bytearray) -> None:
        for at in range(0, KEPT, 4):
            machine.mem32[_SCRATCH + at] = int.from_bytes(data[at : at + 4], "little")

    def kept(self) -> bytes:
        return b"".join([(machine.mem32[_SCRATCH + at] & 0xFFFFFFFF).to_bytes(4, "little") for at in range(0, KEPT, 4)])

    def rest(self) -> None:
        """Give the line and the interrupts a moment."""
        time.sleep_us(500)
