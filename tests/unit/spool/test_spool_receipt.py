"""The custody receipt, the chain that shows tampering, and the view of other processes."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3

import pytest
from fakes.spool_world import BOTH, capture, part10, uid_of

from agent.errors import MediaError, SpoolBusy
from agent.spool import lock
from agent.spool.receipt import Reader, place
from agent.spool.store import Spool, prepare
from agent.spool.view import SpoolView


@pytest.fixture
def root(tmp_path):
    prepare(str(tmp_path / "spool"))
    return str(tmp_path / "spool")


def live_through(spool):
    """Three instances; the first one to its very end."""
    for number in (1, 2, 3):
        capture(spool, number)
    now = spool.clock.monotonic()
    for name in ("pacs", "second"):
        (item,) = spool.claim(name, now, 1)
        spool.stored(item, peer="PACS@10.0.0.1:104", sent_at=1.5, answered_at=2.5)
    spool.open_transaction("pacs", spool.awaiting_commitment("pacs", now), "1.2.3", now + 9)
    spool.settle("1.2.3", [uid_of(1)], peer="PACS")
    assert spool.evict(need_bytes=1) == 1


def test_a_receipt_tells_the_whole_story(root):
    with Spool.open(root, destinations=BOTH) as spool:
        live_through(spool)
        receipt = spool.receipt(uid_of(1))
    assert [(entry.destination, entry.kind) for entry in receipt.events] == [
        (None, "durable"), ("pacs", "queued"), ("second", "queued"), ("pacs", "active"), ("pacs", "stored"),
        ("second", "active"), ("second", "stored"), ("pacs", "commitment asked"), ("pacs", "committed"),
        (None, "evicting"), (None, "evicted"),
    ]  # fmt: skip
    assert receipt.captured_at <= receipt.durable_at <= receipt.evicted_at
    pacs = receipt.deliveries[0]
    assert (pacs.state, pacs.status, pacs.peer, pacs.transaction_uid) == ("committed", 0, "PACS@10.0.0.1:104", "1.2.3")
    assert pacs.committed_at is not None
    assert receipt.events[0].detail["data_set_sha256"] == receipt.data_set_sha256


def test_nothing_about_the_patient_is_in_the_ledger(root):
    import struct

    name = b"DOE^JANE"
    with Spool.open(root, destinations=BOTH) as spool:
        data = part10(1)
        at = data.index(b"\x20\x00\x0d\x00")
        data = data[:at] + struct.pack("<HH2sH", 0x10, 0x10, b"PN", len(name)) + name + data[at:]
        with spool.draft() as draft:
            from fakes.spool_world import record

            draft.write(data)
            draft.seal(record(1))
    with open(f"{root}/ledger.db", "rb") as file:
        assert b"DOE" not in file.read()


TAMPERINGS = {
    "an event is changed": "UPDATE event SET detail = replace(detail, '0000', 'B000') WHERE kind = 'stored'",
    "an event is removed": "DELETE FROM event WHERE seq = 5",
    "the first event is removed": "DELETE FROM event WHERE seq = 1",
    "a time is changed": "UPDATE event SET at = at - 1 WHERE seq = 4",
    "a state is changed": "UPDATE delivery SET state = 5 WHERE instance = 2 AND destination = 1",
    "a tombstone is brought back": "UPDATE instance SET life = 21 WHERE id = 1",
    "a digest is changed": "UPDATE instance SET data_set_sha256 = zeroblob(32) WHERE id = 2",
    "a UID is changed": "UPDATE instance SET sop_instance_uid = '1.2' WHERE id = 2",
    "the last event is removed": "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_shows(root, tampering):
    with Spool.open(root, destinations=BOTH) as spool:
        live_through(spool)
        assert spool.reader.verify().faults == ()
        spool.ledger.write(lambda db: db.execute(TAMPERINGS[tampering]))
        assert spool.reader.verify().faults


def test_rows_are_paged_and_filtered(root):
    with Spool.open(root, destinations=BOTH) as spool:
        live_through(spool)
        assert [(row.id, row.state) for row in spool.rows(destination="pacs")] == [
            (1, "committed"),
            (2, "queued"),
            (3, "queued"),
        ]
        assert [row.id for row in spool.rows(destination="pacs", limit=2)] == [1, 2]
        assert [row.id for row in spool.rows(destination="pacs", after=(2, None))] == [3]
        assert [row.destination for row in spool.rows(state="queued", sop_instance_uid=uid_of(2))] == ["pacs", "second"]
        with pytest.raises(KeyError):
            spool.rows(state="sent")
        assert spool.reader.events(1)[0].kind == "durable"


def test_pages_may_end_inside_an_instance(root):
    with Spool.open(root, destinations=BOTH) as spool:
        for number in (1, 2, 3):
            capture(spool, number)
        whole = [(row.id, row.destination) for row in spool.rows()]
        assert len(whole) == 6
        for limit in (1, 2, 3, 4, 5):
            seen, after = [], ""
            while page := spool.rows(limit=limit, after=place(after or "0")):
                seen += [(row.id, row.destination) for row in page]
                after = page[-1].place
            assert seen == whole
        assert [row.id for row in spool.rows(destination="second", after=place("1/pacs"))] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", (12, None)), ("12/pacs", (12, "pacs")), ("12/a/b", (12, "a/b")), ("0", (0, None))],
)
def test_places_are_read(text, expected):
    assert place(text) == expected


@pytest.mark.parametrize("text", ["", "pacs", "-1", "1" * 30])
def test_what_is_no_place(text):
    with pytest.raises(ValueError, match="place"):
        place(text)


# --- the view -------------------------------------------------------------------------------------


def listing(root):
    return {name: os.stat(f"{root}/{name}").st_mtime_ns for name in os.listdir(root)}


def test_a_view_beside_the_daemon_and_after_it(root):
    with Spool.open(root, destinations=BOTH) as spool:
        live_through(spool)
        before = listing(root)
        with SpoolView.open(root) as view:
            assert view.running()
            assert view.counts() == spool.counts()
            capture(spool, 4)
            assert view.receipt(uid_of(4)).state == "live"
        assert listing(root).keys() == before.keys()
    before = listing(root)
    with SpoolView.open(root) as view:
        assert not view.running()
        assert view.receipt(uid_of(4)).state == "live"
        assert view.verify().faults == ()
    assert listing(root) == before


def test_a_view_of_what_a_crash_left_between_the_head_of_a_log_and_its_first_page(root):
    with Spool.open(root, destinations=BOTH) as spool:
        capture(spool, 1)
        with open(f"{root}/ledger.db-wal", "rb") as file:
            head = file.read(32)
    for name, data in (("ledger.db-wal", head), ("ledger.db-shm", bytes(32768))):
        with open(f"{root}/{name}", "wb") as file:
            file.write(data)
    with SpoolView.open(root) as view:
        assert view.receipt(uid_of(1)).state == "live"


def test_asking_who_runs_never_stands_in_the_way_of_a_start(root, monkeypatch):
    Spool.open(root).close()
    real, opened = lock._ask, []

    def start_meanwhile(fd, command):
        answer = real(fd, command)
        if command == fcntl.F_OFD_GETLK and not opened:  # the view has asked and has not yet closed its descriptor
            opened.append(None)
            opened[0] = Spool.open(root)
        return answer

    monkeypatch.setattr(lock, "_ask", start_meanwhile)
    with SpoolView.open(root) as view:
        assert not view.running()
        with opened[0]:
            assert view.running()
        assert not view.running()


def test_the_lock_dies_with_its_holder(root):
    ready, done = os.pipe()
    child = os.fork()
    if child == 0:
        lock.take(f"{root}/spool.lock")
        os.write(done, b"!")
        signal.pause()
    try:
        os.read(ready, 1)
        with pytest.raises(SpoolBusy):
            Spool.open(root)
        assert lock.held(f"{root}/spool.lock")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(done)
    assert not lock.held(f"{root}/spool.lock")
    Spool.open(root).close()


def test_a_view_after_a_crash_sees_the_log_and_writes_nothing(root, tmp_path):
    import shutil

    spool = Spool.open(root, destinations=BOTH)
    capture(spool, 1)
    for leave_index in (True, False):
        crashed = str(tmp_path / f"crashed{leave_index}")
        shutil.copytree(root, crashed)
        if not leave_index:
            os.unlink(f"{crashed}/ledger.db-shm")
        before = listing(crashed)
        with SpoolView.open(crashed) as view:
            assert view.receipt(uid_of(1)).state == "live"
        after = listing(crashed)
        if not leave_index:
            after.pop("ledger.db-shm", None)
        assert after == before
    spool.close()


def test_a_view_cannot_write(root):
    with Spool.open(root, destinations=BOTH), SpoolView.open(root) as view, pytest.raises(sqlite3.OperationalError):
        view._db.execute("DELETE FROM event")


def test_no_spool_is_said(tmp_path):
    with pytest.raises(MediaError, match="no spool"):
        SpoolView.open(str(tmp_path))


def test_a_ledger_that_is_being_made_is_said(tmp_path):
    (tmp_path / "ledger.db").touch()
    with pytest.raises(MediaError, match="has no tables yet"):
        SpoolView.open(str(tmp_path))


def test_a_reader_needs_only_rows():
    assert Reader(lambda _sql, _values: []).receipt("1.2") is None
