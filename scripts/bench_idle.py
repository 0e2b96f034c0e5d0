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
from typing import Any, NamedTuple

from bench_lib import AGENT, OUT, Workload, make_instances, median
from fakes.peers import dcmtk_tls, make_bench_ca, start_storescp
from fakes.process import Process
from fakes.site import Site

from agent.spool.core import Destination
from agent.spool.store import Spool, prepare

READY_LIMIT_MS = 100.0
RSS_LIMIT_MIB = 24.0
LOSS_LIMIT_PERCENT = 10.0
SETTLE_S = 1.0
WAIT_S = 120.0
STORED = 3


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
        while "READY=1" not in manager.recv(4096).decode():
            pass
        return process, time.monotonic() - begun


def field_kib(path: str, name: str) -> int:
    with open(path) as rows:
        return next(int(row.split()[1]) for row in rows if row.startswith(name))


def idle_once(scratch: Path) -> Idle:
    """Start with TLS listener, a TLS destination that is away and no source; look at it at rest."""
    ca = make_bench_ca(scratch / "ca")
    site = Site(scratch / "site", tls=ca)
    away = {"name": "away", "called_ae": "AWAY", "port": 1, "tls": True}
    site.configure(destinations=[away], retry_base_s=60.0)
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


def two_destinations(scratch: Path, work: Workload, *options: str, ca: Path | None = None) -> dict[str, float]:
    """Time destination ``a`` alone, ``b`` alone and both at once; returns the loss of each in percent."""
    peers = {
        name: start_storescp(scratch / name, *options, log=scratch / f"{name}.log", store=False) for name in ("a", "b")
    }
    found: dict[str, float] = {}
    try:
        for names in (["a"], ["b"], ["a", "b"]):
            folder = scratch / f"site-{'-'.join(names)}"
            site = Site(folder, tls=ca)
            site.configure(destinations=[
                {"name": name, "called_ae": "ANY", "port": peers[name].port, "commitment": False, "tls": ca is not None}
                for name in names
            ])  # fmt: skip
            fill(site.spool, names, work)
            for name, seconds in seconds_to_store(site, scratch, names, work.number).items():
                found[f"{name} {'with the other' if len(names) > 1 else 'alone'}"] = work.number / seconds
            shutil.rmtree(folder)
    finally:
        for peer in peers.values():
            peer.process.stop()
    return found


def main(rounds: int, *, quick: bool) -> int:
    report: dict[str, Any] = {"idle": [], "two": []}
    work = Workload("0.5MB", 524_288, 100 if quick else 400)
    make_instances(work)
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="bench-idle-") as scratch:
            report["idle"].append(idle_once(Path(scratch))._asdict())
        with tempfile.TemporaryDirectory(prefix="bench-two-") as scratch:
            ca = make_bench_ca(Path(scratch) / "ca")
            tls = [*dcmtk_tls(ca, "archive"), "--require-peer-cert"]
            report["two"].append(two_destinations(Path(scratch), work, *tls, ca=ca))
    missed = 0
    for name, limit in (("ready_ms", READY_LIMIT_MS), ("rss_mib", RSS_LIMIT_MIB)):
        found = median([row[name] for row in report["idle"]])
        missed += found > limit
        print(f"{'holds' if found <= limit else 'MISSED':<7} idle daemon, {name:<40} {found:9.1f} <= {limit:g}")
    for name in ("peak_mib", "pss_mib", "descriptors"):
        print(f"        idle daemon, {name:<40} {median([row[name] for row in report['idle']]):9.1f}")
    for name in ("a", "b"):
        alone = [row[f"{name} alone"] for row in report["two"]]
        both = [row[f"{name} with the other"] for row in report["two"]]
        loss = median([100 * (1 - shared / own) for own, shared in zip(alone, both, strict=True)])
        missed += loss > LOSS_LIMIT_PERCENT
        verdict = "holds" if loss <= LOSS_LIMIT_PERCENT else "MISSED"
        print(f"{verdict:<7} destination {name}: {median(alone):.0f} inst/s alone, {median(both):.0f} with the other; "
              f"loss {loss:.1f} % <= {LOSS_LIMIT_PERCENT:g} %")  # fmt: skip
    OUT.mkdir(exist_ok=True)
    (OUT / "idle.json").write_text(json.dumps(report, indent=1))
    return 1 if missed else 0
