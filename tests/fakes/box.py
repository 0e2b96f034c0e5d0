"""A box with its console on one end of a slow and noisy line, the laptop on the other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

from fakes.line import Terminals

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse 7"


class Box:
    """``modality-agent console`` on a pseudo terminal; ``far`` is the name of the other end."""

    def __init__(self, config: Path, *, baud: int = 115_200, noise: float = 0.0, seed: int = 1) -> None:
        self.config = config
        self.terminals = Terminals(baud=baud, noise=noise, seed=seed)
        self.far = self.terminals.far
        command = [
            sys.executable,
            "-P",
            "-m",
            "agent",
            "console",
            "--config",
            str(config),
            "--port",
            self.terminals.near,
        ]
        self.log = config.parent / "console.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*command, "--baud", "115200"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.terminals.__exit__()
        assert "Traceback" not in self.log.read_text()


class Person:
    """Somebody at the other end who types, and waits for what he expects."""

    def __init__(self, far: str) -> None:
        self.fd = os.open(far, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    def type(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        while data:
            try:
                data = data[os.write(self.fd, data) :]
            except BlockingIOError:
                time.sleep(0.01)

    def expect(self, pattern: str, seconds: float = 60.0) -> str:
        """Wait for ``pattern``; returns what came up to its end, and forgets it."""
        until = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.seen)
            if found:
                before, self.seen = self.seen[: found.end()], self.seen[found.end() :]
                return before
            assert time.monotonic() < until, f"{pattern!r} did not come; there is {self.seen[-600:]!r}"
            try:
                self.seen += os.read(self.fd, 4096).decode("latin-1")
            except BlockingIOError:
                time.sleep(0.01)

    def do(self, line: str, prompt: str = r"@[\w-]+[>#] $", seconds: float = 60.0) -> str:
        """Type a line, and return what came up to the next prompt."""
        self.type(line + "\r")
        self.expect(re.escape(line) + r"\r\n", seconds)
        return self.expect(prompt, seconds)

    def log_in(self) -> None:
        """Log in as who has done so before, or as the first."""
        if "First start" in self.expect(r"login: $"):
            self._first()
            return
        self.type("admin\r")
        self.expect("Password: $")
        self.type(PASSWORD + "\r")
        self.expect(r"@[\w-]+> $")

    def first_log_in(self) -> None:
        self.expect(r"login: $")
        self._first()

    def _first(self) -> None:
        for word, prompt in (("admin", "Password: "), ("modality", "New password: "), (PASSWORD, "Again: ")):
            self.type(word + "\r")
            self.expect(prompt + "$")
        self.type(PASSWORD + "\r")
        self.expect(r"@[\w-]+> $")
