"""Runs lives of a spool under the shim (LD_PRELOAD) and prints what it found as one line of JSON.

spool_driver.py points SCENARIO FOLDER FAULT [once|sticky]   FAULT: kill, or the name of an errno
spool_driver.py pairs SCENARIO FOLDER STEP                    a crash at every STEPth point, and at all of recovery
spool_driver.py record SCENARIO FOLDER LOG [MISTAKE]          one undisturbed life, all its changes to LOG
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
from fakes.spool_world import SCENARIOS, World, run_evict, three_stored

import agent.spool.schema
from agent.errors import AgentError
from agent.spool.durable import File, Medium
from agent.spool.ledger import live
from agent.spool.states import Event
from agent.spool.store import Spool

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


class Recorded(World):
    """Writes its promises into the shim's log as well, in their place among the changes."""

    def promise(self, *words: object) -> None:
        super().promise(*words)
        SHIM.shim_promise(" ".join(map(str, words)).encode())


def record(scenario: str, folder: Path, log: str, mistake: str) -> tuple[int, list[str]]:
    prepare, run = SCENARIOS[scenario]
    if mistake == "evict on store":
        prepare, run = three_stored, run_evict
    begin(folder, prepare)
    world = Recorded(str(folder / "before"))
    shutil.copytree(world.folder, folder / "start")
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    inodes = {}
    for base, folders, names in os.walk(world.root):
        for name in [*folders, *names, "."]:
            path = os.path.normpath(os.path.join(base, name))
            inodes[path] = os.stat(path).st_ino
    MISTAKES[mistake]()
    arm(world.root, log=fd)
    run(world)
    arm("")
    os.close(fd)
    Path(log + ".inodes").write_text(json.dumps(inodes))
    return 0, []


# --- the mistakes a durable queue can make; each must be seen by the replay -------------------------


def no_file_sync() -> None:
    def finish(self) -> None:
        os.ftruncate(self._fd, self.size)
        os.close(self._fd)
        self._fd = -1

    File.finish = finish


def no_folder_sync() -> None:
    Medium.sync_folder = lambda _self, _path: None


def row_before_file() -> None:
    def first(spool, draft, told, found):
        sealed = spool.enter(draft.number, told, found)
        draft.moved = True
        spool.medium.publish(draft.file.path, sealed.path)
        return sealed

    Spool._first = first


def unlink_before_state() -> None:
    def evict(spool, *, need_bytes=0):
        rows = spool.ledger.read("SELECT id FROM instance WHERE life = 21")
        for (number,) in rows:
            spool.medium.remove(spool.path(number))
            for event in (Event.EVICT, Event.GONE):
                spool.ledger.write(lambda db, n=number, e=event: live(db, n, e, at=0.0))
        return len(rows)

    Spool.evict = evict


def evict_on_store() -> None:
    def evict(spool, *, need_bytes=0):
        numbers = [row[0] for row in spool.ledger.read("SELECT id FROM instance WHERE life = 21")]
        spool.ledger.write(lambda db: [live(db, number, Event.EVICT, at=0.0) for number in numbers])
        spool.finish_eviction(numbers)
        return len(numbers)

    Spool.evict = evict


def synchronous_normal() -> None:
    pragmas = agent.spool.schema.PRAGMAS
    agent.spool.schema.PRAGMAS = tuple(text.replace("synchronous = FULL", "synchronous = NORMAL") for text in pragmas)


MISTAKES = {
    "": lambda: None,
    "no file fsync": no_file_sync,
    "no folder fsync": no_folder_sync,
    "row before file": row_before_file,
    "unlink before state": unlink_before_state,
    "evict on store": evict_on_store,
    "synchronous=NORMAL": synchronous_normal,
}


def main(what: str, scenario: str, folder: str, *rest: str) -> None:
    if what == "points":
        count, wrong = points(scenario, Path(folder), rest[0], rest[1:] == ("sticky",))
    elif what == "pairs":
        count, wrong = pairs(scenario, Path(folder), int(rest[0]))
    else:
        count, wrong = record(scenario, Path(folder), rest[0], rest[1] if len(rest) > 1 else "")
    print(json.dumps({"points": count, "wrong": wrong[:20]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
