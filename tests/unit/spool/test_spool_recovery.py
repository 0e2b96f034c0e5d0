"""Recovery: each rule of the table, the ledger rebuilt from files, and what the report says."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import threading

import pytest
from fakes.spool_world import BOTH, capture, part10, uid_of

from agent.errors import MediaError
from agent.spool import recovery
from agent.spool.checking import SAYS
from agent.spool.finding import CASES
from agent.spool.ops import Ops
from agent.spool.recovery import ACTS
from agent.spool.report import Report
from agent.spool.states import Life
from agent.spool.store import Spool, prepare


@pytest.fixture
def root(tmp_path):
    prepare(str(tmp_path / "spool"))
    return str(tmp_path / "spool")


@pytest.fixture
def used(root):
    """A spool with instances 1, 2 and 3, closed."""
    with Spool.open(root, destinations=BOTH) as spool:
        for number in (1, 2, 3):
            capture(spool, number)
    return root


def reopen(root):
    """Recover twice; the second time there must be nothing to do. Returns the first report and an open spool."""
    with Spool.open(root, destinations=BOTH) as spool:
        report = spool.report
    spool = Spool.open(root, destinations=BOTH)
    assert spool.report.clean
    assert spool.reader.verify().faults == ()
    return report, spool


def put(root, name, data):
    path = f"{root}/INST/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return path


def test_a_clean_stop_needs_nothing(used):
    report, spool = reopen(used)
    with spool:
        assert report == Report()


def test_a_draft_is_deleted(used):
    path = put(used, "000000/00000009.part", b"half")
    report, spool = reopen(used)
    with spool:
        assert (report.drafts_deleted, report.alarm) == (1, False)
        (note,) = report.notes
        assert note.startswith(f"{path} deleted: 4 bytes of a capture or copy that was never finished")
        assert not os.path.exists(path)
        assert capture(spool, 9).id == 10 - 6  # the number of a deleted draft names nothing; 4 is the next


def test_a_file_without_row_is_adopted(used):
    put(used, "000000/00000009", part10(9))
    report, spool = reopen(used)
    with spool:
        assert (report.adopted, report.alarm) == (1, False)
        receipt = spool.receipt(uid_of(9))
        assert (receipt.id, receipt.source, receipt.series_uid) == (9, "recovered", "1.2.3.4.5")
        assert spool.counts()["pacs"] == {"queued": 4}
        assert capture(spool, 10).id == 10


def test_a_second_file_of_the_same_content_is_removed(used):
    put(used, "000000/00000009", part10(1))
    report, spool = reopen(used)
    with spool:
        assert (report.duplicates_removed, report.adopted, report.alarm) == (1, 0, False)


def test_other_content_under_a_known_uid_is_set_aside(used):
    put(used, "000000/00000009", part10(1, salt=1))
    report, spool = reopen(used)
    with spool:
        assert (report.strange, report.alarm) == (1, True)
        assert os.listdir(f"{used}/quarantine") == ["00000009"]


@pytest.mark.parametrize(
    "name",
    ["000000/readme.txt", "000000/00000100", "000000/0000000a", "000000/x.part", "WHATEVER/00000001", "000000/'; --"],
)
def test_names_that_are_not_ours_are_set_aside(used, name):
    path = put(used, name, part10(9))
    report, spool = reopen(used)
    with spool:
        assert report.strange == 1
        assert not os.path.exists(path)
        (kept,) = os.listdir(f"{used}/quarantine")
        assert kept.startswith(("strange", "00000100"))


def test_a_symbolic_link_is_set_aside_unfollowed(used, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(part10(9))
    os.symlink(secret, f"{used}/INST/000000/00000009")
    report, spool = reopen(used)
    with spool:
        assert report.strange == 1
        assert spool.receipt(uid_of(9)) is None


def test_what_is_no_dicom_is_set_aside(used):
    put(used, "000000/00000009", b"not at all")
    put(used, "000000/0000000A", part10(10)[:-1])
    report, spool = reopen(used)
    with spool:
        assert report.strange == 2
        assert sorted(os.listdir(f"{used}/quarantine")) == ["00000009", "0000000A"]


def test_a_file_that_is_gone_is_lost_and_healed_when_it_is_back(used, tmp_path):
    path = f"{used}/INST/000000/00000002"
    shutil.move(path, tmp_path / "away")
    report, spool = reopen(used)
    with spool:
        assert (report.lost, report.alarm) == (1, True)
        assert spool.receipt(uid_of(2)).state == "lost"
        assert spool.counts()["pacs"] == {"queued": 2, "lost": 1}
    shutil.move(tmp_path / "away", path)
    report, spool = reopen(used)
    with spool:
        assert (report.healed, report.alarm) == (1, False)
        assert spool.counts()["pacs"] == {"queued": 3}


def test_a_file_of_another_size_is_damaged(used):
    with open(f"{used}/INST/000000/00000002", "ab") as file:
        file.write(b"!")
    report, spool = reopen(used)
    with spool:
        assert (report.damaged, report.lost) == (1, 0)
        assert spool.receipt(uid_of(2)).state == "damaged"
        assert os.listdir(f"{used}/quarantine") == ["00000002"]


def test_a_crash_between_setting_aside_and_the_row(used):
    os.rename(f"{used}/INST/000000/00000002", f"{used}/quarantine/00000002")
    report, spool = reopen(used)
    with spool:
        assert (report.damaged, report.lost) == (1, 0)


def test_the_content_of_a_lost_instance_under_another_number(used):
    os.rename(f"{used}/INST/000000/00000002", f"{used}/INST/000000/00000009")
    with Spool.open(used, destinations=BOTH) as spool:
        assert (spool.report.lost, spool.report.healed) == (0, 1)
        assert spool.receipt(uid_of(2)).state == "live"
        assert not os.path.exists(f"{used}/INST/000000/00000009")


def test_what_was_under_way_is_queued_again(used):
    with Spool.open(used, destinations=BOTH) as spool:
        now = spool.clock.monotonic()
        items = spool.claim("pacs", now, 2)
        spool.deferred(items[0], "busy", now + 1e6)
    report, spool = reopen(used)
    with spool:
        assert report.requeued == 1
        assert len(spool.claim("pacs", spool.clock.monotonic())) == 3


def test_evictions_are_finished(used):
    with Spool.open(used, destinations=BOTH) as spool:
        spool.ledger.write(lambda db: spool._begin(db, [1, 2]))
    os.unlink(f"{used}/INST/000000/00000001")
    report, spool = reopen(used)
    with spool:
        assert (report.evictions_finished, report.lost, report.alarm) == (2, 0, False)
        assert spool.reader.lives() == {"live": 1, "evicted": 2}
    put(used, "000000/00000001", part10(1))  # a restored backup
    report, spool = reopen(used)
    with spool:
        assert report.evictions_finished == 1
        assert not os.path.exists(f"{used}/INST/000000/00000001")


def test_open_transactions_end_soon_after_a_restart(used):
    with Spool.open(used, destinations=BOTH) as spool:
        now = spool.clock.monotonic()
        for item in spool.claim("pacs", now):
            spool.stored(item)
        spool.open_transaction("pacs", spool.awaiting_commitment("pacs", now), "1.2.3", now + 1e6)
    _report, spool = reopen(used)
    with spool:
        (open_,) = spool.open_transactions()
        now = spool.clock.monotonic()
        assert now < open_.deadline <= now + spool.policy.reask_after_s
        assert spool.settle("1.2.3", [uid_of(1)])


# --- files the medium does not give back -----------------------------------------------------------


def bad_sector(monkeypatch, *names):
    """Let every read of these files fail, as a medium with a bad sector does."""
    real = os.preadv

    def preadv(fd, buffers, offset):
        if os.readlink(f"/proc/self/fd/{fd}").rsplit("/", 1)[1] in names:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(fd, buffers, offset)

    monkeypatch.setattr(os, "preadv", preadv)


def test_an_unreadable_file_does_not_stop_the_start(used, monkeypatch):
    path = put(used, "000000/00000009", part10(9))
    put(used, "000000/0000000A", part10(10))
    bad_sector(monkeypatch, "00000009")
    for _ in range(2):
        with Spool.open(used, destinations=BOTH) as spool:
            assert (spool.report.unreadable, spool.report.alarm, spool.report.strange) == (1, True, 0)
            assert any("00000009: Input/output error; left in place" in note for note in spool.report.notes)
            assert list(spool.unreadable) == [9]
            assert spool.receipt(uid_of(10)).state == "live"
            assert spool.reader.events(9)[-1].kind == "unreadable"
            assert os.path.exists(path)
            assert capture(spool, 11).id > 10
            assert spool.reader.verify().faults == ()
    monkeypatch.undo()
    with Spool.open(used, destinations=BOTH) as spool:
        assert (spool.report.adopted, spool.report.alarm, spool.unreadable) == (1, False, {})
        assert spool.receipt(uid_of(9)).id == 9


def test_a_copy_is_kept_while_the_other_one_cannot_be_read(used, monkeypatch):
    path = put(used, "000000/00000009", part10(1))
    bad_sector(monkeypatch, "00000001")
    with Spool.open(used, destinations=BOTH) as spool:
        assert (spool.report.unreadable, spool.report.duplicates_removed) == (1, 0)
        assert spool.receipt(uid_of(1)).state == "live"
        assert os.path.exists(path)


def test_what_came_back_and_cannot_be_read_stays(used, tmp_path, monkeypatch):
    path = f"{used}/INST/000000/00000002"
    shutil.move(path, tmp_path / "away")
    Spool.open(used, destinations=BOTH).close()
    shutil.move(tmp_path / "away", path)
    bad_sector(monkeypatch, "00000002")
    with Spool.open(used, destinations=BOTH) as spool:
        assert (spool.report.unreadable, spool.report.strange) == (1, 0)
        assert spool.receipt(uid_of(2)).state == "lost"
    monkeypatch.undo()
    report, spool = reopen(used)
    with spool:
        assert report.healed == 1


def test_a_name_or_folder_that_cannot_be_looked_at_loses_nothing(used, monkeypatch):
    real = os.scandir

    class Entry:
        def __init__(self, entry):
            self.name, self.path, self.is_dir = entry.name, entry.path, entry.is_dir

        def is_file(self, **_how):
            raise OSError(errno.EIO, "Input/output error")

    def entries(path):
        return [Entry(entry) if entry.name == "00000002" else entry for entry in real(path)]

    def nothing(path):
        if path.endswith("/000000"):
            raise OSError(errno.EIO, "Input/output error")
        return real(path)

    for scandir in (entries, nothing):
        monkeypatch.setattr(os, "scandir", scandir)
        with Spool.open(used, destinations=BOTH) as spool:
            assert (spool.report.unreadable, spool.report.lost) == (1, 0)
            assert spool.reader.lives() == {"live": 3}


class CommitFails(Ops):
    """The next commit fails."""

    on = False

    def step(self, call, _path):
        if self.on and call == "ledger commit":
            self.on = False
            raise OSError(errno.EIO, "injected")


@pytest.fixture
def orphaned(used):
    """An open spool whose instance 4 is a file without row, because its commit failed."""
    ops = CommitFails()
    with Spool.open(used, destinations=BOTH, ops=ops) as spool:
        ops.on = True
        with pytest.raises(MediaError):
            capture(spool, 4)
        yield spool


def test_an_orphan_is_adopted_by_one_thread(orphaned, monkeypatch):
    """Two that seal at once must not take the orphan for a duplicate of itself and remove the only copy."""
    both = threading.Barrier(2)
    real = recovery.measured_whole

    def measured(path):
        found = real(path)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.3)  # so that two adopt at once, if two can
        return found

    monkeypatch.setattr(recovery, "measured_whole", measured)
    threads = [threading.Thread(target=capture, args=(orphaned, number)) for number in (5, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.path.exists(orphaned.path(4))
    assert [orphaned.receipt(uid_of(number)).state for number in (4, 5, 6)] == ["live"] * 3
    assert orphaned.examine_number(4) is Life.LIVE
    assert os.listdir(f"{orphaned.root}/quarantine") == []


def test_an_instance_is_no_duplicate_of_itself(used):
    with Spool.open(used, destinations=BOTH) as spool:
        what, _text = recovery.adopt(spool, 1)
        assert what == "adopted"
        assert os.path.exists(spool.path(1))
        with open(spool.path(2), "r+b") as file:
            file.seek(-1, 2)
            file.write(b"!")
        recovery.adopt(spool, 2)
        assert os.path.exists(spool.path(2))


def test_an_unreadable_orphan_fails_no_other_seal(orphaned, monkeypatch):
    bad_sector(monkeypatch, "00000004")
    for number in (5, 6):
        assert not capture(orphaned, number).duplicate
    assert list(orphaned.unreadable) == [4]
    assert orphaned.reader.events(4)[-1].kind == "unreadable"
    assert os.path.exists(orphaned.path(4))


def test_an_orphan_that_cannot_be_adopted_yet_fails_no_other_seal_and_is_not_forgotten(orphaned, monkeypatch):
    def fails(_path):
        raise MediaError("no file descriptors")

    monkeypatch.setattr(recovery, "measured_whole", fails)
    assert not capture(orphaned, 5).duplicate
    monkeypatch.undo()
    capture(orphaned, 6)
    assert orphaned.receipt(uid_of(4)).state == "live"


def test_every_rule_has_been_seen_here():
    assert list(SAYS) == list(ACTS) == [case.name for case in CASES] == [
        "name not ours", "row before name", "evicted, file back", "given up, file back", "clip cut off", "draft",
        "record of a clip", "evicting", "row without file", "other size", "file without row",
    ]  # fmt: skip


# --- the ledger ----------------------------------------------------------------------------------


def spoil_header(path):
    with open(path, "r+b") as file:
        file.write(b"no database any more" * 8)


def spoil_pages(path):
    with open(path, "r+b") as file:
        for page in range(2, os.path.getsize(path) // 4096):
            file.seek(page * 4096)
            file.write(os.urandom(64))


def cut_short(path):
    os.truncate(path, os.path.getsize(path) // 2)


@pytest.mark.parametrize("spoil", [spoil_header, spoil_pages, cut_short, os.unlink])
def test_the_ledger_is_rebuilt_from_the_files(used, spoil):
    spoil(f"{used}/ledger.db")
    report, spool = reopen(used)
    with spool:
        assert report.ledger_rebuilt
        assert report.alarm
        assert report.adopted == 3
        assert spool.counts() == {"pacs": {"queued": 3}, "second": {"queued": 3}}
        assert capture(spool, 1).duplicate
        kept = sorted(os.listdir(f"{used}/quarantine"))
    if spoil is not os.unlink:
        assert kept[0] == "ledger-1"
        assert report.ledger_aside == f"{used}/quarantine/ledger-1"


def test_a_log_without_its_database_is_never_replayed(used, tmp_path):
    spool = Spool.open(used, destinations=BOTH)
    capture(spool, 4)
    shutil.copy(f"{used}/ledger.db-wal", tmp_path / "wal")
    spool.close()
    os.unlink(f"{used}/ledger.db")
    shutil.copy(tmp_path / "wal", f"{used}/ledger.db-wal")
    report, spool = reopen(used)
    with spool:
        assert report.adopted == 4
        assert os.listdir(f"{used}/quarantine") == ["ledger-1-wal"]


def test_a_newer_ledger_is_left_alone(used):
    from agent.errors import SpoolError

    with sqlite3.connect(f"{used}/ledger.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(SpoolError, match="version 99"):
        Spool.open(used)
    assert os.listdir(f"{used}/quarantine") == []
