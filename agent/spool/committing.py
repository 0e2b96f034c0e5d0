"""Storage Commitment in the spool (PS3.4 Annex J): transactions that always end.

The Transaction UID is on the medium before the N-ACTION that carries it leaves (a UID is used for one request only),
and the results of an N-EVENT-REPORT are on the medium before it is answered. A transaction ends by a report that
settles all its instances or by its deadline; what is not settled then is asked again under a new Transaction UID.
After so many questions as the destination allows it is ``unconfirmed`` (unconfirmed.py). An archive that says again
and again that it does not have what it stored is sent it ``SENDS_AGAIN`` times more; then the delivery is held.

A report may come late, when its instances have been asked again: its good news is taken, because the archive vouches
for the UID whichever request it answers; its bad news is not, because a newer request is under way. Only instances
that were in the request can be touched by a report. Good news of a request that was made before the archive said that
it does not have the instance, or refuses it, is written down and not counted: it speaks of an earlier state of the
archive, and eviction would believe it.

Deadlines are monotonic seconds. After a restart they mean nothing, and a report may have come while nobody listened:
recovery lets every open transaction end after ``Policy.reask_after_s``.
"""

from __future__ import annotations

from agent.errors import SpoolError
from agent.service import commitment
from agent.spool.ledger import details, move, note, reason_text, state_of
from agent.spool.states import FAILURE_REASONS, Event, Life, State
from agent.spool.unconfirmed import Unconfirming, happened
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from agent.spool.core import Item

# the archive does not have it, or will not keep it
_DENIALS = (Event.MISSING, Event.REFUSE, Event.UNLISTED)


SENDS_AGAIN = 3  # after "no such object instance", before a person looks at it
NO_REPORT = "no report in time"
MISSED = "its report could not be kept"
MISSED_LIMIT = 1000  # reports that could not be kept; of more the deadlines count


class Transaction(NamedTuple):
    """One request for commitment."""

    transaction_uid: str
    destination: str
    opened_at: float  # wall s
    deadline: float  # monotonic s
    waiting: int  # instances of it that are still awaiting commitment


