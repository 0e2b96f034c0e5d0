"""One capture of ``scripts/bench acquire``: a configured source through ring, pixel path, encoder and spool.

acquire_worker.py run CONFIG SPOOL     prints as JSON what became of the frames, the CPU it took, and for each frame the
                                       seconds from its time stamp until a sync had it on the medium
acquire_worker.py frames URI COUNT OUT writes frames of a pattern to a file, for whoever replays them

The clip log of the spool says which frames are durable, mark by mark; the rest are when the instance is sealed. Both
are looked at from outside: the product does not measure this.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from pathlib import Path
from typing import Any

from agent.acquire.exam import Exam
from agent.acquire.recorder import Recorded, Recorder
from agent.acquire.sources import open_source
from agent.config import load
from agent.iod.timing import FrameClock
from agent.spool.clip import ClipLog, Mark
from agent.spool.core import Destination
from agent.spool.store import Spool, prepare

STILL_LIMIT_S = 60.0


class Durable:
    """When each frame of the capture under way was taken, and how long it took until it was durable."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.took: list[float] = []

    def until(self, frames: int) -> None:
        now = time.monotonic_ns()
        self.took += [(now - at) / 1e9 for at in self.taken[len(self.took) : frames]]

    def watch(self) -> None:
        add, keep = FrameClock.add, ClipLog.keep

        def added(clock: FrameClock, number: int, timestamp_ns: int, *rest: Any) -> None:
            add(clock, number, timestamp_ns, *rest)
            self.taken.append(timestamp_ns)

        def kept(log: ClipLog, mark: Mark) -> None:
            keep(log, mark)
            self.until(mark.frames)

        setattr(FrameClock, "add", added)  # noqa: B010  (a stop-watch, from outside)
        setattr(ClipLog, "keep", kept)  # noqa: B010  (likewise)


def run(config: str, root: str) -> dict[str, Any]:
    settings = load.load(config)
    source = settings.source[0]
    prepare(root)
    watch, sealed = Durable(), []
    watch.watch()
    warned: list[str] = []

    def report(_source: object, done: Recorded) -> None:
        watch.until(len(watch.taken))
        sealed.append(done)

    with Spool.open(root, destinations=[Destination("pacs")]) as spool:
        recorder = Recorder(source, Exam(settings), spool, report, warn=warned.append)
        begun, before = time.monotonic(), _cpu()
        if source.every_s:
            _stills(recorder, source.captures)
        else:
            recorder.record(threading.Event())
        wall, cpu = time.monotonic() - begun, _cpu() - before
    captured = [done.captured for done in sealed]
    return {
        "frames": sum(one.frames for one in captured),
        "dropped": sum(one.dropped for one in captured),
        "overruns": sum(one.counters.overruns for one in captured),
        "ended_by": sorted({one.ended_by for one in captured}),
        "high_water": max(one.counters.high_water for one in captured),
        "native_bytes": sum(one.native_bytes for one in captured),
        "file_bytes": sum(done.sealed.size for done in sealed),
        "seconds": sum(one.seconds for one in captured) if not source.every_s else wall,
        "cpu_s": cpu,
        "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "durable_s": watch.took,
        "warned": warned,
    }


def _stills(recorder: Recorder, wanted: int) -> None:
    stop = threading.Event()
    role = threading.Thread(target=recorder.work, args=(stop,))
    role.start()
    limit = time.monotonic() + STILL_LIMIT_S
    while recorder.counts.captures < wanted and role.is_alive() and time.monotonic() < limit:
        time.sleep(0.01)
    stop.set()
    recorder.wake()
    role.join()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def frames(uri: str, count: int, out: str) -> dict[str, Any]:
    with open_source(uri) as opened, Path(out).open("wb") as file:
        source = opened.source
        source.start()
        for _ in range(count):
            while (frame := source.take()) is None:
                source.wait(1.0)
            file.write(frame.data)
            source.give_back(frame)
    return {"frames": count}


if __name__ == "__main__":
    _, what, *words = sys.argv
    found = run(*words) if what == "run" else frames(words[0], int(words[1]), words[2])
    print(json.dumps(found))
