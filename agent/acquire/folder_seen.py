"""What is known of the files in a drop folder: since when each is still, what is wrong with it, what became of it.

A file is due when it has not changed for ``settle_s`` and nobody is known to write to it. One that could not be taken
is looked at again as soon as it changes, and without that ever later, for what is around it may change: a marker, a
configuration, a share that showed old bytes. After ``reject_s`` without a change it is to be set aside. Times are
monotonic seconds of this process: a start counts from anew.

What was put here for another patient is known by its name, and by what it is under any name, for it may come back from
``.taking`` beside another one: it is trusted again once a look did not find it.
"""

from __future__ import annotations

import stat

from agent.acquire.folder_file import Stamp, stamp_of
from agent.acquire.folder_whose import Put, put_of
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

AGAIN_S: Final = 5.0
AGAIN_CAP_S: Final = 600.0
ASIDE_AGAIN_S: Final = 60.0
# A reason that is younger is not told: a slow writer rests, and goes on.
TELL_S: Final = 15.0
_OPEN: Final = "was written to, and is not closed yet"


class Seen:
    """One file."""

    __slots__ = ("again_at", "aside_at", "changed_ns", "done", "is_conflict", "is_folder", "reason", "rest_s", "since",
                 "stamp", "told")  # fmt: skip

    def __init__(self, found: os.stat_result, now: float) -> None:
        self.stamp: Stamp = stamp_of(found)
        self.changed_ns = found.st_ctime_ns
        self.since = now  # it is still
        self.again_at = now
        self.aside_at = now  # it may be set aside, not before
        self.rest_s = AGAIN_S
        self.reason = ""  # why it was not taken
        self.told = ""  # what of that was told
        self.done = False  # its instance is in the spool
        self.is_conflict = False  # the spool has other content under its UID
        self.is_folder = stat.S_ISDIR(found.st_mode)  # which nobody looks into or moves

    def look(self, found: os.stat_result, now: float) -> bool:
        """Take notice of a new status; whether it is another content, or was."""
        stamp = stamp_of(found)
        if (stamp, found.st_ctime_ns) == (self.stamp, self.changed_ns):
            return False
        another = stamp != self.stamp
        self.stamp, self.changed_ns = stamp, found.st_ctime_ns
        self.since, self.again_at, self.rest_s = now, now, AGAIN_S
        if another:
            self.done, self.is_conflict, self.reason, self.told = False, False, "", ""
        return another

    def came_back(self, found: os.stat_result | None) -> None:
        """Take no notice of a renaming that was our own."""
        if found is not None and stamp_of(found) == self.stamp:
            self.changed_ns = found.st_ctime_ns

    def fail(self, reason: str, now: float) -> None:
        """Let it rest, for a reason."""
        self.reason = reason
        self.again_at = now + self.rest_s
        self.rest_s = min(2 * self.rest_s, AGAIN_CAP_S)


class Files:
    """All of one folder."""

    __slots__ = ("_reject_s", "_settle_s", "distrusts", "of_others", "seen")

    def __init__(self, settle_s: float, reject_s: float) -> None:
        self._settle_s = settle_s
        self._reject_s = reject_s
        self.seen: dict[str, Seen] = {}
        self.of_others: dict[str, Put] = {}  # what was, or may have been, put here for another patient or exam
        self.distrusts = False  # the next whole look shows it

    def inherit(self, before: Files, *, one_exam: bool) -> None:
        """Go on with what was known; of another exam is then what the next look finds and is not taken yet."""
        self.seen, self.of_others = before.seen, before.of_others
        for one in self.seen.values():
            one.again_at = 0.0  # whatever was wrong may be right now
        self.distrusts = before.distrusts or not one_exam

    def remember(self, others: dict[str, Put], *, one_exam: bool) -> None:
        """Go on with what is durable of it, at a start; see ``inherit``."""
        self.of_others = {**others, **self.of_others}
        self.distrusts = self.distrusts or not one_exam

    def look(self, found: dict[str, os.stat_result], now: float, *, whole: bool = True) -> list[tuple[str, Seen]]:
        """Compare with what lies there now; returns what is gone.

        Unless ``whole``, there is more than was found, which then cannot be told from what is put there later.
        """
        gone = [(name, self.seen.pop(name)) for name in [*self.seen] if name not in found]
        for name, status in found.items():
            if name not in self.seen:
                self.seen[name] = Seen(status, now)
                continue
            was_done = self.seen[name].done
            if self.seen[name].look(status, now) and was_done:
                self.of_others.pop(name, None)  # that one was taken, and this one is new
        self.distrusts = self.distrusts or bool(self.of_others and not whole)
        if self.of_others or self.distrusts:
            self.of_others = self._others()
        self.distrusts = self.distrusts and not whole
        return gone

    def _others(self) -> dict[str, Put]:
        known = set(self.of_others.values())
        there = {name: put_of(one.stamp) for name, one in self.seen.items()}
        return {
            name: put
            for name, put in there.items()
            if (self.distrusts and not self.seen[name].done)
            or put in known
            or (name in self.of_others and put.is_like(self.of_others[name]))
        }

    def due(self, written: set[str], now: float) -> list[str]:
        """Names of what is to be looked into now, in the order in which they were written."""
        names = [name for name, one in self.seen.items() if name not in written and self._due_at(one) <= now]
        return sorted(names, key=lambda name: (self.seen[name].stamp.mtime_ns, name))

    def note_written(self, written: set[str], now: float) -> None:
        """Know why what is still and not closed is not due."""
        for name in written & self.seen.keys():
            one = self.seen[name]
            if now - one.since >= self._settle_s and not one.done:
                one.reason = _OPEN

    def next_at(self, written: set[str], limit: float) -> float:
        """When the next one is due, ``limit`` at the latest."""
        return min([limit, *(self._due_at(one) for name, one in self.seen.items() if name not in written)])

    def _due_at(self, one: Seen) -> float:
        return float("inf") if one.done and not one.reason else max(one.since + self._settle_s, one.again_at)

    def to_tell(self, now: float) -> Iterator[tuple[str, Seen]]:
        """What is wrong for a while, and nobody was told of."""
        for name, one in self.seen.items():
            if (
                one.reason
                and not one.told.startswith(one.reason)
                and now - one.since >= min(TELL_S, self._reject_s or TELL_S)
            ):
                yield name, one

    def hopeless(self, now: float) -> list[str]:
        """Names of what is to be set aside."""
        if not self._reject_s:
            return []
        late = (name for name, one in self.seen.items() if now - one.since >= max(self._reject_s, self._settle_s))
        return [name for name in late if self._is_hopeless(self.seen[name], now)]

    def _is_hopeless(self, one: Seen, now: float) -> bool:
        return bool(one.reason) and not one.done and not one.is_folder and one.aside_at <= now
