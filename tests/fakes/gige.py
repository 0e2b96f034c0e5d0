"""A network of its own with a GigE Vision camera in it: nothing else has port 3956 there, and packets can be lost.

Every command runs in a namespace that ends with the test (unshare, nsenter). Where none may be made, commands run on
the loopback of the machine, one test at a time.
"""

from __future__ import annotations

import ctypes.util
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pytest
from fakes.command import COMMAND_S, Answer
from fakes.process import Process
from fakes.site import AGENT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

ADDRESS = "127.0.0.1"
CAMERA = Path(__file__).with_name("gige_camera.py")
MEGAPIXEL = "columns=1024&rows=1024"
_LOCK = Path("/tmp/modality-agent-gige.lock")


def need_aravis() -> None:
    """Skip loudly without the library, or fail where CI=true promises that it is there."""
    try:
        ctypes.CDLL("libaravis-0.8.so.0")
    except OSError as error:
        message = f"{error}: Debian package libaravis-0.8-0; scripts/test says how to get it"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


class Lan:
    """A network with nothing but a loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._holder: subprocess.Popen[str] | None = None
        self._enter: list[str] = []
        self._lock: IO[str] | None = None
        for words, enter in ((["-n"], ["-n"]), (["-r", "-n"], ["-U", "-n", "--preserve-credentials"])):
            if self._hold(words, enter):
                return
        self._lock = _LOCK.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def _hold(self, unshare: list[str], enter: list[str]) -> bool:
        script = "ip link set lo up && echo up && exec sleep 600"
        holder = subprocess.Popen(
            ["unshare", *unshare, "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert holder.stdout is not None
        if holder.stdout.readline() != "up\n":
            holder.wait()
            return False
        self._holder = holder
        self._enter = ["nsenter", "-t", str(holder.pid), *enter]
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._holder is not None:
            self._holder.kill()
            self._holder.communicate()
        if self._lock is not None:
            self._lock.close()

    @property
    def is_own(self) -> bool:
        """Whether it is a network of its own, where rules can be made."""
        return self._holder is not None

    def command(self, *words: object) -> list[str]:
        return [*self._enter, *map(str, words)]

    def run(self, *words: object, env: Mapping[str, str] | None = None) -> Answer:
        """Run ``modality-agent`` to its end."""
        done = subprocess.run(
            self.command(AGENT, *words), capture_output=True, text=True, timeout=COMMAND_S, check=False,
            stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})},
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return Answer(done.args, done.returncode, done.stdout, done.stderr)

    def camera(self, serial: str = "HW01", lost_per_thousand: float = 0) -> Process:
        """Start a camera; it is ended by leaving its ``with``."""
        words = self.command(sys.executable, CAMERA, serial, lost_per_thousand)
        camera = Process(words, self.folder / f"camera-{serial}.log")
        camera.wait_for("running")
        return camera

    def lose(self, probability: float) -> None:
        """Lose packets of streams at random: those that go neither to nor from the control port."""
        ports = ["!", "--dport", "3956", "-m", "udp", "!", "--sport", "3956"]
        rule = ["-A", "INPUT", "-p", "udp", "-m", "udp", *ports, "-m", "statistic", "--mode", "random",
                "--probability", str(probability), "-j", "DROP"]  # fmt: skip
        subprocess.run(self.command("iptables", *rule), check=True, capture_output=True, timeout=20)

    def udp_ports(self) -> list[int]:
        """Local ports of all sockets there."""
        lines = subprocess.run(
            self.command("cat", "/proc/net/udp"), capture_output=True, text=True, check=True, timeout=20
        ).stdout.splitlines()[1:]
        return [int(line.split()[1].partition(":")[2], 16) for line in lines]


def oracle(picture_format: str, frame_id: int, rows: int, columns: int) -> Any:
    """The picture of a frame id: Mono8 counts to 254, Mono16 to 65534 in steps of 256."""
    y, x = np.mgrid[:rows, :columns].astype(np.int64)
    if picture_format == "Mono16":
        return (256 * (x + y + frame_id) % 65535).astype(np.uint16)
    return ((x + y + frame_id) % 255).astype(np.uint8)


def id_of(picture: Any) -> int:
    """The frame id of a picture, modulo 255 (Mono8) or 65535 (Mono16, in which 256 has an inverse)."""
    value = int(picture[0, 0])
    return value * pow(256, -1, 65535) % 65535 if picture.dtype == np.uint16 else value
