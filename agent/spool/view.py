"""``SpoolView``: what ``queue list``, ``receipt`` and ``status`` read while the daemon holds the spool.

It opens the ledger so that SQLite can neither write nor wait: ``mode=ro`` for the database, ``readonly_shm=1`` for the
index of the write-ahead log (without it a reader would create that file, as the wrong user perhaps). After a clean
stop there is no log, after a crash perhaps one without a page, which SQLite would wait for; then the database is opened
``immutable``: nobody is writing. Only when a power cut left a log without its index must SQLite make the index file to
read the log. Each question is one short read, so a view never holds back the daemon's checkpoints for longer than that.

Raises ``MediaError`` when there is no spool or it cannot be read.
"""

from __future__ import annotations

import os
import sqlite3
from urllib.parse import quote

from agent.errors import MediaError
from agent.spool import lock
from agent.spool.names import LEDGER, LOCK
from agent.spool.receipt import Reader
from agent.spool.schema import SCHEMA_VERSION, version
from agent.typed import Any

LOG_HEAD_BYTES = 32  # of a write-ahead log, in front of its first page (SQLite file format, 4.1)


class SpoolView(Reader):
    """A read-only look at a spool from another process; close it after use."""

    __slots__ = ("_db", "root")

    def __init__(self, root: str, db: sqlite3.Connection) -> None:
        super().__init__(self.ask)
        self.root = root
        self._db = db

    @classmethod
    def open(cls, root: str) -> SpoolView:
        """Open the ledger below ``root`` for reading; works beside a running daemon and without one."""
        root = os.path.abspath(root)
        path = f"{root}/{LEDGER}"
        if not os.path.exists(path):
            raise MediaError(
                f"no spool at {root}: {LEDGER} does not exist", hint="Check the spool folder of the configuration."
            )
        how = "mode=ro"
        log_bytes = _size(f"{path}-wal")
        if log_bytes is None or (log_bytes <= LOG_HEAD_BYTES and not lock.held(f"{root}/{LOCK}")):
            how += "&immutable=1"
        elif os.path.exists(f"{path}-shm"):
            how += "&readonly_shm=1"
        try:
            db = sqlite3.connect(f"file:{quote(path)}?{how}", uri=True, isolation_level=None, timeout=1.0)
            found = version(db)
        except sqlite3.Error as error:
            raise MediaError(f"read {path}: {error}") from error
        if not found:
            db.close()
            raise MediaError(
                f"ledger {path} has no tables yet",
                hint="An agent that starts for the first time makes them; ask again in a moment.",
            )
        if found != SCHEMA_VERSION:
            db.close()
            raise MediaError(
                f"ledger {path} has schema version {found}, this agent knows {SCHEMA_VERSION}",
                hint="An older one is brought up to date by the next start of the agent.",
            )
        return cls(root, db)

    def running(self) -> bool:
        """Whether a process holds the spool now; asking disturbs nobody, not even one that is about to take it."""
        return lock.held(f"{self.root}/{LOCK}")

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def __enter__(self) -> SpoolView:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def last_start(self) -> dict[str, Any] | None:
        """Return when the spool was opened last for writing, and what was found then."""
        rows = self.ask("SELECT value FROM meta WHERE key = 'start'", ())
        at, _, report = rows[0][0].partition(" ") if rows else ("", "", "")
        return {"at": float(at), "report": report} if at else None

    def ask(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Put one question to the ledger."""
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise MediaError(f"read {self.root}/{LEDGER}: {error}") from error


def read_only(path: str) -> sqlite3.Connection | None:
    """Open a database beside the ledger for reading; None where there is none that can be read."""
    if not os.path.exists(path):
        return None
    how = "mode=ro"
    if _size(f"{path}-wal") is None:
        how += "&immutable=1"
    elif os.path.exists(f"{path}-shm"):
        how += "&readonly_shm=1"
    try:
        return sqlite3.connect(f"file:{quote(path)}?{how}", uri=True, isolation_level=None, timeout=1.0)
    except sqlite3.Error:
        return None


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return None
