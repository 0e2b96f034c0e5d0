"""Hold and release: an operator stops what is on its way, and lets it go again.

A destination is held as a whole: one row, nothing is claimed for it, and what is captured meanwhile waits too. A study
is held the same way, for one destination or all, and a single instance by itself; their deliveries become ``held``,
when they are asked for or, what comes later, when it is claimed. Nothing is ever taken out of the hands of a sender:
what is active is answered first, and the caller hears how many those were.

Who did it is in the receipts. What the operator holds, ``retry`` leaves alone: a hold is no failure, and only
``release`` ends it; of a study that is still held as a whole, nothing else is released. A ledger rebuilt from the files
has forgotten all holds.
"""

from __future__ import annotations

from functools import partial

from agent.errors import NotFound
from agent.spool.core import SpoolCore
from agent.spool.ledger import details, move, note
from agent.spool.states import HELD_BY_OPERATOR, Event, State
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

ALL: Final = 0  # as a destination of a held study: every one
BATCH: Final = 500  # instances in one commit, so that captures and answers get their turn
IS_OPERATORS: Final = f"state = {int(State.HELD)} AND reason LIKE '{HELD_BY_OPERATOR}%'"
_BY_UID: Final = "SELECT id FROM instance WHERE sop_instance_uid = ? AND id > ? ORDER BY id LIMIT ?"
_OF_STUDY: Final = "SELECT id FROM instance WHERE study_uid = ? AND id > ? ORDER BY id LIMIT ?"
_HOLDS: Final = "SELECT destination, study_uid FROM hold"
# What no hold of its study would hold again as soon as it is claimed.
_MAY_GO: Final = (
    f"{IS_OPERATORS} AND NOT EXISTS (SELECT 1 FROM hold h JOIN instance i ON i.study_uid = h.study_uid "  # noqa: S608 - ours
    "WHERE h.study_uid != '' AND h.destination IN (0, delivery.destination) AND i.id = delivery.instance)"
)
_HELD: Final = f"SELECT instance FROM delivery WHERE destination = ? AND {_MAY_GO} LIMIT ?"  # noqa: S608 - ours


class Held(NamedTuple):
    """What a hold or a release did."""

    deliveries: int = 0  # that became held, or are queued again
    active: int = 0  # that are being sent now, and go on
    destinations: tuple[str, ...] = ()  # held or released as a whole


