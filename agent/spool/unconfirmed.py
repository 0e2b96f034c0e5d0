"""The end of asking for commitment: what no report has settled gets a name, with all that is known, and is kept.

A delivery that was asked for as often as its destination allows is *exhausted*. Whoever talks to the archive then looks
whether it lists the instance (C-FIND), and what is found out ends the delivery:

* listed, or it cannot be found out: ``unconfirmed`` with that evidence. Existence is not custody (PS3.4 J.1.1): the
  file stays, until a late report or the operator;
* not listed: it is sent ``SENDS_UNLISTED`` time more and asked for anew, for a second sending harms nobody and the
  first may have been lost; an archive that does not list it even then leaves it ``unconfirmed``. Like a Failure Reason
  "no such object instance" it makes an earlier question's good news too old to be counted.

A peer that does not offer Storage Commitment is asked all the same, as often and as seldom as one that says "not yet":
its administrator may enable it meanwhile. Where that is done later, what is unconfirmed is asked for anew.
"""

from __future__ import annotations

import re

from agent.spool.core import ITEM_COLUMNS, Item, SpoolCore
from agent.spool.ledger import details, move, reason_text, state_of
from agent.spool.states import Event, Life, State
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

SENDS_UNLISTED = 1
ANY = 1 << 30  # questions
_CODE = re.compile(r" \[[a-z_.]+\]$")  # of an error, behind its words


