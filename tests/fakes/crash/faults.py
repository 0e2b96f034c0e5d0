"""Let one scenario meet a fault of the medium at every Nth call, once or for a while, and look whether it gets well.

The life runs as a role of the daemon does (``agent.app.roles``): what fails is said in the log and tried again after
1 s, 2 s, 4 s ... 60 s of a clock that only moves while it waits. A fault that lasts ends after ``FAULT_S`` of it;
``HEAL_S`` later everything must be done, in the same process. Then the spool is started again and judged as after a
crash: nothing acknowledged is lost, whatever the medium said.

*Errors* (ENOSPC, EIO, EROFS, EDQUOT, EMFILE) must be heard of: a life that goes on as if nothing had happened is wrong,
unless a receipt tells of it, or ``TOLERATED`` says why it may. *Short writes* must be carried on. *A lie* (a call says
success and does nothing) cannot be noticed when it is told, so less is promised, and exactly this: no altered byte is
ever sent; what was acknowledged before the first lie stays; the next start finds its way. What is damaged, lost or
contradicts the chain of events is said then: by the start, by ``verify``, in the receipt.
"""

from __future__ import annotations

import gc
import os
import re
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fakes.crash.points import Found, begin, fresh_world, life, seen, undisturbed
from fakes.crash.shim import FAULTS
from fakes.spool_faults import FINISHED

from agent.app.roles import Role, Spec
from agent.errors import AgentError
from agent.spool.names import LEDGER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.crash.scenario import Scenario
    from fakes.crash.shim import Shim
    from fakes.spool_world import World

FAULT_S, HEAL_S = 100.0, 60.0
LAST = "last"  # file beside the spool
LATE = 4  # exit status of a life that did not get well in time

# What may fail without a word: the calls, where, whether only behind the last promise, why.
_SQLITE = r"(\.\./spool/)?(ledger|index)\.db"
TOLERATED = (
    ({"unlink"}, r"INST/[0-9A-F]{6}/[0-9A-F]{8}\.(part|clip)", False, "of a draft that ended; the next start does it"),
    ({"unlink", "ftruncate"}, _SQLITE + "-wal", False, "SQLite: a log that is done with; it is overwritten"),
    ({"open", "write", "ftruncate", "unlink", "fsync", "fdatasync"}, r"records\.db.*", False,
     "a cache of the directory: made again of the files, where it is missing or wrong"),
    ({"fallocate"}, r"INST/[0-9A-F]{6}/[0-9A-F]{8}\.part", False, "room ahead: what is needed is asked for then"),
    ({"open", "write", "ftruncate", "unlink", "fsync", "fdatasync", "mkdir", "rmdir"}, r"stage(/\w+(/\w+\.db.*)?)?",
     False, "the lists of an export: made elsewhere, or gone with it; the export is proven on its medium"),
    ({"write", "ftruncate"}, r"agent\.toml\.history/lock", False, "who holds a lock: it is held all the same"),
    ({"syncfs"}, r"\.", False, "the flush of a group: each of its files is synced by itself then"),
    ({"fdatasync"}, r"\.", False, "SQLite: the folder of a new log; where it fails, the log's own sync does"),
    ({"write", "ftruncate", "fsync", "fdatasync"}, _SQLITE + "(-wal)?", True,
     "SQLite: the checkpoint at the end; all of it is durable in the log, which stays"),
    ({"write", "ftruncate", "fsync", "fdatasync"}, r"records\.db", False,
     "SQLite: the checkpoint at the end of a directory; the log stays, and it is only a cache"),
)  # fmt: skip
# What is written down and promises nothing of the ledger.
NO_PROMISES = {"said", "at", "copied", "vouched", "made", "safe"}
# How a receipt tells of what was got over at once. That a clip ended because the medium was full is said in the log by
# the daemon, whose report these lives do not have.
IN_A_RECEIPT = ("recovered=file", "the commit of its group failed", "no copy can be made", "ended_by=full")


class FaultOrder(NamedTuple):
    """Which faults (names of ``shim.FAULTS``; "once", "sticky") at which points: ``offset``, ``offset + step`` ..."""

    kinds: tuple[tuple[str, str], ...] = tuple((name, often) for name in FAULTS for often in ("once", "sticky"))
    step: int = 1
    offset: int = 1


class Waiting:
    """In the place of a role's stop event: waiting moves the clock, and ends the fault when it is over."""

    def __init__(self, shim: Shim, root: str, until: float) -> None:
        self.now, self._until = 0.0, until
        self._end = lambda: shim.arm(root)

    def is_set(self) -> bool:
        """Nobody stops the role."""
        return False

    def wait(self, seconds: float | None = None) -> bool:
        """Let ``seconds`` pass."""
        before = self.now
        self.now += seconds or 0.0
        if before < self._until <= self.now:
            self._end()
        if self.now > self._until + HEAL_S:
            os._exit(LATE)
        return False


class Heard:
    """The log of a life, for whoever looks at it afterwards."""

    def __init__(self, world: World) -> None:
        self._world = world

    def say(self, level: str, role: str, text: str, *, always: bool = False) -> None:
        self._world.promise("said", level, role, text.replace("\n", " "), always)

    def show(self, text: str) -> None:
        """A traceback: a fault of ours."""
        self._world.promise("traceback", text.replace("\n", " | "))


