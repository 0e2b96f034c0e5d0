"""Pictures of a scanner whose scale is known, and templates of its regions; two depths, told apart by a mark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agent.acquire.region_template import Mark, Template, text_of
from agent.iod.regions import Region

if TYPE_CHECKING:
    from pathlib import Path

ROWS, COLUMNS = 48, 64
WHERE = (2, 50, 6, 8)  # of the depth's mark: top, left, rows, columns
SECTOR = Region(10, 8, 49, 43, 0.05, 0.04)  # cm per pixel to the right, and down
Picture = np.ndarray[Any, Any]


def picture(depth: int, seed: int = 1) -> Picture:
    """Speckle with the mark of a depth on it, in colour."""
    made = np.random.default_rng(seed).integers(0, 256, (ROWS, COLUMNS, 3), dtype=np.uint8)
    top, left, rows, columns = WHERE
    made[top : top + rows, left : left + columns] = mark_of(depth)
    return made


def mark_of(depth: int) -> Picture:
    """White digits on black, as far as anybody can tell."""
    rows, columns = WHERE[2:]
    drawn = np.random.default_rng(1000 + depth).integers(0, 2, (rows, columns, 1), dtype=np.uint8) * 200
    return np.asarray(drawn.repeat(3, axis=2))


def template(depth: int | None, *regions: Region, tolerance: int = 0, **changed: Any) -> Template:
    """A template with the mark of a depth, or with none."""
    marks = () if depth is None else (Mark(WHERE, tolerance, mark_of(depth).tobytes()),)
    made = Template("", "SonoX 3", ROWS, COLUMNS, "RGB, 8 of 8 bits", marks, regions or (SECTOR,), "")
    return made._replace(**changed)


def write(path: Path, one: Template) -> str:
    """Put a template into a file."""
    path.write_text(text_of(one))
    return str(path)


def clip(folder: Path, *pictures: Picture) -> str:
    """A folder of frames as something to replay."""
    folder.mkdir(exist_ok=True)
    for number, one in enumerate(pictures):
        head = f"P6 {one.shape[1]} {one.shape[0]} 255\n".encode()
        (folder / f"{number}.ppm").write_bytes(head + one.tobytes())
    return f"replay:{folder}"
