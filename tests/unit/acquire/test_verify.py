"""Frames are verified before they are given up; an encoder that is wrong costs compression or time, not frames."""

from __future__ import annotations

import os
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.acquire.exam import Exam
from agent.acquire.filesink import FileSink
from agent.acquire.pipeline import Captured, Order, capture
from agent.acquire.sources import open_source
from agent.config import load
from agent.config.words import transfer_syntax_uid
from agent.dataset.uid import EXPLICIT_VR_LE, JPEG_LS_LOSSLESS
from agent.errors import EncoderFault
from agent.media.reader import Instance, open_instance
from agent.native import compress
from agent.native.frame import read_mark

TOML = """
[[source]]
name = "probe"
uri = "pattern:us-mono?rows=48&columns=64&rate_hz=%s"
transfer_syntax = "jpeg-ls"
clip_frames = 10
"""


def run(path: Path, rate_hz: float = 0, **changes: Any) -> tuple[Captured, Instance]:
    settings = load.parse(TOML % rate_hz)
    source = settings.source[0]._replace(**changes)
    sink = FileSink(str(path))
    try:
        with open_source(source.uri) as opened:
            order = Order(source, transfer_syntax_uid(source.transfer_syntax))
            done = capture(opened, order, Exam(settings), sink, threading.Event())
        sink.publish()
    finally:
        sink.abandon()
    fd = os.open(path, os.O_RDONLY)
    return done, open_instance(partial(os.pread, fd), os.fstat(fd).st_size)


def breaking(monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    """The encoder is wrong from its call ``first`` (counted from 1) on."""
    whole, calls = compress.encode, [0]

    def encode(frame: Any, syntax: str, *, out: memoryview, **options: Any) -> int:
        count = whole(frame, syntax, out=out, **options)
        calls[0] += 1
        if calls[0] >= first:
            out[count // 2] ^= 0x10
        return count

    monkeypatch.setattr(compress, "encode", encode)


@pytest.mark.parametrize(("rule", "verified"), [("all", 10), ("spare", 10), ("none", 0)])
def test_where_nothing_is_lost_by_it_every_frame_is_verified(tmp_path: Path, rule: str, verified: int) -> None:
    done, _ = run(tmp_path / "a.dcm", verify=rule)
    assert done.report is not None
    assert (done.report.frames, done.report.verified) == (10, verified)


def test_a_live_source_is_verified_in_spare_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.native.source import Source

    real = Source.counters
    monkeypatch.setattr(Source, "counters", lambda source: real(source)._replace(waiting=1))
    done, _ = run(tmp_path / "busy.dcm", rate_hz=500)
    assert done.report is not None
    assert done.report.verified == 1  # the first one always is
    monkeypatch.setattr(Source, "counters", lambda source: real(source)._replace(waiting=0))
    done, _ = run(tmp_path / "idle.dcm", rate_hz=500)
    assert done.report is not None
    assert done.report.verified == done.report.frames


@pytest.mark.parametrize("near", [0, 2])
def test_a_broken_encoder_costs_the_compression(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, near: int) -> None:
    breaking(monkeypatch, 1)
    changes = {"transfer_syntax": "jpeg-ls-near", "near": near} if near else {}
    done, instance = run(tmp_path / "a.dcm", **changes)
    assert isinstance(done.failure, EncoderFault)
    assert (done.frames, done.transfer_syntax_uid, done.report) == (10, EXPLICIT_VR_LE, None)
    assert instance.meta.transfer_syntax_uid == EXPLICIT_VR_LE
    assert "LossyImageCompression" not in instance.dataset
    assert instance.pixels is not None
    for index in range(10):
        mark = read_mark(instance.read_frame(index), instance.pixels.description)
        assert mark is not None
        assert mark.number == index + 1


def test_an_encoder_that_breaks_later_ends_the_clip_in_front_of_the_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking(monkeypatch, 5)
    done, instance = run(tmp_path / "a.dcm")
    assert isinstance(done.failure, EncoderFault)
    assert "frame 5" in str(done.failure)
    assert (done.frames, done.ended_by, done.transfer_syntax_uid) == (4, "failed", JPEG_LS_LOSSLESS)
    assert instance.number_of_frames == 4
    assert instance.pixels is not None
    for index in range(4):
        native = compress.decode(instance.read_frame(index), JPEG_LS_LOSSLESS, instance.pixels.description)
        mark = read_mark(native, instance.pixels.description)
        assert mark is not None
        assert mark.number == index + 1
