"""The forwarder's side of the spool: claim work, report answers (P3, P6).

A worker claims a batch for its destination (one commit), sends it, and reports each answer; ``stored_many`` reports a
batch in one commit. Losing such a report in a power cut costs a second sending of the same bytes, nothing else, so a
worker may gather answers for a moment; what it may not do is report an answer it has not read.

The order of work is in priority.py.
"""

from __future__ import annotations

from collections import deque

from agent.errors import SpoolDamaged, SpoolError
from agent.spool.core import ITEM_COLUMNS, Item
from agent.spool.holding import IS_OPERATORS, Holding
from agent.spool.ledger import REASON_LIMIT, details, live, move, note, reason_text, state_of
from agent.spool.priority import Prioritizing, choose
from agent.spool.states import MOVES, Event, Priority, State
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping

    from agent.spool.receipt import Told

_BLAMED = "instance"
# Values have no line breaks, so that no peer can write this line into its reason.
_BLAMES = (
    f"SELECT count(*) FROM event WHERE instance = ? AND destination = ? AND kind = '{Event.DEFER.value}' "  # noqa: S608 - ours
    f"AND detail LIKE '%' || char(10) || 'blames={_BLAMED}' AND seq > (SELECT coalesce(max(seq), 0) FROM event "
    f"WHERE instance = ? AND destination = ? AND kind = '{Event.RETRY.value}')"
)
_MINE = IS_OPERATORS.replace("state", "d.state").replace("reason", "d.reason")
FRESH_S = 60.0  # an operator who just pressed the switch looks at the archive now, not after the backlog
FRESH_LIMIT = 256  # instances remembered as fresh per destination; older ones wait with the backlog


class Answer(NamedTuple):
    """One C-STORE-RSP with success or warning status, as the sender read it."""

    item: Item
    status: int = 0x0000
    comment: str = ""
    peer: str = ""  # "AET@host:port"
    sent_at: float | None = None  # wall s
    answered_at: float | None = None  # wall s; None: now
    facts: tuple[tuple[str, object], ...] = ()  # more for the receipt: what was sent and why; no patient data


