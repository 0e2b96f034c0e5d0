"""A serial line of two pseudo terminals, as fast as its speed allows: a pseudo terminal alone paces nothing.

A token bucket per direction: ten bits a byte (8N1), a burst of one FIFO of a UART. What waits is bounded, so that a
writer is held up as by a real line.
"""

from __future__ import annotations

import os
import pty
import select
import threading
import time
import tty

FIFO = 16
_HELD = 4096


class PacedLine:
    """``near`` and ``far`` are devices to open; bytes go from one to the other."""

    def __init__(self, baud: int) -> None:
        self._rate = baud / 10
        self._ends = []
        names = []
        for _ in range(2):
            master, slave = pty.openpty()
            tty.setraw(slave)
            os.set_blocking(master, False)
            self._ends.append((master, slave))  # the slave stays open, so that nobody sees a hang-up
            names.append(os.ttyname(slave))
        self.near, self.far = names
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> PacedLine:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over = True
        self._thread.join()
        for pair in self._ends:
            for fd in pair:
                os.close(fd)

    def _run(self) -> None:
        masters = [master for master, _ in self._ends]
        held = {fd: bytearray() for fd in masters}  # what was read of it
        tokens = dict.fromkeys(masters, float(FIFO))
        last = time.monotonic()
        while not self._over:
            wanted = [fd for fd in masters if len(held[fd]) < _HELD]
            ready = select.select(wanted, [], [], FIFO / self._rate / 2 if any(held.values()) else 0.05)[0]
            for fd in ready:
                try:
                    held[fd] += os.read(fd, _HELD)
                except OSError:
                    continue
            now = time.monotonic()
            for fd, other in zip(masters, reversed(masters), strict=True):
                tokens[fd] = min(tokens[fd] + (now - last) * self._rate, FIFO + self._rate * 0.02)
                count = min(int(tokens[fd]), len(held[fd]))
                if count:
                    try:
                        count = os.write(other, held[fd][:count])
                    except BlockingIOError:
                        count = 0
                    del held[fd][:count]
                    tokens[fd] -= count
            last = now
