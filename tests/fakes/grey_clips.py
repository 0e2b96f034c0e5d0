"""Clips of an RGB source whose frames are grey but for those that are said to have colour, as raw files for replay."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from agent.acquire.exam import Exam
from agent.acquire.filesink import FileSink
from agent.acquire.frame_log import FrameLog
from agent.acquire.pipeline import Captured, Order, capture
from agent.acquire.sources import open_source
from agent.config import load
from agent.config.settings import Settings, SourceSettings
from agent.config.words import MADE, transfer_syntax_uid
from agent.dataset.uid import is_lossy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TOML = """
[[source]]
name = "probe"
uri = "pattern:us-rgb?rows=48&columns=64&rate_hz=0"
clip_s = 3600
grey_as_monochrome = true
"""
FRAMES = 9
ROWS, COLUMNS = 33, 47
LOSSLESS = [word for word in MADE if not is_lossy(transfer_syntax_uid(word))]


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


def settings_of(**changes: Any) -> tuple[Settings, SourceSettings]:
    """The rule switched on, and what else a test wants of its source."""
    settings = load.parse(TOML)
    return settings, settings.source[0]._replace(**changes)


def record_clip(path: Path, clip: GreyClip, **changes: Any) -> Captured:
    """Capture a clip into a file, with its frame log beside it."""
    settings, source = settings_of(uri=clip.uri, **changes)
    sink = FileSink(str(path))
    try:
        with open_source(source.uri) as opened, FrameLog(f"{path}.log") as log:
            order = Order(source, transfer_syntax_uid(source.transfer_syntax), log.add)
            done = capture(opened, order, Exam(settings), sink, threading.Event())
        sink.publish()
    finally:
        sink.abandon()
    return done
