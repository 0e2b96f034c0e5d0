"""Eviction: local files go only when every destination is settled (P4), oldest first, and never in one step.

    row EVICTING, commit -> unlink -> fsync(folder) -> row EVICTED, commit

A crash in between leaves EVICTING, which recovery finishes; the other order would leave a row without its file, which
is what losing an image looks like. The row stays as a tombstone: it keeps "one UID, one content" true for instances
that are long gone, and it is where the receipt lives.

Settled means committed, or stored where the site switched commitment off, or handed over to another destination, which
then is owed it (failover.py). A destination that left the configuration
still counts with its last setting: only its own settlement frees its instances. An instance that was never meant for
any destination is never evicted: nobody else has it.

What is unlinked is the file that the row speaks of, on the medium that was opened: of its size and not written since it
was sealed, or else of its digest. Another file in its place goes to quarantine; one that the medium does not give back
proves nothing, and its eviction waits.

Lazy: an archive may vouch for what it has not yet synced, so an instance stays for ``Policy.evict_after_s`` after it
was settled, unless the medium is below its low-water mark.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from agent.errors import FileUnreadable
from agent.spool.core import SpoolCore
from agent.spool.faults import read_error
from agent.spool.ledger import details, live
from agent.spool.states import Event, Life, State
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

BATCH = 64  # instances per pair of commits: bounds the transaction and how long a refusal waits for room


_DONE = f"{int(State.COMMITTED)}, {int(State.DIVERTED)}"
_SENT = f"{int(State.STORED)}, {int(State.AWAITING)}"
_SETTLED = f"(d.state IN ({_DONE}) OR (n.commitment = 0 AND d.state IN ({_SENT})))"

# A window of what is here, and which of it may go: one short read each, so that nobody waits for a long queue.
WINDOW = 1000
_WINDOW = f"""
SELECT i.id, i.size, i.durable_at <= :settled_before
  AND EXISTS (SELECT 1 FROM delivery d WHERE d.instance = i.id)
  AND NOT EXISTS (SELECT 1 FROM delivery d JOIN destination n ON n.id = d.destination
    WHERE d.instance = i.id AND NOT ({_SETTLED}
      AND coalesce(d.committed_at, d.answered_at, 0) <= :settled_before))
