"""A relay between us and a peer that resets both sides after so many bytes; what it had forwarded by then is known."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import TYPE_CHECKING, Final

from fakes.misbehaviour.line import READ_BYTES, RESET

if TYPE_CHECKING:
    from typing import Self

TICK_MS: Final = 100


class CutRelay:
    """One port before another; each connection gets what ``arm`` says. A context manager.

    ``up`` are the bytes that came from us on the last connection, ``down`` those that were forwarded to us.
    """

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._limits: tuple[int | None, int | None] = (None, None)
        self.up = self.down = 0
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def arm(self, up: int | None = None, down: int | None = None) -> None:
        """Reset the next connection once ``up`` bytes came from us, or ``down`` went to us."""
        self._limits = (up, down)
        self._over.clear()

    def wait(self) -> None:
        """Wait until the connection is over on both sides."""
        assert self._over.wait(10)

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            with ours, socket.create_connection(self._target) as theirs, contextlib.suppress(OSError):
                self._relay(ours, theirs, *self._limits)
            self._over.set()

    def _relay(self, ours: socket.socket, theirs: socket.socket, up: int | None, down: int | None) -> None:
        for each in (ours, theirs):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.up = self.down = 0
        poll = select.poll()
        poll.register(ours, select.POLLIN)
        poll.register(theirs, select.POLLIN)
        while self.up != up and self.down != down:
            for number, _ in poll.poll(TICK_MS):
                if number == ours.fileno():
                    data = ours.recv(READ_BYTES if up is None else min(READ_BYTES, up - self.up))
                    self.up += len(data)
                    theirs.sendall(data)
                else:
                    data = theirs.recv(READ_BYTES if down is None else min(READ_BYTES, down - self.down))
                    self.down += len(data)
                    ours.sendall(data)
                if not data:
                    return
                if self.up == up or self.down == down:
                    break
        for each in (ours, theirs):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
