"""A session of the console without I/O: a dumb terminal, a clock, and children that do what they are told."""

from __future__ import annotations

from pathlib import Path

from fakes.terminal import Teletype

from agent.config.unconfirmed import Times
from agent.console.login import life
from agent.console.session import Session
from agent.console.users import User, Users
from agent.console.wishes import Start
from agent.console.world import World

PASSWORD = "correct horse"


def hashed(password: str) -> str:
    return f"scrypt:{password.encode().hex()}"


class Site:
    """A session, a dumb terminal, a clock, and children that do what they are told."""

    def __init__(self, folder: Path, *, users: bool = True, role: str = "admin", local: bool = False) -> None:
        self.folder = folder
        self.now = 1000.0
        self.wall = 1.8e9
        self.boot = "first"
        self.config = folder / "agent.toml"
        if not self.config.exists():
            self.config.write_text(
                '[spool]\npath = "spool"\n[[destination]]\nname = "pacs"\ncalled_ae = "P"\nhost = "h"\n'
            )
        if users:
            Users(f"{self.config}.console").put(User("anna", role, hashed(PASSWORD)))
        self.screen = Teletype()
        self.bytes = bytearray()
        self.started: list[Start] = []
        self.wishes: list[object] = []
        self.answers = True
        self.local = local
        self.trouble = ""
        self.begin()

    def begin(self) -> None:
        self.world = World(str(self.config), "ttyS0", local=self.local, times=self.times())
        self.world.host = "box"
        self.session = Session(self.world, life, self.now)
        self.show()

    def times(self) -> Times:
        return Times(lambda: self.wall, lambda: self.now, lambda: self.boot)

    def user(self, name: str, role: str) -> User:
        """Return an account with the password of everybody."""
        return User(name, role, hashed(PASSWORD))

    def show(self) -> None:
        while True:
            self.bytes += self.session.outgoing
            self.screen.feed(bytes(self.session.outgoing))
            self.session.outgoing.clear()
            wishes = self.session.wishes()
            if not wishes:
                return
            for wish in wishes:
                self.wishes.append(wish)
                if isinstance(wish, Start) and "--trouble" in wish.argv:  # what a log-in asks by itself
                    self.session.child_output(self.trouble.encode(), self.now)
                    self.session.child_ended(0, self.now)
                elif isinstance(wish, Start):
                    self.started.append(wish)
                    if self.answers:
                        self.child(wish)

    def child(self, start: Start) -> None:
        """The hashing child, without scrypt; any other says what it was asked for."""
        status = 0
        if start.argv == ("agent.console.hashing", "check"):
            secret, _, password = start.data.partition(b"\n")
            status = int(secret != hashed(password.decode()).encode())
        elif start.argv == ("agent.console.hashing", "make"):
            self.session.child_output(hashed(start.data.decode()).encode(), self.now)
        else:
            self.session.child_output(" ".join(start.argv).encode() + b"\n", self.now)
        self.session.child_ended(status, self.now)

    def type(self, data: str | bytes) -> None:
        self.session.receive(data.encode() if isinstance(data, str) else data, self.now)
        self.show()

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        while True:
            due = self.session.deadline
            if due is None or due > until:
                break
            self.wall += due - self.now
            self.now = max(due, self.now)
            self.session.tick(self.now)
            self.show()
        self.wall += until - self.now
        self.now = until
        self.session.tick(until)
        self.show()

    def log_in(self, name: str = "anna", password: str = PASSWORD) -> None:
        self.type(f"{name}\r")
        self.type(f"{password}\r")

    @property
    def last(self) -> str:
        return next(row for row in reversed(self.screen.rows) if row)

    def record(self) -> str:
        path = Path(f"{self.config}.console/sessions")
        return path.read_text() if path.exists() else ""
