"""What every benchmark shares: instances to send, a stop-watch that does not lie about memory, a table."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "build" / "bench-tools"
AGENT = ROOT / "build" / "bench-venv" / "bin" / "modality-agent"  # the wheel as shipped, not the editable tree
DATA = ROOT / "build" / "bench-data"
OUT = ROOT / "bench-out"

sys.path.insert(0, str(ROOT / "tests"))  # tests/fakes starts the peers, here as there

SENDER_CPU, PEER_CPU = 1, 0  # each its own core, where there are two
TIMEOUT_S = 300.0


class Usage(NamedTuple):
    """What one command took; ``peak_kib`` is its own, not inherited."""

    wall_s: float
    user_s: float
    system_s: float
    peak_kib: int
    status: int

    @property
    def cpu_s(self) -> float:
        return self.user_s + self.system_s


def measure(command: Sequence[str], *, env: Mapping[str, str] | None = None, cpu: int | None = SENDER_CPU) -> Usage:
    """Run a command on one core, or on all (None); raises SystemExit with its last words when it fails."""
    report = OUT / f"usage-{os.getpid()}"
    OUT.mkdir(exist_ok=True)
    shown = subprocess.run(
        [*([] if cpu is None else pinned(cpu)), str(TOOLS / "measure"), str(report), *command],
        env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=TIMEOUT_S,
    )  # fmt: skip
    wall, user, system, peak, status = report.read_text().split()
    report.unlink()
    if int(status) != 0:
        raise SystemExit(
            f"bench: {' '.join(command[:6])} ... ended with {status}:\n{(shown.stdout + shown.stderr)[-2000:]}"
        )
    return Usage(float(wall), float(user), float(system), int(peak), int(status))


def pinned(cpu: int) -> list[str]:
    return ["taskset", "-c", str(cpu)] if (os.cpu_count() or 1) > 1 else []


class Workload(NamedTuple):
    """Files of one size."""

    name: str
    pixel_bytes: int
    number: int

    @property
    def folder(self) -> Path:
        return DATA / f"{self.name}-{self.number}"

    def files(self, limit: int | None = None) -> list[Path]:
        return sorted(self.folder.iterdir())[:limit]


def make_instances(work: Workload) -> None:
    """Write the files of a workload once."""
    if work.folder.is_dir():
        return
    from fakes.foreign_instances import write_instances

    scratch = work.folder.with_suffix(".part")
    write_instances(scratch, work.number, work.pixel_bytes)
    scratch.rename(work.folder)


def drop_old_data(keep: Sequence[Workload]) -> None:
    """Remove data of other sizes from earlier runs."""
    import shutil

    wanted = {work.folder for work in keep}
    for folder in DATA.glob("*") if DATA.is_dir() else ():
        if folder not in wanted:
            shutil.rmtree(folder)


def median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else float("nan")


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        cells = [cell.ljust(width) if column < 3 else cell.rjust(width) for column, (cell, width) in
                 enumerate(zip(row, widths, strict=True))]  # fmt: skip
        print("  ".join(cells).rstrip())
