"""Open the ledger, or set it aside and begin a new one: the files are the truth (P2).

When SQLite cannot open the database, its check complains or recovery meets damage in it, database and write-ahead log
are moved to quarantine (the database first: a log without its database is recognised and moved too, whereas a stale log
beside a new database would be replayed into it) and a new one is made, which recovery fills from the files. The history
of deliveries and their priority are lost with the old one, so everything is queued again and archives see the same
bytes twice; its tombstones are lost too, so a UID reused after eviction is no longer noticed. The report says so.
"""

from __future__ import annotations

import os
import re

from agent.errors import SpoolDamaged
from agent.spool import anchor
from agent.spool.faults import media_error
from agent.spool.ledger import DOUBT, details, note, open_ledger
from agent.spool.names import FOLDER_BITS, PART, QUARANTINE, file_number, folder_path, folders
from agent.spool.states import Event
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.spool.durable import Medium
    from agent.spool.ledger import Ledger


_ASIDE = re.compile(r"[0-9A-F]{8}(-[0-9]+)?\Z")  # as recovery.quarantine names it
_SUFFIXES = ("", "-wal", "-shm", anchor.SUFFIX, anchor.KEPT_SUFFIX, anchor.SPOILT_SUFFIX, DOUBT)


def open_or_rebuild(medium: Medium, path: str, wall: float, *, anew: bool = False) -> tuple[Ledger, bool, str | None]:
    """Open the ledger or set it aside for a new one; returns it, whether it is a rebuild, and where the old went.

    ``anew``: set it aside whatever it is like.
    """
    aside = None
    if anew or not os.path.lexists(path):
        aside = _set_ledger_aside(medium, path)  # a log without its database
    try:
        ledger = open_ledger(path, medium.ops)
    except SpoolDamaged:
        aside = _set_ledger_aside(medium, path)
        ledger = open_ledger(path, medium.ops)
    fresh = ledger.created  # also where a crash came between the file and its tables
    try:
        if fresh:
            medium.sync_folder(os.path.dirname(path))
        rebuilt = fresh and bool(folders(medium.root))
        if rebuilt:
            detail = details(ledger=aside)
            ledger.write(lambda db: note(db, wall, None, None, Event.REBUILT, None, detail))
    except BaseException:
        ledger.close()
        raise
    return ledger, rebuilt, aside


def _set_ledger_aside(medium: Medium, path: str) -> str | None:
    present = [path + suffix for suffix in _SUFFIXES if os.path.lexists(path + suffix)]
    if not present:
        return None
    stem = f"{medium.root}/{QUARANTINE}/ledger-"
    turn = 1
    while any(os.path.lexists(f"{stem}{turn}{suffix}") for suffix in _SUFFIXES):
        turn += 1
    target = f"{stem}{turn}"
    for source in present:
        medium.set_aside(source, target + source[len(path) :])
    return target


def numbers_aside(root: str) -> frozenset[int]:
    """Return the numbers that what is in quarantine had: they name nothing else any more."""
    path = f"{root}/{QUARANTINE}"
    try:
        names = os.listdir(path)
    except OSError as error:
        raise media_error(error, "read", path) from error
    return frozenset(int(name[:8], 16) for name in names if _ASIDE.match(name))


def first_number(ledger: Ledger, root: str, *, rebuilt: bool) -> int:
    """Return the number the counter starts with: behind all that ledger and folders know of."""
    rows = ledger.read("SELECT max(id) FROM instance")
    known = int(rows[0][0] or 0)
    present = folders(root)
    if present:
        newest = present[-1]
        if rebuilt or known >> FOLDER_BITS < newest:
            return (newest + 1) << FOLDER_BITS
        try:
            names = os.listdir(folder_path(root, newest))
        except OSError:  # recovery reports it; what is in it keeps its numbers
            return (newest + 1) << FOLDER_BITS
        for name in names:
            known = max(known, file_number(name.removesuffix(PART), newest) or 0)
    return known + 1
