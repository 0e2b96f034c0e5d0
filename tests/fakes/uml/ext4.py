"""A life of the spool on a real ext4: recorded block by block in user-mode Linux, and judged on each of its states."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, Final

from fakes import spool_world
from fakes.crash import power
from fakes.crash.mistakes import MISTAKES
from fakes.crash.record import fewer_pages
from fakes.crash.table import EVERY
from fakes.uml import blocks, kernel
from fakes.uml.medium import Medium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.queues import SimpleQueue

    from fakes.spool_world import World

_BETWEEN: Final = "|"  # words of a promise in a mark: a message to the device mapper is cut at spaces
MKFS: Final = ("mkfs.ext4", "-q", "-F", "-b", "1024", "-J", "size=1")
MIB: Final = 8
_UNIT: Final = 8  # sectors that a medium of today writes whole or not at all


def without_reserve() -> None:
    """Let a spool fill a medium of a few MiB."""
    spool_world.NO_WAIT = spool_world.NO_WAIT._replace(min_free_bytes=0, min_free_inodes=0)


def record(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """In user-mode Linux: ubda is the medium, ubdb takes the log, ubdc the medium as it was before."""
    scenario = EVERY[order["life"]]
    point = f"{kernel.SCRATCH}/mounted"
    os.makedirs(point)
    kernel.load_modules("dm-log-writes")
    fewer_pages(order["pages"])
    without_reserve()
    world = marked(scenario.world)(point)
    world.log = f"{kernel.SCRATCH}/promises"
    kernel.mount("/dev/ubda", point, "ext4")
    scenario.prepare(world)
    kernel.unmount(point)
    copy("/dev/ubda", "/dev/ubdc")
    yield {"promises": [" ".join(words) for words in world.promises()]}
    device = kernel.Mapped("log", order["mib"] << 11, "log-writes /dev/ubda /dev/ubdb")
    kernel.mount(device.device, point, "ext4")
    world.device = device
    if order.get("mistake"):
        MISTAKES[order["mistake"]][0]()
    scenario.run(world)
    kernel.unmount(point)
    device.close()


def marked(kind: type[World]) -> Any:
    """A world that puts its promises among the writes."""

    class Marked(kind):  # type: ignore[misc, valid-type]
        device: kernel.Mapped | None = None

        def promise(self, *words: object) -> None:
            super().promise(*words)
            if self.device is not None:
                self.device.message(f"mark {_BETWEEN.join(map(str, words))}")

    return Marked


def copy(source: str, target: str) -> None:
    """One device to another."""
    with open(source, "rb") as read, open(target, "wb") as write:
        while data := read.read(1 << 20):
            write.write(data)
        write.flush()
        os.fsync(write.fileno())


def judge(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Here or there: look at ``limit`` states of a recorded life, or at all (0)."""
    power.stand_still()
    without_reserve()
    scenario = EVERY[order["life"]]
    keywords = power.spool_look(scenario.look)
    assert keywords is not None
    medium = Medium(order["scratch"], "ext4")
    with open(order["base"], "rb") as file:
        base = file.read(order["mib"] << 20)
    with open(order["log"], "rb") as file:
        entries = blocks.read(file)
    for state in blocks.sampled(entries, order["seed"], order["more"], order["limit"], _UNIT):
        medium.put(blocks.image(base, state))
        wrong = _look(scenario.world, medium, order, state, rebuilt=keywords["rebuilt"])
        where = f"{order['life']} on ext4, cut after write {state.after} of {len(entries)}"
        yield {"state": f"{state.key:032x}", "wrong": [f"{where}: {text}" for text in wrong]}


def judge_inside(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """In user-mode Linux."""
    kernel.load_modules("loop")
    yield from judge({**order, "scratch": kernel.SCRATCH})


def judge_into(order: dict[str, Any], answers: SimpleQueue[dict[str, Any] | None]) -> None:
    """In a process of its own; the folder goes when it is done."""
    try:
        for answer in judge(order):
            answers.put(answer)
    finally:
        shutil.rmtree(order["scratch"], ignore_errors=True)
        answers.put(None)


def _look(kind: type[World], medium: Medium, order: dict[str, Any], state: blocks.State, *, rebuilt: bool) -> list[str]:
    promises = f"{order['scratch']}/promises"
    marks = [mark.replace(_BETWEEN, " ") for mark in state.marks]
    with open(promises, "w", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in [*order["promises"], *marks])
    try:
        with medium.mounted() as point:
            world = kind(point)
            world.log = promises
            with world.open() as spool:
                report = spool.report
            return power.again(world, report, rebuilt=rebuilt, forgets=bool(state.key & 1))
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not happen
        return [f"the look at it ended with {type(error).__name__}: {error}"]
