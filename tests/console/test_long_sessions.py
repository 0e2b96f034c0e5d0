"""What a console leaves behind, however long it serves: no core, no zombie, no descriptor."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.console_process import ConsoleProcess
from fakes.consoles import Line

CONFIG = '[spool]\npath = "spool"\n[[destination]]\nname = "pacs"\ncalled_ae = "P"\nhost = "127.0.0.1"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(CONFIG)
    return path


def zombies() -> int:
    """Count the children of this process that nobody has waited for."""
    found = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        found += state == "Z" and int(parent) == os.getpid()
    return found


@pytest.mark.parametrize("kind", ["memory", "pty"])
def test_a_cable_that_is_pulled_in_mid_command_leaves_no_zombie(config: Path, kind: str) -> None:
    line = Line(kind, config)
    before, descriptors = zombies(), len(os.listdir("/proc/self/fd"))
    try:
        for _ in range(3):
            line.type(b"anna\rnot her password\r")
            while line.console._child is None:
                line.turn()
            line.pull()
    finally:
        line.close()
    assert zombies() == before
    assert len(os.listdir("/proc/self/fd")) <= descriptors


def test_a_fault_leaves_no_core(config: Path) -> None:
    """The same death of a Python without our precaution shows that a core would have been written."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    if 0 <= before[1] < 1 << 20:
        pytest.skip("no core may be written here")
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        other = subprocess.Popen([sys.executable, "-c", "import os; os.abort()"], cwd=config.parent)
        if not os.WCOREDUMP(os.waitpid(other.pid, 0)[1]):
            pytest.skip("this machine writes no cores")
        other.returncode = 0
        with ConsoleProcess(config) as console:
            console.log_in()
            console.process.send_signal(signal.SIGABRT)
            status = os.waitpid(console.process.pid, 0)[1]
            console.process.returncode = 0
        assert os.WTERMSIG(status) == signal.SIGABRT
        assert not os.WCOREDUMP(status)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