class Forwarding(Prioritizing, Holding):
    """Claiming and answering; all methods are thread safe and durable when they return."""

    __slots__ = ()

    def claim(self, destination: str, now: float, limit: int = 16, *, least: Priority = Priority.LOW) -> list[Item]:
        """Take up to ``limit`` deliveries that are due at monotonic ``now``; they are active until answered.

        None is less urgent than ``least``. They come in the order in which they are to be sent.
        """
        number = self.destination_id(destination)
        if number not in self._doubt and not self._due(number, now):
            return []
        wall = self.clock.wall()
        fresh = self._fresh_ids(destination, now)
        chosen: list[int] = []

        def job(db: sqlite3.Connection) -> list[Item]:
            for instance in self._doubt.get(number, ()):
                if state_of(db, instance, number) is State.ACTIVE:
                    move(db, instance, number, Event.RESTART, at=wall, next_at=0)
            items = []
            chosen[:] = choose(db, number, now, limit, fresh, self._turns.get(number, 0), least)
            for instance in chosen:
                if self.hold_claimed(db, instance, number, wall):
                    continue
                attempt = _attempt(db, instance, number)
                detail = details(attempt=attempt)
                move(db, instance, number, Event.CLAIM, at=wall, detail=detail, attempt=attempt, next_at=0)
                items.append(self.item(destination, _row(db, instance, number)))
            return items

        with self._claims:
            try:
                items = self.ledger.write(job)
            except SpoolError:
                # The claim may be on the medium, but nobody holds its items: the next claim looks at them again.
                self._doubt[number] = sorted({*self._doubt.get(number, ()), *chosen})
                raise
            self._doubt.pop(number, None)
            self._turns[number] = self._turns.get(number, 0) + len(items)
        return items

    def stored(
        self, item: Item, status: int = 0x0000, comment: str = "", *, peer: str = "", sent_at: float | None = None,
        answered_at: float | None = None,
    ) -> None:  # fmt: skip
        """Record one answer with success or warning status (P3)."""
        self.stored_many([Answer(item, status, comment, peer, sent_at, answered_at)])

    def stored_many(self, answers: Iterable[Answer]) -> None:
        """Record several answers in one commit."""
        batch = list(answers)
        wall = self.clock.wall()

        def job(db: sqlite3.Connection) -> None:
            for answer in batch:
                item = answer.item
                answered = wall if answer.answered_at is None else answer.answered_at
                detail = details(status=f"{answer.status:04X}", comment=answer.comment[:REASON_LIMIT], peer=answer.peer,
                    attempt=item.attempt, sent_at=answer.sent_at, answered_at=answered,
                    **dict(answer.facts))  # fmt: skip
                move(db, item.id, self.destination_id(item.destination), Event.ANSWER, at=wall, detail=detail,
                    status=answer.status, reason=answer.comment[:REASON_LIMIT], peer=answer.peer[:200],
                    sent_at=answer.sent_at, answered_at=answered, next_at=0)  # fmt: skip

        if batch:
            self.ledger.write(job)

    def deferred(self, item: Item, reason: str, next_at: float, *, status: int | None = None) -> None:
        """Not delivered this time: due again at monotonic ``next_at``."""
        self.deferred_many([item], reason, next_at, status=status)

    def deferred_many(
        self, items: Iterable[Item], reason: str, next_at: float, *, status: int | None = None, blamed: bool = False
    ) -> None:
        """Defer several in one commit (the association broke); ``blamed``: it was about these, not about the way."""
        columns = {"reason": reason_text(reason), "next_at": next_at, "status": status}
        detail = details(reason=columns["reason"], status=_hex(status), blames=_BLAMED if blamed else None)
        self._report(items, Event.DEFER, detail, columns)

    def blamed(self, item: Item) -> int:
        """Count the tries that failed because of the instance, since the operator last looked."""
        rows = self.ledger.read(_BLAMES, (item.id, self.destination_id(item.destination)) * 2)
        return int(rows[0][0])

    def held(self, item: Item, reason: str, *, status: int | None = None) -> None:
        """Refused for a reason that time will not cure: wait for the operator (P7), or go to who handed it over."""
        columns = {"reason": reason_text(reason), "next_at": 0, "status": status}
        detail = details(reason=columns["reason"], status=_hex(status))
        self._report([item], Event.HOLD, detail, columns, self._hand_back)

    def put_back(self, items: Iterable[Item]) -> None:
        """Return claimed deliveries that were not begun; the attempt does not count."""
        batch = list(items)
        wall = self.clock.wall()

        def job(db: sqlite3.Connection) -> None:
            for item in batch:
                move(db, item.id, self.destination_id(item.destination), Event.PUT_BACK, at=wall,
                    attempt=item.attempt - 1)  # fmt: skip

        if batch:
            self.ledger.write(job)
            self.wake()

    def retry(self, destination: str | None = None, sop_instance_uid: str | None = None) -> int:
        """Queue held, deferred and unconfirmed deliveries again, now; returns how many (``queue retry``).

        What the operator holds stays (holding.py).
        """
        sql = (
            "SELECT d.instance, d.destination, d.state, d.attempt FROM delivery d JOIN instance i ON i.id = d.instance "  # noqa: S608 - ours
            f"WHERE d.destination IN (SELECT id FROM destination) AND d.state IN (?, ?, ?) AND NOT ({_MINE})"
        )
        values: list[object] = [int(State.HELD), int(State.DEFERRED), int(State.UNCONFIRMED)]
        if destination is not None:
            sql += " AND d.destination = ?"
            values.append(self.destination_id(destination))
        if sop_instance_uid is not None:
            sql += " AND i.sop_instance_uid = ?"
            values.append(sop_instance_uid)
        wall = self.clock.wall()

        def job(db: sqlite3.Connection) -> int:
            found = db.execute(sql, values).fetchall()
            for instance, number, state, attempt in found:
                # what was stored once keeps its attempts: a "duplicate SOP Instance" may speak of that sending
                kept = attempt if state == State.UNCONFIRMED else 0
                move(db, instance, number, Event.RETRY, at=wall, next_at=0, attempt=kept, asked=0, reason="")
            return len(found)

        count = self.ledger.write(job)
        self.wake()
        return count

    def learned(self, destination: str, sop_class_uid: str, answers: Mapping[str, bool]) -> None:
        """Write down which transfer syntaxes a destination takes of a SOP Class, and which it refuses."""
        takes = [",".join(syntax for syntax, taken in answers.items() if taken is wanted) for wanted in (True, False)]
        detail = details(sop_class=sop_class_uid, takes=takes[0], refuses=takes[1])
        number, wall = self.destination_id(destination), self.clock.wall()
        self.ledger.write(lambda db: note(db, wall, None, number, Event.LEARNED, None, detail))

    def sent(self, destination: str) -> list[Told]:
        """Return the last answers of a destination."""
        return self.reader.sent(destination)

    def captured(self, source: str) -> list[Told]:
        """Return what was sealed last of a source."""
        return self.reader.captured(source)

    def accepted(self, destination: str) -> dict[str, dict[str, bool]]:
        """Return what a destination was last seen to take: SOP Class -> transfer syntax -> taken."""
        return self.reader.accepted(destination)

    def wait_for_work(self, destination: str, timeout_s: float, *, not_before: float | None = None) -> bool:
        """Sleep until a delivery is due, at most ``timeout_s``; True when there is one.

        Returns False early after ``wake()``. A worker whose destination is down passes ``not_before`` (monotonic s):
        until then work does not count.
        """
        number = self.destination_id(destination)
        deadline = self.clock.monotonic() + timeout_s
        with self._work:
            seen = self._generation
        while True:
            now = self.clock.monotonic()
            at = self._next_due(number)
            at = at if at is None or not_before is None else max(at, not_before)
            if at is not None and at <= now:
                return True
            if now >= deadline:
                return False
            until = deadline if at is None else min(at, deadline)
            with self._work:
                if self._generation != seen or self._work.wait(until - now):
                    return self._due(number, self.clock.monotonic()) and not_before is None

    def _report(
        self, items: Iterable[Item], event: Event, detail: str, columns: dict[str, object],
        then: Callable[[sqlite3.Connection, Item, str, float], None] | None = None,
    ) -> None:  # fmt: skip
        batch = list(items)
        wall = self.clock.wall()

        def job(db: sqlite3.Connection) -> None:
            for item in batch:
                move(db, item.id, self.destination_id(item.destination), event, at=wall, detail=detail, **columns)
                if then is not None:
                    then(db, item, str(columns["reason"]), wall)

        if batch:
            self.ledger.write(job)

    def _remember_fresh(self, names: Iterable[str], instance: int) -> None:
        now = self.clock.monotonic()
        for name in names:
            self._fresh.setdefault(name, deque(maxlen=FRESH_LIMIT)).append((now, instance))

    def _fresh_ids(self, destination: str, now: float) -> list[int]:
        return [instance for at, instance in tuple(self._fresh.get(destination, ())) if at > now - FRESH_S]

    def _due(self, number: int, now: float) -> bool:
        at = self._next_due(number)
        return at is not None and at <= now

    def _next_due(self, number: int) -> float | None:
        sql = "SELECT min(next_at) FROM delivery WHERE destination = ? AND state = ?"
        times = [self.ledger.read(sql, (number, int(state)))[0][0] for state in (State.QUEUED, State.DEFERRED)]
        return min((at for at in times if at is not None), default=None)


