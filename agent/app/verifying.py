"""Reading everything again, in a thread of its own: a file of ten gigabytes takes it an hour, and nobody waits for it.

The keeper starts it with the first file there is to look after; it ends with the keeper.
"""

from __future__ import annotations

import threading
import time

from agent.errors import SpoolError
from agent.spool.scrub import Scrub
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.app.journal import Journal
    from agent.errors import AgentError
    from agent.spool.store import Spool

DAY_S: Final = 86_400.0
TURN_S: Final = 60.0
END_S: Final = 5.0  # it looks for the end between two pieces of a file


class Verifier:
    """One round after the other, until ``stop`` is set."""

    __slots__ = ("_journal", "_note", "_scrub", "_stop", "_thread")

    def __init__(
        self, spool: Spool, journal: Journal, days: int, stop: threading.Event, note: Callable[[AgentError], None]
    ) -> None:
        self._journal = journal
        self._note = note
        self._stop = stop
        self._scrub = Scrub(spool, days * DAY_S, stop.wait)
        self._thread = threading.Thread(target=self._work, name="verify", daemon=True)
        self._thread.start()

    @property
    def facts(self) -> dict[str, Any]:
        """Return how far it is."""
        return self._scrub.facts

    def end(self) -> None:
        """Wait for the end, after ``stop``."""
        self._thread.join(END_S)

    def _work(self) -> None:
        before = time.monotonic()
        while not self._stop.wait(TURN_S):
            now = time.monotonic()
            try:
                for text in self._scrub.turn(now - before):
                    self._journal.say("error", "verify", text)
            except SpoolError as error:
                self._note(error)
                self._journal.say("error", "verify", f"{error} [{error.code}]; {error.hint}")
            before = now
