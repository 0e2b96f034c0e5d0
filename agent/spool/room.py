"""How much room there is on a medium."""

from __future__ import annotations

import os

from agent.spool.faults import media_error
from agent.typed import NamedTuple


class Free(NamedTuple):
    """Room on the medium as the file system counts it for an unprivileged writer."""

    bytes: int
    total_bytes: int
    inodes: int | None  # None: the file system makes inodes as it goes
    total_inodes: int = 0

    @property
    def used(self) -> float:
        """Return the share in use, of 1: of bytes or of inodes, whichever is more."""
        shares = [1 - self.bytes / self.total_bytes if self.total_bytes else 0.0]
        if self.inodes is not None and self.total_inodes:
            shares.append(1 - self.inodes / self.total_inodes)
        return max(shares)


def free_of(root: str) -> Free:
    """Ask the file system of ``root`` how much room there is; raises ``MediaError``."""
    try:
        found = os.statvfs(root)
    except OSError as error:
        raise media_error(error, "statvfs", root) from error
    inodes = found.f_favail if found.f_files else None
    return Free(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize, inodes, found.f_files)
