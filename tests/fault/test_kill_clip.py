"""SIGKILL of a real agent in mid clip: the next start makes an instance of all frames but those of the last second."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
from fakes.site import Site

ROWS, COLUMNS, RATE_HZ, FRAMES, COLOUR = 40, 52, 100, 800, 20
MISSING_S = 1.0  # what may be missing of the end, by the promise
PATIENT = "\n[patient]\nname = 'DOE^JANE'\nid = '4711'\n"


def clip(folder: Path, samples: int) -> np.ndarray:
    """Frames that are all different, as a file for replay; with three samples they have colour from ``COLOUR`` on."""
    rng = np.random.default_rng(5)
    frames = np.repeat(rng.integers(0, 256, (FRAMES, ROWS, COLUMNS, 1), dtype=np.uint8), samples, axis=3)
    if samples == 3:
        frames[COLOUR:, 0, 0, 0] ^= 1
    (folder / "clip.raw").write_bytes(frames.tobytes())
    photometric = "RGB" if samples == 3 else "MONOCHROME2"
    (folder / "clip.raw.toml").write_text(
        f"rows = {ROWS}\ncolumns = {COLUMNS}\nsamples_per_pixel = {samples}\nbits_allocated = 8\nframes = {FRAMES}\n"
        f"photometric_interpretation = '{photometric}'\n"
    )
    return frames if samples == 3 else frames[..., 0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("syntax", "grey"),
    [("explicit", False), ("jpeg-ls", True)],
    ids=["native", "to colour"],
)
def test_a_clip_cut_by_sigkill_keeps_its_frames(tmp_path: Path, rng: random.Random, syntax: str, grey: bool) -> None:
    site = Site(tmp_path / "site")
    frames = clip(site.folder, 3 if grey else 1)
    source = {
        "name": "probe", "uri": f"replay:{site.folder}/clip.raw?rate_hz={RATE_HZ}", "sop_class": "us-mf",
        "transfer_syntax": syntax, "clip_s": 60, "every_s": 3600.0, "grey_as_monochrome": grey,
    }  # fmt: skip
    site.configure(destinations=[], sources=[source])
    site.config.write_text(site.config.read_text() + PATIENT)
    agent = site.start()
    agent.wait_until("a clip", lambda: bool(list(site.spool.rglob("*.clip"))))
    began = time.monotonic()
    time.sleep(rng.uniform(1.3, 1.7))
    agent.kill()
    seconds = time.monotonic() - began
    agent.stop()
    site.configure(destinations=[])
    agent = site.start()
    (row,) = site.rows()
    assert "its durable frames are kept" in site.log()
    assert site.stop() == 0
    (path,) = site.files()
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    found = pydicom.dcmread(path)
    kept = int(found.NumberOfFrames)
    assert kept >= (seconds - MISSING_S - 0.1) * RATE_HZ  # the first frame came a moment before the record was seen
    assert "cut off, the end of the clip is missing" in found.ImageComments
    assert (found.PatientName, found.PatientID, row.uid) == ("DOE^JANE", "4711", found.SOPInstanceUID)
    assert np.array_equal(found.pixel_array, frames[:kept])
