"""Group commit: what one caller hands in at once, or several threads seal at the same time, becomes durable together.

    cut every file -> flush (bytes) -> rename all -> one transaction of all rows -> flush (names and rows) -> return

That is two flushes for up to ``LIMIT`` instances, where one by one costs three each. A flush is syncfs(2); where the
file system does not take it for an answer (mount.py), or others write so much to it that one took longer than
``SLOW_S``, every file is synced by itself, then each folder once, then the ledger.

Bytes come before names as they do for one alone: a name that is durable before its bytes are would, after a power cut,
stand for a file with holes that may still look like a whole image. Rows may come before names, but only while the
second flush is under way and nobody has been promised anything: recovery then gives the file of such a row its name.

One bad file costs itself alone. A flush that fails says that *something* on the file system could not be written, so
every file is then synced by itself, which tells whose it was; and when the second one fails, each folder is synced and
each row looked for, one by one (ledger.py, suspect).

A thread that comes while a group is under way waits for its end, and then goes first for all who came meanwhile. Who
comes alone waits for nobody. What needs long looks (a UID that is known already) or long writes (``LARGE_BYTES``) does
so outside of the group.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager

from agent.errors import AgentError, DecodeError, SpoolError
from agent.media.part10 import PREFIX_LIMIT_BYTES, decode_prefix
from agent.spool import recovery
from agent.spool.circle import LIMIT, Circle
from agent.spool.entering import enter
from agent.spool.faults import media_error, present
from agent.spool.ledger import details
from agent.spool.names import PART
from agent.spool.quota import MIB
from agent.spool.together import LARGE_BYTES, Together, Written, finish, tried
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from agent.spool.draft import Draft, InstanceRecord, Measured, Sealed
    from agent.spool.store import Spool

GROUP_BYTES: Final = 64 * MIB  # copied before an import makes a group of it
COPY_CHUNK: Final = MIB // 4  # bytes per read when a file is imported


class Member(Written):
    """A draft that wants to be an instance, and how that ended: ``sealed``, ``error``, or it must go ``alone``."""

    __slots__ = ("alone", "doubt", "draft", "found", "record", "sealed")

    def __init__(self, draft: Draft, record: InstanceRecord, found: Measured) -> None:
        super().__init__(draft.file)
        self.draft = draft
        self.record = record
        self.found = found
        self.alone = False
        self.doubt: BaseException | None = None  # how the commit of its group failed
        self.sealed: Sealed | None = None

    @property
    def uid(self) -> str:
        """Its SOP Instance UID."""
        return self.record.sop_instance_uid

    def succeed(self, sealed: Sealed) -> None:
        """End with one."""
        self.sealed, self.done, self.draft.settled = sealed, True, True

    def end(self) -> Sealed | Exception:
        """How it ended."""
        if self.error is not None:
            return self.error
        assert self.sealed is not None
        return self.sealed

    def part(self) -> None:
        """Leave the group; its own thread goes on with it."""
        self.alone = self.done = True


class Claims:
    """One thread at a time may decide about one UID."""

    __slots__ = ("_changed", "_uids")

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._uids: set[str] = set()

    @contextmanager
    def only(self, uid: str) -> Iterator[None]:
        """Wait for whoever decides about ``uid``, and decide."""
        with self._changed:
            while uid in self._uids:
                self._changed.wait()
            self._uids.add(uid)
        try:
            yield
        finally:
            self.free([uid])

    def take(self, group: list[Member]) -> list[Member]:
        """Return the members whose UIDs nobody else decides about; the others part."""
        mine = []
        with self._changed:
            for member in group:
                if member.uid in self._uids:
                    member.part()
                else:
                    self._uids.add(member.uid)
                    mine.append(member)
        return mine

    def free(self, uids: Iterable[str]) -> None:
        """Let others decide about them."""
        with self._changed:
            self._uids.difference_update(uids)
            self._changed.notify_all()


class Groups:
    """Sealing for a spool, alone and in groups; thread safe, and durable when it returns."""

    __slots__ = ("_circle", "_spool", "_together")

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._circle: Circle[Member] = Circle()
        self._together = Together(spool.medium, spool.clock.monotonic, self._made_good)

    def _made_good(self, error: SpoolError) -> None:
        self._spool.trouble(error)

    def seal_all(self, drafts: Iterable[tuple[Draft, InstanceRecord]]) -> list[Sealed | AgentError]:
        """Make drafts instances, each as ``seal`` does; returns for each what became of it, all drafts abandoned."""
        return _of_the_world(self.seal_each(drafts))

    def seal_each(self, drafts: Iterable[tuple[Draft, InstanceRecord]]) -> list[Sealed | Exception]:
        """As ``seal_all``, and a fault of ours costs itself alone, too."""
        ends: list[Member | Exception] = []
        for draft, record in drafts:
            try:
                ends.append(self._spool.member(draft, record))
            except Exception as error:  # noqa: BLE001 - handed to whoever brought the draft
                draft.abandon()
                ends.append(error)
        return self._join_each(ends)

    def join(self, ends: Sequence[Member | AgentError]) -> list[Sealed | AgentError]:
        """Seal the members among ``ends`` and put what became of each in its place."""
        return _of_the_world(self._join_each(ends))

    def _join_each(self, ends: Sequence[Member | Exception]) -> list[Sealed | Exception]:
        members = [end for end in ends if isinstance(end, Member)]
        try:
            self._join(members)
        finally:
            for member in members:
                member.draft.abandon()
        return [end.end() if isinstance(end, Member) else end for end in ends]

    def import_files(
        self, paths: Iterable[str], *, destinations: tuple[str, ...] | None = None, source: str = "import"
    ) -> Iterator[tuple[str, Sealed | AgentError]]:
        """Copy DICOM files into the spool in groups; yields each path and what became of it, in their order."""
        ends: list[Member | AgentError] = []
        names: list[str] = []
        size = 0
        try:
            for path in paths:
                names.append(path)
                try:
                    copied = self._copied(path, destinations, source)
                    ends.append(copied)
                    size += copied.found.size
                except AgentError as error:
                    ends.append(error)
                if len(ends) == LIMIT or size >= GROUP_BYTES:
                    yield from zip(names, self.join(ends), strict=True)
                    ends, names, size = [], [], 0
            yield from zip(names, self.join(ends), strict=True)
        finally:
            for end in ends:
                if isinstance(end, Member):
                    end.draft.abandon()

    def _copied(self, path: str, destinations: tuple[str, ...] | None, source: str) -> Member:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise media_error(error, "open", path) from error
        draft = None
        try:
            draft = self._spool.draft(os.fstat(fd).st_size)
            while chunk := os.pread(fd, COPY_CHUNK, draft.tell()):
                if not draft.tell():  # refuse before a gigabyte of something else is copied
                    decode_prefix(chunk[:PREFIX_LIMIT_BYTES])
                draft.write(chunk)
            found = draft.measure()
            wall = self._spool.clock.wall()
            return self.ready(
                Member(
                    draft,
                    recovery.record_of(found, captured_at=wall, source=source, destinations=destinations),
                    found,
                )
            )
        except OSError as error:
            if draft is not None:
                draft.abandon()
            raise media_error(error, "read", path) from error
        except BaseException:
            if draft is not None:
                draft.abandon()
            raise
        finally:
            os.close(fd)

    def ready(self, member: Member) -> Member:
        """Do what its own thread can do for it; raises ``SpoolError``, and ``DecodeError`` for two instances in one."""
        if wrong := member.found.contradiction():
            hint = "Its File Meta Information and its Data Set are of two instances: ask its maker which one it is."
            raise DecodeError(f"{wrong} as its File Meta Information says", hint=hint)
        for name in member.record.destinations or ():
            self._spool.destination_id(name)  # an unknown name must show before the file has its own
        if member.found.size >= LARGE_BYTES:
            member.draft.file.finish()
        return member

    # --- step by step ------------------------------------------------------------------------------

    def _join(self, members: Sequence[Member]) -> None:
        self._circle.join(members, self._seal_group)
        for member in members:
            if member.alone:
                tried(member, self._seal_alone)

    def _seal_alone(self, member: Member) -> None:
        member.succeed(self._spool.seal_alone(member.draft, member.record, member.found))

    def _seal_group(self, group: list[Member]) -> None:
        mine = self._spool.claims.take(group)
        try:
            self._spool.adopt_orphans()
            new = [member for member in mine if tried(member, self._is_new)]
            if len(new) == 1:
                tried(new[0], self._seal_first)
            elif new:
                self._seal_many(new)
        finally:
            self._spool.claims.free([member.uid for member in mine])

    def _is_new(self, member: Member) -> bool:
        if self._spool.known(member.uid) is None:
            return True
        member.part()
        return False

    def _seal_first(self, member: Member) -> bool:
        finish(member)
        member.succeed(self._spool.seal_first(member.draft, member.record, member.found))
        return True

    def _seal_many(self, members: list[Member]) -> None:
        whole = self._together.harden(members)
        named = [member for member in members if not member.done and tried(member, self._name)]
        if not whole:
            named = self._together.sync_names(named)
        if named:
            self._enter(named, self._spool.medium.flush if whole else None)
        self._spool.wake()
        for member in named:
            if not member.done:
                tried(member, self._look_again)
        for member in members:
            if member.error is not None and member.draft.moved:
                self._spool.orphan(member.draft.number)

    def _enter(self, named: list[Member], flush: Callable[[], None] | None) -> None:
        """Write the rows of all in one transaction, durable when it returns; who is not done is in doubt."""
        entries = [self._spool.entry(one.draft.number, one.record, one.found) for one in named]
        rows = [entry for entry, _ in entries]
        (written,) = self._spool.ledger.write_all([lambda db: enter(db, rows)], flush)
        for member, (_, sealed) in zip(named, entries, strict=True):
            if written.error is None:
                self._spool.tell_fresh(member.record, member.draft.number)
                member.succeed(sealed)
            member.doubt = written.error
        if isinstance(written.error, SpoolError):
            self._made_good(written.error)

    def _name(self, member: Member) -> bool:
        final = self._spool.path(member.draft.number)
        member.draft.moved = True  # even when it fails half-way: what has its final name is recovery's to judge
        self._spool.medium.name(member.draft.file.path, final)
        return True

    def _look_again(self, member: Member) -> bool:
        """The commit of the group failed: its row may be there all the same; if not, it is written alone."""
        number = member.draft.number
        self._spool.medium.sync_folder(os.path.dirname(member.draft.file.path))
        found = self._spool.known(member.uid)
        if found is not None and found[0] == number:
            member.succeed(self._spool.entry(number, member.record, member.found)[1])
        else:
            detail = details(after=f"the commit of its group failed: {member.doubt}")
            member.succeed(self._spool.enter(number, member.record, member.found, detail=detail))
        return True


def give_name(spool: Spool, number: int, size: int, digest: bytes) -> tuple[str, str]:
    """Give the ``.part`` of a live row its name; returns what was done (a field of ``Report``) and a line."""
    final = spool.path(number)
    part = f"{final}{PART}"
    same = recovery.judge(part, size, digest)[0] is None
    if same and present(final) and recovery.judge(final, size, digest)[0] is None:
        spool.medium.remove(part)
        return "drafts_deleted", f"{part} deleted: the instance has its file"
    if not same or present(final):
        return "strange", f"{part} is not what its row says; moved to {recovery.quarantine(spool, part)}"
    spool.medium.publish(part, final)
    return "named", f"instance {number:08X}: its file has its name now"


def _of_the_world(ends: list[Sealed | Exception]) -> list[Sealed | AgentError]:
    """Raise what is a fault of ours."""
    found: list[Sealed | AgentError] = []
    for end in ends:
        if isinstance(end, Exception) and not isinstance(end, AgentError):
            raise end
        found.append(end)
    return found