FROM instance i WHERE i.life = {int(Life.LIVE)} AND i.id > :after ORDER BY i.id LIMIT :limit
"""  # noqa: S608 - numbers of our own
WRITTEN_S = 1.0  # a file may look written so much later than it was sealed: clocks of file systems are coarse
COUNT_S = 60.0  # a sum over all live instances, good for so long


class Evicting(SpoolCore):
    """Making room; thread safe."""

    __slots__ = ()

    def evict(self, *, need_bytes: int = 0) -> int:
        """Evict what is settled and old enough; returns how many instances.

        Below the low-water mark, or when ``need_bytes`` are asked for, age does not matter, and it stops as soon as
        there is room.
        """
        with self._evicting:
            return self._evict(need_bytes)

    def _evict(self, need_bytes: int) -> int:
        evicted = after = 0
        # An eviction that an error interrupted is finished first: its files are not counted on any more.
        sql = "SELECT id FROM instance WHERE life = ? AND id > ? ORDER BY id LIMIT ?"
        while begun := [row[0] for row in self.ledger.read(sql, (int(Life.EVICTING), after, BATCH))]:
            after = begun[-1]
            with suppress(FileUnreadable):
                self.finish_eviction(begun)
        after = 0
        while True:
            hurry = need_bytes > 0 or self._below_low_water()
            before = self.clock.wall() - (0.0 if hurry else self.policy.evict_after_s)
            found, after = self._candidates(before, after)
            batch = []
            freed = 0
            for number, size in found:
                if hurry and need_bytes and freed >= need_bytes:
                    break
                batch.append(number)
                freed += size
            if not batch:
                return evicted
            self.ledger.write(lambda db, batch=batch: self._begin(db, batch))  # type: ignore[misc] # bound at once
            with suppress(FileUnreadable):  # it waits, and no other one with it
                self.finish_eviction(batch)
            evicted += len(batch)
            if need_bytes:
                need_bytes = max(need_bytes - freed, 0)
                if not need_bytes:
                    return evicted

    def evictable_bytes(self) -> int:
        """Return how much could be evicted at once, as of a minute ago at most."""
        now = self.clock.monotonic()
        if self._evictable is None or now - self._evictable[0] > COUNT_S:
            windows = self._windows(self.clock.wall(), 0)
            self._evictable = now, sum(size for window in windows for _, size, may_go in window if may_go)
        return self._evictable[1]

    def _candidates(self, before: float, after: int) -> tuple[list[tuple[int, int]], int]:
        """Find the next ``BATCH`` behind ``after`` that were settled ``before``; returns them and where they end."""
        found: list[tuple[int, int]] = []
        for window in self._windows(before, after):
            for number, size, may_go in window:
                after = number
                if may_go:
                    found.append((number, size))
                if len(found) == BATCH:
                    return found, after
        return found, after

    def _windows(self, before: float, after: int) -> Iterator[list[tuple[int, int, int]]]:
        """Yield what is here behind ``after``: number, bytes, and whether it was settled ``before``."""
        while True:
            rows = self.ledger.read(_WINDOW, {"settled_before": before, "after": after, "limit": WINDOW})
            window = [(int(number), int(size), int(may_go)) for number, size, may_go in rows]
            yield window
            if len(window) < WINDOW:
                return
            after = window[-1][0]

    def any_live(self) -> bool:
        """Return whether there is any file to look after."""
        return bool(self.ledger.read("SELECT 1 FROM instance WHERE life = ? LIMIT 1", (int(Life.LIVE),)))

    def owed_to_nobody(self) -> dict[str, int]:
        """Count, for each destination that left the configuration, what is not settled there and will not be."""
        sql = (
            "SELECT n.name, count(*) FROM delivery d JOIN destination n ON n.id = d.destination "  # noqa: S608 - our text
            f"WHERE n.configured = 0 AND NOT {_SETTLED} GROUP BY n.name ORDER BY n.name"
        )
        return dict(self.ledger.read(sql))

    def finish_eviction(self, numbers: list[int]) -> None:
        """Unlink the files of rows that are EVICTING and close the rows; also what recovery does.

        Raises ``FileUnreadable`` when the others are done.
        """
        self.assure()
        folders, gone, unreadable = set(), {}, None
        for number in numbers:
            path = self.path(number)
            try:
                gone[number] = self._let_go(number, path)
            except FileUnreadable as error:
                unreadable = error
            folders.add(os.path.dirname(path))
        for folder in sorted(folders):
            if os.path.isdir(folder):
                self.medium.sync_folder(folder)
        wall = self.clock.wall()

        def job(db: sqlite3.Connection) -> None:
            for number, detail in gone.items():
                live(db, number, Event.GONE, at=wall, detail=detail)

        if gone:
            self.ledger.write(job)
        if unreadable is not None:
            raise unreadable

    def _let_go(self, number: int, path: str) -> str:
        """Unlink the file of an instance, or set aside what is in its place; returns the detail of that."""
        sql = "SELECT size, file_sha256, durable_at FROM instance WHERE id = ?"
        size, digest, durable_at = self.ledger.read(sql, (number,))[0]
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise read_error(error, path) from error
        same = stat.S_ISREG(found.st_mode) and found.st_size == size
        if not same or found.st_mtime > durable_at + WRITTEN_S:
            from agent.spool.recovery import measured_whole, quarantine  # few files are another one

            measured = measured_whole(path) if same else None
            if measured is None or measured.file_sha256 != bytes(digest):
                return details(other_file=quarantine(self, path))  # type: ignore[arg-type] # it is part of one
        self.medium.remove(path, sync=False)
        return ""

    def _begin(self, db: sqlite3.Connection, batch: list[int]) -> None:
        wall = self.clock.wall()
        for number in batch:
            live(db, number, Event.EVICT, at=wall)

    def _below_low_water(self) -> bool:
        free = self.medium.free()
        return free.bytes < self.admission.low_water_bytes(free)
