"""A person with picocom in tmux on a line of 9600 and of 115200 baud: the terminal is one that we did not write."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fakes.paced import PacedLine
from fakes.peers import need
from fakes.process import Process

CONFIG = """[spool]
path = "spool"
[[destination]]
name = "pacs"
called_ae = "PACS"
host = "127.0.0.1"
port = 11999
"""
PATIENCE_S = 60.0


class Person:
    """Keys into, and the screen out of, a pane of tmux."""

    def __init__(self, socket: str, tmux: str) -> None:
        self._tmux = [tmux, "-S", socket, "-f", "/dev/null"]

    def run(self, *words: str) -> str:
        return subprocess.run(
            [*self._tmux, *words], capture_output=True, text=True, check=True, timeout=PATIENCE_S
        ).stdout

    def type(self, text: str, *keys: str) -> None:
        if text:
            self.run("send-keys", "-l", text)
        for key in keys:
            self.run("send-keys", key)

    def sees(self, text: str, behind: str = "") -> str:
        """Wait until the screen ends with ``text`` and has ``behind``: a prompt stood there before."""
        until = time.monotonic() + PATIENCE_S
        while True:
            screen = self.run("capture-pane", "-p").rstrip()
            if screen.endswith(text) and behind in screen:
                return screen
            assert time.monotonic() < until, f"'{text}' is not seen:\n{screen}"
            time.sleep(0.1)


@contextmanager
def at_a_line(baud: int, folder: Path) -> Iterator[Person]:
    picocom, tmux = need("picocom"), need("tmux")
    config = folder / "agent.toml"
    config.write_text(CONFIG)
    with PacedLine(baud) as line:
        console = [sys.executable, "-m", "agent", "console", "--config", str(config), "--port", line.near]
        console += ["--baud", str(baud)]
        with Process(console, folder / "console.log"):
            person = Person(str(folder / "tmux"), tmux)
            person.run("new-session", "-d", "-x", "80", "-y", "24", f"{picocom} -q -b {baud} {line.far}")
            try:
                yield person
            finally:
                person.run("kill-server")


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.parametrize("baud", [9600, 115_200])
def test_a_person_with_picocom(baud: int, tmp_path: Path) -> None:
    with at_a_line(baud, tmp_path) as person:
        person.type("", "Enter")
        person.sees("login:")
        person.type("admin", "Enter")
        person.sees("Password:")
        person.type("modality", "Enter")
        person.sees("New password:")
        person.type("correct horse", "Enter")
        person.sees("Again:")
        person.type("correct horse", "Enter")
        assert "correct" not in person.sees(">")
        person.type("shwo", "Left", "Left", "BSpace", "Right", "h", "BSpace")
        assert person.sees("> swo")
        person.type("", "C-u")
        person.type("sh ver", "Tab")
        person.sees("> sh version")
        person.type("", "Enter")
        person.sees(">", "modality-agent 0")
        person.type("show ?")
        screen = person.sees("> show")
        assert "  version " in screen or "  users " in screen
        person.type("", "C-u", "Up")
        person.sees("> sh version")
        person.type("", "C-c")
        person.type("help", "Enter")
        person.sees(">", "--More--")
        person.type("configure", "Enter")
        person.sees("#")
        person.type("set dest pacs port 104", "Enter")
        person.sees("#")
        person.type("compare", "Enter")
        person.sees("#", "set destination pacs port 104")
