"""The mistakes that a durable queue can make; each is planted in this very process, and each must be seen.

A harness that finds nothing proves nothing, unless it finds these.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import agent.spool.schema
from agent.spool.durable import File, Medium
from agent.spool.group import Groups
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

    _plant(File, "finish", finish)


def no_folder_sync() -> None:
    _plant(Medium, "sync_folder", lambda _self, _path: None)


def no_group_flush() -> None:
    _plant(Medium, "flush", lambda _self: None)


def name_before_bytes() -> None:
    def harden(_self: Any, members: Any) -> bool:
        for member in members:
            member.draft.file.settle()
        return True

    _plant(Groups, "_harden", harden)


def row_before_file() -> None:
    finish = File.finish
    _plant(File, "finish", lambda _self: None)

    def first(spool: Any, draft: Any, told: Any, found: Any) -> Any:
        sealed = spool.enter(draft.number, told, found)
        finish(draft.file)
        draft.moved = True
        spool.medium.publish(draft.file.path, sealed.path)
        return sealed

    _plant(Spool, "seal_first", first)


def unlink_before_state() -> None:
    def evict(spool: Any, *, need_bytes: int = 0) -> int:
        rows = spool.ledger.read("SELECT id FROM instance WHERE life = 21")
        for (number,) in rows:
            spool.medium.remove(spool.path(number))
            for event in (Event.EVICT, Event.GONE):
                spool.ledger.write(lambda db, n=number, e=event: live(db, n, e, at=0.0))
        return len(rows)

    _plant(Spool, "evict", evict)


def evict_on_store() -> None:
    def evict(spool: Any, *, need_bytes: int = 0) -> int:
        numbers = [row[0] for row in spool.ledger.read("SELECT id FROM instance WHERE life = 21")]
        spool.ledger.write(lambda db: [live(db, number, Event.EVICT, at=0.0) for number in numbers])
        spool.finish_eviction(numbers)
        return len(numbers)

    _plant(Spool, "evict", evict)


def synchronous_normal() -> None:
    pragmas = agent.spool.schema.PRAGMAS
    normal = tuple(text.replace("synchronous = FULL", "synchronous = NORMAL") for text in pragmas)
    assert normal != pragmas
    _plant(agent.spool.schema, "PRAGMAS", normal)


def _plant(where: object, name: str, value: object) -> None:
    assert hasattr(where, name)
    setattr(where, name, value)


# mistake -> what plants it, the life in which it shows, the model under which it does
MISTAKES: Final[dict[str, tuple[Callable[[], None], str, str]]] = {
    "no file fsync": (no_file_sync, "capture", "ext4"),
    "no folder fsync": (no_folder_sync, "capture", "weak"),
    "no flush of a group": (no_group_flush, "burst", "ext4"),
    "name before bytes": (name_before_bytes, "burst", "ext4"),
    "row before file": (row_before_file, "capture", "ext4"),
    "unlink before state": (unlink_before_state, "evict", "ext4"),
    "synchronous=NORMAL": (synchronous_normal, "commit", "ext4"),
    "evict on store": (evict_on_store, "evict too soon", "ext4"),
}
