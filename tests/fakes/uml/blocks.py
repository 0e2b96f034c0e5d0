"""What a block device may hold after a power cut, from the log that dm-log-writes has kept (its kernel documentation).

The log is a superblock and entries of one sector each, followed by their data. A flush makes all writes before it
durable, a write with FUA itself; of the others each may be there or not, in any order, and the last one may be torn
between two ``units`` of the medium (a superblock of ext4 that is torn is one that no kernel mounts). Marks are what the
life promised in between: an entry without data, its text in its sector.
"""

from __future__ import annotations

import hashlib
import random
import struct
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SECTOR: Final = 512
_SUPER: Final = struct.Struct("<QQQI")
_ENTRY: Final = struct.Struct("<QQQQ")
_MAGIC: Final = 0x6A736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
_ALL_OF: Final = 4  # of so many open writes every combination is made


class Entry(NamedTuple):
    """One entry."""

    sector: int
    flags: int
    data: bytes  # of a mark: its text


class State(NamedTuple):
    """What is on the device after a cut: ``marks`` promises were made before, ``sectors`` differ from the beginning."""

    after: int  # entries before the cut
    marks: tuple[str, ...]
    sectors: dict[int, bytes]
    key: int  # of the sectors: two states that look alike have the same


def read(file: BinaryIO) -> list[Entry]:
    """Read a log."""
    magic, version, count, sector = _SUPER.unpack_from(file.read(SECTOR))
    if magic != _MAGIC or version != 1 or sector != SECTOR:
        raise ValueError("this is no log of dm-log-writes with sectors of 512 bytes")
    entries = []
    for _ in range(count):
        head = file.read(SECTOR)
        where, sectors, flags, length = _ENTRY.unpack_from(head)
        if flags & MARK:
            entries.append(Entry(where, flags, head[_ENTRY.size : _ENTRY.size + length].rstrip(b"\0")))
        elif flags & DISCARD:
            entries.append(Entry(where, flags, bytes(sectors * SECTOR)))
        else:
            entries.append(Entry(where, flags, file.read(sectors * SECTOR)))
    return entries


class _Device:
    """Sectors that were written, and a key of them that each write changes a little."""

    def __init__(self) -> None:
        self.sectors: dict[int, bytes] = {}
        self.key = 0

    def copy(self) -> _Device:
        other = _Device()
        other.sectors, other.key = dict(self.sectors), self.key
        return other

    def write(self, entry: Entry, sectors: int | None = None) -> None:
        count = len(entry.data) // SECTOR if sectors is None else sectors
        for number in range(count):
            at, data = entry.sector + number, entry.data[number * SECTOR : (number + 1) * SECTOR]
            if at in self.sectors:
                self.key ^= _key(at, self.sectors[at])
            self.sectors[at] = data
            self.key ^= _key(at, data)


def states(entries: Sequence[Entry], dice: random.Random, more: int, unit: int = 1) -> Iterator[State]:
    """Every state, each once for the promises made before it; ``more`` combinations at random at each moment."""
    base, open_, marks = _Device(), list[Entry](), list[str]()
    seen: set[tuple[int, int]] = set()
    for after, entry in enumerate([Entry(0, MARK, b""), *entries]):
        newest = None
        if entry.flags & MARK:
            marks += [entry.data.decode()] if entry.data else []
        else:
            if entry.flags & FLUSH:
                for one in open_:
                    base.write(one)
                open_ = []
            if entry.data and entry.flags & FUA:
                base.write(entry)
            elif entry.data:
                open_.append(entry)
                newest = entry
        for chosen in _subsets(open_, newest, dice, more):
            for torn in _tears(chosen, newest, unit):
                device = base.copy()
                for one in chosen:
                    device.write(one, torn if one is newest else None)
                if (device.key, len(marks)) not in seen:
                    seen.add((device.key, len(marks)))
                    yield State(after, tuple(marks), device.sectors, device.key)


def sampled(entries: Sequence[Entry], seed: int, more: int, limit: int, unit: int = 1) -> Iterator[State]:
    """So many states that every moment has its share; 0: all."""
    if not limit:
        yield from states(entries, random.Random(seed), more, unit)
        return
    moments: dict[int, list[int]] = {}
    for number, state in enumerate(states(entries, random.Random(seed), more, unit)):
        moments.setdefault(state.after, []).append(number)
    dice = random.Random(seed)
    for some in moments.values():
        dice.shuffle(some)
    turns = (one for turn in zip_longest(*moments.values()) for one in dice.sample(turn, len(turn)) if one is not None)
    wanted = set(islice(turns, limit))
    for number, state in enumerate(states(entries, random.Random(seed), more, unit)):
        if number in wanted:
            yield state


def _tears(chosen: Sequence[Entry], newest: Entry | None, unit: int) -> Iterator[int | None]:
    yield None
    if newest is not None and any(one is newest for one in chosen) and len(newest.data) > SECTOR * unit:
        yield max(unit, len(newest.data) // SECTOR // 2 // unit * unit)


def _subsets(things: Sequence[Entry], newest: Entry | None, dice: random.Random, more: int) -> Iterator[list[Entry]]:
    """Combinations that have the newest one, if there is one."""
    rest = [one for one in things if one is not newest]
    with_it = [] if newest is None else [newest]
    if len(rest) <= _ALL_OF:
        for mask in range(1 << len(rest)):
            yield [one for bit, one in enumerate(rest) if mask >> bit & 1] + with_it
        return
    yield with_it
    yield rest + with_it
    for thing in rest:
        yield [one for one in rest if one is not thing] + with_it
        yield [thing, *with_it]
    for _ in range(more):
        share = dice.random()
        yield [one for one in rest if dice.random() < share] + with_it


def _key(at: int, data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=16, salt=at.to_bytes(16, "little")).digest(), "little")


def image(base: bytes, state: State) -> bytearray:
    """The whole device."""
    whole = bytearray(base)
    for at, data in state.sectors.items():
        whole[at * SECTOR : (at + 1) * SECTOR] = data
    return whole


def store(path: str, whole: bytearray, step: int = 1 << 16) -> None:
    """Write it sparsely; zeros cost nothing."""
    nothing = bytes(step)
    with open(path, "wb", buffering=0) as file:
        file.truncate(len(whole))
        for at in range(0, len(whole), step):
            piece = whole[at : at + step]
            if piece != nothing:
                file.seek(at)
                file.write(piece)
