"""Clips of an RGB source whose frames are grey but for those that are said to have colour, as raw files for replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ROWS, COLUMNS = 33, 47


class GreyClip(NamedTuple):
    """What replay opens, and its frames (frames, rows, columns, 3)."""

    uri: str
    frames: np.ndarray
    planar: int

    def native(self, index: int) -> bytes:
        """One frame as the source delivers it."""
        frame = self.frames[index]
        return np.ascontiguousarray(frame.transpose(2, 0, 1) if self.planar else frame).tobytes()


def grey_clip(
    folder: Path, frames: int, coloured: Iterable[int] = (), *, planar: int = 0, rate_hz: float = 0
) -> GreyClip:
    """Speckle that moves; a coloured frame (counted from 0) differs in one bit of one sample near its end."""
    rng = np.random.default_rng(frames)
    plane = rng.integers(0, 256, (ROWS, COLUMNS + frames), dtype=np.uint8) & 0xF0
    grey = np.stack([plane[:, at : at + COLUMNS] for at in range(frames)])
    pixels = np.repeat(grey[..., np.newaxis], 3, axis=3)
    for index in coloured:
        pixels[index, -1, -2, index % 3] ^= 1
    made = GreyClip(f"replay:{folder}/clip.raw?rate_hz={rate_hz:g}", pixels, planar)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "clip.raw").write_bytes(b"".join(made.native(index) for index in range(frames)))
    (folder / "clip.toml").write_text(
        f"rows = {ROWS}\ncolumns = {COLUMNS}\nsamples_per_pixel = 3\nplanar_configuration = {planar}\n"
    )
    return made
