"""One flush for everything that was written to a file system: syncfs(2), which Python does not have."""

from __future__ import annotations

from agent.native._core import lib
from agent.native.status import check


def sync_file_system(fd: int) -> None:
    """Return when all that was written to the file system of ``fd`` is durable; raises ``DeviceError``.

    The error is for anything on it that could not be written since ``fd`` was opened or last asked (Linux 5.8), ours
    or not.
    """
    check(lib.mga_sync_file_system(fd), "sync the file system")
