"""End the agent at every call that changes files, and while it recovers; look whether a promise was broken."""

from __future__ import annotations

import json
import random
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fakes.crash import plan
from fakes.crash.crew import Crew, cores, temporary
from fakes.crash.points import Found, add, points_text
from fakes.crash.table import TABLE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    Orders = Callable[..., list[dict[str, Any]]]

SHOWN: Final = 20  # broken promises of a scenario
PROGRESS_S: Final = 15.0
BAR: Final = 40  # characters


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sample", action="store_true", help="some of each scenario, in less than a minute")
    parser.add_argument("--seed", type=int, help="which ones the sample has (0: others each time)", default=1)
    parser.add_argument("--scenario", nargs="+", metavar="NAME", help="these scenarios only", choices=[*TABLE])
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    parser.add_argument("--jobs", type=int, default=cores(), metavar="N", help="processes at a time")
    parser.add_argument("--json", action="store_true", help="print one object: scenarios, and the sum")
    default = plan.WHOLE.pair_step
    help_ = f"end recovery at every Nth of its calls ({default}; 0: not at all)"
    parser.add_argument("--pairs", type=int, default=default, metavar="N", help=help_)


def run(options: argparse.Namespace) -> int:
    return carry_out(options, partial(plan.points, pair_step=options.pairs), points_text)


def carry_out(options: argparse.Namespace, orders: Orders, text: Callable[[Found], str]) -> int:
    """Do what is ordered and print what came of it; the exit status."""
    if options.list:
        for row in TABLE.values():
            print(f"{row.name:26} {row.what}")
        return 0
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 31)
    say(f"seed {seed}")
    names = options.scenario or [*TABLE]
    found = do_all(orders(names, sample=options.sample, seed=seed), names, options.jobs, text)
    report(found, options, seed, text)
    return int(bool(add([*found.values()]).wrong))


def do_all(orders: list[dict[str, Any]], names: list[str], jobs: int, text: Callable[[Found], str]) -> dict[str, Found]:
    """Do it, with progress on stderr."""
    began, total, open_ = time.monotonic(), Found(), len(names)
    live, told = sys.stderr.isatty(), began

    def heard(order: dict[str, Any], part: Found, *, end: bool) -> None:
        nonlocal open_, total, told
        total = add([total, part])
        open_ -= end
        for line in part.wrong[:SHOWN]:
            say(f"NO {line}")
        progress = f"{text(total)}; {time.monotonic() - began:.0f} s"
        if live:
            sys.stderr.write(f"\r{progress}, {open_} of {len(names)} scenarios to go ")
        elif end or time.monotonic() > told + PROGRESS_S:
            told = time.monotonic()
            say(f"{order['scenario']}{' done' * end}: {progress}")

    with temporary() as folder:
        done = Crew(Path(folder), jobs).do(orders, heard)
    if live:
        sys.stderr.write("\n")
    return {name: done.get(name, Found(wrong=(f"{name}: nobody did it",))) for name in names}


def report(found: Mapping[str, Found], options: argparse.Namespace, seed: int, text: Callable[[Found], str]) -> None:
    """Print the table, or JSON."""
    whole = add([*found.values()])
    if options.json:
        rows = {name: {**part._asdict(), "wrong": part.wrong[:SHOWN]} for name, part in found.items()}
        sums = {**whole._asdict(), "wrong": len(whole.wrong)}
        print(json.dumps({"seed": seed, "sample": options.sample, "scenarios": rows, "sum": sums}, indent=1))
        return
    most = max((part.points + part.faults for part in found.values()), default=1) or 1
    for name, part in found.items():
        print(f"{name:26} {text(part):46} {'#' * ((part.points + part.faults) * BAR // most)}")
    for call, count in sorted(whole.calls.items(), key=lambda pair: -pair[1]):
        print(f"  {call:13} {count:6}")
    for why, count in whole.notes.items():
        print(f"  nobody heard of {count}: {why}")
    print(text(whole))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
