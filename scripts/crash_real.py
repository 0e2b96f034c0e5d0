"""Cut the power of real file systems: block by block on ext4 (the spool) and vfat (exports), in user-mode Linux."""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fakes.crash.crew import cores
from fakes.crash.mistakes import MISTAKES
from fakes.crash.power import OFTEN, SELDOM, SHOWN
from fakes.media import may_mount
from fakes.uml import boot, ext4, stick

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    Answers = Iterable[dict[str, Any]]

# Lives of the spool, and after how many pages SQLite moves its log in them.
LIVES: Final = (("all", SELDOM), ("all", OFTEN), ("recover", SELDOM), ("migrate", OFTEN), ("capture", OFTEN))
# Mistakes that real blocks must show; the others show only on weaker file systems or are about the archive.
PLANTED_ON: Final = "FAT16"
PLANTED: Final = ("no file fsync", "synchronous=NORMAL")
MORE: Final = 2  # combinations at random at each moment
STATES: Final = 1200  # that a whole run looks at of each file system, at least where there are as many
SAMPLED: Final = 60
TRIED: Final = 800  # states until a mistake must have shown
REPEATED: Final = 10  # after every so manieth state of a stick it is repaired and exported to again
_LOG_MIB: Final = 192
_SKIPPED: Final = 77


class Looked(NamedTuple):
    """What came of one file system or one mistake."""

    states: int
    disks: int
    wrong: list[str]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sample", action="store_true", help=f"{SAMPLED} states of each file system")
    parser.add_argument("--all", action="store_true", help="every state there is; an hour")
    parser.add_argument("--only", choices=["ext4", "vfat"], help="one file system")
    parser.add_argument("--seed", type=int, default=1, help="of what is combined and sampled (0: another each time)")
    parser.add_argument("--jobs", type=int, default=cores(), metavar="N", help="kernels at a time")
    parser.add_argument("--json", action="store_true", help="print one object")


def run(options: argparse.Namespace) -> int:
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 31)
    say(f"seed {seed}")
    if lacking := boot.lacking():
        say(f"SKIPPED: {lacking}")
        return _SKIPPED
    found: dict[str, Looked] = {}
    seen: dict[str, int] = {}
    with boot.folder() as name:
        bench = Bench(Path(name), options, seed)
        if options.only != "vfat":
            found["ext4"] = bench.all([*bench.ext4()])
            seen = {mistake: bench.mistake(mistake) for mistake in PLANTED}
        if options.only != "ext4":
            found["vfat"] = bench.all([*bench.vfat()])
            seen |= {mistake: bench.mistake(mistake) for mistake in stick.MISTAKES}
    return report(found, seen, seed, as_json=options.json)