class Committing(Unconfirming):
    """Asking for commitment and settling reports; all methods are thread safe and durable when they return."""

    __slots__ = ()

    def open_transaction(
        self, destination: str, items: Iterable[Item], transaction_uid: str, deadline: float
    ) -> list[Item]:
        """Write the transaction down before its N-ACTION is sent; ``deadline`` is monotonic.

        Returns the items that are in it: one that was settled meanwhile is left out of the request. Raises
        ``SpoolError`` when the Transaction UID was used before.
        """
        batch = list(items)
        number = self.destination_id(destination)
        wall, wait_s = self.clock.wall(), max(deadline - self.clock.monotonic(), 0.0)

        def job(db: sqlite3.Connection) -> list[Item]:
            if db.execute("SELECT 1 FROM commitment WHERE transaction_uid = ?", (transaction_uid,)).fetchone():
                raise SpoolError(f"Transaction UID {transaction_uid} was used before (PS3.4 J.3)")
            row = (transaction_uid, number, 1, wait_s, deadline, wall, None)
            db.execute("INSERT INTO commitment VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            inside = []
            for item in batch:
                if state_of(db, item.id, number) is State.STORED:
                    move(db, item.id, number, Event.ASK, at=wall, detail=details(transaction=transaction_uid),
                        transaction_uid=transaction_uid, asked=item.asked + 1, next_at=0)  # fmt: skip
                    inside.append(item)
            return inside

        return self.ledger.write(job)

    def settle(
        self, transaction_uid: str, committed: Iterable[str], failed: Iterable[tuple[str, int]] = (), *,
        destination: str | None = None, peer: str = "",
    ) -> bool:  # fmt: skip
        """Take a report: SOP Instance UIDs committed, and (UID, Failure Reason) not; False: no such transaction.

        With ``destination`` the transaction must be of that destination. Durable when it returns: only then answer the
        N-EVENT-REPORT. Taking the same report twice changes nothing.
        """
        good, bad = list(committed), list(failed)
        wall = self.clock.wall()

        def job(db: sqlite3.Connection) -> bool:
            row = db.execute(
                "SELECT destination FROM commitment WHERE transaction_uid = ?", (transaction_uid,)
            ).fetchone()
            if row is None or (destination is not None and row[0] != self.ids.get(destination)):
                return False
            number = int(row[0])
            for uid in good:
                instance = _member(db, uid, number, transaction_uid, late=True)
                if instance is not None and state_of(db, instance, number) is not State.COMMITTED:
                    _vouched(db, instance, number, transaction_uid, peer, wall)
            for uid, reason in bad:
                instance = _member(db, uid, number, transaction_uid, late=False)
                if instance is not None:
                    self._failed(db, instance, number, reason, transaction_uid, wall)
            _close_if_settled(db, transaction_uid, wall)
            return True

        known = self.ledger.write(job)
        self.wake()
        return known

    def missed(self, transaction_uid: str) -> None:
        """Note that a report could not be kept."""
        if len(self._missed) < MISSED_LIMIT:
            self._missed.add(transaction_uid)
        self.wake()

    def end_missed(self, destination: str) -> None:
        """End the transactions whose report could not be kept, as soon as that can be written: they are asked again."""
        if self._missed:
            for open_ in self.open_transactions(destination=destination):
                if open_.transaction_uid in self._missed:
                    self.unanswered(open_.transaction_uid, MISSED)
                    self._missed.discard(open_.transaction_uid)

    def transaction(self, transaction_uid: str) -> tuple[str, float] | None:
        """Return the destination of a request of ours and when it was made (wall s), however long ago."""
        sql = "SELECT n.name, c.opened_at FROM commitment c JOIN destination n ON n.id = c.destination "
        rows = self.ledger.read(sql + "WHERE c.transaction_uid = ?", (transaction_uid,))
        return (str(rows[0][0]), float(rows[0][1])) if rows else None

    def unanswered(self, transaction_uid: str, reason: str) -> None:
        """Take back a request that was refused, or that nobody answered: its instances are due again later.

        The SCP may have it all the same, so that it counts as a question, and a late report of it counts too.
        """
        wall, words = self.clock.wall(), reason_text(reason)

        def job(db: sqlite3.Connection) -> None:
            for instance, number in _waiting(db, transaction_uid):
                next_at = self.next_question(_asked(db, instance, number))
                detail = details(transaction=transaction_uid, reason=words)
                move(db, instance, number, Event.ASK_AGAIN, at=wall, detail=detail, next_at=next_at, reason=words)
            _close_if_settled(db, transaction_uid, wall)

        self.ledger.write(job)
        self.wake()

    def expired_transactions(self, now: float, *, destination: str | None = None) -> list[Transaction]:
        """End every transaction whose deadline has passed and return it; its instances are due to be asked again."""
        found = [open_ for open_ in self.open_transactions(destination=destination) if open_.deadline <= now]
        wall = self.clock.wall()

        def job(db: sqlite3.Connection) -> None:
            for ended in found:
                for instance, number in _waiting(db, ended.transaction_uid):
                    move(db, instance, number, Event.EXPIRE, at=wall, next_at=0, reason=NO_REPORT,
                        detail=details(transaction=ended.transaction_uid))  # fmt: skip
                sql = "UPDATE commitment SET open = 0, closed_at = ? WHERE transaction_uid = ?"
                db.execute(sql, (wall, ended.transaction_uid))

        if found:
            self.ledger.write(job)
            self.wake()
        return found

    def open_transactions(self, limit: int = 1000, *, destination: str | None = None) -> list[Transaction]:
        """List the requests without a final report, of one destination or of all, the next to expire first."""
        rows = self.ledger.read(
            "SELECT c.transaction_uid, n.name, c.opened_at, c.deadline, (SELECT count(*) FROM delivery d "
            "WHERE d.transaction_uid = c.transaction_uid AND d.state = ?) FROM commitment c "
            "JOIN destination n ON n.id = c.destination WHERE c.open = 1 AND n.name = coalesce(?, n.name) "
            "ORDER BY c.deadline LIMIT ?",
            (int(State.AWAITING), destination, limit),
        )
        return [Transaction(*row) for row in rows]

    def _failed(
        self, db: sqlite3.Connection, instance: int, number: int, reason: int, transaction_uid: str, wall: float
    ) -> None:
        event = FAILURE_REASONS.get(reason, Event.ASK_AGAIN)
        detail = details(transaction=transaction_uid, reason=f"{reason:04X}")
        next_at, words = 0.0, f"{reason:04X} {commitment.reaction(reason)[0]}"
        again: dict[str, object] = {}
        if event is Event.MISSING:
            if happened(db, instance, number, Event.MISSING) >= SENDS_AGAIN:
                event = Event.REFUSE
                words += f": the archive stored it {SENDS_AGAIN + 1} times and does not have it"
            else:
                again["asked"] = 0  # a new sending is a new question
        if event is Event.ASK_AGAIN:
            next_at = self.next_question(_asked(db, instance, number))
        move(db, instance, number, event, at=wall, detail=detail, next_at=next_at, reason=words, **again)
        life = db.execute("SELECT life FROM instance WHERE id = ?", (instance,)).fetchone()[0]
        if event is Event.MISSING and life != Life.LIVE:
            # The archive does not have it and neither have we: say so at once, loudly.
            if life == Life.DAMAGED:
                move(db, instance, number, Event.DAMAGE, at=wall, detail=detail)
            else:
                move(db, instance, number, Event.LOSE, at=wall, detail=detail)


def _waiting(db: sqlite3.Connection, transaction_uid: str) -> list[tuple[int, int]]:
    sql = "SELECT instance, destination FROM delivery WHERE transaction_uid = ? AND state = ?"
    return db.execute(sql, (transaction_uid, int(State.AWAITING))).fetchall()


def _member(db: sqlite3.Connection, uid: str, number: int, transaction_uid: str, *, late: bool) -> int | None:
    """Return the instance number when ``uid`` was in the request; with ``late`` also in one that was asked anew."""
    sql = (
        "SELECT i.id, d.transaction_uid, d.state FROM instance i JOIN delivery d ON d.instance = i.id "
        "WHERE i.sop_instance_uid = ? AND d.destination = ?"
    )
    row = db.execute(sql, (uid, number)).fetchone()
    if row is None:
        return None
    if row[1] == transaction_uid and (late or row[2] == State.AWAITING):
        return int(row[0])
    if late:
        sql = "SELECT 1 FROM event WHERE instance = ? AND destination = ? AND kind = ? AND detail = ?"
        asked = (row[0], number, Event.ASK.value, details(transaction=transaction_uid))
        if db.execute(sql, asked).fetchone():
            return int(row[0])
    return None


def _vouched(db: sqlite3.Connection, instance: int, number: int, transaction_uid: str, peer: str, wall: float) -> None:
    """Commit, unless the archive has denied the instance since it was asked in this transaction."""
    detail = details(transaction=transaction_uid, peer=peer)
    if _last(db, instance, number, _DENIALS) < _last(
        db, instance, number, (Event.ASK,), details(transaction=transaction_uid)
    ):
        move(db, instance, number, Event.COMMIT, at=wall, next_at=0, committed_at=wall, detail=detail)
    elif not _last(db, instance, number, (Event.OUTDATED,), detail):  # the same report may come often
        note(db, wall, instance, number, Event.OUTDATED, state_of(db, instance, number), detail)


def _last(
    db: sqlite3.Connection, instance: int, number: int, events: tuple[Event, ...], detail: str | None = None
) -> int:
    """Return the number of the last such event of a delivery; 0: none."""
    sql = (
        f"SELECT max(seq) FROM event WHERE instance = ? AND destination = ? "  # noqa: S608 - only marks
        f"AND kind IN ({', '.join('?' * len(events))}) AND detail = coalesce(?, detail)"
    )
    kinds = (event.value for event in events)
    return int(db.execute(sql, (instance, number, *kinds, detail)).fetchone()[0] or 0)


def _asked(db: sqlite3.Connection, instance: int, number: int) -> int:
    row = db.execute("SELECT asked FROM delivery WHERE instance = ? AND destination = ?", (instance, number))
    return int(row.fetchone()[0])


def _close_if_settled(db: sqlite3.Connection, transaction_uid: str, wall: float) -> None:
    if not _waiting(db, transaction_uid):
        sql = "UPDATE commitment SET open = 0, closed_at = ? WHERE transaction_uid = ? AND open = 1"
        db.execute(sql, (wall, transaction_uid))
