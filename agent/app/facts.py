"""What the daemon knows of itself: its memory, and what its roles depend on."""

from __future__ import annotations

import os

from agent.app.forwarding import standby_of
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.config.settings import DestinationSettings, Settings


def memory() -> dict[str, int]:
    """Return resident memory now and at its peak, in KiB (proc(5))."""
    found = {}
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name in ("VmRSS", "VmHWM"):
                found["rss_kib" if name == "VmRSS" else "peak_kib"] = int(value.split()[0])
    return found


def forwarder_facts(settings: Settings, row: DestinationSettings) -> tuple[object, ...]:
    """What a forwarder depends on, its failover too; with TLS also the certificates as they are now."""
    rows = [one for one in (row, standby_of(settings, row)) if one is not None]
    secured = [one for one in rows if one.tls]
    tls = (settings.tls, stamps_of(*settings.tls, *(one.tls_ca_file for one in secured))) if secured else ()
    return (*rows, settings.agent.ae_title, *tls)


def stamps_of(*paths: str) -> tuple[int, ...]:
    """Modification times, so that a renewed certificate counts as a change."""
    return tuple(os.stat(path).st_mtime_ns if path and os.path.exists(path) else 0 for path in paths)
