"""What the wall clock was worth at a capture: in the receipt, in the instance, and told when somebody moves it."""

from __future__ import annotations

import threading
from pathlib import Path

import pydicom
import pytest

from agent.acquire import pipeline
from agent.acquire.exam import Exam
from agent.acquire.recorder import Recorder
from agent.app.verb_receipt import print_receipt
from agent.config import load
from agent.link.timekeeping import Kept
from agent.spool.store import Spool

TOML = """
[[source]]
name = "probe"
uri = "pattern:us-mono?rows=32&columns=32&rate_hz=0"
clip_frames = 3
"""


KEPT = Kept(synchronised=True, error_bound_s=0.002, by="chrony", address="10.0.0.1", heard_s=30.0)


def test_what_the_clock_was_worth_is_in_receipt_and_instance(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, said, offset = load.parse(TOML), list[str](), [0.0]
    monkeypatch.setattr(pipeline, "offset_s", lambda: offset[0])
    unit = Recorder(settings.source[0], Exam(settings), spool, lambda *_: None, warn=said.append, kept=lambda: KEPT)
    before = unit.record(threading.Event())
    offset[0] = 7.25  # somebody sets the clock between two clips
    after = unit.record(threading.Event())
    unit.record(threading.Event())
    details = [spool.receipt(done.captured.sop_instance_uid).events[0].detail for done in (before, after)]
    assert [(detail["clock"], detail["clock_source"]) for detail in details] == [("synchronised", "10.0.0.1")] * 2
    assert ["clock_step_s" in detail for detail in details] == [False, True]
    assert details[1]["clock_step_s"] == "+7.2"
    first, second = (pydicom.dcmread(done.sealed.path) for done in (before, after))
    assert (first.AcquisitionTimeSynchronized, first.NTPSourceAddress) == ("Y", "10.0.0.1")
    assert "moved" not in first.get("ImageComments", "")
    assert "The clock of the device was moved by +7.2 s during the study" in second.ImageComments
    assert said == [f"the clock was moved by +7.2 s during this study: {after.captured.sop_instance_uid} says so"]


def test_a_clock_that_is_moved_within_a_clip_is_told(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, offsets = load.parse(TOML), iter([5.0])
    monkeypatch.setattr(pipeline, "offset_s", lambda: next(offsets, 3.0))
    done = Recorder(settings.source[0], Exam(settings), spool, lambda *_: None).record(threading.Event())
    assert dict(done.captured.clock) == {"clock": "set", "clock_step_s": "-2.0"}


def test_a_receipt_tells_people_what_the_clock_was_worth(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, offset = load.parse(TOML), [0.0]
    monkeypatch.setattr(pipeline, "offset_s", lambda: offset[0])
    for kept, moved, line in (
        (
            KEPT,
            0.0,
            "synchronised by chrony from 10.0.0.1 at the capture, wrong by at most 2 ms, last heard of 3",
        ),
        (KEPT._replace(heard_s=9000.0), 0.0, "freewheeling by chrony from 10.0.0.1 at the capture"),
        (None, 3.0, "moved by +3.0 s during the study"),
    ):
        exam = Exam(settings)
        exam.step_s(0.0)
        offset[0] = moved
        unit = Recorder(settings.source[0], exam, spool, lambda *_: None, kept=lambda said=kept: said)
        receipt = spool.receipt(unit.record(threading.Event()).captured.sop_instance_uid)
        assert receipt is not None
        print_receipt(receipt)
        assert any(row.startswith(f"clock      {line}") for row in capsys.readouterr().out.splitlines())


def test_when_frames_of_a_file_were_acquired_nobody_here_knows(spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "clip.raw").write_bytes(bytes(32 * 32))
    (tmp_path / "clip.toml").write_text("rows = 32\ncolumns = 32\n")
    settings = load.parse(TOML)
    source = settings.source[0]._replace(uri=f"replay:{tmp_path}/clip.raw")
    done = Recorder(source, Exam(settings), spool, lambda *_: None, kept=lambda: KEPT).record(threading.Event())
    assert dict(done.captured.clock)["clock"] == "synchronised"
    assert "AcquisitionTimeSynchronized" not in pydicom.dcmread(done.sealed.path)
