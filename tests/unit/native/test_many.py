"""Frames of a clip on several cores: order, memory, errors."""

from __future__ import annotations

import threading

import pytest

from agent.errors import NativeArgumentError
from agent.native import many as many_module
from agent.native.compress import RLE_LOSSLESS, decode
from agent.native.frame import FrameDescription
from agent.native.many import encode_many

GREY = FrameDescription(rows=40, columns=60)


def clip(count, rng):
    return [rng.randbytes(GREY.frame_bytes) for _ in range(count)]


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 3, 40])
def test_frames_come_back_in_order(workers, count, rng):
    frames = clip(count, rng)
    coded = list(encode_many(frames, RLE_LOSSLESS, description=GREY, workers=workers))
    assert [bytes(decode(data, RLE_LOSSLESS, GREY)) for data in coded] == frames


def test_no_more_frames_are_taken_than_the_workers_can_hold(rng):
    frames, taken, most = clip(30, rng), 0, 0

    def source():
        nonlocal taken
        for frame in frames:
            taken += 1
            yield frame

    for given, _ in enumerate(encode_many(source(), RLE_LOSSLESS, description=GREY, workers=3), 1):
        most = max(most, taken - given)
    assert taken == 30
    assert most <= 6


def test_a_bad_frame_ends_the_clip_where_it_stands(rng):
    frames = [*clip(4, rng), b"too short", *clip(4, rng)]
    given = []
    with pytest.raises(NativeArgumentError):
        given.extend(encode_many(frames, RLE_LOSSLESS, description=GREY, workers=2))
    before = threading.active_count()
    many = encode_many(frames, RLE_LOSSLESS, description=GREY, workers=2)
    assert [len(next(many)) > 0 for _ in range(4)] == [True] * 4
    with pytest.raises(NativeArgumentError):
        next(many)
    assert threading.active_count() == before


def test_a_caller_who_stops_early_leaves_no_thread(rng):
    before = threading.active_count()
    many = encode_many(clip(20, rng), RLE_LOSSLESS, description=GREY, workers=2)
    next(many)
    many.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_caller_is_one_of_the_workers(workers, rng):
    before = threading.active_count()
    many = encode_many(clip(20, rng), RLE_LOSSLESS, description=GREY, workers=workers)
    next(many)
    assert threading.active_count() == before + workers - 1
    many.close()


def test_an_interrupted_caller_leaves_no_thread(rng, monkeypatch):
    before, main = threading.active_count(), threading.get_ident()
    real = many_module.encode

    def encode(*arguments, **options):
        if threading.get_ident() == main:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(many_module, "encode", encode)
    many = encode_many(clip(20, rng), RLE_LOSSLESS, description=GREY, workers=1)
    with pytest.raises(KeyboardInterrupt):
        next(many)
    assert threading.active_count() == before


@pytest.mark.parametrize("workers", [0, -1, 65])
def test_workers_are_bounded(workers):
    with pytest.raises(NativeArgumentError, match="workers"):
        list(encode_many([], RLE_LOSSLESS, description=GREY, workers=workers))
