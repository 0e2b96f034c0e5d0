"""When a source captures, and that each capture becomes one instance of the spool."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fakes.leftovers import leftovers

from agent.acquire.asking import Ask, Turn
from agent.acquire.exam import Exam
from agent.acquire.frame_log import FrameLog, read_frame_log
from agent.acquire.recorder import Recorded, Recorder
from agent.config import load
from agent.config.settings import SourceSettings
from agent.errors import CaptureWaiting, DeviceError, MediaError, SpoolFull, StoppedEarly
from agent.native.frame import Frame
from agent.native.source import Source
from agent.spool.core import Destination
from agent.spool.draft import Draft, InstanceRecord, Measured, Sealed
from agent.spool.ops import Ops
from agent.spool.quota import Policy
from agent.spool.store import Spool

TOML = """
[[source]]
name = "probe"
uri = "pattern:us-mono?rows=32&columns=32&rate_hz=0"
clip_frames = 3
"""


def recorder(spool: Spool, seen: list[Recorded], **changes: object) -> Recorder:
    settings = load.parse(TOML)
    source: SourceSettings = settings.source[0]._replace(**changes)  # type: ignore[arg-type]
    return Recorder(source, Exam(settings), spool, lambda _source, done: seen.append(done))


def test_a_capture_is_durable_and_queued_with_its_facts(spool: Spool, tmp_path: Path) -> None:
    seen: list[Recorded] = []
    unit = recorder(spool, seen, frame_digest_file=str(tmp_path / "log"))
    done = unit.record(threading.Event())
    assert seen == [done]
    receipt = spool.receipt(done.captured.sop_instance_uid)
    assert receipt is not None
    assert receipt.source == "probe"
    assert receipt.deliveries[0].state == "queued"
    detail = receipt.events[0].detail
    assert (detail["frames"], detail["dropped"], detail["ended_by"], detail["clock"]) == ("3", "0", "frames", "set")
    assert len(read_frame_log(str(tmp_path / "log"))[done.captured.sop_instance_uid]) == 3
    assert unit.counts[:3] == (1, 3, 0)
    assert unit.counts.last_uid == done.captured.sop_instance_uid
    assert not unit.counts.recording


CLIP = {"uri": "pattern:us-rgb?rows=32&columns=32&rate_hz=0", "transfer_syntax": "rle"}


@pytest.mark.parametrize("how", [CLIP, {**CLIP, "grey_as_monochrome": True}, {"crop": "0,0,16,18", "icon": True}])
def test_a_capture_leaves_its_ring_to_no_collector(how: dict[str, object], spool: Spool) -> None:
    """A ring is eight frames, 60 MiB of a large detector, and would stay until objects have become many."""
    unit = recorder(spool, [], **how)
    with leftovers() as found:
        unit.record(threading.Event())
    assert found == []


def test_a_source_that_fails_in_mid_clip_leaves_its_ring_to_no_collector(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, taken = Source.take, iter(range(3))

    def take_two(source: Source) -> Frame | None:
        if next(taken) == 2:
            raise DeviceError("pulled")
        return take(source)

    monkeypatch.setattr(Source, "take", take_two)
    seen: list[Recorded] = []
    unit = recorder(spool, seen)
    with leftovers() as found:
        with suppress(DeviceError):
            unit.record(threading.Event())
        seen.clear()
    assert not {"Source", "_Capture", "Draft"} & set(found)


def test_a_loss_is_in_the_receipt(spool: Spool) -> None:
    done = recorder(spool, [], transfer_syntax="jpeg-ls-near", near=2).record(threading.Event())
    receipt = spool.receipt(done.captured.sop_instance_uid)
    assert receipt is not None
    assert done.captured.report is not None
    detail = receipt.events[0].detail
    assert (detail["near"], detail["lossy"]) == ("2", f"{done.captured.report.ratio:.3f} ISO_14495_1")


def test_what_was_done_to_the_frames_is_in_the_receipt(spool: Spool) -> None:
    done = recorder(spool, [], crop="0,0,16,18", blackout=("2,2,4,4",)).record(threading.Event())
    receipt = spool.receipt(done.captured.sop_instance_uid)
    assert receipt is not None
    assert receipt.events[0].detail["pixel_path"] == "1 region blacked out, cropped to 0,0,16,18"
    assert done.captured.native_bytes == done.captured.frames * 16 * 18 * done.captured.description.samples_per_pixel


def test_it_captures_by_itself_and_when_triggered(spool: Spool) -> None:
    seen: list[Recorded] = []
    arrived = threading.Semaphore(0)
    unit = recorder(spool, seen, every_s=0.01, captures=3)
    unit._report = lambda _source, done: (seen.append(done), arrived.release())[0]
    stop = threading.Event()
    thread = threading.Thread(target=unit.work, args=(stop,), daemon=True)
    thread.start()
    for _ in range(3):
        assert arrived.acquire(timeout=20)
    unit.ask(Ask())
    assert arrived.acquire(timeout=20)
    stop.set()
    unit.wake()
    thread.join(20)
    assert not thread.is_alive()
    assert len(seen) == 4
    assert len(spool.rows()) == 4


def test_turns_keep_their_period_and_missed_ones_are_not_made_up_for(spool: Spool) -> None:
    unit = recorder(spool, [], every_s=10.0)
    unit._next_at = 100.0
    assert not unit._take_turn(99.0)
    assert unit._pause(99.0) == 1.0
    assert unit._take_turn(100.0)
    assert not unit._take_turn(109.9)
    assert unit._take_turn(135.0)
    assert unit._next_at == 140.0
    quiet = recorder(spool, [])
    quiet._next_at = 100.0
    assert not quiet._take_turn(1e9)
    assert quiet._pause(0.0) is None
    quiet.ask(Ask())
    with pytest.raises(CaptureWaiting):  # the second would be no capture of its own
        quiet.ask(Ask())
    assert quiet._take_turn(0.0)
    assert not quiet._take_turn(0.0)


@pytest.mark.parametrize(
    ("trigger", "source", "exam", "kept"),
    [("", "", "normal", 2), ("", "", "urgent", 1), ("", "low", "urgent", 3), ("urgent", "low", "normal", 1)],
)
def test_a_capture_is_as_urgent_as_its_trigger_source_or_exam(
    spool: Spool, trigger: str, source: str, exam: str, kept: int
) -> None:
    unit = recorder(spool, [])
    unit.source = unit.source._replace(priority=source)
    settings = unit._exam._settings
    unit._exam._settings = settings._replace(exam=settings.exam._replace(priority=exam))
    unit.ask(Ask(priority=trigger))
    unit.record(threading.Event())
    assert spool.claim(next(iter(spool.destinations)), 1e12)[0].priority == kept


def test_a_trigger_outlives_its_recorder(spool: Spool) -> None:
    old = recorder(spool, [])
    assert not old.pending
    old.ask(Ask())
    assert old.pending
    new = Recorder(old.source, Exam(load.parse(TOML)), spool, lambda _source, _done: None, pending=old.asks.give())
    assert not old.pending
    assert new._take_turn(0.0)
    assert not new.pending


def test_a_capture_stopped_before_its_first_frame_is_nobodys_fault_and_waits_as_before(spool: Spool) -> None:
    seen: list[Recorded] = []
    unit = recorder(spool, seen, uri="pattern:us-mono?rows=32&columns=32&rate_hz=50")
    stop = threading.Event()
    stopped_meanwhile = unit._take_turn

    def take(now: float) -> Turn | None:
        stop.set()
        return stopped_meanwhile(now)

    unit._take_turn = take  # type: ignore[method-assign]
    unit.ask(Ask())
    unit.work(stop)
    assert seen == []
    assert spool.rows() == []
    assert unit.pending
    with pytest.raises(StoppedEarly, match="was stopped before its first frame"):
        unit.record(stop)
    assert not unit.counts.recording


def test_a_source_that_ends_before_the_clip_is_full_is_in_the_receipt(spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "clip.raw").write_bytes(bytes(256 * 2))
    (tmp_path / "clip.toml").write_text("rows = 16\ncolumns = 16\n")
    uri = f"replay:{tmp_path}/clip.raw?rate_hz=0"
    for wanted, ended_by, missing in ((5, "source", "3"), (2, "frames", None), (0, "frames", None)):
        done = recorder(spool, [], uri=uri, clip_frames=wanted).record(threading.Event())
        receipt = spool.receipt(done.captured.sop_instance_uid)
        assert receipt is not None
        detail = receipt.events[0].detail
        assert (detail["frames"], detail["ended_by"], detail.get("frames_missing")) == ("2", ended_by, missing)


def test_a_failed_capture_leaves_nothing(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = recorder(spool, [])

    def full(*_given: object) -> None:
        raise SpoolFull("no room")

    monkeypatch.setattr("agent.spool.draft.Draft.reserve", full)
    with pytest.raises(SpoolFull):
        unit.record(threading.Event())
    assert not unit.counts.recording
    assert spool.rows() == []
    assert list(Path(spool.root).rglob("*.part")) == []


def test_a_source_that_fails_in_mid_clip_keeps_the_clip_and_says_so(spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "clip.raw").write_bytes(bytes(256 * 40))
    (tmp_path / "clip.toml").write_text("rows = 16\ncolumns = 16\n")
    seen: list[Recorded] = []
    unit = recorder(spool, seen, uri=f"replay:{tmp_path}/clip.raw?rate_hz=100", clip_frames=40)
    cut = threading.Timer(0.1, os.truncate, (tmp_path / "clip.raw", 256 * 20))
    cut.start()
    with pytest.raises(DeviceError, match="the file ended inside a frame"):
        unit.record(threading.Event())
    cut.join()
    assert [done.captured.ended_by for done in seen] == ["failed"]
    assert unit.counts[:2] == (1, seen[0].captured.frames)
    receipt = spool.receipt(seen[0].captured.sop_instance_uid)
    assert receipt is not None
    assert receipt.events[0].detail["ended_by"] == "failed"
    assert receipt.events[0].detail["failure"] == "native.device"


@pytest.mark.parametrize("path", ["/dev/full", "/nowhere/log"])
def test_a_frame_log_that_fails_costs_a_warning_and_no_instance(spool: Spool, path: str) -> None:
    seen: list[Recorded] = []
    unit = recorder(spool, seen, frame_digest_file=path, clip_frames=200)
    warnings: list[str] = []
    unit._warn = warnings.append
    done = unit.record(threading.Event())
    assert seen == [done]
    assert done.captured.frames == 200
    assert len(warnings) == 1
    assert warnings[0].startswith(f"frame log {path}: ")
    receipt = spool.receipt(done.captured.sop_instance_uid)
    assert receipt is not None
    assert receipt.events[0].detail["frame_log"] == "failed"


class NoRoomForMarks(Ops):
    """A medium that has no room for the record of a clip, from a call of it on."""

    __slots__ = ("call",)

    def __init__(self, call: str) -> None:
        self.call = call

    def step(self, call: str, path: str) -> None:
        if path.endswith(".clip") and call == self.call:
            raise OSError(errno.ENOSPC, "injected", path)


@pytest.mark.parametrize("call", ["create", "write"])
def test_a_clip_without_marks_says_that_a_power_cut_would_have_cost_it(tmp_path: Path, call: str) -> None:
    seen: list[Recorded] = []
    warnings: list[str] = []
    (tmp_path / "spool").mkdir()
    policy = Policy(min_free_bytes=1, min_free_fraction=0.0)
    ops, destinations = NoRoomForMarks(call), [Destination("pacs")]
    with Spool.open(str(tmp_path / "spool"), destinations=destinations, policy=policy, ops=ops) as spool:
        unit = recorder(spool, seen, transfer_syntax="rle")
        unit._warn = warnings.append
        done = unit.record(threading.Event())
        at_once, at_the_end = warnings
        assert at_once == "frames of this clip are not kept on the way: there is no room for their record"
        assert at_the_end.startswith("frames of this clip were not kept on the way: ")
        receipt = spool.receipt(done.captured.sop_instance_uid)
        assert receipt is not None
        assert receipt.events[0].detail["kept_on_the_way"] == "failed"
        assert (receipt.events[0].detail["frames"], receipt.events[0].detail["ended_by"]) == ("3", "frames")
        assert os.listdir(os.path.dirname(done.sealed.path)) == [os.path.basename(done.sealed.path)]


def test_stopping_ends_a_running_clip_and_keeps_it(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Recorded] = []
    uri, log = "pattern:us-mono?rows=32&columns=32&rate_hz=50", str(tmp_path / "log")
    unit = recorder(spool, seen, uri=uri, clip_frames=0, clip_s=600.0, frame_digest_file=log)
    running = threading.Event()
    monkeypatch.setattr(FrameLog, "add", lambda *_: running.set())
    stop = threading.Event()
    unit.ask(Ask())
    thread = threading.Thread(target=unit.work, args=(stop,), daemon=True)
    thread.start()
    assert running.wait(20)
    stop.set()
    unit.wake()
    thread.join(20)
    assert not thread.is_alive()
    assert [done.captured.ended_by for done in seen] == ["stop"]
    assert len(spool.rows()) == 1


SYNCS = {"fsync", "syncfs", "ledger committed"}  # the last is SQLite's own, unless a flush follows


class Slow:
    """A medium whose seals wait until they may go on, and the groups that came to it."""

    def __init__(self, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go, self.entered, self.sizes = threading.Event(), threading.Event(), []
        plain = spool.groups.seal_each

        def seal_each(_self: object, drafts: list[Any]) -> list[Any]:
            self.sizes.append(len(drafts))
            self.entered.set()
            assert self.go.wait(60)
            return plain(drafts)

        monkeypatch.setattr(type(spool.groups), "seal_each", seal_each)


def at_work(unit: Recorder) -> tuple[threading.Thread, threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=unit.work, args=(stop,), daemon=True)
    thread.start()
    return thread, stop


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_stills_are_taken_while_one_is_made_durable(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that were taken meanwhile are one group, told of in their order and only when they are durable."""
    seen: list[Recorded] = []
    slow, syncs = Slow(spool, monkeypatch), []
    monkeypatch.setattr(Ops, "step", lambda _self, call, _path: syncs.append(call) if call in SYNCS else None)
    spool.medium.watch()  # whatever the tests run on
    unit = recorder(spool, seen, sop_class="us", every_s=1e-6, captures=5)
    thread, stop = at_work(unit)
    assert slow.entered.wait(60)
    until(lambda: unit._under_way is not None and len(unit._under_way) == 5)
    syncs.clear()
    assert (seen, spool.rows(), unit.busy) == ([], [], True)
    assert len(list(Path(spool.root).rglob("*.part"))) == 5
    stop.set()
    unit.wake()
    slow.go.set()
    thread.join(60)
    assert not thread.is_alive()
    assert slow.sizes == [1, 4]
    assert syncs == ["fsync", "fsync", "ledger committed", "syncfs", "ledger committed", "syncfs"]
    assert [done.sealed.id for done in seen] == sorted(row.id for row in spool.rows())
    assert (len(seen), unit.counts[:2], unit.busy) == (5, (5, 5), False)
    assert not list(Path(spool.root).rglob("*.part"))