class Holding(SpoolCore):
    """Holding and releasing; all methods are thread safe and durable when they return."""

    __slots__ = ()

    def paused(self, destination: str) -> bool:
        """Whether an operator holds a destination as a whole."""
        return (self.ids.get(destination, -1), "") in self._known_holds()

    def hold(self, destination: str | None = None, uid: str | None = None, *, by: str = "") -> Held:
        """Hold a destination (None: every one), or of it an instance or a study; raises ``NotFound``."""
        numbers = self._numbers(destination)
        if uid is None:
            return self._hold_all(numbers, by)
        of_study = self._is_study(uid)
        if of_study:
            wall = self.clock.wall()
            row = (ALL if destination is None else numbers[0], uid, wall)
            self._change(lambda db: db.execute("INSERT OR REPLACE INTO hold VALUES (?, ?, ?)", row))
        told = Held()
        for page in self._pages(_OF_STUDY if of_study else _BY_UID, uid):
            count, active = self.ledger.write(partial(self._suspend, page=page, numbers=numbers, by=by))
            told = Held(told.deliveries + count, told.active + active)
        self.wake()
        return told

    def release(self, destination: str | None = None, uid: str | None = None, *, by: str = "") -> Held:
        """Let go what an operator held: of a destination (None: every one), of an instance or study, or all of it."""
        numbers = self._numbers(destination)
        released: tuple[str, ...] = ()
        count = 0
        if uid is None:
            released = self._release_all(numbers, by)
            self._change(lambda db: _forget_studies(db, numbers, everything=destination is None))
            for number in numbers:
                for page in self._held_pages(number):
                    count += self.ledger.write(partial(self._resume, page=page, numbers=[number], by=by))
        else:
            of_study = self._is_study(uid)
            if of_study:
                self._change(lambda db: _forget_study(db, uid, numbers, everything=destination is None))
            for page in self._pages(_OF_STUDY if of_study else _BY_UID, uid):
                count += self.ledger.write(partial(self._resume, page=page, numbers=numbers, by=by))
        self.wake()
        return Held(count, 0, released)

    def hold_claimed(self, db: sqlite3.Connection, instance: int, number: int, wall: float) -> bool:
        """Within a claim: whether the study of an instance is held, which makes the delivery held."""
        studies = {study for at, study in self._known_holds(db) if study and at in (ALL, number)}
        if not studies:
            return False
        row = db.execute("SELECT study_uid FROM instance WHERE id = ?", (instance,)).fetchone()
        if row is None or row[0] not in studies:
            return False
        reason = f"{HELD_BY_OPERATOR}, as all of its study"
        move(db, instance, number, Event.SUSPEND, at=wall, next_at=0, reason=reason, detail=details(reason=reason))
        return True

    def _known_holds(self, db: sqlite3.Connection | None = None) -> frozenset[tuple[int, str]]:
        """What is held; remembered until it changes, but not what a job that is not committed yet has seen."""
        if (found := self._holds) is not None:
            return found
        if db is not None:
            return _rows_of(db.execute(_HOLDS).fetchall())
        with self._holds_lock:  # what was read before a change must not be remembered behind it
            found = self._holds = _rows_of(self.ledger.read(_HOLDS))
        return found

    def _change(self, job: Callable[[sqlite3.Connection], object]) -> None:
        """Change what is held; whoever asks from here on reads it, also where nobody knows whether it is there."""
        try:
            self.ledger.write(job)
        finally:
            with self._holds_lock:
                self._holds = None

    def _numbers(self, destination: str | None) -> list[int]:
        return list(self.ids.values()) if destination is None else [self.destination_id(destination)]

    def _is_study(self, uid: str) -> bool:
        """Whether a UID is that of a study; raises ``NotFound`` for what the spool has never had."""
        if self.ledger.read(_BY_UID, (uid, 0, 1)):
            return False
        if self.ledger.read(_OF_STUDY, (uid, 0, 1)):
            return True
        raise NotFound(f"the spool has never had {uid}, neither as an instance nor as a study")

    def _pages(self, sql: str, uid: str) -> Iterable[list[int]]:
        after = 0
        while page := [int(row[0]) for row in self.ledger.read(sql, (uid, after, BATCH))]:
            yield page
            after = page[-1]

    def _held_pages(self, number: int) -> Iterable[list[int]]:
        while page := [int(row[0]) for row in self.ledger.read(_HELD, (number, BATCH))]:
            yield page

    def _hold_all(self, numbers: list[int], by: str) -> Held:
        wall = self.clock.wall()
        fresh = [number for number in numbers if (number, "") not in self._known_holds()]

        def job(db: sqlite3.Connection) -> None:
            for number in fresh:
                db.execute("INSERT OR REPLACE INTO hold VALUES (?, '', ?)", (number, wall))
                note(db, wall, None, number, Event.SUSPEND, None, details(by=by))

        self._change(job)
        self.wake()
        active = sum(self.ledger.read("SELECT coalesce(sum(count), 0) FROM tally WHERE destination = ? AND state = ?",
                                      (number, int(State.ACTIVE)))[0][0] for number in numbers)  # fmt: skip
        return Held(0, active, self._names(numbers))

    def _release_all(self, numbers: list[int], by: str) -> tuple[str, ...]:
        wall = self.clock.wall()
        held = [number for number in numbers if (number, "") in self._known_holds()]

        def job(db: sqlite3.Connection) -> None:
            for number in held:
                db.execute("DELETE FROM hold WHERE destination = ? AND study_uid = ''", (number,))
                note(db, wall, None, number, Event.RELEASE, None, details(by=by))

        if held:
            self._change(job)
        return self._names(held)

    def _names(self, numbers: list[int]) -> tuple[str, ...]:
        return tuple(name for name, number in self.ids.items() if number in numbers)

    def _suspend(self, db: sqlite3.Connection, page: list[int], numbers: list[int], by: str) -> tuple[int, int]:
        wall, count, active = self.clock.wall(), 0, 0
        reason = f"{HELD_BY_OPERATOR} {by}".rstrip()
        for instance, number, state in _deliveries(db, page, numbers):
            if state in (State.QUEUED, State.DEFERRED):
                move(db, instance, number, Event.SUSPEND, at=wall, next_at=0, reason=reason, detail=details(by=by))
                count += 1
            active += state == State.ACTIVE
        return count, active

    def _resume(self, db: sqlite3.Connection, page: list[int], numbers: list[int], by: str) -> int:
        wall, count = self.clock.wall(), 0
        for instance, number, state in _deliveries(db, page, numbers, f"AND {_MAY_GO}"):
            if state == State.HELD:
                move(db, instance, number, Event.RELEASE, at=wall, next_at=0, reason="", detail=details(by=by))
                count += 1
        return count


def _rows_of(rows: list[tuple[Any, ...]]) -> frozenset[tuple[int, str]]:
    return frozenset((int(row[0]), str(row[1])) for row in rows)


def _deliveries(
    db: sqlite3.Connection, page: list[int], numbers: list[int], which: str = ""
) -> list[tuple[int, int, int]]:
    sql = f"SELECT instance, destination, state FROM delivery WHERE instance = ? {which}"  # noqa: S608 - our constants
    found = [row for instance in page for row in db.execute(sql, (instance,)).fetchall()]
    return [(int(one[0]), int(one[1]), int(one[2])) for one in found if one[1] in numbers]


def _forget_studies(db: sqlite3.Connection, numbers: list[int], *, everything: bool) -> None:
    for number in [*numbers, *([ALL] if everything else [])]:
        db.execute("DELETE FROM hold WHERE destination = ? AND study_uid != ''", (number,))


def _forget_study(db: sqlite3.Connection, uid: str, numbers: list[int], *, everything: bool) -> None:
    """Forget that a study is held; where it was for all, and goes on for all but one, that is written down."""
    at = db.execute("SELECT at FROM hold WHERE destination = ? AND study_uid = ?", (ALL, uid)).fetchone()
    if at is not None and not everything:
        for (number,) in db.execute("SELECT id FROM destination").fetchall():
            db.execute("INSERT OR IGNORE INTO hold VALUES (?, ?, ?)", (number, uid, at[0]))
    for number in [ALL, *numbers]:
        db.execute("DELETE FROM hold WHERE destination = ? AND study_uid = ?", (number, uid))
