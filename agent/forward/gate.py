"""What of a destination's queue may go now: by operator, window and urgency, and the share of one association."""

from __future__ import annotations

from agent.spool.states import Priority
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agent.forward.settings import Settings
    from agent.spool.core import Item
    from agent.spool.store import Spool

BATCH: Final = 32  # claimed and reported in one commit each: a power cut costs at most so many second sendings
YIELDED: Final = 16 * BATCH  # remembered of those that gave way


class Gate:
    """Between the queue and one association; used by its thread alone."""

    __slots__ = ("_arrivals", "_clock", "_held", "_say", "_settings", "_spool", "_yielded", "closed")

    def __init__(
        self, spool: Spool, settings: Settings, say: Callable[[str, str], None], clock: Callable[[], float]
    ) -> None:
        self._spool = spool
        self._settings = settings
        self._say = say
        self._clock = clock
        self._arrivals = 0  # of the spool, when it was last asked for something more urgent
        self._yielded: set[int] = set()  # were put back for something more urgent, and will not be again
        self.closed = False  # when it was last looked at: no image may go, but perhaps an urgent one
        self._held = False  # by the operator: none at all

    def outside(self) -> bool:
        """Look whether no image may be sent now, and say when that has changed."""
        schedule = self._settings.schedule
        held = self._spool.paused(self._settings.destination)
        closed = held or (schedule is not None and not schedule.open())
        if held is not self._held:
            self._say("notice", "held by the operator: images wait" if held else "released by the operator")
        elif closed is not self.closed:
            self._say("notice", "its window is closed: images wait" if closed else "its window is open")
        self.closed, self._held = closed, held
        return closed

    def claim(self) -> tuple[list[Item], bool]:
        """Claim what may go now, of several associations the share of one; and whether more is due."""
        name, now, least = self._settings.destination, self._clock(), Priority.LOW
        if self.outside():
            if self._held or not self._settings.urgent_ignores_windows or not self._spool.urgent_due(name, now):
                return [], False
            least = Priority.URGENT
        self._arrivals = self._spool.arrivals
        limit, most = BATCH, self._settings.associations
        due = self._spool.due(name, now, BATCH * most) if most > 1 else 0
        if due > 1:
            limit = min(BATCH, -(-due // most))
        items = self._spool.claim(name, now, limit, least=least)
        return items, due > len(items)

    def gives_way(self, item: Item, claimed: Iterable[int]) -> bool:
        """Say whether an instance that is claimed must not go now: its window has closed, or others go first."""
        urgent = item.priority == Priority.URGENT
        if self.outside() and (self._held or not (urgent and self._settings.urgent_ignores_windows)):
            return True
        arrivals = self._spool.arrivals
        if urgent or arrivals == self._arrivals or item.id in self._yielded:
            return False
        self._arrivals = arrivals
        if not self._spool.overtaken(self._settings.destination, Priority(item.priority), self._clock()):
            return False
        if len(self._yielded) > YIELDED:  # others have sent them; who is still there may give way again
            self._yielded.clear()
        self._yielded.update(claimed)
        return True

    def reported(self, item: Item) -> None:
        """Forget an instance that is done with."""
        self._yielded.discard(item.id)
