"""Priority: who goes first, that nobody waits for ever, and a ledger that did not know of it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from fakes.spool_world import BOTH, FakeTime, capture, part10, record, uid_of

from agent.app import verb_queue
from agent.config.schema_source import PRIORITIES
from agent.errors import MediaError, NotFound, SpoolError
from agent.spool import priority as lanes
from agent.spool import schema
from agent.spool.names import LEDGER, file_path
from agent.spool.ops import Ops
from agent.spool.priority import EVERY
from agent.spool.receipt import Reader
from agent.spool.states import PRIORITY_OF_WORD, Priority
from agent.spool.store import Spool, prepare
from agent.spool.view import SpoolView

V1 = Path(__file__).parents[2] / "vectors" / "ledger_v1.sql"
STUDY = "1.2.3.4"  # of everything in spool_world
URGENT, NORMAL, LOW = Priority.URGENT, Priority.NORMAL, Priority.LOW


@pytest.fixture
def time_():
    return FakeTime()


@pytest.fixture
def root(tmp_path):
    prepare(str(tmp_path / "spool"))
    return str(tmp_path / "spool")


@pytest.fixture
def spool(root, time_):
    with Spool.open(root, destinations=BOTH, clock=time_.clock()) as opened:
        yield opened


def sealed(spool, number, priority=None, study=""):
    data = part10(number)
    with spool.draft(len(data)) as draft:
        draft.write(data)
        return draft.seal(record(number)._replace(priority=priority, study_uid=study))


def claimed(spool, time_, limit=100, **how):
    return [item.id for item in spool.claim("pacs", time_.now, limit, **how)]


def test_urgent_before_normal_before_low_and_each_by_age(spool, time_):
    for number, priority in ((1, LOW), (2, None), (3, URGENT), (4, LOW), (5, NORMAL), (6, URGENT)):
        sealed(spool, number, priority)
    assert claimed(spool, time_, 4) == [3, 6, 2, 5]
    assert claimed(spool, time_) == [1, 4]


def test_an_item_knows_its_priority_and_the_receipt_tells_it(spool, time_):
    sealed(spool, 1, URGENT)
    (item,) = spool.claim("pacs", time_.now)
    assert item.priority == URGENT
    receipt = spool.receipt(uid_of(1))
    assert receipt.events[0].detail["priority"] == "urgent"
    assert {delivery.priority for delivery in receipt.deliveries} == {"urgent"}


def test_only_what_is_urgent_enough_is_claimed(spool, time_):
    sealed(spool, 1)
    assert not spool.urgent_due("pacs", time_.now)
    assert claimed(spool, time_, least=URGENT) == []
    sealed(spool, 2, URGENT)
    assert spool.urgent_due("pacs", time_.now)
    assert claimed(spool, time_, least=URGENT) == [2]


@pytest.mark.parametrize("limit", [1, 3, 8, 32])
def test_a_flood_of_urgent_ones_slows_the_others_and_does_not_stop_them(spool, time_, limit):
    for number in (1, 2):
        sealed(spool, number, LOW)
    for number in (3, 4):
        sealed(spool, number)
    order = []
    for number in range(5, 5 + 6 * EVERY):
        sealed(spool, number, URGENT)
        if number % limit == 0:
            order += claimed(spool, time_, limit)
    assert {1, 2, 3, 4} <= set(order[: 5 * EVERY + limit])


def test_priority_survives_a_restart(root, time_):
    with Spool.open(root, destinations=BOTH, clock=time_.clock()) as spool:
        sealed(spool, 1)
        sealed(spool, 2, URGENT)
        claimed(spool, time_)
    with Spool.open(root, destinations=BOTH, clock=time_.clock()) as spool:
        assert claimed(spool, time_) == [2, 1]


def test_the_operator_raises_one_instance(spool, time_):
    for number in (1, 2, 3):
        sealed(spool, number)
    before = spool.arrivals
    assert spool.prioritize(uid_of(3), URGENT) == 1
    assert spool.arrivals != before
    assert spool.overtaken("pacs", NORMAL, time_.now)
    assert not spool.overtaken("pacs", URGENT, time_.now)
    assert claimed(spool, time_) == [3, 1, 2]
    assert Reader(spool.ledger.read).verify().faults == ()
    assert spool.receipt(uid_of(3)).events[-2].detail == {"priority": "urgent"}


def test_the_operator_raises_a_study_and_all_that_comes_of_it(spool, time_):
    sealed(spool, 1, study="9.9")
    sealed(spool, 2)
    assert spool.prioritize(STUDY, URGENT) == 1
    sealed(spool, 3)
    sealed(spool, 4, LOW)  # whatever its source says
    sealed(spool, 5, study="9.9")
    assert claimed(spool, time_) == [2, 3, 4, 1, 5]
    with pytest.raises(NotFound, match="neither as an instance nor as a study"):
        spool.prioritize("9.9.9", URGENT)


def test_words_are_the_same_everywhere():
    assert tuple(PRIORITY_OF_WORD) == PRIORITIES
    assert verb_queue.PRIORITY_OF_WORD is PRIORITY_OF_WORD


def test_the_queue_has_an_index_of_its_own(spool):
    for lane in (lanes._QUEUED, lanes._DEFERRED):
        plan = spool.ledger.read(f"EXPLAIN QUERY PLAN {lane}", (1, 2, 0.0, 1))
        terms = "destination=? AND state=? AND priority=? AND next_at<?"
        assert [row[3] for row in plan] == [f"SEARCH delivery USING COVERING INDEX delivery_queue ({terms})"]


# --- a ledger of before -------------------------------------------------------------------------


@pytest.fixture
def old(root):
    """A spool as the agent before left it."""
    with sqlite3.connect(f"{root}/{LEDGER}") as db:
        db.executescript(V1.read_text())
    db.close()
    os.makedirs(os.path.dirname(file_path(root, 1)))
    for number in range(1, 5):
        with open(file_path(root, number), "wb") as file:
            file.write(part10(number))
    return root


def columns(root):
    db = sqlite3.connect(f"{root}/{LEDGER}")
    version = schema.version(db)
    found = [row[1] for row in db.execute("PRAGMA table_info(delivery)")]
    db.close()
    return version, "priority" in found


def test_a_ledger_of_before_is_brought_up_to_date(old, time_):
    with Spool.open(old, destinations=BOTH, clock=time_.clock()) as spool:
        assert spool.report.clean, spool.report
        assert Reader(spool.ledger.read).verify().faults == ()
        rows = {row.id: (row.state, row.attempt, row.reason, row.priority) for row in spool.rows(destination="pacs")}
        assert rows == {
            1: ("stored", 1, "", "normal"),
            2: ("deferred", 1, "busy", "normal"),
            3: ("held", 1, "no", "normal"),
            4: ("queued", 0, "", "normal"),
        }
        sealed(spool, 5, URGENT)
        spool.prioritize(uid_of(4), LOW)
        assert claimed(spool, time_) == [5, 2, 4]
    assert columns(old) == (schema.SCHEMA_VERSION, True)


def test_tables_made_new_and_brought_up_to_date_are_the_same(old, tmp_path, time_):
    Spool.open(old, destinations=BOTH, clock=time_.clock()).close()
    prepare(str(tmp_path / "new"))
    Spool.open(str(tmp_path / "new"), destinations=BOTH, clock=time_.clock()).close()
    told = []
    for root in (old, tmp_path / "new"):
        db = sqlite3.connect(f"{root}/{LEDGER}")
        made = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
        asked = 'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?) ORDER BY name'
        told.append(
            [(name, db.execute(asked, (name,)).fetchall() if kind == "table" else sql) for kind, name, sql in made]
        )
        db.close()
    assert told[0] == told[1]


class Failing(Ops):
    """Ends at one step."""

    def __init__(self, at):
        self.at = at

    def step(self, name, path):
        if name == self.at:
            raise OSError(5, "cut")


@pytest.mark.parametrize(("step", "version"), [("ledger migrate", 1), ("ledger migrated", schema.SCHEMA_VERSION)])
def test_a_cut_before_or_behind_the_change_leaves_one_of_the_two(old, time_, step, version):
    with pytest.raises(MediaError):
        Spool.open(old, destinations=BOTH, clock=time_.clock(), ops=Failing(step))
    assert columns(old) == (version, version > 1)
    with Spool.open(old, destinations=BOTH, clock=time_.clock()) as spool:
        assert len(spool.rows()) == 8
        assert Reader(spool.ledger.read).verify().faults == ()


def test_a_change_that_cannot_be_made_whole_is_not_made(old, time_):
    db = sqlite3.connect(f"{old}/{LEDGER}")
    db.execute("CREATE TABLE study (x)")  # in the way of the last statement
    db.close()
    with pytest.raises(SpoolError):
        Spool.open(old, destinations=BOTH, clock=time_.clock())
    assert columns(old) == (1, False)


def test_a_view_of_an_old_ledger_says_what_to_do(old):
    with pytest.raises(MediaError, match="schema version 1") as error:
        SpoolView.open(old)
    assert "next start of the agent" in error.value.hint


def test_a_ledger_of_a_later_agent_is_left_alone(root, time_):
    Spool.open(root, destinations=BOTH, clock=time_.clock()).close()
    db = sqlite3.connect(f"{root}/{LEDGER}")
    db.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(SpoolError, match="this agent knows"):
        Spool.open(root, destinations=BOTH, clock=time_.clock())


def test_a_capture_without_a_word_is_normal(spool, time_):
    capture(spool, 1)
    assert spool.claim("pacs", time_.now)[0].priority == NORMAL
