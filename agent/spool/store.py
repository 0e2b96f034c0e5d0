"""The spool: instances on local media that are never promised before they are durable, and never lost after.

    spool = Spool.open("/var/lib/modality-agent/spool", destinations=[Destination("pacs")])
    with spool.draft(expected_bytes) as draft:
        draft.write(part10_bytes)
        sealed = draft.seal(InstanceRecord(...))       # P1: everything below has happened when this returns

``seal``: measure (digest) -> cut and fsync the file -> one UID, one content (P5) -> rename -> fsync the folder ->
ledger row and one delivery per destination in one transaction -> return. The file is the truth and the row its index
(P2): a crash between the two leaves a file without row, which recovery adopts. What is sealed at the same time does the
same steps together (group.py).

Same SOP Instance UID again: with the same Data Set digest it is done (``duplicate=True``, no second file; a damaged or
lost instance is healed by it), with another one the new file goes to quarantine and ``SpoolConflict`` is raised. This
holds for evicted instances too: their tombstones keep the digest.

Thread safe throughout: the acquire thread seals while workers claim and the listener settles. One process at a time:
``spool.lock`` is locked (lock.py) until its holder closes it or dies.

Raises ``MediaError`` (medium missing, read-only or failing), ``SpoolFull`` (before anything is promised), ``SpoolBusy``
(another process), ``SpoolConflict`` (P5), ``SpoolDamaged`` (what is read is not what was written).
"""

from __future__ import annotations

import os
import threading

from agent.errors import AgentError, FileUnreadable, MediaError, SpoolDamaged, SpoolError
from agent.spool import lock, mount, rebuild, recovery
from agent.spool.committing import Committing
from agent.spool.core import Clock, Destination, write_destinations
from agent.spool.draft import Draft, InstanceRecord, Measured, Sealed
from agent.spool.durable import Medium
from agent.spool.entering import Entry, enter
from agent.spool.evicting import Evicting
from agent.spool.failover import Diverting
from agent.spool.faults import present
from agent.spool.forwarding import Forwarding, lost_or_damaged
from agent.spool.graded import Graded
from agent.spool.group import Claims, Groups, Member
from agent.spool.ledger import details, live, move
from agent.spool.names import INSTANCES, LEDGER, LOCK, QUARANTINE, Counter, clip_path, folder_path
from agent.spool.ops import Ops
from agent.spool.quota import Floor, Policy
from agent.spool.states import Event, Life, State
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from agent.spool.core import Item
    from agent.spool.report import Report


