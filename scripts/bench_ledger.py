"""A spool as it looks after years: rows of what was evicted long ago, and as many queued instances as one likes.

Rows are written in one transaction, without the spool: what is measured is how it behaves with them. UIDs, digests and
sizes are those of real files; the history of a settled instance is shorter than a real one (three events, not eight).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from typing import TYPE_CHECKING

from fakes.spool_world import EXPLICIT_LE, SECONDARY_CAPTURE, data_set, part10, uid_of

from agent.spool import schema
from agent.spool.ledger import GENESIS, details, link
from agent.spool.names import INSTANCES, LEDGER, file_path
from agent.spool.states import Event, Life, State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Row = tuple[object, ...]

DESTINATION = "pacs"
FILE_BYTES = 3584  # of pixels: with its head a file of 4 kB
PER_STUDY = 20
CAPTURED_AT = 1.7e9


def make(root: Path, settled: int, queued: int, *, files: bool = False) -> None:
    """Make the ledger of a spool: ``settled`` evicted instances, then ``queued`` ones, with their ``files`` or not."""
    (root / INSTANCES).mkdir(parents=True)
    db = sqlite3.connect(root / LEDGER, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -400000")
    schema.create(db)
    db.execute("BEGIN")
    db.execute("INSERT INTO destination VALUES (1, ?, 1, 1)", (DESTINATION,))
    chain = _Chain()
    last = settled + queued
    rows = ((number, *_instance(number, number <= settled, files)) for number in range(1, last + 1))
    db.executemany(f"INSERT INTO instance VALUES ({', '.join('?' * 16)})", rows)
    deliveries = (
        (number, 1, int(State.COMMITTED if number <= settled else State.QUEUED), _seq(number, number <= settled, 1))
        for number in range(1, last + 1)
    )
    db.executemany("INSERT INTO delivery (instance, destination, state, seq) VALUES (?, ?, ?, ?)", deliveries)
    found = db.execute("SELECT id, sop_instance_uid, size, data_set_sha256, life FROM instance ORDER BY id")
    db.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", chain.events(found))
    db.execute("COMMIT")
    db.close()
    if files:
        for number in range(settled + 1, last + 1):
            path = file_path(str(root), number)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(part10(number, FILE_BYTES))


def _instance(number: int, settled: bool, real: bool) -> Row:  # noqa: FBT001 - two facts
    study = f"1.2.826.0.1.3680043.2.1143.8.{number // PER_STUDY}"
    if real and not settled:
        whole, inner = part10(number, FILE_BYTES), data_set(number, FILE_BYTES)
        size, offset = len(whole), len(whole) - len(inner)
        digests = hashlib.sha256(whole).digest(), hashlib.sha256(inner).digest()
        study = "1.2.3.4"
    else:
        size, offset = 4096, 336
        digests = hashlib.sha256(b"%d" % number).digest(), hashlib.sha256(b"-%d" % number).digest()
    life, at = (Life.EVICTED, CAPTURED_AT) if settled else (Life.LIVE, None)
    return (uid_of(number), SECONDARY_CAPTURE, EXPLICIT_LE, study, f"{study}.1", offset, size, *digests, int(life),
            CAPTURED_AT, CAPTURED_AT, at, "bench", _seq(number, settled, 2 if settled else 0))  # fmt: skip


class _Chain:
    """Events of instances, in the order of their ids; ``_seq`` knows which number each gets."""

    def __init__(self) -> None:
        self.seq = 0
        self.chain = GENESIS

    def events(self, rows: Iterator[tuple[int, str, int, bytes, int]]) -> Iterator[Row]:
        for number, uid, size, digest, life in rows:
            story = details(uid=uid, size=size, data_set_sha256=digest.hex(), source="bench")
            yield self._next(number, None, Event.DURABLE, Life.LIVE, story)
            if life == Life.EVICTED:
                yield self._next(number, 1, Event.COMMIT, State.COMMITTED, "")
                yield self._next(number, None, Event.GONE, Life.EVICTED, "")
            else:
                yield self._next(number, 1, Event.QUEUE, State.QUEUED, "")
                yield self._next(number, 1, Event.PRIORITY, State.QUEUED, "")

    def _next(self, number: int | None, destination: int | None, event: Event, state: int | None, detail: str) -> Row:
        self.seq += 1
        row = (self.seq, CAPTURED_AT, number, destination, event.value, None if state is None else int(state), detail)
        self.chain = link(self.chain, row)
        return (*row, self.chain)


def _seq(number: int, _settled: bool, place: int) -> int:  # noqa: FBT001 - a fact
    return 3 * (number - 1) + 1 + place
