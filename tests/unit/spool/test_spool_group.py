"""Group commit: two flushes for many, one bad file costs itself alone, and nothing is promised before it is durable."""

from __future__ import annotations

import errno
import os
import threading

import pytest
from fakes.spool_faults import look
from fakes.spool_world import BOTH, NO_WAIT, FakeTime, World, capture, part10, record, uid_of

from agent.errors import AgentError, MediaError, NotDicomError, SpoolConflict
from agent.spool import group
from agent.spool.circle import LIMIT
from agent.spool.draft import Sealed
from agent.spool.ops import Ops
from agent.spool.store import Spool, prepare
from agent.spool.together import CALM_S, LARGE_BYTES, SLOW_S


class Watched(Ops):
    """Writes down every change; fails where it is told to."""

    __slots__ = ("calls", "fail")

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.fail = lambda _call, _path: False

    def step(self, call: str, path: str) -> None:
        self.calls.append((call, path))
        if self.fail(call, path):
            raise OSError(errno.EIO, "injected", path)

    def count(self, call: str) -> int:
        return sum(called == call for called, _ in self.calls)


@pytest.fixture
def ops() -> Watched:
    return Watched()


@pytest.fixture
def spool(tmp_path, ops):
    prepare(str(tmp_path / "spool"))
    with Spool.open(str(tmp_path / "spool"), destinations=BOTH, policy=NO_WAIT, ops=ops) as opened:
        opened.medium.watch()  # whatever the tests run on
        capture(opened, 1)
        ops.calls.clear()
        yield opened


def drafts(spool: Spool, numbers, size: int = 512, salt: int = 0):
    made = []
    for number in numbers:
        data = part10(number, size, salt)
        draft = spool.draft(len(data))
        draft.write(data)
        made.append((draft, record(number)))
    return made


def test_a_group_costs_two_flushes(spool, ops):
    ends = spool.groups.seal_all(drafts(spool, range(100, 100 + LIMIT)))
    assert [end.sop_instance_uid for end in ends] == [uid_of(number) for number in range(100, 100 + LIMIT)]
    assert (ops.count("syncfs"), ops.count("fsync"), ops.count("ledger commit")) == (2, 0, 1)
    order = [call for call, _ in ops.calls if call in {"syncfs", "rename", "ledger commit", "ledger committed"}]
    assert order == ["syncfs", *["rename"] * LIMIT, "ledger commit", "ledger committed", "syncfs"]
    assert spool.ledger.read("PRAGMA synchronous") == [(2,)]
    assert spool.counts()["pacs"] == {"queued": LIMIT + 1}
    assert spool.reader.verify().faults == ()
    assert all(os.path.getsize(end.path) == end.size for end in ends)


def test_more_than_a_group_is_several(spool, ops):
    assert len(spool.groups.seal_all(drafts(spool, range(100, 100 + 2 * LIMIT + 1)))) == 2 * LIMIT + 1
    assert (ops.count("syncfs"), ops.count("fsync"), ops.count("ledger commit")) == (4, 2, 3)  # the last one is alone


def test_one_alone_costs_what_it_did(spool, ops):
    spool.groups.seal_all(drafts(spool, [2]))
    assert (ops.count("syncfs"), ops.count("fsync"), ops.count("ledger commit")) == (0, 2, 1)


def test_without_a_flush_for_all_each_is_synced(spool, ops):
    spool.medium.close()
    assert len(spool.groups.seal_all(drafts(spool, range(100, 108)))) == 8
    assert (ops.count("syncfs"), ops.count("fsync"), ops.count("ledger commit")) == (0, 8 + 1, 1)


def test_known_and_doubled_uids_in_a_group(spool):
    ends = spool.groups.seal_all([*drafts(spool, [2, 1, 3, 3]), *drafts(spool, [1, 2], salt=1)])
    assert [type(end) for end in ends] == [Sealed] * 4 + [SpoolConflict] * 2
    assert [end.duplicate for end in ends[:4]] == [False, True, False, True]
    assert spool.counts()["second"] == {"queued": 3}
    assert len(os.listdir(f"{spool.root}/quarantine")) == 2
    assert not [name for name in os.listdir(f"{spool.root}/INST/000000") if name.endswith(".part")]


