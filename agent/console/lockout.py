"""Failed log-ins cost time, more each time, and neither a restart nor another line gives it back.

From the ``free``-th failure of a name on each doubles the wait, from ``FIRST_S`` up to ``cap_s``; a success ends it.
What is kept is counts and times, never what was typed. There may be several consoles, so the file is what counts, and
memory only where the medium cannot be written.

Waits run on the clock that counts from the start of the machine: who sets the wall clock makes none longer or shorter.
After another start what was left of a wait by the wall clock goes on, and never more than the whole of it.

Names that do not exist are counted like others, else the wait would tell them apart, in ``_UNKNOWN`` places that a
salt of this box chooses: so whoever guesses names fills nothing and locks nobody else out, and what was typed as a
name, which may be a password, is not to be found again in a place.
"""

from __future__ import annotations

import os

from agent.config.unconfirmed import Times
from agent.console.alone import alone
from agent.errors import SpoolError
from agent.spool.durable import FOLDER_MODE, Medium
from agent.spool.small_sha256 import sha256
from agent.typed import Final, NamedTuple

FIRST_S: Final = 5.0
# More than can be tried within the longest wait, at a third of a second each: they are never all locked at once.
_UNKNOWN: Final = 1024
_COUNT_LIMIT: Final = 1000
_SIZE_LIMIT: Final = 131_072  # each place and each user in a row of 70 characters
_SALT_BYTES: Final = 8


class Failures(NamedTuple):
    """How often in a row, and until when nobody is let in: by the wall clock, and by that of one start."""

    times: int
    wall: float
    boot: str
    running: float


class LockOut:
    """Counts of failures in the console's folder."""

    __slots__ = ("_cap_s", "_failures", "_folder", "_free", "_path", "_salt", "_saved", "_times")

    def __init__(self, folder: str, free: int, cap_s: float, times: Times) -> None:
        self._folder = folder
        self._path = os.path.join(folder, "failures")
        self._free, self._cap_s = free, cap_s
        self._times = times
        self._salt = os.urandom(_SALT_BYTES).hex()
        self._saved = True
        self._failures: dict[str, Failures] = {}
        self._read()

    def limits(self, free: int, cap_s: float) -> None:
        """Take new limits."""
        self._free, self._cap_s = free, cap_s

    def key_of(self, name: str) -> str:
        """Return what failures of ``name``, which does not exist, are counted under."""
        self._read()
        digest = sha256(f"{self._salt} {name}".encode("utf-8", "replace")).digest()
        return f"-{int.from_bytes(digest[:4], 'big') % _UNKNOWN}"

    def wait_s(self, key: str) -> float:
        """Return how long ``key`` is not let in."""
        self._read()
        found = self._failures.get(key)
        return self._left_s(found) if found is not None else 0.0

    def failed(self, key: str) -> float:
        """Count a failure; returns the wait it costs."""
        with alone(self._folder):
            self._read()
            found = self._failures.get(key)
            count = min((found.times if found is not None else 0) + 1, _COUNT_LIMIT)
            delay = self._delay(count)
            self._failures[key] = self._from_now(count, delay)
            self._save()
        return delay

    def succeeded(self, key: str) -> int:
        """Forget the failures of ``key``; returns how many there were."""
        with alone(self._folder):
            self._read()
            found = self._failures.pop(key, None)
            if found is not None:
                self._save()
        return found.times if found is not None else 0

    def _delay(self, count: int) -> float:
        over = count - self._free
        return 0.0 if over < 0 else min(FIRST_S * 2.0 ** min(over, 20), self._cap_s)

    def _left_s(self, found: Failures) -> float:
        here = found.boot == self._times.boot()
        left = found.running - self._times.running() if here else found.wall - self._times.wall()
        return max(0.0, min(left, self._delay(found.times)))

    def _from_now(self, times: int, wait_s: float) -> Failures:
        clocks = self._times
        return Failures(times, clocks.wall() + wait_s, clocks.boot(), clocks.running() + wait_s)

    def _read(self) -> None:
        """Take over what consoles have written; of another start of the machine, what is left of it from now on."""
        if not self._saved:
            return
        try:
            with open(self._path, encoding="ascii") as file:
                head, *lines = file.read(_SIZE_LIMIT).splitlines()
            rows = [line.split() for line in lines]
            found = {row[0]: Failures(int(row[1]), float(row[2]), row[3], float(row[4])) for row in rows}
            salt = head.split()[1]
        except (OSError, ValueError, IndexError):
            return
        boot = self._times.boot()
        for key, row in found.items():
            if row.boot != boot:
                before = self._failures.get(key)
                known = before is not None and before.boot == boot and before.times == row.times
                found[key] = before if known and before is not None else self._from_now(row.times, self._left_s(row))
        self._failures, self._salt = found, salt

    def _save(self) -> None:
        rows = [f"{key} {row.times} {row.wall:.0f} {row.boot} {row.running:.0f}\n" for key, row in
                sorted(self._failures.items())]  # fmt: skip
        medium = Medium(self._folder)
        try:
            if not os.path.isdir(self._folder):
                medium.make_folder(self._folder, FOLDER_MODE)
            medium.replace(self._path, f"# {self._salt}\n{''.join(rows)}".encode("ascii"))
            self._saved = True
        except (SpoolError, OSError):
            self._saved = False
