"""Records lives under the shim: ``python -m fakes.crash.record FOLDER < ORDERS``, an order a line of JSON.

An order is ``{"life": NAME, "pages": N, "mistake": NAME}``; ``pages`` is after how many pages SQLite moves its log
into the database, so that short lives have that in them, too. For each, ``FOLDER/NAME-N/`` gets ``log``, ``inodes``,
``start`` (the folder before) and ``before`` (the folder after); one line of JSON says that it is done.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakes.crash.journal import Disk, inodes, read
from fakes.crash.mistakes import MISTAKES
from fakes.crash.table import EVERY
from fakes.spool_faults import FINISHED, in_child

import agent.spool.schema

if TYPE_CHECKING:
    from fakes.spool_world import World

_SHIM = ctypes.CDLL(None)


def folder_name(life: str, pages: int) -> str:
    """Where a life is kept."""
    return f"{life.replace(' ', '_')}-{pages}"


def record(order: dict[str, Any], base: Path) -> str:
    """Live once; returns what went wrong."""
    scenario = EVERY[order["life"]]
    folder = base / folder_name(order["life"], order["pages"])
    kind = recorded(scenario.world)
    world = kind(str(folder / "before"))
    os.makedirs(world.folder)
    if in_child(lambda: scenario.prepare(world)) != FINISHED:
        return "it could not be prepared"
    shutil.copytree(world.folder, folder / "start")
    (folder / "inodes").write_text(json.dumps({"root": world.root, "inodes": inodes(world.root)}))

    def life() -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        fewer_pages(order["pages"])
        if order.get("mistake"):
            MISTAKES[order["mistake"]][0]()
        fd = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        number = ctypes.c_long
        _SHIM.shim_arm(world.root.encode(), fd, number(0), number(0), 0, 0)
        scenario.run(world)

    if in_child(life) != FINISHED:
        return "it did not end as it should"
    log = read(folder)
    disk = Disk(log)
    for change in log.changes:
        disk.apply(change)
    differs = disk.differs(world.root)
    return f"what was recorded does not make what is there: {', '.join(differs[:5])}" if differs else ""


def recorded(kind: type[World]) -> type[World]:
    """A world that writes its promises into the shim's log as well, in their place among the changes."""

    class Recorded(kind):  # type: ignore[misc, valid-type]
        def promise(self, *words: object) -> None:
            super().promise(*words)
            _SHIM.shim_promise(" ".join(map(str, words)).encode())

    return Recorded


def fewer_pages(pages: int) -> None:
    """Let SQLite move its log after so many pages."""
    name, old = "wal_autocheckpoint", agent.spool.schema.PRAGMAS
    assert any(name in text for text in old)
    agent.spool.schema.PRAGMAS = tuple(f"PRAGMA {name} = {pages}" if name in text else text for text in old)


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps({**order, "wrong": record(order, Path(sys.argv[1]))}), flush=True)


if __name__ == "__main__":
    main()
