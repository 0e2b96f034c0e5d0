"""A small world around a spool: files to capture, an archive that commits, a log of every promise, and the invariants.

``World`` runs a scenario and writes down each promise the moment it is made, outside the spool, so that whoever looks
after a crash knows what was promised. ``check`` opens the spool again and compares. The invariants are those of
ARCHITECTURE.md: I1 nothing acknowledged is lost, I2 no incomplete file under a final name, I3 rows and files agree,
I4 one UID one content, I5 evicted only behind commitment, I6 recovery is idempotent, I7 one request per Transaction
UID, I8 the event chain verifies.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
from typing import TYPE_CHECKING, Any

from agent.errors import AgentError
from agent.media.part10 import FileMeta, encode_prefix
from agent.spool import listing
from agent.spool.core import Clock, Destination
from agent.spool.draft import InstanceRecord, Sealed
from agent.spool.forwarding import Answer
from agent.spool.quota import Policy
from agent.spool.store import Spool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.spool.draft import Draft
    from agent.spool.ops import Ops
    from agent.spool.report import Report

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
PACS, SECOND = Destination("pacs"), Destination("second", commitment=False)
BOTH = (PACS, SECOND)
NO_WAIT = Policy(evict_after_s=0.0, reask_after_s=0.0)


OURS = "1.2.826.0.1.3680043.2.1143.9."


def uid_of(number: int) -> str:
    return f"{OURS}{number}"


def word_of(uid: str) -> str:
    """How a promise names an instance: by the number of ``uid_of``, or by its UID."""
    return uid.removeprefix(OURS)


def uid_from(word: str) -> str:
    """The UID of the instance that a promise names."""
    return word if "." in word else uid_of(int(word))


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    value += b"" if len(value) % 2 == 0 else b"\0" if vr in {b"UI", b"OB"} else b" "
    long = vr in {b"OB", b"OW", b"UN", b"SQ"}
    return (
        struct.pack("<HH2sHI" if long else "<HH2sH", tag >> 16, tag & 0xFFFF, vr, *((0,) if long else ()), len(value))
        + value
    )


def data_set(number: int, size: int = 512, salt: int = 0) -> bytes:
    pixels = hashlib.sha256(f"{number}.{salt}".encode()).digest() * (size // 32)
    return b"".join((
        element(0x00080016, b"UI", SECONDARY_CAPTURE.encode()),
        element(0x00080018, b"UI", uid_of(number).encode()),
        element(0x0020000D, b"UI", b"1.2.3.4"),
        element(0x0020000E, b"UI", b"1.2.3.4.5"),
        element(0x7FE00010, b"OB", pixels),
    ))  # fmt: skip


def part10(number: int, size: int = 512, salt: int = 0) -> bytes:
    """A complete small file; the same number with another salt is the same UID with other content."""
    return encode_prefix(FileMeta(SECONDARY_CAPTURE, uid_of(number), EXPLICIT_LE)) + data_set(number, size, salt)


def record(number: int) -> InstanceRecord:
    return InstanceRecord(uid_of(number), SECONDARY_CAPTURE, EXPLICIT_LE, captured_at=1000.0 + number, source="test")


def digest(number: int, size: int = 512, salt: int = 0) -> str:
    return hashlib.sha256(data_set(number, size, salt)).hexdigest()


def capture(spool: Spool, number: int, *, size: int = 512, salt: int = 0, head_last: bool = False) -> Sealed:
    data = part10(number, size, salt)
    with spool.draft(len(data)) as draft:
        if head_last:
            draft.write_at(300, data[300:])
            draft.write_at(0, data[:300])
        else:
            draft.write(data)
        return draft.seal(record(number))


def let_go(spool: Spool) -> None:
    """Release what a crash left held by hand."""
    if listing.holds(spool.ledger.read) or listing.held_by_operator(spool.ledger.read):
        spool.release()


class FakeTime:
    """A clock a test moves; monotonic and wall go together."""

    def __init__(self) -> None:
        self.now = 1000.0

    def clock(self) -> Clock:
        return Clock(lambda: self.now, lambda: self.now + 1.7e9)


def unnamed(report: Report) -> bool:
    """Whether the alarm is of drafts alone that have the UID of an instance and not its content.

    Conflicts that were refused, or what a cut left of the same content: both are set aside, nothing is lost.
    """
    told = sum(".part: " in note and "with other content" in note for note in report.notes)
    return told == report.strange > 0 and not report._replace(strange=0).alarm


class World:
    """A spool folder, a log of promises beside it, and an archive that remembers what it was sent."""

    def __init__(self, folder: str, ops: Ops | None = None) -> None:
        self.folder = folder
        self.root = f"{folder}/spool"
        self.ops = ops
        self.log = f"{folder}/promises"
        self.transaction = 0

    @property
    def watched(self) -> str:
        """What the paths of the calls that count begin with."""
        return self.root

    def open(self, ops: Ops | None = None) -> Spool:
        return Spool.open(self.root, destinations=BOTH, policy=NO_WAIT, ops=ops or self.ops)

    def promise(self, *words: object) -> None:
        fd = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(fd, (" ".join(map(str, words)) + "\n").encode())
        os.close(fd)

    def promises(self) -> list[list[str]]:
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="ascii") as file:
            return [line.split() for line in file]

    # --- what happens in a life ------------------------------------------------------------------

    def capture(self, spool: Spool, number: int, **how: Any) -> None:
        sealed = capture(spool, number, **how)
        if not sealed.duplicate:
            assert os.path.exists(sealed.path) and os.path.getsize(sealed.path) == sealed.size  # noqa: PT018
        self.promise("captured", number, sealed.data_set_sha256)

    def burst(self, spool: Spool, numbers: list[int]) -> None:
        """Capture several at once; what fails is not promised."""
        drafts: list[tuple[Draft, InstanceRecord]] = []
        try:
            for number in numbers:
                data = part10(number)
                drafts.append((spool.draft(len(data)), record(number)))
                drafts[-1][0].write(data)
        except AgentError:
            for draft, _ in drafts:
                draft.abandon()
            raise
        ends = spool.groups.seal_all(drafts)
        for number, end in zip(numbers, ends, strict=True):
            if isinstance(end, Sealed):
                self.promise("captured", number, end.data_set_sha256)
        for end in ends:
            if isinstance(end, AgentError):
                raise end

    def send(self, spool: Spool, destination: str, *, limit: int = 4, one_by_one: bool = False) -> int:
        items = spool.claim(destination, spool.clock.monotonic(), limit)
        answers = []
        for item in items:
            with open(item.path, "rb") as file:
                body = file.read()[item.data_set_offset :]
            if hashlib.sha256(body).digest() != item.data_set_sha256:  # as the worker does: not a byte of it leaves
                spool.examine(item)
                continue
            # The archive keeps what it gets even when we do not live to read its answer.
            self.promise("at", destination, word_of(item.sop_instance_uid), hashlib.sha256(body).hexdigest())
            answers.append(Answer(item, 0x0000, peer="TEST@127.0.0.1:104", sent_at=1.0, answered_at=2.0))
        for batch in [[answer] for answer in answers] if one_by_one else [answers]:
            spool.stored_many(batch)
            for answer in batch:
                self.promise("stored", destination, word_of(answer.item.sop_instance_uid))
        return len(items)

    def ask(self, spool: Spool, destination: str = "pacs") -> tuple[str, list[str]]:
        now = spool.clock.monotonic()
        self.transaction = max([self.transaction, *(int(words[1].rsplit(".", 1)[1]) for words in self.promises()
            if words[0] == "asked")]) + 1 + os.getpid() * 1000  # fmt: skip
        uid = f"1.2.3.{self.transaction}"
        items = spool.open_transaction(destination, spool.awaiting_commitment(destination, now), uid, now + 60)
        self.promise("asked", uid)
        return uid, [item.sop_instance_uid for item in items]

    def settle(self, spool: Spool, uid: str, committed: list[str], failed: Iterable[tuple[str, int]] = ()) -> None:
        for one in committed:
            self.promise("vouched", word_of(one))
        assert spool.settle(uid, committed, failed, destination="pacs")
        for one in committed:
            self.promise("committed", word_of(one))

    def divert(self, spool: Spool) -> None:
        """Let "second" have what waits for "pacs"."""
        for row in spool.rows(destination="pacs"):
            if row.state in {"queued", "deferred"}:
                self.promise("diverted", word_of(row.sop_instance_uid))
        spool.divert("pacs", "second", "down")

    def finish(self, spool: Spool) -> None:
        """Drive everything to its end, as the forwarder would."""
        let_go(spool)
        spool.retry()
        for _turn in range(20):
            spool.expired_transactions(spool.clock.monotonic() + 1e9)
            busy = self.send(spool, "pacs", limit=64) + self.send(spool, "second", limit=64)
            uid, asked = self.ask(spool)
            if asked:
                self.settle(spool, uid, asked)
            if not busy and not asked:
                return
        raise AssertionError(f"the queue does not end: {spool.counts()}")

    # --- the invariants ----------------------------------------------------------------------------

    def check(self, report: Report, spool: Spool, *, rebuilt: bool = False) -> list[str]:
        """Return every broken invariant, as a sentence."""
        wrong = [f"recovery raised an alarm: {report}"] if report.alarm and not rebuilt and not unnamed(report) else []
        digests: dict[str, str] = {}
        vouched = {words[1] for words in self.promises() if words[0] in {"vouched", "diverted"}}
        at_second = {words[2] for words in self.promises() if words[0] == "at" and words[1] == "second"}
        for words in self.promises():
            if words[0] == "captured":
                wrong += self._promised(spool, words[1], words[2], vouched, rebuilt=rebuilt)
                digests[words[1]] = words[2]
            elif words[0] == "at" and digests.get(words[2], words[3]) != words[3]:
                wrong.append(f"I4 {words[2]} was sent with another content")
            elif words[0] in {"stored", "committed"} and not rebuilt:
                wrong += self._decided(spool, words)
            elif words[0] == "asked" and not rebuilt:
                sql = "SELECT 1 FROM commitment WHERE transaction_uid = ?"
                if not spool.ledger.read(sql, (words[1],)):
                    wrong.append(f"I7 transaction {words[1]} was asked and is not in the ledger")
        wrong += self._files_and_rows(spool, vouched & at_second)
        verdict = spool.reader.verify()
        wrong += [f"I8 {fault}" for fault in verdict.faults]
        return wrong

    def _promised(self, spool: Spool, number: str, content: str, vouched: set[str], *, rebuilt: bool) -> list[str]:
        receipt = spool.receipt(uid_from(number))
        if receipt is None:
            return [] if rebuilt and number in vouched else [f"I1 {number} was acknowledged and is unknown"]
        if receipt.data_set_sha256 != content:
            return [f"I4 {number} has another digest than promised"]
        if receipt.state == "evicted":
            return [] if number in vouched else [f"I5 {number} was evicted and never committed"]
        if receipt.state != "live":
            return [f"I1 {number} is {receipt.state}"]
        return []

    def _decided(self, spool: Spool, words: list[str]) -> list[str]:
        number, name = words[-1], words[1] if words[0] == "stored" else "pacs"
        receipt = spool.receipt(uid_from(number))
        state = next((d.state for d in receipt.deliveries if d.destination == name), None) if receipt else None
        fine = {"stored", "awaiting commitment", "committed"} if words[0] == "stored" else {"committed"}
        missing = any(p[0] == "missing" and p[1] == number for p in self.promises())
        return [] if state in fine or missing else [f"I8 {number} was {words[0]} at {name} and is {state}"]

    def _files_and_rows(self, spool: Spool, evictable: set[str]) -> list[str]:
        wrong = []
        rows = {
            row[0]: row for row in spool.ledger.read("SELECT id, life, data_set_sha256, sop_instance_uid FROM instance")
        }
        seen = set()
        base = f"{self.root}/INST"
        for folder in sorted(os.listdir(base)):
            for name in sorted(os.listdir(f"{base}/{folder}")):
                if not re.fullmatch("[0-9A-F]{8}", name) or not name.startswith(folder):
                    wrong.append(f"I2 {folder}/{name} is not a final name")
                    continue
                number = int(name, 16)
                seen.add(number)
                if number not in rows:
                    wrong.append(f"I3 {name} has no row")
                    continue
                with open(f"{base}/{folder}/{name}", "rb") as file:
                    data = file.read()
                offset = spool.ledger.read("SELECT data_set_offset FROM instance WHERE id = ?", (number,))[0][0]
                if hashlib.sha256(data[offset:]).digest() != rows[number][2]:
                    wrong.append(f"I2 {name} is not what its row says")
        for number, life, _digest, uid in rows.values():
            if number not in seen and life != 23:
                wrong.append(f"I3 row {number:08X} has no file and is not evicted")
            if life == 23 and word_of(uid) not in evictable:
                wrong.append(f"I5 {uid} was evicted before every destination had it")
        return wrong
