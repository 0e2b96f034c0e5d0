"""The bars of the network bench, as data, and how a bar is read off the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bench_lib import median

if TYPE_CHECKING:
    from bench_lib import Usage


class Cell(NamedTuple):
    """One sender with one workload to one target."""

    target: str
    work: str
    sender: str
    limit: int | None = None


class Result(NamedTuple):
    cell: Cell
    number: int
    data_bytes: int
    usage: Usage

    @property
    def per_s(self) -> float:
        return self.number / self.usage.wall_s

    @property
    def cpu_s_per_gb(self) -> float:
        return self.usage.cpu_s / (self.data_bytes / 1e9)


class Bar(NamedTuple):
    """One promise: ``kind`` of the agent (over that of ``other``, when given) at least or at most ``limit``."""

    what: str
    kind: str
    target: str
    work: str
    other: str
    limit: float


AT_LEAST = ("per_s",)
TUNED = "storescu nodelay"

BARS = (
    Bar("4 kB to a stock storescp, ms each", "ms", "storescp", "4kB", "", 1.5),
    Bar("20 kB, stock storescp, x storescu", "per_s", "storescp", "20kB", "storescu", 100),
    Bar("20 kB, stock storescp, x dcmsend", "per_s", "storescp", "20kB", "dcmsend", 100),
    Bar("0.5 MB, stock storescp, x storescu", "per_s", "storescp", "0.5MB", "storescu", 40),
    Bar("0.5 MB, stock storescp, x dcmsend", "per_s", "storescp", "0.5MB", "dcmsend", 40),
    Bar("20 kB, storescp TLS 1.3, x storescu", "per_s", "storescp TLS", "20kB", "storescu", 100),
    Bar("0.5 MB, storescp TLS 1.3, x storescu", "per_s", "storescp TLS", "0.5MB", "storescu", 40),
    Bar("20 kB, stock Orthanc, x storescu", "per_s", "Orthanc", "20kB", "storescu", 20),
    Bar("0.5 MB, stock Orthanc, x storescu", "per_s", "Orthanc", "0.5MB", "storescu", 8),
    Bar("0.5 MB, sink, inst/s x storescu tuned", "per_s", "sink", "0.5MB", TUNED, 1.5),
    Bar("1 GB, sink, MB/s x storescu tuned", "per_s", "sink", "1GB", TUNED, 1.5),
    Bar("1 GB, sink, MB/s x raw TCP", "per_s", "sink", "1GB", "raw TCP", 0.85),
    Bar("0.5 MB, sink, CPU x storescu tuned", "cpu_s_per_gb", "sink", "0.5MB", TUNED, 0.65),
    Bar("1 GB, sink, CPU x storescu tuned", "cpu_s_per_gb", "sink", "1GB", TUNED, 0.65),
    Bar("1 GB, TLS 1.3, CPU x storescu tuned", "cpu_s_per_gb", "storescp tuned TLS", "1GB", TUNED, 1.0),
    Bar("peak MiB, 20 kB", "peak_mib", "sink", "20kB", "", 20),
    Bar("peak MiB, 1 GB", "peak_mib", "sink", "1GB", "", 20),
    Bar("peak MiB, 20 kB over TLS", "peak_mib", "storescp tuned TLS", "20kB", "", 20),
    Bar("peak MiB, 1 GB over TLS", "peak_mib", "storescp tuned TLS", "1GB", "", 20),
)


def value_of(result: Result, kind: str) -> float:
    values = {
        "ms": 1000 * result.usage.wall_s / result.number,
        "per_s": result.per_s,
        "cpu_s_per_gb": result.cpu_s_per_gb,
        "peak_mib": result.usage.peak_kib / 1024,
    }
    return values[kind]


def judge(bar: Bar, results: dict[Cell, list[Result]]) -> tuple[float, bool]:
    """Return what a bar measures and whether it holds: the median over rounds; of memory, the highest."""
    by_name = {(cell.target, cell.work, cell.sender): rows for cell, rows in results.items()}
    own = [value_of(row, bar.kind) for row in by_name[bar.target, bar.work, "agent"]]
    found = max(own) if bar.kind == "peak_mib" else median(own)
    if bar.other:
        theirs = [value_of(row, bar.kind) for row in by_name[bar.target, bar.work, bar.other]]
        found = median([mine / other for mine, other in zip(own, theirs, strict=True)])
    return found, found >= bar.limit if bar.kind in AT_LEAST else found <= bar.limit
