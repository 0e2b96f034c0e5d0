"""Priority of deliveries: urgent before normal before low, then by age; and none of them waits for ever.

An instance is as urgent as its trigger, source or exam says, or its study where an operator has raised that, whichever
is more. It is kept with each delivery, so that it survives a restart; a ledger rebuilt from the files has forgotten it.
What is more urgent goes first, but every ``EVERY``-th delivery that is claimed is the next of the lower ones, taken in
turn: a flood of urgent images slows the others down and never stops them.

Within one priority the order is fair after Postfix: in turn from what was sealed in the last minute, from deferred
deliveries that are due, and from the oldest queued ones, so that neither a backlog nor a row of failures can starve
new images or be starved by them.
"""

from __future__ import annotations

from collections import deque

from agent.errors import NotFound
from agent.spool.core import SpoolCore
from agent.spool.ledger import details, note
from agent.spool.states import PRIORITY_WORDS, Event, Priority, State
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

EVERY: Final = 8


# Literal numbers, so that SQLite can use the index that holds the queue alone (schema.py).
_LANE: Final = (
    "SELECT instance FROM delivery WHERE destination = ? AND state = {} AND priority = ? AND next_at <= ? "
    "ORDER BY next_at, instance LIMIT ?"
)
_DEFERRED, _QUEUED = _LANE.format(int(State.DEFERRED)), _LANE.format(int(State.QUEUED))


class Prioritizing(SpoolCore):
    """Who goes first; all methods are thread safe and durable when they return."""

    __slots__ = ()

    def prioritize(self, uid: str, priority: Priority) -> int:
        """Give a SOP Instance, or a study and all that will yet come of it, a priority; returns how many instances.

        Raises ``NotFound`` for what the spool has never had.
        """
        wall = self.clock.wall()

        def job(db: sqlite3.Connection) -> int:
            found = db.execute("SELECT id FROM instance WHERE sop_instance_uid = ?", (uid,)).fetchall()
            if not found:
                found = db.execute("SELECT id FROM instance WHERE study_uid = ?", (uid,)).fetchall()
                if found:
                    db.execute("INSERT OR REPLACE INTO study VALUES (?, ?)", (uid, int(priority)))
            for (number,) in found:
                db.execute("UPDATE delivery SET priority = ? WHERE instance = ?", (int(priority), number))
                note(db, wall, number, None, Event.PRIORITY, None, details(priority=PRIORITY_WORDS[priority]))
            return len(found)

        count = self.ledger.write(job)
        if not count:
            raise NotFound(f"the spool has never had {uid}, neither as an instance nor as a study")
        self.wake()
        return count

    def overtaken(self, destination: str, priority: Priority, now: float) -> bool:
        """Say whether something is due there that is more urgent than ``priority``."""
        number = self.destination_id(destination)
        return any(self._waits(number, more, now) for more in Priority if more < priority)

    def urgent_due(self, destination: str, now: float) -> bool:
        """Say whether something urgent is due there."""
        return self._waits(self.destination_id(destination), Priority.URGENT, now)

    def due(self, destination: str, now: float, most: int) -> int:
        """Count what is due there, up to ``most``."""
        number = self.destination_id(destination)
        rows = [self.ledger.read(lane, (number, int(priority), now, most))
                for priority in Priority for lane in (_QUEUED, _DEFERRED)]  # fmt: skip
        return min(most, sum(map(len, rows)))

    def _waits(self, number: int, priority: Priority, now: float) -> bool:
        return any(self.ledger.read(lane, (number, int(priority), now, 1)) for lane in (_QUEUED, _DEFERRED))


def of_new(db: sqlite3.Connection, said: Priority | None, study_uid: str) -> Priority:
    """Return the priority of a new instance: what is said of it or of its study, the more urgent of the two."""
    row = db.execute("SELECT priority FROM study WHERE study_uid = ?", (study_uid,)).fetchone()
    known = [found for found in (said, Priority(row[0]) if row else None) if found is not None]
    return min(known, default=Priority.NORMAL)


def said_of(priority: Priority) -> str:
    """Return what the event of a new instance says of its priority; nothing of the usual one."""
    return "" if priority is Priority.NORMAL else details(priority=PRIORITY_WORDS[priority])


def choose(
    db: sqlite3.Connection, number: int, now: float, limit: int, fresh: Sequence[int], turn: int,
    least: Priority = Priority.LOW,
) -> list[int]:  # fmt: skip
    """Pick up to ``limit`` instances, none below ``least``, in the order in which they are to be sent.

    ``turn`` counts what was claimed before, so that the turns of the lower ones come however small the claims are.
    """
    waiting = {priority: _fair(db, number, now, limit, fresh, priority) for priority in Priority if priority <= least}
    heads = {priority: next(lane, None) for priority, lane in waiting.items()}
    chosen: list[tuple[Priority, int]] = []
    while len(chosen) < limit:
        order = sorted(priority for priority, head in heads.items() if head is not None)
        if not order:
            break
        rounds, place = divmod(turn + len(chosen) + 1, EVERY)
        taken = order[0] if place or len(order) == 1 else order[1 + rounds % (len(order) - 1)]
        head = heads[taken]
        assert head is not None
        chosen.append((taken, head))
        heads[taken] = next(waiting[taken], None)
    return [instance for _, instance in sorted(chosen)]


def _fair(
    db: sqlite3.Connection, number: int, now: float, limit: int, fresh: Sequence[int], priority: Priority
) -> Iterator[int]:
    """Yield what is due of one priority in turn from three lanes, each oldest first."""
    deferred = [row[0] for row in db.execute(_DEFERRED, (number, int(priority), now, limit))]
    queued = [row[0] for row in db.execute(_QUEUED, (number, int(priority), now, limit))]
    one = "SELECT 1 FROM delivery WHERE instance = ? AND destination = ? AND state = ? AND priority = ?"
    young: list[int] = []
    if len(queued) >= limit:  # otherwise the fresh ones are among the queued already
        young = [i for i in fresh if db.execute(one, (i, number, int(State.QUEUED), int(priority))).fetchone()]
    lanes = [deque(lane) for lane in (young, deferred, queued) if lane]
    seen: set[int] = set()
    while lanes:
        for lane in lanes:
            instance = lane.popleft()
            if instance not in seen:
                seen.add(instance)
                yield instance
        lanes = [lane for lane in lanes if lane]
