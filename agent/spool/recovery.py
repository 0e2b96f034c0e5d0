"""What is done about what a crash may leave: each case of finding.py has its act here.

Recovery runs at every start, before anything is claimed or captured, and reports what it did. It is idempotent, and a
crash within it is just another crash: each rule makes one thing right with the same steps the running spool uses, so
whatever stays undone is found again.

The ledger is opened first (rebuild.py); then the files are held, folder by folder, against the rows of the same
numbers.

A file that the medium does not give back proves nothing, neither that it is whole nor that it is damaged. It stays
where it is under its number, is noted and reported as an alarm; neither the start nor another instance waits for it.
"""

from __future__ import annotations

import os
from functools import partial

from agent.errors import DataSetError, FileUnreadable, SpoolConflict, SpoolDamaged, SpoolError
from agent.spool.draft import InstanceRecord, Measured, measure
from agent.spool.faults import media_error, present, read_error
from agent.spool.finding import case_of, look, numbered, strange_folders
from agent.spool.ledger import details, move, note
from agent.spool.names import CLIP, INSTANCES, PART, STAGES, clip_path, file_number, folder_path
from agent.spool.report import Report, Tally
from agent.spool.states import Event, Life, State
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from agent.spool.finding import Found
    from agent.spool.store import Spool


# --- the files -----------------------------------------------------------------------------------


def recover(spool: Spool, aside: str | None, *, rebuilt: bool) -> Report:
    """Make ledger and files agree; see the module.

    Raises ``SpoolDamaged`` for a ledger that contradicts itself, so that what is to be done is impossible in it.
    """
    try:
        return _recover(spool, aside, rebuilt=rebuilt)
    except SpoolError as error:
        if type(error) is not SpoolError:
            raise
        raise SpoolDamaged(f"ledger {spool.ledger.path}: {error}") from error


def _recover(spool: Spool, aside: str | None, *, rebuilt: bool) -> Report:
    tally = Tally()
    if os.path.lexists(f"{spool.root}/{STAGES}"):
        from agent.spool.stage import sweep  # an export was ended

        sweep(spool.root)
    if rebuilt:
        reason = "was gone" if aside is None else f"is {aside} now"
        tally.notes.append(f"the ledger {reason} and was made again of the files; everything is queued again")
    try:
        for path in strange_folders(spool.root):
            tally.add("strange", f"{path} is not a folder of ours; moved to {quarantine(spool, path)}")
        known = numbered(spool.root, spool.ledger.read)
    except OSError as error:
        raise media_error(error, "read", f"{spool.root}/{INSTANCES}") from error
    for folder, listed in known.items():
        _folder(spool, folder, tally, listed=listed)
    _restart(spool, tally)
    report = Report(ledger_rebuilt=rebuilt, ledger_aside=aside, notes=tuple(tally.notes), **tally.counts)
    if not report.clean:
        _remember(spool, report)
    return report


def _remember(spool: Spool, report: Report) -> None:
    """Write down what was done, for whoever asks later (``spool check``)."""
    text = f"{spool.clock.wall():.3f} {report.words()}"
    sql = "INSERT INTO meta VALUES ('start', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    spool.ledger.write(lambda db: db.execute(sql, (text,)) and None)


def _folder(spool: Spool, folder: int, tally: Tally, *, listed: bool) -> None:
    try:
        leave = partial(_leave, spool, tally)
        things = look(spool.root, spool.ledger.read, folder, leave, listed=listed)
    except OSError as error:  # of the folder itself: its rows stay as they are
        path = folder_path(spool.root, folder)
        tally.add("unreadable", f"{read_error(error, path)}; nothing in it was looked at")
        return
    cases = [(found, case) for found in things if (case := case_of(found)) is not None]
    new = [found.number for found, case in cases if case.name == "file without row" and found.number is not None]
    done: set[int] = set()
    if len(new) > 1:
        from agent.spool.adopting import adopt_many  # for a ledger that is made again

        done.update(adopt_many(spool, new))
        for number in sorted(done):
            tally.add("adopted", ADOPTED.format(number))
    gone = [found.number for found, case in cases if case.name == "row without file" and found.number is not None]
    if len(gone) > 1:
        from agent.spool.returned import lose_many  # a folder is gone, or all of them

        for number, what, text in lose_many(spool, gone):
            done.add(number)
            tally.add(what, text)
    for found, case in cases:
        if found.number not in done:
            try:
                ACTS[case.name](spool, found, tally)
            except FileUnreadable as error:
                _leave(spool, tally, found.number, error)


