"""Opening a file named on the command line; a pipe or device, which may never end, is refused and not waited for."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager

from agent.dataset.decode import Limits
from agent.errors import FileError, NotDicomError
from agent.media.file import open_file
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.media.file import DicomFile


# An enhanced multi-frame instance has a hundred elements for each frame. Who names a file trusts it more than a peer.
LIMITS: Final = Limits(elements=1_000_000)


def open_regular(path: str) -> int:
    """Open a regular file for reading and give its descriptor; raises ``FileError`` for anything else, at once."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise FileError.of(path, error) from None
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        if stat.S_ISDIR(mode):
            raise FileError(f"{path} is a folder", hint="Name the files in it.")
        raise FileError(f"{path}: not a regular file")
    return fd


@contextmanager
def reading(path: str) -> Iterator[tuple[Callable[[int, int], bytes], int]]:
    """Open a regular file; gives its ``pread(length, offset)``, which raises ``FileError``, and its size in bytes."""
    fd = open_regular(path)

    def pread(length: int, offset: int) -> bytes:
        try:
            return os.pread(fd, length, offset)
        except OSError as error:
            raise FileError.of(path, error) from None

    try:
        yield pread, os.fstat(fd).st_size
    finally:
        os.close(fd)


@contextmanager
def opened(
    path: str,
    *,
    lenient: bool = False,
    refer_above: int | None = None,
    header_only: bool = False,
    partial: bool = False,
) -> Iterator[DicomFile]:
    """Open a file as ``open_file`` does; its ``pread`` works inside the block.

    Raises:
        FileError: It cannot be opened or is not a regular file.
        NotDicomError, DecodeError: It is not a DICOM file or damaged.
    """
    with reading(path) as (pread, size):
        if not size:
            raise NotDicomError("the file is empty", hint="Was it copied to its end?")
        yield open_file(
            pread, size, limits=LIMITS, lenient=lenient, refer_above=refer_above, header_only=header_only,
            partial=partial,
        )  # fmt: skip
