"""The keeper: evicts what every destination has, and says what nobody would notice until it is too late.

That is the end of a certificate, an old revocation list, and what is owed to a destination that nobody serves any more:
when its work begins, after a reload, and once a day.
"""

from __future__ import annotations

import time

from agent.errors import SpoolError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from agent.app.journal import Journal
    from agent.config.settings import Settings
    from agent.spool.store import Spool

# Eviction needs no haste: when room is short the spool evicts by itself.
KEEP_S: Final = 60.0
TELL_S: Final = 86_400.0


class Keeper:
    """The keeper as a role; ``settings`` gives those in force."""

    __slots__ = ("_journal", "_settings", "_spool")

    def __init__(self, spool: Spool, journal: Journal, settings: Callable[[], Settings]) -> None:
        self._spool = spool
        self._journal = journal
        self._settings = settings

    def work(self, stop: threading.Event, _facts: object = None) -> None:
        """Keep until ``stop`` is set."""
        tell_at = time.monotonic()
        while not stop.wait(KEEP_S * (time.monotonic() < tell_at)):
            if time.monotonic() >= tell_at:
                tell_at = time.monotonic() + TELL_S
                self.tell()
                continue
            count = self._spool.evict()
            if count:
                self._journal.say("info", "keeper", f"evicted {count} instances that every destination has")

    def tell(self) -> None:
        """Say what ends, and what is owed to nobody."""
        self._tell_certificates()
        self._tell_owed()

    def _tell_certificates(self) -> None:
        now, settings = time.time(), self._settings()
        if not any(settings.tls) and not any(row.tls for row in settings.destination):
            return
        from agent.app.certificates import ending, ending_of_peers  # a box without TLS does without

        for text in (*ending(settings, now), *ending_of_peers(settings, self._spool.root, now)):
            self._journal.say("warning", "tls", text)

    def _tell_owed(self) -> None:
        """It is never sent, and never evicted."""
        try:
            found = self._spool.owed_to_nobody()
        except SpoolError:
            return  # whoever writes says more; a reload that is done must not fail for this
        for name, count in found.items():
            what = f"{count} instance{'s' * (count > 1)}"
            text = f"destination '{name}' is not configured any more and still owed {what}: kept, and not sent"
            self._journal.say("warning", "spool", text)
