"""Files of instances that were given up, or that stand where an instance was: are they what their rows speak of?"""

from __future__ import annotations

import os

from agent.errors import FileUnreadable, SpoolError
from agent.spool import recovery
from agent.spool.faults import present
from agent.spool.forwarding import lost_or_damaged
from agent.spool.ledger import details, note
from agent.spool.names import PART
from agent.spool.states import Event, Life
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from agent.spool.draft import Measured
    from agent.spool.store import Spool


def is_the_instance(spool: Spool, number: int, measured: Measured | None) -> bool:
    """Whether a file has UID and Data Set of the row of that number."""
    sql = "SELECT 1 FROM instance WHERE id = ? AND sop_instance_uid = ? AND data_set_sha256 = ?"
    return measured is not None and bool(
        spool.ledger.read(sql, (number, measured.meta.sop_instance_uid, measured.data_set_sha256))
    )


def take_back(spool: Spool, number: int, path: str) -> bool:
    """Take back a damaged or lost instance whose file, or its ``.part``, is there and whole; False: it is not that."""
    measured, final = recovery.measured_whole(path), spool.path(number)
    if measured is None or not is_the_instance(spool, number, measured):
        return False
    if path != final:
        if present(final):
            return False
        spool.medium.sync_file(path)
        spool.medium.name(path, final)
    spool.medium.sync_folder(os.path.dirname(final))
    spool.heal(number, measured)
    return True


def take_back_lost(spool: Spool) -> list[str]:
    """Take back lost instances whose files are where they were: their medium had been away. Returns their UIDs."""
    done = []
    rows = spool.ledger.read("SELECT id, sop_instance_uid FROM instance WHERE life = ?", (int(Life.LOST),))
    for number, uid in rows:
        final = spool.path(number)
        try:
            with spool.custody:
                path = next(filter(present, (final, final + PART)), None)
                if path is not None and _is_lost(spool, uid) and take_back(spool, number, path):
                    done.append(uid)
        except SpoolError:
            continue  # the next start looks again
    return done


def _is_lost(spool: Spool, uid: str) -> bool:
    known = spool.known(uid)
    return known is not None and known[1] is Life.LOST


def set_aside_before(spool: Spool, number: int) -> bool:
    """Whether the file of ``number`` went to quarantine before an error or a crash kept its row from saying so.

    A whole instance of another UID is none that its row speaks of.
    """
    path = spool.quarantine_path(f"{number:08X}")
    if not present(path):
        return False
    try:
        measured = recovery.measured_whole(path)
    except FileUnreadable:
        return True
    sql = "SELECT 1 FROM instance WHERE id = ? AND sop_instance_uid = ?"
    return measured is None or bool(spool.ledger.read(sql, (number, measured.meta.sop_instance_uid)))


def lose_many(spool: Spool, numbers: list[int]) -> list[tuple[int, str, str]]:
    """Mark the live instances of one folder lost whose files are gone, in one transaction; returns what is to be said.

    Those about which there is any doubt are left to whoever looks at each of them.
    """
    moves = []
    for number in numbers:
        final = spool.path(number)
        try:
            if not (present(final) or present(final + PART)):
                moves.append((number, set_aside_before(spool, number)))
        except SpoolError:
            continue
    spool.assure()
    wall = spool.clock.wall()

    def job(db: sqlite3.Connection) -> None:
        for number, aside in moves:
            event, reason = (Event.DAMAGE, f"set aside as {number:08X}") if aside else (Event.LOSE, "its file is gone")
            lost_or_damaged(db, number, event, at=wall, detail=details(reason=reason))

    spool.ledger.write(job)
    lives = [(number, Life.DAMAGED if aside else Life.LOST) for number, aside in moves]
    return [(number, *recovery.said_lost(number, life)) for number, life in lives]


def set_conflict_aside(spool: Spool, part: str) -> str:
    """Set aside a draft that is a whole instance with other content than its UID has; a line about it, or empty.

    When that was found out, the medium did not let it go to quarantine.
    """
    measured = recovery.measured_whole(part)
    known = None if measured is None else spool.known(measured.meta.sop_instance_uid)
    if measured is None or known is None or measured.contradiction() or known[2] == measured.data_set_sha256:
        return ""
    aside = recovery.quarantine(spool, part)
    detail = details(quarantine=aside, data_set_sha256=measured.data_set_sha256.hex())
    wall = spool.clock.wall()
    spool.ledger.write(lambda db: note(db, wall, known[0], None, Event.CONFLICT, None, detail))
    uid = measured.meta.sop_instance_uid
    return f"{part}: {uid} is instance {known[0]:08X} with other content; moved to {aside}"
