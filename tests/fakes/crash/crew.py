"""Gives orders to servers under the shim, as many at a time as there are cores, and collects what they find."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from fakes.crash.points import Found, add
from fakes.crash.shim import build, environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    Order = dict[str, Any]

STOP_S: Final = 10.0


class Heard(Protocol):
    """Told as the servers go: the order, what was found since the last time, whether it is done."""

    def __call__(self, order: Order, part: Found, *, end: bool) -> None: ...


class Crew:
    """Servers that share one queue of orders."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self._folder = folder
        self._environment = environment(build(folder))
        self._jobs = jobs
        self._lock = threading.Lock()

    def do(self, orders: Sequence[Order], heard: Heard) -> dict[str, Found]:
        """Do all; returns what was found of each scenario."""
        waiting: queue.SimpleQueue[Order] = queue.SimpleQueue()
        for order in orders:
            waiting.put(order)
        found: dict[str, list[Found]] = {}
        threads = [
            threading.Thread(target=self._serve, args=(waiting, found, heard), daemon=True)
            for _ in range(min(self._jobs, len(orders)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {name: add(parts) for name, parts in found.items()}

    def _serve(self, waiting: queue.SimpleQueue[Order], found: dict[str, list[Found]], heard: Heard) -> None:
        command = [sys.executable, "-m", "fakes.crash.server"]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                  env={**self._environment, "PYTHONDONTWRITEBYTECODE": "1"})  # fmt: skip
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            while True:
                try:
                    order = waiting.get_nowait()
                except queue.Empty:
                    break
                server.stdin.write(json.dumps(order) + "\n")
                server.stdin.flush()
                self._listen(server.stdout, order, found, heard)
        finally:
            server.stdin.close()
            server.wait(STOP_S)
            server.stdout.close()

    def _listen(self, lines: Any, order: Order, found: dict[str, list[Found]], heard: Heard) -> None:
        name = order["scenario"]
        for line in lines:
            if not line.startswith("{"):
                break
            answer = json.loads(line)
            end = answer.pop("end")
            part = Found(**{**answer, "wrong": tuple(answer["wrong"])})
            with self._lock:
                found.setdefault(name, []).append(part)
                heard(order, part, end=end)
            if end:
                return
        part = Found(wrong=(f"{name}: the server died, or said what is no answer",))
        with self._lock:
            found.setdefault(name, []).append(part)
            heard(order, part, end=True)


def cores() -> int:
    """How many may work at a time."""
    return len(os.sched_getaffinity(0))


def temporary() -> tempfile.TemporaryDirectory[str]:
    """A folder for the shim."""
    return tempfile.TemporaryDirectory(prefix="crash-")
