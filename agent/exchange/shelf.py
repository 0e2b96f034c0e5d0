"""What an export knows of each of its instances, on disk: memory does not grow with their number (P8).

``Rows`` are a list of named tuples of which one page is in memory; what has a ``key`` is found by it, too. All of them
lie in one SQLite file without journal or sync, for it is gone with the export. Records name patients, so it is in the
``stage`` of the spool, which has the same in clear anyway, and not where everybody's temporary files go (TMPDIR, often
memory): only a spool that cannot be written, or has no room to spare, is done without.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager

from agent.errors import MediaError, SpoolError, SpoolFull
from agent.spool.durable import Medium
from agent.spool.quota import Admission, Policy
from agent.spool.record_index import RecordIndex
from agent.spool.stage import staged
from agent.typed import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

PAGE: Final = 256
# A spool with less to spare is left alone: 100,000 instances take 200 MiB here, a million 2 GiB.
SPARE_BYTES: Final = 512 << 20
_TABLES: Final = (
    "CREATE TABLE row (list INTEGER, n INTEGER, key TEXT, weight INTEGER, value TEXT, PRIMARY KEY (list, n))",
    "CREATE INDEX row_key ON row (list, key, n)",
)
_PRAGMAS: Final = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -2048")


def _plain(value: object) -> str:
    return json.dumps(value)


class Shelf:
    """Where rows lie; without a folder in a file of TMPDIR that has no name. For one thread."""

    __slots__ = ("_db", "_folder", "_lists")

    def __init__(self, folder: str = "") -> None:
        self._folder = folder
        self._lists = 0
        try:
            self._db = sqlite3.connect(f"{folder}/rows.db" if folder else "", isolation_level=None)
        except sqlite3.Error as error:
            raise self._failure(error) from error
        try:
            # The transaction goes on for ever: what does not fit into memory is written, and nothing needs to be kept.
            for sql in (*(f"PRAGMA {pragma}" for pragma in _PRAGMAS), *_TABLES, "BEGIN"):
                self.ask(sql)
        except BaseException:
            self._db.close()
            raise

    def rows(
        self, make: Callable[[Any], T], *, key: Callable[[T], str] | None = None,
        weight: Callable[[T], int] | None = None, plain: Callable[[T], object] | None = None,
    ) -> Rows[T]:  # fmt: skip
        """An empty list; ``make`` makes an item again of what JSON gives back for it, or for its ``plain`` form."""
        self._lists += 1
        return Rows(self, self._lists, make, key, weight, plain)

    def index(self) -> RecordIndex:
        """Room for the Directory Records of one File-set; close it after use."""
        self._lists += 1
        return RecordIndex(f"{self._folder}/records{self._lists}.db" if self._folder else "")

    def ask(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Raises ``SpoolFull`` or ``MediaError``."""
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: sqlite3.Error) -> SpoolError:
        where = self._folder or "the folder for temporary files (TMPDIR)"
        if "full" in str(error):
            return SpoolFull(f"no room in {where} for the lists of what is exported")
        return MediaError(f"{where}: the lists of what is exported: {error}")

    def close(self) -> None:
        """Forget everything."""
        self._db.close()


class Rows(Generic[T]):
    """A list on a shelf. Items may be added while it is gone through: they come at its end."""

    __slots__ = ("_count", "_key", "_list", "_make", "_plain", "_shelf", "_weight")

    def __init__(
        self, shelf: Shelf, number: int, make: Callable[[Any], T], key: Callable[[T], str] | None,
        weight: Callable[[T], int] | None, plain: Callable[[T], object] | None,
    ) -> None:  # fmt: skip
        self._shelf, self._list, self._make = shelf, number, make
        self._key, self._weight, self._plain = key, weight, plain
        self._count = 0

    def another(self) -> Rows[T]:
        """An empty list of the same kind."""
        return self._shelf.rows(self._make, key=self._key, weight=self._weight, plain=self._plain)

    def append(self, item: T) -> None:
        """Add one at the end."""
        key = None if self._key is None else self._key(item)
        weight = None if self._weight is None else self._weight(item)
        value = _plain(item if self._plain is None else self._plain(item))
        self._shelf.ask("INSERT INTO row VALUES (?, ?, ?, ?, ?)", (self._list, self._count, key, weight, value))
        self._count += 1

    def extend(self, items: Iterable[T]) -> None:
        """Add several."""
        for item in items:
            self.append(item)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        return self._pages("", ())

    def __getitem__(self, number: int) -> T:
        sql = "SELECT value FROM row WHERE list = ? AND n = ?"
        found = self._shelf.ask(sql, (self._list, number if number >= 0 else self._count + number))
        if not found:
            raise IndexError(number)
        return self._made(found[0][0])

    def __contains__(self, key: object) -> bool:
        return bool(self._shelf.ask("SELECT 1 FROM row WHERE list = ? AND key = ? LIMIT 1", (self._list, key)))

    def find(self, key: str) -> T | None:
        """The first one with a key."""
        sql = "SELECT value FROM row WHERE list = ? AND key = ? ORDER BY n LIMIT 1"
        found = self._shelf.ask(sql, (self._list, key))
        return self._made(found[0][0]) if found else None

    def times(self, key: str) -> int:
        """How many have a key."""
        return int(self._shelf.ask("SELECT count(*) FROM row WHERE list = ? AND key = ?", (self._list, key))[0][0])

    def of(self, key: str) -> Iterator[T]:
        """Those of one key, in their order."""
        return self._pages("AND key = ?", (key,))

    def groups(self) -> Iterator[tuple[str, int]]:
        """Each key once with the sum of its weights, in the order of the first of each."""
        groups: Rows[tuple[str, int]] = self._shelf.rows(tuple)
        sql = (
            "INSERT INTO row SELECT ?, row_number() OVER (ORDER BY first) - 1, NULL, NULL, json_array(key, total) "
            "FROM (SELECT key, min(n) AS first, sum(weight) AS total FROM row WHERE list = ? GROUP BY key)"
        )
        self._shelf.ask(sql, (groups._list, self._list))
        groups._count = self._shelf.ask("SELECT count(*) FROM row WHERE list = ?", (groups._list,))[0][0]
        yield from groups
        groups.clear()

    def clear(self) -> None:
        """Forget all."""
        self._shelf.ask("DELETE FROM row WHERE list = ?", (self._list,))
        self._count = 0

    def _pages(self, more: str, values: tuple[object, ...]) -> Iterator[T]:
        last = -1
        sql = f"SELECT n, value FROM row WHERE list = ? AND n > ? {more} ORDER BY n LIMIT {PAGE}"  # noqa: S608 - our text
        while page := self._shelf.ask(sql, (self._list, last, *values)):
            for last, value in page:  # noqa: B007 - the next page begins behind it
                yield self._made(value)

    def _made(self, value: str) -> T:
        return self._make(json.loads(value))


@contextmanager
def shelf_of(root: str) -> Iterator[Shelf]:
    """A shelf in the stage of the spool ``root``, or, where that cannot be, in TMPDIR."""
    with _folder(root) as folder:
        shelf = Shelf(folder)
        try:
            yield shelf
        finally:
            shelf.close()


@contextmanager
def _folder(root: str) -> Iterator[str]:
    medium = Medium(root)
    try:
        free = medium.free()
        spare = free.bytes - Admission(medium, Policy()).floor_bytes(free) >= SPARE_BYTES
        stage = staged(root) if spare else None
        folder = stage.__enter__() if stage is not None else ""
    except SpoolError:
        yield ""
        return
    try:
        yield folder
    finally:
        if stage is not None:
            stage.__exit__(None, None, None)