def _leave(spool: Spool, tally: Tally, number: int | None, error: SpoolError) -> None:
    tally.add("unreadable", f"{error}; left in place")
    if number is not None:
        remember_unreadable(spool, number, error)


def remember_unreadable(spool: Spool, number: int, error: SpoolError) -> None:
    """Write down that the file of ``number`` cannot be read; it stays in place until the next start looks again."""
    spool.unreadable[number] = str(error)
    wall, detail = spool.clock.wall(), details(reason=str(error))
    spool.ledger.write(lambda db: note(db, wall, number, None, Event.UNREADABLE, None, detail))


def _set_strange_aside(spool: Spool, found: Found, tally: Tally) -> None:
    target = quarantine(spool, found.path)
    tally.add("strange", f"{found.path} is not a name of ours; moved to {target}")


def _keep_clip(spool: Spool, found: Found, tally: Tally) -> None:
    from agent.spool.salvage import beside, salvage  # few starts find a clip that was cut off

    assert found.number is not None
    others = sorted(beside(spool, found.number))
    try:
        sealed = salvage(spool, found.number)
    except (SpoolDamaged, SpoolConflict, DataSetError) as error:
        paths = (found.path, clip_path(found.path), *(f"{spool.path(other)}{PART}" for other in others))
        aside = [quarantine(spool, path) for path in paths if present(path)]
        tally.add("damaged", f"{found.path}: the clip cannot be completed: {error}; moved to {', '.join(aside)}")
    except FileUnreadable:
        tally.left.update(others)
        raise
    except SpoolError as error:
        tally.left.update(others)
        tally.add("unreadable", f"{found.path}: the clip cannot be completed now: {error}; left in place")
    else:
        if sealed is None:
            _delete_draft(spool, found, tally)
            return
        text = f"instance {sealed.id:08X}, {sealed.sop_instance_uid}: the clip was cut off, its durable frames are kept"
        tally.add("clips_kept", text)


def _remove_clip_record(spool: Spool, found: Found, _tally: Tally) -> None:
    """Last in its folder: what it was needed for is done, unless the clip itself had to be left."""
    if not present(found.path.removesuffix(CLIP) + PART):
        spool.medium.remove(found.path)


def _delete_draft(spool: Spool, found: Found, tally: Tally) -> None:
    if found.number in tally.left:
        return  # frames of a clip that is to be completed another time
    if not present(found.path):
        return  # it had frames of a clip that was completed a moment ago
    from agent.spool.returned import set_conflict_aside  # few starts find a draft

    if told := set_conflict_aside(spool, found.path):
        tally.add("strange", told)
        return
    spool.medium.remove(found.path)
    lost = f"{found.size or 0} bytes of a capture or copy that was never finished, so that it does not say whose it is"
    tally.add("drafts_deleted", f"{found.path} deleted: {lost}")


def _give_name(spool: Spool, found: Found, tally: Tally) -> None:
    from agent.spool.group import give_name

    assert found.number is not None
    tally.add(*give_name(spool, found.number, found.row_size, found.row_digest))


def _finish_eviction(spool: Spool, found: Found, tally: Tally) -> None:
    assert found.number is not None
    spool.finish_eviction([found.number])
    tally.add("evictions_finished", f"instance {found.number:08X}: eviction finished")


def _remove_evicted(spool: Spool, found: Found, tally: Tally) -> None:
    from agent.spool.returned import is_the_instance  # few starts find one

    assert found.number is not None
    if is_the_instance(spool, found.number, measured_whole(found.path)):
        spool.medium.remove(found.path)
        tally.add("evictions_finished", f"{found.path}: evicted long ago, the file was back; removed")
    else:
        _set_other_aside(spool, found, tally)


def _set_damaged_aside(spool: Spool, found: Found, tally: Tally) -> None:
    assert found.number is not None
    reason = f"{found.size} bytes, {found.row_size} were written"
    spool.give_up(found.number, Event.DAMAGE, reason)
    tally.add("damaged", f"instance {found.number:08X}: {reason}; set aside")


def _mark_lost(spool: Spool, found: Found, tally: Tally) -> None:
    assert found.number is not None
    if present(found.path) or present(found.path + PART):
        return  # of the same content, found meanwhile; or one that the medium does not give back now
    life = spool.give_up(found.number, Event.LOSE, "its file is gone")
    tally.add(*said_lost(found.number, life))


