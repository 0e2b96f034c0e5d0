"""Programs started by a test: their output in a file, waited for without guessing, ended by their own pid."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

START_S = 20.0  # the slowest peer (Orthanc on a busy two-core machine) needs 3 s
STOP_S = 5.0
TAIL_BYTES = 6000

RUNNING: list[Process] = []  # read by tests/conftest.py when a test fails


class Process:
    """One child process. Use as a context manager; leaving it sends SIGTERM, then SIGKILL."""

    def __init__(self, command: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None) -> None:
        self.name = os.path.basename(command[0])
        self.command = list(command)
        self.log_path = log
        self._from = log.stat().st_size if log.exists() else 0
        with log.open("ab") as out:
            self._child = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
            )  # fmt: skip
        self.pid = self._child.pid
        RUNNING.append(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """What this process has written so far (a log shared with an earlier life starts at this one)."""
        with self.log_path.open("rb") as file:
            file.seek(self._from)
            return file.read().decode(errors="replace")

    def log_tail(self) -> str:
        return self.log[-TAIL_BYTES:]

    def poll(self) -> int | None:
        return self._child.poll()

    def wait(self, timeout_s: float = START_S) -> int:
        return self._child.wait(timeout_s)

    def wait_until(self, what: str, ready: Callable[[], bool], timeout_s: float = START_S) -> None:
        """Wait for a condition; fails at once when the process ends before it."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if self.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.poll()} before {what}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: no {what} within {timeout_s} s:\n{self.log_tail()}")
            time.sleep(0.01)

    def wait_for(self, text: str, timeout_s: float = START_S) -> None:
        self.wait_until(f"{text!r} in its output", lambda: text in self.log, timeout_s)

    def wait_listening(self, port: int, timeout_s: float = START_S) -> None:
        self.wait_until(f"listener on port {port}", lambda: is_listening(port), timeout_s)

    def signal(self, number: int) -> None:
        if self.poll() is None:
            self._child.send_signal(number)

    def kill(self) -> None:
        """Power cut for one process."""
        self.signal(signal.SIGKILL)
        self._child.wait(STOP_S)

    def stop(self) -> int:
        """End it politely, return its exit status."""
        self.signal(signal.SIGTERM)
        try:
            status = self._child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            status = self._child.wait(STOP_S)
        if self in RUNNING:
            RUNNING.remove(self)
        return status


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """Tell without connecting (a probe connection would be one more association in the peer's log)."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table) as rows:
            for row in rows:
                fields = row.split()
                if len(fields) > 3 and fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    return True
    return False
