"""Works under the shim: takes orders as lines of JSON, forks the lives, answers with lines of JSON.

An order is ``{"scenario": NAME, "mode": "points", ...}`` with the fields of ``points.Order``, or
"faults" and those of ``faults.FaultOrder``. Answers are the fields of
``points.Found``, at most every ``TELL_S``; the last one of an order has ``"end": true``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakes.crash import faults, points
from fakes.crash.shim import Shim
from fakes.crash.table import EVERY

if TYPE_CHECKING:
    from collections.abc import Iterator

TELL_S = 0.5
answers = sys.stdout
MEMORY = "/dev/shm"  # a killed process loses no page, so that the medium need not be a real one


def work(shim: Shim, order: dict[str, Any]) -> Iterator[points.Found]:
    """Do one order."""
    scenario, mode = EVERY[order.pop("scenario")], order.pop("mode")
    where = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=where, prefix="crash-") as name:
        if mode == "points":
            yield from points.enumerate_points(shim, scenario, Path(name), points.Order(**order))
        elif mode == "faults":
            yield from faults.enumerate_faults(shim, scenario, Path(name), faults.FaultOrder(**order))
        else:
            raise ValueError(f"no mode {mode}")


def main() -> None:
    global answers  # noqa: PLW0603 - one process, one channel
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # verbs talk
    shim = Shim()
    for line in sys.stdin:
        heard: list[points.Found] = []
        last = time.monotonic()
        for found in work(shim, json.loads(line)):
            heard.append(found)
            if time.monotonic() - last > TELL_S:
                last = time.monotonic()
                tell(heard, end=False)
                heard = []
        tell(heard, end=True)


def tell(heard: list[points.Found], *, end: bool) -> None:
    print(json.dumps({**points.add(heard)._asdict(), "end": end}), file=answers, flush=True)


if __name__ == "__main__":
    main()