def test_a_still_that_cannot_be_sealed_fails_the_role_and_no_other_still(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Recorded] = []
    slow = Slow(spool, monkeypatch)
    unit = recorder(spool, seen, sop_class="us", every_s=1e-6, captures=4)
    failed: list[BaseException] = []
    stop = threading.Event()

    def work() -> None:
        try:
            unit.work(stop)
        except MediaError as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    until(lambda: unit._under_way is not None and len(unit._under_way) == 4)
    plain, bad = Draft.measure, spool.root + "/INST/000000/00000002.part"

    def measure(self: Draft) -> Measured:
        if self.file.path == bad:
            raise MediaError("read: it cannot be read")
        return plain(self)

    monkeypatch.setattr(Draft, "measure", measure)
    slow.go.set()
    thread.join(60)
    assert [str(error) for error in failed] == ["read: it cannot be read"]
    assert [done.sealed.id for done in seen] == [1, 3, 4]
    assert not list(Path(spool.root).rglob("*.part"))


def test_a_clip_waits_for_the_stills_before_it(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Recorded] = []
    slow = Slow(spool, monkeypatch)
    unit = recorder(spool, seen, sop_class="us", every_s=0.001, captures=1)
    unit._crowded = True
    thread, stop = at_work(unit)
    assert slow.entered.wait(60)
    drained = threading.Event()
    drain = unit._drain
    monkeypatch.setattr(unit, "_drain", lambda: (slow.go.set(), drain(), drained.set()))
    unit.source = unit.source._replace(sop_class="us-mf")
    unit.ask(Ask())
    until(lambda: len(seen) == 2)
    assert drained.is_set()
    assert [done.captured.frames for done in seen] == [1, 3]
    stop.set()
    unit.wake()
    thread.join(60)


def test_a_lone_still_is_sealed_by_its_own_thread(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread could only be later; one for whom a trigger waited shows that there is a burst."""
    threads: list[str] = []
    unit = recorder(spool, [], sop_class="us")
    unit._report = lambda _source, _done: threads.append(threading.current_thread().name)
    thread, stop = at_work(unit)
    unit.ask(Ask())
    until(lambda: len(threads) == 1)
    assert threads == [thread.name]
    plain, taken = Draft.seal, threading.Event()

    def seal(draft: Draft, record: InstanceRecord) -> Sealed:
        unit.ask(Ask())
        taken.set()
        return plain(draft, record)

    with monkeypatch.context() as patch:
        patch.setattr(Draft, "seal", seal)
        unit.ask(Ask())
        assert taken.wait(60)
        until(lambda: len(threads) == 3)
    assert threads == [thread.name, thread.name, "seals"]
    stop.set()
    unit.wake()
    thread.join(60)