class Spool(Forwarding, Committing, Diverting, Evicting):
    """One spool folder, held by this process; see the module for the promises."""

    __slots__ = (
        "_counter",
        "_folders",
        "_lock_fd",
        "claims",
        "custody",
        "groups",
        "orphans",
        "report",
        "unfinished",
        "unreadable",
    )

    _lock_fd: int
    report: Report
    unfinished: set[int]  # clips that failed with their medium; see salvage.py
    unreadable: dict[int, str]  # numbers whose files the medium does not give back, and why; an alarm

    @classmethod
    def open(
        cls, root: str, *, destinations: Iterable[Destination] = (), policy: Policy | None = None,
        clock: Clock | None = None, ops: Ops | None = None, anew: bool = False,
    ) -> Spool:  # fmt: skip
        """Take the lock, check the medium, repair what a crash left; what was found is in ``.report``.

        ``root`` must exist (``prepare`` makes one): a folder that is not there may be a medium that is not there.
        ``anew`` sets the ledger aside and makes it again of the files.
        """
        policy, clock = policy or Policy(), clock or Clock()
        wanted = {destination.name: destination for destination in destinations}
        root = os.path.abspath(root)
        whole = mount.syncs_whole(mount.check(root, policy.require_mount))
        lock_fd = lock.take(f"{root}/{LOCK}")
        medium = Medium(root, ops)
        try:
            if whole:
                medium.watch()
            for name in (INSTANCES, QUARANTINE):
                if not os.path.lexists(f"{root}/{name}"):
                    medium.make_folder(f"{root}/{name}")
            mount.check_folders(root)
            ledger, rebuilt, aside = rebuild.open_or_rebuild(medium, f"{root}/{LEDGER}", clock.wall(), anew=anew)
            try:
                rows = ledger.read("SELECT at FROM event ORDER BY seq DESC LIMIT 1")
                ledger.time = Graded(clock, rows[0][0] if rows else 0.0)
                spool = cls(medium, ledger, wanted, write_destinations(ledger, wanted), policy, ledger.time.clock)
                spool._take_over(lock_fd, aside, rebuilt=rebuilt)
            except BaseException:
                ledger.close()
                raise
        except BaseException as error:
            medium.close()
            os.close(lock_fd)
            if anew or not isinstance(error, SpoolDamaged):
                raise
            return cls.open(root, destinations=wanted.values(), policy=policy, clock=clock, ops=ops, anew=True)
        return spool

    def _take_over(self, lock_fd: int, aside: str | None, *, rebuilt: bool) -> None:
        self._lock_fd = lock_fd
        self.claims = Claims()
        self.groups = Groups(self)
        self._folders: set[int] = set()
        self.orphans: list[int] = []
        self.custody = threading.RLock()  # who judges a file that has its name: adopts, examines, heals or sets aside
        self.unfinished = set()
        self.unreadable = {}
        self._counter = Counter(rebuild.first_number(self.ledger, self.root, rebuilt=rebuilt))
        self._counter.avoid(rebuild.numbers_aside(self.root))
        self.report = recovery.recover(self, aside, rebuilt=rebuilt)
        self._counter.avoid(rebuild.numbers_aside(self.root))
        self.admission.make_room = lambda missing: self.evict(need_bytes=max(missing, 1))

    # --- capture ---------------------------------------------------------------------------------

    def draft(self, expected_bytes: int = 0, floor: Floor = Floor.WHOLE) -> Draft:
        """Reserve room and create a ``.part`` file; raises ``SpoolFull`` before anything exists."""
        number = self._counter.take()
        folder = number >> 8
        if folder not in self._folders:
            self.medium.make_folder(folder_path(self.root, folder))
            self._folders.add(folder)
        mount.check_folder(self.root, folder_path(self.root, folder))
        file = None
        draft = None
        try:
            self.admission.reserve(0, floor=floor)  # the floors hold even for a draft of unknown length
            file = self.medium.create(f"{self.path(number)}.part")
            draft = Draft(self, self.admission, number, file, floor)
            draft.reserve(expected_bytes)
        except SpoolError:
            if draft is not None:
                draft.abandon()
            raise
        return draft

    def seal(self, draft: Draft, record: InstanceRecord) -> Sealed:
        """Make a draft an instance (P1, P5); on any error nothing is promised and the draft is abandoned.

        One of a clip with durable frames keeps its files then, for ``salvage``.
        """
        draft.stays = draft.stays or (draft.clip is not None and draft.clip.marks > 0)
        try:
            end = self.groups.join([self.member(draft, record)])[0]
            if isinstance(end, AgentError):
                raise end
            return end
        finally:
            draft.abandon()

    def member(self, draft: Draft, record: InstanceRecord) -> Member:
        """Read a draft back and hold it against its record; raises ``DataSetError`` and ``SpoolError``."""
        found = draft.measure()
        _compare(found, record, draft.file.path)
        study, series = record.study_uid or found.origin.study_uid, record.series_uid or found.origin.series_uid
        return self.groups.ready(Member(draft, record._replace(study_uid=study, series_uid=series), found))

    def seal_alone(self, draft: Draft, record: InstanceRecord, found: Measured) -> Sealed:
        """Seal what may be known already; the caller abandons the draft."""
        if not draft.file.closed:
            draft.file.finish()
        with self.claims.only(record.sop_instance_uid):
            self.adopt_orphans()
            if self.known(record.sop_instance_uid) is not None:
                with self.custody:
                    from agent.spool.again import again  # few UIDs come twice

                    return again(self, draft, record, found)
            return self.seal_first(draft, record, found)

    def abandon(self, draft: Draft) -> None:
        """Remove the ``.part`` of a draft and free its room; idempotent, never raises (recovery does it too)."""
        if draft.waiting is not None:
            draft.waiting.stays = draft.stays and not draft.settled
            self.abandon(draft.waiting)
        draft.file.close()
        draft.release()
        if draft.clip is not None:
            draft.clip.close()
        try:
            if draft.clip is not None and (draft.settled or not (draft.moved or draft.stays)):
                self.medium.remove(clip_path(draft.file.path), sync=False)
            if not draft.moved and not draft.stays:
                self.medium.remove(draft.file.path, sync=False)
        except SpoolError:  # a medium in trouble; the .part is deleted at the next start
            return

    def salvage(self, draft: Draft) -> Sealed | None:
        """Seal what was durable of a clip that failed; see ``Draft.salvage``."""
        if draft.clip is None or not draft.clip.marks or not present(draft.file.path):
            return None
        draft.stays = True
        self.abandon(draft)
        from agent.spool.salvage import salvage

        try:
            sealed = salvage(self, draft.number)
        except SpoolError:
            self.unfinished.add(draft.number)
            raise
        draft.settled = True
        return sealed

    def import_file(self, path: str, *, destinations: tuple[str, ...] | None = None, source: str = "import") -> Sealed:
        """Copy a DICOM file into the spool and seal it; raises ``NotDicomError`` or ``DecodeError`` for other files."""
        ((_, end),) = self.groups.import_files([path], destinations=destinations, source=source)
        if isinstance(end, AgentError):
            raise end
        return end

    # --- what the ledger says ----------------------------------------------------------------------

    def known(self, sop_instance_uid: str) -> tuple[int, Life, bytes] | None:
        """Return (id, life, Data Set digest) of a UID the spool has ever had."""
        sql = "SELECT id, life, data_set_sha256 FROM instance WHERE sop_instance_uid = ?"
        rows = self.ledger.read(sql, (sop_instance_uid,))
        return (int(rows[0][0]), Life(rows[0][1]), bytes(rows[0][2])) if rows else None

    def holds(self, found: os.stat_result) -> bool:
        """Tell whether a file is the lock that this process has: its medium is the one that was opened."""
        mine = os.fstat(self._lock_fd)
        return (mine.st_dev, mine.st_ino) == (found.st_dev, found.st_ino)

    def assure(self) -> None:
        """Raise ``MediaError`` unless our path leads to the medium that was opened: else nothing is proven by it."""
        try:
            there = self.holds(os.stat(f"{self.root}/{LOCK}"))
        except OSError:
            there = False
        if not there:
            raise MediaError(f"the medium of the spool is not at {self.root} now")
        mount.check_folder(self.root, f"{self.root}/{INSTANCES}")

    def configure(self, destinations: Iterable[Destination]) -> None:
        """Take new destinations while running: instances sealed from now on go to them."""
        wanted = {destination.name: destination for destination in destinations}
        self.ids = write_destinations(self.ledger, wanted)
        self.destinations = wanted
        self.wake()

    def sop_class(self, sop_instance_uid: str) -> str | None:
        """Return the SOP Class UID of a UID the spool has ever had."""
        rows = self.ledger.read("SELECT sop_class_uid FROM instance WHERE sop_instance_uid = ?", (sop_instance_uid,))
        return str(rows[0][0]) if rows else None

    def close(self) -> None:
        """Close the ledger and let go of the lock; drafts still open are left for recovery. Idempotent."""
        self.wake()
        try:
            self.ledger.close()
        finally:
            self.medium.close()
            fd, self._lock_fd = self._lock_fd, -1
            if fd >= 0:
                os.close(fd)

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- sealing, step by step -----------------------------------------------------------------------

    def seal_first(self, draft: Draft, record: InstanceRecord, found: Measured) -> Sealed:
        """Name a file that is durable and write its rows; its UID is new and nobody else decides about it."""
        final = self.path(draft.number)
        draft.moved = True  # even when publish fails half-way: what has its final name is recovery's to judge
        try:
            self.medium.publish(draft.file.path, final)
            sealed = self.enter(draft.number, record, found)
        except BaseException:
            # The commit may have happened or not; the file may have its name. Looked at again before the next seal.
            self.orphan(draft.number)
            raise
        draft.settled = True
        return sealed

    def enter(self, number: int, record: InstanceRecord, found: Measured, *, detail: str = "") -> Sealed:
        """Write the rows of a file that is durable under its final name."""
        entry, sealed = self.entry(number, record, found, detail=detail)
        self.ledger.write(lambda db: enter(db, [entry]))
        self.tell_fresh(record, number)
        self.wake()
        return sealed

    def entry(self, number: int, record: InstanceRecord, found: Measured, *, detail: str = "") -> tuple[Entry, Sealed]:
        """Return what writes the rows of an instance (entering.py), and what can be promised of it then."""
        numbers = tuple(self.destination_id(name) for name in self._owed_by(record))
        wall = self.clock.wall()
        captured_at = wall if record.captured_at is None else record.captured_at
        entry = Entry(number, record, found, captured_at, wall, numbers, detail)
        return entry, sealed_of(self, number, record, found, captured_at, wall, duplicate=False)

    def tell_fresh(self, record: InstanceRecord, number: int) -> None:
        """Let the new instance be among the young ones of its destinations."""
        self._remember_fresh(self._owed_by(record), number)

    def _owed_by(self, record: InstanceRecord) -> tuple[str, ...]:
        return self.every_destination() if record.destinations is None else record.destinations

    def orphan(self, number: int) -> None:
        """Have a file with its name, whose row is in doubt, looked at before the next seal."""
        self.orphans.append(number)

    def heal(self, number: int, found: Measured) -> None:
        """Take a damaged or lost instance back: its file is there again with the same Data Set."""
        wall = self.clock.wall()

        def job(db: sqlite3.Connection) -> None:
            story = details(size=found.size, sha256=found.file_sha256.hex())
            live(db, number, Event.HEAL, at=wall, detail=story)
            sql = "UPDATE instance SET size = ?, data_set_offset = ?, file_sha256 = ? WHERE id = ?"
            db.execute(sql, (found.size, found.data_set_offset, found.file_sha256, number))
            sql = "SELECT destination FROM delivery WHERE instance = ? AND state IN (?, ?)"
            for (destination,) in db.execute(sql, (number, int(State.DAMAGED), int(State.LOST))).fetchall():
                move(db, number, destination, Event.HEAL, at=wall, next_at=0)

        self.ledger.write(job)
        self.wake()

    def examine(self, item: Item) -> Life:
        """Look at the file of a claimed item again (digest): live, damaged (set aside now), lost or evicted.

        For a sender that read other bytes than were sealed. Damaged and lost are in the receipt and the states when it
        returns. Raises ``FileUnreadable`` when the medium does not give the file back: nothing is changed then, the
        item is still the caller's to report; any other ``MediaError`` is not about this file.
        """
        return self.examine_number(item.id)

    def examine_number(self, number: int) -> Life:
        """Compare a live instance with its digest; damaged is set aside, lost is marked."""
        with self.custody:
            rows = self.ledger.read("SELECT life, size, file_sha256 FROM instance WHERE id = ?", (number,))
            if not rows:
                raise SpoolError(f"the spool has no instance {number:08X}")
            life, size, digest = rows[0]
            if life != Life.LIVE:
                return Life(life)
            event, reason = recovery.judge(self.path(number), size, bytes(digest))
            if event is Event.LOSE:
                self.assure()
                event, reason = recovery.judge(self.path(number), size, bytes(digest))  # it may have been away
            if event is None:
                return Life.LIVE
            return self.give_up(number, event, reason)

    def give_up(self, number: int, event: Event, reason: str) -> Life:
        """Mark an instance damaged (its file goes to quarantine first) or lost; see ``assure``."""
        from agent.spool.returned import set_aside_before  # few instances are given up

        self.assure()
        wall = self.clock.wall()
        if event is Event.DAMAGE:
            recovery.quarantine(self, self.path(number))
        elif set_aside_before(self, number):
            # Set aside before an error or a crash kept its row from saying so: damaged, not lost.
            event, reason = Event.DAMAGE, f"set aside as {number:08X}"

        def job(db: sqlite3.Connection) -> Life:
            row = db.execute("SELECT life FROM instance WHERE id = ?", (number,)).fetchone()
            if row[0] == Life.LIVE:
                lost_or_damaged(db, number, event, at=wall, detail=details(reason=reason))
                return Life.DAMAGED if event is Event.DAMAGE else Life.LOST
            return Life(row[0])

        return self.ledger.write(job)

    def adopt_orphans(self) -> None:
        """Look again at files whose commit failed, one thread at a time; none of them fails the seal that looks."""
        if not self.orphans:
            return
        with self.custody:
            for number in tuple(self.orphans):
                try:
                    try:
                        recovery.adopt_orphan(self, number)
                    except FileUnreadable as error:
                        recovery.remember_unreadable(self, number, error)
                except SpoolError:
                    continue  # stays an orphan until the next seal or start
                self.orphans.remove(number)


def prepare(root: str) -> None:
    """Make a spool folder durably where its parent exists; nothing happens when it is there."""
    root = os.path.abspath(root)
    if not os.path.isdir(root):
        Medium(os.path.dirname(root)).make_folder(root)


def _compare(found: Measured, record: InstanceRecord, path: str) -> None:
    """The ledger must say what the file says, or it could not be rebuilt from the files."""
    said = (record.sop_class_uid, record.sop_instance_uid, record.transfer_syntax_uid)
    if said != found.meta[:3]:
        raise SpoolDamaged(f"{path} holds {found.meta[:3]}, announced was {said}", hint="Report this; it is our fault.")


def sealed_of(
    spool: Spool, number: int, record: InstanceRecord, found: Measured, captured_at: float, durable_at: float, *,
    duplicate: bool,
) -> Sealed:  # fmt: skip
    """Say what is promised of an instance."""
    return Sealed(number, spool.path(number), record.sop_instance_uid, found.size, found.file_sha256.hex(),
        found.data_set_sha256.hex(), captured_at, durable_at, duplicate)  # fmt: skip
