"""Print the interoperability matrix of ``tests/fakes/interop.py``; ``scripts/interop`` says how."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fakes import interop_commit, interop_scp, interop_scu
from fakes.interop import Bench, Cell, play, samples
from fakes.peers import make_bench_ca, versions

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARKS: Final = {"green": "yes", "limit": "-", "red": "NO"}


def table(cells: list[Cell]) -> list[str]:
    """Return the cells as lines of Markdown: a row for each run, then the reasons of what is not green."""
    lines: list[str] = []
    for role in dict.fromkeys(cell.run.role for cell in cells):
        rows = [cell for cell in cells if cell.run.role == role]
        columns = list(dict.fromkeys(cell.what for cell in rows))
        lines += [f"| as {role}: peer | | way | {' | '.join(columns)} |", "|---" * (len(columns) + 3) + "|"]
        for run in dict.fromkeys(cell.run for cell in rows):
            marks = {cell.what: _MARKS[cell.verdict] for cell in rows if cell.run == run}
            shown = " | ".join(marks.get(what, "") for what in columns)
            lines.append(f"| {run.peer} | {'TLS' if run.tls else ''} | {run.way} | {shown} |")
        lines.append("")
    return lines + reasons(cells)


def short(cells: list[Cell]) -> list[str]:
    """Return a row for each peer: how many cells are green, and what it cannot do."""
    lines = ["| we are | peer | cells green | not possible with this peer |", "|---|---|---|---|"]
    for role, peer in dict.fromkeys((cell.run.role, cell.run.peer) for cell in cells):
        mine = [cell for cell in cells if (cell.run.role, cell.run.peer) == (role, peer)]
        limits = dict.fromkeys(cell.why for cell in mine if cell.verdict == "limit")
        counts = {verdict: sum(cell.verdict == verdict for cell in mine) for verdict in _MARKS}
        able = counts["green"] + counts["red"]
        lines.append(f"| {role} | {peer} | {counts['green']} of {able} | {'; '.join(limits)} |")
    return lines


def reasons(cells: list[Cell]) -> list[str]:
    """Return each limit once, with its peers, and every red cell."""
    limits: dict[str, dict[str, None]] = {}
    for cell in cells:
        if cell.verdict == "limit":
            limits.setdefault(cell.why, {})[cell.run.peer] = None
    lines = [f"- {', '.join(peers)}: {why}" for why, peers in limits.items()]
    return lines + [f"RED {cell.name}: {cell.why}" for cell in cells if cell.verdict == "red"]


def summary(cells: list[Cell]) -> str:
    """Return how many cells there are of each kind."""
    counts = {verdict: sum(cell.verdict == verdict for cell in cells) for verdict in _MARKS}
    found = versions()
    peers = ", ".join(f"{name} {found[name]}" for name in ("DCMTK", "Orthanc", "pynetdicom"))
    explained = f"{counts['limit']} explained by a limit of the peer"
    return f"{len(cells)} cells: {counts['green']} green, {explained}, {counts['red']} red ({peers})"


def collect(only: list[str], *, quiet: bool) -> list[Cell]:
    """Play the matrix; a dot for each cell on stderr."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), make_bench_ca(Path(folder) / "ca"), samples(Path(folder) / "samples"))
        return list(
            _told(play([*interop_scu.runs(), *interop_scp.runs(), *interop_commit.runs()], bench, only), quiet=quiet)
        )


def _told(cells: Iterable[Cell], *, quiet: bool) -> Iterable[Cell]:
    for cell in cells:
        if not quiet:
            sys.stderr.write({"green": ".", "limit": "-"}.get(cell.verdict, f"\n{cell.name}: {cell.why}\n"))
            sys.stderr.flush()
        yield cell
    if not quiet:
        sys.stderr.write("\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/interop", description="Our network code with peers of others.")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="cells with these words in their names, "
                        "such as SCU, Orthanc, tls, 4096, rle")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one object for each cell")
    parser.add_argument("--short", action="store_true", help="a row for each peer")
    options = parser.parse_args()
    cells = collect(options.only, quiet=options.json)
    if not cells:
        parser.error("no cell has all these words in its name")
    if options.json:
        rows = [{**cell.run._asdict(), "what": cell.what, "verdict": cell.verdict, "why": cell.why} for cell in cells]
        print(json.dumps({"versions": versions(), "cells": rows}, indent=1))
    else:
        print("\n".join([*(short if options.short else table)(cells), summary(cells)]))
    return int(any(cell.verdict == "red" for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
