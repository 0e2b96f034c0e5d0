"""Admission: room is reserved before an instance is accepted, or it is refused before anything is promised.

The floor is ``max(2 % of the medium, 64 MiB)`` and 1,000 inodes: ext4 slows down and fragments when it is fuller, and
the ledger itself must always be able to write. A reservation is real where the file system can allocate blocks
(``posix_fallocate``); where it cannot, the promised bytes are kept in ``outstanding`` and subtracted from what the file
system calls free, so that two drafts are never promised the same room.

Who reaches the floor with a half-written clip may still finish it: ``finishing`` lets the last few KiB use the reserve,
because a complete short clip is worth more than an intact floor. A copy for a peer may use half of it: where captures
have filled the medium, nothing else would ever leave the box, and nothing could be evicted.
"""

from __future__ import annotations

import threading
from enum import Enum

from agent.errors import SpoolFull
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.spool.durable import Medium
    from agent.spool.room import Free

MIB = 1 << 20
EXTEND_BYTES = 8 * MIB  # an endless clip grows by this much at a time: one admission per 8 MiB, at most 8 MiB too much


class Floor(Enum):
    """How much of the floor is kept."""

    WHOLE = 1.0
    HALF = 0.5  # what is gone again as soon as it was sent
    NONE = 0.0  # what completes an instance


class Policy(NamedTuple):
    """What a site may set about its spool."""

    min_free_fraction: float = 0.02  # of the medium
    min_free_bytes: int = 64 * MIB
    min_free_inodes: int = 1000
    low_water_fraction: float = 0.10  # of the medium: below it eviction does not wait for evict_after_s
    evict_after_s: float = 24 * 3600.0  # after the last commitment: archives may answer before they are durable
    require_mount: str | None = None  # the spool is refused unless a medium is mounted here
    reask_after_s: float = 60.0  # restart or "busy": ask for commitment again after this long, doubling
    reask_cap_s: float = 3600.0


class Admission:
    """Says yes or ``SpoolFull``; thread safe."""

    __slots__ = ("_lock", "_medium", "_outstanding", "_policy", "make_room")

    def __init__(self, medium: Medium, policy: Policy) -> None:
        self._medium = medium
        self._policy = policy
        self._lock = threading.Lock()
        self._outstanding = 0
        self.make_room: Callable[[int], object] = _no_room  # called with the missing bytes; 0: nothing could be done

    def reserve(self, need_bytes: int, *, floor: Floor = Floor.WHOLE) -> None:
        """Set ``need_bytes`` aside until ``release``, or raise ``SpoolFull`` and reserve nothing."""
        missing = self._try(need_bytes, floor)
        while missing is not None and self.make_room(missing):  # again: eviction itself writes into the ledger
            missing = self._try(need_bytes, floor)
        if missing is not None:
            short = f"{missing} bytes short of the reserve that must stay free" if missing else "it has no inodes left"
            raise SpoolFull(f"out of resources: no room for {need_bytes} bytes in {self._medium.root}: {short}")

    def release(self, reserved_bytes: int) -> None:
        """Give back what was reserved and is now allocated, written or given up."""
        with self._lock:
            self._outstanding -= reserved_bytes

    def floor_bytes(self, free: Free) -> int:
        """Return how many bytes must stay free."""
        return max(int(free.total_bytes * self._policy.min_free_fraction), self._policy.min_free_bytes)

    def low_water_bytes(self, free: Free) -> int:
        """Return how many free bytes are so few that eviction hurries."""
        return max(int(free.total_bytes * self._policy.low_water_fraction), self.floor_bytes(free))

    def _try(self, need_bytes: int, floor: Floor) -> int | None:
        """Reserve; or return how many bytes are missing (0: it is inodes)."""
        with self._lock:
            free = self._medium.free()
            missing = need_bytes + int(self.floor_bytes(free) * floor.value) - (free.bytes - self._outstanding)
            if missing > 0:
                return missing
            if free.inodes is not None and free.inodes < self._policy.min_free_inodes * floor.value:
                return 0
            self._outstanding += need_bytes
            return None


def _no_room(_missing_bytes: int) -> None:
    """Nothing can be evicted yet."""
