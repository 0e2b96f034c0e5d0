"""What the harness knows of a scenario: how it begins, the life that is ended at each of its calls, who judges.

A scenario works in one folder, ``World.folder``; the calls that count are those below ``World.root``. ``prepare`` makes
the starting point once; ``run`` is one life, in a process of its own; ``recover`` is the start after a crash, which is
ended at each of *its* calls in a pair; ``look`` recovers in this process and says what is wrong (``[]``: nothing).
``look`` must recover twice and find nothing to do the second time (I6), and drive everything to its end.

Where the medium fails instead, ``again`` is what is tried until it works, and ``lied(world, n)`` judges what a medium
has left that said success and did nothing; the first ``n`` promises are older than that. None: nothing is promised.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from fakes.spool_faults import look as look_at_spool
from fakes.spool_world import World

if TYPE_CHECKING:
    from collections.abc import Callable


def open_and_close(world: World) -> None:
    """Start the spool and stop it."""
    world.open().close()


def go_on(world: World) -> None:
    """Start the spool and drive everything to its end."""
    with world.open() as spool:
        world.finish(spool)


class Scenario(NamedTuple):
    """One row of the table."""

    name: str
    what: str  # one line for people
    prepare: Callable[[World], None]
    run: Callable[[World], None]
    look: Callable[[World], list[str]] = partial(look_at_spool, rebuilt=False)
    recover: Callable[[World], None] = open_and_close
    again: Callable[[World], None] = go_on
    lied: Callable[[World, int], list[str]] | None = None
    world: type[World] = World
    tidy: bool = True  # whether it closes what it opened, whatever happens
    replayed: bool = True  # whether a power cut can be replayed: modes of files are not
    models: tuple[str, ...] = ("ext4", "weak")  # of what a power cut leaves
