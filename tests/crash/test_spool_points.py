"""Kill, fill and fail the spool at its Nth change of the medium, for every N, and look whether a promise was broken.

The changes are the steps of ``durable.Ops``: each create, write, sync, rename, unlink and folder, and the begin, the
commit and the return of each ledger transaction. A *kill* is ``os._exit`` in a forked child (a process crash: what was
written stays; what a power cut takes is test_spool_powercut.py). An *error* is ENOSPC or EIO, once or from then on.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.spool_faults import DIED, FINISHED, Dying, Failing, fresh, in_child, look
from fakes.spool_world import SCENARIOS, World, run_evict, three_stored

from agent.errors import AgentError
from agent.spool.ledger import live
from agent.spool.states import Event
from agent.spool.store import Spool

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.fault

EVERYTHING = os.environ.get("SPOOL_FAULTS") == "all"  # otherwise errors are tried on two lives, the shim does the rest

POINTS_LIMIT = 2000  # a scenario with more steps than this is a loop


def unlink_before_state(spool: Spool, *, need_bytes: int = 0) -> int:
    rows = spool.ledger.read("SELECT id FROM instance WHERE life = 21")
    for (number,) in rows:
        spool.medium.remove(spool.path(number))
        for event in (Event.EVICT, Event.GONE):
            spool.ledger.write(lambda db, n=number, e=event: live(db, n, e, at=0.0))
    return len(rows)


@pytest.fixture
def before(request: pytest.FixtureRequest) -> Generator[Path, None, None]:
    """The scenario's starting point; in memory where possible, because a killed process loses no page either way."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        world = World(f"{folder}/before")
        os.makedirs(world.folder)
        SCENARIOS[request.node.callspec.params["scenario"]][0](world)
        yield Path(folder)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_crash_at_any_step_breaks_no_promise(scenario: str, before: Path, record_property) -> None:
    run, wrong, point = SCENARIOS[scenario][1], [], 0
    rebuilt = scenario == "rebuild"
    for point in range(1, POINTS_LIMIT):
        world = fresh(before, "now")
        world.ops = Dying(point)
        status = in_child(lambda world=world: run(world))
        world.ops = None
        assert status in {DIED, FINISHED}, f"point {point}: the child failed by itself"
        wrong += [f"{scenario}, killed at step {point}: {text}" for text in look(world, rebuilt=rebuilt)]
        if status == FINISHED:
            break
    record_property("points", point)
    print(f"{scenario}: killed at {point - 1} steps")
    assert not wrong, "\n".join(wrong[:20])
    assert point > 3


@pytest.mark.parametrize("scenario", ["capture", "evict", "recover", "rebuild"] if EVERYTHING else ["evict"])
def test_a_crash_in_recovery_after_a_crash(scenario: str, before: Path) -> None:
    run, wrong, pairs = SCENARIOS[scenario][1], [], 0
    rebuilt = scenario == "rebuild"
    for first in range(1, POINTS_LIMIT):
        world = fresh(before, "first")
        world.ops = Dying(first)
        if in_child(lambda world=world: run(world)) == FINISHED:
            break
        for second in range(1, POINTS_LIMIT):
            shutil.rmtree(before / "now", ignore_errors=True)
            shutil.copytree(before / "first", before / "now")
            again = World(str(before / "now"), Dying(second))
            status = in_child(lambda again=again: again.open().close())
            again.ops = None
            assert status in {DIED, FINISHED}
            if status == FINISHED:
                break
            pairs += 1
            wrong += [
                f"{scenario}, killed at {first} and at {second} of recovery: {t}" for t in look(again, rebuilt=rebuilt)
            ]
    print(f"{scenario}: {pairs} pairs")
    assert not wrong, "\n".join(wrong[:20])


@pytest.mark.parametrize("sticky", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
@pytest.mark.parametrize("scenario", SCENARIOS if EVERYTHING else ["capture", "evict"])
def test_an_error_at_any_step_breaks_no_promise(scenario: str, before: Path, code: int, sticky: bool) -> None:
    run, wrong, point = SCENARIOS[scenario][1], [], 0
    rebuilt = scenario == "rebuild"
    for point in range(1, POINTS_LIMIT):
        world = fresh(before, "now")
        ops = world.ops = Failing(point, code, sticky=sticky)
        raised = "nothing"
        try:
            run(world)
        except AgentError as error:
            raised = f"{type(error).__name__}: {error}"
        except AssertionError as error:  # a scenario's own expectation, such as "3 evicted"
            raised = f"assertion {error}"
        fired = ops.fired
        world.ops = None
        where = f"{scenario}, {errno.errorcode[code]} {'from' if sticky else 'at'} step {point} ({raised})"
        wrong += [f"{where}: {text}" for text in look(world, rebuilt=rebuilt)]
        if not fired:
            break
    print(f"{scenario} {errno.errorcode[code]} sticky={sticky}: {point - 1} points")
    assert not wrong, "\n".join(wrong[:20])


def evict_on_store(spool: Spool, *, need_bytes: int = 0) -> int:
    numbers = [row[0] for row in spool.ledger.read("SELECT id FROM instance WHERE life = 21")]
    spool.ledger.write(lambda db: [live(db, number, Event.EVICT, at=0.0) for number in numbers])
    spool.finish_eviction(numbers)
    return len(numbers)


MISTAKES = {
    "unlink before state": ("evict", "evict", unlink_before_state),
    "evict on store": ("evict too soon", "evict", evict_on_store),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_harness_can_fail(mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each seeded mistake must be found by the very loop that finds none in the spool."""
    scenario, name, wrong_way = MISTAKES[mistake]
    prepare, run = {**SCENARIOS, "evict too soon": (three_stored, run_evict)}[scenario]
    before = World(str(tmp_path / "before"))
    os.makedirs(before.folder)
    prepare(before)
    monkeypatch.setattr(Spool, name, wrong_way)
    found: list[str] = []
    for point in range(1, POINTS_LIMIT):
        world = fresh(tmp_path, "now")
        world.ops = Dying(point)
        status = in_child(lambda world=world: run(world))
        world.ops = None
        with world.open() as spool:
            found += world.check(spool.report, spool)
        if status != DIED:
            break
    assert found, f"{mistake}: not one of {point} crashes showed it"
