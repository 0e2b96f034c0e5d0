"""The console: any bytes of a line, BREAK, damaged bytes, time; children that answer anything, late or never.

Whatever comes, the console goes on: what it shows is within what a dumb terminal does, nobody is logged in who has not
given the password, nobody runs what his role is not enough for, no noise is run, and nothing grows without bound.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from fakes.terminal import Teletype

from agent.config.unconfirmed import Times
from agent.console.login import life
from agent.console.session import AHEAD_LIMIT, STUCK_LIMIT, Session
from agent.console.users import User, Users
from agent.console.wishes import Abandon, Send, Start, Stop
from agent.console.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable

PASSWORD = "correct horse"
_CHUNK = 61
_FOLDER = "/dev/shm" if os.path.isdir("/dev/shm") else None  # what is synced here need not last
TOKENS = (b"\r", b"\n", b"\t", b"?", b"|", b"\x03", b"\x1b[A", b"\x10", b"\xff", b"\x00", b"show ", b"status", b"queue",
    b"user add ", b"admin", b"configure", b"set ", b"commit", b"exit", b"why ", b"match ", b"--", b"'", b'"', b"\x15",
    b"terminal length ", b"anna", PASSWORD.encode(), b"restart\r", b"yes\r", b"q", b" ")  # fmt: skip
# Programs that a viewer may have run for him.
VIEWER = {("status",), ("log",), ("queue", "list"), ("queue", "studies"), ("queue", "patients"), ("queue", "show"),
    ("receipt",), ("config", "show"), ("config", "commands"), ("config", "history"), ("tls", "show"),
    ("spool", "check"), ("why",), ("clock", "show"), ("network",), ("panel", "status")}  # fmt: skip


class Bench:
    """A session in a folder of its own, with a viewer who has a password."""

    def __init__(self, role: str = "viewer") -> None:
        self.folder = tempfile.TemporaryDirectory(dir=_FOLDER)
        config = os.path.join(self.folder.name, "agent.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write('[spool]\npath = "spool"\n[[destination]]\nname = "pacs"\ncalled_ae = "P"\nhost = "h"\n')
        Users(f"{config}.console").put(User("anna", role, f"scrypt:{PASSWORD.encode().hex()}"))
        self.now = 1.0
        self.screen = Teletype()
        self.session = Session(
            World(config, "fuzz", times=Times(lambda: 1.8e9 + self.now, lambda: self.now)), life, self.now
        )
        self.role = role
        self.child: Start | None = None
        self.started = 0  # verbs that were run
        self.given = False  # whether the right password was given in this life

    def turn(self, data: bytes, choice: int = 1) -> None:
        """Type, let things happen, and look at what must be true."""
        session = self.session
        if choice % 16 == 7:
            session.line_break(self.now)
        elif choice % 16 == 8:
            session.disturbed(self.now)
        elif choice % 16 == 9:
            self._pass(float(choice))
        session.receive(data, self.now)
        self._settle(choice)
        assert len(session.outgoing) == 0
        assert len(session._keys) <= AHEAD_LIMIT + 1
        assert session.user is None or self.given

    def _settle(self, choice: int) -> None:
        session = self.session
        for _ in range(2000):
            assert len(session.outgoing) < 4 * STUCK_LIMIT
            self.screen.feed(bytes(session.outgoing))
            session.outgoing.clear()
            wishes = session.wishes()
            for wish in wishes:
                if isinstance(wish, Start):
                    self._start(wish)
                elif isinstance(wish, (Stop, Abandon)) and self.child is not None:
                    self._end(130)
                else:
                    assert not isinstance(wish, Send) or self.role != "viewer"
            if self.child is not None and choice % 5 != 4 and session.reading:
                self._answer(choice)
            elif not wishes:
                break
        else:
            raise AssertionError("it does not come to rest")
        del self.screen.rows[:-50]

    def _start(self, start: Start) -> None:
        self.child = start
        self.started += start.argv[0] == "agent"
        if start.argv[0] == "agent":
            assert self.session.user is not None
            verb = start.argv[1:]
            words = tuple(word for word in verb[:2] if not word.startswith("-"))
            assert "--check" not in verb or self.role != "viewer"
            allowed = words in VIEWER or words[:1] in VIEWER
            assert allowed or self.role != "viewer", f"a viewer ran {verb}"

    def _answer(self, choice: int) -> None:
        start = self.child
        assert start is not None
        if start.argv[0] == "agent.console.hashing":
            secret, _, password = start.data.partition(b"\n")
            right = start.argv[1] == "check" and secret == b"scrypt:" + password.hex().encode()
            self.given = self.given or right
            if start.argv[1] == "make":
                self.session.child_output(b"scrypt:" + start.data.hex().encode(), self.now)
            self._end(0 if right or start.argv[1] == "make" else 1)
        elif start.raw:  # what a file transfer says is for no terminal
            self._end(choice % 3)
        else:
            said = bytes(range(256)) * (choice % 7) + b"\n" * (choice % 50)
            self.session.child_output(said, self.now, error=choice % 2 > 0)
            self._end(choice % 3)

    def _end(self, status: int) -> None:
        self.child = None
        self.session.child_ended(status, self.now)

    def _pass(self, seconds: float) -> None:
        self.now += seconds
        self.session.tick(self.now)

    def close(self) -> None:
        self.session.closed(self.now)
        self.folder.cleanup()


def run_console(data: bytes) -> None:
    """Any bytes in pieces, as a stranger and behind the log-in; the first byte chooses which."""
    bench = Bench()
    try:
        if data[:1] > b"\x7f":
            bench.turn(f"anna\r{PASSWORD}\r".encode())
            assert bench.session.user is not None
        for at in range(1, len(data), _CHUNK):
            piece = data[at : at + _CHUNK]
            bench.turn(piece[1:], piece[0])
    finally:
        bench.close()


def seeds() -> Iterable[bytes]:
    """Honest sessions."""
    for first in (b"\x00", b"\xff"):
        yield first + b"\x01anna\r" + PASSWORD.encode() + b"\rshow status\rexit\r"
        yield first + b"\x01show queue | match x | count\rshow log\r q"
        yield first + b"\x01sh ?\x15wh\t\x03why 2.25\t\r\x10\x10\r"
        yield first + b"\x01terminal length 0\rshow queue state held\rconfigure\rpassword\r"
