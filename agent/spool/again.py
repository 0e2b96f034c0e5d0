"""The same SOP Instance UID again: done, healed, or another content that goes to quarantine (P5)."""

from __future__ import annotations

import os

from agent.errors import SpoolConflict
from agent.spool import mount, recovery
from agent.spool.ledger import details, note
from agent.spool.states import Event, Life
from agent.spool.store import sealed_of
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.spool.draft import Draft, InstanceRecord, Measured, Sealed
    from agent.spool.store import Spool


def again(spool: Spool, draft: Draft, record: InstanceRecord, found: Measured) -> Sealed:
    """End a draft whose UID is known; the caller holds the UID and the custody of files. See the module."""
    known = spool.known(record.sop_instance_uid)  # again: it may have been set aside or healed meanwhile
    assert known is not None
    number, life, digest = known
    wall = spool.clock.wall()
    if found.data_set_sha256 != digest:
        draft.stays, stayed = True, draft.stays  # what cannot be set aside now stays where it is
        aside = recovery.quarantine(spool, draft.file.path)
        draft.moved, draft.settled, draft.stays = True, True, stayed
        detail = details(quarantine=aside, data_set_sha256=found.data_set_sha256.hex(), source=record.source)
        spool.ledger.write(lambda db: note(db, wall, number, None, Event.CONFLICT, None, detail))
        raise SpoolConflict(f"{record.sop_instance_uid} is instance {number:08X} with other content; new file: {aside}")
    draft.settled = True
    if number in spool.orphans:  # it must be durable before anybody is told that it is here
        recovery.adopt_orphan(spool, number)
    if life is Life.LIVE:
        life = spool.examine_number(number)  # whoever is told "done" may delete the only other copy
    if life in {Life.DAMAGED, Life.LOST}:
        spool.medium.make_folder(os.path.dirname(spool.path(number)))
        mount.check_folder(spool.root, os.path.dirname(spool.path(number)))
        recovery.quarantine(spool, spool.path(number))  # normally nothing is there
        spool.medium.set_aside(draft.file.path, spool.path(number))
        draft.moved = True
        spool.heal(number, found)
    else:
        spool.ledger.write(
            lambda db: note(db, wall, number, None, Event.DUPLICATE, None, details(source=record.source))
        )
    sql = "SELECT captured_at, durable_at, size, file_sha256 FROM instance WHERE id = ?"
    captured_at, durable_at, size, file_digest = spool.ledger.read(sql, (number,))[0]
    found = found._replace(size=size, file_sha256=bytes(file_digest))
    return sealed_of(spool, number, record, found, captured_at, durable_at, duplicate=True)
