"""Files without rows, many at once: what a ledger is made again of (rebuild.py), a folder in one transaction.

Only what is simple is done here: a whole DICOM file of a UID that nobody knows. All else, and whatever goes wrong, is
left to ``recovery.adopt``, one by one, which says what it finds.
"""

from __future__ import annotations

import os
from functools import partial

from agent.errors import SpoolError
from agent.spool import recovery
from agent.spool.entering import enter
from agent.spool.ledger import details
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.spool.store import Spool

RECOVERED = "file without row"


def adopt_many(spool: Spool, numbers: Iterable[int]) -> list[int]:
    """Enter the files of one folder that are simple; returns which. Raises only what the ledger's death raises."""
    new: dict[str, int] = {}
    jobs = []
    try:
        for number in numbers:
            path = spool.path(number)
            measured = recovery.measured_whole(path)
            uid = "" if measured is None else measured.meta.sop_instance_uid
            if measured is None or measured.contradiction() or uid in new or spool.known(uid) is not None:
                continue
            if not new:
                spool.medium.sync_folder(os.path.dirname(path))  # a crash may have come before that
            record = recovery.record_found(spool, number, measured)
            entry, _ = spool.entry(number, record, measured, detail=details(recovered=RECOVERED))
            jobs.append(partial(enter, entries=[entry]))
            new[uid] = number
        ends = spool.ledger.write_all(jobs) if jobs else []
    except SpoolError:
        return []
    return [number for number, end in zip(new.values(), ends, strict=True) if end.error is None]
