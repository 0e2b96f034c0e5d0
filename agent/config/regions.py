"""Rectangles of a picture as text: ``TOP,LEFT,ROWS,COLUMNS``, rows and columns counted from 0.

Raises ``ValueError`` with a sentence. Whether they lie inside of the frames is known when the source is opened.
"""

from __future__ import annotations

from agent.typed import Final

SIDE_MAX: Final = 65535  # Rows and Columns are US (PS3.3 C.7.6.3)
REGIONS_MAX: Final = 64


def region(text: str) -> tuple[int, int, int, int]:
    """Read one rectangle."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError("a region is TOP,LEFT,ROWS,COLUMNS in whole numbers from 0, for example 0,64,480,512")
    top, left, rows, columns = (int(part) for part in parts)
    if not (1 <= rows <= SIDE_MAX and 1 <= columns <= SIDE_MAX) or max(top, left) > SIDE_MAX:
        raise ValueError(f"a region has 1 to {SIDE_MAX} rows and columns")
    return top, left, rows, columns
