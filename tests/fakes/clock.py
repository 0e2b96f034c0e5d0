"""A wall clock that jumps, for one process: a preloaded shim whose offset is a number in a mapped file.

libfaketime does this and more, but it also answers Python's sleeps and lock waits, and wrongly once the clock jumps.
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock_shim.c")


class ShiftedClock:
    """The clock of every process started with ``environment``; ``set`` moves them all at once."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._library = folder / "clock_shim.so"
        self._file = folder / "offset"
        self._file.write_bytes(struct.pack("d", 0.0))
        command = ["cc", "-shared", "-fPIC", "-O2", "-D_GNU_SOURCE", "-o", str(self._library), str(SOURCE)]
        subprocess.run(command, check=True, timeout=60)

    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "MGA_CLOCK": str(self._file)}

    def set(self, offset_s: float) -> None:
        with self._file.open("r+b") as file:  # in place: the file is mapped by others
            file.write(struct.pack("d", offset_s))
