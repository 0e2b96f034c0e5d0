"""End the agent at every call that changes files, and while it recovers; look whether a promise was broken."""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fakes.crash.crew import Crew, cores, temporary
from fakes.crash.points import Found, Order, add
from fakes.crash.table import TABLE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

# Every point, and recovery after each of them at every call of it.
WHOLE: Final = Order(pairs=1)
# A sample: every third point; after every eighth of these recovery at every fifth call.
SAMPLE: Final = Order(step=3, pairs=8, pair_step=5)
SHOWN: Final = 20  # broken promises of a scenario
BAR: Final = 40  # characters


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sample", action="store_true", help="some points of each scenario, in less than a minute")
    parser.add_argument("--seed", type=int, help="which points the sample has (0: others each time)", default=1)
    parser.add_argument("--scenario", nargs="+", metavar="NAME", help="these scenarios only", choices=[*TABLE])
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    parser.add_argument("--jobs", type=int, default=cores(), metavar="N", help="processes at a time")
    parser.add_argument("--json", action="store_true", help="print one object: scenarios, and the sum")


def run(options: argparse.Namespace) -> int:
    if options.list:
        for row in TABLE.values():
            print(f"{row.name:26} {row.what}")
        return 0
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 31)
    say(f"seed {seed}")
    found = enumerate_all(options.scenario or [*TABLE], sample=options.sample, seed=seed, jobs=options.jobs)
    report(found, options, seed)
    return int(bool(add([*found.values()]).wrong))


def orders(names: list[str], *, sample: bool, seed: int) -> list[dict[str, Any]]:
    """What the servers are told; the sample begins each scenario somewhere else."""
    dice = random.Random(seed)
    if not sample:
        return [{"scenario": name, "mode": "points", **WHOLE._asdict()} for name in names]
    some = [SAMPLE._replace(offset=dice.randrange(SAMPLE.step) + 1) for _ in names]
    return [{"scenario": name, "mode": "points", **order._asdict()} for name, order in zip(names, some, strict=True)]


def enumerate_all(names: list[str], *, sample: bool, seed: int, jobs: int) -> dict[str, Found]:
    """Do it, with progress on stderr."""
    began, total, open_ = time.monotonic(), [0, 0, 0], len(names)

    def heard(order: dict[str, Any], part: Found, *, end: bool) -> None:
        nonlocal open_
        total[:] = total[0] + part.points, total[1] + part.pairs, total[2] + len(part.wrong)
        open_ -= end
        for text in part.wrong[:SHOWN]:
            say(f"NO {text}")
        progress = f"{total[0]} points, {total[1]} pairs, {total[2]} violations; {time.monotonic() - began:.0f} s"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{progress}, {open_} scenarios to go ")
        elif end:
            say(f"{order['scenario']} done: {progress}")

    with temporary() as folder:
        done = Crew(Path(folder), jobs).do(orders(names, sample=sample, seed=seed), heard)
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    return {name: done.get(name, Found()) for name in names}


def report(found: Mapping[str, Found], options: argparse.Namespace, seed: int) -> None:
    """Print the table, or JSON."""
    whole = add([*found.values()])
    counts = f"{whole.points} points, {whole.pairs} pairs, {len(whole.wrong)} violations"
    if options.json:
        rows = {name: {**part._asdict(), "wrong": part.wrong[:SHOWN]} for name, part in found.items()}
        sum_ = {"points": whole.points, "pairs": whole.pairs, "violations": len(whole.wrong)}
        print(json.dumps({"seed": seed, "sample": options.sample, "scenarios": rows, **sum_}, indent=1))
        return
    most = max((part.points for part in found.values()), default=1) or 1
    for name, part in found.items():
        bar = "#" * max(1, part.points * BAR // most)
        print(f"{name:26} {part.points:5} points {part.pairs:6} pairs {len(part.wrong):4} violations  {bar}")
    for call, count in sorted(whole.calls.items(), key=lambda pair: -pair[1]):
        print(f"  at {call:10} {count:5}")
    print(counts)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
