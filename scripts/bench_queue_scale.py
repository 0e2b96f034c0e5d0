"""The queue when it is long: what each call costs with a thousand rows and with a million, and 100,000 that wait.

The bars: enqueue, claim and status with 1,000,000 rows within twice their cost with 1,000; with 100,000 queued the
first C-STORE within 3 s of the start, less than 8 MiB more memory than with an empty queue, and a ledger made again of
the files alone within 10 minutes. Costs are medians of calls that take turns at every length, so that a busy disk is
busy for all; they are drawn into bench-out/queue.svg. The spools are kept in build/bench-data from run to run.
"""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench_ledger
import bench_queue
from bench_idle import field_kib, start_ready
from bench_lib import AGENT, DATA, OUT, TOOLS, median
from bench_plot import as_text, write_svg
from fakes.process import Process, free_port
from fakes.site import Site

from agent.spool.schema import SCHEMA_VERSION
from agent.spool.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
LIVE = 500  # of each length; the rest was evicted long ago
TURNS, CALLS = 5, 12
JUDGED = ("enqueue", "claim", "status")
TIMES_LIMIT = 2.0
QUEUED = 100_000
FIRST_S, MORE_MIB, REBUILD_S, LIST_S = 3.0, 8.0, 600.0, 0.5
SETTLE_S = 5.0


def run(*, quick: bool, report: dict[str, Any]) -> int:
    missed = costs(LENGTHS[:-1] if quick else LENGTHS, report)
    return missed + waiting(QUEUED // 10 if quick else QUEUED, report)


def show(what: str, found: float, limit: float, unit: str) -> int:
    print(f"{'holds' if found <= limit else 'MISSED':<7} {what:<48} {found:9.2f} <= {limit:g} {unit}")
    return int(found > limit)


def spool(settled: int, queued: int) -> Path:
    """Return a spool of that length, made once."""
    root = DATA / f"spool-{SCHEMA_VERSION}-{settled}-{queued}"
    if not root.is_dir():
        print(f"making a spool of {settled + queued:,} rows")
        scratch = root.with_suffix(".part")
        subprocess.run(["rm", "-rf", str(scratch)], check=True)
        bench_ledger.make(scratch, settled, queued, files=True)
        scratch.rename(root)
    return root


def costs(lengths: tuple[int, ...], report: dict[str, Any]) -> int:
    DATA.mkdir(parents=True, exist_ok=True)
    roots = {length: spool(length - LIVE, LIVE) for length in lengths}
    seen: dict[str, dict[int, list[float]]] = {}
    for _ in range(TURNS):
        for length, root in roots.items():
            for name, cost in bench_queue.worker("costs", str(root), str(CALLS)).items():
                seen.setdefault(name, {}).setdefault(length, []).append(cost)
    curves = {name: [(length, median(found)) for length, found in by.items()] for name, by in seen.items()}
    print(as_text(curves, "us"))
    OUT.mkdir(exist_ok=True)
    write_svg(OUT / "queue.svg", curves, "Cost of one call against the rows in the ledger", "us")
    missed = 0
    for name in JUDGED:
        ratio = median([much / few for few, much in zip(seen[name][lengths[0]], seen[name][lengths[-1]], strict=True)])
        missed += show(f"{name}, {lengths[-1]:,} rows x {lengths[0]:,}", ratio, TIMES_LIMIT, "")
    report["costs_us"] = {name: dict(points) for name, points in curves.items()}
    return missed


@contextlib.contextmanager
def sink(scratch: Path) -> Iterator[int]:
    port = free_port()
    with Process([str(TOOLS / "sink"), str(port), "131072", "5000"], scratch / "sink.log") as process:
        process.wait_listening(port)
        yield port


def waiting(queued: int, report: dict[str, Any]) -> int:
    """Start the daemon on a long queue and on none, list it, and make its ledger again."""
    root = spool(0, queued)
    facts: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="queue-", dir=DATA) as scratch_name:
        scratch = Path(scratch_name)
        copy = scratch / "spool"
        subprocess.run(["cp", "-a", "--reflink=auto", str(root), str(copy)], check=True)
        subprocess.run(["sync", "-f", str(copy)], check=True)
        for verb in ("list", "status"):
            facts[f"queue {verb}" if verb == "list" else verb] = command_s(verb, copy)
        facts["first C-STORE"], full = daemon(scratch, copy)
        _, none = daemon(scratch, scratch / "empty")
        facts["more memory"] = (full - none) / 1024
        for path in copy.glob("ledger.db*"):
            path.unlink()
        rebuilt = bench_queue.worker("open", str(copy))
        facts["rebuild"] = rebuilt["seconds"]
        if rebuilt["live"] != queued:
            raise SystemExit(f"bench queue: {rebuilt['live']} of {queued} instances came back")
    report["waiting"] = {"queued": queued, **facts}
    return (
        show(f"first C-STORE with {queued:,} queued", facts["first C-STORE"], FIRST_S, "s")
        + show(f"memory with {queued:,} queued, beyond none", facts["more memory"], MORE_MIB, "MiB")
        + show(f"ledger of {queued:,} made again of the files", facts["rebuild"], REBUILD_S * queued / QUEUED, "s")
        + show("queue list, whole command", facts["queue list"], LIST_S, "s")
        + show("status, whole command", facts["status"], LIST_S, "s")
    )


def command_s(verb: str, root: Path) -> float:
    words = {"list": ["queue", "list"], "status": ["status"]}[verb]
    times = []
    for _ in range(5):
        begun = time.monotonic()
        subprocess.run([str(AGENT), *words, "--spool", str(root)], check=True, stdout=subprocess.DEVNULL)
        times.append(time.monotonic() - begun)
    return median(times)


def daemon(scratch: Path, root: Path) -> tuple[float, float]:
    """Return the seconds from exec to the first answer (0 where nothing waits), and the peak of memory in KiB."""
    site = Site(scratch / f"site-{root.name}", spool=root)
    with sink(scratch) as port:
        row = {"name": bench_ledger.DESTINATION, "called_ae": "ANY", "port": port, "commitment": False}
        site.configure(destinations=[row])
        process, ready_s = start_ready(site, scratch)
        began = time.time() - ready_s
        with process:
            database = sqlite3.connect(f"file:{root}/ledger.db?mode=ro", uri=True)
            waits = database.execute("SELECT count(*) FROM instance").fetchone()[0]
            some = "SELECT answered_at FROM delivery WHERE destination = 1 AND state = ? LIMIT 99"
            asked = f"SELECT min(answered_at) FROM ({some})"
            first = 0.0
            while waits and not first:
                answered = database.execute(asked, (int(State.STORED),)).fetchone()[0]
                first = (answered or 0.0) and answered - began
                time.sleep(0.02)
            time.sleep(SETTLE_S)
            database.close()
            return first, field_kib(f"/proc/{process.pid}/status", "VmHWM:")
