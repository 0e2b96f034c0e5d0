"""Several associations with one destination at a time: a worker that leads, and helpers that only send.

What keeps an archive from being quick is often time in which neither side works, and other associations fill it. The
leader is the worker as it is alone: it alone probes, asks for commitment and waits for reports. It calls its helpers
when more is due than its share, and they look for themselves while one instance keeps it long; each claims a share of
its own, in the order of the queue, sends over an association of its own until nothing is due, and closes it. A claim
makes a delivery active, so that no instance is on two.

Health is one: a failure that several meet counts once, and while there is one nobody helps. An association that a
helper cannot get is no failure of the destination, which may have enough of them: what was claimed goes back untried,
and that helper waits for longer and longer.
"""

from __future__ import annotations

from threading import Event, Thread

from agent.errors import AgentError
from agent.forward.worker import IDLE_TICK_S, Worker
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.forward.settings import Stop


class Helper(Worker):
    """One more association, while the leader has more than its share."""

    __slots__ = ("_not_before", "_refusals", "_seen", "number")

    def help(self, leader: Worker, number: int) -> None:
        """Be the ``number``-th association of the leader's destination."""
        self.circuit = leader.circuit
        self.number = number
        self._not_before = 0.0
        self._refusals = 0
        self._seen = 0  # calls of the leader

    def _turn(self, stop: Stop) -> None:
        seen, self._seen = self._seen, self.circuit.wait(self._seen, IDLE_TICK_S)
        wanted = self._seen != seen or self.circuit.busy
        if wanted and not stop.is_set() and not self.health.failures and self._clock() >= self._not_before:
            self._assist()
        elif self._carried:
            self._put_back()

    def _assist(self) -> None:
        self._troubled = False
        items, self._carried = self._carried or self._claim(), []
        if not items:
            return
        try:
            delivery = self._open(items)
        except AgentError as error:
            self._put_back()
            self._refusals += 1
            wait = self._settings.back_off.draw_s(self._refusals, self._entropy)
            self._not_before = self._clock() + wait
            if self._refusals == 1 and not self._stopping():
                self._say("notice", f"no association number {self.number}: {error} [{error.code}]; fewer must do")
            return
        self._refusals = 0
        with delivery:
            self.outgoing.opened(delivery)
            while items:
                items = self._batch(delivery, items)
            self._tell()
        if self._carried:
            self.circuit.call()


class _Either:
    """Set when the role is to stop, or when one of the team has failed."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self.failed = Event()

    def is_set(self) -> bool:
        """Return whether to end."""
        return self._stop.is_set() or self.failed.is_set()


def run_team(leader: Worker, helpers: Sequence[Helper], stop: Stop, wake: Callable[[], None]) -> None:
    """Serve the destination until ``stop`` is set; what one of them raises ends all and is raised here."""
    either = _Either(stop)
    found: list[BaseException] = []

    def run(helper: Helper) -> None:
        try:
            helper.run(either)
        except BaseException as error:  # noqa: BLE001  (it is raised where the role sees it)
            found.append(error)
            either.failed.set()
            wake()

    threads = [Thread(target=run, args=(helper,), name=f"helper {helper.number}", daemon=True) for helper in helpers]
    for thread in threads:
        thread.start()
    try:
        leader.run(either)
    finally:
        either.failed.set()
        leader.circuit.call()
        for thread in threads:
            thread.join()
    if found:
        raise found[0]
