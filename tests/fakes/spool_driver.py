"""Runs lives of a spool under the shim (LD_PRELOAD) and prints what it found as one line of JSON.

spool_driver.py points SCENARIO FOLDER FAULT [once|sticky]   FAULT: kill, or the name of an errno
spool_driver.py pairs SCENARIO FOLDER STEP                    a crash at every STEPth point, and at all of recovery
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from fakes.spool_faults import DIED, FINISHED, fresh, in_child, look
from fakes.spool_world import SCENARIOS, World

from agent.errors import AgentError

SHIM = ctypes.CDLL(None)
CALLED = 3  # exit status: the fault was met, and the life ended by itself
POINTS_LIMIT = 5000


def arm(root: str, *, log: int = -1, kill: int = 0, error: int = 0, code: int = 0, sticky: bool = False) -> None:
    SHIM.shim_arm(root.encode(), log, ctypes.c_long(kill), ctypes.c_long(error), code, int(sticky))


def points(scenario: str, folder: Path, fault: str, sticky: bool) -> tuple[int, list[str]]:
    prepare, run = SCENARIOS[scenario]
    begin(folder, prepare)
    wrong: list[str] = []
    for point in range(1, POINTS_LIMIT):
        world = fresh(folder, "now")

        def life(world: World = world, point: int = point) -> None:
            if fault == "kill":
                arm(world.root, kill=point)
            else:
                arm(world.root, error=point, code=getattr(errno, fault), sticky=sticky)
            with suppress(AgentError, AssertionError):  # refused, or not as hoped: what counts is what is left
                run(world)
            os._exit(CALLED if SHIM.shim_count() >= point else FINISHED)

        status = in_child(life)
        where = f"{scenario}, {fault} at call {point}"
        if status not in {DIED, FINISHED, CALLED}:
            wrong.append(f"{where}: the child ended with {status}")
        wrong += [f"{where}: {text}" for text in look(world, rebuilt=scenario == "rebuild")]
        if status == FINISHED:
            return point - 1, wrong
    raise AssertionError("no end")


def pairs(scenario: str, folder: Path, step: int) -> tuple[int, list[str]]:
    prepare, run = SCENARIOS[scenario]
    begin(folder, prepare)
    wrong: list[str] = []
    count = 0
    for first in range(1, POINTS_LIMIT, step):
        world = fresh(folder, "first")
        if in_child(lambda w=world, n=first: (arm(w.root, kill=n), run(w))) == FINISHED:
            return count, wrong
        for second in range(1, POINTS_LIMIT):
            shutil.rmtree(folder / "now", ignore_errors=True)
            shutil.copytree(folder / "first", folder / "now")
            again = World(str(folder / "now"))
            if in_child(lambda w=again, n=second: (arm(w.root, kill=n), w.open().close())) == FINISHED:
                break
            count += 1
            found = look(again, rebuilt=scenario == "rebuild")
            wrong += [f"{scenario}, killed at {first}, then at {second} of recovery: {text}" for text in found]
    raise AssertionError("no end")


def begin(folder: Path, prepare) -> None:
    world = World(str(folder / "before"))
    os.makedirs(world.folder)
    prepare(world)


def main(what: str, scenario: str, folder: str, *rest: str) -> None:
    if what == "points":
        count, wrong = points(scenario, Path(folder), rest[0], rest[1:] == ("sticky",))
    else:
        count, wrong = pairs(scenario, Path(folder), int(rest[0]))
    print(json.dumps({"points": count, "wrong": wrong[:20]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
