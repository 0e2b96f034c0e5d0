"""Grey clips of an RGB source as judges see them: no error, and the samples that were captured, in every syntax."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import numpy as np
import PIL.Image
import pytest
from fakes.grey_clips import FRAMES, LOSSLESS, grey_clip, record_clip
from fakes.iod_judge import iod_lines
from pydicom import dcmread

from agent.config.words import transfer_syntax_uid
from agent.dataset.uid import is_encapsulated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DCMTK = {"rle": "dcmdrle", "jpeg-ls": "dcmdjpls", "jpeg-lossless": "dcmdjpeg"}


def samples(path: Path) -> np.ndarray:
    """All native pixels of a file, by pixel."""
    data_set = dcmread(path)
    pixels = np.frombuffer(data_set.PixelData, np.uint8)[: data_set.Rows * data_set.Columns * FRAMES * 3]
    if data_set.SamplesPerPixel == 1:
        return pixels[: data_set.Rows * data_set.Columns * FRAMES]
    if data_set.PlanarConfiguration:
        pixels = pixels.reshape(FRAMES, 3, -1).transpose(0, 2, 1)
    return pixels.reshape(-1)


@pytest.mark.parametrize("icon", [False, True], ids=["", "icon"])
@pytest.mark.parametrize("coloured", [[], [4]], ids=["grey", "colour"])
@pytest.mark.parametrize("word", [word for word in LOSSLESS if word != "deflated"])  # dciodvfy inflates nothing
def test_every_judge_reads_what_was_captured(
    tmp_path: Path, need: Callable[[str], str], word: str, coloured: list[int], *, icon: bool
) -> None:
    clip = grey_clip(tmp_path, FRAMES, coloured)
    path = tmp_path / "a.dcm"
    record_clip(path, clip, transfer_syntax=word, icon=icon)
    wanted = clip.frames if coloured else clip.frames[..., 0]
    said = iod_lines(path, need)
    assert [line for line in said if "Error" in line] == []
    assert "USMultiFrameImage" in said
    assert np.array_equal(dcmread(path).pixel_array, wanted)
    if word == "htj2k":  # which neither GDCM nor DCMTK of Debian decode
        return
    subprocess.run([need("gdcmconv"), "--raw", path, tmp_path / "gdcm.dcm"], check=True, timeout=60)
    assert np.array_equal(samples(tmp_path / "gdcm.dcm"), wanted.reshape(-1))
    program = DCMTK[word] if is_encapsulated(transfer_syntax_uid(word)) else "dcmconv"
    subprocess.run([need(program), path, tmp_path / "dcmtk.dcm"], check=True, timeout=60)
    assert np.array_equal(samples(tmp_path / "dcmtk.dcm"), wanted.reshape(-1))


@pytest.mark.parametrize("kind", ["us", "sc"])
def test_single_images_are_judged_clean(tmp_path: Path, need: Callable[[str], str], kind: str) -> None:
    clip = grey_clip(tmp_path, 1)
    record_clip(tmp_path / "a.dcm", clip, transfer_syntax="jpeg-ls", sop_class=kind)
    assert [line for line in iod_lines(tmp_path / "a.dcm", need) if "Error" in line] == []
    assert np.array_equal(dcmread(tmp_path / "a.dcm").pixel_array, clip.frames[0, ..., 0])


def test_a_viewer_shows_grey_as_it_shows_colour(tmp_path: Path, need: Callable[[str], str]) -> None:
    """DCMTK renders both through the window of the file, or as they are: the same picture."""
    clip = grey_clip(tmp_path, 1)
    shown = []
    for name, rule in (("grey", True), ("colour", False)):
        record_clip(tmp_path / name, clip, sop_class="us", grey_as_monochrome=rule)
        window = ["+Wi", "1"] if rule else []
        command = [need("dcm2pnm"), *window, "+op", str(tmp_path / name), str(tmp_path / f"{name}.pnm")]
        subprocess.run(command, check=True, timeout=60)
        shown.append(np.asarray(PIL.Image.open(tmp_path / f"{name}.pnm").convert("RGB")))
    assert np.array_equal(*shown)
    assert np.array_equal(shown[0], clip.frames[0])
