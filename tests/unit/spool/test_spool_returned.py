"""What stands where an instance is or was is held against its row before anything is done with it."""

from __future__ import annotations

import os

import pytest
from fakes.spool_world import BOTH, NO_WAIT, capture, part10, record, uid_of

from agent.errors import FileUnreadable, MediaError, SpoolConflict
from agent.spool import recovery
from agent.spool.ledger import Ledger, live
from agent.spool.states import Event, Life
from agent.spool.store import Spool, prepare


@pytest.fixture
def root(tmp_path):
    prepare(str(tmp_path / "spool"))
    return str(tmp_path / "spool")


def reopened(root):
    return Spool.open(root, destinations=BOTH, policy=NO_WAIT)


def put(path, data):
    with open(path, "wb") as file:
        file.write(data)


def conflict(spool, number, salt):
    with pytest.raises(SpoolConflict) as caught:
        capture(spool, number, salt=salt)
    return str(caught.value)


def aside(root):
    """What is in quarantine, by name."""
    found = {}
    for name in sorted(os.listdir(f"{root}/quarantine")):
        with open(f"{root}/quarantine/{name}", "rb") as file:
            found[name] = file.read()
    return found


# --- numbers in quarantine ------------------------------------------------------------------------


def test_every_conflict_is_kept_and_no_number_is_given_out_again(root):
    for salt in (1, 2):
        with reopened(root) as spool:
            capture(spool, 1)
            conflict(spool, 1, salt)
    kept = aside(root)
    assert sorted(kept.values()) == sorted((part10(1, salt=1), part10(1, salt=2)))
    with reopened(root) as spool:
        sealed = capture(spool, 2)
        assert f"{sealed.id:08X}" not in kept
        os.unlink(sealed.path)
        assert spool.examine_number(sealed.id) is Life.LOST


def test_the_file_of_another_instance_in_quarantine_is_no_proof_of_damage(root):
    with reopened(root) as spool:
        sealed = capture(spool, 1)
        put(f"{root}/quarantine/{sealed.id:08X}", part10(7))  # as numbers were given out once
        os.unlink(sealed.path)
        assert spool.examine_number(sealed.id) is Life.LOST


def test_a_conflict_that_cannot_be_set_aside_stays(root, monkeypatch):
    with reopened(root) as spool:
        capture(spool, 1)

        def fail(_spool, path):
            raise MediaError(f"rename {path}: EIO")

        monkeypatch.setattr(recovery, "quarantine", fail)
        draft = spool.draft()
        draft.write(part10(1, salt=1))
        with pytest.raises(MediaError, match="EIO"):
            spool.seal(draft, record(1))
        with open(draft.file.path, "rb") as file:
            assert file.read() == part10(1, salt=1)
    with pytest.raises(MediaError, match="EIO"):  # a start that cannot set it aside either leaves it there
        Spool.open(root, destinations=BOTH)
    assert os.path.exists(draft.file.path)
    monkeypatch.undo()
    with reopened(root) as spool:
        assert (spool.report.strange, spool.report.drafts_deleted) == (1, 0)
        assert list(aside(root).values()) == [part10(1, salt=1)]
        assert spool.receipt(uid_of(1)).events[-1].kind == "other content refused"


def test_a_draft_of_the_same_content_is_no_conflict(root):
    with reopened(root) as spool:
        capture(spool, 1)
    put(f"{root}/INST/000000/00000007.part", part10(1))
    with reopened(root) as spool:
        assert (spool.report.strange, spool.report.drafts_deleted) == (0, 1)
        assert aside(root) == {}


def test_a_folder_that_is_gone_is_one_transaction(root, tmp_path, monkeypatch):
    with reopened(root) as spool:
        for number in range(1, 6):
            capture(spool, number)
    os.rename(f"{root}/INST/000000/00000002", f"{root}/quarantine/00000002")
    os.rename(f"{root}/INST/000000", tmp_path / "away")
    written = []
    real = Ledger._commit
    monkeypatch.setattr(Ledger, "_commit", lambda *how: written.append(1) or real(*how))
    with reopened(root) as spool:
        assert (spool.report.lost, spool.report.damaged) == (4, 1)
        assert len(written) <= 3
        states = [spool.receipt(uid_of(number)).state for number in range(1, 6)]
        assert states == ["lost", "damaged", "lost", "lost", "lost"]
        assert spool.reader.verify().faults == ()
    os.rename(tmp_path / "away", f"{root}/INST/000000")
    with reopened(root) as spool:
        assert spool.report.healed == 4


