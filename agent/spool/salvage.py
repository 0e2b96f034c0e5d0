"""A clip that was cut off becomes an instance of the frames that were durable (clip.py), and is sealed like any other.

At the next start, for a process or a power supply that died; at once, where a medium that failed in mid clip is well
again. Nothing is deleted before there is an instance: what cannot be completed now stays for the next try, and what is
not whole goes to quarantine.
"""

from __future__ import annotations

from agent.errors import AgentError, DataSetError, SpoolDamaged
from agent.spool.clip import complete, marks
from agent.spool.draft import Draft
from agent.spool.names import clip_path
from agent.spool.quota import Floor
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.spool.clip import Mark
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
    if found[0].grey is not None:
        try:
            return _put_together(spool, number, found)
        except SpoolDamaged:
            pass  # the mark before colour came may still be whole, or all of it in its last place
    file = spool.medium.reopen(part)
    draft = Draft(spool, spool.admission, number, file, Floor.NONE)
    draft.stays = True
    try:
        record = complete(file, found)[0].record
    except SpoolDamaged:
        if not _is_complete(draft, found[0].record):
            draft.abandon()
            raise
        record = found[0].record
    except BaseException:
        draft.abandon()
        raise
    sealed = spool.seal(draft, record)
    spool.medium.remove(clip_path(part), sync=False)
    return sealed


def _is_complete(draft: Draft, record: InstanceRecord) -> bool:
    """Whether the file is the whole instance already: its frames were written anew, and it was about to be sealed."""
    try:
        return draft.measure().meta.sop_instance_uid == record.sop_instance_uid
    except (DataSetError, SpoolDamaged):
        return False


def _put_together(spool: Spool, number: int, found: list[Mark]) -> Sealed:
    """Seal a clip that turned to colour, in a new file; the old ones go when it is there."""
    from agent.spool.assemble import assemble, files_of

    mark, draft = assemble(spool, number, found)
    sealed = spool.seal(draft, mark.record)
    for other in (number, *sorted(files_of(found))):
        spool.medium.remove(f"{spool.path(other)}.part", sync=False)
    spool.medium.remove(clip_path(f"{spool.path(number)}.part"))
    return sealed


def beside(spool: Spool, number: int) -> set[int]:
    """Return the numbers of the drafts that frames of the clip ``number`` lie in beside its own."""
    from agent.spool.assemble import files_of

    return files_of(marks(clip_path(f"{spool.path(number)}.part")))


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
