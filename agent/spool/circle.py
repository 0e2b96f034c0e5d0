"""Who comes first works for all who came meanwhile: many small durable things share the syncs of one.

    come -> nobody is at it: do the work of all who wait, up to ``LIMIT`` at a time, until one's own is done
         -> somebody is: wait until one's own is done, or until nobody is at it any more

There is no timer and no thread of its own: who comes alone goes at once and waits for nobody, and the longer a flush
takes the more come meanwhile and share the next. They are done in the order in which they came. Whose own are done goes
at once, also while the next group is under way. Whoever leads and dies has the members of its group fail, and another
one leads: nobody waits for the dead.
"""

from __future__ import annotations

import threading
from collections import deque

from agent.errors import MediaError
from agent.typed import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIMIT: Final = 64  # members of one group: bounds what a fault puts in doubt, and the descriptors of an import


class Waiting:
    """What wants to be done, and whether it is; ``error`` says that it failed."""

    __slots__ = ("done", "error")

    def __init__(self) -> None:
        self.done = False
        self.error: Exception | None = None

    def fail(self, error: Exception) -> None:
        """End without a promise."""
        self.error, self.done = error, True


One = TypeVar("One", bound=Waiting)


class Circle(Generic[One]):
    """Whoever has members to be done; thread safe."""

    __slots__ = ("_changed", "_led", "_waiting")

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._led = False
        self._waiting: deque[One] = deque()

    def join(self, members: Sequence[One], work: Callable[[list[One]], None]) -> None:
        """Return when all ``members`` are done; ``work`` does a group, and may raise for the thread that leads."""
        try:
            if self._enter(members):
                try:
                    while not _done(members):
                        self._one_group(work)
                finally:
                    self._leave()
        finally:
            if not _done(members):
                self._withdraw(members)

    def _enter(self, members: Sequence[One]) -> bool:
        """Wait until all are done (False), or until it is this thread that leads (True)."""
        with self._changed:
            self._waiting.extend(members)
            self._await(members)
            if _done(members):
                return False
            self._led = True
            return True

    def _await(self, members: Sequence[One]) -> None:
        while self._led and not _done(members):
            self._changed.wait()

    def _leave(self) -> None:
        with self._changed:
            self._led = False
            self._changed.notify_all()

    def _withdraw(self, members: Sequence[One]) -> None:
        """Something else went wrong: what nobody has begun is not begun, and what somebody is at is waited for."""
        with self._changed:
            for member in members:
                if member in self._waiting:
                    self._waiting.remove(member)
                    member.fail(_unfinished())
            self._await(members)

    def _one_group(self, work: Callable[[list[One]], None]) -> None:
        unfinished = _unfinished()  # made now: there may be no memory for it later
        group: list[One] = []
        try:
            with self._changed:
                while self._waiting and len(group) < LIMIT:
                    group.append(self._waiting[0])
                    self._waiting.popleft()  # behind it: who is in neither is waited for for ever
            work(group)
        finally:
            with self._changed:
                for member in group:
                    if not member.done:
                        member.fail(unfinished)
                self._changed.notify_all()


def _done(members: Sequence[Waiting]) -> bool:
    return all(member.done for member in members)


def _unfinished() -> MediaError:
    return MediaError("the group was not finished", hint="See the error before this one.")
