"""Failover, as the worker of the destination that is down sees it: when to hand over, and to whom it is of use.

A destination is down when it has failed still, ``failover_after_s`` after its breaker opened; a try is made at that
time. An archive that answers C-ECHO and stores nothing is down too. What is handed over does not come back (``spool``),
so nothing is while the other one cannot be reached either: then it is our own line that is cut.
"""

from __future__ import annotations

from agent.errors import AgentError, NoAcceptedContext
from agent.forward.deliver import echo
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.forward.policy import Health
    from agent.forward.settings import Settings
    from agent.spool.store import Spool

TRUST_S: Final = 60.0  # so long it is believed that the other one can be reached, or cannot


class Standby:
    """The other destination; used by the worker's thread alone."""

    __slots__ = ("_clock", "_reached", "_say", "_settings", "_spool", "_until")

    def __init__(
        self, spool: Spool, settings: Settings, say: Callable[[str, str], None], clock: Callable[[], float]
    ) -> None:
        self._spool = spool
        self._settings = settings
        self._say = say
        self._clock = clock
        self._reached = True  # when it was last tried
        self._until = 0.0

    def due(self, health: Health) -> bool:
        """Say whether what waits is to be handed over now."""
        return bool(self._settings.failover) and health.down_for(self._settings.failover_after_s)

    def hand_over(self, reason: str, cancelled: Callable[[], bool]) -> None:
        """Do it, if there is anything and it is of use."""
        name, other = self._settings.destination, self._settings.failover
        if not self._spool.divertible(name, other) or not self._reachable(cancelled):
            return
        count = self._spool.divert(name, other, reason)
        if count:
            self._say("warning", f"{count} instance{'s' * (count > 1)} handed over to {other}")

    def _reachable(self, cancelled: Callable[[], bool]) -> bool:
        peer = self._settings.failover_peer
        if peer is None or self._clock() < self._until:
            return self._reached
        try:
            echo(peer, self._clock, cancelled)
            reached, why = True, ""
        except NoAcceptedContext:
            reached, why = True, ""
        except AgentError as error:
            reached, why = False, f"{error} [{error.code}]"
        if self._reached and not reached:
            self._say("warning", f"nothing is handed over: {self._settings.failover} cannot be reached either, {why}")
        self._reached, self._until = reached, self._clock() + TRUST_S
        return reached
