"""Lives around the DICOMDIR of the spool: there is always a whole one, and the next start makes it true."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fakes.filesets import tree_of
from fakes.spool_faults import look as look_at_spool

from agent.errors import AgentError
from agent.media.dicomdir import Arrangement
from agent.spool.file_set import _entry, refresh
from agent.spool.names import DIRECTORY, DIRECTORY_BEFORE
from agent.spool.store import prepare

if TYPE_CHECKING:
    from fakes.spool_world import World

    from agent.spool.store import Spool

_FILE_SET = "2.25.4711"


def listed(world: World) -> None:
    """Three instances, one of them committed, and a directory of them."""
    prepare(world.root)
    with world.open() as spool:
        for number in (1, 2, 3):
            world.capture(spool, number)
        world.send(spool, "second")
        world.send(spool, "pacs", limit=1)
        uid, asked = world.ask(spool)
        world.settle(spool, uid, asked)
        _bring(spool)


def follow(world: World) -> None:
    """One is evicted, one comes; the directory follows, twice."""
    with world.open() as spool:
        spool.evict()
        _bring(spool)
        world.capture(spool, 4)
        _bring(spool)


def start(world: World) -> None:
    """Start, and bring the directory up to date."""
    with world.open() as spool:
        _bring(spool)


def look_at_directory(world: World) -> list[str]:
    """A whole directory at once, one generation old at worst; a true one after the next start, and no work then."""
    wrong = _whole(world)
    with world.open() as spool:
        _bring(spool)
        wrong += _true(world, spool)
        if _bring(spool):
            wrong.append("I6 a directory that was true was written again")
    return wrong + look_at_spool(world, rebuilt=False)


def go_on(world: World) -> None:
    """Go on until the medium lets it."""
    with world.open() as spool:
        _bring(spool)
        world.finish(spool)


def _bring(spool: Spool) -> int:
    return refresh(spool.medium, spool.reader.live_numbers, "BOX", lambda: _FILE_SET).written


def _whole(world: World) -> list[str]:
    wrong = []
    for name in (DIRECTORY, DIRECTORY_BEFORE):
        path = Path(world.root) / name
        if not path.exists():
            wrong += [f"{name} is gone"] if name == DIRECTORY else []
            continue
        try:
            tree = tree_of(path)
            steps = len(list(tree.walk()))
        except AgentError as error:
            wrong.append(f"{name}: {error}")
            continue
        if tree.damage or tree.faults or not steps:
            wrong.append(f"{name} is damaged: {tree.damage} {tree.faults}")
    return wrong


def _true(world: World, spool: Spool) -> list[str]:
    """Whether each record is what its file says, by a directory made of the files alone."""
    numbers = spool.reader.live_numbers(0, 100)
    wanted = [(row.kind, row.depth) for row in Arrangement(_entry(world.root, number) for number in numbers)]
    tree = tree_of(Path(world.root) / DIRECTORY)
    found = [(tree.kind(step.number), step.depth) for step in tree.walk()]
    names = sorted(tree.read(step.number).file_id for step in tree.walk() if step.depth == 3)
    files = [f"INST\\{number >> 8:06X}\\{number:08X}" for number in numbers]
    wrong = [] if (found, names) == (wanted, files) else [f"the directory has {names}, and the spool {files}"]
    return wrong + [f"{name} was left behind" for name in os.listdir(world.root) if name.endswith("~")]