def said_lost(number: int, life: Life) -> tuple[str, str]:
    """What is counted of an instance whose file is not where it was, and the line about it."""
    if life is Life.DAMAGED:
        return "damaged", f"instance {number:08X}: its file is set aside"
    return "lost", f"instance {number:08X}: its file is gone"


def _try_heal(spool: Spool, found: Found, tally: Tally) -> None:
    """A file under the number of an instance that was given up."""
    assert found.number is not None
    from agent.spool.returned import take_back

    if take_back(spool, found.number, found.path):
        tally.add("healed", f"instance {found.number:08X}: its file is whole again")
    else:
        _set_other_aside(spool, found, tally)


def _set_other_aside(spool: Spool, found: Found, tally: Tally) -> None:
    tally.add("strange", f"{found.path} is not what the instance was; moved to {quarantine(spool, found.path)}")


def _adopt(spool: Spool, found: Found, tally: Tally) -> None:
    assert found.number is not None
    what, text = adopt(spool, found.number)
    tally.add(what, text)


# Each case of finding.py -> what is done about it.
ACTS: dict[str, Callable[[Spool, Found, Tally], None]] = {
    "name not ours": _set_strange_aside,
    "row before name": _give_name,
    "evicted, file back": _remove_evicted,
    "given up, file back": _try_heal,
    "clip cut off": _keep_clip,
    "draft": _delete_draft,
    "record of a clip": _remove_clip_record,
    "evicting": _finish_eviction,
    "row without file": _mark_lost,
    "other size": _set_damaged_aside,
    "file without row": _adopt,
}


ADOPTED = "instance {:08X}: adopted, it was durable but not yet in the ledger"


def adopt(spool: Spool, number: int) -> tuple[str, str]:
    """Enter a file without row, unless its UID is known; returns what was done (a field of ``Report``) and a line."""
    path = spool.path(number)
    measured = measured_whole(path)
    wrong = "it is no complete DICOM file" if measured is None else measured.contradiction()
    if measured is None or (wrong and not _has_row(spool, number)):
        return "strange", f"{path}: {wrong}; moved to {quarantine(spool, path)}"
    spool.medium.sync_folder(os.path.dirname(path))  # the crash may have come before the folder was synced
    uid = measured.meta.sop_instance_uid
    known = spool.known(uid)
    if known is None:
        record = record_found(spool, number, measured)
        spool.enter(number, record, measured, detail=details(recovered="file without row"))
        return "adopted", ADOPTED.format(number)
    other, life, digest = known
    if other == number:  # its own row was there after all: this file is the instance, and the only copy
        return "adopted", f"instance {number:08X}: it was in the ledger already"
    if measured.data_set_sha256 != digest:
        aside = quarantine(spool, path)
        detail = details(quarantine=aside, data_set_sha256=measured.data_set_sha256.hex())
        wall = spool.clock.wall()
        spool.ledger.write(lambda db: note(db, wall, other, None, Event.CONFLICT, None, detail))
        return (
            "strange",
            f"{path}: {uid} is instance {other:08X} with other content; moved to {aside}",
        )
    if life is Life.LIVE:  # a copy is removed only when the other one is proven whole
        life = spool.examine_number(other)
    if life in {Life.DAMAGED, Life.LOST}:
        spool.medium.make_folder(os.path.dirname(spool.path(other)))
        spool.medium.set_aside(path, spool.path(other))
        spool.heal(other, measured)
        return "healed", f"instance {other:08X}: its content came back as {number:08X}"
    spool.medium.remove(path)
    return "duplicates_removed", f"{path}: the same content as instance {other:08X}; removed"


def record_found(spool: Spool, number: int, measured: Measured) -> InstanceRecord:
    """Make the record of a file without row, of the record of its clip or of the file itself."""
    beside = None
    if present(clip_path(f"{spool.path(number)}{PART}")):
        from agent.spool.salvage import record_beside

        beside = record_beside(spool, number, measured)
    return beside or record_of(measured, captured_at=_written_at(spool.path(number)), source="recovered")


