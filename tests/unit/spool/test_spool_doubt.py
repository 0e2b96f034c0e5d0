"""Damage of the ledger that the quick check of a start does not see: indexes that are not of their table."""

from __future__ import annotations

import os
import sqlite3

import pytest
from fakes.spool_world import BOTH, capture, uid_of

from agent.errors import MediaError, SpoolDamaged
from agent.spool import mount, recovery
from agent.spool.names import file_path
from agent.spool.store import Spool, prepare


@pytest.fixture
def used(tmp_path):
    """A spool with instances 1, 2 and 3, closed."""
    root = str(tmp_path / "spool")
    prepare(root)
    with Spool.open(root, destinations=BOTH) as spool:
        for number in (1, 2, 3):
            capture(spool, number)
    return root


def reopen(root):
    return Spool.open(root, destinations=BOTH)


def stale(root, table, change=lambda spool: capture(spool, 4)):
    """Change something, and put back what the one page of ``table`` was before: its indexes are newer than it is."""
    path = f"{root}/ledger.db"
    with sqlite3.connect(path) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    db.close()
    with open(path, "rb") as file:
        old = file.read()[(page - 1) * 4096 : page * 4096]
    with Spool.open(root, destinations=BOTH) as spool:
        change(spool)
    with open(path, "r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(old)
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    db.close()


def test_a_ledger_whose_damage_recovery_meets_is_rebuilt(used):
    stale(used, "instance")
    with reopen(used) as spool:
        assert spool.report.ledger_rebuilt
        assert spool.report.adopted == 4
        assert spool.counts() == {"pacs": {"queued": 4}, "second": {"queued": 4}}
    with reopen(used) as spool:
        assert spool.report.clean


def test_a_ledger_that_contradicts_itself_in_recovery_is_rebuilt(used):
    stale(used, "delivery", lambda spool: spool.claim("pacs", spool.clock.monotonic(), 1))
    with reopen(used) as spool:
        assert spool.report.ledger_rebuilt
        assert spool.counts() == {"pacs": {"queued": 3}, "second": {"queued": 3}}


def test_an_instance_that_its_index_alone_knows_is_found_at_the_start(used):
    stale(used, "instance")
    os.unlink(file_path(used, 4))  # or recovery would look for its row
    with reopen(used) as spool:
        assert spool.report.ledger_rebuilt
        assert spool.known(uid_of(4)) is None
    with reopen(used) as spool:
        assert not spool.report.ledger_rebuilt


def test_a_delivery_that_only_its_index_knows_is_damage(used):
    stale(used, "delivery")
    with reopen(used) as spool:
        assert not spool.report.ledger_rebuilt
        with pytest.raises(SpoolDamaged, match="00000004"):
            spool.claim("pacs", spool.clock.monotonic(), 10)
    with reopen(used) as spool:
        assert spool.report.ledger_rebuilt
        assert len(spool.claim("pacs", spool.clock.monotonic(), 10)) == 4


def test_a_delivery_that_waits_in_its_index_alone_is_damage(used):
    with reopen(used) as spool:
        busy = spool.claim("pacs", spool.clock.monotonic(), 10)
        assert busy

    def released(spool):
        assert spool.report.requeued == len(busy)

    stale(used, "delivery", released)
    with reopen(used) as spool, pytest.raises(SpoolDamaged, match="not so in it"):
        spool.claim("pacs", spool.clock.monotonic(), 10)
    with reopen(used) as spool:
        assert spool.report.ledger_rebuilt


def test_an_instance_that_its_index_has_forgotten_is_found_at_the_start(used):
    stale(used, "sqlite_autoindex_instance_1")
    with reopen(used) as spool:
        assert spool.report.ledger_rebuilt
        assert spool.receipt(uid_of(4)) is not None


def test_a_start_that_fails_leaves_no_descriptor_open(used, monkeypatch):
    def fails(*_arguments, **_options):
        raise MediaError("injected")

    monkeypatch.setattr(mount, "syncs_whole", lambda _found: True)
    monkeypatch.setattr(recovery, "recover", fails)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(MediaError, match="injected"):
        reopen(used)
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_ledger_that_was_doubted_for_nothing_stays(used):
    with open(f"{used}/ledger.db-doubt", "wb"):
        pass
    with reopen(used) as spool:
        assert spool.report.clean
    assert not os.path.exists(f"{used}/ledger.db-doubt")
