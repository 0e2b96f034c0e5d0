"""The soak: an agent at work while everything around it fails at random, then a reckoning.

Three parties live in one scratch folder: the agent under test (captures by itself, forwards over TLS), the bench
archive (commits by a new association) and this script, which owns the proxy between them, the medium below the spool
and the clock above the agent. What counts as acknowledged is what the agent printed as captured.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench_lib import OUT, median, print_table
from fakes.clock import ShiftedClock
from fakes.media import LoopMedium, may_mount
from fakes.peers import make_bench_ca
from fakes.site import Archive, Site, acknowledged, reckon

from agent.app.cut_proxy import CutProxy

if TYPE_CHECKING:
    from collections.abc import Callable

MEDIUM_MIB = 192
PAUSE_S = (1.0, 12.0)  # between faults
DRAIN_S = 180.0  # after the last fault everything must be committed within this
SAMPLE_S = 1.0
STEADY_SHARE = 0.4  # the last part of the time without faults that end the agent: a leak needs a long life to show
WARM_S = 90.0  # page cache of the ledger, heaps of the threads: memory is judged after they have filled
JUDGED_S = 60.0  # a shorter stretch says nothing about growth
ENDS_S = 15.0  # growth is the mean of the last so many seconds less that of the first
GROWTH_KIB = 2048.0  # heaps still finding their shape: something stays of each arena that a thread made ...
GROWTH_KIB_PER_MIN = 32.0  # ... and what a leak may hide in: hours of soak make this the limit that counts
DESCRIPTOR_LIMIT = 64  # listener, spool, source, two associations and their pipes are below 40
WAITS = "waits for the medium"
HEALS_S = 150.0  # until the agent lets go of a dead medium (30 s), and is ready on one that came back
LEAVE_BYTES = 300_000  # a full medium: less than the agent's own reserve


class Sample(NamedTuple):
    life: int
    age_s: float
    rss_kib: int
    descriptors: int


class Soak:
    """The site and its faults; each ``fault_*`` returns what it did, in words."""

    def __init__(self, scratch: Path, rng: random.Random, seconds: float) -> None:
        self.rng = rng
        self.seconds = seconds
        self.samples: list[Sample] = []
        self.events: list[tuple[float, str]] = []
        self.medium = LoopMedium(scratch / "medium.img", scratch / "medium", MEDIUM_MIB) if may_mount() else None
        ca = make_bench_ca(scratch / "ca")
        spool = self.medium.folder / "spool" if self.medium else scratch / "spool"
        self.site = Site(scratch / "site", spool=spool, tls=ca)
        self.archive = Archive(scratch / "archive", tls=ca, report_to=("AGENT", self.site.port))
        self.archive.start()
        self.proxy = CutProxy(("127.0.0.1", self.archive.port))
        self.clock = ShiftedClock(scratch / "clock")
        archive = {"name": "archive", "called_ae": self.archive.ae_title, "port": self.proxy.port, "tls": True}
        self.site.configure(destinations=[archive], sources=sources(), spool={"keep_hours": 0})
        self.start_agent()

    def start_agent(self) -> None:
        self.site.start(env=self.clock.environment())
        self.born = time.monotonic()

    def faults(self, *, deadly: bool) -> list[Callable[[], str]]:
        """List what this machine can do; what it cannot is said loudly by ``main``."""
        found = [self.fault_cut, self.fault_cut_mid_transfer, self.fault_network_down, self.fault_kill_archive]
        found += [self.fault_clock_jump]
        found += [self.fault_disk_full] if self.medium else []
        if deadly:
            found += [self.fault_kill_agent, self.fault_stop_agent]
            found += [self.fault_power_cut, self.fault_pulled, self.fault_read_only] if self.medium else []
        return found

    def fault_cut(self) -> str:
        return f"link reset, {self.proxy.cut()} connection(s)"

    def fault_cut_mid_transfer(self) -> str:
        limit = self.rng.randrange(100, 400_000)
        self.proxy.arm(limit)
        return f"link will be reset after {limit} bytes"

    def fault_network_down(self) -> str:
        seconds = self.rng.uniform(0.5, 6)
        self.proxy.refusing = True
        self.proxy.cut()
        self.wait(seconds)
        self.proxy.refusing = False
        return f"network down for {seconds:.1f} s"

    def fault_kill_agent(self) -> str:
        self.kill_agent()
        self.start_agent()
        return "agent SIGKILL, started again"

    def fault_stop_agent(self) -> str:
        status = self.site.stop()
        if status != 0:
            raise SystemExit(f"soak: the agent ended with {status} on SIGTERM:\n{self.site.log()[-3000:]}")
        self.start_agent()
        return "agent SIGTERM, started again"

    def fault_kill_archive(self) -> str:
        self.archive.kill()
        self.wait(self.rng.uniform(0, 3))
        self.archive.start()
        return "archive SIGKILL, started again"

    def fault_disk_full(self) -> str:
        assert self.medium is not None
        self.medium.fill(LEAVE_BYTES)
        seconds = self.rng.uniform(1, 6)
        self.wait(seconds)
        self.medium.free()
        return f"medium full for {seconds:.1f} s"

    def fault_power_cut(self) -> str:
        assert self.medium is not None
        self.medium.die()
        self.wait(self.rng.uniform(0, 1.5))
        self.kill_agent()
        self.medium.revive()
        self.start_agent()
        return "medium lost power, agent killed, both back"

    def fault_pulled(self) -> str:
        assert self.medium is not None
        began = self.ready()
        self.medium.die()
        self.medium.pull()
        self.wait_until_let_go()
        self.medium.put_in()
        self.wait_until_ready(began)
        return "medium pulled until the agent let go of it; it opened it anew by itself"

    def fault_read_only(self) -> str:
        assert self.medium is not None
        began = self.ready()
        self.medium.spoil()
        self.wait_until_let_go()
        self.medium.revive()
        self.wait_until_ready(began)
        return "medium read-only until the agent let go of it; it opened it anew by itself"

    def wait_until_let_go(self) -> None:
        """Wait until the agent waits for its medium: then it has nothing open there."""
        before, until = self.site.log().count(WAITS), time.monotonic() + HEALS_S
        while self.site.log().count(WAITS) <= before:
            self.wait(1.0)
            if time.monotonic() > until:
                raise SystemExit(f"soak: a dead medium is held for {HEALS_S:.0f} s:\n{self.site.log()[-3000:]}")

    def ready(self) -> int:
        """How often the agent was ready."""
        return self.site.log().count("ready")

    def wait_until_ready(self, before: int) -> None:
        """Wait until the agent has replaced itself: that is a new life."""
        until = time.monotonic() + HEALS_S
        while self.ready() <= before:
            self.wait(1.0)
            if time.monotonic() > until:
                raise SystemExit(
                    f"soak: not ready {HEALS_S:.0f} s after its medium came back:\n{self.site.log()[-3000:]}"
                )
        self.born, self.site.lives = time.monotonic(), self.site.lives + 1

    def fault_clock_jump(self) -> str:
        days = self.rng.uniform(0, 5)  # the bench certificates last ten days and are not valid before the start
        self.clock.set(days * 86_400)
        return f"wall clock now {days:+.2f} days"

    def kill_agent(self) -> None:
        assert self.site.agent is not None
        self.site.agent.kill()
        self.site.agent.stop()

    def wait(self, seconds: float) -> None:
        """Let time pass, looking at the agent every second."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, SAMPLE_S))
            self.look()

    def look(self) -> None:
        agent = self.site.agent
        assert agent is not None
        if agent.poll() is not None:
            return
        rss = [row for row in Path(f"/proc/{agent.pid}/status").read_text().splitlines() if row.startswith("VmRSS")]
        descriptors = len(os.listdir(f"/proc/{agent.pid}/fd"))
        if rss:
            age = time.monotonic() - self.born
            self.samples.append(Sample(self.site.lives, age, int(rss[0].split()[1]), descriptors))

    def run(self) -> None:
        begun = time.monotonic()
        while (spent := time.monotonic() - begun) < self.seconds:
            self.wait(min(self.rng.uniform(*PAUSE_S), self.seconds - spent))
            deadly = spent < (1 - STEADY_SHARE) * self.seconds
            text = self.rng.choice(self.faults(deadly=deadly))()
            self.events.append((time.monotonic() - begun, text))
            print(f"{time.monotonic() - begun:7.1f} s  {text}", flush=True)

    def drain(self) -> None:
        """End the faults and wait until nothing is on its way; captures stop by a reload without sources."""
        self.proxy.refusing = False
        self.proxy.arm(0)
        self.clock.set(0)
        self.kill_agent()
        archive = {"name": "archive", "called_ae": self.archive.ae_title, "port": self.proxy.port, "tls": True}
        self.site.configure(destinations=[archive], spool={"keep_hours": 0})
        self.start_agent()
        until = time.monotonic() + DRAIN_S
        while time.monotonic() < until and not self.site.all_in("committed", 1):
            self.wait(1.0)
        self.site.stop()

    def close(self) -> None:
        if self.site.agent is not None:
            self.site.agent.stop()
        self.archive.stop()
        self.proxy.close()
        if self.medium:
            self.medium.close()


