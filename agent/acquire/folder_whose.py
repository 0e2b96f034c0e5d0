"""Whose the files of a drop folder are, in the ledger: what was put there for one patient is told so after a restart.

One row of ``meta`` for each path: the exam at the last look, and what is not of it. A start that finds another exam
there, or no row (a new spool, a ledger that was made anew), trusts nothing that lies in the folder. A row costs some
MiB at most, for so many files are looked at; the paths that were written last are kept.
"""

from __future__ import annotations

import json

from agent.acquire.folder_file import Stamp
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agent.spool.sqlite import sqlite3
    from agent.spool.store import Spool

MAX_PATHS: Final = 64
_KEY: Final = "folder "


class Put(NamedTuple):
    """What tells one file from another of its name, also on a share that numbers its files anew with each mount."""

    inode: int
    size: int  # bytes
    mtime_ns: int

    def is_like(self, other: Put) -> bool:
        """Whether two files of one name may be one, perhaps written further: rather too often than too seldom."""
        return self.inode == other.inode or self[1:] == other[1:]


class Whose(NamedTuple):
    """What is known of a folder."""

    exam: str  # digest of patient and exam to which what lies there belongs; empty: nobody knows
    others: dict[str, Put]  # what does not: name -> file


def put_of(stamp: Stamp) -> Put:
    """What of a stamp outlives a restart."""
    return Put(stamp.inode, stamp.size, stamp.mtime_ns)


def load(spool: Spool, path: str) -> Whose:
    """What was saved of a folder; nobody's where nothing was, or cannot be understood."""
    rows = spool.ledger.read("SELECT value FROM meta WHERE key = ?", (_KEY + path,))
    try:
        found = json.loads(str(rows[0][0]).partition(" ")[2]) if rows else {}
        return Whose(str(found["exam"]), {name: Put(*map(int, what)) for name, what in found["others"].items()})
    except (ValueError, KeyError, TypeError, AttributeError):
        return Whose("", {})


def save(spool: Spool, path: str, whose: Whose) -> None:
    """Make it durable, in one transaction; raises ``SpoolError``."""
    text = f"{spool.clock.wall():020.3f} {json.dumps(whose._asdict())}"

    def job(db: sqlite3.Connection) -> None:
        sql = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        db.execute(sql, (_KEY + path, text))
        late = "SELECT key FROM meta WHERE substr(key, 1, ?) = ? AND key <> ? ORDER BY value DESC LIMIT -1 OFFSET ?"
        values = (len(_KEY), _KEY, _KEY + path, MAX_PATHS - 1)
        db.execute(f"DELETE FROM meta WHERE key IN ({late})", values)  # noqa: S608 - a constant

    spool.ledger.write(job)
