"""Kill one scenario at every Nth call, and its recovery at every call of that; look at what each crash leaves.

A process that is killed loses no byte it has written: what remains is the state of the files at that call (what a power
cut takes besides is cuts.py). Each life is a forked child of this process, which runs under the shim.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from fakes.spool_faults import DIED, FINISHED, fresh, in_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fakes.crash.scenario import Scenario
    from fakes.crash.shim import Shim
    from fakes.spool_world import World

LIMIT = 5000  # a life with more calls than this is a loop
_QUIET = {"agent", "fakes", *sys.stdlib_module_names}  # modules that start no thread
PATIENCE_S = 60  # for one life; then it hangs, which is wrong
ENDLESS = f"it had more than {LIMIT} calls and no end"


class Order(NamedTuple):
    """Which points: ``offset``, ``offset + step`` ...; behind every ``pairs``th of them recovery is killed as well.

    ``pairs`` 0: nowhere. It is killed at every ``pair_step``th of its calls, behind the next point at the next ones.
    """

    step: int = 1
    offset: int = 1
    pairs: int = 0
    pair_step: int = 1
    mistake: str = ""  # of ``mistakes.BY_KILLING``: planted in the life, not in who looks


class Found(NamedTuple):
    """What one piece of work came to; pieces are added up."""

    points: int = 0
    pairs: int = 0
    faults: int = 0
    calls: dict[str, int] = {}  # name of a call, or of a fault -> how many
    notes: dict[str, int] = {}  # why something may be as it is -> how often
    wrong: tuple[str, ...] = ()


def enumerate_points(shim: Shim, scenario: Scenario, folder: Path, order: Order) -> Iterator[Found]:
    """Yield what each point came to."""
    begin(scenario, folder)
    wrong = undisturbed(shim, scenario, folder)
    total = len(shim.calls())
    if wrong or total >= LIMIT:
        yield Found(wrong=tuple(wrong) or (f"{scenario.name}: {ENDLESS}",))
        return
    for turn, point in enumerate(range(order.offset, LIMIT, order.step)):
        world = fresh_world(scenario, folder)
        run = partial(_mistaken, order.mistake, scenario.run) if order.mistake else scenario.run
        status = life(shim, lambda world=world, point=point, run=run: _killed(shim, run, world, point))
        if status == FINISHED:
            return
        met, where = shim.met(), f"{scenario.name}, killed at call {point}, {_call(shim, world)}"
        if status != DIED:
            yield Found(wrong=(f"{where}: the child ended with {status}",))
            continue
        seconds = order.pairs and turn % order.pairs == 0
        if seconds:
            shutil.rmtree(folder / "first", ignore_errors=True)
            shutil.copytree(folder / "now", folder / "first")
        yield Found(1, calls={met: 1}, wrong=tuple(f"{where}: {text}" for text in seen(scenario, world)))
        if seconds:
            yield from _pairs(shim, scenario, folder, where, range(1 + turn % order.pair_step, LIMIT, order.pair_step))


def _pairs(shim: Shim, scenario: Scenario, folder: Path, where: str, at: range) -> Iterator[Found]:
    for second in at:
        shutil.rmtree(folder / "now", ignore_errors=True)
        shutil.copytree(folder / "first", folder / "now")
        world = scenario.world(str(folder / "now"))
        status = life(shim, lambda world=world, second=second: _killed(shim, scenario.recover, world, second))
        if status == FINISHED:
            return
        both = f"{where}, then at call {second} of recovery, {_call(shim, world)}"
        if status != DIED:
            yield Found(wrong=(f"{both}: the child ended with {status}",))
        else:
            yield Found(pairs=1, wrong=tuple(f"{both}: {text}" for text in seen(scenario, world)))


def begin(scenario: Scenario, folder: Path) -> None:
    """Make the starting point, in a child: the threads it may need must not live on here."""
    world = scenario.world(str(folder / "before"))
    os.makedirs(world.folder)
    if in_child(lambda: scenario.prepare(world)) != FINISHED:
        raise AssertionError(f"{scenario.name}: it could not be prepared")


def undisturbed(shim: Shim, scenario: Scenario, folder: Path) -> list[str]:
    """Live once without a fault and look: a scenario that is wrong by itself proves nothing."""
    world = fresh_world(scenario, folder)

    def whole() -> None:
        before = set(sys.modules)
        _killed(shim, scenario.run, world, 0)
        names = [name for name in set(sys.modules) - before if name.partition(".")[0] in _QUIET]
        (folder / "modules").write_text("\n".join(sorted(names)))

    status = life(shim, whole)
    if status == FINISHED:
        for name in (folder / "modules").read_text().split():
            importlib.import_module(name)  # once here, not once in each of a thousand lives
    wrong = [] if status == FINISHED else [f"the child ended with {status}"]
    return [f"{scenario.name}, undisturbed: {text}" for text in wrong + seen(scenario, world)]


def life(shim: Shim, run: Callable[[], None]) -> int:
    """Run in a child that is ended when it hangs; its exit status."""
    shim.forget()

    def watched() -> None:
        signal.alarm(PATIENCE_S)
        run()

    return in_child(watched)


def seen(scenario: Scenario, world: World) -> list[str]:
    """Look; a recovery that ends with an error is as wrong as one that finds too little."""
    try:
        return scenario.look(world)
    except Exception as error:  # noqa: BLE001 - the whole point is to hear of it
        return [f"the look at it ended with {type(error).__name__}: {error}"]


def add(found: list[Found]) -> Found:
    """Add up."""
    counts, calls, notes = [0, 0, 0], Counter[str](), Counter[str]()
    for one in found:
        counts = [have + more for have, more in zip(counts, one[:3], strict=True)]
        calls.update(one.calls)
        notes.update(one.notes)
    return Found(*counts, dict(calls), dict(notes), tuple(text for one in found for text in one.wrong))


def fresh_world(scenario: Scenario, folder: Path) -> World:
    """A copy of the starting point."""
    return scenario.world(fresh(folder, "now").folder)


def points_text(found: Found) -> str:
    """The counts, for people."""
    return f"{found.points} points, {found.pairs} pairs, {len(found.wrong)} violations"


def _mistaken(mistake: str, run: Callable[[World], None], world: World) -> None:
    from fakes.crash.mistakes import BY_KILLING

    BY_KILLING[mistake][0]()
    run(world)


def _killed(shim: Shim, run: Callable[[World], None], world: World, at: int) -> None:
    shim.arm(world.watched, kill=at)
    run(world)


def _call(shim: Shim, world: World) -> str:
    return f"{shim.met()} {os.path.relpath(shim.path() or world.watched, world.root)}"
