"""The frame log: SHA-256 of every frame as the source, or its pixel path, delivered it, before compression touched it.

One line per frame: SOP Instance UID, frame in the instance from 1, the source's own number, digest. Whoever decodes the
instance at the archive years later can prove with it that not one sample changed on the way (promise P10). Where the
receipt says that a grey source in RGB was stored as MONOCHROME2, the digest is that of each sample three times.

Behind the digest stands, as words ``NAME=VALUE``, what a device said of the frame and the Standard has no Attribute for
in the instance, such as where a tracked probe was.
"""

from __future__ import annotations

import hashlib

from agent.errors import FileError
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.typed import TextIO


class FrameLog:
    """Appends to one file; used by one acquisition thread. Only opening raises (``FileError``).

    A log that cannot be written any more stays as it is and ``failure`` says why: it is proof about an image, and no
    image is lost for want of proof. Complete only after ``close``.
    """

    __slots__ = ("_file", "_path", "failure")

    def __init__(self, path: str) -> None:
        self._path = path
        self.failure: FileError | None = None
        try:
            self._file: TextIO = open(path, "a", encoding="ascii")  # noqa: SIM115  closed by close()
        except OSError as error:
            raise self._error(error) from None

    def add(
        self, sop_instance_uid: str, frame: int, number: int, data: memoryview, beside: tuple[str, ...] = ()
    ) -> None:
        """Write the line of one frame."""
        if self.failure is not None:
            return
        try:
            words = (sop_instance_uid, str(frame), str(number), hashlib.sha256(data).hexdigest(), *beside)
            self._file.write(" ".join(words) + "\n")
        except OSError as error:
            self.failure = self._error(error)

    def close(self) -> None:
        """Flush and close; idempotent. Afterwards other processes can read every line."""
        try:
            self._file.close()
        except OSError as error:
            self.failure = self.failure or self._error(error)

    def _error(self, error: OSError) -> FileError:
        return FileError(f"frame log {self._path}: {error.strerror}")

    def __enter__(self) -> FrameLog:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def read_frame_log(path: str) -> dict[str, list[str]]:
    """Read a log back: digests of each instance in the order of its frames."""
    found: dict[str, list[str]] = {}
    with open(path, encoding="ascii") as file:
        for row, line in enumerate(file, 1):
            try:
                uid, place, _, digest, *_ = line.split()
                frame = int(place)
            except ValueError:
                raise FileError(f"{path}: damaged in line {row}") from None
            digests = found.setdefault(uid, [])
            if frame != len(digests) + 1:
                raise FileError(f"{path}: frame {frame} of {uid} is out of order")
            digests.append(digest)
    return found
