"""The real firmware on a real MicroPython: a process of node that holds one end of a line, and is switched on again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = ROOT / "build/micropython/node_modules/@micropython/micropython-webassembly-pyscript/micropython.mjs"
FIRMWARE = [
    *((path.stem, str(path)) for path in sorted((ROOT / "hw").glob("*.py")) if path.stem != "manifest"),
    *((name, str(ROOT / f"agent/panel/{name}.py")) for name in ("framing", "image", "messages")),
]
_RESET = 3
_CUT = 4


def here() -> bool:
    """Whether there is a MicroPython."""
    return MICROPYTHON.exists() and shutil.which("node") is not None


def need_micropython() -> None:
    """Skip loudly where it is not; the automatic check fails without node and npm, not without npm's registry."""
    if here():
        return
    reason = "MicroPython for WebAssembly is not here (node and npm, then scripts/test again)"
    if os.environ.get("CI") == "true" and not (shutil.which("node") and shutil.which("npm")):
        pytest.fail(reason)
    pytest.skip(reason)


class RealPanel:
    """Power for the panel: whenever the processor resets, it is started again, with what it kept."""

    def __init__(self, tty: str, folder: Path, **options: Any) -> None:
        need_micropython()
        self.happened: list[str] = []
        (folder / "flash").mkdir(exist_ok=True)
        self.starts = 0
        self._options = {
            "micropython": str(MICROPYTHON), "tty": tty, "files": FIRMWARE, "kept": str(folder / "kept"), "cause": 1,
            "rate": 1, "seed": 0, "resets": 0, "flash": str(folder / "flash"), "cut": (0, -1), **options,
        }  # fmt: skip
        self._stopped = False
        self._changed = threading.Condition()
        self._process = self._start()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def move(self, *words: object) -> None:
        """Move a pin."""
        assert self._process.stdin is not None
        self._process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self._process.stdin.flush()

    def wait_for(self, what: str, timeout_s: float = 20) -> None:
        """Wait until this has happened."""
        with self._changed:
            assert self._changed.wait_for(lambda: what in self.happened, timeout_s), (what, self.happened)

    def count(self, word: str) -> int:
        """How often something happened."""
        return sum(one.split()[0] == word for one in list(self.happened))

    def stop(self) -> None:
        """Take its power away."""
        self._stopped = True
        self._process.kill()
        self._thread.join()

    def _start(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        start, cut = self._options["cut"]
        given = {
            **self._options,
            "cut": cut if start == self.starts else -1,
            "seed": self._options["seed"] and self._options["seed"] + self.starts,
        }
        return subprocess.Popen(
            ["node", str(ROOT / "tests/fakes/panel_board.mjs"), json.dumps(given)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def _run(self) -> None:
        while not self._stopped:
            process = self._process
            assert process.stdout is not None
            for line in process.stdout:
                with self._changed:
                    self.happened.append(line.decode().strip())
                    self._changed.notify_all()
            code = process.wait()
            for pipe in (process.stdin, process.stdout):
                pipe.close()  # type: ignore[union-attr]
            if self._stopped:
                return
            self._options["cause"] = {_RESET: 2, _CUT: 1}.get(code, 3)
            self._process = self._start()


def run_script(script: Sequence[str], files: Sequence[tuple[str, str]], folder: Path, steps: int = 0) -> list[str]:
    """Run lines of Python on MicroPython; returns what they printed."""
    need_micropython()
    path = folder / "script.py"
    path.write_text("\n".join(script))
    given = {"micropython": str(MICROPYTHON), "tty": "/dev/null", "files": [("script", str(path)), *files], "rate": 1,
             "kept": str(folder / "kept"), "start": "script", "steps": steps}  # fmt: skip
    command = ["node", str(ROOT / "tests/fakes/panel_board.mjs"), json.dumps(given)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()
