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
    from typing import Self

    Order = dict[str, Any]

STOP_S: Final = 10.0


class Heard(Protocol):
    """Told as the servers go: the order, what was found since the last time, whether it is done."""

    def __call__(self, order: Order, part: Found, *, end: bool) -> None: ...


def nobody(order: Order, part: Found, *, end: bool) -> None:
    """Tell nobody."""


class Server:
    """One process under the shim that does orders one after the other; a context manager."""

    def __init__(self, library: Path) -> None:
        command = [sys.executable, "-m", "fakes.crash.server"]
        own = {**environment(library), "PYTHONDONTWRITEBYTECODE": "1"}
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=own)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        self._child.wait(STOP_S)
        self._child.stdout.close()

    def do(self, order: Order, heard: Heard = nobody) -> Found:
        """Do one; what was found of it."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(order) + "\n")
        self._child.stdin.flush()
        found = []
        for line in self._child.stdout:
            if not line.startswith("{"):
                break
            answer = json.loads(line)
            end = answer.pop("end")
            found.append(Found(**{**answer, "wrong": tuple(answer["wrong"])}))
            heard(order, found[-1], end=end)
            if end:
                return add(found)
        found.append(Found(wrong=(f"{order['scenario']}: the server died, or said what is no answer",)))
        heard(order, found[-1], end=True)
        return add(found)


class Crew:
    """Servers that share one queue of orders."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self._library = build(folder)
        self._jobs = jobs
        self._lock = threading.Lock()

    def do(self, orders: Sequence[Order], heard: Heard) -> dict[str, Found]:
        """Do all; returns what was found of each scenario."""
        waiting: queue.SimpleQueue[Order] = queue.SimpleQueue()
        for order in orders:
            waiting.put(order)
        found: dict[str, Found] = {}
        threads = [
            threading.Thread(target=self._serve, args=(waiting, found, heard), daemon=True)
            for _ in range(min(self._jobs, len(orders)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    def _serve(self, waiting: queue.SimpleQueue[Order], found: dict[str, Found], heard: Heard) -> None:
        def one_by_one(order: Order, part: Found, *, end: bool) -> None:
            with self._lock:
                heard(order, part, end=end)

        with Server(self._library) as server:
            while True:
                try:
                    order = waiting.get_nowait()
                except queue.Empty:
                    return
                found[order["scenario"]] = server.do(order, one_by_one)


def cores() -> int:
    """How many may work at a time."""
    return len(os.sched_getaffinity(0))


def temporary() -> tempfile.TemporaryDirectory[str]:
    """A folder for the shim."""
    return tempfile.TemporaryDirectory(prefix="crash-")
