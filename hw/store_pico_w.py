"""The flash of a Raspberry Pi Pico W. Frozen: no update replaces this."""

import machine
from store import Store


class PicoStore(Store):
    """Its littlefs, and a timer that a firmware which hangs in its loop does not stop."""

    def __init__(self) -> None:
        super().__init__()
        self._timer = machine.Timer(-1)

    def guard(self, ms: int) -> None:
        self._timer.deinit()
        if ms:
            self._timer.init(mode=machine.Timer.ONE_SHOT, period=ms, callback=self._late, hard=True)

    def _late(self, _timer: machine.Timer) -> None:
        machine.reset()

    def reset(self) -> None:
        machine.reset()