def enumerate_faults(shim: Shim, scenario: Scenario, folder: Path, order: FaultOrder) -> Iterator[Found]:
    """Yield what each fault came to."""
    begin(scenario, folder)
    wrong = undisturbed(shim, scenario, folder)
    calls = shim.calls()
    if wrong:
        yield Found(wrong=tuple(wrong))
        return
    for point in range(order.offset, len(calls) + 1, order.step):
        for name, often in order.kinds:
            if name == "short write" and calls[point - 1] != "write":
                continue
            if name == "silent no-op" and scenario.lied is None:
                continue
            yield _one(shim, scenario, folder, point, name, sticky=often == "sticky")


def _one(shim: Shim, scenario: Scenario, folder: Path, point: int, name: str, *, sticky: bool) -> Found:
    world = fresh_world(scenario, folder)
    before = len(world.promises())
    status = life(shim, lambda: _life(shim, scenario, world, point, FAULTS[name], sticky=sticky))
    call, path = shim.met(), os.path.relpath(shim.path() or world.watched, world.root)
    where = f"{scenario.name}, {name} {'from' if sticky else 'at'} call {point}, {call} {path}"
    if not call:  # this time it had not so many calls
        return Found()
    wrong, notes = [], {}
    said = [words for words in world.promises()[before:] if words[0] in {"said", "traceback"}]
    if status == LATE:
        wrong.append(f"it was not well {HEAL_S:.0f} s after the fault was over: {said[-1:]}")
    elif status != FINISHED:
        wrong.append(f"the child ended with {status}")
    wrong += [f"a fault of ours: {' '.join(words)}" for words in said if words[0] == "traceback"]
    wrong += [f"I9 {' '.join(words[3:])}" for words in said if words[1] == "leak"]
    if name == "silent no-op":
        assert scenario.lied is not None
        wrong += scenario.lied(world, before)
    else:
        wrong += seen(scenario, world)
        heard = any(_NotAsHoped.code not in " ".join(words) for words in said) or in_a_receipt(world)
        if name != "short write" and not heard:
            why = tolerated(call, path, behind=_last_promise(folder) < point)
            notes = {why: 1} if why else {}
            wrong += [] if why else ["nobody heard of it"]
    return Found(faults=1, calls={name: 1}, notes=notes, wrong=tuple(f"{where}: {text}" for text in wrong))


def in_a_receipt(world: World) -> bool:
    """Whether the custody of an instance tells of it, though no role failed."""
    path = f"{world.root}/{LEDGER}"
    if not os.path.exists(path):
        return False
    with closing(sqlite3.connect(path)) as db:
        told = " OR ".join(f"detail LIKE '%{words}%'" for words in IN_A_RECEIPT)
        sql = f"SELECT 1 FROM event WHERE {told}"
        return db.execute(sql).fetchone() is not None


def tolerated(call: str, path: str, *, behind: bool) -> str:
    """Why nobody need hear of it; empty: somebody must. ``behind``: nothing is promised after it."""
    for calls, where, late, why in TOLERATED:
        if call in calls and re.fullmatch(where, path) and (behind or not late):
            return why
    return ""


def _last_promise(folder: Path) -> int:
    """How many calls the first try had made when it promised something for the last time."""
    path = folder / "now" / LAST
    return int(path.read_text()) if path.exists() else 0


def _life(shim: Shim, scenario: Scenario, world: World, point: int, code: int, *, sticky: bool) -> None:
    promise = world.promise

    def counted(*words: object) -> None:
        promise(*words)
        if first and words[0] not in NO_PROMISES:
            Path(world.folder, LAST).write_text(str(shim.count()))

    world.promise = counted  # type: ignore[method-assign]
    shim.arm(world.watched, error=point, code=code, sticky=sticky)
    waiting = Waiting(shim, world.watched, FAULT_S if sticky else 0.0)
    heard = Heard(world)
    first = True

    def work(_stop: threading.Event, _facts: object) -> None:
        nonlocal first
        if not first:
            scenario.again(world)
            return
        try:
            scenario.run(world)
        except AssertionError as error:  # not as hoped; what counts is what comes of it
            raise _NotAsHoped(str(error)) from None
        finally:
            first = False

    role = Role("life", Spec(work, None), heard)  # type: ignore[arg-type] # all of a Journal that a role uses
    role.stop = waiting  # type: ignore[assignment] # all of an Event that a role uses
    before = descriptors()
    role._live()
    gc.collect()  # a failure holds the statement it came of until then, and SQLite its files with that
    if scenario.tidy and threading.active_count() == 1 and (left := descriptors() - before):
        heard.say("leak", "life", f"{len(left)} descriptors are left open: {', '.join(sorted(left))}")


def descriptors() -> set[str]:
    """Files that this process has open (I9)."""
    found = set()
    for fd in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # that of the listing itself
            found.add(f"{fd} {os.readlink(f'/proc/self/fd/{fd}')}")
    return {name for name in found if "/proc/" not in name}


class _NotAsHoped(AgentError):
    """A scenario's own expectation was not met; nobody but the test hears of it."""

    code = "not as hoped"
