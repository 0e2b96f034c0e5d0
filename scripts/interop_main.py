"""Play the interoperability matrix of ``tests/fakes/interop.py``; ``scripts/interop`` says how."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fakes import interop_commit, interop_listener, interop_scp, interop_scu
from fakes.interop import Bench, Cell, Play, Run, play, samples
from fakes.peers import make_bench_ca, versions
from interop_table import document, summary, table, used

if TYPE_CHECKING:
    from collections.abc import Iterable


def names(runs: list[tuple[Run, Play]]) -> list[str]:
    """Return the name of every cell."""
    return [run.name(what) for run, (tried, _) in runs for what in tried]


def collect(runs: list[tuple[Run, Play]], only: list[str], jobs: int) -> list[Cell]:
    """Play the matrix; a dot for each cell on stderr, where a run has all of its cells at once."""
    wanted = sum(set(only) <= set(name.split(" ")) for name in names(runs))
    sys.stderr.write(f"{wanted} cells, a dot for each; the first ones after some seconds\n")
    sys.stderr.flush()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), make_bench_ca(Path(folder) / "ca"), samples(Path(folder) / "samples"))
        return list(_told(play(runs, bench, only, jobs=jobs)))


def _told(cells: Iterable[Cell]) -> Iterable[Cell]:
    for cell in cells:
        sys.stderr.write({"green": ".", "limit": "-"}.get(cell.verdict, f"\n{cell.name}: {cell.why}\n"))
        sys.stderr.flush()
        yield cell
    sys.stderr.write("\n")


def as_json(cells: list[Cell]) -> str:
    """Return every cell, with the versions of the peers."""
    rows = [{**cell.run._asdict(), "what": cell.what, "verdict": cell.verdict, "why": cell.why} for cell in cells]
    return json.dumps({"run": used(), "versions": versions(), "cells": rows}, indent=1) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/interop", description="Our network code with peers of others.")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="cells with all these words in their "
                        "names, such as SCU, Orthanc, tls, 4096, rle, commitment")  # fmt: skip
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="runs at a time (one a core)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every cell into a file")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the page for people into a file")
    options = parser.parse_args()
    if options.only and options.markdown:
        parser.error("--markdown is for the whole matrix, not with --only")
    parts = (interop_scu, interop_scp, interop_listener, interop_commit)
    runs = [run for part in parts for run in part.runs()]
    words = [set(name.split(" ")) for name in names(runs)]
    if not any(set(options.only) <= one for one in words):
        parser.error(f"no cell has all of {', '.join(options.only)} in its name; words are "
                     f"{', '.join(sorted(set().union(*words)))}")  # fmt: skip
    cells = collect(runs, options.only, options.jobs)
    if options.json:
        options.json.write_text(as_json(cells))
    if options.markdown:
        options.markdown.write_text(document(cells))
    print("\n".join([*table(cells), "", used(), summary(cells)]))
    return int(any(cell.verdict == "red" for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
