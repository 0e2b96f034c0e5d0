"""Plays transcripts of the console over a line in memory, pyserial's ``loop://`` and a pseudo terminal.

A transcript is what a person would see, line by line:

    ? PATTERN     the row of the cursor (a prompt); waited for
    > TEXT        is typed, and Enter
    >> TEXT       is typed without Enter; \\t \\r \\e \\xHH are keys
    < PATTERN     the next line; waited for
    ...           any lines, up to the one that the next line of the transcript expects
    @ SECONDS     time goes by
    ~ PATTERN     the command before is typed again until one of its lines is this
    ! break       BREAK; ! noise: a byte with wrong parity; ! pull: the cable is pulled, and put in again

In a PATTERN ``*`` is any text and ``{n}`` a number. A row that was typed into is not expected again.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import time
from pathlib import Path
from typing import Any

from fakes.terminal import Teletype

from agent.config.unconfirmed import Times
from agent.console.login import life
from agent.console.port import Mark, PortGone, TtyPort, UrlPort
from agent.console.serve import Console
from agent.console.session import Session
from agent.console.world import World

PATIENCE_S = 30.0
LANES = ("memory", "loop", "pty")


class MemoryPort:
    """A line in memory; whoever has the other end puts data and marks in."""

    local = False
    name = "memory"

    def __init__(self) -> None:
        self.given: list[bytes | Mark] = []
        self.shown = bytearray()
        self.gone = False
        self.transparents: list[bool] = []

    def fileno(self) -> int:
        return -1

    write_fileno = fileno

    def transparent(self, on: bool) -> None:
        self.transparents.append(on)

    def read(self) -> list[bytes | Mark]:
        if self.gone:
            raise PortGone("pulled")
        found, self.given = self.given, []
        return found

    def write(self, data: bytes | bytearray) -> int:
        self.shown += data
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...


class Line:
    """Both ends of a line of one kind, and the console at one of them."""

    def __init__(self, kind: str, config: Path, host: str = "box") -> None:
        self.kind = kind
        self.terminal = Teletype()
        self.sent = bytearray()  # everything that the console has sent
        self.ahead_s = 0.0
        self._config, self._host = config, host
        self._far = -1
        self.port: Any = None
        self.console: Any = None
        self.open()

    def open(self) -> None:
        if self.kind == "memory":
            self.port = MemoryPort()
        elif self.kind == "loop":
            import serial

            self.port = UrlPort(serial.serial_for_url("loop://", timeout=0), "loop://")
        else:
            self._far, near = pty.openpty()
            os.set_blocking(self._far, False)
            self.port = TtyPort(near, near, own=True, name="pty")
            self.port.setup(9600)
        world = World(str(self._config), "line", times=Times(lambda: time.time() + self.ahead_s, self.now))
        world.host = self._host
        self.world = world
        self.console = Console(self.port, Session(world, life, self.now()), self.now)

    def now(self) -> float:
        return time.monotonic() + self.ahead_s

    def type(self, data: bytes) -> None:
        if self.kind == "memory":
            self.port.given.append(data)
        elif self.kind == "loop":
            self.port._serial.write(data)
            self.console.turn(0.0)  # takes all of it before anything else stands in the one queue
        else:
            os.write(self._far, data)

    def turn(self, longest_s: float = 0.05) -> None:
        """Let the console work, and look at what it sent; nobody waits for a pause."""
        session = self.console.session
        if session._until is not None and not session._child:
            self.ahead_s += max(session._until - self.now(), 0.0)
        if self.kind == "loop":
            self._loop_turn(longest_s)
            return
        self.console.turn(longest_s)
        data = b""
        if self.kind == "memory":
            data = bytes(self.port.shown)
            self.port.shown.clear()
        else:
            try:
                data = os.read(self._far, 65_536)
            except BlockingIOError:
                data = b""
        self.sent += data
        self.terminal.feed(data)

    def _loop_turn(self, longest_s: float) -> None:
        """The one queue of ``loop://`` holds what the console has sent; it is taken out before the console looks."""
        self.console._settle()
        data = self.port._serial.read(65_536)
        self.sent += data
        self.terminal.feed(data)
        if not data:
            self.console.turn(min(longest_s, 0.01))

    def close(self) -> None:
        self.console.close()
        self.port.close()
        if self._far >= 0:
            os.close(self._far)
            self._far = -1

    def pull(self) -> None:
        """Pull the cable while something is under way, and put it in again."""
        if self.kind == "memory":
            self.port.gone = True
        elif self.kind == "pty":
            os.close(self._far)
            self._far = -1
        try:
            for _ in range(20):
                self.console.turn(0.01)
        except PortGone:
            pass
        self.console.close()
        if self.kind != "memory":
            self.port.close()
        self.terminal = Teletype()
        self.open()

    def mark(self, mark: Mark) -> None:
        """BREAK or a damaged byte; a pseudo terminal has neither, so what its tty would say is said."""
        self.console._take(mark, self.now())


