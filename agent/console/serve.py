"""The loop of one console: poll the line, the child and the clock, and do what the session wishes.

It is the only place with descriptors. One turn never waits longer than the session's deadline, and never for anything
but ``poll``: a child that does not read, a line that does not take, an agent that hangs, each is one descriptor that is
not ready.
"""

from __future__ import annotations

import os
import select
import time

from agent.console.children import Child
from agent.console.port import Mark
from agent.console.session import Session
from agent.console.watch import Watch
from agent.console.wishes import Abandon, Flush, HangUp, Send, Start, Stop
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.console.port import Port
    from agent.console.wishes import Wish

# How often a line without a descriptor is looked at, and a child whose pipes are closed.
_PAUSE_S: Final = 0.01
_LONGEST_S: Final = 60.0
_LAST_S: Final = 1.0
_IN: Final = select.POLLIN | select.POLLHUP | select.POLLERR


class Console:
    """One session on one line."""

    def __init__(self, port: Port, session: Session, now: Callable[[], float] = time.monotonic) -> None:
        self.port = port
        self.session = session
        self.over = False
        self._now = now
        self._child: Child | None = None
        self._watch_of = Watch(session.world, now())
        self._left: list[Child] = []  # SIGKILL has not ended them yet

    def turn(self, longest_s: float = _LONGEST_S, wake: int = -1) -> None:
        """Do what there is to do, after waiting at most ``longest_s`` for it; raises ``PortGone``."""
        self._settle()
        ready = self._wait(longest_s, wake)
        now = self._now()
        port = self.port.fileno()
        if port < 0 or port in ready:
            for piece in self.port.read():
                self._take(piece, now)
        child = self._child
        if child is not None:
            for fd in (child.output, child.errors):
                if fd in ready and fd >= 0 and self.session.reading:
                    self._read(child, fd)
            if child.input in ready:
                child.send(b"")
        self.session.tick(self._now())
        lines = self._watch_of.look(self._now())
        if lines and self.session.user is not None:
            self.session.message(lines)
        self._settle()

    def close(self) -> None:
        """End the session and its child, which SIGKILL ends at once unless it hangs in the kernel."""
        self.session.closed(self._now())
        self._settle(talk=False)
        until = self._now() + _LAST_S
        while self._left and self._now() < until:
            time.sleep(_PAUSE_S)
            self._settle(talk=False)

    def _take(self, piece: bytes | Mark, now: float) -> None:
        if isinstance(piece, bytes):
            self.session.receive(piece, now)
        elif piece.byte < 0:
            self.session.line_break(now)
        elif self._child is not None and self._child.raw:
            self.session.receive(bytes((piece.byte,)), now)
        else:
            self.session.disturbed(now)

    def _read(self, child: Child, fd: int) -> None:
        error = fd == child.errors
        data = child.read(fd)
        if data:
            self.session.child_output(data, self._now(), error=error)

    def _settle(self, *, talk: bool = True) -> None:
        """Do wishes and see to the child until nothing changes."""
        while True:
            for wish in self.session.wishes():
                self._do(wish)
            child = self._child
            if child is None or not (child.output < 0 and child.errors < 0 and child.ended()):
                break
            self._child = None
            child.close()
            self.session.child_ended(child.status or 0, self._now())
            self._transparent(child, on=False)
        self._left = [one for one in self._left if not one.ended()]
        if talk and self.session.outgoing:
            self.session.sent(self.port.write(self.session.outgoing))

    def _do(self, wish: Wish) -> None:
        if isinstance(wish, Start):
            self._start(wish)
        elif isinstance(wish, Flush):
            self.port.flush()
        elif isinstance(wish, HangUp):
            self.over = True
        elif self._child is None:
            return
        elif isinstance(wish, Send):
            self._child.send(wish.data)
        elif isinstance(wish, Stop):
            self._child.stop(hard=wish.hard)
        elif isinstance(wish, Abandon):
            child, self._child = self._child, None
            child.close()
            self._transparent(child, on=False)
            self._left.append(child)

    def _start(self, wish: Start) -> None:
        try:
            who = self.session.user.name if self.session.user is not None else ""
            child = Child(wish.argv, wish.data, self.session.width - 1, raw=wish.raw, who=who)
        except OSError as error:
            text = f"it cannot be started: {error.strerror or error}\n"
            self.session.child_output(text.encode(), self._now(), error=True)
            self.session.child_ended(1, self._now())
            return
        self._child = child
        self._transparent(child, on=True)

    def _transparent(self, child: Child, *, on: bool) -> None:
        if child.raw:
            self.port.transparent(on)

    def _wait(self, longest_s: float, wake: int) -> set[int]:
        """Wait for the next thing; returns the descriptors that are ready."""
        until = self.session.deadline
        wait_s = longest_s if until is None else min(longest_s, max(until - self._now(), 0.0))
        if self.session.user is not None:
            wait_s = min(wait_s, max(self._watch_of.next - self._now(), 0.0))
        poll = select.poll()
        if wake >= 0:
            poll.register(wake, select.POLLIN)
        port, writer = self.port.fileno(), self.port.write_fileno()
        full = bool(self.session.outgoing)
        if port < 0:
            wait_s = min(wait_s, _PAUSE_S)
        elif port == writer:
            poll.register(port, select.POLLIN | (select.POLLOUT if full else 0))
        else:
            poll.register(port, select.POLLIN)
            if full:
                poll.register(writer, select.POLLOUT)
        child = self._child
        if child is not None:
            wait_s = self._watch(child, poll, wait_s)
        if self._left:
            wait_s = min(wait_s, 1.0)
        return {fd for fd, event in poll.poll(wait_s * 1000) if event & (_IN | select.POLLOUT)}

    def _watch(self, child: Child, poll: select.poll, wait_s: float) -> float:
        if child.writing:
            poll.register(child.input, select.POLLOUT)
        if child.output < 0 and child.errors < 0:
            return min(wait_s, _PAUSE_S)
        if self.session.reading:
            for fd in (child.output, child.errors):
                if fd >= 0:
                    poll.register(fd, select.POLLIN)
        return wait_s


def wake_pipe() -> tuple[int, int]:
    """Return a pipe that signals write into (``signal.set_wakeup_fd``), so that ``poll`` sees them."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    return reader, writer
