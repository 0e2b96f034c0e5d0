"""``echo --wait``: a peer that is still starting is waited for, one that never comes is not waited for for ever."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from fakes.command import run_command
from fakes.process import free_port
from fakes.site import Archive


def test_a_peer_that_starts_late_is_found(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    late = threading.Timer(1.0, archive.start)
    late.start()
    try:
        done = run_command("echo", "--to", f"BENCH@127.0.0.1:{archive.port}", "--wait", 20)
    finally:
        late.join()
        archive.stop()
    assert done.returncode == 0


def test_the_wait_ends() -> None:
    began = time.monotonic()
    done = run_command("echo", "--to", f"BENCH@127.0.0.1:{free_port()}", "--wait", 0.6)
    assert 0.6 <= time.monotonic() - began < 10
    assert done.returncode == 20
    assert "hint: Is the peer started, and on this port?" in done.stderr
