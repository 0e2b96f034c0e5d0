"""Eviction unlinks the file that it decided about, and no other one in its place."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from fakes.spool_world import BOTH, NO_WAIT, World, capture, part10, uid_of

from agent.errors import MediaError
from agent.spool import recovery
from agent.spool.faults import read_error
from agent.spool.store import Spool, prepare


@pytest.fixture
def world(tmp_path):
    world = World(str(tmp_path))
    prepare(world.root)
    return world


@pytest.fixture
def spool(world):
    """Instances 1, 2 and 3, committed everywhere."""
    with Spool.open(world.root, destinations=BOTH, policy=NO_WAIT) as spool:
        for number in (1, 2, 3):
            capture(spool, number)
        world.finish(spool)
        yield spool


def path_of(spool, number):
    return f"{spool.root}/{spool.receipt(uid_of(number)).file}"


def aside(spool):
    return [path.read_bytes() for path in sorted(Path(spool.root, "quarantine").iterdir())]


@pytest.mark.parametrize("other", [part10(77, size=1024), part10(1, salt=9), b"notes"], ids=["size", "digest", "text"])
def test_another_file_in_the_place_of_one_that_is_evicted_is_kept(spool, other):
    path = path_of(spool, 1)
    os.unlink(path)
    with open(path, "wb") as file:
        file.write(other)
    os.utime(path, (4e9, 4e9))
    assert spool.evict() == 3
    assert aside(spool) == [other]
    assert not os.path.exists(path)
    gone = spool.receipt(uid_of(1)).events[-1]
    assert (gone.kind, gone.detail) == ("evicted", {"other_file": f"{spool.root}/quarantine/{os.path.basename(path)}"})
    assert spool.reader.verify().faults == ()


def test_a_file_written_later_is_read_before_it_goes(spool, monkeypatch):
    read = []
    real = recovery.measured_whole
    monkeypatch.setattr(recovery, "measured_whole", lambda path: read.append(path) or real(path))
    path = path_of(spool, 2)
    os.utime(path, (4e9, 4e9))
    assert spool.evict() == 3
    assert read == [path]
    assert aside(spool) == []


def test_a_folder_or_link_in_its_place_is_kept(spool, tmp_path):
    path = path_of(spool, 1)
    os.rename(path, tmp_path / "away")
    os.symlink(tmp_path / "away", path)
    assert spool.evict() == 3
    assert (tmp_path / "away").read_bytes() == part10(1)


def test_nothing_is_unlinked_on_another_medium(spool, monkeypatch):
    def gone(_spool):
        raise MediaError("the medium of the spool is not there now")

    monkeypatch.setattr(Spool, "assure", gone)
    with pytest.raises(MediaError):
        spool.evict()
    assert all(os.path.exists(path_of(spool, number)) for number in (1, 2, 3))


def test_what_cannot_be_read_waits_and_no_other_one_with_it(spool, monkeypatch):
    path = path_of(spool, 1)
    os.utime(path, (4e9, 4e9))
    real = recovery.measured_whole

    def failing(asked):
        if asked == path:
            raise read_error(OSError(errno.EIO, "EIO"), asked)
        return real(asked)

    monkeypatch.setattr(recovery, "measured_whole", failing)
    for _ in range(2):
        spool.evict()
        states = [spool.receipt(uid_of(number)).state for number in (1, 2, 3)]
        assert states == ["evicting", "evicted", "evicted"]
        assert os.path.exists(path)
    monkeypatch.setattr(recovery, "measured_whole", real)
    spool.evict()
    assert spool.receipt(uid_of(1)).state == "evicted"