def lost_or_damaged(db: sqlite3.Connection, instance: int, event: Event, *, at: float, detail: str) -> None:
    """Move an instance and those of its deliveries that still need the file (``DAMAGE`` or ``LOSE``)."""
    live(db, instance, event, at=at, detail=detail)
    needy = (State.QUEUED, State.ACTIVE, State.DEFERRED, State.HELD)
    for number, state in db.execute(
        "SELECT destination, state FROM delivery WHERE instance = ?", (instance,)
    ).fetchall():
        if state in needy:
            move(db, instance, number, event, at=at, detail=detail, next_at=0)


def _attempt(db: sqlite3.Connection, instance: int, number: int) -> int:
    sql = "SELECT attempt, state FROM delivery WHERE instance = ? AND destination = ?"
    row = db.execute(sql, (instance, number)).fetchone()
    if row is None or (State(row[1]), Event.CLAIM) not in MOVES:  # an index that is not of its table
        raise SpoolDamaged(f"the ledger lists a delivery of instance {instance:08X} that is not so in it")
    return int(row[0]) + 1


def _row(db: sqlite3.Connection, instance: int, number: int) -> tuple[object, ...]:
    sql = (
        f"SELECT {ITEM_COLUMNS} FROM delivery d JOIN instance i ON i.id = d.instance "  # noqa: S608 - our constant
        "WHERE d.instance = ? AND d.destination = ?"
    )
    row: tuple[object, ...] = db.execute(sql, (instance, number)).fetchone()
    return row


def _hex(status: int | None) -> str | None:
    return None if status is None else f"{status:04X}"
