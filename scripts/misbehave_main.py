"""Play the rows of ``tests/fakes/misbehaviour`` and print what became of each; ``scripts/misbehave`` says how."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fakes.misbehaviour.bench import Bench, make_certificates, play_all, rates
from fakes.misbehaviour.table import ROWS
from fakes.peers import start_storescp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.misbehaviour.bench import Finding
    from fakes.misbehaviour.row import Row

JOBS: Final = 4  # processes under test at a time; rates are measured with one
LEAST_RATE: Final = 0.9
_ALIGN: Final = "<<<<<>>><"
_HEADS: Final = ("side", "peer", "way", "class", "state", "s", "KiB", "rate", "")


def name_of(row: Row, way: str) -> str:
    """Name one run."""
    return f"{row.side} {row.name} {way}"


def chosen(only: list[str]) -> list[tuple[Row, str]]:
    """Return the runs in whose name every word of ``only`` is found."""
    return [(row, way) for row in ROWS for way in row.ways if all(word in name_of(row, way) for word in only)]


def measured(runs: list[tuple[Row, str]], folder: Path) -> Iterator[float]:
    """Yield what share of its rate a destination keeps beside each run; its peer is DCMTK's storescp."""
    good = start_storescp(folder / "good", log=folder / "storescp.log", store=False)
    try:
        with Bench(folder, make_certificates(folder / "ca")) as bench:
            bench.order("good", port=good.port)
            for row, way in runs:
                yield rates(bench, row, way)
    finally:
        good.process.stop()


def line(finding: Finding, rate: float | None) -> tuple[str, ...]:
    """Return the cells of one row."""
    bad = bool(finding.problems) or (rate is not None and rate < LEAST_RATE)
    shown = "" if rate is None else f"{rate:.2f}"
    row = finding.row
    cells = (row.side, row.name, finding.way, finding.code or "-", finding.state, f"{finding.seconds:.2f}")
    return (*cells, str(finding.growth_kib), shown, "NO" if bad else "")


def summary(findings: list[Finding], shares: list[float | None]) -> str:
    """Return how many rows there are, and the worst of each figure."""
    counts = [
        f"{sum(f.row.side == side and f.way == way for f in findings)} {side} {way}"
        for side in ("SCU", "listener")
        for way in ("plain", "tls")
    ]
    bad = sum(bool(finding.problems) for finding in findings)
    late, grown = max(f.seconds for f in findings), max(f.growth_kib for f in findings)
    text = f"{len(findings)} rows ({', '.join(counts)}): {len(findings) - bad} as they must be, {bad} not; "
    text += f"the last ended after {late:.2f} s, the most memory was {grown} KiB"
    known = [share for share in shares if share is not None]
    if known:
        slow = sum(share < LEAST_RATE for share in known)
        text += f"; another destination kept {min(known):.2f} of its rate or more, {slow} times less than {LEAST_RATE}"
    return text


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/misbehave", description="Our network code with peers that misbehave."
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="rows with all these words in their "
                        "names, such as SCU, listener, tls, release")  # fmt: skip
    parser.add_argument("--rates", action="store_true", help="and the rate of another destination meanwhile")
    parser.add_argument("--json", action="store_true", help="one object for each row")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", "ssl.TLSVersion.TLSv1_1 is deprecated")
    runs = chosen(options.only)
    if not runs:
        parser.error("no row has all these words in its name")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "play").mkdir()
        (Path(folder) / "rates").mkdir()
        found = {(f.row, f.way): f for f in play_all(runs, Path(folder) / "play", JOBS)}
        findings = [found[run] for run in runs]
        shares: list[float | None] = [None] * len(runs)
        if options.rates:
            for number, share in enumerate(measured(runs, Path(folder) / "rates")):
                shares[number] = share
                print(f"{share:.2f} {name_of(*runs[number])}", file=sys.stderr, flush=True)
    rows = [line(finding, share) for finding, share in zip(findings, shares, strict=True)]
    if options.json:
        print(json.dumps([dict(zip(_HEADS[:-1], row, strict=False)) for row in rows], indent=1))
    else:
        table([_HEADS, *rows])
        for finding in findings:
            if finding.problems:
                print(f"NO {finding.name}: {'; '.join(finding.problems)}")
        print(summary(findings, shares))
    return int(any(row[-1] for row in rows))


def table(rows: list[tuple[str, ...]]) -> None:
    """Print cells in columns, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    for row in rows:
        padded = zip(row, widths, _ALIGN, strict=True)
        cells = [f"{cell:{align}{width}}" for cell, width, align in padded]
        print("  ".join(cells).rstrip())


if __name__ == "__main__":
    sys.exit(main())
