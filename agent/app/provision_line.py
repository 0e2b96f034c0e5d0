"""The laptop's end of the line: from whatever is on it to a prompt, from a prompt to a log-in, from there to frames.

The line may be anywhere: at the log-in, in a pager, behind half a line that somebody typed, in configuration mode, in a
file transfer, in the session of an earlier run that died. And noise may hit what is read as well as what is typed. So a
word is sent, its echo read and compared, and only then Enter follows; what comes back otherwise is cancelled and typed
again. A password has no echo: one that arrives damaged is refused by the box, so it is tried twice, and never often
enough to lock anybody out.
"""

from __future__ import annotations

import re
import select
import time

from agent.console.frames import Channel
from agent.console.port import HINT, PortGone, open_port
from agent.errors import DeviceError, LinkTimeout, NotLoggedIn
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.console.port import Port

QUIET_S: Final = 0.6
_PROMPT_S: Final = 8.0
_STUCK_S: Final = 60.0
_TRIES: Final = 8
_INTERRUPT: Final = b"\x03\x03\x03"
_CANCEL: Final = b"\x18" * 8 + _INTERRUPT  # a file transfer has five of them
FIRST_USER, FIRST_PASSWORD = "admin", "modality"
_HELLO: Final = b"~hello modality-agent 1"
_STATES: Final = (
    ("new", re.compile(r"New password: $")),
    ("again", re.compile(r"Again: $")),
    ("password", re.compile(r"[Pp]assword: $")),
    ("login", re.compile(r"login: $")),
    ("question", re.compile(r"\[yes/no\] $")),
    ("pager", re.compile(r"--More--")),
    ("operational", re.compile(r"[\w-]+@[\w-]+> $")),
    ("configuration", re.compile(r"[\w-]+@[\w-]+# $")),
)


class Prompt(NamedTuple):
    """Where the line is: a row of ``_STATES``, and who is logged in there."""

    state: str
    user: str


def prompt_of(text: str) -> Prompt:
    """Read the last line that a terminal would show."""
    last = re.split(r"[\r\n]", text)[-1]
    state = next((name for name, pattern in _STATES if pattern.search(last)), "")
    user = last.partition("@")[0].rpartition(" ")[2] if state in ("operational", "configuration") else ""
    return Prompt(state, user)


class Wire:
    """The port, byte by byte; every failure of it is a ``DeviceError``."""

    def __init__(self, port: Port, say: Callable[[str], None]) -> None:
        self.say = say
        self._port = port

    def read(self, wait_s: float) -> bytes:
        """Return what comes within ``wait_s``, as soon as there is something."""
        until = time.monotonic() + wait_s
        while True:
            came = self._do(self._port.read)
            data = b"".join(one if isinstance(one, bytes) else bytes([max(one.byte, 0)]) for one in came)
            if data or time.monotonic() >= until:
                return data
            self._wait(self._port.fileno(), select.POLLIN)

    def write(self, data: bytes) -> None:
        """Send all of it."""
        until = time.monotonic() + _STUCK_S
        while data:
            if time.monotonic() > until:
                raise DeviceError(f"{self._port.name}: the line takes nothing", hint=HINT)
            data = data[self._do(self._port.write, data) :]
            if data:
                self._wait(self._port.write_fileno(), select.POLLOUT)

    def close(self) -> None:
        """Give the port back."""
        self._port.close()

    def _do(self, act: Callable[..., Any], *given: object) -> Any:
        try:
            return act(*given)
        except PortGone as error:
            raise DeviceError(f"{self._port.name}: {error}", hint=HINT) from None

    def _wait(self, fd: int, event: int) -> None:
        """Sleep until there is something to do, 20 ms at most."""
        if fd < 0:
            time.sleep(0.01)
            return
        poll = select.poll()
        poll.register(fd, event)
        poll.poll(20)


def open_wire(name: str, baud: int, say: Callable[[str], None]) -> Wire:
    """Open a device, or a URL of pyserial; raises ``DeviceError``."""
    port = open_port(name, baud)
    port.transparent(on=True)
    return Wire(port, say)


