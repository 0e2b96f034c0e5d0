"""Cut the power of recorded lives at every change, and look at each disk that may be left."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fakes.crash import power, shim
from fakes.crash.crew import cores
from fakes.crash.mistakes import MISTAKES
from fakes.crash.power import OFTEN, SELDOM, SHOWN, Looked
from fakes.crash.server import MEMORY
from fakes.crash.table import TABLE

if TYPE_CHECKING:
    import argparse

MORE: Final = 2  # combinations at random, at each moment with more open changes than can be combined
# Disks of each life with each habit of SQLite, where there are so many; 3,000 came to 89,000 different ones together.
EACH: Final = 4000
SLOW: Final = 10  # so many times fewer where a life has a judge of its own: sockets, codecs, whole exports
SAMPLED: Final = 20  # the least of each in a sample
TRIED: Final = 400  # disks until a mistake must have shown
PROGRESS_S: Final = 10.0


class Unit(NamedTuple):
    """One life with one habit of SQLite."""

    life: str
    pages: int
    base: str
    limit: int
    more: int
    seed: int


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sample", action="store_true", help=f"{SLOW * SAMPLED} disks of each life")
    parser.add_argument("--limit", type=int, default=EACH, metavar="N", help="so many disks of each life (0: all)")
    parser.add_argument("--more", type=int, default=MORE, metavar="N", help="combinations at random at each moment")
    parser.add_argument("--seed", type=int, default=1, help="of what is combined and sampled (0: another each time)")
    parser.add_argument(
        "--scenario",
        nargs="+",
        metavar="NAME",
        help="these lives only",
        choices=[name for name, row in TABLE.items() if row.replayed],
    )
    parser.add_argument("--jobs", type=int, default=cores(), metavar="N", help="processes at a time")
    parser.add_argument("--json", action="store_true", help="print one object: lives, mistakes, and the sum")


def run(options: argparse.Namespace) -> int:
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 31)
    say(f"seed {seed}")
    limit = SLOW * SAMPLED if options.sample else options.limit
    with tempfile.TemporaryDirectory(dir=MEMORY if Path(MEMORY).is_dir() else None, prefix="crash-") as name:
        base = Path(name)
        library = shim.build(base)
        names = options.scenario or [name for name, row in TABLE.items() if row.replayed]
        orders: list[dict[str, Any]] = [{"life": life, "pages": n} for life in names for n in (SELDOM, OFTEN)]
        for text in (failed := power.record(orders, base, library)):
            say(f"NO {text}")
        shares = {life: limit if power.spool_look(TABLE[life].look) else limit // SLOW for life in names}
        units = [Unit(o["life"], o["pages"], name, shares[o["life"]], options.more, seed) for o in orders]
        found, disks = ({}, 0) if failed else cut_all(units, options.jobs)
        seen = mistakes(base, library, seed)
    return report(found, disks, seen, options, seed) or int(bool(failed))


def cut_all(units: list[Unit], jobs: int) -> tuple[dict[str, Looked], int]:
    """Look at all, with progress; what was found of each life, and how many disks differ over all of them."""
    began, found, disks = time.monotonic(), dict[str, list[Looked]](), set[bytes]()
    told = began
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        for number, future in enumerate(as_completed([pool.submit(_unit, unit) for unit in units]), 1):
            unit, looked, digests = future.result()
            found.setdefault(unit.life, []).append(looked)
            disks |= digests
            for text in looked.wrong[:SHOWN]:
                say(f"NO {text}")
            if time.monotonic() - told > PROGRESS_S or number == len(units):
                told = time.monotonic()
                say(f"{number} of {len(units)} done, {len(disks)} disks, {told - began:.0f} s")
    return {life: power.add(parts) for life, parts in sorted(found.items())}, len(disks)


def mistakes(base: Path, library: Path, seed: int) -> dict[str, int]:
    """Plant each mistake; after how many disks it showed, 0: never."""
    shown = {}
    for name, (_plant, life, model) in MISTAKES.items():
        folder = base / "mistake" / name.replace(" ", "_")
        folder.mkdir(parents=True)
        failed = power.record([{"life": life, "pages": SELDOM, "mistake": name}], folder, library)
        looked, _ = power.cut(life, SELDOM, folder, folder, more=0, seed=seed, limit=TRIED, models=[model], stop=True)
        shown[name] = looked.states if looked.wrong and not failed else 0
        say(f"mistake {name!r}: {f'seen in disk {shown[name]}' if shown[name] else 'NOT SEEN'}")
    return shown


def report(found: dict[str, Looked], disks: int, seen: dict[str, int], options: argparse.Namespace, seed: int) -> int:
    """Print the table, or JSON; the exit status."""
    whole = power.add(found.values())
    missed = [name for name, after in seen.items() if not after]
    sums = {"states": whole.states, "disks": disks, "violations": len(whole.wrong)}
    sums["mistakes_seen"] = len(seen) - len(missed)
    if options.json:
        lives = {life: {**one._asdict(), "wrong": one.wrong[:SHOWN]} for life, one in found.items()}
        print(json.dumps({"seed": seed, "lives": lives, "mistakes": seen, **sums}, indent=1))
    else:
        for life, one in found.items():
            words = f"{one.disks:7} disks of {one.changes:5} changes, {one.same:7} recovered to a known one"
            print(f"{life:26} {words} {len(one.wrong):4} violations")
        tried = f"{sums['mistakes_seen']} of {len(seen)} mistakes seen"
        print(f"{whole.states} states, {disks} distinct disks, {len(whole.wrong)} violations; {tried}")
    return int(bool(whole.wrong or missed or not whole.states))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _unit(unit: Unit) -> tuple[Unit, Looked, set[bytes]]:
    with tempfile.TemporaryDirectory(dir=unit.base) as scratch:
        base, more, seed, limit = Path(unit.base), unit.more, unit.seed, unit.limit
        return unit, *power.cut(unit.life, unit.pages, base, Path(scratch), more=more, seed=seed, limit=limit)
