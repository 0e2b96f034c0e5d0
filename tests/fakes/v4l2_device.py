"""The Video4Linux2 device of tests/fakes/v4l2 from Python: built once, described by a file, and what it draws.

``oracle`` makes, with numpy and exact arithmetic of its own, what an instance must hold of a frame of the device.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from fakes.command import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCES = sorted(Path(__file__).with_name("v4l2").glob("*.c"))
DEVICE = "/dev/video7"
BY_ID = "/dev/v4l/by-id/usb-Fake_grabber-video-index0"
_OFF_GREY = {"Y10": 0x03FF, "Y12": 0x0FFF, "Y14": 0x3FFF, "Y16": 0xFFFF}


def build(folder: Path) -> Path:
    """Compile the shim into ``folder``; its path."""
    target = folder / "v4l2_shim.so"
    command = ["cc", "-shared", "-fPIC", "-O2", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*command, "-o", str(target), *map(str, SOURCES), "-ldl", "-lpthread"], check=True, timeout=120)
    return target


class FakeDevice:
    """What every process started with ``environment`` finds at ``DEVICE``; ``script`` changes it for all at once."""

    def __init__(self, folder: Path, library: Path) -> None:
        self._library = library
        self._path = folder / "v4l2.script"

    def script(self, lines: str, *, paths: str = f"{DEVICE} {BY_ID}") -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(f"path {paths}\n{lines}\n")
        fresh.replace(self._path)

    def environment(self, base: Mapping[str, str] = os.environ) -> dict[str, str]:
        return {**base, "LD_PRELOAD": str(self._library), "MGA_V4L2": str(self._path)}


class Commands:
    """``modality-agent`` commands, all in one process that has the device."""

    def __init__(self, device: FakeDevice) -> None:
        here = Path(__file__).parents[1]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fakes.v4l2_commands"],
            cwd=here, env=device.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *words: object) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([*map(str, words)]) + "\n")
        self._process.stdin.flush()
        status, out, err = json.loads(self._process.stdout.readline())
        assert "Traceback" not in err, err
        return Answer([*words], status, out, err)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        with self._process:  # its other pipe is closed, too
            self._process.wait(20)


def memory(sequence: int, rows: int, columns: int, first_row: int = 0) -> np.ndarray[Any, Any]:
    """Bytes of ``rows`` lines of ``columns`` bytes, padding left away."""
    y, x = np.mgrid[first_row : first_row + rows, 0:columns].astype(np.uint32)
    return ((x * 7 + y * 13 + sequence * 29 + (x * y >> 3)) & 255).astype(np.uint8)


def oracle(name: str, sequence: int, rows: int, columns: int, pad: int = 0) -> np.ndarray[Any, Any]:
    """The samples that frame ``sequence`` (from 0) must become; ``pad`` as in the script."""
    if name == "GREY":
        return memory(sequence, rows, columns)
    if name in _OFF_GREY:
        return memory(sequence, rows, 2 * columns).view("<u2") & _OFF_GREY[name]
    if name == "Y16_BE":
        return memory(sequence, rows, 2 * columns).view(">u2")
    if name in ("RGB3", "BGR3"):
        rgb = memory(sequence, rows, 3 * columns).reshape(rows, columns, 3)
        return rgb if name == "RGB3" else rgb[..., ::-1]
    if name == "XR24":
        return memory(sequence, rows, 4 * columns).reshape(rows, columns, 4)[..., 2::-1]
    return _rgb_of_video(*_ybr(name, sequence, rows, columns, pad))


def _ybr(name: str, sequence: int, rows: int, columns: int, pad: int) -> tuple[np.ndarray[Any, Any], ...]:
    if name in ("YUYV", "UYVY"):
        four = memory(sequence, rows, 2 * columns).reshape(rows, columns // 2, 4)
        y, u, v = ((0, 2), 1, 3) if name == "YUYV" else ((1, 3), 0, 2)
        return four[..., y].reshape(rows, columns), four[..., u].repeat(2, 1), four[..., v].repeat(2, 1)
    luma = memory(sequence, rows, columns)
    if name == "NV12":
        chroma = memory(sequence, rows // 2, columns, rows).reshape(rows // 2, columns // 2, 2)
        u, v = chroma[..., 0], chroma[..., 1]
    else:  # YU12: chroma lines have half the bytes of the others, which the device counts on as if they had all
        half = (columns + pad) // 2
        u, v = memory(sequence, rows // 2, 2 * half, rows).reshape(2, rows // 2, half)[..., : columns // 2]
    return luma, u.repeat(2, 0).repeat(2, 1), v.repeat(2, 0).repeat(2, 1)


def _rgb_of_video(*ybr: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """ITU-R BT.601, video range, with the coefficients and the half that native/src/colour_matrices.c states."""
    kr, kb = 0.299, 0.114
    stretched = np.diag([255 / 219, 255 / 224, 255 / 224])
    rgb = np.array([[1, 0, 2 - 2 * kr], [1, -kb * (2 - 2 * kb) / (1 - kr - kb), -kr * (2 - 2 * kr) / (1 - kr - kb)],
                    [1, 2 - 2 * kb, 0]]) @ stretched  # fmt: skip
    offset = np.rint(rgb @ [-16, -128, -128] * 2**20).astype(np.int64)
    exact = np.stack(ybr, -1).astype(np.int64) @ np.rint(rgb * 2**20).astype(np.int64).T + offset
    return np.clip((exact + 2**19 + 84) >> 20, 0, 255).astype(np.uint8)