class Unconfirming(SpoolCore):
    """What must be asked for, what was asked for often enough, and how that ends; thread safe and durable."""

    __slots__ = ()

    def awaiting_commitment(
        self, destination: str, now: float, limit: int = 256, *, most_asked: int = ANY
    ) -> list[Item]:
        """List what is stored at ``destination`` and must be asked for now; empty where commitment is switched off.

        What was asked for ``most_asked`` times is not asked for again, see ``exhausted``.
        """
        return self._stored(destination, now, "d.asked < ?", most_asked, limit)

    def exhausted(self, destination: str, now: float, most_asked: int, limit: int = 256) -> list[Item]:
        """List what was asked for ``most_asked`` times without a final report."""
        return self._stored(destination, now, "d.asked >= ?", most_asked, limit)

    def next_question_at(self, destination: str) -> float | None:
        """Return when (monotonic s) the next question of a destination is due; None when there is none."""
        sql = "SELECT min(next_at) FROM delivery WHERE destination = ? AND state = ?"
        at = self.ledger.read(sql, (self.destination_id(destination), int(State.STORED)))[0][0]
        return None if at is None else float(at)

    def place(self, item: Item) -> tuple[str, str]:
        """Return Study and Series Instance UID of an instance."""
        rows = self.ledger.read("SELECT study_uid, series_uid FROM instance WHERE id = ?", (item.id,))
        return str(rows[0][0]), str(rows[0][1])

    def not_offered(self, items: Iterable[Item], reason: str) -> None:
        """Count a question that could not even be put; the next one is due as after "not yet"."""
        batch, wall = list(items), self.clock.wall()

        def job(db: sqlite3.Connection) -> None:
            for item in batch:
                number = self.destination_id(item.destination)
                if state_of(db, item.id, number) is State.STORED:
                    move(db, item.id, number, Event.UNOFFERED, at=wall, detail=details(reason=reason),
                        asked=item.asked + 1, next_at=self.next_question(item.asked + 1), reason=reason)  # fmt: skip

        if batch:
            self.ledger.write(job)

    def unconfirmed(self, items: Iterable[Item], evidence: str, *, listed: bool | None = None) -> None:
        """End the questions, until a late report or the operator; ``evidence`` is what else is known.

        ``listed``: whether the archive lists them, as far as anybody knows.
        """
        batch, wall = list(items), self.clock.wall()

        def job(db: sqlite3.Connection) -> None:
            for item in batch:
                self._give_up(db, item, evidence, listed, wall)

        if batch:
            self.ledger.write(job)

    def unlisted(self, items: Iterable[Item], evidence: str) -> list[Item]:
        """Send what the archive does not list once more, and return it; what was is ``unconfirmed``."""
        batch, wall = list(items), self.clock.wall()

        def job(db: sqlite3.Connection) -> list[Item]:
            again = []
            for item in batch:
                number = self.destination_id(item.destination)
                life = db.execute("SELECT life FROM instance WHERE id = ?", (item.id,)).fetchone()[0]
                if life != Life.LIVE or happened(db, item.id, number, Event.UNLISTED) >= SENDS_UNLISTED:
                    self._give_up(db, item, evidence, listed=False, wall=wall)
                elif state_of(db, item.id, number) is State.STORED:
                    detail = details(reason=evidence, listed="no")
                    move(db, item.id, number, Event.UNLISTED, at=wall, detail=detail, asked=0, next_at=0,
                        reason=evidence)  # fmt: skip
                    again.append(item)
            return again

        sent = self.ledger.write(job) if batch else []
        self.wake()
        return sent

    def reopen(self, destination: str) -> int:
        """Let everything that is unconfirmed be asked for anew, without sending it; returns how many."""
        number, wall = self.destination_id(destination), self.clock.wall()
        sql = "SELECT instance FROM delivery WHERE destination = ? AND state = ?"

        def job(db: sqlite3.Connection) -> int:
            found = db.execute(sql, (number, int(State.UNCONFIRMED))).fetchall()
            for (instance,) in found:
                move(db, instance, number, Event.REOPEN, at=wall, asked=0, next_at=0, reason="")
            return len(found)

        count = self.ledger.write(job)
        if count:
            self.wake()
        return count

    def ask_now(self, destination: str | None = None, sop_instance_uid: str | None = None) -> int:
        """Let what is stored and owes a commitment be asked for now, as if for the first time; returns how many."""
        sql = (
            "SELECT d.instance, d.destination, n.name FROM delivery d JOIN instance i ON i.id = d.instance "
            "JOIN destination n ON n.id = d.destination "
            "WHERE d.destination IN (SELECT id FROM destination) AND d.state = ? AND coalesce(?, n.name) = n.name "
            "AND coalesce(?, i.sop_instance_uid) = i.sop_instance_uid"
        )
        wall, owing = self.clock.wall(), {name for name, one in self.destinations.items() if one.commitment}

        def job(db: sqlite3.Connection) -> int:
            found = db.execute(sql, (int(State.STORED), destination, sop_instance_uid)).fetchall()
            owed = [(instance, number) for instance, number, name in found if name in owing]
            for instance, number in owed:
                move(db, instance, number, Event.RETRY, at=wall, asked=0, next_at=0, reason="")
            return len(owed)

        count = self.ledger.write(job)
        if count:
            self.wake()
        return count

    def next_question(self, asked: int) -> float:
        """Return when (monotonic s) the question after ``asked`` of them may be put: twice as late each time."""
        return self.clock.monotonic() + min(
            self.policy.reask_after_s * 2.0 ** min(max(asked - 1, 0), 20), self.policy.reask_cap_s
        )

    def _give_up(
        self, db: sqlite3.Connection, item: Item, evidence: str, listed: bool | None, wall: float  # noqa: FBT001 - a fact
    ) -> None:  # fmt: skip
        number = self.destination_id(item.destination)
        if state_of(db, item.id, number) is not State.STORED:
            return  # a report settled it meanwhile
        sql = "SELECT reason FROM delivery WHERE instance = ? AND destination = ?"
        last = _CODE.sub("", db.execute(sql, (item.id, number)).fetchone()[0])
        words = f"no commitment after {item.asked} question{'s' * (item.asked != 1)}"
        reason = reason_text("; ".join(text for text in (words, last and f"the last one: {last}", evidence) if text))
        known = {None: "", True: "yes", False: "no"}[listed]
        move(db, item.id, number, Event.GIVE_UP, at=wall, detail=details(reason=reason, listed=known), reason=reason)

    def _stored(self, destination: str, now: float, asked: str, most_asked: int, limit: int) -> list[Item]:
        configured = self.destinations.get(destination)
        if configured is None or not configured.commitment:
            return []
        sql = (
            f"SELECT {ITEM_COLUMNS} FROM delivery d JOIN instance i ON i.id = d.instance "  # noqa: S608 - our constant
            f"WHERE d.destination = ? AND d.state = ? AND d.next_at <= ? AND {asked} "
            "ORDER BY d.next_at, d.instance LIMIT ?"
        )
        rows = self.ledger.read(sql, (self.destination_id(destination), int(State.STORED), now, most_asked, limit))
        return [self.item(destination, row) for row in rows]


def happened(db: sqlite3.Connection, instance: int, number: int, kind: Event) -> int:
    """Count how often something happened to a delivery since the operator last looked."""
    sql = (
        "SELECT count(*) FROM event WHERE instance = ? AND destination = ? AND kind = ? AND seq > "
        "(SELECT coalesce(max(seq), 0) FROM event WHERE instance = ? AND destination = ? AND kind = ?)"
    )
    values = (instance, number, kind.value, instance, number, Event.RETRY.value)
    return int(db.execute(sql, values).fetchone()[0])
