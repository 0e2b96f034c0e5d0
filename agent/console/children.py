"""One child at a time, started without a shell and without a copy of this process.

``posix_spawn`` starts it in a process group of its own, so that ^C of our terminal does not reach it and a signal
reaches all of it. Its environment says that there is no terminal: 80 columns, no colours. Pipes are read when the
session wants it, which is how a pager holds a command up. Nothing here waits.
"""

from __future__ import annotations

import os
import signal
import sys

from agent.typed import Final

_CHUNK: Final = 4096
# More is lost on the way to a child that does not read; a protocol asks for it again.
WAITING_LIMIT: Final = 65_536
WHO: Final = "MODALITY_AGENT_WHO"  # agent.app.orders reads it
_PASSED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONPATH", "SSL_CERT_FILE", "OPENSSL_CONF")


def environment(width: int, who: str = "") -> dict[str, str]:
    """Return the environment of a child; ``who`` is logged in, for what the verbs note in receipts and log."""
    kept = {name: os.environ[name] for name in _PASSED if name in os.environ}
    if who:
        kept[WHO] = who
    return {**kept, "COLUMNS": str(width), "LINES": "24", "NO_COLOR": "1", "TERM": "dumb", "PYTHONUTF8": "1"}


class Child:
    """A running child; ``output`` and ``errors`` are descriptors to read, ``status`` is None while it runs."""

    __slots__ = ("_data", "errors", "input", "output", "pid", "raw", "status")

    def __init__(self, argv: tuple[str, ...], data: bytes, width: int, *, raw: bool = False, who: str = "") -> None:
        self.raw = raw
        self.status: int | None = None
        self._data = data
        given, self.input = os.pipe2(os.O_CLOEXEC)
        self.output, out = os.pipe2(os.O_CLOEXEC)
        self.errors, err = os.pipe2(os.O_CLOEXEC)
        actions = [(os.POSIX_SPAWN_DUP2, given, 0), (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, err, 2)]
        try:
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-P", "-m", *argv],
                environment(width, who),
                file_actions=actions,
                setpgroup=0,
                setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGHUP),
            )
        except OSError:
            self.close()
            raise
        finally:
            for fd in (given, out, err):
                os.close(fd)
        for fd in (self.input, self.output, self.errors):
            os.set_blocking(fd, False)
        self.send(b"")

    def send(self, data: bytes) -> None:
        """Give it bytes; what it does not take now it gets with the next call, at most ``WAITING_LIMIT`` of them."""
        if len(self._data) < WAITING_LIMIT:
            self._data += data
        if self.input < 0:
            return
        try:
            while self._data:
                self._data = self._data[os.write(self.input, self._data) :]
        except BlockingIOError:
            return
        except OSError:
            self._data = b""
        if not self.raw and not self._data:
            os.close(self.input)
            self.input = -1

    @property
    def writing(self) -> bool:
        """Whether there is something left that it has not taken."""
        return self.input >= 0 and bool(self._data)

    def read(self, fd: int) -> bytes | None:
        """Read what is there; None at the end, which closes ``fd``."""
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if data:
            return data
        os.close(fd)
        if fd == self.output:
            self.output = -1
        else:
            self.errors = -1
        return None

    def ended(self) -> bool:
        """Whether it is gone, as far as its process goes."""
        if self.status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self.status = -1
            else:
                self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None

    def stop(self, *, hard: bool) -> None:
        """Send it and its children a signal."""
        try:
            os.killpg(self.pid, signal.SIGKILL if hard else signal.SIGINT)
        except OSError:
            return

    def close(self) -> None:
        """Close what is open."""
        for fd in (self.input, self.output, self.errors):
            if fd >= 0:
                os.close(fd)
        self.input = self.output = self.errors = -1
