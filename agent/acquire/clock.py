"""Wall time as DICOM writes it, and how far it can be trusted (promise P12).

Frame spacing never comes from here: it is measured on the monotonic clock of the ring. This module turns one reading of
the wall clock into DA, TM and Timezone Offset From UTC (0008,0201), all local, as PS3.3 C.12.1.1.8 relates them.
A box without battery wakes up in 1970; an instance made then must say so instead of pretending.

What a reading is worth goes into the receipt of each instance, and into the instance where it can be said there
(agent/iod/synchronization.py). Words are those of ``agent.spool.grades``, and one more: a clock that was kept right and
hears of nobody any more is ``freewheeling``, for its keeper goes on saying that it is synchronised.
"""

from __future__ import annotations

import time

from agent.config.source import OF_PATHS
from agent.iod.acquisition import Synchronized
from agent.spool.grades import EARLIEST_WALL_S, NEVER, SET, SYNCED
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agent.config.settings import SourceSettings
    from agent.link.timekeeping import Kept

# Seven polls of the longest interval that chrony and ntpd take by themselves, 1024 s.
FREEWHEELING_S: Final = 7200.0
FREEWHEELING: Final = "freewheeling"
# DA and TM are read in seconds: who may be wrong by more has no time that an instance should call synchronized.
BOUND_S: Final = 1.0
# Who keeps the time -> how it comes to it, where nobody need ask (PS3.3 Table C.7-7). chrony says whether it asks.
_PROTOCOLS: Final = {"chrony": "NTP", "ntpd": "NTP", "systemd-timesyncd": "SNTP"}
STEP_S: Final = 1.0


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


def word_of(started: WallStamp, kept: Kept | None) -> str:
    """What the clock was worth."""
    if not started.is_set:
        return NEVER
    if kept is None or not kept.synchronised:
        return SET
    return FREEWHEELING if (kept.heard_s or 0.0) > FREEWHEELING_S else SYNCED


def clock_facts(started: WallStamp, kept: Kept | None, step_s: float) -> tuple[tuple[str, object], ...]:
    """Say it for the receipt; ``step_s`` is how far it was moved since the first image of the study."""
    word = word_of(started, kept)
    held = kept if kept is not None and word in (SYNCED, FREEWHEELING) else None
    said: list[tuple[str, object]] = [("clock", word)]
    if held is not None:
        said += [(name, text) for name, text in (("clock_by", held.by), ("clock_source", _source(held))) if text]
        if held.error_bound_s is not None:
            said.append(("clock_error_bound_s", f"{held.error_bound_s:.6f}"))
        if held.heard_s is not None:
            said.append(("clock_heard_s", round(held.heard_s)))
    if step_s:
        said.append(("clock_step_s", f"{step_s:+.1f}"))
    return tuple(said)


def _source(kept: Kept) -> str:
    return kept.address or kept.reference


def synchronized(started: WallStamp, kept: Kept | None) -> Synchronized | None:
    """Say it for the instance; None where it is not to be called synchronized."""
    if kept is None or word_of(started, kept) != SYNCED or (kept.error_bound_s or 0.0) > BOUND_S:
        return None
    protocol = "" if kept.reference else _PROTOCOLS.get(kept.by, "")
    return Synchronized(protocol, kept.address, kept.reference)


def is_live(source: SourceSettings) -> bool:
    """Whether its frames were acquired when they were captured; when those of a file were, nobody here knows."""
    return source.uri.partition(":")[0] not in OF_PATHS


def offset_s() -> float:
    """By how much wall time is ahead of monotonic time; another value means that the clock was moved."""
    return time.time() - time.monotonic()