def sources() -> list[dict[str, Any]]:
    """Two devices: short clips in RLE, stills as they come."""
    clip = {"name": "probe", "uri": "pattern:us-rgb?rows=96&columns=128&rate_hz=30", "sop_class": "us-mf",
            "transfer_syntax": "rle", "clip_frames": 6, "every_s": 0.4}  # fmt: skip
    still = {"name": "panel", "uri": "pattern:dx16?rows=256&columns=256&rate_hz=10", "sop_class": "dx",
             "transfer_syntax": "explicit", "clip_frames": 1, "every_s": 0.7}  # fmt: skip
    return [clip, still]


def growth_kib(samples: list[Sample]) -> tuple[float, float] | None:
    """Growth of resident memory in the longest life once it is warm, and what is allowed; None: too short to tell."""
    lives: dict[int, list[Sample]] = {}
    for sample in samples:
        if sample.age_s >= WARM_S:
            lives.setdefault(sample.life, []).append(sample)
    rows = max(lives.values(), key=len, default=[])
    if not rows or (seconds := rows[-1].age_s - rows[0].age_s) < JUDGED_S:
        return None
    first = [row.rss_kib for row in rows if row.age_s <= rows[0].age_s + ENDS_S]
    last = [row.rss_kib for row in rows if row.age_s >= rows[-1].age_s - ENDS_S]
    return sum(last) / len(last) - sum(first) / len(first), GROWTH_KIB + GROWTH_KIB_PER_MIN * seconds / 60


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/soak")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4)))
    parser.add_argument("--keep", action="store_true", help="leave the scratch folder for a look")
    options = parser.parse_args()
    print(f"soak: {options.seconds:g} s, seed {options.seed} (again with --seed {options.seed})")
    scratch = Path(tempfile.mkdtemp(prefix="soak-"))
    soak = Soak(scratch, random.Random(options.seed), options.seconds)
    if soak.medium is None:
        print("soak: NOT ROOT, so no medium of its own: disk full and power cut are LEFT OUT")
    try:
        soak.run()
        soak.drain()
        promised = acknowledged(soak.site.log())
        broken = reckon(soak.site, soak.archive, promised)
        return report(soak, options.seed, promised, broken)
    finally:
        soak.close()
        if not options.keep:
            shutil.rmtree(scratch)


