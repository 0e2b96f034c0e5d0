"""A serial line between two pseudo terminals: as slow as its baud rate, and as noisy as one likes.

A pty paces nothing and never errs. Here every direction has a bucket of ``baud / 10`` bytes a second, and each byte is
hit with probability ``noise`` (one bit of it turns), from a seed: the same transfer meets the same noise again.
"""

from __future__ import annotations

import contextlib
import os
import pty
import random
import select
import threading
import time
import tty
from typing import Self

_CHUNK = 512
_TURN_S = 0.002
_KEPT = 2048  # bytes that wait in one direction: a UART and its driver have no more


class _Way:
    """One direction."""

    def __init__(self, source: int, sink: int, chance: random.Random) -> None:
        self.source, self.sink, self.chance = source, sink, chance
        self.waiting = b""
        self.carried = bytearray()
        self.hit = 0
        self.over = False

    def take(self) -> None:
        try:
            data = os.read(self.source, _CHUNK)
        except OSError:
            data = b""
        self.over = not data
        self.waiting += data

    def give(self, count: int, noise: float) -> None:
        data = bytearray(self.waiting[:count])
        for at in range(len(data)):
            if noise and self.chance.random() < noise:
                data[at] ^= 1 << self.chance.randrange(8)
                self.hit += 1
        with contextlib.suppress(OSError):
            done = os.write(self.sink, data)
            self.carried += data[:done]
            self.waiting = self.waiting[done:]


class Line:
    """Carries bytes between two pairs of descriptors (from, to) in a thread of its own, until it is closed."""

    def __init__(
        self, near: tuple[int, int], far: tuple[int, int], *, baud: int = 0, noise: float = 0.0, seed: int = 1
    ):
        chance = random.Random(seed)
        self.baud, self.noise = baud, noise
        self.cut = False  # a cable that is pulled: what goes in comes out nowhere
        self.to_far = _Way(near[0], far[1], chance)
        self.to_near = _Way(far[0], near[1], chance)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        last, share = time.monotonic(), 0.0
        ways = (self.to_far, self.to_near)
        while not self._end.is_set():
            ready = [way.source for way in ways if not way.over and len(way.waiting) < _KEPT]
            with contextlib.suppress(OSError, ValueError):
                found = select.select(ready, [], [], _TURN_S)[0]
                for way in ways:
                    if way.source in found:
                        way.take()
            now = time.monotonic()
            share = min(share + (now - last) * self.baud / 10, 64.0) if self.baud else float(_CHUNK)
            last = now
            count = int(share)
            if count:
                share -= count if self.baud else 0
                for way in ways:
                    if self.cut:
                        way.waiting = b""
                    elif way.waiting:
                        way.give(count, self.noise)

    def close(self) -> None:
        """End it; whoever opened the descriptors closes them."""
        self._end.set()
        self._thread.join(5)


class Terminals:
    """Two pseudo terminals with a line between them: ``near`` and ``far`` are the names of their slaves."""

    def __init__(self, *, baud: int = 0, noise: float = 0.0, seed: int = 1) -> None:
        self._fds = []
        names = []
        for _ in range(2):
            master, slave = pty.openpty()
            tty.setraw(slave)
            os.set_blocking(master, False)
            self._fds += [master, slave]  # a slave that is held keeps the line up while nobody has it open
            names.append(os.ttyname(slave))
        self.near, self.far = names
        near, far = self._fds[0], self._fds[2]
        self.line = Line((near, near), (far, far), baud=baud, noise=noise, seed=seed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()
        for fd in self._fds:
            os.close(fd)
