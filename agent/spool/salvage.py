"""A clip that was cut off becomes an instance of the frames that were durable (clip.py), and is sealed like any other.

At the next start, for a process or a power supply that died; at once, where a medium that failed in mid clip is well
again. Nothing is deleted before there is an instance: what cannot be completed now stays for the next try, and what is
not whole goes to quarantine.
"""

from __future__ import annotations

from agent.errors import AgentError
from agent.spool.clip import complete, marks
from agent.spool.draft import Draft
from agent.spool.names import clip_path
from agent.spool.quota import Floor
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.spool.draft import InstanceRecord, Sealed
    from agent.spool.store import Spool


def salvage(spool: Spool, number: int) -> Sealed | None:
    """Complete and seal the clip ``number``; None where no frame of it was durable.

    Raises ``SpoolDamaged`` or ``DataSetError`` for one that is not whole, any other ``SpoolError`` for a medium that
    does not let it be completed now. The files are left as they are then.
    """
    part = f"{spool.path(number)}.part"
    found = marks(clip_path(part))
    if not any(mark.frames for mark in found):
        return None
    file = spool.medium.reopen(part)
    draft = Draft(spool, spool.admission, number, file, Floor.NONE)
    draft.stays = True
    try:
        mark, _size = complete(file, found)
    except BaseException:
        draft.abandon()
        raise
    sealed = spool.seal(draft, mark.record)
    spool.medium.remove(clip_path(part), sync=False)
    return sealed


def resume(spool: Spool) -> list[Sealed]:
    """Complete the clips that failed with their medium, now that it is well; one that fails again waits on."""
    done = []
    for number in sorted(spool.unfinished):
        try:
            sealed = salvage(spool, number)
        except AgentError:
            continue
        spool.unfinished.discard(number)
        done += [sealed] if sealed is not None else []
    return done


def record_beside(spool: Spool, number: int, sop_instance_uid: str) -> InstanceRecord | None:
    """What the record of a clip says of a file that was completed and did not come into the ledger any more."""
    for mark in marks(clip_path(f"{spool.path(number)}.part")):
        if mark.record.sop_instance_uid == sop_instance_uid:
            return mark.record
    return None
