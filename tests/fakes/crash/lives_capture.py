"""Lives that bring instances into the spool: the recorder with a pattern source, files, several threads at a time."""

from __future__ import annotations

import os
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakes.spool_world import capture, part10, uid_of, word_of

from agent.acquire.exam import Exam
from agent.acquire.recorder import Recorder
from agent.config import load
from agent.errors import AgentError

if TYPE_CHECKING:
    from fakes.spool_world import World

    from agent.acquire.recorder import Recorded
    from agent.config.settings import SourceSettings
    from agent.spool.store import Spool

TOML = """
[[source]]
name = "probe"
uri = "pattern:us-rgb?rows=24&columns=32&rate_hz=1000"
"""
FRAMES, COLOURED = 4, 2
THREADS, EACH = 3, 2
STILLS = 3


def empty(world: World) -> None:
    os.makedirs(world.root)


def used(world: World) -> None:
    """A spool that has been at work: one instance in every state of its life."""
    empty(world)
    with world.open() as spool:
        for number in (1, 2, 3):
            world.capture(spool, number)
        world.send(spool, "pacs")
        uid, asked = world.ask(spool)
        world.settle(spool, uid, asked[:1])


def record(world: World, spool: Spool, **source: Any) -> None:
    """Capture one instance as the daemon does."""
    settings = load.parse(TOML)
    one = settings.source[0]._replace(**source)
    warn = partial(world.promise, "said", "warning")
    Recorder(one, Exam(settings), spool, lambda _source, _done: None, warn=warn).record(threading.Event())


def still(world: World) -> None:
    with world.open() as spool:
        record(world, spool, sop_class="us", transfer_syntax="jpeg-ls")
        record(world, spool, sop_class="sc", transfer_syntax="explicit")


def clip(world: World) -> None:
    with world.open() as spool:
        record(world, spool, sop_class="us-mf", transfer_syntax="rle", clip_frames=FRAMES)


def with_clip(world: World) -> None:
    """Frames that are grey until one of them is not."""
    from fakes.grey_clips import grey_clip

    empty(world)
    grey_clip(Path(world.folder, "clip"), FRAMES, [COLOURED])


def recolour(world: World) -> None:
    """The frame with colour has what is written coded anew, through a second file."""
    uri = f"replay:{world.folder}/clip/clip.raw?rate_hz=1000"
    with world.open() as spool:
        record(world, spool, uri=uri, sop_class="us-mf", transfer_syntax="jpeg-ls", grey_as_monochrome=True)


def with_files(world: World) -> None:
    used(world)
    for number in (31, 32):
        Path(world.folder, f"{number}.dcm").write_bytes(part10(number, 40_000))
    Path(world.folder, "again.dcm").write_bytes(part10(2))


def enqueue(world: World) -> None:
    with world.open() as spool:
        for name in ("31.dcm", "32.dcm", "again.dcm"):
            spool.import_file(f"{world.folder}/{name}")


def burst(world: World) -> None:
    """Several threads seal at a time, so that commits are shared."""
    failures: list[AgentError] = []
    with world.open() as spool:
        threads = [
            threading.Thread(target=_seal_some, args=(spool, 40 + 10 * turn, failures)) for turn in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        for turn in range(THREADS):
            for number in range(EACH):
                assert spool.receipt(uid_of(40 + 10 * turn + number)) is not None


def stills(world: World) -> None:
    """Two sources with a fast burst of stills each: what is taken while one is made durable is sealed together."""
    failures: list[AgentError] = []
    settings = load.parse(TOML)
    stop = threading.Event()
    with world.open() as spool:

        def told(_source: SourceSettings, done: Recorded) -> None:
            world.promise("captured", word_of(done.captured.sop_instance_uid), done.sealed.data_set_sha256)

        units = [
            Recorder(
                settings.source[0]._replace(name=name, sop_class="us", every_s=1e-6, captures=STILLS),
                Exam(settings),
                spool,
                told,
                warn=partial(world.promise, "said", "warning"),
            )
            for name in ("one", "two")
        ]
        threads = [threading.Thread(target=_work, args=(unit, stop, failures)) for unit in units]
        for thread in threads:
            thread.start()
        while any(
            thread.is_alive() and unit.counts.captures < STILLS for thread, unit in zip(threads, units, strict=True)
        ):
            time.sleep(0.001)
        stop.set()
        for unit, thread in zip(units, threads, strict=True):
            unit.wake()
            thread.join()
        if failures:
            raise failures[0]


def _work(unit: Recorder, stop: threading.Event, failures: list[AgentError]) -> None:
    try:
        unit.work(stop)
    except AgentError as error:
        failures.append(error)


def _seal_some(spool: Spool, first: int, failures: list[AgentError]) -> None:
    try:
        for number in range(first, first + EACH):
            capture(spool, number)
    except AgentError as error:
        failures.append(error)
