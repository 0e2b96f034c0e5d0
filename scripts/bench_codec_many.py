"""A clip compressed on two cores beside one, and beside what two processes make of the same two cores.

The machine gives two cores what it gives them: they share memory, and maybe more. So two processes, forked and warm
before the clock starts, each with half of the clip and the same one copy of every coded frame, say what two cores can
do here, and the share of it that ``encode_many`` reaches is printed beside its own gain. The clip is as long as one
core needs half a second for: over a few milliseconds one would time the start of a thread. Wall time, best of some
rounds of turns, because whatever else runs can only add.
"""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from bench_lib import SENDER_CPU

from agent.native.compress import encode, encode_bound
from agent.native.many import encode_many

if TYPE_CHECKING:
    from bench_images import Picture

BAR: Final = 1.8
ROUNDS: Final = 7
ONE_CORE_S: Final = 0.5
_LEAST_FRAMES: Final = 24


class Gain(NamedTuple):
    """How many times faster than one core: ``encode_many`` with two workers, and two processes."""

    many: float
    processes: float


def measure_many(uid: str, picture: Picture) -> Gain | None:
    """Time one picture, again and again as a clip; None where there is one core."""
    if (os.cpu_count() or 1) < 2:
        return None
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    frame = picture.array.tobytes()
    _half(frame, uid, picture, 2)  # the codec is fetched, its tables made
    started = time.perf_counter()
    _half(frame, uid, picture, 2)
    half = max(_LEAST_FRAMES, math.ceil(ONE_CORE_S * 2 / (time.perf_counter() - started))) // 2
    best = dict.fromkeys(("one", "two", "processes"), math.inf)
    for _ in range(ROUNDS):
        for way in best:
            taken = (
                _two_processes(frame, uid, picture, half)
                if way == "processes"
                else _clip([frame] * (2 * half), uid, picture, workers=1 + (way == "two"))
            )
            best[way] = min(best[way], taken)
    os.sched_setaffinity(0, {SENDER_CPU})
    return Gain(best["one"] / best["two"], best["one"] / best["processes"])


def _clip(frames: list[bytes], uid: str, picture: Picture, workers: int) -> float:
    started = time.perf_counter()
    for _coded in encode_many(frames, uid, description=picture.description, workers=workers):
        pass
    return time.perf_counter() - started


def _half(frame: bytes, uid: str, picture: Picture, count: int) -> None:
    room = bytearray(encode_bound(picture.description, uid))
    for _ in range(count):
        bytes(memoryview(room)[: encode(frame, uid, description=picture.description, out=room)])


def _two_processes(frame: bytes, uid: str, picture: Picture, half: int) -> float:
    (ready, say_ready), (begin, say_begin) = os.pipe(), os.pipe()
    other = os.fork()
    if other == 0:
        _half(frame, uid, picture, 2)  # its pages are its own now
        os.write(say_ready, b"1")
        os.read(begin, 1)
        _half(frame, uid, picture, half)
        os._exit(0)
    os.read(ready, 1)
    started = time.perf_counter()
    os.write(say_begin, b"1")
    _half(frame, uid, picture, half)
    os.waitpid(other, 0)
    taken = time.perf_counter() - started
    for pipe in (ready, say_ready, begin, say_begin):
        os.close(pipe)
    return taken


def judge_many(gains: dict[str, Gain | None]) -> int:
    """Print a line for each codec; how many miss the bar."""
    failures = 0
    for name, gain in gains.items():
        if gain is None:
            print(f"       {name}, encode_many: not timed, this machine has one core")
            continue
        met = gain.many >= BAR
        failures += not met
        print(f"{'met   ' if met else 'MISSED'} {name}, encode_many, 2 cores against 1: {gain.many:.2f} "
              f"(wanted {BAR}); two processes {gain.processes:.2f}, and {100 * gain.many / gain.processes:.0f} % of "
              "that is reached")  # fmt: skip
    return failures
