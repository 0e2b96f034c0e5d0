"""Which frame is that of an exposure (``Armed.exposed``), and what its receipt says of that.

The front panel tells when its exposure input became active, and how sure that is. The frame was begun
``exposure_delay_ms`` after that at the earliest, and ``exposure_window_ms`` after that at the latest. What is not sure
of the moment is taken off the window at both ends: whatever the clocks are wrong by, a frame within it was begun after
the exposure. One that was begun so near to the window's begin that nobody knows is passed over, and the next taken.

A time stamp is that of a frame's begin where the device says so, and those of patterns and replays are. Else it may be
late: by a period, for it may be that of the end, and by the way over the wire (``stamp_late_ns``). A frame is taken
when it was begun within the window however late its stamp is, and the frame before it before the window likewise.
Where that is not sure there is no image: of a device that sends without a pause it never is, of one that waits for its
trigger it is.
"""

from __future__ import annotations

from agent.errors import ExposureLost
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.acquire.armed import Armed, View
    from agent.acquire.asking import Ask
    from agent.config.settings import SourceSettings

_MS = 1_000_000


def frame_of(armed: Armed, source: SourceSettings, ask: Ask) -> tuple[View, tuple[tuple[str, object], ...]]:
    """Read from the frame of an exposure on, and say of it; raises ``ExposureLost``."""
    earliest = ask.at_ns + int(source.exposure_delay_ms * _MS) + ask.uncertain_ns
    latest = ask.at_ns + int((source.exposure_delay_ms + source.exposure_window_ms) * _MS) - ask.uncertain_ns
    if latest < earliest + armed.stamp_late_ns:
        known = f"its moment is known to {ask.uncertain_ns / _MS:.1f} ms"
        if armed.stamp_late_ns:
            known += f", time stamps of the source are up to {armed.stamp_late_ns / _MS:.1f} ms late"
        raise ExposureLost(f"{known}, and exposure_window_ms is {source.exposure_window_ms:g}")
    view = armed.exposed(earliest, latest)
    after_ms = (armed.begun_ns(view) - ask.at_ns) / _MS
    return view, (
        ("exposure_to_frame_ms", round(after_ms, 3)),
        ("exposure_known_to_ms", round(ask.uncertain_ns / _MS, 3)),
        *((("frame_stamp_late_ms", round(armed.stamp_late_ns / _MS, 3)),) if armed.stamp_late_ns else ()),
    )
