"""The network bench: modality-agent send beside storescu, dcmsend and pynetdicom, interleaved, to the same peers.

Rates include the start of the sender (that is what a script pays). Senders that stall take 90 ms an instance, so they
send fewer; a rate does not depend on the count. CPU seconds and peak memory are of the sender alone. Ratios are taken
per round and the median over rounds is shown, because other load on the machine moves all of a round together.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from bench_bars import AT_LEAST, BARS, Cell, Result, judge
from bench_lib import (
    AGENT,
    OUT,
    PEER_CPU,
    ROOT,
    TOOLS,
    Workload,
    drop_old_data,
    make_instances,
    measure,
    median,
    pinned,
    print_table,
)
from fakes.peers import Orthanc, dcmtk_tls, find_program, make_bench_ca, start_storescp, versions
from fakes.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SLOW_LIMIT = 30  # instances for a sender that stalls: 2.7 s at 90 ms
MAX_PDU = 131_072
NODELAY = {"TCP_NODELAY": "1"}  # what DCMTK reads to switch Nagle off


class Target(NamedTuple):
    """A peer under test; ``start`` yields its port and ends it."""

    name: str
    start: Callable[[Path], Any]
    tls: bool = False


def workloads(*, quick: bool) -> dict[str, Workload]:
    scale = 4 if quick else 1
    listed = [
        Workload("4kB", 4096, 200),
        Workload("20kB", 20_480, 4000 // scale),
        Workload("0.5MB", 524_288, 1600 // scale),
        Workload("1GB", 1 << 30, 1),
    ]
    return {work.name: work for work in listed}


@contextlib.contextmanager
def storescp(scratch: Path, *options: str, nodelay: bool = False) -> Iterator[int]:
    log = scratch / f"storescp-{time.monotonic_ns()}.log"
    peer = start_storescp(
        scratch / "unused", *options, log=log, store=False, env=NODELAY if nodelay else None, prefix=pinned(PEER_CPU)
    )
    with peer.process:
        yield peer.port


@contextlib.contextmanager
def sink(scratch: Path) -> Iterator[int]:
    port = free_port()
    command = [*pinned(PEER_CPU), str(TOOLS / "sink"), str(port), str(MAX_PDU)]
    with Process(command, scratch / "sink.log") as process:
        process.wait_listening(port)
        yield port


@contextlib.contextmanager
def orthanc(scratch: Path) -> Iterator[int]:
    peer = Orthanc(scratch / f"orthanc-{time.monotonic_ns()}", prefix=pinned(PEER_CPU))
    try:
        yield peer.port
    finally:
        peer.stop()


def targets(ca: Path) -> dict[str, Target]:
    """Stock means: as its package installs it, only the port given. storescp drops what it gets (--ignore)."""
    tls = [*dcmtk_tls(ca, "archive"), "--require-peer-cert"]
    listed = [
        Target("storescp", storescp),
        Target("storescp TLS", lambda scratch: storescp(scratch, *tls), tls=True),
        Target("Orthanc", orthanc),
        Target("storescp tuned", lambda scratch: storescp(scratch, "--max-pdu", str(MAX_PDU), nodelay=True)),
        Target(
            "storescp tuned TLS",
            lambda scratch: storescp(scratch, "--max-pdu", str(MAX_PDU), *tls, nodelay=True),
            tls=True,
        ),
        Target("sink", sink),
    ]
    return {target.name: target for target in listed}


def cells(*, quick: bool) -> list[Cell]:
    """List the matrix. Slow senders get few instances; the agent gets enough that its start does not dominate."""
    slow = 10 if quick else SLOW_LIMIT
    found = [Cell("storescp", "4kB", "agent"), Cell("storescp", "4kB", "storescu", slow)]
    for target in ("storescp", "storescp TLS", "Orthanc"):
        stalling = ["storescu"] if target == "storescp TLS" else ["storescu", "dcmsend", "pynetdicom"]
        for work, limit in (("20kB", 400), ("0.5MB", 200)):
            found.append(Cell(target, work, "agent", limit))
            found += [Cell(target, work, sender, slow) for sender in stalling]
    for target in ("storescp tuned", "sink"):
        for work in ("20kB", "0.5MB", "1GB"):
            found += [Cell(target, work, sender) for sender in ("agent", "storescu nodelay", "dcmsend nodelay")]
            found += [Cell(target, work, "raw TCP")] if target == "sink" else []
    found.append(Cell("sink", "1GB", "pynetdicom"))
    for work in ("20kB", "1GB"):
        found += [Cell("storescp tuned TLS", work, sender) for sender in ("agent", "storescu nodelay")]
    return found


def command_of(
    cell: Cell, port: int, files: list[str], folder: str, target: Target, ca: Path
) -> tuple[list[str], dict[str, str]]:
    """Return the command line and what it needs in its environment.

    A whole workload is named by its folder where the sender takes one: the interpreter of a Python sender would keep
    several copies of thousands of names, which is memory of the command line and not of sending.
    """
    where = ["127.0.0.1", str(port)]
    sender, _, tuned = cell.sender.partition(" ")
    env = NODELAY if tuned == "nodelay" else {}
    tls = dcmtk_tls(ca, "agent") if target.tls else []
    agent_tls = ["--ca", f"{ca}/ca.pem", "--cert", f"{ca}/agent.pem", "--key", f"{ca}/agent.key"] if target.tls else []
    commands = {
        "agent": [
            str(AGENT),
            "send",
            "--to",
            f"ANY@127.0.0.1:{port}",
            *agent_tls,
            *(files if cell.limit else [folder]),
        ],
        "storescu": [str(find_program("storescu")), *tls, *where, *(files if cell.limit else ["+sd", folder])],
        "dcmsend": [str(find_program("dcmsend")), *where, *(files if cell.limit else ["+sd", folder])],
        "pynetdicom": [str(ROOT / ".venv/bin/python"), "-m", "pynetdicom", "storescu", *where, *files],
        "raw": [str(TOOLS / "raw"), str(port), *files],
    }
    return commands[sender], env


def run_cell(cell: Cell, target: Target, work: Workload, port: int, ca: Path) -> Result:
    files = work.files(cell.limit)
    command, env = command_of(cell, port, [str(path) for path in files], str(work.folder), target, ca)
    usage = measure(command, env=env)
    return Result(cell, len(files), sum(path.stat().st_size for path in files), usage)


def run(plan: list[Cell], rounds: int, *, quick: bool, scratch: Path) -> dict[Cell, list[Result]]:
    """Run the plan ``rounds`` times; within a target and workload the senders follow each other directly."""
    works = workloads(quick=quick)
    drop_old_data(list(works.values()))
    for work in works.values():
        make_instances(work)
    ca = make_bench_ca(scratch / "ca")
    peers = targets(ca)
    results: dict[Cell, list[Result]] = {cell: [] for cell in plan}
    for number in range(rounds):
        for name, target in peers.items():
            if not any(cell.target == name for cell in plan):
                continue
            with target.start(scratch) as port:
                for cell in [cell for cell in plan if cell.target == name]:
                    progress(f"round {number + 1} of {rounds}: {cell.sender} -> {name}, {cell.work}")
                    results[cell].append(run_cell(cell, target, works[cell.work], port, ca))
    progress("")
    return results


def progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()
    elif text:
        print(text, file=sys.stderr, flush=True)


def show(results: dict[Cell, list[Result]]) -> tuple[list[dict[str, Any]], int]:
    head = ["target", "size", "sender", "n", "inst/s", "ms each", "MB/s", "CPU s/GB", "CPU us each", "peak MiB"]
    rows = []
    for cell, runs in results.items():
        rate = median([run.per_s for run in runs])
        size = runs[0].data_bytes / runs[0].number
        cpu_us = median([run.usage.cpu_s * 1e6 / run.number for run in runs])
        peak = max(run.usage.peak_kib for run in runs) / 1024
        cpu = median([run.cpu_s_per_gb for run in runs])
        rows.append([
            cell.target, cell.work, cell.sender, str(runs[0].number), f"{rate:.1f}", f"{1000 / rate:.2f}",
            f"{rate * size / 1e6:.1f}", f"{cpu:.3f}", f"{cpu_us:.0f}", f"{peak:.1f}",
        ])  # fmt: skip
    print_table(head, rows)
    print()
    missed, judged = 0, []
    for bar in BARS:
        if not any((cell.target, cell.work) == (bar.target, bar.work) for cell in results):
            continue  # left out by --only
        found, holds = judge(bar, results)
        missed += not holds
        sign = ">=" if bar.kind in AT_LEAST else "<="
        print(f"{'holds' if holds else 'MISSED':<7} {bar.what:<42} {found:9.2f} {sign} {bar.limit:g}")
        judged.append({"bar": bar.what, "measured": found, "limit": bar.limit, "holds": holds})
    return judged, missed


def main(rounds: int, *, quick: bool, only: str = "") -> int:
    for name in ("storescp", "storescu", "dcmsend", "Orthanc"):
        if find_program(name) is None:
            raise SystemExit(f"bench net: {name} is not installed; scripts/test says which package it is in")
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix="bench-net-") as scratch:
        plan = [cell for cell in cells(quick=quick) if only in f"{cell.target}, {cell.work}"]
        results = run(plan, rounds, quick=quick, scratch=Path(scratch))
    judged, missed = show(results)
    OUT.mkdir(exist_ok=True)
    report = {
        "versions": versions(), "cpus": os.cpu_count(), "rounds": rounds, "quick": quick, "bars": judged,
        "runs": [
            {**cell._asdict(), "count": run.number, "bytes": run.data_bytes, **run.usage._asdict()}
            for cell, runs in results.items() for run in runs
        ],
    }  # fmt: skip
    (OUT / "net.json").write_text(json.dumps(report, indent=1))
    print(f"\nraw figures: {OUT / 'net.json'}")
    return 1 if missed else 0