class Conversation:
    """What a person would do at the console, done with care."""

    def __init__(self, wire: Wire, *, may_begin: bool = True) -> None:
        self._wire = wire
        self._text = ""
        self.first_start = False
        self._may_begin = may_begin

    # --- from anywhere to frames -----------------------------------------------------------------

    def enter(self, user: str, password: Callable[[], str], *, leave: bool) -> bool:
        """Log in, unless somebody is and no user was named; whether we did. ``leave``: also configuration mode."""
        found = self.settle()
        if found.state == "configuration":
            found = self._left(leave=leave)
        if found.state == "operational" and user not in ("", found.user):
            self._type("exit")
            found = self._await("login")
        if found.state == "operational":
            return False
        self._log_in(user or FIRST_USER, password())
        return True

    def frames(self) -> Channel:
        """Have the box talk with a program."""
        for _ in range(_TRIES):
            self._type("machine")
            until = time.monotonic() + _PROMPT_S
            seen = b""
            while time.monotonic() < until:
                seen += self._wire.read(0.1)
                if _HELLO in seen:
                    return Channel(time.monotonic())
                if prompt_of(seen.decode("latin-1")).state:
                    break
            if b"machine" in seen and (b"no command" in seen or b"nknown" in seen):
                raise NotLoggedIn("this user may not configure the box, or its version knows no 'machine'")
            self.settle()
        raise LinkTimeout("the box does not begin to talk with a program: the line is too bad")

    def leave(self, *, log_out: bool) -> None:
        """Leave the line at a prompt, logged out if we have logged in."""
        if self._await("operational", "login").state == "operational" and log_out:
            self._type("exit")
            self._await("login")

    def settle(self) -> Prompt:
        """Get to a prompt from wherever the line is; raises ``LinkTimeout``."""
        for attempt in range(_TRIES):
            self._wire.write(_INTERRUPT if attempt < 2 else _CANCEL)
            text = self._read_quiet(_PROMPT_S)
            found = prompt_of(text)
            if found.state == "password":
                continue
            if found.state in ("login", "operational", "configuration"):
                return found
            self._wire.write(b"\r")
            found = prompt_of(self._read_quiet(_PROMPT_S))
            if found.state in ("login", "operational", "configuration"):
                return found
        raise LinkTimeout(
            "no prompt of modality-agent on this line",
            hint="Is the box on, the speed right (--baud), the cable a null modem? Does its console serve this port?",
        )

    # --- inside ----------------------------------------------------------------------------------

    def _left(self, *, leave: bool) -> Prompt:
        self._type("exit")
        found = prompt_of(self._read_quiet(_PROMPT_S))
        if found.state == "configuration" and leave:
            self._type("discard")
            self._read_quiet(_PROMPT_S)
            self._type("top")
            self._read_quiet(_PROMPT_S)
            self._type("exit")
            found = prompt_of(self._read_quiet(_PROMPT_S))
        if found.state == "configuration":
            raise NotLoggedIn(
                f"{found.user or 'somebody'} is logged in here with changes that are not committed",
                hint="Commit or discard them at the console, or give --discard.",
            )
        return found if found.state else self.settle()

    def _log_in(self, user: str, password: str) -> None:
        first = self.first_start
        for attempt in range(3):
            name = FIRST_USER if first else user
            self._type(name)
            found = self._await("password", "login", "operational")
            if found.state == "login":  # the name was damaged on its way, and not tried
                continue
            self._wire.write((FIRST_PASSWORD if first else password).encode() + b"\r")
            found = self._await("operational", "login", "new")
            if found.state == "operational":
                return
            if found.state == "new":
                if not self._may_begin:
                    self._wire.write(_INTERRUPT)
                    raise NotLoggedIn("the box is at its first start, and says nothing before its password is set",
                                      hint="Without --dry-run it is set to that of --password-file.")  # fmt: skip
                self._set_first(password)
                return
            if "locked" in self._text or "Too many" in self._text:
                raise NotLoggedIn(f"{user} is locked out for a while: too many failures", hint="Wait, and try again.")
            first = self.first_start or (attempt == 0 and user == FIRST_USER)
        raise NotLoggedIn(f"the box does not take user {user} with this password")

    def _set_first(self, password: str) -> None:
        """Set the first password; one that arrives damaged is not the same twice, and is asked for again."""
        found = Prompt("new", "")
        for _ in range(2 * _TRIES):
            if found.state not in ("new", "again"):
                break
            self._wire.write(password.encode() + b"\r")
            found = self._await("new", "again", "operational", "login")
            if found.state == "new" and "Not taken" in self._text and "not the same" not in self._text:
                why = self._text.partition("Not taken: ")[2].partition("\n")[0].strip()
                raise NotLoggedIn(f"the box does not take this password: {why}", hint="Give it a better one.")
        if found.state != "operational":
            raise NotLoggedIn("the first password could not be set: the line is too bad")
        self._wire.say("first start: the password was set")

    def _type(self, text: str) -> None:
        """Type a line, its echo compared before Enter."""
        for _ in range(_TRIES):
            self._wire.write(text.encode())
            seen, until = "", time.monotonic() + 2.0 + len(text) / 100
            while not seen.endswith(text) and time.monotonic() < until:
                seen += self._wire.read(0.1).decode("latin-1")
            if seen.endswith(text):
                self._text = ""
                self._wire.write(b"\r")
                return
            self._wire.write(b"\x03")
            self._read_quiet(2.0)
        raise LinkTimeout("what is typed does not come back as it was sent: the line is too bad")

    def _await(self, *states: str) -> Prompt:
        """Read until one of ``states`` stands there; what else stands there is cancelled."""
        for _ in range(_TRIES):
            text = ""
            until = time.monotonic() + 3 * _PROMPT_S
            while time.monotonic() < until:
                text += self._wire.read(0.2).decode("latin-1")
                found = prompt_of(text)
                if found.state in states:
                    self._text = text
                    return found
            self._wire.write(b"\x03")
        raise LinkTimeout("the box does not answer in a way that can be read: the line is too bad")

    def _read_quiet(self, longest_s: float) -> str:
        """Read until nothing has come for ``QUIET_S``."""
        text, until = "", time.monotonic() + longest_s
        while time.monotonic() < until:
            data = self._wire.read(QUIET_S)
            if not data:
                break
            text += data.decode("latin-1")
        self.first_start = self.first_start or "First start:" in text
        return text