class Player:
    """Plays one transcript."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._seen = 0
        self._skip = False
        self._last = ""

    def play(self, text: str) -> None:
        for number, row in enumerate(text.splitlines(), 1):
            if row.strip() and not row.startswith("#"):
                try:
                    self._do(row)
                except AssertionError as error:
                    raise AssertionError(f"line {number}: {row}\n{error}") from None

    def _do(self, row: str) -> None:
        mark, _, text = row.partition(" ")
        line = self._line
        if mark == "...":
            self._skip = True
        elif mark == "<":
            self._expect(text)
        elif mark == "?":
            self._prompt(text)
        elif mark in (">", ">>"):
            self._settle()
            keys = text if mark == ">" else _keys(text)
            line.type(keys.encode() + (b"\r" if mark == ">" else b""))
            if mark == ">":
                self._last = text
                self._typed()
            else:
                self._settle()
        elif mark == "~":
            self._until(text)
        elif mark == "@":
            line.ahead_s += float(text)
            line.turn()
        elif text == "pull":
            line.pull()
            self._seen = 0
        elif text in ("break", "noise"):
            line.mark(Mark() if text == "break" else Mark(0x41))
        else:
            raise AssertionError("no such line of a transcript")

    def _typed(self) -> None:
        """Take the row that was typed into."""
        self._wait(lambda: len(self._line.terminal.rows) > self._seen, "the line that was typed")
        self._seen = len(self._line.terminal.rows) if self._skip else self._seen + 1
        self._skip = False

    def _settle(self) -> None:
        """Let everything be said that is on its way."""
        quiet = 0
        while quiet < 3:
            before = len(self._line.sent)
            self._line.turn(0.01)
            quiet = quiet + 1 if len(self._line.sent) == before else 0

    def _expect(self, pattern: str) -> None:
        rows = self._line.terminal.rows

        def there() -> bool:
            while self._seen < len(rows):
                self._seen += 1
                if _matches(pattern, rows[self._seen - 1]):
                    self._skip = False
                    return True
                assert self._skip, f"it says: {rows[self._seen - 1]!r}\n{self._shown()}"
            return False

        self._wait(there, f"'{pattern}'")

    def _until(self, pattern: str) -> None:
        terminal, until = self._line.terminal, time.monotonic() + 2 * PATIENCE_S
        while True:
            self._wait(lambda: terminal.current.endswith(">"), "the prompt")
            if any(_matches(pattern, row) for row in terminal.rows[self._seen :]):
                self._seen = len(terminal.rows)
                return
            assert time.monotonic() < until, f"'{pattern}' does not come\n{self._shown()}"
            time.sleep(0.2)
            self._seen = len(terminal.rows)
            self._line.type(self._last.encode() + b"\r")
            self._wait(lambda: len(terminal.rows) > self._seen, "an answer")

    def _prompt(self, pattern: str) -> None:
        terminal = self._line.terminal
        self._wait(lambda: _matches(pattern, terminal.current), f"the prompt '{pattern}'")
        if self._skip:
            self._seen, self._skip = len(terminal.rows), False
        more = terminal.rows[self._seen :]
        assert not more, f"before the prompt it says: {more}\n{self._shown()}"

    def _wait(self, there: Any, what: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while not there():
            assert time.monotonic() < until, f"{what} does not come\n{self._shown()}"
            self._line.turn()

    def _shown(self) -> str:
        terminal = self._line.terminal
        return "\n".join(["--- screen:", *terminal.rows[-20:], terminal.current])


def _matches(pattern: str, row: str) -> bool:
    expression = "".join({"*": ".*", "{n}": r"-?[0-9.]+"}.get(part, re.escape(part)) for part in
                         re.split(r"(\*|\{n\})", pattern.rstrip()))  # fmt: skip
    return re.fullmatch(expression, row.rstrip()) is not None


def _keys(text: str) -> str:
    return re.sub(r"\\(t|r|e|\\|x([0-9a-fA-F]{2}))", _key, text)


def _key(found: re.Match[str]) -> str:
    if found[2]:
        return chr(int(found[2], 16))
    return {"t": "\t", "r": "\r", "e": "\x1b", "\\": "\\"}[found[1]]


def no_tty(fd: int) -> bool:
    """Whether ``fd`` is set not to block."""
    return bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK)
