"""Durable instances per second: one by one and in groups, beside what the machine can do and what archives do.

The first table is one process each time: the agent's spool (digests, checks, ledger and all), alone and in groups of
64, and a C program that only writes, syncs and renames. The second is the same files sent to receivers over loopback by
``modality-agent send``, with what each of them syncs, counted by strace in a run of its own. Rounds are interleaved;
ratios are taken per round, and the median over rounds is shown. How long a flush takes is the disk's affair: on one
that is quick about it, work other than syncing weighs more, and grouping gains less: the bar is what the C program
gains then.
"""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import bench_queue_scale
from bench_lib import AGENT, DATA, OUT, ROOT, TOOLS, Workload, make_instances, measure, median, print_table
from fakes.peers import Orthanc, find_program, need, start_storescp
from fakes.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORKER = ROOT / "scripts" / "bench_tools" / "queue_worker.py"
PYTHON = AGENT.parent / "python"
GROUP = 64
SYNCS = ("fsync", "fdatasync", "syncfs", "sync_file_range")
WORKS = {"20kB": (10.0, 20_480, 1024), "0.5MB": (2.5, 524_288, 256)}  # size -> bar of the ratio, bytes, how many
QUICK = {"20kB": 256, "0.5MB": 128}
FLUSHES_LIMIT = 2.0
COUNTED = 256  # instances of the runs under strace
FOLDER = 256  # instances in one, which is synced into its parent once
OWN = ("spool, one by one", "spool, groups of 64")
RAW = ("C, write fsync rename fsync", "C, groups of 64, syncfs")


class Way(NamedTuple):
    """One way to make files durable; ``seconds`` does it once for a workload."""

    name: str
    seconds: Callable[[Workload], float]


# --- in one process --------------------------------------------------------------------------------