def test_who_is_no_instance_does_not_refuse_the_others(spool):
    made = drafts(spool, [2, 3, 4])
    made[1] = (made[1][0], record(5))  # not what is in the file
    ends = spool.groups.seal_all(made)
    assert [isinstance(end, Sealed) for end in ends] == [True, False, True]
    assert "announced was" in str(ends[1])


@pytest.mark.parametrize("bad", range(4))
def test_one_bad_file_costs_itself_alone(spool, ops, bad):
    """The flush says that something is lost; then each file says whether it is the one."""
    made = drafts(spool, [2, 3, 4, 5])
    lost = made[bad][0].file.path
    ops.fail = lambda call, path: call == "syncfs" or (call == "fsync" and path == lost)
    told: list[Exception] = []
    spool.trouble = told.append
    ends = spool.groups.seal_all(made)
    assert [type(error) for error in told] == [MediaError]
    assert [isinstance(end, Sealed) for end in ends] == [number != bad for number in range(4)]
    assert isinstance(ends[bad], MediaError)
    assert spool.receipt(uid_of(2 + bad)) is None
    ops.fail = lambda _call, _path: False
    assert capture(spool, 2 + bad).duplicate is False


def test_a_second_flush_that_fails_is_made_up_for(spool, ops):
    """The commit is in doubt: the ledger is reopened, the folder synced, and what is there is there."""
    seen = []
    ops.fail = lambda call, _path: call == "syncfs" and (seen.append(call) or len(seen) == 2)
    told: list[Exception] = []
    spool.trouble = told.append
    ends = spool.groups.seal_all(drafts(spool, [2, 3, 4]))
    assert len(told) == 1
    assert all(isinstance(end, Sealed) for end in ends)
    assert spool.counts()["pacs"] == {"queued": 4}
    assert spool.reader.verify().faults == ()


def test_a_commit_that_fails_is_made_up_for_and_the_receipt_says_so(spool, ops):
    seen = []
    ops.fail = lambda call, _path: call == "ledger commit" and not seen and not seen.append(call)
    ends = spool.groups.seal_all(drafts(spool, [2, 3]))
    assert all(isinstance(end, Sealed) for end in ends)
    for number in (2, 3):
        events = spool.receipt(uid_of(number)).events
        assert "the commit of its group failed" in events[0].detail["after"]
        assert "Input/output error" in events[0].detail["after"]


class AtN(Watched):
    """Fails at the Nth change, once or from then on."""

    __slots__ = ("left", "sticky")

    def __init__(self, at: int, *, sticky: bool) -> None:
        super().__init__()
        self.left, self.sticky = at, sticky

    def step(self, call: str, path: str) -> None:
        self.left -= 1
        if self.left == 0 or (self.sticky and self.left < 0):
            raise OSError(errno.EIO, "injected", path)


@pytest.mark.parametrize("sticky", [False, True], ids=["once", "from then on"])
def test_a_fault_at_any_step_of_a_group(tmp_path, sticky):
    """What was refused is not there or is found again; what was promised is there; at most one is refused for one."""
    for at in range(1, 200):
        world = World(str(tmp_path / f"{at}"))
        os.makedirs(world.root)
        ops = AtN(1 << 30, sticky=sticky)
        with world.open(ops) as spool:
            made = drafts(spool, [2, 3, 4])
            ops.left = at
            ends = spool.groups.seal_all(made)
            failed = [end for end in ends if isinstance(end, AgentError)]
            for number, end in zip([2, 3, 4], ends, strict=True):
                if isinstance(end, Sealed):
                    world.promise("captured", number, end.data_set_sha256)
            over = 0 < ops.left < 1 << 30
            assert sticky or len(failed) <= 1, f"step {at}: {failed}"
            ops.left, ops.sticky = 1 << 30, False
            for number in (2, 3, 4):
                world.capture(spool, number)
        assert look(world, rebuilt=False) == [], f"step {at}"
        if over:
            assert at == 9  # two flushes, three names, three steps of the ledger
            return
    raise AssertionError("no end")


