"""The ledger: one SQLite database that says what happens to each file. It is an index; the files are the truth (P2).

Writers hand in a *job*, a function of the connection. Jobs that arrive while a commit is under way are done together in
the next transaction, each in its own savepoint, so that a burst costs one flush and not one per job; ``write`` returns
only after its commit is on the medium. A job that raises undoes itself alone. ``write_all`` brings many jobs at once,
and may bring the flush as well, for those that have more to make durable than rows (group.py).

After an I/O error of SQLite the connection is *suspect*: a page the kernel failed to write may look clean, and a WAL
with such a hole would take back later commits in a power cut. Before its next use it is closed, reopened and
checkpointed with TRUNCATE: what can still be read is written anew, into other pages, and synced. Until that works every
call raises. The caller of the failed commit was told no; its row may still be there afterwards, and whoever made a
promise conditional on the row must look again (store.py, orphans).

A database that turns out to be damaged at work is marked (``ledger.db-doubt``): the check of an ordinary start does not
hold indexes against their tables, that of the next start does.

Every move goes through ``move`` / ``live`` / ``note``, which append one event to a hash chain:
``chain = SHA-256(previous chain, row)``. Changing, removing or inserting a row breaks the chain, and a delivery whose
state is not the one its last event led to is found by ``receipt.verify``. The chain has no key: who can rewrite the
whole database can rewrite the chain, so its head belongs into a log on another machine as well.

Raises ``SpoolFull``, ``MediaError``, ``SpoolDamaged``.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress

from agent.errors import MediaError, SpoolDamaged, SpoolError, SpoolFull
from agent.spool import schema
from agent.spool.durable import FILE_MODE
from agent.spool.faults import media_error
from agent.spool.small_sha256 import sha256
from agent.spool.sqlite import sqlite3
from agent.spool.states import LIVES, MOVES, WORDS, Event, Life, State
from agent.typed import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.spool.graded import Graded
    from agent.spool.ops import Ops

T = TypeVar("T")

GENESIS = bytes(32)  # chain before the first event
DETAIL_LIMIT = 1000  # characters kept of one event's detail: reasons are sentences, not dumps
VALUE_LIMIT = 400  # characters kept of one value: a dozen Transfer Syntax UIDs
_CUT = " ..."
_COUNTED = (Event.RETRY, Event.UNOFFERED)
REASON_LIMIT = 400  # characters kept of why a delivery waits, or of what a peer says (Error Comment is LO, 64)

DOUBT = "-doubt"  # behind the path: what was read of it was damaged
_FULL_CODES = {sqlite3.SQLITE_FULL}
_DAMAGED_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Pending(Generic[T]):
    """One job, and how it ended: ``error`` is None once it is durable."""

    __slots__ = ("done", "error", "job", "result")

    def __init__(self, job: Callable[[sqlite3.Connection], T]) -> None:
        self.job = job
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None


class Ledger:
    """The one writing connection, shared by all threads of the process."""

    __slots__ = ("_closed", "_db", "_lock", "_ops", "_pending", "_queue_lock", "_suspect", "created", "path", "time")

    def __init__(self, path: str, db: sqlite3.Connection, ops: Ops) -> None:
        self.path = path
        self.time: Graded | None = None  # says what the times of events are worth
        self.created = False  # its tables were made by this opening: it knows of no file
        self._db = db
        self._ops = ops
        self._lock = threading.Lock()
        self._queue_lock = threading.Lock()
        self._pending: list[Pending[Any]] = []
        self._suspect = False
        self._closed = False

    def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``job`` in a transaction and return its result once the commit is durable."""
        mine = Pending(job)
        with self._queue_lock:
            self._pending.append(mine)
        with self._lock:
            if not mine.done:
                with self._queue_lock:
                    group, self._pending = self._pending, []
                self._commit(group)
        if mine.error is not None:
            raise mine.error
        if not mine.done:  # its group was taken by a thread that died before it began
            raise _not_finished(self.path)
        result: T = mine.result
        return result

    def write_all(
        self, jobs: Sequence[Callable[[sqlite3.Connection], T]], flush: Callable[[], None] | None = None
    ) -> list[Pending[T]]:
        """Run ``jobs`` in one transaction and return how each ended.

        ``flush`` makes the commit durable in SQLite's place, and raises ``SpoolError`` when it did not.
        """
        mine = [Pending(job) for job in jobs]
        with self._lock:
            with self._queue_lock:
                group, self._pending = [*self._pending, *mine], []
            self._commit(group, flush)
        return mine

    def read(self, sql: str, values: tuple[Any, ...] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Run one SELECT and return all its rows; callers bound them with LIMIT."""
        with self._lock:
            try:
                self._trustworthy()
                return self._db.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise self._ledger_error(error, "read") from error

    def close(self) -> None:
        """Checkpoint and close; later calls raise, they never reopen what another process may hold by then."""
        with self._lock:
            self._closed = True
            try:
                self._db.close()
            except sqlite3.Error as error:
                raise self._ledger_error(error, "close") from error

    def _commit(self, group: list[Pending[Any]], flush: Callable[[], None] | None = None) -> None:
        """Do the jobs of ``group`` in one transaction; however this ends, each of them knows when it returns."""
        error: SpoolError | None = _not_finished(self.path)  # made now: there may be no memory for it later
        try:
            error = self._transaction(group) if flush is None else self._flushed(group, flush)
        except BaseException:
            self._suspect = True
            raise
        finally:
            for pending in group:
                pending.done = True
                if error is not None and pending.error is None:
                    pending.error = error

    def _transaction(self, group: list[Pending[Any]]) -> SpoolError | None:
        """Commit, or return why not; raises what nobody expects, for the thread that happens to be here."""
        try:
            self._trustworthy()
            self._ops.step("ledger begin", self.path)
            self._db.execute("BEGIN IMMEDIATE")
            if self.time is not None:
                self.time.record(self._db)
            for pending in group:
                self._run(pending)
            self._ops.step("ledger commit", self.path)
            self._db.execute("COMMIT")
            if self.time is not None:
                self.time.recorded()
            self._ops.step("ledger committed", self.path)
        except sqlite3.Error as found:
            error = self._ledger_error(found, "write")
            error.__cause__ = found
            return error
        except OSError as found:  # only from Ops.step: a test makes the commit fail
            self._suspect = True
            return media_error(found, "write", self.path)
        except SpoolError as found:
            return found
        finally:
            if self._db_in_transaction():
                self._rollback()
        return None

    def _flushed(self, group: list[Pending[Any]], flush: Callable[[], None]) -> SpoolError | None:
        """Commit without SQLite's own sync of the log, then flush; as ``_transaction``."""
        try:
            self._trustworthy()
            self._db.execute("PRAGMA synchronous = NORMAL")
            error = self._transaction(group)
            if error is None:
                self._suspect = True  # until it is durable
                flush()
                self._suspect = False
        except sqlite3.Error as found:
            error = self._ledger_error(found, "write")
            error.__cause__ = found
        except SpoolError as found:
            return found
        finally:
            self._sync_fully()
        return error

    def _sync_fully(self) -> None:
        try:
            self._db.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error:  # closed by a failed reopen, or it will be: a new connection syncs fully
            self._suspect = True

    def _run(self, pending: Pending[Any]) -> None:
        self._db.execute("SAVEPOINT job")
        try:
            pending.result = pending.job(self._db)
        except sqlite3.Error:
            raise  # may have ended the whole transaction: the group fails together
        except Exception as error:  # noqa: BLE001 - handed to the thread that brought the job
            if isinstance(error, SpoolDamaged):
                self._mark()
            pending.error = error
            self._db.execute("ROLLBACK TO job")
        self._db.execute("RELEASE job")

    def _db_in_transaction(self) -> bool:
        try:
            return self._db.in_transaction
        except sqlite3.ProgrammingError:  # closed by a failed reopen
            return False

    def _rollback(self) -> None:
        try:
            self._db.execute("ROLLBACK")
        except sqlite3.Error:
            self._suspect = True

    def _trustworthy(self) -> None:
        """Reopen a suspect connection, or raise."""
        if self._closed:
            raise MediaError(f"use {self.path}: the spool is closed", hint="This is a fault of the agent; report it.")
        if not self._suspect:
            return
        self._db.close()
        self._ops.step("ledger begin", self.path)
        self._db = schema.connect(self.path)
        busy = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise MediaError(f"reopen {self.path}: a reader holds the write-ahead log", hint="Close other readers.")
        self._suspect = False

    def _mark(self) -> None:
        with suppress(OSError):  # without the mark the next start looks less closely, that is all
            os.close(os.open(self.path + DOUBT, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE))

    def _ledger_error(self, error: sqlite3.Error, call: str) -> SpoolError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code of an extended one
        text = f"{call} {self.path}: {error}"
        if code in _FULL_CODES:
            return SpoolFull(text)
        self._suspect = True
        if code in _DAMAGED_CODES:
            self._mark()
            return SpoolDamaged(
                text, hint="Restart the agent; it sets the ledger aside and rebuilds it from the files."
            )
        return MediaError(text)


def _not_finished(path: str) -> MediaError:
    return MediaError(f"write {path}: not finished, it may be there or not", hint="See the error before this one.")


# --- inside a job ------------------------------------------------------------------------------


def details(**values: object) -> str:
    """Write the detail of an event: one line ``key=value`` per value that is not None or empty."""
    lines = []
    for key, value in values.items():
        if value is not None and value != "":
            text = str(value)[:VALUE_LIMIT]
            if not text.isprintable():
                text = "".join(c if c.isprintable() else " " for c in text)
            lines.append(f"{key}={text}")
    return "\n".join(lines)[:DETAIL_LIMIT]


def reason_text(reason: str) -> str:
    """Shorten a reason between two words to what is kept of it; the code at its end stays: it tells what to do."""
    if len(reason) <= REASON_LIMIT:
        return reason
    text, mark, code = reason.rpartition(" [")
    end = mark + code if reason.endswith("]") and len(code) < REASON_LIMIT // 2 else ""
    kept = (text if end else reason)[: REASON_LIMIT - len(end) - len(_CUT)]
    return (kept.rpartition(" ")[0] or kept).rstrip(" ,;:") + _CUT + end


def link(previous: bytes, row: tuple[Any, ...]) -> bytes:
    """Return the chain value of an event row (seq, at, instance, destination, kind, state, detail)."""
    return sha256(previous + "\x1f".join(map(repr, row)).encode()).digest()


def note_last(db: sqlite3.Connection) -> tuple[int, bytes]:
    """Return number and chain value of the last event."""
    last = db.execute("SELECT seq, chain FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    return last if last is not None else (0, GENESIS)


def write_events(db: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Append events that are linked already, behind ``note_last``."""
    db.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def note(
    db: sqlite3.Connection, at: float, instance: int | None, destination: int | None, event: Event, state: int | None,
    detail: str = "",
) -> int:  # fmt: skip
    """Append one event to the chain and return its number."""
    seq, chain = note_last(db)
    row = (seq + 1, float(at), instance, destination, event.value, None if state is None else int(state), detail)
    write_events(db, [(*row, link(chain, row))])
    return int(seq) + 1


def queue(
    db: sqlite3.Connection, instance: int, destination: int, priority: int, *, at: float, detail: str = ""
) -> None:
    """Let a destination be owed an instance, from now on."""
    seq = note(db, at, instance, destination, Event.QUEUE, State.QUEUED, detail)
    sql = "INSERT INTO delivery (instance, destination, state, priority, seq) VALUES (?, ?, ?, ?, ?)"
    db.execute(sql, (instance, destination, int(State.QUEUED), int(priority), seq))


def state_of(db: sqlite3.Connection, instance: int, number: int) -> State | None:
    """Return the state of one delivery; None when there is no such delivery."""
    sql = "SELECT state FROM delivery WHERE instance = ? AND destination = ?"
    row = db.execute(sql, (instance, number)).fetchone()
    return None if row is None else State(row[0])


def move(
    db: sqlite3.Connection, instance: int, destination: int, event: Event, *, at: float, detail: str = "",
    **columns: object,
) -> State:  # fmt: skip
    """Move one delivery by the table, set ``columns``, record it; returns the new state.

    Where the table keeps the state (news too late) the event is recorded and the columns stay as they are, unless it is
    no news: the operator's wish, or a question that could not be put.
    """
    found = db.execute("SELECT state FROM delivery WHERE instance = ? AND destination = ?", (instance, destination))
    row = found.fetchone()
    if row is None:
        raise SpoolError(f"instance {instance:08X} has no delivery to destination {destination}")
    old = State(row[0])
    new = MOVES.get((old, event))
    if new is None:
        raise SpoolError(f"instance {instance:08X}: '{event.value}' is impossible while it is {WORDS[old]}")
    seq = note(db, at, instance, destination, event, new, detail)
    names = ["state", "seq"] + (list(columns) if new != old or event in _COUNTED else [])
    values = [int(new), seq, *(columns[name] for name in names[2:])]
    assignments = ", ".join(f"{name} = ?" for name in names)  # names are keyword arguments of our own calls
    db.execute(f"UPDATE delivery SET {assignments} WHERE instance = ? AND destination = ?",  # noqa: S608 - see above
        (*values, instance, destination))  # fmt: skip
    return new


def live(db: sqlite3.Connection, instance: int, event: Event, *, at: float, detail: str = "") -> Life:
    """Move one instance by the table and record it; returns the new state."""
    row = db.execute("SELECT life FROM instance WHERE id = ?", (instance,)).fetchone()
    new = None if row is None else LIVES.get((Life(row[0]), event))
    if new is None:
        words = "unknown" if row is None else WORDS[row[0]]
        raise SpoolError(f"instance {instance:08X}: '{event.value}' is impossible while it is {words}")
    seq = note(db, at, instance, None, event, new, detail)
    evicted_at = at if new is Life.EVICTED else None
    db.execute(
        "UPDATE instance SET life = ?, seq = ?, evicted_at = ? WHERE id = ?", (int(new), seq, evicted_at, instance)
    )
    return new


# --- opening -----------------------------------------------------------------------------------


def open_ledger(path: str, ops: Ops) -> Ledger:
    """Open the database at ``path``, making its tables when it is new.

    Raises ``SpoolDamaged`` when it cannot be trusted (recovery then sets it aside and opens a fresh one) and
    ``MediaError`` when the medium is at fault.
    """
    ledger = None
    try:
        ops.step("ledger open", path)
        schema.make_private(path)
        db = schema.connect(path)
        ledger = Ledger(path, db, ops)
        found = schema.version(db)
        if found == 0 and not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            ops.step("ledger create", path)
            schema.create(db)
            ledger.created = True
        elif found != schema.SCHEMA_VERSION and found not in schema.MIGRATIONS:
            db.close()
            raise SpoolError(
                f"ledger {path} has schema version {found}, this agent knows {schema.SCHEMA_VERSION}",
                hint="Use the agent version that wrote it, or move the ledger away: it is rebuilt from the files.",
            )
        else:
            doubted = os.path.lexists(path + DOUBT)
            answer = schema.damage(db, doubted=doubted)
            if answer:
                db.close()
                raise SpoolDamaged(f"ledger {path}: {answer}")
            if doubted:
                os.unlink(path + DOUBT)
            if found != schema.SCHEMA_VERSION:
                ops.step("ledger migrate", path)
                schema.migrate(db, found)
                ops.step("ledger migrated", path)
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if ledger is not None:
            ledger.close()
        if code in _DAMAGED_CODES:
            raise SpoolDamaged(f"ledger {path}: {error}") from error
        if code in _FULL_CODES:
            raise SpoolFull(f"open {path}: {error}") from error
        raise MediaError(f"open {path}: {error}") from error
    except OSError as error:
        if ledger is not None:
            ledger.close()
        raise media_error(error, "open", path) from error
    return ledger
