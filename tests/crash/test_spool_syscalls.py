"""Kill and fail the spool at its Nth system call that changes a file, SQLite's own included, for every N.

The shim (tests/fakes/spool_shim.c) is built with ``cc`` and preloaded into a process that runs whole lives of a spool.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from fakes.spool_world import SCENARIOS

pytestmark = pytest.mark.fault

FAKES = Path(__file__).parent.parent / "fakes"
EVERYTHING = os.environ.get("SPOOL_FAULTS") == "all"  # 2.5 minutes; otherwise a part of it in 20 s
ERRORS = [(error, often) for error in ("ENOSPC", "EIO", "EROFS", "EDQUOT", "EMFILE") for often in ("once", "sticky")]
FAILING = SCENARIOS if EVERYTHING else ["all", "recover"]


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> str:
    target = str(tmp_path_factory.mktemp("shim") / "shim.so")
    source = str(FAKES / "spool_shim.c")
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", target, source, "-ldl"], check=True
    )
    return target


def drive(shim: str, what: str, scenario: str, *rest: str) -> int:
    """Run the driver; returns the number of points, fails on any broken promise."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        command = [sys.executable, str(FAKES / "spool_driver.py"), what, scenario, folder, *rest]
        environment = {**os.environ, "LD_PRELOAD": shim, "PYTHONPATH": str(FAKES.parent)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        result = json.loads(done.stdout.splitlines()[-1])
        print(f"{what} {scenario} {' '.join(rest)}: {result['points']}")
        assert not result["wrong"], "\n".join(result["wrong"]) + done.stderr[-1000:]
        assert result["points"] > 1
        return result["points"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_crash_at_any_call(shim: str, scenario: str) -> None:
    drive(shim, "points", scenario, "kill")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_crash_in_recovery(shim: str, scenario: str) -> None:
    drive(shim, "pairs", scenario, "5" if EVERYTHING else "40")


@pytest.mark.parametrize(("error", "often"), ERRORS if EVERYTHING else [("EIO", "once"), ("ENOSPC", "sticky")])
@pytest.mark.parametrize("scenario", FAILING)
def test_an_error_at_any_call(shim: str, scenario: str, error: str, often: str) -> None:
    drive(shim, "points", scenario, error, often)
