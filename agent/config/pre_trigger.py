"""What ``pre_trigger_s`` of a source costs in memory, and whether that is allowed.

Frames are kept as they are: so many as come in that time, and ``SLACK`` for what comes while the oldest are read.
"""

from __future__ import annotations

import math

from agent.config.source import FOLDER, parse_source
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SLACK: Final = 8  # as the ring of the C core
_MIB: Final = 1 << 20
_BYTES: Final = {"us-rgb": 3, "us-mono": 1, "dx16": 2}  # of a pixel of a pattern


def slots_for(seconds: float, mib: int, rate_hz: float, frame_bytes: int) -> tuple[int, str]:
    """Return how many frames are kept, and why that cannot be, or ''."""
    if not rate_hz:
        return 0, "is of a source that has a pace of its own; this one delivers as fast as it is asked"
    slots = math.ceil(seconds * rate_hz) + SLACK
    needed = slots * frame_bytes
    if needed > mib * _MIB:
        most = max(0.0, (mib * _MIB // frame_bytes - SLACK) / rate_hz)
        return 0, (
            f"{seconds:g} s of {rate_hz:g} frames/s of {frame_bytes} bytes take {math.ceil(needed / _MIB)} MiB, and "
            f"pre_trigger_mib is {mib}: {most:.1f} s fit"
        )
    return slots, ""


def armed_problems(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What of a source that stays open contradicts itself, as (key, reason), as far as its URI shows that."""
    if row["exposure_window_ms"] and not row["pre_trigger_s"]:
        yield "exposure_window_ms", "needs a source that is open when the exposure comes: give it pre_trigger_s"
    if not row["pre_trigger_s"]:
        return
    scheme, what, options = parse_source(row["uri"])[:3]
    if scheme == FOLDER:
        yield "pre_trigger_s", slots_for(1, 1, 0, 1)[1]
    if scheme == "replay" and not options["repeat"]:
        yield "pre_trigger_s", "is of a source that goes on; this replay ends: give it repeat=1"
    elif scheme in ("pattern", "replay") and not options["rate_hz"]:
        yield "pre_trigger_s", slots_for(1, 1, 0, 1)[1]
    elif scheme == "pattern":
        size = int(options["rows"] * options["columns"]) * _BYTES[what]
        why = slots_for(row["pre_trigger_s"], row["pre_trigger_mib"], options["rate_hz"], size)[1]
        if why:
            yield "pre_trigger_s", why
