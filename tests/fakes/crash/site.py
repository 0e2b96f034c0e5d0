"""A world with the agent's own roles around the spool: sources, a worker and an archive that really listens.

``Watched`` is the spool with a witness: each promise its methods make is written down the moment they return, as
``World`` does for the lives that it drives itself. The archive is the bench archive in a thread of the same process; it
keeps what it got outside the folder whose calls are counted, and says what it stored and what it vouched for.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fakes.spool_world import BOTH, NO_WAIT, World, word_of

from agent.acquire.identity import new_uid
from agent.app.archive import Archive, ArchiveSettings
from agent.forward.flights import Flights, Records
from agent.forward.policy import BackOff
from agent.forward.settings import Settings
from agent.forward.settle import Settler
from agent.forward.worker import Worker
from agent.link.peer import Peer, Timeouts
from agent.spool.store import Spool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent.service.commitment import Report, Request
    from agent.spool.core import Item
    from agent.spool.draft import Draft, InstanceRecord, Sealed
    from agent.spool.forwarding import Answer
    from agent.spool.ops import Ops

QUICK = Timeouts(connect_s=2, associate_s=5, write_s=5, response_s=10, release_s=2, idle_s=20, artim_s=5)
OPEN_STATES = {"queued", "active", "stored", "awaiting commitment", "deferred"}


class Watched(Spool):
    """A spool whose promises are written down."""

    world: Site  # the one that this process opened last: recovery seals, too

    def seal(self, draft: Draft, record: InstanceRecord) -> Sealed:
        return self._said(super().seal(draft, record))

    def import_file(self, path: str, **how: Any) -> Sealed:
        return self._said(super().import_file(path, **how))

    def stored_many(self, answers: Iterable[Answer]) -> None:
        batch = list(answers)
        super().stored_many(batch)
        for answer in batch:
            self.world.promise("stored", answer.item.destination, word_of(answer.item.sop_instance_uid))

    def open_transaction(
        self, destination: str, items: Iterable[Item], transaction_uid: str, deadline: float
    ) -> list[Item]:
        inside = super().open_transaction(destination, items, transaction_uid, deadline)
        self.world.promise("asked", transaction_uid)
        return inside

    def settle(self, transaction_uid: str, committed: Iterable[str], *more: Any, **how: Any) -> bool:
        good = list(committed)
        known = super().settle(transaction_uid, good, *more, **how)
        for uid in good if known else ():
            self.world.promise("committed", word_of(uid))
        return known

    def _said(self, sealed: Sealed) -> Sealed:
        self.world.promise("captured", word_of(sealed.sop_instance_uid), sealed.data_set_sha256)
        return sealed


class Site(World):
    """A spool folder with an archive beside it."""

    def open(self, ops: Ops | None = None) -> Watched:
        Watched.world = self
        spool = Watched.open(self.root, destinations=BOTH, policy=NO_WAIT, ops=ops or self.ops)
        assert isinstance(spool, Watched)
        return spool

    def say(self, level: str, text: str) -> None:
        """Keep what would be in the log."""
        if level in {"warning", "error"}:
            self.promise("said", level, text)

    @contextmanager
    def archive(self, *, copies: bool = False, **settings: Any) -> Iterator[Sink]:
        """Let an archive listen; ``copies``: what arrives is not the bytes of the master."""
        stop = threading.Event()
        sink = Sink(self, ArchiveSettings(f"{self.folder}/archive", "ARCHIVE", timeouts=QUICK, **settings), copies)
        threading.Thread(target=sink.run, args=(stop,), daemon=True).start()
        try:
            yield sink
        finally:
            stop.set()  # nobody waits for it: the process ends with the life

    def forward(self, spool: Spool, port: int, **settings: Any) -> None:
        """Let the worker of "pacs" send and ask until there is nothing left to do."""
        settler = Settler(spool, {"ARCHIVE": ("pacs",)}, self.say)
        records = Records(lambda name: Flights(spool.medium, name, self.say), lambda _title: ("pacs",))
        how = Settings("pacs", Peer("ARCHIVE", "127.0.0.1", port, "AGENT", timeouts=QUICK), idle_close_s=0.0,
                       report_wait_s=5.0, back_off=BackOff(0.05, 0.2))._replace(**settings)  # fmt: skip
        record = records.of("pacs").begin
        Worker(spool, how, settler, new_uid, say=self.say, record=record).run(_Done(spool))


class Sink(Archive):
    """The archive, with a witness; what it says is true when it is said, whatever becomes of the sender."""

    def __init__(self, world: Site, settings: ArchiveSettings, copies: bool) -> None:
        self._world = world
        self._copies = copies
        super().__init__(settings, tell=self._heard)

    def verdict(self, request: Request) -> Report:
        report = super().verdict(request)
        for reference in report.committed:
            self._world.promise("vouched", word_of(reference.sop_instance_uid))
        return report

    def _heard(self, text: str) -> None:
        """Note an instance that is stored (``stored UID from AE``), before the answer goes out."""
        words = text.split()
        if words[0] == "stored":
            stored = self.store.find(words[1])
            assert stored is not None
            what = ("copied",) if self._copies else ("at", "pacs")
            self._world.promise(*what, word_of(words[1]), stored.data_set_sha256)


class _Done:
    """Ends a worker when nothing of "pacs" is open any more."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def is_set(self) -> bool:
        return not OPEN_STATES & {state for state, count in self._spool.counts()["pacs"].items() if count}


def received(world: World) -> dict[str, bytes]:
    """Data Sets that the archive has, by SOP Instance UID."""
    if not os.path.isdir(f"{world.folder}/archive"):
        return {}
    from agent.app.archive_store import ArchiveStore

    store = ArchiveStore(f"{world.folder}/archive")
    try:
        found = {}
        for row in store.rows():
            with open(row.path, "rb") as file:
                found[row.sop_instance_uid] = file.read()[row.data_set_offset :]
        return found
    finally:
        store.close()
