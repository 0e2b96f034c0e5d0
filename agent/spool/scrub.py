"""Reading everything again, slowly: bit rot is found while another copy may still exist (P2).

One round goes over every live file and the whole chain of events within ``round_s``. Its pace follows from how much
there is: a file is read as soon as there is any credit, and what it is larger than that is owed, so that no file is too
large for a box that is switched off every night; the time that it was off counts, as far as the round is behind. No
file is read faster than ``RATE_BYTES_S``, so that a forwarder finds the medium free whenever it wants it. Pages are
dropped before and after: what is read is what the medium has, and the page cache keeps what others need.
A digest cannot be gone on with by another process, so that a file which takes longer than the box is on would never be
read to its end. A large one is therefore noted before it is begun, the others go on behind it, and each further try of
it, one for each start, reads twice as fast as the one before.
Where a round has come to is in the ledger (once for each turn in which something was read), so that it goes on there
after a restart. What is not what was written goes the way of every damaged file: quarantine, states, receipt.
"""

from __future__ import annotations

import hashlib
import os

from agent.errors import FileUnreadable, SpoolError
from agent.spool import anchor
from agent.spool.chain import follow
from agent.spool.faults import read_error
from agent.spool.ledger import GENESIS
from agent.spool.states import Life
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.spool.store import Spool

CHUNK_BYTES: Final = 256 * 1024
RATE_BYTES_S: Final = 4 << 20  # a card reads 20 MB/s, a link of a gigabit takes 110
SLICE_BYTES: Final = 64 << 20  # in one turn, or one file that is larger: 16 s that a switch may cost
COUNT_S: Final = 86_400.0  # how often it is counted how much there is; with a million files that takes half a second
FASTER: Final = 6  # times that the rate of a large file is doubled at most: no medium of ours reads 256 MiB/s
EVENTS: Final = 2000  # of the chain in one turn: 20 ms
_KEY: Final = "scrub"


class Place(NamedTuple):
    """Where a round is: behind this instance and this event."""

    began_at: float  # wall s
    instance: int = 0
    seq: int = 0
    chain: str = GENESIS.hex()
    damaged: int = 0  # found in this round
    last_round_at: float = 0.0  # wall s: end of the round before; 0: there was none
    large: str = "-"  # number:tries, comma between: large files that this round has yet to read to their end


