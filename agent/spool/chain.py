"""Is the history what was written: the chain of events followed, and every row held against the event that made it.

What shows: an event changed, removed from the middle or put in between; a row changed or removed behind the ledger's
back, as far as events say what is in it; with a head that was written down elsewhere (anchor.py) also an end that was
cut off, or an older copy of the ledger put back.
What cannot show: the work of one who recomputes the chain and changes every place where its head was written down, and
the loss of events younger than the last head. That is why the agent writes its head into the log.
"""

from __future__ import annotations

from agent.spool.ledger import GENESIS, link
from agent.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agent.spool.anchor import Head

    Read = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]

PAGE = 1000  # events per read: constant memory however long the chain
_COLUMNS = "seq, at, instance, destination, kind, state, detail, chain"


class Verdict(NamedTuple):
    """What ``verify`` found."""

    events: int
    faults: tuple[str, ...]  # one sentence each; empty: the record is as it was written


def follow(
    read: Read, seq: int, chain: bytes, limit: int | None, heads: Iterable[Head | None] = ()
) -> tuple[int, bytes, list[str]]:
    """Follow at most ``limit`` events behind ``seq``; returns where that is and what is wrong.

    ``heads`` are values that the chain must have; None among them is passed over.
    """
    known = {head for head in heads if head is not None}
    faults: list[str] = []
    left = limit
    while left is None or left > 0:
        sql = f"SELECT {_COLUMNS} FROM event WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - our constant
        page = read(sql, (seq, PAGE if left is None else min(left, PAGE)))
        if not page:
            faults += [_cut(seq, head) for head in sorted({head.seq for head in known}) if head > seq]
            break
        for row in page:
            if row[0] != seq + 1:
                faults.append(f"events {seq + 1} to {row[0] - 1} are missing")
            seq = row[0]
            if link(chain, row[:7]) != bytes(row[7]):
                faults.append(f"event {seq} does not continue the chain")
            chain = bytes(row[7])
            if any(head.seq == seq and head.chain != chain.hex() for head in known):
                faults.append(f"event {seq} is not the one whose head was written down")
        left = None if left is None else left - len(page)
    return seq, chain, faults


def _cut(last: int, head: int) -> str:
    return f"events {last + 1} to {head} are missing: the end was cut off, or an older copy of the ledger was put back"


def verify(read: Read, heads: Iterable[Head | None] = ()) -> Verdict:
    """Follow the whole chain and compare every row with it."""
    seq, _chain, faults = follow(read, 0, GENESIS, None, heads)
    return Verdict(seq, (*faults, *_rows_against_events(read)))


def of_instance(read: Read, number: int) -> tuple[str, ...]:
    """What is wrong with the history of one instance, in as many reads as it has events: its own links of the chain."""
    faults = []
    sql = f"SELECT {_COLUMNS} FROM event WHERE instance = ? ORDER BY seq"  # noqa: S608 - our constant
    for row in read(sql, (number,)):
        before = read("SELECT chain FROM event WHERE seq = ?", (row[0] - 1,))
        chain = bytes(before[0][0]) if before else GENESIS if row[0] == 1 else b""
        if link(chain, row[:7]) != bytes(row[7]):
            faults.append(f"event {row[0]} does not continue the chain")
    return (*faults, *_rows_against_events(read, number))


def _rows_against_events(read: Read, number: int | None = None) -> list[str]:
    faults = []
    for column, text, sql in _ROWS:
        only, values = ("", ()) if number is None else (f" AND {column} = ?", (number,))
        faults += [text.format(*row) for row in read(f"{sql}{only} LIMIT 100", values)]
    return faults


# What binds it to one instance, what is said, the question whose answers are wrong: a number of an instance, a name.
# Every value that an event has beside a row is held against it; what led nowhere (its state is NULL) needs no row.
_ROWS = (
    (
        "d.instance",
        "instance {0:08X}, {1}: its state is not what its last event says",
        (
            "SELECT d.instance, coalesce(n.name, 'destination ' || d.destination) FROM delivery d "
            "LEFT JOIN destination n ON n.id = d.destination LEFT JOIN event e ON e.seq = d.seq "
            "WHERE (e.seq IS NULL OR e.instance IS NOT d.instance OR e.destination IS NOT d.destination "
            "OR e.state IS NOT d.state OR d.state IS NOT (SELECT l.state FROM event l WHERE l.instance = d.instance "
            "AND l.destination = d.destination AND l.state IS NOT NULL ORDER BY l.seq DESC LIMIT 1))"
        ),
    ),
    (
        "i.id",
        "instance {0:08X}: its state is not what its last event says",
        (
            "SELECT i.id FROM instance i LEFT JOIN event e ON e.seq = i.seq "
            "WHERE (e.seq IS NULL OR e.instance IS NOT i.id OR e.destination IS NOT NULL OR e.state IS NOT i.life "
            "OR EXISTS (SELECT 1 FROM event l WHERE l.instance = i.id AND l.seq > i.seq "
            "AND l.destination IS NULL AND l.state IS NOT NULL))"
        ),
    ),
    (
        "i.id",
        "instance {0:08X}: UID or digest is not what was sealed",
        (
            "SELECT i.id FROM instance i WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.instance = i.id "
            "AND e.kind = 'durable' AND instr(e.detail, 'uid=' || i.sop_instance_uid || char(10)) > 0 "
            "AND instr(e.detail, 'data_set_sha256=' || lower(hex(i.data_set_sha256))) > 0)"
        ),
    ),
    (
        "i.id",
        "instance {0:08X}: size or digest of its file is not what was sealed, or came back",
        (
            "SELECT i.id FROM instance i WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.seq = "
            "(SELECT max(l.seq) FROM event l WHERE l.instance = i.id AND l.destination IS NULL "
            "AND l.kind IN ('durable', 'file came back')) "
            "AND instr(char(10) || e.detail || char(10), char(10) || 'size=' || i.size || char(10)) > 0 "
            "AND instr(char(10) || e.detail || char(10), "
            "char(10) || 'sha256=' || lower(hex(i.file_sha256)) || char(10)) > 0)"
        ),
    ),
    (
        "e.instance",
        "instance {0:08X} was sealed, and the ledger has no row of it",
        (
            "SELECT DISTINCT e.instance FROM event e WHERE e.instance IS NOT NULL AND e.destination IS NULL "
            "AND e.state IS NOT NULL AND NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = e.instance)"
        ),
    ),
    (
        "e.instance",
        "instance {0:08X}, {1}: it was queued there, and the ledger has no row of it",
        (
            "SELECT DISTINCT e.instance, coalesce(n.name, 'destination ' || e.destination) FROM event e "
            "LEFT JOIN destination n ON n.id = e.destination "
            "WHERE e.instance IS NOT NULL AND e.destination IS NOT NULL AND e.state IS NOT NULL AND NOT EXISTS "
            "(SELECT 1 FROM delivery d WHERE d.instance = e.instance "
            "AND d.destination = e.destination)"
        ),
    ),
)
