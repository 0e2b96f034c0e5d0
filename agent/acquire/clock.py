"""Wall time as DICOM writes it, and how far it can be trusted (promise P12).

Frame spacing never comes from here: it is measured on the monotonic clock of the ring. This module turns one reading of
the wall clock into DA, TM and Timezone Offset From UTC (0008,0201), all local, as PS3.3 C.12.1.1.8 relates them.
A box without battery wakes up in 1970; an instance made then must say so instead of pretending.
"""

from __future__ import annotations

import time

from agent.spool.grades import EARLIEST_WALL_S
from agent.typed import NamedTuple


class WallStamp(NamedTuple):
    """One moment: ``date`` YYYYMMDD, ``time`` HHMMSS.FFFFFF, ``offset`` &ZZXX, ``wall_s`` seconds since 1970 UTC."""

    date: str
    time: str
    offset: str
    wall_s: float

    @property
    def is_set(self) -> bool:
        """Whether the clock can be right: False means nobody ever set it."""
        return self.wall_s >= EARLIEST_WALL_S


def wall_stamp(wall_s: float) -> WallStamp:
    """Express ``wall_s`` (seconds since 1970 UTC) in local time with its offset from UTC."""
    microseconds = round(wall_s * 1_000_000)
    seconds, fraction = divmod(microseconds, 1_000_000)
    local = time.localtime(seconds)
    return WallStamp(
        time.strftime("%Y%m%d", local),
        f"{time.strftime('%H%M%S', local)}.{fraction:06d}",
        time.strftime("%z", local),
        wall_s,
    )
