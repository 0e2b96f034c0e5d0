"""Cut the power of recorded lives and look at what may be left.

Each disk is written to memory, recovered, judged, recovered again and driven to its end by an archive that has lost
what it had not vouched for (every other time: that has kept it). What is left by the first recovery is often the same,
byte for byte; then the rest is known. The clock stands still, which is what makes it the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fakes.crash.cuts import Cuts
from fakes.crash.journal import Digests, read
from fakes.crash.record import folder_name
from fakes.crash.shim import environment
from fakes.crash.table import EVERY
from fakes.spool_faults import look as look_at_spool
from fakes.spool_world import let_go, word_of

import agent.spool.mount
import agent.spool.store
from agent.spool.core import Clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fakes.crash.cuts import Cut
    from fakes.crash.journal import Disk
    from fakes.spool_world import World

    from agent.spool.report import Report
    from agent.spool.store import Spool

OFTEN, SELDOM = 8, 1000  # pages after which SQLite moves its log; the second is the agent's own number
SHOWN: Final = 20
_TURNS: Final = 20
_ENDS: Final = {"committed", "diverted"}
_GONE: Final = 0x0112  # No such SOP Instance


class Looked(NamedTuple):
    """What came of one life; added up with ``add``."""

    states: int = 0  # disks with the promises made before
    disks: int = 0  # that differ, whatever was promised
    same: int = 0  # whose recovery left what another one's had left
    changes: int = 0
    wrong: tuple[str, ...] = ()


def add(parts: Iterable[Looked]) -> Looked:
    """Add up."""
    found = list(parts)
    sums = [sum(part[field] for part in found) for field in range(4)]
    return Looked(*sums, tuple(text for part in found for text in part.wrong))


def record(orders: Sequence[dict[str, Any]], base: Path, library: Path) -> list[str]:
    """Record lives into ``base``; returns what went wrong with which."""
    command = [sys.executable, "-m", "fakes.crash.record", str(base)]
    lines = "".join(json.dumps(order) + "\n" for order in orders)
    done = subprocess.run(command, input=lines, env=environment(library), capture_output=True, text=True, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    wrong = [f"{answer['life']}: {answer['wrong']}" for answer in answers if answer["wrong"]]
    if len(answers) != len(orders) or done.returncode:
        wrong.append(f"{len(answers)} of {len(orders)} lives were recorded")
    return [f"{text}\n{done.stderr[-2000:]}" for text in wrong]


def stand_still() -> None:
    """Let every spool of this process have the same time, and what it asks of the system once."""
    still = Clock(lambda: 1000.0, lambda: 1.7e9)
    agent.spool.store.Clock = lambda: still  # type: ignore[misc, assignment]
    known = agent.spool.mount._read(agent.spool.mount.MOUNTINFO)
    agent.spool.mount._read = lambda _path: known


class Judge:
    """Looks at the disks of one life."""

    def __init__(self, life: str, pages: int, base: Path, scratch: Path) -> None:
        self.scenario = EVERY[life]
        self.folder = base / folder_name(life, pages)
        self.log = read(self.folder)
        self.now = scratch / "now"
        self._before = self._read("promises")
        self._ours = spool_look(self.scenario.look)
        self._ended: dict[bytes, tuple[str, ...]] = {}
        self.same = 0

    def look(self, disk: Disk, promises: list[str], *, forgets: bool) -> list[str]:
        """Say what is wrong with a disk."""
        shutil.rmtree(self.now, ignore_errors=True)
        if self._ours is None:  # its own judge may look at what stands beside the root
            shutil.copytree(self.folder / "before", self.now)
            shutil.rmtree(self.now / "spool")
        disk.write(str(self.now / "spool"))
        (self.now / "promises").write_bytes(self._before + "".join(f"{line}\n" for line in promises).encode())
        world = self.scenario.world(str(self.now))
        try:
            if self._ours is None:
                return self.scenario.look(world)
            return self._recover(world, rebuilt=self._ours["rebuilt"], forgets=forgets)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not happen
            return [f"the look at it ended with {type(error).__name__}: {error}"]

    def _recover(self, world: World, *, rebuilt: bool, forgets: bool) -> list[str]:
        with world.open() as spool:
            report = spool.report
        key = _digest_of(self.now) + f"{report}{forgets}".encode()
        if key in self._ended:
            self.same += 1
        else:
            self._ended[key] = tuple(again(world, report, rebuilt=rebuilt, forgets=forgets))
        return [*self._ended[key]]

    def _read(self, name: str) -> bytes:
        path = self.folder / "start" / name
        return path.read_bytes() if path.exists() else b""


def again(world: World, report: Report, *, rebuilt: bool, forgets: bool) -> list[str]:
    """Recover again, which must change nothing; judge what the first recovery left; drive everything to its end."""
    with world.open() as spool:
        wrong = [] if spool.report.clean else [f"I6 the second recovery still found {spool.report}"]
        wrong += world.check(report, spool, rebuilt=rebuilt)
        finish(world, spool, forgets=forgets)
        return [*wrong, *world.check(spool.report, spool, rebuilt=rebuilt), *ended(spool)]


def finish(world: World, spool: Spool, *, forgets: bool) -> None:
    """Drive everything to its end; the archive has what it vouched for and what it is sent from now on."""
    before = world.promises()
    has = {words[1] for words in before if words[0] == "vouched"}
    let_go(spool)
    spool.retry()
    for _turn in range(_TURNS):
        spool.expired_transactions(spool.clock.monotonic() + 1e9)
        busy = world.send(spool, "pacs", limit=64) + world.send(spool, "second", limit=64)
        if forgets:
            has |= {words[2] for words in world.promises()[len(before) :] if words[:2] == ["at", "pacs"]}
        uid, asked = world.ask(spool)
        if asked:
            there = [one for one in asked if not forgets or word_of(one) in has]
            world.settle(spool, uid, there, [(one, _GONE) for one in asked if one not in there])
        elif not busy:
            return
    raise AssertionError(f"the queue does not end: {spool.counts()}")


def ended(spool: Spool) -> list[str]:
    """At the end the archive has everything."""
    return [
        f"P3 {row.sop_instance_uid} is {row.state} at the end"
        for row in spool.rows(destination="pacs", limit=1000)
        if row.state not in _ENDS
    ]


def cut(life: str, pages: int, base: Path, scratch: Path, *, more: int, seed: int, limit: int = 0,
        models: Sequence[str] = (), stop: bool = False) -> tuple[Looked, set[bytes]]:  # fmt: skip
    """Look at the disks of a recorded life, or at ``limit`` of them; ``stop``: until one is wrong.

    Returns also the digests of the disks.
    """
    stand_still()
    judge, digests = Judge(life, pages, base, scratch), Digests()
    seen: set[tuple[bytes, int]] = set()
    wrong: list[str] = []
    for cuts, one, disk in _cuts(judge, models or judge.scenario.models, more=more, seed=seed, limit=limit):
        promised = cuts.promises(one.after)
        key = (digests.of(disk), len(promised))
        if key in seen:
            continue
        seen.add(key)
        found = judge.look(disk, promised, forgets=bool(key[0][0] & 1))
        wrong += [f"{life}, {cuts.words(one)}: {text}" for text in found]
        if stop and wrong:
            break
    disks = {digest for digest, _ in seen}
    return Looked(len(seen), len(disks), judge.same, len(judge.log.changes), tuple(wrong)), disks


def _cuts(judge: Judge, models: Sequence[str], *, more: int, seed: int, limit: int) -> Iterator[tuple[Cuts, Cut, Disk]]:
    for model in models:
        dice, cuts = random.Random(f"{seed} {judge.folder.name} {model}"), Cuts(judge.log, model)
        wanted: Iterable[Cut] = cuts.all(dice, more)
        if limit:
            wanted = sample(wanted, limit // len(models), dice)
        for one, disk in cuts.disks(wanted):
            yield cuts, one, disk


def sample(cuts: Iterable[Cut], limit: int, dice: random.Random) -> list[Cut]:
    """Take so many that every moment has its share."""
    moments: dict[int, list[Cut]] = {}
    for one in cuts:
        moments.setdefault(one.after, []).append(one)
    for some in moments.values():
        dice.shuffle(some)
    turns = (one for turn in zip_longest(*moments.values()) for one in dice.sample(turn, len(turn)) if one)
    return sorted(islice(turns, limit), key=lambda one: one.after)


def spool_look(look: Any) -> dict[str, bool] | None:
    """The arguments of a judge that is the one of every spool; None for another judge."""
    return dict(look.keywords) if getattr(look, "func", None) is look_at_spool else None


def _digest_of(folder: Path) -> bytes:
    whole = hashlib.sha256()
    for base, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not name.endswith("-shm"):
                with open(f"{base}/{name}", "rb") as file:
                    whole.update(f"{base}/{name}\0".encode() + hashlib.sha256(file.read()).digest())
    return whole.digest()