def adopt_orphan(spool: Spool, number: int) -> None:
    """A commit failed after the file had its name: adopt the file unless the row is there after all."""
    if present(spool.path(number)):
        spool.medium.sync_folder(os.path.dirname(spool.path(number)))
    if not _has_row(spool, number) and present(spool.path(number)):
        adopt(spool, number)
    part = f"{spool.path(number)}{PART}"
    if present(clip_path(part)) and not present(part):  # it has said what there was to say
        spool.medium.remove(clip_path(part), sync=False)


def _has_row(spool: Spool, number: int) -> bool:
    return bool(spool.ledger.read("SELECT 1 FROM instance WHERE id = ?", (number,)))


def _restart(spool: Spool, tally: Tally) -> None:
    """Deliveries that were under way go back to the queue; monotonic times of the last run are void."""
    # Where the index begins: without them every delivery there ever was would be looked at.
    anywhere = "destination IN (SELECT id FROM destination)"
    timed = f"{anywhere} AND state IN ({', '.join(str(int(state)) for state in State)}) AND next_at > 0"
    sql = f"SELECT instance, destination FROM delivery WHERE {anywhere} AND state = ?"  # noqa: S608 - our text
    active = spool.ledger.read(sql, (int(State.ACTIVE),))
    wall, now = spool.clock.wall(), spool.clock.monotonic()
    waiting = spool.ledger.read(f"SELECT 1 FROM delivery WHERE {timed} LIMIT 1")  # noqa: S608 - our text
    open_ = spool.ledger.read("SELECT 1 FROM commitment WHERE open = 1 LIMIT 1")
    if not (active or waiting or open_):
        return

    def job(db: sqlite3.Connection) -> None:
        for instance, destination in active:
            move(db, instance, destination, Event.RESTART, at=wall, next_at=0)
        db.execute(f"UPDATE delivery SET next_at = 0 WHERE {timed}")  # noqa: S608 - our text
        sql = "UPDATE commitment SET deadline = ? + min(wait_s, ?) WHERE open = 1"
        db.execute(sql, (now, spool.policy.reask_after_s))

    spool.ledger.write(job)
    if active:
        tally.add("requeued", f"{len(active)} deliveries were under way; queued again", len(active))


# --- one file ------------------------------------------------------------------------------------


def quarantine(spool: Spool, path: str) -> str:
    """Move a file into quarantine under its own name, or that name and a turn; returns where it is. Nothing is deleted.

    A name that is not one of our numbers is not carried over (P9).
    """
    name = os.path.basename(path).removesuffix(PART)
    stem = name if file_number(name[:8], _folder_of(name)) is not None and len(name) == 8 else "strange"
    target, turn = spool.quarantine_path(stem), 1
    while os.path.lexists(target):
        turn += 1
        target = spool.quarantine_path(f"{stem}-{turn}")
    if present(path):
        spool.medium.set_aside(path, target)
    return target


def _folder_of(name: str) -> int:
    try:
        return int(name[:6], 16)
    except ValueError:
        return -1


def judge(path: str, size: int, digest: bytes) -> tuple[Event | None, str]:
    """Compare a file with its row: None (as written), DAMAGE or LOSE, and why."""
    if not present(path):
        if present(path + PART):  # durable, and the start could not give it its name
            raise FileUnreadable(f"{path}{PART} could not be read when it was to get its name; the next start tries it")
        return Event.LOSE, "its file is gone"
    measured = measured_whole(path)
    if measured is None or measured.size != size or measured.file_sha256 != digest:
        return Event.DAMAGE, "its digest is not what was written"
    return None, ""


def measured_whole(path: str) -> Measured | None:
    """Hash a file; None when it is no DICOM file. Raises ``FileUnreadable``, which proves nothing."""
    try:
        with open(path, "rb", buffering=0) as file:
            fd = file.fileno()
            return measure(lambda offset, into: os.preadv(fd, [into], offset), os.fstat(fd).st_size)
    except (DataSetError, SpoolDamaged):
        return None
    except OSError as error:
        raise read_error(error, path) from error


def _written_at(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError as error:
        raise read_error(error, path) from error


def record_of(
    measured: Measured, *, captured_at: float, source: str, destinations: tuple[str, ...] | None = None
) -> InstanceRecord:
    """Make the record of a file from what the file says."""
    meta, origin = measured.meta, measured.origin
    uids = (meta.sop_instance_uid, meta.sop_class_uid, meta.transfer_syntax_uid)
    return InstanceRecord(*uids, origin.study_uid, origin.series_uid, captured_at, source, destinations)
