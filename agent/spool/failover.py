"""Failover: what a destination is owed and cannot get is owed to another one instead, never to both.

Only what is queued or deferred is handed over: what was stored stays with its destination, whose commitment is asked
for, and what is held waits for a person. The delivery ends as ``diverted`` and one to the other destination begins, in
one transaction, so that an instance is always owed to somebody and evicted only behind that one's commitment (P4). It
does not come back: when the first destination is there again, it gets what is new. Only what the standby refuses for
good goes back to who handed it over, for there it may be taken, and here it would be held for ever.

An instance whose answer was lost may be at the first destination all the same; a late report about it still counts.
"""

from __future__ import annotations

from agent.spool.core import SpoolCore
from agent.spool.ledger import details, move, queue, reason_text, state_of
from agent.spool.states import HANDED_OVER, Event, State
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

    from agent.spool.core import Item

BATCH: Final = 256  # deliveries handed over in one commit

# Not what the other has handed over itself: then nobody would owe it. Literal numbers, for the index (schema.py).
_LANES: Final = tuple(
    f"""
SELECT d.instance, d.priority FROM delivery d WHERE d.destination = ? AND d.state = {int(state)}
  AND NOT EXISTS (SELECT 1 FROM delivery o WHERE o.instance = d.instance AND o.destination = ?
  AND o.state = {int(State.DIVERTED)}) ORDER BY d.priority, d.next_at, d.instance LIMIT ?
"""  # noqa: S608 - numbers of our own enumeration
    for state in (State.QUEUED, State.DEFERRED)
)
_GIVEN: Final = f"SELECT reason FROM delivery WHERE instance = ? AND destination = ? AND state = {int(State.DIVERTED)}"  # noqa: S608 - ours


class Diverting(SpoolCore):
    """Handing over; thread safe and durable when it returns."""

    __slots__ = ()

    def divert(self, destination: str, other: str, reason: str) -> int:
        """Let ``other`` be owed what waits for ``destination``; returns how many instances."""
        numbers = self.destination_id(destination), self.destination_id(other)
        count = 0
        while self.divertible(destination, other):
            count += self.ledger.write(lambda db: self._divert(db, *numbers, destination, other, reason))
        if count:
            self.wake()
        return count

    def divertible(self, destination: str, other: str) -> bool:
        """Say whether anything waits for ``destination`` that ``other``, which is configured, could be owed."""
        numbers = self.destination_id(destination), self.destination_id(other)
        return other in self.destinations and any(self.ledger.read(lane, (*numbers, 1)) for lane in _LANES)

    def _divert(
        self, db: sqlite3.Connection, number: int, target: int, destination: str, other: str, reason: str
    ) -> int:
        wall = self.clock.wall()
        found = [row for lane in _LANES for row in db.execute(lane, (number, target, BATCH)).fetchall()][:BATCH]
        words = reason_text(f"{HANDED_OVER}{other}: {reason}")
        for instance, priority in found:
            move(db, instance, number, Event.DIVERT, at=wall, next_at=0, reason=words,
                 detail=details(to=other, reason=reason_text(reason)))  # fmt: skip
            if state_of(db, instance, target) is None:
                queue(db, instance, target, priority, at=wall, detail=details(instead_of=destination))
        return len(found)

    def _hand_back(self, db: sqlite3.Connection, item: Item, reason: str, wall: float) -> None:
        """Let who handed over an instance that is held now be owed it again, if it is still configured."""
        number = self.destination_id(item.destination)
        given = f"{HANDED_OVER}{item.destination}: "
        if state_of(db, item.id, number) is not State.HELD:
            return
        for name in self.destinations:
            first = self.ids[name]
            row = db.execute(_GIVEN, (item.id, first)).fetchone()
            if row is not None and str(row[0]).startswith(given):
                why = reason_text(f"{HANDED_OVER}{name}: {reason}")
                told = {"to": name, "reason": reason}
                move(db, item.id, number, Event.DIVERT, at=wall, next_at=0, reason=why, detail=details(**told))
                back = details(refused_by=item.destination, reason=reason)
                move(db, item.id, first, Event.HAND_BACK, at=wall, next_at=0, reason=reason, detail=back)
                return
