"""The preload shim (spool_shim.c) from Python: built once, armed inside a process that was started with it."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

FAKES: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = FAKES / "spool_shim.c"
SHORT, LIE = -1, -2  # as in the shim
FAULTS: Final = {
    **{name: getattr(errno, name) for name in ("ENOSPC", "EIO", "EROFS", "EDQUOT", "EMFILE")},
    "short write": SHORT,
    "silent no-op": LIE,
}
PATH_BYTES, CALLS = 4096, 65536


def build(folder: Path) -> Path:
    """Compile the shim into ``folder``; its path."""
    target = folder / "shim.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(target), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return target


def environment(library: Path) -> dict[str, str]:
    """The environment of a process under the shim."""
    return {**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": str(FAKES.parent)}


class Shim:
    """The shim of this very process; what it saw is shared with forked children."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        if not hasattr(self._library, "shim_share"):
            sys.exit("this must run under LD_PRELOAD of tests/fakes/spool_shim.c")
        self._library.shim_name.restype = ctypes.c_char_p
        self._library.shim_count.restype = ctypes.c_long
        self._seen = mmap.mmap(-1, PATH_BYTES + CALLS)
        self._library.shim_share(ctypes.byref(ctypes.c_char.from_buffer(self._seen)))

    def arm(self, root: str, *, kill: int = 0, error: int = 0, code: int = 0, sticky: bool = False) -> None:
        """Count from here on the calls below ``root``; end or fail at the Nth."""
        number = ctypes.c_long
        self._library.shim_arm(root.encode(), -1, number(kill), number(error), code, int(sticky))

    def count(self) -> int:
        """Calls since ``arm``, of this process alone."""
        return int(self._library.shim_count())

    def forget(self) -> None:
        """Before a child is made: what it will call and where it will end is not known."""
        self._seen[:] = bytes(len(self._seen))

    def calls(self) -> list[str]:
        """Names of the calls of the last life, from the first."""
        kinds = self._seen[PATH_BYTES + 1 :]
        return [str(self._library.shim_name(kind).decode()) for kind in kinds[: kinds.index(0)]]

    def met(self) -> str:
        """Name of the call that was ended or made to fail; empty when there was none."""
        return str(self._library.shim_name(self._seen[PATH_BYTES]).decode())

    def path(self) -> str:
        """Where the call went that was ended or made to fail."""
        return self._seen[: self._seen.find(b"\0")].decode(errors="replace")
