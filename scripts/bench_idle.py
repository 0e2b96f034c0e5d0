"""The daemon at rest, and what a second destination costs the first.

Ready is when READY=1 arrives on the socket a service manager would have given it, counted from exec. Memory is read a
second later, when recovery is over. For the second part the spool is filled before the daemon starts (captured long
ago, the link was down), so that only forwarding is timed: from READY=1 to the last answer, alone and side by side.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench_lib import AGENT, OUT, TOOLS, Workload, make_instances, median
from fakes.peers import make_bench_ca
from fakes.process import Process, free_port
from fakes.site import Site

from agent.spool.core import Destination
from agent.spool.store import Spool, prepare

READY_LIMIT_MS = 100.0
RSS_LIMIT_MIB = 24.0
LOSS_LIMIT_PERCENT = 10.0
SETTLE_S = 1.0
WAIT_S = 120.0
STORED = 3
ANSWER_US = 5000


class Idle(NamedTuple):
    ready_ms: float
    rss_mib: float
    peak_mib: float
    pss_mib: float
    descriptors: int


def start_ready(site: Site, scratch: Path) -> tuple[Process, float]:
    """Start the shipped daemon and wait for READY=1; returns it and the seconds from exec."""
    address = str(scratch / "notify")
    Path(address).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(20)
        begun = time.monotonic()
        command = [str(AGENT), "run", "--config", str(site.config)]
        process = Process(command, scratch / "agent.log", env={"NOTIFY_SOCKET": address})
        try:
            while "READY=1" not in manager.recv(4096).decode():
                pass
        except TimeoutError:
            process.stop()
            raise SystemExit(f"bench idle: the daemon did not become ready:\n{process.log_tail()}") from None
        return process, time.monotonic() - begun


def field_kib(path: str, name: str) -> int:
    with open(path) as rows:
        return next(int(row.split()[1]) for row in rows if row.startswith(name))


def idle_once(scratch: Path) -> Idle:
    """Start with TLS listener, a TLS destination that is away and no source; look at it at rest."""
    ca = make_bench_ca(scratch / "ca")
    site = Site(scratch / "site", tls=ca)
    away = {"name": "away", "called_ae": "AWAY", "port": 1, "tls": True, "retry_base_s": 60.0, "retry_cap_s": 60.0}
    site.configure(destinations=[away])
    process, ready_s = start_ready(site, scratch)
    with process:
        time.sleep(SETTLE_S)
        status, rollup = f"/proc/{process.pid}/status", f"/proc/{process.pid}/smaps_rollup"
        return Idle(
            ready_s * 1000, field_kib(status, "VmRSS:") / 1024, field_kib(status, "VmHWM:") / 1024,
            field_kib(rollup, "Pss:") / 1024, len(os.listdir(f"/proc/{process.pid}/fd")),
        )  # fmt: skip


def fill(root: Path, names: list[str], work: Workload) -> None:
    prepare(str(root))
    with Spool.open(str(root), destinations=[Destination(name, commitment=False) for name in names]) as spool:
        for path in work.files():
            spool.import_file(str(path))


def seconds_to_store(site: Site, scratch: Path, names: list[str], number: int) -> dict[str, float]:
    """Return, per destination, the seconds from the daemon's start until its last answer."""
    process, _ = start_ready(site, scratch)
    begun = time.time()
    with process:
        query = "SELECT count(*) FROM delivery WHERE state = ?"
        database = sqlite3.connect(f"file:{site.spool}/ledger.db?mode=ro", uri=True)
        process.wait_until(
            "everything stored",
            lambda: database.execute(query, (STORED,)).fetchone()[0] == number * len(names),
            WAIT_S,
        )
        last = "SELECT d.name, max(answered_at) FROM delivery JOIN destination d ON d.id = destination GROUP BY d.name"
        found = {name: answered - begun for name, answered in database.execute(last)}
        database.close()
    return found


def start_sinks(scratch: Path, answer_us: int) -> list[tuple[Process, int]]:
    found = []
    for _ in range(2):
        port = free_port()
        command = [str(TOOLS / "sink"), str(port), "131072", str(answer_us)]
        process = Process(command, scratch / f"sink-{port}.log")
        process.wait_listening(port)
        found.append((process, port))
    return found


def two_destinations(scratch: Path, work: Workload, answer_us: int) -> dict[str, float]:
    """Forward to ``a`` alone, to ``b`` alone and to both at once; returns instances per second of each."""
    sinks = start_sinks(scratch, answer_us)
    ports = dict(zip("ab", [port for _, port in sinks], strict=True))
    found: dict[str, float] = {}
    try:
        for names in (["a"], ["b"], ["a", "b"]):
            site = Site(scratch / f"site-{'-'.join(names)}")
            site.configure(destinations=[
                {"name": name, "called_ae": "ANY", "port": ports[name], "commitment": False} for name in names
            ])  # fmt: skip
            fill(site.spool, names, work)
            for name, seconds in seconds_to_store(site, scratch, names, work.number).items():
                found[f"{name} {'with the other' if len(names) > 1 else 'alone'}"] = work.number / seconds
            shutil.rmtree(site.folder)
    finally:
        for process, _ in sinks:
            process.stop()
    return found


def show_idle(rows: list[Idle]) -> int:
    missed = 0
    for name, limit in (("ready_ms", READY_LIMIT_MS), ("rss_mib", RSS_LIMIT_MIB)):
        found = median([getattr(row, name) for row in rows])
        missed += found > limit
        print(f"{'holds' if found <= limit else 'MISSED':<7} idle daemon, {name:<24} {found:9.1f} <= {limit:g}")
    for name in ("peak_mib", "pss_mib", "descriptors"):
        print(f"        idle daemon, {name:<24} {median([getattr(row, name) for row in rows]):9.1f}")
    return missed


def show_two(title: str, rows: list[dict[str, float]], limit: float | None) -> int:
    missed = 0
    for name in ("a", "b"):
        alone, both = [row[f"{name} alone"] for row in rows], [row[f"{name} with the other"] for row in rows]
        loss = median([100 * (1 - shared / own) for own, shared in zip(alone, both, strict=True)])
        over = limit is not None and loss > limit
        missed += over
        verdict = "" if limit is None else "MISSED" if over else "holds"
        rates = f"{median(alone):7.1f} inst/s alone, {median(both):7.1f} with the other"
        print(f"{verdict:<7} {title}, {name}: {rates}, loss {loss:5.1f} %{'' if limit is None else f' <= {limit:g}'}")
    return missed


def main(rounds: int, *, quick: bool) -> int:
    """Judge with peers that take 5 ms to answer, as archives do; show beside it peers that do not wait at all."""
    idle: list[Idle] = []
    two: dict[int, list[dict[str, float]]] = {ANSWER_US: [], 0: []}
    work = Workload("0.5MB", 524_288, 100 if quick else 400)
    make_instances(work)
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="bench-idle-") as scratch:
            idle.append(idle_once(Path(scratch)))
        for answer_us, rows in two.items():
            with tempfile.TemporaryDirectory(prefix="bench-two-") as scratch:
                rows.append(two_destinations(Path(scratch), work, answer_us))
    missed = show_idle(idle)
    missed += show_two("two destinations, 5 ms to answer", two[ANSWER_US], LOSS_LIMIT_PERCENT)
    show_two("two destinations, no wait at all", two[0], None)
    OUT.mkdir(exist_ok=True)
    report = {"idle": [row._asdict() for row in idle], "two": two}
    (OUT / "idle.json").write_text(json.dumps(report, indent=1))
    return 1 if missed else 0
