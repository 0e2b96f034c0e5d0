"""What a destination that works loses while another one, or a caller, misbehaves in the same process."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from fakes.misbehaviour.line import ARCHIVE_AE, OUR_AE
from fakes.misbehaviour.row import SHORT

from agent.acquire.identity import new_uid
from agent.forward.policy import BackOff
from agent.forward.settings import Settings
from agent.forward.settle import Settler
from agent.forward.worker import Worker
from agent.link.peer import Peer, Timeouts
from agent.spool.core import Destination
from agent.spool.states import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection

    from agent.link.tls import TlsSettings
    from agent.spool.store import Spool

GOOD: Final = "good"
INSTANCES: Final = 500  # that the good destination gets each time
BAD_INSTANCES: Final = 8  # so that a row which holds or stores them goes on for a while
RUN_S: Final = 60.0
OFTEN: Final = BackOff(1.0, 1.0)  # the shortest wait that full jitter can draw
PATIENT: Final = Timeouts(idle_s=RUN_S)


class Beside:
    """A good destination whose instances are sent again and again, and a bad one beside it."""

    def __init__(self, spool: Spool, capture: Callable[[Spool, int], str], port: int, instances: int) -> None:
        self._spool = spool
        self._capture = capture
        self._instances = instances
        self._peer = Peer("STORESCP", "127.0.0.1", port, OUR_AE)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        spool.configure([Destination(GOOD, commitment=False)])
        for _ in range(instances):
            capture(spool, 20_000)

    def stored(self) -> int:
        """Count what the good destination has."""
        return self._spool.counts()[GOOD].get("stored", 0)

    def run(self) -> float:
        """Deliver everything to the good destination once more; returns instances per second."""
        number = self._spool.ids[GOOD]

        def again(db: Connection) -> None:
            db.execute("UPDATE delivery SET state = ?, next_at = 0 WHERE destination = ?", (State.QUEUED, number))

        self._spool.ledger.write(again)
        stop = threading.Event()
        worker = Worker(self._spool, Settings(GOOD, self._peer, commitment=False), _settler(self._spool), new_uid)
        thread = threading.Thread(target=worker.run, args=(stop,))
        began = time.monotonic()
        thread.start()
        while self.stored() < self._instances and time.monotonic() < began + RUN_S:
            time.sleep(0.002)
        seconds = time.monotonic() - began
        stop.set()
        self._spool.wake()
        thread.join()
        return self.stored() / seconds

    def begin(self, name: str, port: int, tls: TlsSettings | None, *, size: int, commit: bool, patient: bool) -> None:
        """Let a worker deliver to the bad destination until ``end``."""
        self._spool.configure([Destination(name)])
        for _ in range(BAD_INSTANCES):
            self._capture(self._spool, size)
        self._spool.configure([Destination(name), Destination(GOOD, commitment=False)])
        peer = Peer(ARCHIVE_AE, "127.0.0.1", port, OUR_AE, tls, PATIENT if patient else SHORT)
        settings = Settings(name, peer, commit, idle_close_s=0.1, report_wait_s=0.5, back_off=OFTEN)
        worker = Worker(self._spool, settings, _settler(self._spool), new_uid)
        self._stop.clear()
        self._threads = [threading.Thread(target=worker.run, args=(self._stop,))]
        self._threads[0].start()

    def end(self) -> None:
        """Stop the bad destination's worker."""
        self._stop.set()
        self._spool.wake()
        for thread in self._threads:
            thread.join()

    def facts(self, name: str) -> dict[str, Any]:
        """Say what both have."""
        return {"good": self.stored(), "bad": {word: n for word, n in self._spool.counts()[name].items() if n}}


def _nothing(_level: str, _text: str) -> None:
    """Say nothing."""


def _settler(spool: Spool) -> Settler:
    return Settler(spool, {}, _nothing)
