"""Files through lrzsz on a pseudo terminal, both ways, three protocols, bit for bit, also with noise on the line.

The other end is lrzsz as a terminal program starts it, on a terminal of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fakes.line import Line, Terminals
from fakes.peers import need

from agent.console.transfer import DONE, FAILED, INTERRUPTED, LARGE, MISSING

pytestmark = pytest.mark.slow

THERE = {
    "zmodem": (("rz", "-q", "-b"), ("sz", "-q", "-b", "file.bin")),
    "ymodem": (("rb", "-q", "-b"), ("sb", "-q", "-b", "file.bin")),
    "xmodem": (("rx", "-q", "-b", "-c", "file.bin"), ("sx", "-q", "-b", "file.bin")),
}
MOST = 1_000_000
BYTES = bytes(range(256)) * 12 + b"-----END CERTIFICATE-----\n"


class Box:
    """Our child on one end of a line."""

    def __init__(self, terminals: Terminals, *words: str, env: dict[str, str] | None = None) -> None:
        fd = os.open(terminals.near, os.O_RDWR | os.O_NOCTTY)
        command = [sys.executable, "-m", "agent.console.lrzsz", *words]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._line = Line((self.process.stdout.fileno(), self.process.stdin.fileno()), (fd, fd))
        self._fd = fd

    def wait(self, seconds: float = 110.0) -> int:
        try:
            return self.process.wait(seconds)
        finally:
            self.close()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._line.close()
        os.close(self._fd)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


def there(terminals: Terminals, command: tuple[str, ...], folder: Path) -> subprocess.Popen[bytes]:
    """Start lrzsz at the other end."""
    need(command[0])
    with open(terminals.far, "r+b", buffering=0) as tty:
        return subprocess.Popen(command, stdin=tty, stdout=tty, stderr=subprocess.DEVNULL, cwd=folder)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return made(tmp_path)


def goes_out(protocol: str, noise: float, folder: Path) -> None:
    ours, theirs = made(folder)
    (ours / "file.bin").write_bytes(BYTES)
    with Terminals(baud=115_200, noise=noise) as terminals:
        box = Box(terminals, "send", protocol, str(MOST), str(ours / "file.bin"))
        peer = there(terminals, THERE[protocol][0], theirs)
        assert box.wait() == DONE
        assert peer.wait(30) == 0
        assert bool(terminals.line.to_far.hit + terminals.line.to_near.hit) is bool(noise)
    got = (theirs / "file.bin").read_bytes()
    assert got[: len(BYTES)] == BYTES
    assert protocol == "xmodem" or len(got) == len(BYTES)


def comes_in(protocol: str, noise: float, folder: Path) -> None:
    ours, theirs = made(folder)
    (theirs / "file.bin").write_bytes(BYTES)
    with Terminals(baud=115_200, noise=noise) as terminals:
        box = Box(terminals, "receive", protocol, str(MOST), str(ours))
        there(terminals, THERE[protocol][1], theirs).wait(110)
        assert box.wait() == DONE
        assert bool(terminals.line.to_far.hit + terminals.line.to_near.hit) is bool(noise)
    (got,) = ours.iterdir()
    assert got.read_bytes()[: len(BYTES)] == BYTES


def made(folder: Path) -> tuple[Path, Path]:
    ours, theirs = folder / "ours", folder / "theirs"
    ours.mkdir(parents=True)
    theirs.mkdir()
    return ours, theirs


def test_files_go_both_ways_by_three_protocols_also_with_noise(tmp_path: Path) -> None:
    """At the same time, each on a line of its own: what takes long is waiting for last words."""
    need("rz")
    rows = [(goes_out, "zmodem", 1e-3), (goes_out, "ymodem", 0.0), (goes_out, "xmodem", 0.0),
            (comes_in, "zmodem", 0.0), (comes_in, "ymodem", 0.0), (comes_in, "xmodem", 1e-3)]  # fmt: skip
    with ThreadPoolExecutor(len(rows)) as pool:
        jobs = [pool.submit(act, name, noise, tmp_path / str(at)) for at, (act, name, noise) in enumerate(rows)]
        for job in jobs:
            job.result()


def test_a_name_is_never_a_path(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """``sz -f`` sends the whole path that it was given."""
    ours, theirs = folders
    (theirs / "file.bin").write_bytes(BYTES)
    with Terminals() as terminals:
        box = Box(terminals, "receive", "zmodem", str(MOST), str(ours))
        peer = there(terminals, ("sz", "-q", "-b", "-f", "../theirs/file.bin"), theirs)
        box.wait()
        peer.kill()
        peer.wait()
    outside = {path for path in tmp_path.rglob("*") if path.is_file() and ours not in path.parents}
    assert outside == {theirs / "file.bin"}


def test_more_than_it_may_have_is_not_kept(folders: tuple[Path, Path]) -> None:
    ours, theirs = folders
    (theirs / "file.bin").write_bytes(bytes(400_000))
    with Terminals() as terminals:
        box = Box(terminals, "receive", "zmodem", "65536", str(ours))
        peer = there(terminals, THERE["zmodem"][1], theirs)
        assert box.wait() in (LARGE, FAILED)
        peer.kill()
        peer.wait()
    assert sum(path.stat().st_size for path in ours.iterdir()) <= 65_536


def test_interrupted_before_it_begins_and_cut_in_the_middle(folders: tuple[Path, Path]) -> None:
    """The line is given back quiet: what the other end still sends is read away."""
    ours, theirs = folders
    (ours / "file.bin").write_bytes(BYTES * 20)
    with Terminals() as terminals:
        box = Box(terminals, "send", "zmodem", str(MOST), str(ours / "file.bin"))
        far = os.open(terminals.far, os.O_RDWR | os.O_NOCTTY)
        os.write(far, b"what?\x03")
        assert box.wait(20) == INTERRUPTED
        os.close(far)
    with Terminals(baud=115_200) as terminals:
        box = Box(terminals, "send", "zmodem", str(MOST), str(ours / "file.bin"))
        peer = there(terminals, THERE["zmodem"][0], theirs)
        while len(terminals.line.to_far.carried) < 4000:
            time.sleep(0.01)
        box.process.terminate()
        assert box.wait(20) == INTERRUPTED
        assert peer.wait(60) != 0  # it was cancelled


def test_without_lrzsz_it_is_said(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with Terminals() as terminals:
        env = {**os.environ, "PATH": str(tmp_path)}
        assert Box(terminals, "receive", "zmodem", str(MOST), str(folders[0]), env=env).wait(20) == MISSING
