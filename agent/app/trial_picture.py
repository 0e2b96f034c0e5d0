"""The picture of a test instance: the word TEST, the moment, and sixteen steps of grey that a person can count."""

from __future__ import annotations

from agent.typed import Final

SIDE: Final = 256  # rows and columns
STEPS: Final = 16
_TEXT_SCALE, _STAMP_SCALE = 8, 2
# 5 x 7, one number for each row from the top, the highest bit of five at the left.
_GLYPHS: Final = {
    "T": (31, 4, 4, 4, 4, 4, 4), "E": (31, 16, 16, 30, 16, 16, 31), "S": (15, 16, 16, 14, 1, 1, 30),
    "0": (14, 17, 19, 21, 25, 17, 14), "1": (4, 12, 4, 4, 4, 4, 14), "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14), "4": (2, 6, 10, 18, 31, 2, 2), "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14), "7": (31, 1, 2, 4, 8, 8, 8), "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12), " ": (0,) * 7,
}  # fmt: skip


def picture(date: str, time: str) -> bytes:
    """Grey samples of 8 bits; ``date`` YYYYMMDD and ``time`` HHMMSS are in it."""
    canvas = bytearray(b"\x30" * (SIDE * SIDE))
    _write(canvas, "TEST", 40, _TEXT_SCALE)
    _write(canvas, f"{date[:8]} {time[:6]}", 120, _STAMP_SCALE)
    step = SIDE // STEPS
    wedge = b"".join(bytes((number * 255 // (STEPS - 1),)) * step for number in range(STEPS))
    canvas[160 * SIDE : 224 * SIDE] = wedge * 64
    return bytes(canvas)


def _write(canvas: bytearray, text: str, top: int, scale: int) -> None:
    """Write ``text`` in white, in the middle of its line."""
    left = (SIDE - (6 * len(text) - 1) * scale) // 2
    for place, letter in enumerate(text):
        for row, bits in enumerate(_GLYPHS[letter]):
            for column in range(5):
                if bits >> (4 - column) & 1:
                    x = left + (6 * place + column) * scale
                    for line in range(scale):
                        at = (top + row * scale + line) * SIDE + x
                        canvas[at : at + scale] = b"\xff" * scale
