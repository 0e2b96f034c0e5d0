"""A clip that was cut off becomes an instance of the frames that were durable (clip.py), and is sealed like any other.

At the next start, for a process or a power supply that died; at once, where a medium that failed in mid clip is well
again. Nothing is deleted before there is an instance: what cannot be completed now stays for the next try, and what is
not whole goes to quarantine.
"""

from __future__ import annotations

import os

from agent.errors import AgentError, DataSetError, SpoolDamaged
from agent.spool.clip import complete, marks
from agent.spool.draft import Draft
from agent.spool.faults import read_error
from agent.spool.names import clip_path
from agent.spool.quota import Floor
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet
    from agent.spool.clip import Mark
    from agent.spool.draft import InstanceRecord, Measured, Sealed
    from agent.spool.store import Spool

# Facts that do not change while a clip is recorded.
_LASTING: Final = frozenset({"clock", "pixels", "syntax_why", "panel_event", "pre_trigger_s"})
_OF_THE_LAYOUT: Final = (0x00280008, 0x7FE00001, 0x7FE00002, 0x7FE00010)  # what InstanceLayout.finish adds


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
        if not _is_complete(draft, found[0]):
            draft.abandon()
            raise
        record = _said_of(found, part, file.size)
    except BaseException:
        draft.abandon()
        raise
    sealed = spool.seal(draft, record)
    spool.medium.remove(clip_path(part), sync=False)
    return sealed


def _is_complete(draft: Draft, mark: Mark) -> bool:
    """Whether the file is the whole instance already: its frames were written anew, and it was about to be sealed."""
    try:
        return draft.measure().meta.sop_instance_uid == _uid_of(mark)
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


def record_beside(spool: Spool, number: int, measured: Measured) -> InstanceRecord | None:
    """What the record of a clip says of a file that was completed and did not come into the ledger any more."""
    found = marks(clip_path(f"{spool.path(number)}.part"))
    uid = measured.meta.sop_instance_uid
    found = [mark for mark in found if uid in (mark.record.sop_instance_uid, _uid_of(mark))]
    return _said_of(found, spool.path(number), measured.size) if found else None


def _uid_of(mark: Mark) -> str:
    """Give the SOP Instance UID of the clip, had it come to its end."""
    return mark.whole or mark.record.sop_instance_uid


def _said_of(found: list[Mark], path: str, size: int) -> InstanceRecord:
    """The record of the mark that the file is; of one that was written to its end only what its marks know of that.

    A mark speaks of a clip that ends with it: how many frames there are in the end, and why, is in no mark.
    """
    from agent.dataset.decode import decode
    from agent.dataset.uid import EXPLICIT_VR_LE
    from agent.media.file import open_file

    try:
        with open(path, "rb", buffering=0) as file:
            fd = file.fileno()
            dataset = open_file(lambda length, at: os.pread(fd, length, at), size, header_only=True).dataset
    except OSError as error:
        raise read_error(error, path) from error
    frames = int(dataset.text("NumberOfFrames", "1"))
    said = _without_pixels(dataset)
    for mark in found:
        if mark.frames == frames and _without_pixels(decode(mark.data_set, EXPLICIT_VR_LE)) == said:
            return mark.record
    record = found[0].record
    lasting = tuple(fact for fact in record.facts if fact[0] in _LASTING)
    return record._replace(sop_instance_uid=_uid_of(found[0]), facts=(("frames", frames), *lasting))


def _without_pixels(dataset: DataSet) -> bytes:
    from agent.dataset.encode import encode
    from agent.dataset.uid import EXPLICIT_VR_LE

    copy = dataset.copy()
    for tag in _OF_THE_LAYOUT:
        if tag in copy:
            del copy[tag]
    return encode(copy, EXPLICIT_VR_LE)
