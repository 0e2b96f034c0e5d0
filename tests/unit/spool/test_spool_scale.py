"""No question of a running spool looks at more rows the longer its history is: each finds its rows through an index."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sqlite3

import pytest
from fakes.crash.lives_spool import ledger_of_before
from fakes.spool_faults import look
from fakes.spool_world import BOTH, NO_WAIT, World, capture, part10, uid_of

from agent.spool import evicting, listing
from agent.spool.finding import look as find
from agent.spool.ledger import live
from agent.spool.names import LEDGER
from agent.spool.ops import Ops
from agent.spool.receipt import Reader
from agent.spool.recovery import recover
from agent.spool.states import Event, Life, Priority
from agent.spool.store import Spool, prepare

# What looks at everything, and why it may.
WHOLE = {
    "SELECT seq, chain FROM event ORDER BY seq DESC LIMIT 1": "the last row of its table is the first it comes to",
    "SELECT count(*) FROM delivery d JOIN instance i ON": "an operator raises a study: how much of it waits",
}
BIG = {"instance", "delivery", "event", "i", "d", "e", "o"}


def plans(db: sqlite3.Connection, statement: str) -> list[str]:
    """What SQLite would do, where that is to look at all rows of a big table or to sort them."""
    if statement.startswith(("--", "PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "EXPLAIN")):
        return []
    steps = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
    return [step for step in steps if (found := re.match(r"SCAN (\w+)", step)) and found[1] in BIG]


def asked(spool: Spool, life) -> list[str]:
    """Every statement that SQLite is given while ``life`` runs, its triggers' own left out."""
    seen: dict[str, None] = {}
    spool.ledger._db.set_trace_callback(seen.setdefault)
    try:
        life()
    finally:
        spool.ledger._db.set_trace_callback(None)
    return list(seen)


@pytest.fixture
def spool(tmp_path):
    prepare(str(tmp_path / "spool"))
    with Spool.open(str(tmp_path / "spool"), destinations=BOTH, policy=NO_WAIT) as opened:
        yield opened


def everything(world: World, spool: Spool) -> None:
    """All that a daemon and its operator ask in a life."""
    now = spool.clock.monotonic
    for number in range(1, 9):
        world.capture(spool, number)
    capture(spool, 1)
    world.send(spool, "pacs")
    items = spool.claim("second", now(), 3)
    spool.put_back(items[:1])
    spool.deferred(items[1], "busy", now())
    spool.held(items[2], "refused", status=0xA900)
    spool.due("pacs", now(), 8)
    spool.overtaken("pacs", Priority.LOW, now())
    spool.wait_for_work("pacs", 0.0)
    spool.retry()
    spool.retry("second", uid_of(1))
    spool.prioritize("1.2.3.4", Priority.URGENT)
    spool.hold("second", uid_of(1))
    spool.hold(uid="1.2.3.4")
    spool.hold("pacs")
    spool.release()
    spool.paused("pacs")
    spool.next_question_at("pacs")
    uid, ends = world.ask(spool)
    spool.open_transactions()
    world.settle(spool, uid, ends[:1], [(ends[1], 0x0112), (ends[2], 0x0213)])
    spool.expired_transactions(now() + 1e9)
    spool.ask_now()
    spool.exhausted("pacs", 1e12, 1)
    spool.not_offered(spool.awaiting_commitment("pacs", 1e12)[:1], "none")
    spool.unconfirmed(spool.exhausted("pacs", 1e12, 0)[:1], "there", listed=True)
    spool.reopen("pacs")
    world.divert(spool)
    world.finish(spool)
    spool.evict()
    spool.owed_to_nobody()
    recover(spool, None, rebuilt=False)
    reader = spool.reader
    for state in ("queued", "held", "committed", None):
        for destination in ("pacs", None):
            reader.rows(state=state, destination=destination, after=(3, "pacs"))
    reader.rows(sop_instance_uid=uid_of(3))
    reader.counts()
    reader.lives()
    reader.waiting("1.2.3.4")
    reader.diverted("pacs", uid_of(2))
    reader.diverted()
    reader.receipt(uid_of(4))
    reader.sent("pacs")
    reader.captured("test")
    reader.reasons("pacs")
    reader.accepted("pacs")
    reader.commitment_s("pacs")
    listing.studies(reader._read, of=["1.2.3.4"])
    listing.states_of_study(reader._read, "1.2.3.4")
    listing.first_live(reader._read, "1.2.3.4")
    listing.captured_at(reader._read, 1)
    listing.study_of(reader._read, uid_of(1))
    listing.holds(reader._read)
    listing.held_by_operator(reader._read, "pacs", uid_of(1))
    reader.rows(studies=["1.2.3.4"])
    reader.head()


def test_every_question_finds_its_rows_through_an_index(spool, tmp_path):
    world = World(str(tmp_path))
    statements = asked(spool, lambda: everything(world, spool))
    assert len(statements) > 150
    db = spool.ledger._db
    wrong = {
        statement: found
        for statement in statements
        if not statement.startswith(tuple(WHOLE)) and (found := plans(db, statement))
    }
    assert not wrong, "\n".join(f"{found}: {statement[:300]}" for statement, found in wrong.items())


def test_the_judge_of_plans_sees_a_scan(spool):
    db = spool.ledger._db
    assert plans(db, "SELECT instance FROM delivery WHERE state = 2")
    assert plans(db, "SELECT count(*) FROM event")
    assert not plans(db, "SELECT 1 FROM instance WHERE id = 4")


