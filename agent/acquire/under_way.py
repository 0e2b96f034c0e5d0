r"""Stills that one source has taken and that are not durable yet: the next one is captured meanwhile.

    capture -> complete draft -> ``put`` -> next capture
                                  \-> a thread seals all that wait, in their order, and tells of each

The thread is there while something is under way, and no longer. What is taken while it waits for the medium is sealed
together behind that (``agent/spool/group.py``). At most ``LIMIT`` are under way; who has another one waits. Each has
its room reserved, as its draft is open. Nobody is told of one that is not durable (promise P1), and one that fails
costs itself alone: ``failures`` has what became of it, for the role of the source. Where no thread can be had, and
where it dies, whoever comes next does its work.
"""

from __future__ import annotations

import threading
from collections import deque

from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.acquire.asking import Turn
    from agent.acquire.described import Captured
    from agent.spool.draft import Draft, InstanceRecord, Sealed
    from agent.spool.store import Spool

LIMIT: Final = 8  # files that are open and may be lost with the process; a second of the fastest source there is


class Taken(NamedTuple):
    """A complete draft, and what it is."""

    captured: Captured
    draft: Draft
    record: InstanceRecord
    turn: Turn


class UnderWay:
    """What one source has under way; ``put``, ``drain`` and ``failures`` are for its own thread."""

    __slots__ = ("_at_it", "_busy", "_changed", "_failures", "_lose", "_news", "_spool", "_tell", "_waiting")

    def __init__(
        self,
        spool: Spool,
        tell: Callable[[Captured, Sealed], None],
        lose: Callable[[Turn, BaseException], None],
        news: Callable[[], None],
    ) -> None:
        """``tell`` is told of each that is durable, by the thread that made it so, ``lose`` of each that is not.

        ``news`` is told of a failure.
        """
        self._spool = spool
        self._tell = tell
        self._lose = lose
        self._news = news
        self._changed = threading.Condition(threading.Lock())
        self._waiting: deque[Taken] = deque()
        self._at_it = 0  # how many are being sealed
        self._busy = False  # a thread does it
        self._failures: deque[BaseException] = deque()

    def __len__(self) -> int:
        return len(self._waiting) + self._at_it

    def put(self, taken: Taken) -> None:
        """Take charge of a draft; waits while ``LIMIT`` are under way."""
        with self._changed:
            while self._busy and len(self) >= LIMIT:
                self._changed.wait()
            self._waiting.append(taken)
            if self._busy:
                return
            self._busy = True
        try:
            threading.Thread(target=self._work, name="seals", daemon=True).start()
        except Exception:  # noqa: BLE001 - the system gives no thread, or no memory for one
            self._work()

    def drain(self) -> None:
        """Return when nothing is under way any more."""
        with self._changed:
            while self._busy:
                self._changed.wait()
            if not self._waiting:
                return
            self._busy = True
        self._work()

    def failures(self) -> list[BaseException]:
        """Return what has failed that nobody was told of yet."""
        found = []
        while self._failures:
            found.append(self._failures.popleft())
        return found

    def _work(self) -> None:
        try:
            while group := self._next():
                self._seal(group)
        except BaseException as error:  # noqa: BLE001 - raised again by the role
            with self._changed:
                self._busy, self._at_it = False, 0
                self._fail(error)
                self._changed.notify_all()

    def _next(self) -> list[Taken]:
        with self._changed:
            group = list(self._waiting)
            self._waiting.clear()
            self._at_it = len(group)
            self._busy = bool(group)
            self._changed.notify_all()
            return group

    def _seal(self, group: list[Taken]) -> None:
        try:
            ends = self._spool.groups.seal_each([(taken.draft, taken.record) for taken in group])
        except BaseException as error:
            for taken in group:
                self._lose(taken.turn, error)
            raise
        for taken, end in zip(group, ends, strict=True):
            if isinstance(end, Exception):
                self._lose(taken.turn, end)
                self._fail(end)
                continue
            try:
                self._tell(taken.captured, end)
            except Exception as error:  # noqa: BLE001 - it is durable; the others are still to be told
                self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failures.append(error)
        self._news()
