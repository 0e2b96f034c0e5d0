"""What every instance of the spool is listed as: Directory Records, kept so that no file is read twice for them.

``records.db`` beside the ledger is a cache: it can be deleted at any time and is made again of the files. It is not in
the ledger, because the ledger holds no word about a patient and records consist of little else. One process writes it,
whoever brings the directory up to date; SQLite keeps others out. Synced at its checkpoints only (``synchronous`` =
NORMAL): a power cut may take back its last rows, never mix them.

Three depths of ``part`` (PATIENT, STUDY, SERIES), each once however many instances it has, and one row per instance.
A study that is of two patients by its instances is there below each, as in ``media.dicomdir``.
"""

from __future__ import annotations

import os
import sqlite3

from agent.errors import MediaError
from agent.media.dicomdir import Row, other_patient, renamed, renamed_note, which, whole
from agent.media.records import ABOVE, Part
from agent.spool.faults import media_error
from agent.spool.schema import make_private
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from agent.media.records import Entry

VERSION: Final = 2  # of the tables and of what is in the records: raise it when either changes
BUSY_S: Final = 5.0
_TABLES: Final = f"""
BEGIN IMMEDIATE;
CREATE TABLE part (
  id INTEGER PRIMARY KEY,
  depth INTEGER NOT NULL,        -- 0 patient, 1 study, 2 series
  parent INTEGER NOT NULL,       -- the part above; 0: the root
  key TEXT NOT NULL,
  said TEXT NOT NULL,            -- the Patient ID of the instances, which may be that of two patients
  place TEXT NOT NULL,           -- where it stands among its siblings
  issuer TEXT NOT NULL, name TEXT NOT NULL, birth TEXT NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (depth, parent, key)
);
CREATE INDEX part_said ON part (depth, said);
CREATE INDEX part_place ON part (parent, place, key);
CREATE TABLE record (
  number INTEGER PRIMARY KEY,    -- of the instance
  part INTEGER NOT NULL,         -- the series; 0: it stands at the root; -1: it can have no record
  place TEXT NOT NULL,
  kind TEXT NOT NULL,
  body BLOB NOT NULL
);
CREATE INDEX record_place ON record (part, place, number);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
COMMIT;
"""
_PRAGMAS: Final = ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -2048", "trusted_schema = OFF")


