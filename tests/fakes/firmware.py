"""The firmware of the front panel under CPython: its modules by the names it knows them by, and a fake board."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from agent.panel import framing, image, messages

sys.modules.setdefault("framing", framing)
sys.modules.setdefault("image", image)
sys.modules.setdefault("messages", messages)

from board import SWITCHES, Board  # noqa: E402  hw/ is on the path, and imports the two above
from panel import Panel  # noqa: E402

if TYPE_CHECKING:
    from slots import Slots


class Bench(Board):
    """A board whose pins, time and line are lists and numbers."""

    kind = 2
    abilities = 0b01111
    serial = 0x1122334455667788

    def __init__(self, kept: bytes = b"") -> None:
        super().__init__()
        self.us = 0
        self.levels = dict.fromkeys(SWITCHES, 0)
        self.failing = False
        self.memory = bytes(kept)
        self.incoming = bytearray()
        self.outgoing = bytearray()
        self.shown: tuple[int, int, int, int] = (0, 0, 0, 0)
        self.off = 0
        self.fed = 0

    def ticks(self) -> int:
        return self.us & 0x3FFFFFFF

    def ticks_between(self, then: int, now: int) -> int:
        return ((now - then + 0x20000000) & 0x3FFFFFFF) - 0x20000000

    def random(self) -> int:
        return 0xCAFE

    def read(self, buffer: bytearray) -> int:
        size = min(len(buffer), len(self.incoming))
        buffer[:size] = self.incoming[:size]
        del self.incoming[:size]
        return size

    def write(self, buffer: bytearray, size: int) -> None:
        self.outgoing += buffer[:size]

    def level(self, place: int) -> int:
        return self.levels[place]

    def power_fails(self) -> bool:
        return self.failing

    def temperature(self) -> int:
        return 3150

    def lights(self, green: int, amber: int, red: int, buzzer: int) -> None:
        self.shown = (green, amber, red, buzzer)

    def power_cycle(self, on: int) -> None:
        self.off = on

    def feed(self) -> None:
        self.fed += 1

    def keep(self, data: bytearray) -> None:
        self.memory = bytes(data)

    def kept(self) -> bytes:
        return self.memory


class Firmware:
    """A panel on a bench, turned by hand; what it says is taken apart."""

    def __init__(
        self, kept: bytes = b"", us: int = 0, levels: dict[int, int] | None = None, slots: Slots | None = None
    ) -> None:
        self.board = Bench(kept)
        self.board.us = us
        self.board.levels.update(levels or {})
        self.panel = Panel(self.board, slots)
        self._decoder = framing.Decoder()

    def run(self, ms: float, step_us: int = 1000) -> None:
        """Let time go by."""
        end = self.board.us + int(ms * 1000)
        while self.board.us < end:
            self.board.us += step_us
            self.panel.turn()

    def say(self, kind: int, *fields: int) -> None:
        payload = bytearray(framing.LIMIT)
        frame = bytearray(framing.LIMIT + framing.OVERHEAD)
        size = framing.encode(frame, payload, messages.pack(payload, kind, 0, *fields))
        self.board.incoming += frame[:size]

    def beat(self, lights: str = "ready", watchdog_s: int = 0) -> None:
        self.say(messages.BEAT, messages.VERSION, messages.LIGHTS.index(lights), watchdog_s)

    def heard(self, kind: int | None = None) -> list[dict[str, int]]:
        """Return what it has said since the last time; only messages of ``kind``, if one is given."""
        return [fields for which, fields in taken(self._decoder, self._spoken()) if kind in (None, which)]

    def _spoken(self) -> bytes:
        spoken = bytes(self.board.outgoing)
        self.board.outgoing.clear()
        return spoken


def taken(decoder: framing.Decoder, data: bytes) -> list[tuple[int, dict[str, int]]]:
    """Return type and fields of each message in ``data``."""
    names = {kind: [name for name, _ in fields] for kind, _, fields in messages.MESSAGES}
    found = []
    at = 0
    while at < len(data):
        at = decoder.feed(data, at, len(data))
        fields = messages.unpack(decoder.payload, decoder.size) if decoder.size else None
        if fields is not None:
            found.append((decoder.payload[0], dict(zip(names[decoder.payload[0]], fields, strict=True))))
    return found
