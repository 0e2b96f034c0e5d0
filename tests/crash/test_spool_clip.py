"""A clip under way dies, or its medium fails, at every change of the medium: the frames of the last mark are kept."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.spool_clips import Clip, cut_uid, frames_in
from fakes.spool_faults import DIED, FINISHED, Dying, Failing, fresh, in_child
from fakes.spool_world import World, uid_of

from agent.errors import AgentError, SpoolError

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.fault

POINTS_LIMIT = 500


def record_clip(world: World) -> None:
    """Five frames with three marks, then sealed; each promise is written down the moment it is made."""
    with world.open() as spool:
        clip = Clip(spool, 1)
        try:
            for frames in (1, 2, 2):
                clip.add(frames)
                if clip.mark():
                    world.promise("durable", clip.layout.frames)
            clip.seal()
            world.promise("sealed", clip.layout.frames)
        except SpoolError:
            clip.draft.salvage()
            raise
        finally:
            clip.draft.abandon()


def look(world: World) -> list[str]:
    """Recover, twice; what was durable must be an instance."""
    promised = max((int(words[1]) for words in world.promises()), default=0)
    with world.open() as spool:
        wrong = [f"an alarm: {spool.report}"] if spool.report.alarm else []
        found = [spool.receipt(uid) for uid in (uid_of(1), *(cut_uid(1, frames) for frames in (1, 3, 4, 5)))]
        receipts = [receipt for receipt in found if receipt is not None]
        wrong += ["it is there twice"] * (len(receipts) > 1)
        receipt = receipts[0] if receipts else None
        if receipt is None:
            return wrong + [f"{promised} frames were durable and nothing is left"] * (promised > 0)
        if receipt.state != "live":
            wrong.append(f"it is {receipt.state}")
        kept = frames_in(spool.path(receipt.id), 1)
        wrong += [f"{promised} frames were durable, {kept} are kept"] * (kept < promised)
        names = os.listdir(os.path.dirname(spool.path(receipt.id)))
        wrong += [f"left behind: {names}"] * (len(names) != 1)
        wrong += list(spool.reader.verify().faults)
    with world.open() as spool:
        wrong += [f"the second recovery found {spool.report}"] * (not spool.report.clean)
    return wrong


@pytest.fixture
def before() -> Generator[Path, None, None]:
    """In memory where possible: a killed process loses no page either way."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        os.makedirs(f"{folder}/before/spool")
        yield Path(folder)


def test_a_crash_at_any_step_of_a_clip(before: Path) -> None:
    wrong, point = [], 0
    for point in range(1, POINTS_LIMIT):
        world = fresh(before, "now")
        world.ops = Dying(point)
        status = in_child(lambda world=world: record_clip(world))
        world.ops = None
        assert status in {DIED, FINISHED}
        wrong += [f"killed at step {point}: {text}" for text in look(world)]
        if status == FINISHED:
            break
    print(f"killed at {point - 1} steps of a clip")
    assert not wrong, "\n".join(wrong[:20])
    assert point > 40


def test_a_crash_in_the_recovery_of_a_clip(before: Path) -> None:
    first = World(str(before / "before"))
    spool = first.open()
    clip = Clip(spool, 1)
    clip.add(4)
    clip.mark()
    first.promise("durable", 4)
    spool.close()
    wrong, point = [], 0
    for point in range(1, POINTS_LIMIT):
        world = fresh(before, "now")
        world.ops = Dying(point)
        status = in_child(lambda world=world: world.open().close())
        world.ops = None
        assert status in {DIED, FINISHED}
        wrong += [f"killed at step {point} of recovery: {text}" for text in look(world)]
        if status == FINISHED:
            break
    print(f"killed at {point - 1} steps of the recovery of a clip")
    assert not wrong, "\n".join(wrong[:20])
    assert point > 10


@pytest.mark.parametrize("sticky", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
def test_an_error_at_any_step_of_a_clip(before: Path, code: int, sticky: bool) -> None:
    wrong, point = [], 0
    for point in range(1, POINTS_LIMIT):
        world = fresh(before, "now")
        ops = world.ops = Failing(point, code, sticky=sticky)
        raised = "nothing"
        try:
            record_clip(world)
        except AgentError as error:
            raised = f"{type(error).__name__}: {error}"
        fired = ops.fired
        world.ops = None
        wrong += [f"{errno.errorcode[code]} at step {point} ({raised}): {text}" for text in look(world)]
        if not fired:
            break
    assert not wrong, "\n".join(wrong[:20])
