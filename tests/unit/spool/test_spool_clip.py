"""clip.py, salvage.py: what is left of a clip whose process is gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes.spool_clips import Clip, cut_uid, frames_in
from fakes.spool_world import BOTH, NO_WAIT, World, uid_of

from agent.dataset.uid import EXPLICIT_VR_LE, RLE_LOSSLESS
from agent.errors import MediaError, SpoolError
from agent.spool.clip import marks
from agent.spool.names import clip_path
from agent.spool.ops import Ops
from agent.spool.store import Spool

SYNTAXES = pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, RLE_LOSSLESS], ids=["native", "encapsulated"])


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(str(tmp_path))
    os.makedirs(made.root)
    return made


def cut(world: World, syntax: str, *, unmarked: int = 1) -> Clip:
    """Leave a clip of five durable frames, and some that nobody knows of, as a dead process does."""
    spool = world.open()
    clip = Clip(spool, 1, syntax)
    clip.add(1)
    clip.mark()
    clip.add(2)
    clip.mark()
    clip.add(2)
    clip.mark()
    clip.add(unmarked)
    spool.close()
    return clip


def spoil(path: str, at: int) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 0x40]))


@SYNTAXES
def test_a_clip_cut_off_keeps_its_durable_frames(world: World, syntax: str) -> None:
    clip = cut(world, syntax)
    with world.open() as spool:
        assert spool.report.clips_kept == 1
        assert not spool.report.alarm
        receipt = spool.receipt(cut_uid(1, 5))
        assert receipt is not None
        assert (receipt.source, receipt.captured_at, receipt.events[0].detail["ended_by"]) == ("probe", 1000.0, "cut")
        assert {row.priority for row in spool.rows()} == {"urgent"}
        assert frames_in(spool.path(receipt.id), 1) == 5
        assert not os.path.exists(clip.draft.file.path)
        assert not os.path.exists(clip_path(clip.draft.file.path))
    with world.open() as spool:
        assert spool.report.clean


@SYNTAXES
def test_a_complete_clip_leaves_no_record(world: World, syntax: str) -> None:
    with world.open() as spool:
        clip = Clip(spool, 1, syntax)
        clip.add(2)
        clip.mark()
        clip.add(1)
        sealed = clip.seal()
        assert frames_in(sealed.path, 1) == 3
        assert os.listdir(os.path.dirname(sealed.path)) == [os.path.basename(sealed.path)]
        given_up = Clip(spool, 2, syntax)
        given_up.add(2)
        given_up.mark()
        given_up.draft.abandon()
        assert os.listdir(os.path.dirname(sealed.path)) == [os.path.basename(sealed.path)]


def test_a_clip_without_a_durable_frame_goes(world: World) -> None:
    spool = world.open()
    clip = Clip(spool, 1)
    clip.add(3)
    spool.close()
    with world.open() as spool:
        assert (spool.report.drafts_deleted, spool.report.clips_kept) == (1, 0)
        assert os.listdir(os.path.dirname(clip.draft.file.path)) == []


def test_a_torn_mark_leaves_the_one_before(world: World) -> None:
    clip = cut(world, RLE_LOSSLESS)
    path = clip_path(clip.draft.file.path)
    assert [mark.frames for mark in marks(path)] == [5, 3]
    spoil(path, 4096 + 200)  # the third mark is in the first slot
    assert [mark.frames for mark in marks(path)] == [3]
    with world.open() as spool:
        assert frames_in(spool.path(spool.receipt(cut_uid(1, 3)).id), 1) == 3


def test_frames_that_are_not_whole_are_not_kept(world: World) -> None:
    clip = cut(world, EXPLICIT_VR_LE)
    spoil(clip.draft.file.path, clip.layout.pixel_offset + 4 * 35 + 3)  # in the fifth frame
    with world.open() as spool:
        assert frames_in(spool.path(spool.receipt(cut_uid(1, 3)).id), 1) == 3


def test_a_clip_whose_frames_are_damaged_is_set_aside_whole(world: World) -> None:
    clip = cut(world, EXPLICIT_VR_LE)
    spoil(clip.draft.file.path, clip.layout.pixel_offset)
    with world.open() as spool:
        assert spool.report.alarm
        assert spool.report.damaged == 1
        assert len(os.listdir(f"{world.root}/quarantine")) == 2
        assert spool.rows() == []
    with world.open() as spool:
        assert spool.report.clean


@pytest.mark.parametrize("damage", ["empty", "page", "noise"])
def test_a_record_that_says_nothing_is_like_none(world: World, damage: str) -> None:
    clip = cut(world, RLE_LOSSLESS)
    path = clip_path(clip.draft.file.path)
    size = os.path.getsize(path)
    Path(path).write_bytes({"empty": b"", "page": bytes(size), "noise": os.urandom(size)}[damage])
    with world.open() as spool:
        assert spool.report.drafts_deleted == 1
        assert os.listdir(os.path.dirname(path)) == []


def test_completed_but_not_in_the_ledger(world: World) -> None:
    """The crash came between the final name and the row: the record still knows what the file does not say."""
    clip = cut(world, RLE_LOSSLESS)
    kept = Path(clip_path(clip.draft.file.path)).read_bytes()
    with world.open() as spool:
        final = spool.path(spool.receipt(cut_uid(1, 5)).id)
    Path(clip_path(clip.draft.file.path)).write_bytes(kept)
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        Path(f"{world.root}/{name}").unlink(missing_ok=True)
    with world.open() as spool:
        assert spool.report.adopted == 1
        receipt = spool.receipt(cut_uid(1, 5))
        assert (receipt.source, receipt.events[-3].detail.get("ended_by")) == ("probe", "cut")
        assert os.listdir(os.path.dirname(final)) == [os.path.basename(final)]


def test_a_medium_that_fails_in_mid_clip(world: World) -> None:
    """What was durable before the failure is sealed at once, by the same process."""
    with Spool.open(world.root, destinations=BOTH, policy=NO_WAIT) as spool:
        clip = Clip(spool, 1)
        clip.add(2)
        clip.mark()
        clip.draft.file.kill(OSError(5, "injected"), "fsync")
        with pytest.raises(MediaError):
            clip.add()
        sealed = clip.draft.salvage()
        assert sealed is not None
        assert frames_in(sealed.path, 1) == 2
        assert clip.draft.salvage() is None
        clip.draft.abandon()
        assert spool.receipt(cut_uid(1, 2)).state == "live"


def test_a_seal_that_fails_keeps_the_clip(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.open() as spool:
        clip = Clip(spool, 1)
        clip.add(2)
        clip.mark()
        clip.add(1)

        def fails() -> None:
            raise MediaError("fsync: injected")

        monkeypatch.setattr(type(clip.draft.file), "finish", lambda _self: fails())
        with pytest.raises(SpoolError):
            clip.seal()
        monkeypatch.undo()
        sealed = clip.draft.salvage()
        assert sealed is not None
        assert frames_in(sealed.path, 1) == 2


def test_a_clip_that_was_acknowledged_and_lost_comes_back_as_another_instance(world: World) -> None:
    """A medium that lied has neither name nor row of it: one UID must never be two contents."""
    with world.open() as spool:
        clip = Clip(spool, 1)
        clip.add(2)
        clip.mark()
        kept = Path(clip_path(clip.draft.file.path)).read_bytes()
        clip.add(1)
        sealed = clip.seal()
    os.rename(sealed.path, clip.draft.file.path)
    Path(clip_path(clip.draft.file.path)).write_bytes(kept)
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        Path(f"{world.root}/{name}").unlink(missing_ok=True)
    with world.open() as spool:
        assert spool.report.clips_kept == 1
        assert spool.receipt(sealed.sop_instance_uid) is None
        assert frames_in(spool.path(spool.receipt(cut_uid(1, 2)).id), 1) == 2


class FailingCommit(Ops):
    """Lets no transaction through while it is told to."""

    __slots__ = ("fails",)

    def __init__(self) -> None:
        self.fails = False

    def step(self, call: str, path: str) -> None:
        if self.fails and call == "ledger commit":
            raise OSError(5, "injected", path)


@SYNTAXES
@pytest.mark.parametrize("more", [0, 2])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_complete_clip_whose_commit_failed_is_not_called_cut(
    world: World, syntax: str, more: int, *, at_once: bool
) -> None:
    """Its marks speak of a clip that ends with them; this one did not, and says how many frames it has."""
    ops = FailingCommit()
    with world.open(ops) as spool:
        clip = Clip(spool, 1, syntax)
        clip.add(3)
        clip.mark(SeriesDescription="cut off")
        clip.add(more)
        ops.fails = True
        with pytest.raises(SpoolError):
            clip.seal()
        ops.fails = False
        if at_once:
            spool.adopt_orphans()
    with world.open() as spool:
        receipt = spool.receipt(uid_of(1))
        assert receipt is not None
        assert frames_in(f"{world.root}/{receipt.file}", 1) == 3 + more
        (detail,) = [event.detail for event in receipt.events if "frames" in event.detail]
        assert (detail["frames"], detail.get("ended_by")) == (str(3 + more), None)
        assert receipt.source == "probe"
        assert os.listdir(f"{world.root}/INST/000000") == [f"{receipt.id:08X}"]
