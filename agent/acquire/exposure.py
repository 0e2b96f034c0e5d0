"""Which frame is that of an exposure (``Armed.exposed``), and what its receipt says of that.

The front panel tells when its exposure input became active, and how sure that is. The frame was begun
``exposure_delay_ms`` after that at the earliest, and ``exposure_window_ms`` after that at the latest. What is not sure
of the moment is taken off the window at both ends, so that a frame within it is right however the clocks are wrong.
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
    if latest < earliest:
        known = f"its moment is known to {ask.uncertain_ns / _MS:.1f} ms"
        raise ExposureLost(f"{known}, and exposure_window_ms is {source.exposure_window_ms:g}")
    view = armed.exposed(earliest, latest)
    after_ms = (armed.begun_ns(view) - ask.at_ns) / _MS
    return view, (
        ("exposure_to_frame_ms", round(after_ms, 3)),
        ("exposure_known_to_ms", round(ask.uncertain_ns / _MS, 3)),
    )
