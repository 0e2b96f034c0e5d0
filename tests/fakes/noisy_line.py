"""A serial line between two ptys that hits bytes, loses them, and can be pulled out, and knows what it has done.

It works frame by frame, so that it can say of each one whether it arrived whole, and whether a receiver that heard all
that came before then took it.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import threading
import tty
from typing import TYPE_CHECKING

from agent.panel.framing import Decoder

if TYPE_CHECKING:
    import random
    from pathlib import Path


class Way:
    """One direction."""

    def __init__(self, rng: random.Random, noise: float) -> None:
        self.frames = 0
        self.hit = 0
        self.unheard = 0  # in a row, at most, of frames that came whole
        self._rng = rng
        self._noise = noise
        self._held = b""
        self._judge = Decoder()
        self._row = 0

    def carry(self, data: bytes) -> bytes:
        """Return what comes out at the other end."""
        *frames, self._held = _cut(self._held + data)
        return b"".join(map(self._carry_frame, frames))

    def _carry_frame(self, frame: bytes) -> bytes:
        self.frames += 1
        out = bytearray()
        for byte in frame:
            dice = self._rng.random()
            if dice >= self._noise * 1.1:
                out.append(byte)
            elif dice < self._noise:
                out.append(self._rng.randrange(256))
        if self._rng.random() < self._noise / 10:
            del out[self._rng.randrange(len(out) + 1) :]
        whole = out == frame
        self.hit += not whole
        taken = at = 0
        while at < len(out):
            at = self._judge.feed(out, at, len(out))
            taken += self._judge.size > 0
        self._row = self._row + 1 if whole and not taken else 0 if whole else self._row
        self.unheard = max(self.unheard, self._row)
        return bytes(out)


def _cut(data: bytes) -> list[bytes]:
    """Return frames from zero to zero, and the rest."""
    found = []
    while (end := data.find(b"\0", 1)) > 0:
        found.append(data[: end + 1])
        data = data[end + 1 :]
    return [*found, data]


class NoisyLine:
    """``here`` is the agent's end, a link that comes and goes; ``there`` is the panel's."""

    def __init__(self, folder: Path, rng: random.Random, noise: float = 0.0) -> None:
        self.here = str(folder / "by-id")
        self._panel, self._panel_tty = _open()
        self.there = os.ttyname(self._panel_tty)
        self.to_panel, self.to_agent = Way(rng, noise), Way(rng, noise)
        self._lock = threading.Lock()
        self._agent = -1
        self._agent_tty = -1
        self._stop = False
        self.plug()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def frames(self) -> int:
        return self.to_panel.frames + self.to_agent.frames

    def plug(self) -> None:
        """Put the agent's end in."""
        with self._lock:
            self._agent, self._agent_tty = _open()
            os.symlink(os.ttyname(self._agent_tty), self.here)

    def pull(self) -> None:
        """Pull it out."""
        with self._lock:
            os.unlink(self.here)
            os.close(self._agent)
            os.close(self._agent_tty)
            self._agent = -1

    def close(self) -> None:
        self._stop = True
        self._thread.join()
        if self._agent >= 0:
            self.pull()
        os.close(self._panel)
        os.close(self._panel_tty)

    def _run(self) -> None:
        while not self._stop:
            with self._lock:
                sides = [self._panel, *([self._agent] if self._agent >= 0 else [])]
                for side in select.select(sides, [], [], 0)[0]:
                    data = os.read(side, 4096)
                    if side == self._panel:
                        _write(self._agent, self.to_agent.carry(data))
                    else:
                        _write(self._panel, self.to_panel.carry(data))
            select.select(sides, [], [], 0.001)


def _open() -> tuple[int, int]:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    return ours, theirs


def _write(fd: int, data: bytes) -> None:
    if fd >= 0 and data:
        with contextlib.suppress(BlockingIOError):  # nobody reads: lost, as on a wire
            os.write(fd, data)
