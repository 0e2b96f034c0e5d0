"""A spool is one file system, the one that was opened: anything else is refused, or proves nothing."""

from __future__ import annotations

import os

import pytest
from fakes.spool_world import BOTH, capture, uid_of

from agent.errors import MediaError
from agent.spool.mount import check
from agent.spool.returned import take_back_lost
from agent.spool.states import Event, Life
from agent.spool.store import Spool, prepare
from agent.spool.watch import Levels, Watch


@pytest.fixture
def root(tmp_path):
    prepare(str(tmp_path / "spool"))
    return str(tmp_path / "spool")


@pytest.mark.parametrize("name", ["INST", "quarantine", "INST/000000"])
def test_a_symbolic_link_in_the_spool_is_refused(root, tmp_path, name):
    with Spool.open(root, destinations=BOTH) as spool:
        capture(spool, 1)
    os.rename(f"{root}/{name}", tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", f"{root}/{name}")
    with pytest.raises(MediaError, match=f"{name} is a symbolic link") as caught:
        Spool.open(root, destinations=BOTH)
    assert caught.value.exit_status == 16
    os.unlink(f"{root}/{name}")
    os.rename(tmp_path / "elsewhere", f"{root}/{name}")
    with Spool.open(root, destinations=BOTH) as spool:
        assert spool.report.clean


def elsewhere(monkeypatch, path):
    """Let ``path`` look as if another file system were mounted there."""
    real = os.lstat

    def lstat(asked, **how):
        found = real(asked, **how)
        return os.stat_result([*found[:2], found.st_dev + 1, *found[3:]]) if asked == path else found

    monkeypatch.setattr(os, "lstat", lstat)


@pytest.mark.parametrize("name", ["INST", "quarantine", "INST/000000"])
def test_another_file_system_in_the_spool_is_refused(root, monkeypatch, name):
    with Spool.open(root, destinations=BOTH) as spool:
        capture(spool, 1)
    elsewhere(monkeypatch, f"{root}/{name}")
    with pytest.raises(MediaError, match=f"{name} is on another file system than the spool"):
        Spool.open(root, destinations=BOTH)


def test_nothing_is_captured_into_a_folder_that_another_medium_covers(root, monkeypatch):
    with Spool.open(root, destinations=BOTH) as spool:
        capture(spool, 1)
        elsewhere(monkeypatch, f"{root}/INST/000000")
        with pytest.raises(MediaError, match="another file system"):
            spool.draft()


def test_a_mount_in_the_spool_is_refused_even_of_the_same_file_system(root, tmp_path):
    listed = tmp_path / "mountinfo"
    line = "36 35 8:1 {of} {at} rw - ext4 /dev/sda1 rw\n"
    listed.write_text(line.format(of="/", at="/") + line.format(of="/big", at=f"{os.path.realpath(root)}/INST"))
    with pytest.raises(MediaError, match="something is mounted in the spool, at "):
        check(root, mountinfo=str(listed))


def test_a_medium_over_the_images_is_an_alarm(root, monkeypatch):
    with Spool.open(root, destinations=BOTH) as spool:
        watch = Watch(spool, Levels())
        assert watch.look() == []
        elsewhere(monkeypatch, f"{root}/INST")
        (one,) = watch.look()
        assert (one.cause, one.refuses, one.returned) == ("medium", True, False)
        assert "another file system" in one.text


def test_what_stands_in_the_place_of_a_folder_is_refused(root):
    with open(f"{root}/INST", "wb"):
        pass
    with pytest.raises(MediaError, match="INST is not a folder"):
        Spool.open(root, destinations=BOTH)


def test_a_medium_that_is_away_loses_nothing(root, tmp_path):
    with Spool.open(root, destinations=BOTH) as spool:
        sealed = capture(spool, 1)
        os.rename(root, tmp_path / "away")
        os.mkdir(root)
        for look in (
            lambda: spool.examine_number(sealed.id),
            lambda: spool.give_up(sealed.id, Event.LOSE, "its file is gone"),
            lambda: spool.give_up(sealed.id, Event.DAMAGE, "its digest is another"),
        ):
            with pytest.raises(MediaError, match="the medium of the spool is not at"):
                look()
        os.rmdir(root)
        os.rename(tmp_path / "away", root)
        assert spool.examine_number(sealed.id) is Life.LIVE
        assert spool.counts()["pacs"] == {"queued": 1}


def test_a_medium_that_is_back_before_it_is_asked_after_loses_nothing(root, tmp_path, monkeypatch):
    with Spool.open(root, destinations=BOTH) as spool:
        sealed = capture(spool, 1)
        os.rename(sealed.path, tmp_path / "away")
        monkeypatch.setattr(Spool, "assure", lambda _spool: os.rename(tmp_path / "away", sealed.path))
        assert spool.examine_number(sealed.id) is Life.LIVE


@pytest.mark.parametrize("suffix", ["", ".part"])
def test_a_lost_instance_is_taken_back_when_its_file_is_there_again(root, tmp_path, suffix):
    with Spool.open(root, destinations=BOTH) as spool:
        sealed, other = capture(spool, 1), capture(spool, 2)
        for one in (sealed, other):
            os.rename(one.path, tmp_path / f"{one.id}")
            assert spool.examine_number(one.id) is Life.LOST
        assert take_back_lost(spool) == []
        os.rename(tmp_path / f"{sealed.id}", sealed.path + suffix)
        os.rename(tmp_path / f"{other.id}", other.path)
        with open(other.path, "ab") as file:
            file.write(b"other")
        assert take_back_lost(spool) == [uid_of(1)]
        assert spool.counts()["pacs"] == {"queued": 1, "lost": 1}
        assert spool.examine_number(sealed.id) is Life.LIVE