def report(soak: Soak, seed: int, promised: dict[str, str], broken: list[str]) -> int:
    growth = growth_kib(soak.samples)
    descriptors = max((sample.descriptors for sample in soak.samples), default=0)
    own_faults = re.findall(r".*fault of the agent: .*", soak.site.log())
    for text in own_faults[:20]:
        print(f"OWN FAULT  {text}")
    checks = [
        ("acknowledged instances", str(len(promised)), "at least 1", len(promised) > 0),
        ("promises broken", str(len(broken)), "0", not broken),
        ("roles ended by a fault of ours", str(len(own_faults)), "0", not own_faults),
        ("memory growth, KiB", "no life long enough", "", True)
        if growth is None
        else ("memory growth, KiB", f"{growth[0]:.0f}", f"{growth[1]:.0f}", growth[0] <= growth[1]),
        ("most descriptors", str(descriptors), str(DESCRIPTOR_LIMIT), descriptors <= DESCRIPTOR_LIMIT),
    ]
    for text in broken[:20]:
        print(f"BROKEN  {text}")
    peak = max((sample.rss_kib for sample in soak.samples), default=0) / 1024
    middle = median([sample.rss_kib / 1024 for sample in soak.samples])
    print(f"{soak.site.lives} lives, {len(soak.events)} faults; memory: median {middle:.1f}, peak {peak:.1f} MiB")
    print_table(
        ["what", "found", "allowed", "verdict"],
        [[what, found, limit, "ok" if good else "FAILED"] for what, found, limit, good in checks],
    )
    OUT.mkdir(exist_ok=True)
    (OUT / "soak.json").write_text(json.dumps({
        "seed": seed, "seconds": soak.seconds, "lives": soak.site.lives, "acknowledged": len(promised),
        "broken": broken,
        "events": soak.events, "samples": soak.samples, "growth_kib": growth,
        "checks": {what: {"found": found, "allowed": limit, "ok": good} for what, found, limit, good in checks},
    }, indent=1))  # fmt: skip
    print(f"report: {OUT / 'soak.json'}")
    return 0 if all(good for *_, good in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