def worker(*words: str, prefix: tuple[str, ...] = ()) -> dict[str, Any]:
    shown = subprocess.run([*prefix, str(PYTHON), str(WORKER), *words], capture_output=True, text=True, check=False)
    if shown.returncode:
        raise SystemExit(f"bench queue: {' '.join(words[:3])} ended with {shown.returncode}:\n{shown.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


def sealed(group: int, work: Workload, prefix: tuple[str, ...] = (), limit: int | None = None) -> float:
    with tempfile.TemporaryDirectory(prefix="queue-", dir=DATA) as scratch:
        files = [str(path) for path in work.files(limit)]
        return float(worker("seal", f"{scratch}/spool", str(group), *files, prefix=prefix)["seconds"])


def raw(how: str, work: Workload) -> float:
    with tempfile.TemporaryDirectory(prefix="queue-", dir=DATA) as scratch:
        size = str(work.files(1)[0].stat().st_size)
        command = [str(TOOLS / "durable"), how, scratch, size, str(work.number)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


WAYS = (
    Way(OWN[0], lambda work: sealed(1, work)),
    Way(OWN[1], lambda work: sealed(GROUP, work)),
    Way(RAW[0], lambda work: raw("each", work)),
    Way(RAW[1], lambda work: raw("group", work)),
)


def counted_syncs(report: Path) -> dict[str, int]:
    """Read the table of ``strace -c``."""
    found = {}
    for line in report.read_text().splitlines():
        words = line.split()
        if words and words[-1] in SYNCS:
            found[words[-1]] = int(words[3])
    return found


def strace(report: Path) -> tuple[str, ...]:
    return ("strace", "-f", "-c", "-o", str(report), "-e", f"trace={','.join(SYNCS)}")


def flushes(group: int, work: Workload) -> float:
    """Syncs of a run, per instance (group of 1) or per group, beyond those of opening, closing and a new folder."""
    totals = []
    with tempfile.TemporaryDirectory() as scratch:
        for number in (GROUP, GROUP + COUNTED):
            report = Path(scratch) / "strace"
            sealed(group, work, strace(report), number)
            totals.append(sum(counted_syncs(report).values()))
    return (totals[1] - totals[0] - COUNTED / FOLDER) / (COUNTED / group)


# --- receivers -------------------------------------------------------------------------------------


def storescp(folder: Path) -> Iterator[tuple[int, int]]:
    peer = start_storescp(folder / "in", log=folder / "log")
    with peer.process:
        yield peer.process.pid, peer.port


def orthanc(folder: Path) -> Iterator[tuple[int, int]]:
    peer = Orthanc(folder, log=())
    with peer.process:
        yield peer.process.pid, peer.port


def dcmqrscp(folder: Path) -> Iterator[tuple[int, int]]:
    port, config = free_port(), folder / "dcmqrscp.cfg"
    (folder / "db").mkdir()
    config.write_text(
        f"MaxPDUSize = 16384\nMaxAssociations = 4\nHostTable BEGIN\nHostTable END\n"
        f"VendorTable BEGIN\nVendorTable END\nAETable BEGIN\nANY {folder}/db RW (9999, 4096mb) ANY\nAETable END\n"
    )
    with Process([need("dcmqrscp"), "--config", str(config), str(port)], folder / "log") as process:
        process.wait_listening(port)
        yield process.pid, port


def archive(folder: Path) -> Iterator[tuple[int, int]]:
    port = free_port()
    command = [
        str(AGENT),
        "archive",
        "--directory",
        str(folder / "in"),
        "--port",
        str(port),
        "--ae-title",
        "ANY",
        "--quiet",
    ]
    with Process(command, folder / "log") as process:
        process.wait_listening(port)
        yield process.pid, port


RECEIVERS: dict[str, tuple[str, Callable[[Path], Iterator[tuple[int, int]]]]] = {
    "storescp": ("storescp", storescp),
    "dcmqrscp": ("dcmqrscp", dcmqrscp),
    "Orthanc": ("Orthanc", orthanc),
    "modality-agent archive": ("", archive),
}


def received(start: Callable[[Path], Iterator[tuple[int, int]]], work: Workload, limit: int, *, count: bool) -> Any:
    """Send to a receiver that has never seen the files; returns seconds, or its syncs per instance as text."""
    with tempfile.TemporaryDirectory(prefix="queue-", dir=DATA) as scratch:
        folder = Path(scratch)
        for pid, port in start(folder):
            report, tracer = folder / "strace", None
            if count:
                command = [*strace(report), "-p", str(pid)]
                tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
                time.sleep(0.5)
            files = [str(path) for path in work.files(limit)]
            usage = measure([str(AGENT), "send", "--to", f"ANY@127.0.0.1:{port}", *files])
            if tracer is None:
                return usage.wall_s
            tracer.send_signal(signal.SIGINT)
            tracer.wait(20)
            syncs = counted_syncs(report)
            return ", ".join(f"{syncs[name] / limit:.2g} {name}" for name in SYNCS if name in syncs) or "nothing"
    raise AssertionError("a receiver starts once")


# --- tables ----------------------------------------------------------------------------------------


def main(rounds: int, *, quick: bool) -> int:
    missed = 0
    report: dict[str, Any] = {}
    for name, (bar, size, number) in WORKS.items():
        work = Workload(name, size, max(QUICK[name] if quick else number, GROUP + COUNTED))
        make_instances(work)
        missed += rates(work, bar, rounds, report)
        receivers(work, 1 if quick else rounds, report)
    missed += bench_queue_scale.run(quick=quick, report=report)
    OUT.mkdir(exist_ok=True)
    (OUT / "queue.json").write_text(json.dumps(report, indent=1))
    return 1 if missed else 0


def rates(work: Workload, bar: float, rounds: int, report: dict[str, Any]) -> int:
    seconds: dict[str, list[float]] = {way.name: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            seconds[way.name].append(way.seconds(work))
    rows = []
    for way in WAYS:
        best = RAW[way.name in (OWN[1], RAW[1])]
        share = median([limit / own for own, limit in zip(seconds[way.name], seconds[best], strict=True)])
        rows.append((work.name, way.name, "", f"{work.number / median(seconds[way.name]):.0f}", f"{share:.2f}"))
    print_table(("files", "made durable by", "", "inst/s", "of the machine's limit"), rows)
    ratio, gain = (
        median([alone / together for alone, together in zip(*(seconds[name] for name in pair), strict=True)])
        for pair in (OWN, RAW)
    )
    counts = {group: flushes(group, work) for group in (1, GROUP)}
    least = min(bar, gain)
    held = (ratio >= least, counts[GROUP] <= FLUSHES_LIMIT)
    because = f" ({bar:g}, but C gains no more here)" if least < bar else ""
    said = f"{ratio:6.1f} >= {least:.1f}{because}"
    print(f"{'holds' if held[0] else 'MISSED':<7} {work.name}, groups x one by one    {said}")
    print(f"{'holds' if held[1] else 'MISSED':<7} {work.name}, flushes of a group      {counts[GROUP]:6.1f} <= 2")
    print(f"        {work.name}, flushes one by one      {counts[1]:6.1f}")
    report[work.name] = {"seconds": seconds, "number": work.number, "ratio": ratio, "gain": gain, "flushes": counts}
    return held.count(False)


def receivers(work: Workload, rounds: int, report: dict[str, Any]) -> None:
    limit = work.number
    there = {name: start for name, (program, start) in RECEIVERS.items() if not program or find_program(program)}
    seconds: dict[str, list[float]] = {name: [] for name in there}
    for _ in range(rounds):
        for name, start in there.items():
            seconds[name].append(received(start, work, limit, count=False))
    syncs = {name: received(start, work, GROUP, count=True) for name, start in there.items()}
    rows = [(work.name, name, syncs[name], f"{limit / median(seconds[name]):.0f}") for name in there]
    print_table(("files", "received by", "syncs for each", "inst/s"), rows)
    report[work.name]["receivers"] = {name: {"seconds": seconds[name], "syncs": syncs[name]} for name in there}