def test_threads_that_come_meanwhile_share_a_group(spool, monkeypatch):
    """The first goes at once; while it is at it three more come, and one of them seals for all three."""
    entered, go, sizes = threading.Event(), threading.Event(), []
    plain = group.Groups._seal_group

    def slow(self, members):
        sizes.append(len(members))
        if len(sizes) == 1:
            entered.set()
            assert go.wait(10)
        plain(self, members)

    monkeypatch.setattr(group.Groups, "_seal_group", slow)
    made = drafts(spool, [2, 3, 4, 5])
    ends: dict[int, Sealed] = {}

    def seal(number: int) -> None:
        draft, told = made[number]
        ends[number] = draft.seal(told)

    threads = [threading.Thread(target=seal, args=(number,)) for number in range(4)]
    threads[0].start()
    assert entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(spool.groups._circle._waiting) < 3:
        pass  # they only have to read their drafts
    go.set()
    for thread in threads:
        thread.join(10)
    assert sizes == [1, 3]
    assert sorted(end.sop_instance_uid for end in ends.values()) == [uid_of(number) for number in (2, 3, 4, 5)]


def test_whoever_leads_and_dies_leaves_nobody_waiting(spool, monkeypatch):
    class Died(BaseException):
        pass

    def dies(_self, _members):
        raise Died

    monkeypatch.setattr(group.Groups, "_seal_group", dies)
    with pytest.raises(Died):
        spool.groups.seal_all(drafts(spool, [2, 3]))
    monkeypatch.undo()
    assert not spool.groups._circle._waiting
    assert not capture(spool, 2).duplicate


def test_a_slow_flush_gives_the_next_minute_to_single_syncs(tmp_path):
    """Others write so much to the same file system that waiting for all of it would take longer than ours does."""
    time, ops = FakeTime(), Watched()
    prepare(str(tmp_path / "spool"))
    with Spool.open(str(tmp_path / "spool"), destinations=BOTH, clock=time.clock(), ops=ops) as spool:
        spool.medium.watch()
        ops.fail = lambda call, _path: bool(call == "syncfs" and setattr(time, "now", time.now + SLOW_S + 1))
        counts = []
        for turn in range(3):
            ops.calls.clear()
            spool.groups.seal_all(drafts(spool, range(10 * turn, 10 * turn + 4)))
            counts.append((ops.count("syncfs"), ops.count("fsync") > 3))
            time.now += CALM_S / 2
        assert counts == [(2, False), (0, True), (2, False)]


def test_a_large_file_is_synced_before_it_joins(spool, ops):
    made = [*drafts(spool, [2], size=LARGE_BYTES), *drafts(spool, [3, 4])]
    large = made[0][0].file.path
    assert all(isinstance(end, Sealed) for end in spool.groups.seal_all(made))
    assert ops.calls.index(("fsync", large)) < ops.calls.index(("syncfs", spool.root))
    assert (ops.count("syncfs"), ops.count("fsync")) == (2, 1)


def test_importing_many(spool, ops, tmp_path):
    folder = tmp_path / "card"
    folder.mkdir()
    for number in range(40, 44):
        (folder / str(number)).write_bytes(part10(number))
    (folder / "42").write_bytes(b"no DICOM at all" * 100)
    paths = [str(folder / name) for name in ("40", "41", "42", "none", "43")]
    ops.calls.clear()
    ends = list(spool.groups.import_files(paths, source="card"))
    assert [path for path, _ in ends] == paths
    assert [type(end) for _, end in ends] == [Sealed, Sealed, NotDicomError, MediaError, Sealed]
    assert ops.count("syncfs") == 2
    assert spool.receipt(uid_of(43)).source == "card"
    again = [end.duplicate for _, end in spool.groups.import_files(paths[:2])]
    assert again == [True, True]
    assert not [name for name in os.listdir(f"{spool.root}/INST/000000") if name.endswith(".part")]


def test_a_row_before_its_name_is_given_its_file(tmp_path):
    """What a power cut in the second flush may leave: nothing was promised, and nothing is lost."""
    world = World(str(tmp_path))
    os.makedirs(world.root)
    with world.open() as spool:
        paths = [end.path for end in spool.groups.seal_all(drafts(spool, [2, 3, 4]))]
    os.rename(paths[0], f"{paths[0]}.part")
    os.rename(paths[1], f"{paths[1]}.part")
    with open(f"{paths[1]}.part", "r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"else")
    with world.open() as spool:
        assert (spool.report.named, spool.report.strange, spool.report.damaged) == (1, 1, 1)
        assert spool.receipt(uid_of(2)).state == "live"
        assert spool.receipt(uid_of(3)).state == "damaged"  # its bytes were durable before its row: a disk that lies
    with world.open() as spool:
        assert spool.report.clean