def test_lists_and_claims_need_no_sorting(spool):
    """A sort of all that waits for the first of them would cost more the longer the queue is."""
    statements = asked(spool, lambda: (capture(spool, 1), spool.claim("pacs", spool.clock.monotonic(), 1)))
    sorts = [
        statement
        for statement in statements
        if statement.startswith("SELECT")
        and any("TEMP B-TREE" in row[3] for row in spool.ledger._db.execute(f"EXPLAIN QUERY PLAN {statement}"))
    ]
    assert sorts == []
    for values in ({}, {"state": "committed"}, {"destination": "pacs"}):
        (statement,) = asked(spool, lambda values=values: spool.rows(**values))
        steps = [row[3] for row in spool.ledger._db.execute(f"EXPLAIN QUERY PLAN {statement}")]
        assert "USE TEMP B-TREE FOR ORDER BY" not in steps[: steps.index("SCAN c")], steps


def tally_of(read) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]:
    counted = {(d, s): n for d, s, n in read("SELECT destination, state, count FROM tally WHERE count <> 0", ())}
    real = {(d, s): n for d, s, n in read("SELECT destination, state, count(*) FROM delivery GROUP BY 1, 2", ())}
    real |= {(0, s): n for s, n in read("SELECT life, count(*) FROM instance GROUP BY 1", ())}
    return counted, real


def test_what_is_counted_is_what_is_there(spool, tmp_path):
    everything(World(str(tmp_path)), spool)
    spool.ledger.write(lambda db: live(db, 7, Event.LOSE, at=0.0) if _lives(db, 7) else None)
    counted, real = tally_of(spool.ledger.read)
    assert counted == real
    spool.ledger.write(lambda db: db.execute("DELETE FROM delivery WHERE instance = 8") and None)
    counted, real = tally_of(spool.ledger.read)
    assert counted == real


def _lives(db: sqlite3.Connection, number: int) -> bool:
    return bool(db.execute("SELECT life = ? FROM instance WHERE id = ?", (int(Life.LIVE), number)).fetchone()[0])


def test_an_older_ledger_is_counted_once(tmp_path):
    world = World(str(tmp_path))
    ledger_of_before(world)
    with world.open() as spool:
        counted, real = tally_of(spool.ledger.read)
        assert counted == real
        assert real
    db = sqlite3.connect(f"{world.root}/{LEDGER}")
    assert Reader(lambda sql, values: db.execute(sql, values).fetchall()).lives() == {"live": 4}
    db.close()


def test_eviction_goes_through_a_long_queue_in_windows(spool, tmp_path, monkeypatch):
    """What is settled is found behind what is not, in reads of a bounded number of rows, and oldest first."""
    monkeypatch.setattr(evicting, "WINDOW", 3)
    monkeypatch.setattr(evicting, "BATCH", 2)
    world = World(str(tmp_path))
    for number in range(1, 12):
        capture(spool, number)
    waiting = set(range(1, 8)) | {9}
    for name in ("pacs", "second"):
        items = spool.claim(name, spool.clock.monotonic(), 20)
        for item in items:
            if item.id not in waiting:
                spool.stored(item)
        spool.put_back([item for item in items if item.id in waiting])
    uid, ends = world.ask(spool)
    world.settle(spool, uid, ends)
    assert spool.evictable_bytes() == sum(len(part10(number)) for number in (8, 10, 11))
    assert spool.evict() == 3
    assert [spool.receipt(uid_of(number)).state for number in (7, 8, 9, 10, 11)] == [
        "live", "evicted", "live", "evicted", "evicted",
    ]  # fmt: skip


def test_a_start_looks_at_no_row_that_was_evicted(spool, tmp_path):
    """Empty folders stay for ever; the rows of what was in them are not read again."""
    world = World(str(tmp_path))
    for number in range(1, 4):
        world.capture(spool, number)
    world.finish(spool)
    assert spool.evict() == 3
    assert not os.listdir(f"{spool.root}/INST/000000")
    read: list[tuple[object, ...]] = []

    def reading(sql, values):
        rows = spool.ledger.read(sql, values)
        read.extend(rows)
        return rows

    assert find(spool.root, reading, 0, lambda *_: None, listed=True) == []
    assert read == []


class Counting(Ops):
    """Counts the commits of the ledger, and fails the first where it is told to."""

    __slots__ = ("commits", "fail")

    def __init__(self, *, fail: bool = False) -> None:
        self.commits, self.fail = 0, fail

    def step(self, call: str, path: str) -> None:
        self.commits += call == "ledger commit"
        if self.fail and call == "ledger commit" and self.commits == 3:
            raise OSError(errno.EIO, "injected", path)


@pytest.mark.parametrize("fail", [False, True])
def test_a_ledger_is_made_again_folder_by_folder(tmp_path, fail):
    """One transaction for each folder; where it fails, file by file, and what is odd is told apart all the same."""
    world = World(str(tmp_path))
    os.makedirs(world.root)
    with world.open() as spool:
        for number in range(1, 20):
            world.capture(spool, number)
        folder = os.path.dirname(capture(spool, 20).path)
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        if os.path.exists(f"{world.root}/{name}"):
            os.unlink(f"{world.root}/{name}")
    shutil.copy(f"{folder}/00000003", f"{folder}/000000F0")  # the same again
    with open(f"{folder}/000000F1", "wb") as file:
        file.write(part10(4, salt=1))  # another content of a known UID
    with open(f"{folder}/000000F2", "wb") as file:
        file.write(part10(5)[:-100])  # not whole
    ops = Counting(fail=fail)
    with world.open(ops) as spool:
        report = spool.report
        assert (report.adopted, report.duplicates_removed, report.strange, report.ledger_rebuilt) == (20, 1, 2, True)
        assert spool.counts()["pacs"] == {"queued": 20}
        assert spool.reader.verify().faults == ()
        assert spool.receipt(uid_of(7)).events[0].detail["recovered"] == "file without row"
    assert (ops.commits < 10) is not fail
    assert look(world, rebuilt=True) == []
