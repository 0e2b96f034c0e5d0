"""The tables of the ledger, its schema version, and how a connection to it is set up.

No name, birth date or any other word about a patient is in here: UIDs, numbers, states, peers and times. Wall times are
seconds since 1970 UTC. ``next_at`` and ``deadline`` are of the monotonic clock of the running process: they mean
nothing after a restart and recovery re-arms them.

One connection in one process writes (lock.py sees to that); SQLite before 3.51.3 can corrupt a WAL
when two connections write and checkpoint at once. Others open read-only (view.py). ``synchronous=FULL`` is what makes
a commit durable in WAL mode: with NORMAL a power cut takes back rows that were promised.
"""

from __future__ import annotations

import os

from agent.spool.durable import FILE_MODE
from agent.spool.sqlite import sqlite3

SCHEMA_VERSION = 4

# What a status asks for is counted while it changes, so that it costs the same with a million rows as with none.
_TALLY = """
CREATE TABLE tally (
  destination INTEGER NOT NULL,      -- 0: files, by the state of their instances
  state INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (destination, state)
) WITHOUT ROWID;
"""
_TRIGGERS = "".join(
    f"""
CREATE TRIGGER {table}_new AFTER INSERT ON {table} BEGIN
  INSERT INTO tally VALUES ({new}, 1) ON CONFLICT (destination, state) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER {table}_moved AFTER UPDATE OF {column} ON {table} WHEN NEW.{column} <> OLD.{column} BEGIN
  UPDATE tally SET count = count - 1 WHERE (destination, state) = ({old});
  INSERT INTO tally VALUES ({new}, 1) ON CONFLICT (destination, state) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN
  UPDATE tally SET count = count - 1 WHERE (destination, state) = ({old});
END;
"""  # noqa: S608 - names of our own
    for table, column, new, old in (
        ("delivery", "state", "NEW.destination, NEW.state", "OLD.destination, OLD.state"),
        ("instance", "life", "0, NEW.life", "0, OLD.life"),
    )
)
TABLES = (
    """
CREATE TABLE destination (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  commitment INTEGER NOT NULL,       -- 1: settled when committed, 0: settled when stored
  configured INTEGER NOT NULL        -- 0: no longer in the configuration, its deliveries still count
);
CREATE TABLE instance (
  id INTEGER PRIMARY KEY,            -- number of the file; never reused
  sop_instance_uid TEXT NOT NULL UNIQUE,
  sop_class_uid TEXT NOT NULL,
  transfer_syntax_uid TEXT NOT NULL,
  study_uid TEXT NOT NULL,
  series_uid TEXT NOT NULL,
  data_set_offset INTEGER NOT NULL,  -- bytes
  size INTEGER NOT NULL,             -- bytes of the whole file
  file_sha256 BLOB NOT NULL,
  data_set_sha256 BLOB NOT NULL,
  life INTEGER NOT NULL,
  captured_at REAL NOT NULL,
  durable_at REAL NOT NULL,
  evicted_at REAL,
  source TEXT NOT NULL,
  seq INTEGER NOT NULL               -- last event that moved it
);
CREATE INDEX instance_life ON instance (life, id);
CREATE INDEX instance_study ON instance (study_uid, life, id);
CREATE TABLE delivery (
  instance INTEGER NOT NULL REFERENCES instance (id),
  destination INTEGER NOT NULL REFERENCES destination (id),
  state INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  asked INTEGER NOT NULL DEFAULT 0,  -- N-ACTION requests so far
  priority INTEGER NOT NULL DEFAULT 2, -- see priority.py
  next_at REAL NOT NULL DEFAULT 0,   -- monotonic s: not before
  status INTEGER,                    -- of the last C-STORE-RSP
  reason TEXT NOT NULL DEFAULT '',
  peer TEXT NOT NULL DEFAULT '',
  sent_at REAL,
  answered_at REAL,
  committed_at REAL,
  transaction_uid TEXT,
  seq INTEGER NOT NULL,              -- last event that moved it
  PRIMARY KEY (instance, destination)
) WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (destination, state, next_at, instance);
CREATE INDEX delivery_queue ON delivery (destination, state, priority, next_at, instance) WHERE state = 1 OR state = 6;
CREATE INDEX delivery_transaction ON delivery (transaction_uid) WHERE transaction_uid IS NOT NULL;
CREATE TABLE commitment (
  transaction_uid TEXT PRIMARY KEY,
  destination INTEGER NOT NULL REFERENCES destination (id),
  open INTEGER NOT NULL,
  wait_s REAL NOT NULL,
  deadline REAL NOT NULL,            -- monotonic s
  opened_at REAL NOT NULL,
  closed_at REAL
) WITHOUT ROWID;
CREATE INDEX commitment_open ON commitment (deadline) WHERE open = 1;
CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  instance INTEGER,
  destination INTEGER,
  kind TEXT NOT NULL,
  state INTEGER,                     -- the state it led to
  detail TEXT NOT NULL,              -- lines of key=value
  chain BLOB NOT NULL                -- SHA-256 over the chain before and this row
);
CREATE INDEX event_instance ON event (instance, seq);
CREATE TABLE study (study_uid TEXT PRIMARY KEY, priority INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE hold (
  destination INTEGER NOT NULL,      -- 0: every one
  study_uid TEXT NOT NULL,           -- empty: all that is for the destination
  at REAL NOT NULL,
  PRIMARY KEY (destination, study_uid)
) WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
    + _TALLY
    + _TRIGGERS
)

# Whether the index of UIDs has more or fewer entries than there are instances.
_UNLISTED = (
    "SELECT (SELECT count(*) FROM instance NOT INDEXED) != "
    "(SELECT count(*) FROM instance INDEXED BY sqlite_autoindex_instance_1 WHERE sop_instance_uid >= '')"
)

# Schema version -> what makes the next one of it; each step is one transaction, so that a power cut leaves the old one.
MIGRATIONS = {
    1: """
ALTER TABLE delivery ADD COLUMN priority INTEGER NOT NULL DEFAULT 2;
CREATE INDEX delivery_queue ON delivery (destination, state, priority, next_at, instance) WHERE state = 1 OR state = 6;
CREATE TABLE study (study_uid TEXT PRIMARY KEY, priority INTEGER NOT NULL) WITHOUT ROWID;
""",
    2: f"""{_TALLY}
INSERT INTO tally SELECT destination, state, count(*) FROM delivery GROUP BY destination, state;
INSERT INTO tally SELECT 0, life, count(*) FROM instance GROUP BY life;
{_TRIGGERS}""",  # noqa: S608 - our own text
    3: """
CREATE INDEX instance_study ON instance (study_uid, life, id);
CREATE TABLE hold (destination INTEGER NOT NULL, study_uid TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (destination, study_uid)) WITHOUT ROWID;
""",
}

CACHE_KIB = 512  # a claim touches a handful of pages; SQLite's own default of 2 MiB is a tenth of our memory bar
CHECKPOINT_PAGES = 1000  # 4 MiB of WAL: bounds both the file and the longest checkpoint

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA cache_size = -{CACHE_KIB}",
    f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}",
    "PRAGMA mmap_size = 0",
    "PRAGMA temp_store = MEMORY",  # what undoes one statement: of a group it is MiBs, and not for another file system
    "PRAGMA trusted_schema = OFF",
)


def make_private(path: str) -> None:
    """Create ``path`` empty where it is missing and let nobody else read it; SQLite gives its log the same mode.

    Raises ``OSError``, also for a symbolic link.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    for name in (path, f"{path}-wal", f"{path}-shm"):
        if name == path or os.path.lexists(name):
            fd = os.open(name, flags, FILE_MODE)
            try:
                if os.fstat(fd).st_mode & 0o077:
                    os.fchmod(fd, FILE_MODE)
            finally:
                os.close(fd)


def connect(path: str) -> sqlite3.Connection:
    """Open the one writing connection; raises ``sqlite3.Error``."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0, cached_statements=64)
    try:
        for pragma in PRAGMAS:
            db.execute(pragma).fetchall()
    except sqlite3.Error:
        db.close()
        raise
    return db


def create(db: sqlite3.Connection) -> None:
    """Make all tables in one transaction, or none."""
    db.executescript(f"BEGIN IMMEDIATE;{TABLES}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;")


def migrate(db: sqlite3.Connection, found: int) -> None:
    """Bring the tables of version ``found`` up to date; raises ``sqlite3.Error``, and they are as they were."""
    for old in range(found, SCHEMA_VERSION):
        try:
            db.executescript(f"BEGIN IMMEDIATE;{MIGRATIONS[old]}PRAGMA user_version = {old + 1};COMMIT;")
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def version(db: sqlite3.Connection) -> int:
    """Return the schema version; 0 for a database without tables."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def damage(db: sqlite3.Connection, *, doubted: bool) -> str:
    """Say what is wrong with the database; empty: nothing. The quick check compares no index with its table."""
    answer = str(db.execute(f"PRAGMA {'integrity' if doubted else 'quick'}_check(1)").fetchone()[0])
    if answer != "ok":
        return answer
    return "the index of UIDs is not of its table" if db.execute(_UNLISTED).fetchone()[0] else ""
