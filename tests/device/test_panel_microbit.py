"""The framing of the front panel's line on the oldest and smallest MicroPython that Debian has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fakes.microbit import Microbit, lean

from agent.panel import framing
from agent.panel.framing import LIMIT, OVERHEAD, encode

if TYPE_CHECKING:
    import random

HEAP_BYTES = 3072  # of nine thousand: the module, a decoder and a frame


def test_the_same_frames_on_nine_kilobytes(rng: random.Random, tmp_path: Path) -> None:
    board = Microbit(tmp_path)
    try:
        free = int(board.run("import gc, micropython\ngc.collect()\nprint(gc.mem_free())"))
        board.put("framing.py", lean(Path(framing.__file__).read_text()))
        board.run("import framing")
        board.run("d = framing.Decoder()\nf = bytearray(framing.LIMIT + framing.OVERHEAD)")
        taken = free - int(board.run("gc.collect()\nprint(gc.mem_free())"))
        print(f"{taken} bytes of heap of {free}")
        assert taken < HEAP_BYTES
        for size in (1, 2, 18, 24, 40):
            payload = bytes(rng.choice((0, 1, 255, rng.randrange(256))) for _ in range(size))
            frame = bytearray(LIMIT + OVERHEAD)
            made = bytes(frame[: encode(frame, payload, size)])
            assert board.run(f"n = framing.encode(f, {payload!r}, {size})\nprint(f[:n])") == repr(bytearray(made))
            board.run(f"at = d.feed({b'junk' + made!r}, 0, {len(made) + 4})")  # up to the zero behind the junk
            board.run(f"at = d.feed({made!r}, 1, {len(made)})")
            assert board.run("print(d.size, bytes(d.payload[:d.size]))") == f"{size} {payload!r}"
        assert board.run("print(d.bad)") == "5"
        board.run("def both(n):\n while n:\n  n -= 1\n  framing.encode(f, d.payload, 18)\n  d.feed(f, 0, 23)")
        board.run("both(1)\nmicropython.heap_lock()\nboth(20)\nmicropython.heap_unlock()")  # takes no memory
    finally:
        board.close()
