"""One instance into one file outside the spool (``capture -o FILE``).

The file appears under its name only when it is complete and synced; until then it is ``FILE.<8 hex digits>.part`` in
the same folder. What a power cut or SIGKILL leaves under such a name is in nobody's way and may be removed. An existing
file is never replaced. Whoever asked for the file says with umask who may read it; the spool alone is always private.
Raises ``FileError``.
"""

from __future__ import annotations

import os

from agent.errors import FileError, SpoolError
from agent.spool.durable import Medium
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


_MODE = 0o666  # umask takes from it


class FileSink:
    """The same writing side as a draft of the spool: ``write`` appends, ``write_at`` goes anywhere."""

    __slots__ = ("_file", "_medium", "_position", "_waiting", "path")

    def __init__(self, path: str, mode: int = _MODE) -> None:
        self.path = os.path.abspath(path)
        self._medium = Medium(os.path.dirname(self.path))
        self._position = 0
        self._waiting: FileSink | None = None
        if os.path.lexists(self.path):
            raise FileError(f"{path} already exists", hint="Choose another name, or remove it first.")
        folder = os.path.dirname(self.path)
        if not os.path.isdir(folder):
            raise FileError(f"{path}: there is no folder {folder}", hint="Make it first, or correct the path.")
        part = f"{self.path}.{os.urandom(4).hex()}.part"
        try:
            self._file = self._medium.create(part, mode)
        except SpoolError as error:
            raise _failed(error, part, path) from None

    def write(self, data: ReadableBuffer) -> int:
        """Append all of ``data``; returns its length in bytes."""
        done = self.write_at(self._position, data)
        self._position += done
        return done

    def write_at(self, offset: int, data: ReadableBuffer) -> int:
        """Write all of ``data`` at ``offset``; returns its length in bytes."""
        try:
            return self._file.write_at(offset, data)
        except SpoolError as error:
            raise _failed(error, self._file.path, self.path) from None

    def seek(self, offset: int) -> None:
        """Let ``write`` go on at ``offset``."""
        self._position = offset

    def tell(self) -> int:
        """Return where ``write`` goes on."""
        return self._position

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Read back what was written, all of ``buffer``."""
        try:
            self._file.fill(offset, buffer)
        except SpoolError as error:
            raise FileError(str(error)) from None

    number = 0

    def log_beside(self, _log: object) -> None:
        """Nothing outside the spool is completed by a later start."""

    def clip_log(self, _data_set_limit: int) -> None:
        """Nothing outside the spool is completed by a later start."""

    def beside(self, _expected_bytes: int) -> FileSink:
        """A second file for what has to wait; it is removed with this one at the latest."""
        self._waiting = FileSink(self.path)
        return self._waiting

    def reserve(self, length: int) -> None:
        """Outside the spool room is found while writing."""

    def cut(self, length: int) -> None:
        """Give up what was written behind ``length``."""
        self._file.cut(length)

    def finishing(self) -> None:
        """There is no reserve outside the spool."""

    @property
    def part(self) -> str:
        """The path of what is written so far."""
        return self._file.path

    def publish(self) -> int:
        """Sync the file and give it its name; returns its size in bytes."""
        try:
            self._file.finish()
            self._medium.publish(self._file.path, self.path)
        except SpoolError as error:
            raise _failed(error, self._file.path, self.path) from None
        return self._file.size

    def abandon(self) -> None:
        """Remove what was written; does nothing once published."""
        if self._waiting is not None:
            self._waiting.abandon()
        self._file.close()
        self._medium.remove(self._file.path)


def _failed(error: SpoolError, part: str, path: str) -> FileError:
    """The same failure of the file that was asked for."""
    return FileError(str(error).replace(part, path))
