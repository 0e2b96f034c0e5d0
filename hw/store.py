"""Files in the flash of the board, and what starts the board again. A real board is a subclass in ``store_*.py``.

The file system must replace a file by renaming as a whole, as littlefs does, and may lose all else that was not closed.
Frozen: no update replaces this.
"""

import os


class File:
    """What is used of an open one; this one is none."""

    def write(self, data: memoryview | bytearray | bytes) -> int:
        """Write."""
        return len(data)

    def readinto(self, _buffer: bytearray) -> int:
        """Read as much as there is, and room for it."""
        return 0

    def close(self) -> None:
        """Close it: what was written is in the flash then."""


class Store:
    """Paths begin with a slash."""

    def __init__(self, root: str = "") -> None:
        self._root = root

    def load(self, path: str, limit: int) -> bytes:
        """Return a file, as far as ``limit``; empty when there is none."""
        try:
            with open(self._root + path, "rb") as file:
                return bytes(file.read(limit))
        except OSError:
            return b""

    def open(self, path: str, mode: str) -> File:
        """Open a file: ``rb`` or ``wb``."""
        return open(self._root + path, mode)  # type: ignore[return-value]  # the port calls it otherwise

    def close(self, file: File, path: str) -> None:  # noqa: ARG002  a simulated flash needs it
        """Close a file that was written."""
        file.close()

    def save(self, path: str, data: bytes) -> None:
        """Write a file, whole or not at all."""
        file = self.open(path + "_", "wb")
        file.write(data)
        self.close(file, path + "_")
        self.rename(path + "_", path)

    def rename(self, old: str, new: str) -> None:
        """Put a file in the place of another."""
        os.rename(self._root + old, self._root + new)  # noqa: TID251  of the board, not of the agent

    def remove(self, path: str) -> None:
        """Remove a file."""
        os.remove(self._root + path)

    def names(self, folder: str) -> list[str]:
        """Return what is in a folder, which is made when it is not there."""
        try:
            return os.listdir(self._root + folder)
        except OSError:
            self.make(folder)
            return []

    def make(self, folder: str) -> None:
        """Make a folder."""
        os.mkdir(self._root + folder)

    def free(self) -> int:
        """Return how many bytes there is room for."""
        facts = os.statvfs(self._root or "/")
        return facts[0] * facts[3]

    def guard(self, ms: int) -> None:
        """Reset the processor after so long, whatever it does then; 0: do not."""

    def reset(self) -> None:
        """Reset the processor."""