class Scrub:
    """One round after the other; used by one thread. ``wait(seconds)`` is True when the agent stops."""

    __slots__ = ("_counted_s", "_credit", "_round_s", "_spool", "_total", "_wait", "place", "unreadable")

    def __init__(self, spool: Spool, round_s: float, wait: Callable[[float], bool]) -> None:
        self._spool = spool
        self._round_s = round_s
        self._wait = wait
        self._credit = 0.0  # bytes that may be read by now; negative: were read before their time
        self._counted_s = 0.0  # of turns since _total was counted
        self._total = -1
        self.place = _load(spool) or Place(spool.clock.wall())
        self.unreadable: set[int] = set()

    @property
    def facts(self) -> dict[str, Any]:
        """Return where the round is, as plain values."""
        place = self.place
        return {"began_at": place.began_at, "instance": place.instance, "event": place.seq, "damaged": place.damaged,
                "last_round_at": place.last_round_at or None, "round_s": self._round_s}  # fmt: skip

    def turn(self, seconds: float) -> list[str]:
        """Read what ``seconds`` of a round are worth; returns what was found, one sentence each."""
        found: list[str] = []
        before = self.place
        self._counted_s += seconds
        if self._total <= 0 or self._counted_s >= COUNT_S:
            self._count()
        self._credit += self._total * seconds / self._round_s
        end = self._files(found) and self._large(found)
        if end:
            self._credit = min(self._credit, 0.0)
        events_end = self._events(found)
        if end and events_end and self.place.instance:
            now = self._spool.clock.wall()
            self.place = Place(now, last_round_at=now)
            self._counted_s = COUNT_S
        if self.place != before:
            _save(self._spool, self.place)
        return found

    def _count(self) -> None:
        """Count how much there is. The first time also how much a round that was begun by another process is behind."""
        sql = (
            "SELECT coalesce(sum(size), 0), coalesce(sum(size) FILTER (WHERE id <= ?), 0) FROM instance WHERE life = ?"
        )
        total, done = self._spool.ledger.read(sql, (self.place.instance, int(Life.LIVE)))[0]
        if self._total < 0:
            share = (self._spool.clock.wall() - self.place.began_at) / self._round_s
            self._credit = min(max(total * share - done, 0.0), total)
        self._total, self._counted_s = int(total), 0.0
        self._credit = max(self._credit, -float(total))  # what a file cost that is gone is not owed for ever

    def _files(self, found: list[str]) -> bool:
        """Read files as long as there is credit, a slice at most; whether the round has no more."""
        slice_ = 0
        while True:
            sql = "SELECT id, size, file_sha256, sop_instance_uid FROM instance WHERE life = ? AND id > ? ORDER BY id"
            rows = self._spool.ledger.read(f"{sql} LIMIT 1", (int(Life.LIVE), self.place.instance))
            if not rows:
                return True
            if self._credit <= 0 or slice_ >= SLICE_BYTES:
                return False
            number, size, digest, uid = rows[0]
            if size > SLICE_BYTES:
                self._later(number, 0)
                self.place = self.place._replace(instance=number)
                if not self._large(found):
                    return False
                continue
            said = self._file(number, size, bytes(digest), uid)
            if said is None:
                return False  # the agent stops: this one is read again
            slice_ += size
            self.place = self.place._replace(instance=number)
            self._read(size, said, found)

    def _read(self, size: int, said: str, found: list[str]) -> None:
        self._credit -= size
        if said:
            self.place = self.place._replace(damaged=self.place.damaged + 1)
            found.append(said)

    def _large(self, found: list[str]) -> bool:
        """Read the large files that this round has come to; False when it has them yet to read."""
        sql = "SELECT size, file_sha256, sop_instance_uid FROM instance WHERE life = ? AND id = ?"
        for number, tries in _noted(self.place).items():
            rows = self._spool.ledger.read(sql, (int(Life.LIVE), number))
            if rows and self._credit <= 0:
                return False
            if rows:
                size, digest, uid = rows[0]
                self._later(number, tries + 1)
                _save(self._spool, self.place)  # the process may be gone before it is read
                said = self._file(number, size, bytes(digest), uid, RATE_BYTES_S << min(tries, FASTER))
                if said is None:
                    return False
                self._read(size, said, found)
            self._later(number, None)
        return True

    def _later(self, number: int, tries: int | None) -> None:
        noted = {**_noted(self.place), number: tries}
        text = ",".join(f"{one}:{count}" for one, count in noted.items() if count is not None)
        self.place = self.place._replace(large=text or "-")

    def _file(self, number: int, size: int, digest: bytes, uid: str, rate: int = RATE_BYTES_S) -> str | None:
        """Read one file; what is wrong with it, or empty; None when the agent stops."""
        path = self._spool.path(number)
        try:
            same = _same(path, size, digest, self._wait, rate)
        except FileUnreadable as error:
            self.unreadable.add(number)
            return f"{uid} cannot be read: {error}; it is left where it is"
        except SpoolError:
            same = False  # its name is gone: it was evicted meanwhile, or it is lost
        if same is None:
            return None
        self.unreadable.discard(number)
        if same:
            return ""
        life = self._spool.examine_number(number)
        if life in (Life.LIVE, Life.EVICTING, Life.EVICTED):
            return ""
        what = "damaged on the medium and set aside" if life is Life.DAMAGED else "gone from the medium"
        return f"{uid} is {what} (instance {number:08X})"

    def _events(self, found: list[str]) -> bool:
        """Follow the chain a piece further; whether it is at its end."""
        place = self.place
        read = self._spool.ledger.read
        head = anchor.read(self._spool.root)
        seq, chain, faults = follow(read, place.seq, bytes.fromhex(place.chain), EVENTS, [head])
        found += [f"the ledger was tampered with or is damaged: {fault}" for fault in faults]
        self.place = place._replace(seq=seq, chain=chain.hex(), damaged=place.damaged + len(faults))
        return seq - place.seq < EVENTS


def _same(path: str, size: int, digest: bytes, wait: Callable[[float], bool], rate: int) -> bool | None:
    """Whether a file is what was written; None when the agent stops meanwhile. Raises ``SpoolError``."""
    hashed = hashlib.sha256()
    done = 0
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            if os.fstat(fd).st_size != size:
                return False
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            while done < size and (piece := os.pread(fd, CHUNK_BYTES, done)):
                hashed.update(piece)
                done += len(piece)
                if wait(len(piece) / rate):
                    return None
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)
    except OSError as error:
        raise read_error(error, path) from error
    return done == size and hashed.digest() == digest


def _noted(place: Place) -> dict[int, int]:
    pairs = (one.split(":") for one in place.large.split(",") if ":" in one)
    return {int(number): int(tries) for number, tries in pairs}


def _load(spool: Spool) -> Place | None:
    rows = spool.ledger.read("SELECT value FROM meta WHERE key = ?", (_KEY,))
    try:
        began, instance, seq, chain, damaged, last, *large = (str(rows[0][0]) if rows else "").split()
        place = Place(float(began), int(instance), int(seq), chain, int(damaged), float(last), *large)
        bytes.fromhex(chain)
        _noted(place)
    except ValueError:
        return None
    return place


def _save(spool: Spool, place: Place) -> None:
    text = " ".join(map(str, place))
    sql = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    spool.ledger.write(lambda db: db.execute(sql, (_KEY, text)) and None)
