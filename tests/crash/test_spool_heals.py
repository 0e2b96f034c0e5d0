"""The medium fails while the spool is open, then it is well again: the same process goes on, and nothing was promised
that is not there. Also a real SIGKILL at random moments, and a medium that is really full.
"""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from fakes.spool_faults import look
from fakes.spool_world import BOTH, NO_WAIT, World, capture, part10, record, uid_of

from agent.errors import AgentError, MediaError, SpoolError, SpoolFull
from agent.spool.ops import Ops
from agent.spool.quota import Policy
from agent.spool.states import Life
from agent.spool.store import Spool

pytestmark = pytest.mark.fault


class Switched(Ops):
    """Fails at the Nth step from ``arm`` on, once or until ``disarm``."""

    __slots__ = ("code", "left", "sticky")

    def __init__(self) -> None:
        self.left, self.code, self.sticky = 0, 0, False

    def arm(self, at: int, code: int, *, sticky: bool) -> None:
        self.left, self.code, self.sticky = at, code, sticky

    def step(self, call: str, path: str) -> None:
        if self.left > 0:
            self.left -= 1
            if self.left == 0:
                self.left = 1 if self.sticky else 0
                raise OSError(self.code, os.strerror(self.code), path)


@pytest.mark.parametrize("sticky", [False, True], ids=["once", "for a while"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_the_same_process_goes_on_after_the_fault(tmp_path: Path, code: int, sticky: bool) -> None:
    """One life after the other, each with a fault at its Nth step; what failed is tried again once it is over."""
    world = World(str(tmp_path))
    os.makedirs(world.root)
    ops = Switched()
    with world.open(ops) as spool:
        failures = 0
        for number in range(1, 40):
            ops.arm(number, code, sticky=sticky)
            try:
                world.capture(spool, number, head_last=True)
                world.send(spool, "pacs")
                world.send(spool, "second")
                uid, asked = world.ask(spool)
                world.settle(spool, uid, asked)
                spool.evict()
            except SpoolError:
                failures += 1
            ops.arm(0, 0, sticky=False)
            world.capture(spool, number, head_last=True)  # the capture side tries again: new or duplicate, one content
        assert failures > 10
        world.finish(spool)
        spool.evict()  # as the keeper does: what was interrupted is finished
        # What was claimed and not reported is still active, as it is with a worker that keeps its items; nothing else.
        states = {state for counts in spool.counts().values() for state in counts}
        assert states <= {"active", "stored", "committed"}
        assert set(spool.reader.lives()) <= {"live", "evicted"}
    wrong = look(world, rebuilt=False)
    assert not wrong, "\n".join(wrong[:20])


def test_a_commit_in_doubt_is_looked_at_again(tmp_path: Path) -> None:
    """The row may or may not be there after a failed commit; one more seal finds out and adopts."""

    class CommitFails(Ops):
        __slots__ = ("on",)

        def step(self, call: str, path: str) -> None:
            if getattr(self, "on", False) and call == self.on:
                self.on = None
                raise OSError(errno.EIO, "injected", path)

    for call in ("ledger begin", "ledger commit", "ledger committed"):
        world = World(str(tmp_path / call.replace(" ", "-")))
        os.makedirs(world.root)
        ops = CommitFails()
        with world.open(ops) as spool:
            capture(spool, 1)
            ops.on = call
            with pytest.raises(MediaError):
                capture(spool, 2)
            capture(spool, 3)
            assert spool.receipt(uid_of(2)).state == "live"
            assert capture(spool, 2).duplicate
            assert spool.counts()["pacs"] == {"queued": 3}
            assert spool.reader.verify().faults == ()
        assert look(world, rebuilt=False) == []


KILLED = """
    import sys, os
    sys.path.insert(0, sys.argv[1])
    from fakes.spool_world import World
    world = World(sys.argv[2])
    number = 100 * int(sys.argv[3])
    with world.open() as spool:
        while True:
            number += 1
            world.capture(spool, number, size=3200 * (number % 7 + 1), head_last=number % 2 == 0)
            print("captured", flush=True)
            world.send(spool, "pacs", one_by_one=True)
            world.send(spool, "second")
            uid, asked = world.ask(spool)
            world.settle(spool, uid, asked)
            spool.evict()
"""


def test_sigkill_at_random_moments(tmp_path: Path) -> None:
    world = World(str(tmp_path))
    os.makedirs(world.root)
    dice = random.Random(7)
    wrong: list[str] = []
    for turn in range(12):
        command = [
            sys.executable,
            "-c",
            textwrap.dedent(KILLED),
            str(Path(__file__).parent.parent),
            world.folder,
            str(turn),
        ]
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        for _ in range(dice.randint(1, 4)):  # however busy the machine is
            assert child.stdout.readline() == b"captured\n"
        try:
            child.wait(timeout=dice.uniform(0.0, 0.05))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        child.stdout.close()
        wrong += look(world, rebuilt=False)
    assert not wrong, "\n".join(wrong[:20])
    captured = sum(words[0] == "captured" for words in world.promises())
    print(f"{captured} captures over 12 kills")
    assert captured > 12


# --- a medium that is really full, really gone, really read-only ------------------------------------


@pytest.fixture
def small(tmp_path: Path):
    """A tmpfs of 4 MiB; needs the right to mount."""
    point = tmp_path / "small"
    point.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,nr_inodes=64", "none", str(point)], check=False,
        capture_output=True, text=True)  # fmt: skip
    if done.returncode:
        pytest.skip(f"NOT TESTED: a full medium; mounting a tmpfs needs root ({done.stderr.strip()})")
    yield point
    subprocess.run(["umount", "-l", str(point)], check=True)


FEW = Policy(min_free_bytes=256 * 1024, min_free_fraction=0.0, min_free_inodes=8, evict_after_s=0.0, reask_after_s=0.0)


def fill(spool: Spool, size: int) -> int:
    """Capture until there is no room; returns how many."""
    for number in range(1, 1000):
        try:
            capture(spool, number, size=size)
        except SpoolFull:
            return number - 1
    raise AssertionError("a medium of 4 MiB took 1,000 instances")


def test_a_full_medium_refuses_before_it_promises(small: Path) -> None:
    with Spool.open(str(small), destinations=BOTH, policy=FEW) as spool:
        captured = fill(spool, 64 * 1024)
        for item in spool.claim("pacs", spool.clock.monotonic(), 1000):
            assert spool.examine(item) is Life.LIVE
        assert spool.reader.lives() == {"live": captured}
    with Spool.open(str(small), destinations=BOTH, policy=FEW) as spool:
        assert not spool.report.alarm
        world = World(str(small.parent))
        world.root = str(small)
        world.finish(spool)
        for number in range(2000, 2100):  # room is made behind commitment, oldest first
            assert os.path.exists(capture(spool, number, size=64 * 1024).path)
            if spool.receipt(uid_of(1)).state == "evicted":
                break
        assert number < 2099
        assert spool.receipt(uid_of(captured)).state == "live"


def test_no_inodes(small: Path) -> None:
    with Spool.open(str(small), destinations=BOTH, policy=FEW) as spool:
        assert fill(spool, 512) < 64


def test_full_without_warning(small: Path) -> None:
    """Somebody else fills the medium between our admission and our write: the file system says no, nothing is left."""
    with Spool.open(str(small), destinations=BOTH, policy=FEW._replace(min_free_bytes=0, min_free_inodes=0)) as spool:
        capture(spool, 1)
        draft = spool.draft(100)
        draft.write(part10(2)[:100])
        with open(small / "other", "wb") as other, pytest.raises(OSError, match="No space"):
            other.write(bytes(8 << 20))
        with pytest.raises(SpoolFull):
            draft.write(bytes(1 << 20))
        draft.abandon()
        with pytest.raises(SpoolFull):
            capture(spool, 3, size=1 << 20)
        os.unlink(small / "other")
        capture(spool, 3, size=1 << 20)
        assert len(os.listdir(small / "INST" / "000000")) == 2


def test_read_only_while_running_and_at_start(small: Path) -> None:
    with Spool.open(str(small), destinations=BOTH, policy=FEW) as spool:
        capture(spool, 1)
        done = subprocess.run(["mount", "-o", "remount,ro", str(small)], check=False, capture_output=True, text=True)
        if done.returncode:  # files are open for writing: the kernel refuses, a failing card does not
            assert "busy" in done.stderr
        else:
            with pytest.raises(MediaError, match="Read-only"):
                capture(spool, 2)
            subprocess.run(["mount", "-o", "remount,rw", str(small)], check=True)
        capture(spool, 2)
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    with pytest.raises(MediaError, match="read-only"):
        Spool.open(str(small), policy=FEW)
    subprocess.run(["mount", "-o", "remount,rw", str(small)], check=True)
    with Spool.open(str(small), destinations=BOTH, policy=FEW._replace(require_mount=str(small))) as spool:
        assert len(spool.rows()) == 4


def test_file_too_large_and_too_many_open(tmp_path: Path) -> None:
    import resource

    os.makedirs(tmp_path / "spool")
    with Spool.open(str(tmp_path / "spool"), destinations=BOTH, policy=NO_WAIT) as spool:
        for limit, value, kind in (
            (resource.RLIMIT_FSIZE, 256 * 1024, SpoolFull),
            (resource.RLIMIT_NOFILE, 3, MediaError),
        ):
            soft, hard = resource.getrlimit(limit)
            old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(limit, (value, hard))
            try:
                with pytest.raises(kind):
                    capture(spool, 1, size=512 * 1024)
            finally:
                resource.setrlimit(limit, (soft, hard))
                signal.signal(signal.SIGXFSZ, old)
        assert capture(spool, 1).id
        assert record(1)
        assert issubclass(kind, AgentError)


def test_a_start_that_fails_anywhere_leaves_nothing_open(tmp_path: Path) -> None:
    """The agent tries again in the same process, for as long as the medium is unwell."""
    before = set(os.listdir("/proc/self/fd"))
    for number in range(1, 40):
        world = World(str(tmp_path / str(number)))
        os.makedirs(world.root)
        ops = Switched()
        ops.arm(number, errno.EIO, sticky=False)
        try:
            world.open(ops).close()
        except AgentError:
            left = set(os.listdir("/proc/self/fd")) - before
            assert not left, f"the start fails at step {number}: {len(left)} descriptors are left open"
        else:
            assert ops.left, "no start failed"
            return
    pytest.fail("a start has more steps than that")
