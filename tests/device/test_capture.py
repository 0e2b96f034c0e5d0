"""``capture`` as a command: what it keeps, what it says and what it leaves behind when things go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from fakes.command import run_command
from fakes.site import AGENT

ENDLESS = "pattern:us-mono?rows=32&columns=32&rate_hz=50"


def test_a_source_that_fails_in_mid_clip_leaves_a_file_and_an_error(tmp_path: Path) -> None:
    (tmp_path / "clip.raw").write_bytes(bytes(256 * 400))
    (tmp_path / "clip.toml").write_text("rows = 16\ncolumns = 16\n")
    out = tmp_path / "a.dcm"
    words = [AGENT, "capture", "--source", f"replay:{tmp_path}/clip.raw?rate_hz=25", "-o", out, "--frames", "400"]
    with (
        (tmp_path / "err").open("w") as err,
        subprocess.Popen([*words, "--json"], stdout=subprocess.PIPE, stderr=err, text=True) as process,
    ):
        wait_until(lambda: "captured " in (tmp_path / "err").read_text())
        os.truncate(tmp_path / "clip.raw", 256 * 150 + 1)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 41
    assert '"ended_by": "failed"' in said
    assert "the file ended inside a frame [native.device]" in (tmp_path / "err").read_text()
    assert 0 < pydicom.dcmread(out).NumberOfFrames < 400


def test_near_beyond_the_samples_is_refused_in_words(tmp_path: Path) -> None:
    words = ("--transfer-syntax", "jpeg-ls-near", "--set", "near=128", "-o", tmp_path / "a.dcm")
    done = run_command("capture", "--source", ENDLESS, "--frames", "2", *words)
    assert done.returncode == 2
    assert "near = 128 is too much for samples of 8 bits: 127 at most [usage]" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_interrupted_capture_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    with subprocess.Popen(
        [AGENT, "capture", "--source", ENDLESS, "-o", tmp_path / "a.dcm"], stderr=subprocess.PIPE, text=True
    ) as process:
        wait_until(lambda: list(tmp_path.glob("*.part")))
        process.send_signal(number)
        _, error = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


def test_a_frame_log_that_fails_is_a_warning(tmp_path: Path) -> None:
    out = tmp_path / "a.dcm"
    done = run_command("capture", "--source", ENDLESS, "-o", out, "--frames", "3", "--frame-log", "/dev/full", "--json")
    assert done.returncode == 0
    assert "modality-agent: warning: frame log /dev/full: No space left on device\n" in done.stderr
    assert done.json["frame_log"] == "failed"
    assert pydicom.dcmread(out).NumberOfFrames == 3
    refused = run_command("capture", "--source", ENDLESS, "-o", tmp_path / "b.dcm", "--frame-log", tmp_path)
    assert refused.returncode == 3
    assert [path.name for path in tmp_path.iterdir()] == ["a.dcm"]


def test_send_shows_no_control_characters_of_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "x\x1b[2J\n.dcm").write_bytes(b"no DICOM")
    done = run_command("send", tmp_path / "x\x1b[2J\n.dcm", tmp_path / "none\x1b[2J", "--to", "X@127.0.0.1:9")
    assert "\x1b" not in done.stderr
    assert done.returncode != 0


def wait_until(true: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_fewer_frames_than_asked_for_are_not_a_success(tmp_path: Path) -> None:
    (tmp_path / "clip.raw").write_bytes(bytes(256 * 2))
    (tmp_path / "clip.toml").write_text("rows = 16\ncolumns = 16\n")
    out = tmp_path / "a.dcm"
    done = run_command("capture", "--source", f"replay:{tmp_path}/clip.raw?rate_hz=100", "--frames", "9", "-o", out)
    assert done.returncode == 41
    assert "asked for 9 frames, the source has 2" in done.stderr
    assert pydicom.dcmread(out).NumberOfFrames == 2
