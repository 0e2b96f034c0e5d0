"""What the receipts say of media that an instance went out on; exporting moves no state and releases nothing (P4)."""

from __future__ import annotations

from agent.errors import NotFound, UsageError
from agent.spool.ledger import details, note
from agent.spool.states import Event
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agent.spool.receipt import Receipt
    from agent.spool.store import Spool


class Exported(NamedTuple):
    """One file on one medium, compared there."""

    sop_instance_uid: str
    medium: str  # its label
    file_id: str
    transfer_syntax_uid: str
    sha256: str  # of the file on the medium, hex
    data_set_sha256: str  # of its Data Set, hex


def rows_of(value: object) -> list[Exported]:
    """Rows as another process sends them; raises ``UsageError`` for anything else."""
    rows = value if isinstance(value, list) else []
    if not rows or not all(isinstance(row, list) and len(row) == len(Exported._fields) for row in rows):
        raise UsageError("'rows' of a request are exports")
    if not all(isinstance(text, str) for row in rows for text in row):
        raise UsageError("an export is told in texts")
    return [Exported._make(row) for row in rows]


def note_exports(spool: Spool, rows: Sequence[Exported]) -> int:
    """Write the exports into the receipts, in one transaction; raises ``NotFound`` for a UID the spool never had."""
    known = {row.sop_instance_uid: spool.known(row.sop_instance_uid) for row in rows}
    for uid, found in known.items():
        if found is None:
            raise NotFound(f"the spool has never had {uid}")
    wall = spool.clock.wall()

    def job(db: sqlite3.Connection) -> None:
        for row in rows:
            found = known[row.sop_instance_uid]
            assert found is not None
            facts = row._asdict()
            facts.pop("sop_instance_uid")
            note(db, wall, found[0], None, Event.EXPORT, None, details(**facts))

    spool.ledger.write(job)
    return len(rows)


def is_own_copy(receipt: Receipt, data_set_sha256: str) -> bool:
    """Whether a Data Set is one that we made of this instance for a medium."""
    return any(
        event.kind == Event.EXPORT.value and event.detail.get("data_set_sha256") == data_set_sha256
        for event in receipt.events
    )
