"""Real images, from the pydicom wheel, and the frames each must come out as.

The ultrasound cine is JPEG Baseline there; replay takes native and RLE frames, so Pillow decodes it to a folder of
PNG once, and those pictures are the truth. The others are replayed from the DICOM file itself.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL.Image
import pydicom
from pydicom.encaps import generate_frames


class RealImage(NamedTuple):
    """One source: what replay opens, how it is captured, and its frames (frames, rows, columns[, samples])."""

    name: str
    path: Path
    sop_class: str
    transfer_syntax: str
    frames: np.ndarray
    facts: dict[str, object] = {}

    def source(self, rate_hz: float = 0) -> dict[str, object]:
        """Return the ``[[source]]`` section that captures it once, whole."""
        return {
            "name": self.name, "uri": f"replay:{self.path}?rate_hz={rate_hz:g}", "sop_class": self.sop_class,
            "transfer_syntax": self.transfer_syntax, "clip_frames": len(self.frames), "every_s": 0.1, "captures": 1,
            **self.facts,
        }  # fmt: skip


def wheel_file(name: str) -> Path:
    return Path(pydicom.__file__).parent / "data" / "test_files" / name


def frames_of(path: Path) -> np.ndarray:
    """Decode with pydicom; always with a frame axis."""
    data_set = pydicom.dcmread(path)
    array = data_set.pixel_array
    return array if int(data_set.get("NumberOfFrames", 1)) > 1 else array[np.newaxis]


def cine_folder(folder: Path) -> Path:
    """Write the frames of the real ultrasound cine as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    data_set = pydicom.dcmread(wheel_file("examples_ybr_color.dcm"))
    for number, fragment in enumerate(generate_frames(data_set.PixelData, number_of_frames=data_set.NumberOfFrames)):
        PIL.Image.open(io.BytesIO(fragment)).convert("RGB").save(folder / f"{number:03d}.png")
    return folder


def png_frames(folder: Path) -> np.ndarray:
    return np.stack([np.asarray(PIL.Image.open(path)) for path in sorted(folder.glob("*.png"))])


def _grey(cine: RealImage, scratch: Path) -> list[RealImage]:
    """The cine without its colours, and with them from frame 11 on, under the rule grey_as_monochrome."""
    grey = np.repeat(cine.frames[..., 1:2], 3, axis=3)
    turning = np.concatenate([grey[:10], cine.frames[10:]])
    made = []
    for name, frames, stored in (("cine-grey", grey, grey[..., 0]), ("cine-turning", turning, turning)):
        folder = scratch / name
        folder.mkdir()
        for number, frame in enumerate(frames):
            PIL.Image.fromarray(frame).save(folder / f"{number:03d}.png")
        made.append(RealImage(name, folder, "us-mf", "rle", stored, {"grey_as_monochrome": True}))
    return made


def real_images(scratch: Path) -> list[RealImage]:
    x_ray = {"intensity_relationship": "LIN", "intensity_sign": 1, "pixel_spacing_mm": 0.5, "detector_type": "DIRECT",
             "view": "AP", "anatomy": "CHEST", "patient_orientation": "L/F", "burned_in_annotation": "NO"}  # fmt: skip
    cine = cine_folder(scratch / "cine")
    rows = [
        ("colour-us", "examples_rgb_color.dcm", "us", "explicit"),
        ("colour-us-rle", "examples_rgb_color.dcm", "us", "rle"),
        ("mr-overlay-dx", "examples_overlay.dcm", "dx", "explicit"),
        ("mr-overlay-dx-rle", "examples_overlay.dcm", "dx", "rle"),
        ("implicit-sc", "SC_rgb_jpeg_dcmd.dcm", "sc", "implicit"),
        ("rle-two-frames", "SC_rgb_rle_2frame.dcm", "us-mf", "explicit"),
        ("odd-sc", "SC_rgb_small_odd.dcm", "sc", "explicit"),
    ]
    found = [RealImage("cine", cine, "us-mf", "explicit", png_frames(cine))]
    found.append(found[0]._replace(name="cine-rle", transfer_syntax="rle"))
    found += _grey(found[0], scratch)
    for name, file, sop_class, syntax in rows:
        frames, facts = frames_of(wheel_file(file)), x_ray if sop_class == "dx" else {}
        found.append(RealImage(name, wheel_file(file), sop_class, syntax, frames, facts))
    return found
