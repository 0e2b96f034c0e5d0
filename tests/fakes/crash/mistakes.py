"""The mistakes that a durable queue can make; each is planted in this very process, and each must be seen.

A harness that finds nothing proves nothing, unless it finds these.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import agent.spool.schema
from agent.acquire.folder import FolderRecorder
from agent.acquire.identity import new_uid
from agent.config import settling
from agent.config.generations import Folder
from agent.config.source import parse_source
from agent.config.stage import Stage
from agent.spool.durable import File, Medium
from agent.spool.ledger import live
from agent.spool.states import Event
from agent.spool.store import Spool

if TYPE_CHECKING:
    from collections.abc import Callable


def no_file_sync() -> None:
    def finish(self: Any) -> None:
        os.ftruncate(self._fd, self.size)
        os.close(self._fd)
        self._fd = -1

    plant(File, "finish", finish)


def no_folder_sync() -> None:
    plant(Medium, "sync_folder", lambda _self, _path: None)


def no_group_flush() -> None:
    plant(Medium, "flush", lambda _self: None)


def row_before_file() -> None:
    finish = File.finish
    plant(File, "finish", lambda _self: None)

    def first(spool: Any, draft: Any, told: Any, found: Any) -> Any:
        sealed = spool.enter(draft.number, told, found)
        finish(draft.file)
        draft.moved = True
        spool.medium.publish(draft.file.path, sealed.path)
        return sealed

    plant(Spool, "seal_first", first)


def unlink_before_state() -> None:
    def evict(spool: Any, *, need_bytes: int = 0) -> int:
        rows = spool.ledger.read("SELECT id FROM instance WHERE life = 21")
        for (number,) in rows:
            spool.medium.remove(spool.path(number))
            for event in (Event.EVICT, Event.GONE):
                spool.ledger.write(lambda db, n=number, e=event: live(db, n, e, at=0.0))
        return len(rows)

    plant(Spool, "evict", evict)


def evict_on_store() -> None:
    def evict(spool: Any, *, need_bytes: int = 0) -> int:
        numbers = [row[0] for row in spool.ledger.read("SELECT id FROM instance WHERE life = 21")]
        spool.ledger.write(lambda db: [live(db, number, Event.EVICT, at=0.0) for number in numbers])
        spool.finish_eviction(numbers)
        return len(numbers)

    plant(Spool, "evict", evict)


def synchronous_normal() -> None:
    pragmas = agent.spool.schema.PRAGMAS
    normal = tuple(text.replace("synchronous = FULL", "synchronous = NORMAL") for text in pragmas)
    assert normal != pragmas
    plant(agent.spool.schema, "PRAGMAS", normal)


def plant(where: object, name: str, value: object) -> None:
    """Put something else in the place of what is there."""
    assert hasattr(where, name)
    setattr(where, name, value)


def row_before_bytes() -> None:
    """The row comes first, then the bytes: recovery would give its name to a file that is whole."""

    def first(spool: Any, draft: Any, told: Any, found: Any) -> Any:
        with open(draft.file.path, "r+b") as file:
            data = file.read()
            file.truncate(0)
            sealed = spool.enter(draft.number, told, found)
            file.seek(0)
            file.write(data)
        draft.moved = draft.settled = True
        spool.medium.publish(draft.file.path, sealed.path)
        return sealed

    plant(Spool, "seal_first", first)


def named_at_once() -> None:
    """A draft has its final name while it is written."""
    create = Medium.create

    def final(medium: Any, path: str, *more: Any) -> Any:
        return create(medium, path.removesuffix(".part"), *more)

    plant(Medium, "create", final)
    plant(Medium, "_rename", lambda _medium, _source, _target: None)


def answers_kept_for_later() -> None:
    """What a peer answered is written down with the next answers, and acknowledged at once."""
    stored, kept = Spool.stored_many, []

    def later(spool: Any, answers: Any) -> None:
        kept.append(list(answers))
        if len(kept) > 1:
            stored(spool, kept.pop(0))

    plant(Spool, "stored_many", later)


def transaction_after_its_use() -> None:
    """The Transaction UID is written down when the report has come."""
    opened, settled = Spool.open_transaction, Spool.settle
    waiting: dict[str, Any] = {}

    def open_later(_spool: Any, destination: str, items: Any, uid: str, deadline: float) -> Any:
        waiting[uid] = (destination, list(items), uid, deadline)
        return waiting[uid][1]

    def settle(spool: Any, uid: str, *more: Any, **how: Any) -> Any:
        opened(spool, *waiting.pop(uid))
        return settled(spool, uid, *more, **how)

    plant(Spool, "open_transaction", open_later)
    plant(Spool, "settle", settle)


def file_in_place() -> None:
    """A configuration is written over, and not replaced."""

    def replace(folder: Any, text: str, _before: bytes) -> bool:
        with open(folder.file, "w", encoding="utf-8") as file:
            file.write(text)
        return True

    plant(Folder, "replace", replace)


def wait_noted_late() -> None:
    """What is to be taken back is written down when it is in force."""
    install, note = settling.install, Stage._await
    late: list[Any] = []

    def then(*what: Any) -> bool:
        done = install(*what)
        for one in late:
            note(*one)
        return done

    plant(Stage, "_await", lambda *what: late.append(what))
    plant(settling, "install", then)


# mistake -> what plants it, the life in which it shows, the model under which it does
def file_of_a_name_of_its_own() -> None:
    """A picture of a drop folder gets a new UID, so that nothing says that its file was taken."""
    plant(FolderRecorder, "_uid", lambda _self, _sha256, _stamp: (new_uid(), False))


def file_removed_first() -> None:
    """A picture of a drop folder is removed as soon as it is read."""
    take = FolderRecorder._picture

    def first(unit: Any, name: str, *what: Any) -> None:
        os.unlink(f"{parse_source(unit.source.uri).what}/{name}")
        take(unit, name, *what)

    plant(FolderRecorder, "_picture", first)


MISTAKES: Final[dict[str, tuple[Callable[[], None], str, str]]] = {
    "no file fsync": (no_file_sync, "capture", "ext4"),
    "no folder fsync": (no_folder_sync, "capture", "weak"),
    "no flush of a group": (no_group_flush, "burst", "ext4"),
    "row before file": (row_before_file, "capture", "ext4"),
    "unlink before state": (unlink_before_state, "evict", "ext4"),
    "synchronous=NORMAL": (synchronous_normal, "commit", "ext4"),
    "evict on store": (evict_on_store, "evict too soon", "ext4"),
}
# Those that a killed process shows: what they do is in the wrong order, not only unsynced.
BY_KILLING: Final[dict[str, tuple[Callable[[], None], str]]] = {
    "row before bytes": (row_before_bytes, "capture"),
    "unlink before state": (unlink_before_state, "evict"),
    "evict on store": (evict_on_store, "evict too soon"),
    "final name at once": (named_at_once, "capture"),
    "answers kept for later": (answers_kept_for_later, "send"),
    "transaction after its use": (transaction_after_its_use, "commit"),
    "configuration in place": (file_in_place, "config commit"),
    "wait noted late": (wait_noted_late, "config confirm"),
    "file of a name of its own": (file_of_a_name_of_its_own, "folder"),
    "file removed first": (file_removed_first, "folder delete"),
}
