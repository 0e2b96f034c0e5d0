"""SIGKILL at fifty random moments of capture and forward, restart, and a reckoning: P1, P2 and P3 hold.

What the agent printed as captured is what somebody walked away from; each of those must end committed, once, with the
bytes that were captured. The moments come from the seed of the run.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from fakes.peers import make_bench_ca
from fakes.site import Archive, Site, acknowledged, reckon

if TYPE_CHECKING:
    import random
    from pathlib import Path

KILLS = 50
LONGEST_LIFE_S = 1.0  # start, some captures, sends and commitments all fit in
DRAIN_S = 60.0

SOURCES = [
    {"name": "probe", "uri": "pattern:us-rgb?rows=64&columns=96&rate_hz=200", "sop_class": "us-mf",
     "transfer_syntax": "rle", "clip_frames": 4, "every_s": 0.05},
    {"name": "panel", "uri": "pattern:dx16?rows=64&columns=96&rate_hz=200", "sop_class": "dx",
     "transfer_syntax": "explicit", "clip_frames": 1, "every_s": 0.05},
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_fifty_kills_lose_nothing_and_double_nothing(tmp_path: Path, rng: random.Random) -> None:
    ca = make_bench_ca(tmp_path / "ca")
    site = Site(tmp_path / "site", tls=ca)
    archive = Archive(tmp_path / "archive", tls=ca, report_to=("AGENT", site.port))
    destination = {"name": "archive", "called_ae": archive.ae_title, "port": archive.port, "tls": True}
    with archive.start():
        site.configure(destinations=[destination], sources=SOURCES)
        for _ in range(KILLS):
            agent = site.start()
            time.sleep(rng.uniform(0, LONGEST_LIFE_S))
            agent.kill()
            agent.stop()
        site.configure(destinations=[destination])
        agent = site.start()
        promised = acknowledged(site.log())
        agent.wait_until("everything committed", lambda: site.all_in("committed", len(promised)), DRAIN_S)
        assert site.stop() == 0
        assert len(promised) > KILLS  # the kills hit an agent at work, not one that starts
        assert reckon(site, archive, promised) == []
        assert "fault of the agent" not in site.log()
