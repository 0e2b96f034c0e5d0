"""The rows of new instances: what happened, the instance, and what each destination is owed, for many in one go.

For each instance the events are in the order in which things happen: durable, then queued for each destination. The
chain goes through all of them, so the events of a group are hashed one after the other and written together.
"""

from __future__ import annotations

from agent.spool.ledger import details, link, note_last, write_events
from agent.spool.priority import of_new, said_of
from agent.spool.states import Event, Life, State
from agent.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agent.spool.draft import InstanceRecord, Measured
    from agent.spool.states import Priority

_INSTANCE = "INSERT INTO instance VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELIVERY = "INSERT INTO delivery (instance, destination, state, priority, seq) VALUES (?, ?, ?, ?, ?)"


class Entry(NamedTuple):
    """One file that is durable, and what is to be said of it."""

    number: int
    record: InstanceRecord
    found: Measured
    captured_at: float  # wall s
    durable_at: float  # wall s
    destinations: tuple[int, ...]  # numbers of those that are owed it
    detail: str = ""  # more for the first event

    def story(self) -> str:
        """The detail of its first event."""
        record, found = self.record, self.found
        return details(
            uid=record.sop_instance_uid,
            size=found.size,
            sha256=found.file_sha256.hex(),
            data_set_sha256=found.data_set_sha256.hex(),
            captured_at=self.captured_at,
            source=record.source,
            **dict(record.facts),
        )


def enter(db: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Write all rows of new instances, within a transaction."""
    seq, chain = note_last(db)
    studies: dict[tuple[Priority | None, str], Priority] = {}
    events: list[tuple[Any, ...]] = []
    instances: list[tuple[Any, ...]] = []
    deliveries: list[tuple[Any, ...]] = []

    def event(entry: Entry, destination: int | None, kind: str, state: int, detail: str) -> int:
        nonlocal seq, chain
        seq += 1
        row = (seq, float(entry.durable_at), entry.number, destination, kind, state, detail)
        chain = link(chain, row)
        events.append((*row, chain))
        return seq

    for entry in entries:
        number, record, found = entry[:3]
        key = (record.priority, record.study_uid)
        if (priority := studies.get(key)) is None:
            priority = studies[key] = of_new(db, *key)
        told = "\n".join(filter(None, (entry.story(), said_of(priority), entry.detail)))
        durable = event(entry, None, Event.DURABLE.value, int(Life.LIVE), told)
        instances.append(
            (number, *record[:5], found.data_set_offset, found.size, found.file_sha256, found.data_set_sha256,
             int(Life.LIVE), entry.captured_at, entry.durable_at, None, record.source, durable)
        )  # fmt: skip
        for destination in entry.destinations:
            queued = event(entry, destination, Event.QUEUE.value, int(State.QUEUED), "")
            deliveries.append((number, destination, int(State.QUEUED), int(priority), queued))
    write_events(db, events)
    db.executemany(_INSTANCE, instances)
    db.executemany(_DELIVERY, deliveries)
