"""Lives that drive the spool themselves: each begins with a folder made by its ``prepare`` and runs to its end."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from fakes.spool_world import World, capture, digest, part10, uid_of, word_of

from agent.errors import SpoolConflict
from agent.spool.draft import Sealed
from agent.spool.names import LEDGER, file_path
from agent.spool.states import Priority

if TYPE_CHECKING:
    from collections.abc import Callable

VECTORS: Final = Path(__file__).parents[2] / "vectors"


class Life(NamedTuple):
    """What it does, for people; how it begins; what it is."""

    what: str
    prepare: Callable[[World], None]
    run: Callable[[World], None]


def nothing(world: World) -> None:
    os.makedirs(world.root)


def three_queued(world: World) -> None:
    nothing(world)
    with world.open() as spool:
        for number in (1, 2, 3):
            world.capture(spool, number)


def three_stored(world: World) -> None:
    three_queued(world)
    with world.open() as spool:
        for name in ("pacs", "second"):
            world.send(spool, name)


def three_committed(world: World) -> None:
    three_stored(world)
    with world.open() as spool:
        uid, asked = world.ask(spool)
        world.settle(spool, uid, asked)


def wreck(world: World) -> None:
    """Leave one of everything a crash can leave."""
    three_committed(world)
    spool = world.open()
    for number in (4, 5, 6):
        world.capture(spool, number)
    spool.claim("pacs", spool.clock.monotonic(), 2)
    with spool.ledger._lock:  # a file without row, an eviction half done, and an unfinished draft
        spool.ledger._db.execute("UPDATE instance SET life = 22, seq = (SELECT max(seq) FROM event) + 1 WHERE id = 1")
        from agent.spool.ledger import note
        from agent.spool.states import Event, Life

        note(spool.ledger._db, 0.0, 1, None, Event.EVICT, Life.EVICTING)
    extra = f"{world.root}/INST/000000/000000AA"
    with open(extra, "wb") as file:
        file.write(part10(7))
    world.promise("captured", 7, digest(7))
    twin = f"{world.root}/INST/000000/000000AB"
    with open(twin, "wb") as file:
        file.write(part10(4))
    with open(f"{world.root}/INST/000000/000000AC.part", "wb") as file:
        file.write(part10(8)[:200])
    spool.close()


def ledger_spoilt(world: World) -> None:
    three_queued(world)
    with open(f"{world.root}/ledger.db", "r+b") as file:
        file.write(b"no database any more" * 8)


def ledger_of_before(world: World) -> None:
    """The spool of an agent that did not know priorities (schema version 1)."""
    nothing(world)
    database = sqlite3.connect(f"{world.root}/{LEDGER}")
    database.executescript((VECTORS / "ledger_v1.sql").read_text())
    database.close()
    for number in range(1, 5):
        path = Path(file_path(world.root, number))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(part10(number))
        world.promise("captured", number, digest(number))


def run_capture(world: World) -> None:
    with world.open() as spool:
        world.capture(spool, 11)
        world.capture(spool, 12, size=9000, head_last=True)
        world.capture(spool, 11)  # the same again
        try:
            capture(spool, 12, salt=1)
        except SpoolConflict:
            world.promise("conflict", 12)
        with spool.draft(100) as draft:
            draft.write(b"given up")


def run_burst(world: World) -> None:
    """Two at once."""
    with world.open() as spool:
        world.burst(spool, [31, 32])


def run_import(world: World) -> None:
    """A folder of files, two of them new."""
    folder = f"{world.folder}/carried"
    os.makedirs(folder, exist_ok=True)
    for number in (1, 34, 35):
        Path(folder, str(number)).write_bytes(part10(number))
    with world.open() as spool:
        world.burst(spool, [33, 1, 33, 36])
        failures = []
        for path, end in spool.groups.import_files(f"{folder}/{name}" for name in ("34", "none", "1", "35")):
            if isinstance(end, Sealed):
                world.promise("captured", path.rsplit("/", 1)[1], end.data_set_sha256)
            elif not path.endswith("/none"):
                failures.append(end)
        for failure in failures:
            raise failure


def run_send(world: World) -> None:
    with world.open() as spool:
        world.send(spool, "pacs", one_by_one=True)
        items = spool.claim("second", spool.clock.monotonic(), 3)
        spool.put_back(items[:1])
        spool.deferred(items[1], "busy", spool.clock.monotonic())
        spool.held(items[2], "refused", status=0xA900)
        spool.retry("second")
        world.send(spool, "second")


def run_commit(world: World) -> None:
    with world.open() as spool:
        uid, asked = world.ask(spool)
        world.promise("missing", word_of(asked[1]))
        world.settle(spool, uid, asked[:1], [(asked[1], 0x0112), (asked[2], 0x0213)])
        world.finish(spool)


def run_unconfirmed(world: World) -> None:
    """Questions that come to nothing, a second sending, and the end of questions."""
    with world.open() as spool:
        items = spool.awaiting_commitment("pacs", 1e12)
        for item in items:
            world.promise("missing", word_of(item.sop_instance_uid))
        spool.not_offered(items[:1], "it has none")
        uid, _ = world.ask(spool)
        spool.unanswered(uid, "it was cut off")
        spool.unlisted(spool.exhausted("pacs", 1e12, 1), "not there")
        world.send(spool, "pacs")
        stored = spool.exhausted("pacs", 1e12, 0)
        spool.unconfirmed(stored[:1], "there", listed=True)
        spool.unlisted(stored[1:], "still not there")
        world.finish(spool)


def run_divert(world: World) -> None:
    """What was held is released, one goes first, what waits goes to the other destination, and then from this box."""
    with world.open() as spool:
        spool.hold("second", uid_of(3), by="eva")
        spool.hold(uid="1.2.3.4", by="eva")
        spool.hold("pacs", by="eva")
        assert spool.claim("second", spool.clock.monotonic(), 1) == []
        spool.release(by="tom")
        spool.prioritize(uid_of(2), Priority.URGENT)
        spool.deferred_many(spool.claim("pacs", spool.clock.monotonic(), 1), "down", spool.clock.monotonic())
        world.divert(spool)
        world.finish(spool)
        spool.evict()


def run_finish(world: World) -> None:
    with world.open() as spool:
        world.finish(spool)


def run_evict(world: World) -> None:
    with world.open() as spool:
        assert spool.evict() == 3


def run_recovery(world: World) -> None:
    world.open().close()


def run_all(world: World) -> None:
    """One life from capture to eviction."""
    with world.open() as spool:
        world.capture(spool, 21)
        world.capture(spool, 22, head_last=True)
        world.finish(spool)
        spool.evict()
        world.capture(spool, 23)


LIVES: Final[dict[str, Life]] = {
    "capture": Life("seal two instances, the same again, and another content of one", nothing, run_capture),
    "capture on a used spool": Life("the same where three wait", three_queued, run_capture),
    "burst": Life("seal two at once: a group", nothing, run_burst),
    "import": Life("groups with what is known, what comes twice and what is not there", three_queued, run_import),
    "send": Life("store one by one, put back, defer, hold, retry", three_queued, run_send),
    "commit": Life("ask, settle with every kind of answer, and drive the queue to its end", three_stored, run_commit),
    "unconfirmed": Life(
        "questions that come to nothing, a second sending, the end of questions", three_stored, run_unconfirmed
    ),
    "evict": Life("make room behind commitment", three_committed, run_evict),
    "divert": Life("hold and release, priority, failover to the other destination, eviction", three_queued, run_divert),
    "migrate": Life("open a ledger of an older schema and go on with it", ledger_of_before, run_finish),
    "recover": Life("start on one of everything that a crash can leave", wreck, run_recovery),
    "rebuild": Life("start on a ledger that cannot be read", ledger_spoilt, run_recovery),
    "all": Life("one life from capture to eviction", nothing, run_all),
}