class Bench:
    """Boots kernels and judges."""

    def __init__(self, folder: Path, options: argparse.Namespace, seed: int) -> None:
        self.folder, self.options, self.seed = folder, options, seed
        self.wanted = SAMPLED if options.sample else 0 if options.all else STATES
        self._number = 0

    def all(self, work: list[Callable[[], Answers]]) -> Looked:
        """Do it, some at a time, with progress."""
        began, told = time.monotonic(), 0.0
        states, disks, wrong = 0, set[str](), list[str]()

        def one(job: Callable[[], Answers]) -> None:
            nonlocal states, told
            for answer in job():
                states += 1
                disks.add(answer["state"])
                wrong.extend(answer["wrong"])
                for text in answer["wrong"][:SHOWN]:
                    say(f"NO {text}")
                if time.monotonic() - told > 10:
                    told = time.monotonic()
                    say(f"{states} states, {len(wrong)} violations, {told - began:.0f} s")

        with ThreadPoolExecutor(self.options.jobs) as pool:
            for future in [pool.submit(one, job) for job in work]:
                future.result()
        return Looked(states, len(disks), wrong)

    def ext4(self) -> Iterator[Callable[[], Answers]]:
        """Each life is recorded in a kernel of its own; where loops may be made here, it is judged here."""
        for life, pages in LIVES:
            yield partial(self._ext4, life, pages, self.wanted // len(LIVES))

    def vfat(self) -> Iterator[Callable[[], Answers]]:
        """Each format has its own kernel."""
        spools = stick.spools(self._folder())
        for format_ in stick.FORMATS:
            yield partial(self._vfat, format_, spools, self.wanted // len(stick.FORMATS))

    def mistake(self, name: str) -> int:
        """Plant it; after how many states it showed, 0: never."""
        if name in stick.MISTAKES:
            answers = self._vfat(PLANTED_ON, stick.spools(self._folder()), TRIED, name)
        else:
            answers = self._ext4(MISTAKES[name][1], SELDOM, TRIED, name)
        for number, answer in enumerate(answers, 1):
            if answer["wrong"]:
                say(f"mistake {name!r}: seen in state {number}")
                return number
        say(f"mistake {name!r}: NOT SEEN")
        return 0

    def _ext4(self, life: str, pages: int, limit: int, mistake: str = "") -> Iterator[dict[str, Any]]:
        folder = self._folder()
        devices = [boot.make(folder / "medium", ext4.MIB, *ext4.MKFS), boot.make(folder / "log", _LOG_MIB),
                   boot.make(folder / "before", ext4.MIB)]  # fmt: skip
        order = {"life": life, "pages": pages, "mib": ext4.MIB, "mistake": mistake, "promises": []}
        for answer in boot.boot({"do": "ext4.record", **order}, devices):
            order |= {"promises": answer.get("promises", order["promises"])}
        judge = {**order, "more": MORE, "seed": self.seed, "limit": limit}
        if may_mount():
            where = tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None, prefix="crash-")
            yield from _in_child({**judge, "base": str(devices[2]), "log": str(devices[1]), "scratch": where})
        else:
            inside = {"do": "ext4.judge_inside", **judge, "base": "/dev/ubda", "log": "/dev/ubdb"}
            yield from (answer for answer in boot.boot(inside, [devices[2], devices[1]]) if "state" in answer)

    def _vfat(self, format_: str, spools: list[str], limit: int, mistake: str = "") -> Iterator[dict[str, Any]]:
        folder = self._folder()
        mib, command, _options = stick.FORMATS[format_]
        devices = [boot.make(folder / "stick", mib, *command), boot.make(folder / "log", _LOG_MIB)]
        order = {"do": "vfat.replay", "format": format_, "spools": spools, "more": MORE, "seed": self.seed,
                 "limit": limit, "again": REPEATED, "mistake": mistake}  # fmt: skip
        yield from (answer for answer in boot.boot(order, devices) if "state" in answer)

    def _folder(self) -> Path:
        self._number += 1
        folder = self.folder / str(self._number)
        folder.mkdir()
        return folder


def _in_child(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Judge in a process of its own: the judge stops its clock, and mounts."""
    context = get_context("spawn")
    answers = context.SimpleQueue()
    child = context.Process(target=ext4.judge_into, args=(order, answers))
    child.start()
    try:
        while (answer := answers.get()) is not None:
            yield answer
    finally:
        child.terminate()
        child.join()


def report(found: dict[str, Looked], seen: dict[str, int], seed: int, *, as_json: bool) -> int:
    """Print the counts; the exit status."""
    missed = [name for name, after in seen.items() if not after]
    if as_json:
        rows = {
            name: {**one._asdict(), "wrong": one.wrong[:SHOWN], "violations": len(one.wrong)}
            for name, one in found.items()
        }
        print(json.dumps({"seed": seed, **rows, "mistakes": seen}, indent=1))
    else:
        words = [f"{name}: {one.states} states, {one.disks} distinct disks, {len(one.wrong)} violations"
                 for name, one in found.items()]  # fmt: skip
        print("; ".join([*words, *([f"{len(seen) - len(missed)} of {len(seen)} mistakes seen"] if seen else [])]))
    return int(bool(missed or any(one.wrong or not one.states for one in found.values())))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
