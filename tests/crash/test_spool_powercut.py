"""Cut the power after every change of the medium and open the spool on each disk that may be left.

A killed process loses nothing it has written; a power cut loses what was not synced, in any order. Only here does a
missing fsync show, and the six mistakes below prove that it does.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import spool_replay
from fakes.spool_faults import look
from fakes.spool_world import World

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.fault

FAKES = Path(__file__).parent.parent / "fakes"
STATES = int(os.environ.get("SPOOL_POWERCUT_STATES", "60"))  # looked at per scenario and model; 0: all


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> str:
    target = str(tmp_path_factory.mktemp("shim") / "shim.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", target, str(FAKES / "spool_shim.c"), "-ldl"], check=True)
    return target


@pytest.fixture
def folder() -> Generator[Path, None, None]:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as name:
        yield Path(name)


def record(shim: str, scenario: str, folder: Path, mistake: str = "") -> spool_replay.Log:
    log = str(folder / "log")
    command = [sys.executable, str(FAKES / "spool_driver.py"), "record", scenario, str(folder), log, mistake]
    environment = {**os.environ, "LD_PRELOAD": shim, "PYTHONPATH": str(FAKES.parent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1])["wrong"] == []
    return spool_replay.read(log, str(folder / "start"), str(folder / "before" / "spool"))


def disks(log: spool_replay.Log, model: str, dice: random.Random):
    """Every distinct disk, as (number of changes before the cut, Disk)."""
    seen = set()
    for k, certain, chosen in spool_replay.states(log, model, dice, random_each=2):
        promises = sum(change.kind == "P" for change in log.changes[:k])
        last = max(chosen, default=None)
        torn = [None] if last is None or log.changes[last].kind != "W" else [None, last]
        for tear in torn:
            disk = spool_replay.Disk(log, certain | chosen, tear)
            digest = disk.digest(promises)
            if digest not in seen:
                seen.add(digest)
                yield k, disk


def judge(log: spool_replay.Log, k: int, disk: spool_replay.Disk, folder: Path, *, rebuilt: bool) -> list[str]:
    now = folder / "now"
    shutil.rmtree(now, ignore_errors=True)
    disk.write(str(now / "spool"))
    before = (folder / "start" / "promises").read_bytes() if (folder / "start" / "promises").exists() else b""
    lines = [change.path.encode() + b"\n" for change in log.changes[:k] if change.kind == "P"]
    (now / "promises").write_bytes(before + b"".join(lines))
    try:
        return look(World(str(now)), rebuilt=rebuilt)
    except AssertionError as error:
        return [str(error)]


def cut(log: spool_replay.Log, folder: Path, model: str, *, limit: int, rebuilt: bool = False) -> tuple[int, list[str]]:
    """Look at the disks (a random sample of ``limit`` of them; 0: all); returns how many, and what was wrong."""
    dice = random.Random(f"{model} {len(log.changes)}")
    found = list(disks(log, model, dice))
    if limit and len(found) > limit:
        found = sorted(dice.sample(found, limit), key=lambda pair: pair[0])
    wrong = []
    for k, disk in found:
        before = log.changes[k - 1] if k else None
        where = f"{model}, cut after change {k} ({before and before.kind} {before and before.path})"
        wrong += [f"{where}: {text}" for text in judge(log, k, disk, folder, rebuilt=rebuilt)]
    return len(found), wrong


@pytest.mark.parametrize("model", ["ext4", "weak"])
@pytest.mark.parametrize("scenario", ["capture", "send", "commit", "evict", "recover", "rebuild", "all"])
def test_a_power_cut_takes_no_promise_back(shim: str, scenario: str, model: str, folder: Path) -> None:
    log = record(shim, scenario, folder)
    count, wrong = cut(log, folder, model, limit=STATES, rebuilt=scenario == "rebuild")
    print(f"{scenario}, {model}: {count} states of {len(log.changes)} changes")
    assert not wrong, f"{len(wrong)} of {count}:\n" + "\n".join(wrong[:10])
    assert count > 20


@pytest.mark.parametrize(
    ("mistake", "scenario", "model"),
    [
        ("no file fsync", "capture", "ext4"),
        ("no folder fsync", "capture", "weak"),
        ("row before file", "capture", "ext4"),
        ("unlink before state", "evict", "ext4"),
        ("evict on store", "evict", "ext4"),
        ("synchronous=NORMAL", "commit", "ext4"),
    ],
)
def test_the_harness_sees_each_mistake(shim: str, mistake: str, scenario: str, model: str, folder: Path) -> None:
    log = record(shim, scenario, folder, mistake)
    found = list(disks(log, model, random.Random(mistake)))
    random.Random(mistake).shuffle(found)
    for turn, (k, disk) in enumerate(found, 1):
        if wrong := judge(log, k, disk, folder, rebuilt=False):
            print(f"{mistake}: seen in state {turn} of {len(found)}: {wrong[0]}")
            return
    raise AssertionError(f"{mistake}: {len(found)} states and not one shows it")
