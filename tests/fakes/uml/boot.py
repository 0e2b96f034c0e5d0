"""Boots user-mode Linux (Debian: user-mode-linux) with a Python module as its first program, and hears what it says.

The kernel is an ordinary process that needs no rights; its root file system is that of this machine, read-only. The
module is ``fakes.uml.inside``; what it says are lines of JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM: Final = "linux.uml"
INSTALL: Final = "sudo apt-get update && sudo apt-get install -y --no-install-recommends user-mode-linux dosfstools"
_MEMORY: Final = "384M"
_TESTS: Final = Path(__file__).resolve().parents[2]
MARK: Final = '{"uml": '


def lacking() -> str:
    """What is missing, as a sentence with what to type; empty when nothing is."""
    missing = [name for name in (PROGRAM, "mkfs.ext4", "mkfs.vfat") if _find(name) is None]
    return f"{', '.join(missing)} not found; to have it, type: {INSTALL} e2fsprogs" if missing else ""


def make(path: Path, mib: int, *command: str) -> Path:
    """Make a device of so many MiB, and a file system on it with ``command`` and its options."""
    with open(path, "wb") as file:
        file.truncate(mib << 20)
    if command:
        program = _find(command[0])
        assert program is not None
        subprocess.run([program, *command[1:], str(path)], check=True, capture_output=True)
    return path


def folder() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder that is seen there, too: it has a /dev of its own."""
    hidden = tempfile.gettempdir().startswith(("/dev/", "/boot/"))
    return tempfile.TemporaryDirectory(prefix="crash-", dir="/var/tmp" if hidden else None)


def boot(order: dict[str, Any], devices: list[Path]) -> Iterator[dict[str, Any]]:
    """Run an order; yields what is said. ``devices`` are ubda, ubdb ... there."""
    with folder() as name, open(f"{name}/order.json", "w", encoding="utf-8") as paper:
        json.dump({**order, "path": [str(_TESTS), *sys.path]}, paper)
        paper.flush()
        yield from _boot(paper.name, devices)


def _boot(paper: str, devices: list[Path]) -> Iterator[dict[str, Any]]:
    words = [
        _find(PROGRAM) or PROGRAM, f"mem={_MEMORY}", "rootfstype=hostfs", "root=/dev/root", "rootflags=/", "ro",
        *(f"ubd{'abcdefgh'[number]}={path}" for number, path in enumerate(devices)), f"init={sys.executable}",
        "con=null", "con0=null,fd:1", "quiet", "loglevel=1", "PYTHONDONTWRITEBYTECODE=1", "--",
        str(Path(__file__).with_name("inside.py")), paper,
    ]  # fmt: skip
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace", env={**os.environ, "TMPDIR": memory})  # fmt: skip
    assert process.stdout is not None
    heard: list[str] = []
    ended = False
    try:
        for line in process.stdout:
            if line.startswith(MARK):
                answer = json.loads(line)["uml"]
                ended = "end" in answer
                yield answer
            else:
                heard.append(line)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    if not ended:
        raise RuntimeError("user-mode Linux ended without an answer:\n" + "".join(heard[-30:]))


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
