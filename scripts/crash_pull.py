"""Pull the stick out while an export goes on: 0 times may "safe to remove" be said of a set that is not there."""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fakes.crash.crew import cores
from fakes.crash.power import SHOWN
from fakes.uml import boot, stick

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

PULLS: Final = 1050  # pulls of a whole run
SAMPLED: Final = 60
PLANTED, PLANTED_ON = "export without a sync", "FAT16"
TRIED: Final = 40  # pulls until it must have shown
_SKIPPED: Final = 77


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sample", action="store_true", help=f"{SAMPLED} pulls")
    parser.add_argument("--pulls", type=int, default=PULLS, metavar="N", help="so many")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (0: others each time)")
    parser.add_argument("--jobs", type=int, default=cores(), metavar="N", help="kernels at a time")
    parser.add_argument("--json", action="store_true", help="print one object")


def run(options: argparse.Namespace) -> int:
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 31)
    say(f"seed {seed}")
    if lacking := boot.lacking():
        say(f"SKIPPED: {lacking}")
        return _SKIPPED
    pulls = SAMPLED if options.sample else options.pulls
    how, wrong = Counter[str](), list[str]()
    began = time.monotonic()
    with boot.folder() as name:
        spools = stick.spools(Path(name))
        share = -(-pulls // len(stick.FORMATS))

        def one(format_: str) -> None:
            mib, command, _options = stick.FORMATS[format_]
            device = boot.make(Path(name, format_), mib, *command)
            order: dict[str, Any] = {
                "do": "pull.pulls",
                "format": format_,
                "spools": spools,
                "seed": seed,
                "pulls": share,
            }
            for answer in _answers(order, device):
                how[answer["how"].partition(":")[0]] += 1
                wrong.extend(answer["wrong"])
                for text in answer["wrong"][:SHOWN]:
                    say(f"NO {text}")
                if how.total() % 50 == 0:
                    say(f"{how.total()} pulls, {len(wrong)} violations, {time.monotonic() - began:.0f} s")

        with ThreadPoolExecutor(options.jobs) as pool:
            for future in [pool.submit(one, format_) for format_ in stick.FORMATS]:
                future.result()
        seen = mistake(Path(name), spools, seed)
    return report(how, wrong, seen, seed, as_json=options.json)


def mistake(folder: Path, spools: list[str], seed: int) -> int:
    """Plant the mistake; after how many pulls it showed, 0: never."""
    mib, command, _options = stick.FORMATS[PLANTED_ON]
    device = boot.make(folder / "mistake", mib, *command)
    order = {"do": "pull.pulls", "format": PLANTED_ON, "spools": spools, "seed": seed, "pulls": TRIED,
             "mistake": PLANTED}  # fmt: skip
    for number, answer in enumerate(_answers(order, device), 1):
        if answer["wrong"]:
            say(f"mistake {PLANTED!r}: seen in pull {number}")
            return number
    say(f"mistake {PLANTED!r}: NOT SEEN")
    return 0


def _answers(order: dict[str, Any], device: Path) -> Iterator[dict[str, Any]]:
    yield from (answer for answer in boot.boot(order, [device]) if "how" in answer)


def report(how: Counter[str], wrong: list[str], seen: int, seed: int, *, as_json: bool) -> int:
    """Print the counts; the exit status."""
    pulled = how.total()
    if as_json:
        print(json.dumps({"seed": seed, "pulls": pulled, "ended": dict(how), "violations": len(wrong),
                          "wrong": wrong[:SHOWN], "mistake_seen_in": seen}, indent=1))  # fmt: skip
    else:
        ends = ", ".join(f"{count} {name}" for name, count in how.most_common())
        planted = f"the planted mistake was {'seen' if seen else 'NOT SEEN'}"
        print(f"{pulled} pulls ({ends}), {len(wrong)} false 'safe to remove' or broken sets; {planted}")
    return int(bool(wrong or not pulled or not seen))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
