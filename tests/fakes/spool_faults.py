"""What every fault harness of the spool does: run a life that may die or fail, look at what it left, judge it."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from fakes.spool_world import World

from agent.spool.ops import Ops

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DIED, FINISHED, BROKEN = 9, 0, 70  # exit statuses of a child


class Dying(Ops):
    """Ends the process before the Nth step."""

    __slots__ = ("left",)

    def __init__(self, at: int) -> None:
        self.left = at

    def step(self, call: str, path: str) -> None:
        self.left -= 1
        if self.left == 0:
            os._exit(DIED)


class Failing(Ops):
    """Raises at the Nth step, once or ever after."""

    __slots__ = ("code", "fired", "left", "sticky")

    def __init__(self, at: int, code: int, *, sticky: bool) -> None:
        self.left, self.code, self.sticky, self.fired = at, code, sticky, 0

    def step(self, call: str, path: str) -> None:
        self.left -= 1
        if self.left == 0 or (self.sticky and self.left < 0):
            self.fired += 1
            raise OSError(self.code, os.strerror(self.code), path)


def in_child(run: Callable[[], None]) -> int:
    """Run in a forked child and return its exit status."""
    pid = os.fork()
    if pid == 0:
        status = BROKEN
        try:
            run()
            status = FINISHED
        except BaseException as error:  # noqa: BLE001 - a forked child must never run on into pytest
            os.write(2, f"child: {error!r}\n".encode())
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fresh(base: Path, name: str) -> World:
    """A copy of the scenario's starting point."""
    target = base / name
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(base / "before", target)
    return World(str(target))


def look(world: World, *, rebuilt: bool) -> list[str]:
    """Recover, check, recover again, and drive everything to its end."""
    with world.open() as spool:
        wrong = world.check(spool.report, spool, rebuilt=rebuilt)
    with world.open() as spool:
        if not spool.report.clean:
            wrong.append(f"I6 the second recovery still found {spool.report}")
        wrong += world.check(spool.report, spool, rebuilt=rebuilt)
        world.finish(spool)
        wrong += world.check(spool.report, spool, rebuilt=rebuilt)
    return wrong
