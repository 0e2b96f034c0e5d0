"""The medium below a running agent fills up, turns read-only, vanishes and comes back (root only: it mounts)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from fakes.media import LoopMedium, may_mount
from fakes.process import Process
from fakes.site import AGENT, Site, acknowledged, sha256

HEALS_S = 60.0  # the promise
# The same agent, less patient than one in a hospital: these looks are every 5 s, and a dead medium is kept for 30 s.
QUICK = """
import sys
from agent.app import anew, cli, keeper
keeper.WATCH_S = anew.LOOK_S = 0.2
keeper.LET_GO_S = 1.0
sys.exit(cli.main(sys.argv[1:]))
"""
SMALL = {"name": "probe", "uri": "pattern:us-mono?rows=64&columns=64&rate_hz=100", "clip_frames": 2}

pytestmark = pytest.mark.slow


@pytest.fixture
def point(tmp_path: Path) -> Generator[Path, None, None]:
    """A tmpfs of 8 MiB; needs the right to mount."""
    found = tmp_path / "card"
    found.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(found)], capture_output=True, text=True,
        check=False)  # fmt: skip
    if done.returncode:
        pytest.skip(f"NOT TESTED: media that fail below an agent; mounting needs root ({done.stderr.strip()})")
    yield found
    subprocess.run(["umount", "-l", str(found)], check=False)


def ask(site: Site, *words: str) -> tuple[int, str]:
    done = subprocess.run([AGENT, *words, "--config", str(site.config)], capture_output=True, text=True, check=False,
        timeout=60)  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def alarms(site: Site) -> list[str]:
    status, text = ask(site, "status", "--json")
    return [one["cause"] for one in json.loads(text)["medium"]] if status == 0 else ["?"]


def trigger(site: Site) -> tuple[int, str]:
    return ask(site, "trigger", "probe")


def capture(site: Site, agent: Process) -> None:
    """One capture that is acknowledged."""
    before = len(acknowledged(site.log()))
    agent.wait_until("a trigger is taken", lambda: trigger(site)[0] == 0, HEALS_S)
    agent.wait_until("a capture", lambda: len(acknowledged(site.log())) > before, HEALS_S)


def reckon(site: Site) -> None:
    """Every promise is a file with the digest that was promised."""
    promised = acknowledged(site.log())
    files = {sha256(path) for path in site.files()}
    assert set(promised.values()) <= files
    assert not list(site.spool.rglob("*.part"))


def started(folder: Path, spool: Path, **more: Any) -> tuple[Site, Process]:
    site = Site(folder, spool=spool)
    site.configure(destinations=[], sources=[SMALL], spool=more)
    agent = site.agent = Process(
        [sys.executable, "-c", QUICK, "run", "--config", str(site.config)], folder / "agent.log"
    )
    agent.wait_listening(site.port)
    return site, agent


def test_full_in_words_and_over_by_itself(tmp_path: Path, point: Path) -> None:
    site, agent = started(tmp_path / "site", point / "spool", min_free_mib=2)
    capture(site, agent)
    filler = point / "filler"
    room = os.statvfs(point)
    filler.write_bytes(bytes(room.f_bavail * room.f_frsize - (1 << 20)))
    agent.wait_until("an alarm", lambda: "full" in alarms(site), HEALS_S)
    status, said = trigger(site)
    assert status == 12
    assert "out of resources" in said
    assert site.log().count("captures are refused") == 1
    filler.unlink()
    agent.wait_until("the end of it", lambda: not alarms(site), HEALS_S)
    assert "alarm: over after" in site.log()
    capture(site, agent)
    assert site.stop() == 0
    reckon(site)


def test_away_and_back_again(tmp_path: Path, point: Path) -> None:
    """The same file system, which nobody has lost: its place was empty for a while."""
    site, agent = started(tmp_path / "site", point / "spool", min_free_mib=1)
    capture(site, agent)
    away = tmp_path / "away"
    away.mkdir()
    parent = subprocess.run(["mount", "--make-private", str(point)], check=False, capture_output=True)
    moved = subprocess.run(["mount", "--move", str(point), str(away)], check=False, capture_output=True, text=True)
    if parent.returncode or moved.returncode:
        pytest.skip(f"NOT TESTED: a medium that is moved away ({moved.stderr.strip()})")
    try:
        agent.wait_for("the medium of the spool is gone", HEALS_S)
    finally:
        subprocess.run(["mount", "--move", str(away), str(point)], check=True)
    agent.wait_for("alarm: over after", HEALS_S)
    capture(site, agent)
    assert site.stop() == 0
    reckon(site)


def test_read_only_for_a_while(tmp_path: Path, point: Path) -> None:
    """As a file system does to itself after an error: what is open stays open, and nothing can be written."""
    site, agent = started(tmp_path / "site", point / "spool", min_free_mib=1)
    capture(site, agent)
    subprocess.run(["mount", "--bind", str(point), str(point)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(point)], check=True)
        agent.wait_for("has become read-only", HEALS_S)
        assert trigger(site)[0] != 0
        agent.wait_for("the agent waits for the medium", HEALS_S)
        subprocess.run(["mount", "-o", "remount,rw,bind", str(point)], check=True)
        agent.wait_until("ready", lambda: agent.log.count("ready port") == 2, HEALS_S)
        capture(site, agent)
        assert site.stop() == 0
        reckon(site)
    finally:
        subprocess.run(["umount", "-l", str(point)], check=True)


def test_a_medium_that_dies_in_mid_clip_is_taken_out_and_put_in_again(tmp_path: Path) -> None:
    if not may_mount():
        pytest.skip("NOT TESTED: a medium that dies; a loop mount needs root")
    medium = LoopMedium(tmp_path / "image", tmp_path / "card", 64)
    site, agent = started(tmp_path / "site", medium.folder / "spool", min_free_mib=1)
    try:
        capture(site, agent)
        site.configure(destinations=[], spool={"min_free_mib": 1}, sources=[
            {**SMALL, "clip_frames": 0, "clip_s": 60, "sop_class": "us-mf"}])  # fmt: skip
        agent.signal(1)
        agent.wait_for("reload:")
        agent.wait_until("a trigger is taken", lambda: trigger(site)[0] == 0, HEALS_S)
        agent.wait_until("a clip", lambda: bool(list(site.spool.rglob("*.clip"))))
        time.sleep(1.5)
        medium.die()
        agent.wait_for("alarm: the medium of the spool", HEALS_S)
        medium.pull()
        agent.wait_for("is gone", HEALS_S)
        status, said = trigger(site)
        assert status != 0, said
        agent.wait_for("waits for the medium", HEALS_S)
        medium.put_in()
        agent.wait_for("clips kept: 1", HEALS_S)
        agent.wait_until("ready", lambda: agent.log.count("ready") == 2, HEALS_S)
        site.configure(destinations=[], spool={"min_free_mib": 1}, sources=[SMALL])
        agent.signal(1)
        capture(site, agent)
        assert site.stop() == 0
        reckon(site)
        cut = [
            found for path in site.files() if "cut off" in str((found := pydicom.dcmread(path)).get("ImageComments"))
        ]
        assert len(cut) == 1
        assert int(cut[0].NumberOfFrames) >= 30
    finally:
        agent.stop()
        medium.close()
