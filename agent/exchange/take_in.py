"""Files of a medium into the spool: by descriptors that are open already, in groups that become durable together.

Runs where the spool is held: in the daemon, for a process that sends the descriptors, or in that process itself. What
is copied is what was opened, whatever happens to its name meanwhile. For each file one of these comes back:

    new     an instance that the spool did not have; every destination that it is for is owed it
    same    the spool has this very Data Set under this UID: done, nothing doubled (P5)
    ours    a lossless copy that we made of an instance for a medium, come back: done
    error   damaged, also where the spool has it whole; no DICOM File; no room; or other content under a UID that is
            known: quarantined, an alarm (P5)

A preamble that makes the file something else as well is zeroed, and the receipt says so.
"""

from __future__ import annotations

import hashlib
import os

from agent.dataset.uid import MEDIA_STORAGE_DIRECTORY
from agent.errors import AgentError, DecodeError, LimitError, NotAllDone, SpoolDamaged, SpoolError
from agent.media.part10 import PREFIX_LIMIT_BYTES, decode_prefix
from agent.media.preamble import cleaned
from agent.spool.draft import InstanceRecord
from agent.spool.exports import is_own_copy
from agent.spool.faults import read_error
from agent.spool.states import Life
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.spool.draft import Draft, Sealed
    from agent.spool.states import Priority
    from agent.spool.store import Spool

# Nothing that a modality makes is larger; a medium that says otherwise is to fill the spool.
MAX_FILE_BYTES: Final = 16 << 30
# Files handed over together: descriptors in one message (the kernel takes 253), and one group of the spool.
BATCH: Final = 32
BATCH_BYTES: Final = 64 << 20
SOURCE: Final = "import"
_STEP_BYTES: Final = 1 << 18
NEW, SAME, OURS, ERROR = "new", "same", "ours", "error"


class Taken(NamedTuple):
    """What became of one file."""

    state: str
    sop_instance_uid: str = ""
    note: str = ""  # what was zeroed
    code: str = ""  # of the error
    message: str = ""


def take(
    spool: Spool,
    descriptors: Sequence[int],
    *,
    destinations: tuple[str, ...] | None = None,
    source: str = SOURCE,
    stopped: Callable[[], bool] = lambda: False,
    unchanged: Callable[[int], None] = lambda _descriptor: None,
    priority: Priority | None = None,
) -> list[Taken]:
    """Take files in; returns for each, in their order, what became of it.

    Args:
        spool: It is held by this process.
        descriptors: Open plain files; they stay open.
        destinations: Who is owed new instances; None: every destination.
        source: Who brings them, for their receipts.
        stopped: Asked between pieces; once true, what is not sealed is given up.
        unchanged: Called once a file is copied; raises ``AgentError`` where it is no longer what it was.
        priority: Of new instances; None: that of their study.
    """
    ends: list[Taken | None] = []
    drafts: list[tuple[Draft, InstanceRecord]] = []
    try:
        for descriptor in descriptors:
            try:
                found = _copied(spool, descriptor, _How(destinations, source, stopped, unchanged, priority))
            except AgentError as error:
                found = Taken(ERROR, "", "", error.code, str(error))
            ends.append(found if isinstance(found, Taken) else None)
            if not isinstance(found, Taken):
                drafts.append(found)
        sealed = iter(zip(drafts, spool.groups.seal_all(drafts), strict=True))
    except BaseException:
        for draft, _ in drafts:
            draft.abandon()
        raise
    return [end or _end(*next(sealed)) for end in ends]


def _end(asked: tuple[Draft, InstanceRecord], became: Sealed | AgentError) -> Taken:
    record = asked[1]
    note = str(dict(record.facts).get("preamble", ""))
    if isinstance(became, AgentError):
        return Taken(ERROR, record.sop_instance_uid, note, became.code, str(became))
    return Taken(SAME if became.duplicate else NEW, record.sop_instance_uid, note)


class _How(NamedTuple):
    """The arguments of ``take`` that are for every file."""

    destinations: tuple[str, ...] | None
    source: str
    stopped: Callable[[], bool]
    unchanged: Callable[[int], None]
    priority: Priority | None


def _copied(spool: Spool, descriptor: int, how: _How) -> tuple[Draft, InstanceRecord] | Taken:
    """Copy one file into a draft, or say why that is not needed."""
    size = os.fstat(descriptor).st_size
    if size > MAX_FILE_BYTES:
        raise LimitError(f"{size} bytes are more than {MAX_FILE_BYTES}, which no instance has")
    head, disguise = cleaned(_read(descriptor, PREFIX_LIMIT_BYTES, 0))
    meta, offset = decode_prefix(head)
    if meta.sop_class_uid == MEDIA_STORAGE_DIRECTORY:
        raise DecodeError("it is the directory of a medium, not an instance", hint="Import the folder that it is in.")
    if (known := _known(spool, meta.sop_instance_uid, descriptor, offset)) is not None:
        return known
    facts = (("preamble", f"{disguise}, zeroed"),) if disguise else ()
    record = InstanceRecord(
        meta.sop_instance_uid, meta.sop_class_uid, meta.transfer_syntax_uid, source=how.source,
        destinations=how.destinations, facts=facts, priority=how.priority,
    )  # fmt: skip
    draft = spool.draft(size)
    try:
        draft.write(head)
        while data := _read(descriptor, _STEP_BYTES, draft.tell()):
            if how.stopped():
                raise SpoolError("the agent stops; the file was not taken in", hint="Import the medium again.")
            draft.write(data)
        if draft.tell() != size:
            raise SpoolDamaged(f"the file ended at byte {draft.tell()} of {size}", hint="Read the medium again.")
        how.unchanged(descriptor)
    except BaseException:
        draft.abandon()
        raise
    return draft, record


def _known(spool: Spool, uid: str, descriptor: int, offset: int) -> Taken | None:
    """What can be said at once of a UID that the spool knows: our own lossless copy, come back."""
    known = spool.known(uid)
    if known is None:
        return None
    digest, at = hashlib.sha256(), offset
    while data := _read(descriptor, _STEP_BYTES, at):
        digest.update(data)
        at += len(data)
    if digest.digest() == known[2]:
        return None
    receipt = spool.receipt(uid)
    if receipt is None or not is_own_copy(receipt, digest.hexdigest()):
        lost = known[1] in (Life.LOST, Life.DAMAGED)
        _require_whole(descriptor, "that is lost here" if lost else "that is there already")
        return None  # P5 decides
    if known[1] in (Life.LOST, Life.DAMAGED):
        raise SpoolDamaged(
            f"{uid} is {receipt.state} here, and this is a lossless copy of it in another transfer syntax",
            hint="It cannot take the place of the original. Keep the medium; 'modality-agent send' sends its file.",
        )
    return Taken(OURS, uid)


def _require_whole(descriptor: int, which: str) -> None:
    """Refuse a damaged copy of an instance that is known: it is no other content under its UID, and nothing to keep."""
    from agent.media.file import open_file
    from agent.transcode.frame_check import damage_of

    size = os.fstat(descriptor).st_size
    try:
        file = open_file(lambda length, at: _read(descriptor, length, at), size, refer_above=_STEP_BYTES)
        why = damage_of(file)
    except DecodeError as error:
        why = str(error)
    if why:
        raise NotAllDone(
            f"damaged copy of an instance {which}: {why}", hint="The spool was not changed. Read the medium again."
        )


def _read(descriptor: int, length: int, offset: int) -> bytes:
    try:
        return os.pread(descriptor, length, offset)
    except OSError as error:
        raise read_error(error, "the medium") from error