class RecordIndex:
    """The records of one spool, or of one medium; close it after use. Raises ``MediaError`` when it cannot be had.

    Without a ``path`` they are in a file of TMPDIR that has no name and goes with the index.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.notes: list[tuple[int, str]] = []  # number of an instance, and what is odd about its records
        try:
            self._db = self._opened()
        except sqlite3.OperationalError as error:  # locked, read-only, no room, an I/O error
            raise MediaError(f"open {path}: {error}") from error
        except sqlite3.DatabaseError:  # damaged, or of another version: it is only a cache
            self._db = self._anew()

    def _anew(self) -> sqlite3.Connection:
        self._forget()
        try:
            return self._opened()
        except sqlite3.Error as error:
            raise MediaError(f"open {self._path}: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        try:
            if self._path:
                make_private(self._path)
        except OSError as error:
            raise media_error(error, "open", self._path) from error
        db = sqlite3.connect(self._path, isolation_level=None, timeout=BUSY_S)
        try:
            for pragma in _PRAGMAS:
                db.execute(f"PRAGMA {pragma}").fetchall()
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if not found:
                db.executescript(_TABLES)
            elif found != VERSION:
                raise sqlite3.DatabaseError("another version")
        except sqlite3.Error:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def __enter__(self) -> RecordIndex:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- what is known ---------------------------------------------------------------------------

    def numbers(self, after: int, limit: int) -> list[int]:
        """The numbers of instances that are known, ascending, also of those without a record."""
        sql = "SELECT number FROM record WHERE number > ? ORDER BY number LIMIT ?"
        return [row[0] for row in self._ask(sql, (after, limit))]

    def meta(self, key: str) -> str:
        """A word that was kept; empty: none."""
        rows = self._ask("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else ""

    def keep(self, key: str, value: str) -> None:
        """Keep a word."""
        self._ask("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def count(self) -> int:
        """How many instances have records."""
        return int(self._ask("SELECT count(*) FROM record WHERE kind != ''", ())[0][0])

    def patients(self) -> Iterator[tuple[str, bytes]]:
        """Everybody with a record: the Patient ID of the instances, and the encoded keys."""
        try:
            yield from self._db.execute("SELECT said, body FROM part WHERE depth = 0 ORDER BY id")
        except sqlite3.Error as error:
            raise self._failed(error) from error

    # --- changes -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a batch; ``commit`` ends it, and so does closing, with nothing changed."""
        self._ask("BEGIN IMMEDIATE", ())

    def commit(self) -> None:
        """End a batch."""
        self._ask("COMMIT", ())

    def add(self, number: int, entry: Entry) -> None:
        """List an instance."""
        part = 0
        for depth, above in enumerate(self._above(number, entry)):
            part = self._part(depth, part, above, entry.above[depth].key)
        self.notes += [(number, note) for note in entry.notes]
        sql = "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)"
        self._ask(sql, (number, part, entry.order, entry.kind, entry.body))

    def refuse(self, number: int) -> None:
        """Remember that an instance can have no record."""
        self._ask("INSERT OR REPLACE INTO record VALUES (?, -1, '', '', x'')", (number,))

    def remove(self, number: int) -> None:
        """Forget an instance that is gone."""
        self._ask("DELETE FROM record WHERE number = ?", (number,))

    def prune(self) -> None:
        """Forget series, studies and patients of which nothing is left."""
        self._ask("DELETE FROM part WHERE depth = 2 AND id NOT IN (SELECT part FROM record)", ())
        for depth in (1, 0):
            sql = "DELETE FROM part WHERE depth = ? AND id NOT IN (SELECT parent FROM part WHERE depth = ?)"
            self._ask(sql, (depth, depth + 1))

    def _above(self, number: int, entry: Entry) -> tuple[Part, ...]:
        if not entry.above:
            return ()
        patient, study, series = entry.above
        sql = "SELECT p.id, p.key FROM part s JOIN part p ON p.id = s.parent WHERE s.depth = 1 AND s.key = ? "
        listed = dict(self._ask(sql + "ORDER BY s.id", (study.key,)))
        part = self._patient(number, patient, listed)
        if listed and part.key not in listed.values():
            self.notes.append((number, other_patient(study.key, next(iter(listed.values())), part.key)))
        return (part, study, series)

    def _patient(self, number: int, wanted: Part, listed: Collection[int]) -> Part:
        """The PATIENT record of an instance; of several that fit, that of ``listed``."""
        sql = "SELECT id, key, issuer, name, birth FROM part WHERE depth = 0 AND said = ? ORDER BY id"
        known = self._ask(sql, (wanted.key,))
        keys = {part: key for part, key, *_ in known}
        people = {part: (issuer, name, birth) for part, _, issuer, name, birth in known}
        found = which([(part, person) for part, person in people.items() if part in listed], wanted.person)
        if found is None:
            found = which(people.items(), wanted.person)
        if found is not None:
            person = whole(people[found], wanted.person)
            if person != people[found]:
                self._ask("UPDATE part SET issuer = ?, name = ?, birth = ? WHERE id = ?", (*person, found))
            return wanted._replace(key=keys[found])
        turn = len(known) + 1
        made = renamed(wanted, turn) if known else wanted
        while self._ask("SELECT 1 FROM part WHERE depth = 0 AND key = ?", (made.key,)):
            turn += 1
            made = renamed(wanted, turn)
        if made is not wanted:
            self.notes.append((number, renamed_note(wanted.key, made.key)))
        return made

    def _part(self, depth: int, parent: int, part: Part, said: str) -> int:
        found = self._ask("SELECT id FROM part WHERE depth = ? AND parent = ? AND key = ?", (depth, parent, part.key))
        if found:
            return int(found[0][0])
        sql = "INSERT INTO part VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
        values = (depth, parent, part.key, said, part.order, *part.person, part.body)
        return int(self._ask(sql, values)[0][0])

    # --- reading them in order -----------------------------------------------------------------------

    def __iter__(self) -> Iterator[Row]:
        """Every record in the order of a DICOMDIR; what is of no patient comes last."""
        try:
            yield from self._below(0, 0)
            yield from self._instances(0, 0)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _below(self, parent: int, depth: int) -> Iterator[Row]:
        sql = "SELECT id, body FROM part WHERE depth = ? AND parent = ? ORDER BY place, key"
        for part, body in self._db.execute(sql, (depth, parent)):
            yield Row(depth, ABOVE[depth], body)
            if depth + 1 < len(ABOVE):
                yield from self._below(part, depth + 1)
            else:
                yield from self._instances(part, depth + 1)

    def _instances(self, part: int, depth: int) -> Iterator[Row]:
        sql = "SELECT kind, body FROM record WHERE part = ? ORDER BY place, number"
        for kind, body in self._db.execute(sql, (part,)):
            yield Row(depth, kind, body)

    def _ask(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> MediaError:
        """What a question ended with; records that are found damaged are given up, for they can be made anew."""
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            self.close()
            self._forget()
        return MediaError(f"{self._path}: {error}")

    def _forget(self) -> None:
        try:
            for suffix in ("", "-wal", "-shm"):
                if os.path.lexists(self._path + suffix):
                    os.unlink(self._path + suffix)
        except OSError as error:
            raise media_error(error, "unlink", self._path) from error
