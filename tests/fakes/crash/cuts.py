"""The disks that a power cut may leave of a life, after ALICE (Pillai et al., OSDI 2014).

Models of what is on the medium when the power goes after the kth change:

*ext4* (data=ordered, barriers on)  names change in the order of the journal, and what is there is a beginning of them.
    A sync of an inode commits the journal as far as the last change of that very inode: fsync, any change; fdatasync,
    one of its size; so neither says anything about names that came later. Bytes without a sync of their file are there
    or not, each write by itself.
*weak*  a name is certain only after a sync of its folder, each by itself; a rename from one folder to another is two
    changes. A file may have its new length before its bytes (zeros).

*vfat*  (of sticks) a name of a file is certain after a sync of the *file*, one that goes or is a folder's after a sync
    of the folder it is in; every rename is two changes.

syncfs makes everything certain in all. A write that is not synced may be torn at the sectors: its beginning alone, or
its end alone. Of what is open there is nothing, everything, each alone, all but each, all combinations of few, and
``more`` at random.

``Cut``s that look alike are made once by ``Cuts.disks``; the promises made before are part of what a cut is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from fakes.crash.journal import DATA, FDATASYNC, NAMES, SYNCFS, Change, Disk, Log

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

SECTOR: Final = 512
EXT4, WEAK, VFAT = "ext4", "weak", "vfat"
_ALL_OF: Final = 4  # of so many open changes every combination is made
_TORN_SHARE: Final = 0.25  # of the writes in a random combination

Parts = tuple[tuple[int, tuple[int, int]], ...]  # of torn writes: the change, and which of its bytes are there


class Cut(NamedTuple):
    """Power goes after ``after`` changes: what was certain then is there, and ``chosen`` of what was open."""

    after: int
    chosen: tuple[int, ...]
    torn: Parts = ()


class Cuts:
    """All cuts of one life under one model."""

    def __init__(self, log: Log, model: str) -> None:
        self.log = log if model == EXT4 else _split(log, everywhere=model == VFAT)
        self.model = model

    def all(self, dice: random.Random, more: int) -> Iterator[Cut]:
        """Every cut; a combination is not made again while neither it nor the promises have changed."""
        window = _Window(self.log, self.model)
        yield from self._after(0, window, None, dice, more)
        for at, change in enumerate(self.log.changes):
            settled = window.step(at)
            if change.kind == "S" and not settled:
                continue
            newest = at if change.kind in DATA + NAMES else None
            yield from self._after(at + 1, window, newest, dice, more)

    def disks(self, cuts: Iterable[Cut]) -> Iterator[tuple[Cut, Disk]]:
        """Make the disks of cuts; they must be in the order of ``after``."""
        window, base, at = _Window(self.log, self.model), Disk(self.log), 0
        for cut in cuts:
            while at < cut.after:
                for settled in window.step(at):
                    base.apply(self.log.changes[settled])
                at += 1
            disk, torn = base.copy(), dict(cut.torn)
            for index in sorted(cut.chosen):
                disk.apply(self.log.changes[index], torn.get(index))
            yield cut, disk

    def promises(self, after: int) -> list[str]:
        """What was promised before."""
        return [change.path for change in self.log.changes[:after] if change.kind == "P"]

    def words(self, cut: Cut) -> str:
        """Say which cut it is, for people."""
        last = self.log.changes[cut.after - 1] if cut.after else None
        name = os.path.basename(last.target if last.kind == "R" else last.path) if last else ""
        where = f"{last.kind} {name or last.file}" if last else "the beginning"
        return f"{self.model}, cut after change {cut.after} ({where}), with {cut.chosen} torn {cut.torn}"

    def _after(self, k: int, window: _Window, newest: int | None, dice: random.Random, more: int) -> Iterator[Cut]:
        for chosen, at_random in self._choices(window, newest, dice, more):
            yield Cut(k, chosen)
            if newest is not None and self.log.changes[newest].kind == "W":
                for part in _tears(self.log.changes[newest], self.model):
                    yield Cut(k, chosen, ((newest, part),))
            if at_random and (torn := self._torn(chosen, dice)):
                yield Cut(k, chosen, torn)

    def _torn(self, chosen: tuple[int, ...], dice: random.Random) -> Parts:
        torn = []
        for at in chosen:
            if self.log.changes[at].kind == "W" and dice.random() < _TORN_SHARE:
                parts = _tears(self.log.changes[at], self.model)
                torn += [(at, dice.choice(parts))] if parts else []
        return tuple(torn)

    def _choices(
        self, window: _Window, newest: int | None, dice: random.Random, more: int
    ) -> Iterator[tuple[tuple[int, ...], bool]]:
        if self.model != EXT4:
            yield from _subsets([*window.names, *window.data], newest, dice, more)
            return
        named = newest is not None and self.log.changes[newest].kind in NAMES
        for length in range(len(window.names) if named else 0, len(window.names) + 1):
            for some, at_random in _subsets(window.data, None if named else newest, dice, more):
                yield (*window.names[:length], *some), at_random


class _Window:
    """Which changes are open, as the life goes on."""

    def __init__(self, log: Log, model: str) -> None:
        self._log = log
        self._model = model
        self._folders = {number: path for path, number in log.names.items() if path in log.folders}
        self._numbers = {path: number for number, path in self._folders.items()}
        self._sizes = {number: len(data) for number, data in log.contents.items()}
        self._touched: dict[int, int] = {}  # inode -> its last change that a journal holds
        self.names: list[int] = []
        self.data: list[int] = []

    def step(self, at: int) -> list[int]:
        """Take one change; returns those that are certain from now on, in their order."""
        change = self._log.changes[at]
        if change.kind == "S":
            return self._sync(change)
        if change.kind in DATA:
            self.data.append(at)
            end = change.offset + len(change.data)
            if end > self._sizes.get(change.file, 0) or change.kind == "T":
                self._touched[change.file] = at
                self._sizes[change.file] = end
        elif change.kind in NAMES:
            self.names.append(at)
            self._touched[change.file] = at
            for folder in {os.path.dirname(change.path), os.path.dirname(change.target or change.path)}:
                if folder in self._numbers:
                    self._touched[self._numbers[folder]] = at
            if change.kind == "M" or (change.kind == "R" and change.file in self._folders):
                path = change.path if change.kind == "M" else change.target
                self._folders[change.file] = path
                self._numbers[path] = change.file
        return []

    def _sync(self, change: Change) -> list[int]:
        changes = self._log.changes
        if change.offset == SYNCFS:
            settled = sorted(self.names + self.data)
        else:
            settled = [at for at in self.data if changes[at].file == change.file]
            if self._model == EXT4:
                reach = self._touched.get(change.file, -1)
                if change.offset == FDATASYNC and reach >= 0 and changes[reach].kind in NAMES:
                    reach = max((at for at in settled if at <= reach), default=-1)
                settled += [at for at in self.names if at <= reach]
            else:
                folder = self._folders.get(change.file, "")
                settled += [at for at in self.names if self._reached(changes[at], change.file, folder)]
        gone = set(settled)
        self.names = [at for at in self.names if at not in gone]
        self.data = [at for at in self.data if at not in gone]
        return sorted(settled)

    def _reached(self, change: Change, file: int, folder: str) -> bool:
        """Whether the sync of a file, or of the folder that it is, makes a change of names certain."""
        if self._model == VFAT and change.kind in "CL":
            return change.file == file
        return bool(folder) and _folder(change) == folder


def _folder(change: Change) -> str:
    return os.path.dirname(change.target if change.kind == "R" else change.path)


def _split(log: Log, *, everywhere: bool) -> Log:
    """A rename, if only from one folder to another, is a new name and one that goes."""
    changes: list[Change] = []
    for change in log.changes:
        if change.kind == "R" and (everywhere or os.path.dirname(change.path) != os.path.dirname(change.target)):
            changes.append(change._replace(kind="L", path=change.target, data=b""))
            changes.append(change._replace(kind="U", data=b""))
        else:
            changes.append(change)
    return log._replace(changes=changes)


def _tears(change: Change, model: str) -> list[tuple[int, int]]:
    """Which bytes of a write may be there without the others."""
    size = len(change.data)
    first = SECTOR - change.offset % SECTOR
    borders = list(range(first, size, SECTOR))
    parts: list[tuple[int, int]] = []
    if borders:
        middle = borders[len(borders) // 2]
        parts = [(0, middle), (middle, size), (0, borders[-1])]
    return parts if model == EXT4 else [*parts, (size, size)]


def _subsets(
    things: list[int], newest: int | None, dice: random.Random, more: int
) -> Iterator[tuple[tuple[int, ...], bool]]:
    """Combinations that have ``newest``, and whether one was thrown."""
    rest = [thing for thing in things if thing != newest]
    with_it = () if newest is None else (newest,)
    if len(rest) <= _ALL_OF:
        for mask in range(1 << len(rest)):
            yield (*(thing for bit, thing in enumerate(rest) if mask >> bit & 1), *with_it), False
        return
    yield with_it, False
    yield (*rest, *with_it), False
    for thing in rest:
        yield (*(other for other in rest if other != thing), *with_it), False
        yield (thing, *with_it), False
    for _ in range(more):
        share = dice.random()
        yield (*(thing for thing in rest if dice.random() < share), *with_it), True
