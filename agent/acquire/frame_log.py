"""The frame log: SHA-256 of every frame as the source delivered it, before anything touched it.

One line per frame: SOP Instance UID, frame in the instance from 1, the source's own number, digest. Whoever decodes the
instance at the archive years later can prove with it that not one sample changed on the way (promise P10).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from agent.errors import FileError

if TYPE_CHECKING:
    from typing import TextIO


class FrameLog:
    """Appends to one file; used by one acquisition thread."""

    __slots__ = ("_file", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._file: TextIO = open(path, "a", encoding="ascii")  # noqa: SIM115  closed by close()
        except OSError as error:
            raise FileError(f"{path}: {error.strerror}") from None

    def add(self, sop_instance_uid: str, frame: int, number: int, data: memoryview) -> None:
        """Write the line of one frame."""
        try:
            self._file.write(f"{sop_instance_uid} {frame} {number} {hashlib.sha256(data).hexdigest()}\n")
        except OSError as error:
            raise FileError(f"{self._path}: {error.strerror}") from None

    def flush(self) -> None:
        """Hand everything to the file; afterwards other processes can read it."""
        try:
            self._file.flush()
        except OSError as error:
            raise FileError(f"{self._path}: {error.strerror}") from None

    def close(self) -> None:
        """Flush and close."""
        try:
            self._file.close()
        except OSError as error:
            raise FileError(f"{self._path}: {error.strerror}") from None

    def __enter__(self) -> FrameLog:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def read_frame_log(path: str) -> dict[str, list[str]]:
    """Read a log back: digests of each instance in the order of its frames."""
    found: dict[str, list[str]] = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            uid, frame, _, digest = line.split()
            digests = found.setdefault(uid, [])
            if int(frame) != len(digests) + 1:
                raise FileError(f"{path}: frame {frame} of {uid} is out of order")
            digests.append(digest)
    return found
