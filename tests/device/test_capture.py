"""``capture`` as a command: what it keeps, what it says and what it leaves behind when things go wrong."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pydicom
from fakes.site import AGENT

ENDLESS = "pattern:us-mono?rows=32&columns=32&rate_hz=50"


def test_a_source_that_fails_in_mid_clip_leaves_a_file_and_an_error(tmp_path: Path) -> None:
    (tmp_path / "clip.raw").write_bytes(bytes(256 * 200))
    (tmp_path / "clip.toml").write_text("rows = 16\ncolumns = 16\n")
    out = tmp_path / "a.dcm"
    words = [AGENT, "capture", "--source", f"replay:{tmp_path}/clip.raw?rate_hz=100", "-o", out, "--frames", "200"]
    with subprocess.Popen([*words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for_part(tmp_path)
        os.truncate(tmp_path / "clip.raw", 256 * 100 + 1)
        said, error = process.communicate(timeout=30)
    assert process.returncode == 41
    assert '"ended_by": "failed"' in said
    assert "the file ended inside a frame [native.device]" in error
    assert 0 < pydicom.dcmread(out).NumberOfFrames <= 100


def wait_for_part(folder: Path) -> None:
    until = time.monotonic() + 20
    while not list(folder.glob("*.part")):
        assert time.monotonic() < until
        time.sleep(0.02)
