"""Flash of a panel that loses its power: a ``Store`` in memory that fails at one of its operations, and for ever then.

It keeps less than littlefs promises: a file that was not closed has any part of what was written, and the last of it is
noise. Only a rename is whole or has not happened.
"""

from __future__ import annotations

from typing import Any

from store import Store


class PowerLost(BaseException):
    """No code of a board lives to see it."""


class Resets(BaseException):
    """The processor begins anew."""


class Flash(Store):
    """``files`` outlive everything; ``cut_at`` is the number of the operation that does not come to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.operations = 0
        self.cut_at = -1
        self.room = 800_000
        self.full = False
        self.guarded_ms = 0
        self.worn = ""  # a file that reads back otherwise than it was written

    def load(self, path: str, limit: int) -> bytes:
        return self.files.get(path, b"")[:limit]

    def open(self, path: str, mode: str) -> Any:
        if mode == "rb":
            return Reading(self.files[path])
        self.step()
        self.files[path] = b""
        return Writing(self, path)

    def close(self, file: Any, path: str) -> None:
        file.close()
        if path == self.worn:
            self.files[path] = self.files[path][:-1] + b"\xff"

    def rename(self, old: str, new: str) -> None:
        self.step()
        self.files[new] = self.files.pop(old)

    def remove(self, path: str) -> None:
        self.step()
        del self.files[path]

    def names(self, folder: str) -> list[str]:
        return [path.removeprefix(folder + "/") for path in sorted(self.files) if path.startswith(folder + "/")]

    def free(self) -> int:
        return self.room

    def guard(self, ms: int) -> None:
        self.guarded_ms = ms

    def reset(self) -> None:
        raise Resets

    def step(self) -> None:
        """Count an operation, and let it be the last."""
        if self.full:
            raise OSError(28, "no room")
        if self.operations == self.cut_at:
            raise PowerLost
        self.operations += 1


class Writing:
    """A file that is written."""

    def __init__(self, flash: Flash, path: str) -> None:
        self._flash, self._path, self._held = flash, path, b""

    def write(self, data: Any) -> int:
        self._flash.files[self._path] = (self._held + bytes(data))[:-3] + b"\xa5\xa5"
        self._flash.step()
        self._held += bytes(data)
        return len(data)

    def close(self) -> None:
        self._flash.step()
        self._flash.files[self._path] = self._held


class Reading:
    """A file that is read."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def readinto(self, buffer: bytearray) -> int:
        part, self._data = self._data[: len(buffer)], self._data[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        """Nothing is held."""
