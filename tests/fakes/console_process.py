"""A console as its own process at a pseudo terminal, and who sits there."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from fakes.terminal import Teletype

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 60.0


class ConsoleProcess:
    """``modality-agent console`` on the slave of a pseudo terminal; ours is the master."""

    def __init__(self, config: Path, *options: str, own: bool = False, python: str = sys.executable) -> None:
        self.master, slave = pty.openpty()
        os.set_blocking(self.master, False)
        self.device = os.ttyname(slave)
        command = [python, "-P", "-m", "agent", "console", "--config", str(config), *options]
        if own:  # on the caller's terminal
            self.process = subprocess.Popen(command, stdin=slave, stdout=slave, start_new_session=True)
        else:
            self.process = subprocess.Popen([*command, "--port", self.device], start_new_session=True)
        self.slave = slave
        self.terminal = Teletype()
        self.sent = bytearray()

    def __enter__(self) -> ConsoleProcess:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def type(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        while data:
            select.select([], [self.master], [], PATIENCE_S)
            data = data[os.write(self.master, data[:256]) :]
            self.read(0)

    def read(self, wait_s: float) -> bytes:
        """Take what is shown, after waiting at most so long for it."""
        if not select.select([self.master], [], [], wait_s)[0]:
            return b""
        try:
            data = os.read(self.master, 65_536)
        except OSError:
            return b""
        self.sent += data
        self.terminal.feed(data)
        return data

    def wait_for(self, text: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until the row of the cursor, or a whole row, ends with ``text``."""
        until = time.monotonic() + patience_s
        while not self.terminal.current.endswith(text.rstrip()):
            assert time.monotonic() < until, f"'{text}' does not come:\n{self.shown()}"
            self.read(0.2)

    def command(self, text: str, prompt: str = "> ") -> list[str]:
        """Type a command and return what it printed, up to the next prompt."""
        before = len(self.terminal.rows)
        self.type(text + "\r")
        until = time.monotonic() + PATIENCE_S
        while len(self.terminal.rows) == before:
            assert time.monotonic() < until, f"no answer:\n{self.shown()}"
            self.read(0.2)
        self.wait_for(prompt)
        return self.terminal.rows[before + 1 :]

    def log_in(self, password: str = "correct horse", name: str = "admin") -> None:
        """Log in, for the first time too."""
        self.wait_for("login:")
        first = any("First start" in row for row in self.terminal.rows)
        for prompt, text in ((None, name), ("Password:", "modality" if first else password)):
            if prompt:
                self.wait_for(prompt)
            self.type(text + "\r")
        if first:
            for prompt in ("New password:", "Again:"):
                self.wait_for(prompt)
                self.type(password + "\r")
        self.wait_for(">")

    def memory(self) -> dict[str, float]:
        """Return figures of /proc/PID/status in MiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            rows = [line.split() for line in file]
        return {row[0].rstrip(":"): int(row[1]) / 1024 for row in rows if row[0] in ("VmRSS:", "VmHWM:", "RssAnon:")}

    def shown(self) -> str:
        return "\n".join([*self.terminal.rows[-24:], self.terminal.current])

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for fd in (self.master, self.slave):
            if fd >= 0:
                os.close(fd)
        self.master = self.slave = -1
