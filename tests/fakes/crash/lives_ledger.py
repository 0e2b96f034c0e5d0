"""Lives around the ledger and damaged files: what was lost is rebuilt, what is damaged is set aside and healed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fakes.crash.lives_capture import used
from fakes.spool_world import uid_of

from agent.spool.names import LEDGER
from agent.spool.states import Life

if TYPE_CHECKING:
    from fakes.spool_world import World

    from agent.spool.store import Spool

SPOILT = 2


def gone(world: World) -> None:
    """A ledger that is not there any more, its log left behind by a process that was killed."""
    used(world)
    spool = world.open()
    world.capture(spool, 4)
    os.unlink(f"{world.root}/{LEDGER}")  # the caller's process ends without closing


def refill(world: World) -> None:
    """Start without a ledger, and go on at once."""
    with world.open() as spool:
        world.capture(spool, 5)
        world.send(spool, "second")


def spoilt(world: World) -> None:
    """A byte of one instance has changed on the medium."""
    used(world)
    with world.open() as spool:
        number = _number(spool)
        with open(spool.path(number), "r+b") as file:
            file.seek(-100, os.SEEK_END)
            byte = file.read(1)
            file.seek(-100, os.SEEK_END)
            file.write(bytes([byte[0] ^ 1]))


def quarantine(world: World) -> None:
    """Reading finds it: it goes to quarantine, and the same content captured again heals it."""
    with world.open() as spool:
        assert spool.examine_number(_number(spool)) is Life.DAMAGED
        world.capture(spool, SPOILT)
        assert spool.examine_number(_number(spool)) is Life.LIVE


def look_at_spoilt(world: World) -> list[str]:
    """The damage is found and said, nothing else is touched, and the same content heals it."""
    with world.open() as spool:
        report = spool.report
        if report.lost or report.unreadable or report.strange or report.ledger_rebuilt:
            wrong = [f"recovery raised another alarm: {report}"]
        else:
            wrong = []
        if spool.examine_number(_number(spool)) is not Life.LIVE:
            kept = os.listdir(f"{world.root}/quarantine")
            if not any(name.startswith(f"{_number(spool):08X}") for name in kept):
                wrong.append(f"P2 the damaged file is gone; quarantine has {kept}")
            world.capture(spool, SPOILT)
        wrong += world.check(report._replace(damaged=0, notes=()), spool)
    with world.open() as spool:
        if not spool.report.clean:
            wrong.append(f"I6 the second recovery still found {spool.report}")
        world.finish(spool)
        wrong += world.check(spool.report, spool)
    return wrong


def _number(spool: Spool) -> int:
    known = spool.known(uid_of(SPOILT))
    assert known is not None
    return known[0]
