"""Bit rot under a running agent: found by its own round, and by ``spool verify`` beside it."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from fakes.site import AGENT, Site

from agent.app import keeper, verifying
from agent.app.journal import Journal
from agent.app.runtime import Runtime
from agent.config.load import load

SOURCE = {"name": "s0", "uri": "pattern:us-mono?rows=64&columns=64&rate_hz=100", "clip_frames": 2, "every_s": 0.05,
          "captures": 3}  # fmt: skip


def rot(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-100] ^= 0x20
    path.write_bytes(data)


def verify(site: Site) -> tuple[int, dict[str, Any]]:
    done = subprocess.run([AGENT, "spool", "verify", "--config", str(site.config), "--json"], capture_output=True,
        text=True, check=False, timeout=60)  # fmt: skip
    return done.returncode, json.loads(done.stdout)


def captured(site: Site) -> None:
    until = time.monotonic() + 20
    while len(site.rows()) < 3:
        assert time.monotonic() < until, site.log()
        time.sleep(0.01)


@pytest.mark.slow
def test_verify_beside_an_agent_has_it_set_aside_by_the_agent(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.configure(destinations=[], sources=[SOURCE])
    agent = site.start()
    captured(site)
    status, facts = verify(site)
    assert (status, facts["files"], facts["wrong"]) == (0, 3, [])
    rot(site.files()[1])
    status, facts = verify(site)
    assert status == 13
    assert [one["state"] for one in facts["wrong"]] == ["damaged"]
    assert [row.life for row in site.rows()] == [21, 24, 21]
    assert len(list((site.spool / "quarantine").iterdir())) == 1
    assert agent.poll() is None
    assert verify(site)[0] == 0
    assert site.stop() == 0
    head = (site.spool / "ledger.db-head").read_text().strip()
    status, facts = verify(site)
    assert f"{facts['ledger']['events']}:{facts['ledger']['head']}" == head


def test_the_agent_finds_it_by_itself(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.configure(destinations=[], sources=[SOURCE])
    text = site.config.read_text().replace("enabled = true", "enabled = false")
    site.config.write_text(text)
    log = (tmp_path / "agent.log").open("w")
    with (
        patch.object(keeper, "KEEP_S", 0.02),
        patch.object(verifying, "TURN_S", 0.02),
        patch.object(verifying, "DAY_S", 0.01),
    ):
        runtime = Runtime(str(site.config), load(str(site.config), files=True), Journal(log))
        runtime.start()
        captured(site)
        rot(site.files()[0])
        until = time.monotonic() + 20
        while [row.life for row in site.rows()] != [24, 21, 21]:
            assert time.monotonic() < until, site.log()
            time.sleep(0.01)
        assert runtime.status()["verify"]["round_s"] == pytest.approx(0.3)
        assert runtime.stop()
    runtime.journal.flush()
    assert "damaged on the medium and set aside" in site.log()
