"""Output that cannot be written: the work is done, one line says so, and nothing hangs or prints a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def shell(command: str) -> tuple[int, str]:
    """Run a command line with AGENT for the program; its status and stderr."""
    text = command.replace("AGENT", f"{sys.executable} -m agent")
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False, cwd=ROOT, timeout=30)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ("AGENT config example >&-", 3, "error: standard output: it is closed [file]"),
        ("AGENT config example >/dev/full", 3, "error: standard output: No space left on device [file]"),
        ("AGENT config schema >/dev/full", 3, "error: standard output: No space left on device [file]"),
        ("AGENT --version >&- 2>&-", 3, ""),
        ("AGENT --version <&- >&- 2>&-", 3, ""),
        ("AGENT config check /nonexistent >&-", 10, "cannot be read"),
        ("AGENT config check /nonexistent 2>/dev/full", 10, ""),
    ],
)
def test_lost_output_is_said_once(command: str, status: int, message: str) -> None:
    found, err = shell(command)
    assert found == status
    assert message in err
    assert "Traceback" not in err
    assert err.count("error:") == bool(message)


@pytest.mark.parametrize("output", [">&-", ">/dev/full"])
def test_an_archive_without_output_serves_and_stops(output: str, tmp_path: Path) -> None:
    command = f"exec {sys.executable} -m agent archive --port 0 --directory {tmp_path} {output}"
    child = subprocess.Popen(["bash", "-c", command], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 20
        while not (tmp_path / "index.db-wal").exists() and time.monotonic() < until:
            time.sleep(0.02)
        child.send_signal(signal.SIGTERM)
        _, err = child.communicate(timeout=20)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 3
    assert err.count("error: standard output") == 1
    assert "Traceback" not in err