# --- files that came back -------------------------------------------------------------------------


@pytest.fixture
def evicted(root):
    """Where the file of an evicted instance was."""
    with reopened(root) as spool:
        sealed = capture(spool, 1)
        spool.ledger.write(lambda db: live(db, sealed.id, Event.EVICT, at=1.0))
        spool.finish_eviction([sealed.id])
    return sealed.path


@pytest.mark.parametrize("suffix", ["", ".part"])
def test_another_instance_in_the_place_of_an_evicted_one_is_kept(root, evicted, suffix):
    put(evicted + suffix, part10(77))
    with reopened(root) as spool:
        assert (spool.report.strange, spool.report.alarm) == (1, True)
        assert list(aside(root).values()) == [part10(77)]


@pytest.mark.parametrize("suffix", ["", ".part"])
def test_an_evicted_instance_that_came_back_is_removed(root, evicted, suffix):
    put(evicted + suffix, part10(1))
    with reopened(root) as spool:
        assert (spool.report.evictions_finished, spool.report.alarm) == (1, False)
        assert not os.path.exists(evicted + suffix)
        assert aside(root) == {}


def test_a_row_whose_file_has_no_name_yet_is_not_lost_while_it_cannot_be_read(root, monkeypatch):
    with reopened(root) as spool:
        sealed = capture(spool, 1)
    os.rename(sealed.path, f"{sealed.path}.part")

    def fail(path):
        raise FileUnreadable(f"read {path}: EIO")

    with monkeypatch.context() as failing:
        failing.setattr(recovery, "measured_whole", fail)
        with reopened(root) as spool:
            assert (spool.report.unreadable, spool.report.lost) == (1, 0)
            with pytest.raises(FileUnreadable, match="could not be read"):
                spool.examine_number(sealed.id)
            assert spool.receipt(uid_of(1)).state == "live"
    with reopened(root) as spool:
        assert (spool.report.named, spool.report.alarm) == (1, False)
        assert spool.examine_number(sealed.id) is Life.LIVE


@pytest.mark.parametrize("clip", [False, True])
def test_the_file_of_a_lost_row_is_taken_back_under_the_name_of_a_draft(root, clip):
    with reopened(root) as spool:
        sealed = capture(spool, 1)
        os.rename(sealed.path, f"{root}/away")
        assert spool.examine_number(sealed.id) is Life.LOST
    os.rename(f"{root}/away", f"{sealed.path}.part")
    if clip:
        put(f"{sealed.path}.clip", b"")
    with reopened(root) as spool:
        assert (spool.report.healed, spool.report.alarm) == (1, False)
        assert spool.examine_number(sealed.id) is Life.LIVE


def test_another_file_under_the_name_of_a_draft_of_a_lost_row_is_kept(root):
    with reopened(root) as spool:
        sealed = capture(spool, 1)
        os.unlink(sealed.path)
        assert spool.examine_number(sealed.id) is Life.LOST
    put(f"{sealed.path}.part", part10(7))
    with reopened(root) as spool:
        assert (spool.report.healed, spool.report.strange) == (0, 1)
        assert list(aside(root).values()) == [part10(7)]


def test_a_second_file_of_a_row_is_removed_only_when_both_are_whole(root):
    with reopened(root) as spool:
        sealed = capture(spool, 1)
    put(f"{sealed.path}.part", part10(7))
    with reopened(root) as spool:
        assert spool.report.strange == 1
        assert list(aside(root).values()) == [part10(7)]
    put(f"{sealed.path}.part", part10(1))
    with reopened(root) as spool:
        assert (spool.report.drafts_deleted, spool.report.alarm) == (1, False)
