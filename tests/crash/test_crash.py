"""A sample of ``scripts/crash``: whole lives are ended at their calls that change files, or meet a medium that fails.

The script does them all. What the sample has depends on the seed that is printed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.crash import plan
from fakes.crash.crew import Server
from fakes.crash.mistakes import BY_KILLING
from fakes.crash.points import Order, points_text
from fakes.crash.shim import build, environment
from fakes.crash.table import TABLE
from fakes.peers import need

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.fault

NAMES = tuple(TABLE)
KILLED = {order["scenario"]: order for order in plan.points(NAMES, sample=True, seed=1)}
FAILED = {order["scenario"]: order for order in plan.faults(NAMES, sample=True, seed=1)}


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="session")
def server(library: Path) -> Iterator[Server]:
    with Server(library) as started:
        yield started


@pytest.mark.parametrize("name", NAMES)
def test_a_crash_at_a_call_breaks_no_promise(server: Server, name: str) -> None:
    found = server.do(KILLED[name])
    print(f"{name}: {points_text(found)}")
    assert not found.wrong, "\n".join(found.wrong[:10])
    assert found.points


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_at_a_call_is_heard_of_and_gets_well(server: Server, name: str) -> None:
    found = server.do(FAILED[name])
    print(f"{name}: {found.faults} faults, {found.calls}")
    assert not found.wrong, "\n".join(found.wrong[:10])


@pytest.mark.parametrize("mistake", BY_KILLING)
def test_the_harness_sees_each_mistake(server: Server, mistake: str) -> None:
    """What finds nothing in the spool must find these."""
    order = Order(mistake=mistake, step=2)
    found = server.do({"scenario": BY_KILLING[mistake][1], "mode": "points", **order._asdict()})
    print(f"{mistake}: {len(found.wrong)} times at {found.points} points: {found.wrong[:1]}")
    assert found.wrong, f"{mistake}: not one of {found.points} crashes showed it"


SEEN = (
    "open,openat,creat,write,pwrite64,writev,pwritev,ftruncate,truncate,fallocate,fsync,fdatasync,rename,renameat,"
    "renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,fchmod,chmod,fchmodat,copy_file_range,sendfile,"
    "splice,sync_file_range,syncfs,msync,utimensat"
)
LIVED = """
import os, sys
from fakes.crash.shim import Shim
from fakes.crash.table import TABLE
scenario = TABLE[sys.argv[1]]
world = scenario.world(sys.argv[2])
os.makedirs(world.folder)
scenario.prepare(world)
shim = Shim()
print(*(os.path.join(base, name) for base, _, names in os.walk(world.root) for name in names))
os.mkdir(sys.argv[2] + "/here")
shim.arm(world.root)
scenario.run(world)
count = shim.count()
os.rmdir(sys.argv[2] + "/here")
print(count)
"""


@pytest.mark.peer
@pytest.mark.parametrize("name", ["all", "clip"])
def test_the_shim_sees_what_strace_sees(library: Path, tmp_path: Path, name: str) -> None:
    """No call that changes a file below the folder gets past the shim; strace is the judge."""
    strace = need("strace")
    with tempfile.TemporaryDirectory() as folder:
        log = tmp_path / "strace"
        command = [strace, "-f", "-y", "-o", str(log), "-e", f"trace={SEEN}", sys.executable, "-c",
                   LIVED, name, f"{folder}/world"]  # fmt: skip
        done = subprocess.run(command, env=environment(library), capture_output=True, text=True, check=True)
        root = f"{folder}/world/spool"
        text = log.read_text()
        lived = text[text.index(f'mkdir("{folder}/world/here"') : text.index(f'rmdir("{folder}/world/here"')]
        before, count = done.stdout.split("\n")[:2]
        there = set(before.split())
        changes = [line for line in lived.splitlines() if root in line and changes_a_file(line, there)]
    assert len(changes) == int(count), "\n".join(changes)


def changes_a_file(line: str, there: set[str]) -> bool:
    """Whether a line of strace is one of the calls that count: those of SQLite's -shm do not.

    ``there`` are the names that there are: what is opened again is not created.
    """
    if "-shm" in line or "= -1 " in line:
        return False
    if re.search(r"\bopen(at)?\(", line):
        name = line.split('"')[1]
        new = "O_CREAT" in line and name not in there
        there.add(name)
        return new or "O_TRUNC" in line
    if re.search(r"\b(unlink|rename)\(", line):
        there.discard(line.split('"')[1])
    return True
