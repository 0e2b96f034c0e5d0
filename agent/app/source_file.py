"""Opening a DICOM file that was named on the command line."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent.errors import FileError
from agent.media.file import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.media.file import DicomFile


@contextmanager
def opened(path: str, *, lenient: bool = False, refer_above: int | None = None) -> Iterator[DicomFile]:
    """Open a file as ``open_file`` does; its ``pread`` works inside the block.

    Raises:
        FileError: It cannot be opened or is not a regular file.
        NotDicomError, DecodeError: It is not a DICOM file or damaged.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise FileError(f"{path}: not a regular file")

        def pread(length: int, offset: int) -> bytes:
            try:
                return os.pread(fd, length, offset)
            except OSError as error:
                raise FileError(f"{path}: {error.strerror}") from None

        yield open_file(pread, found.st_size, lenient=lenient, refer_above=refer_above)
    finally:
        os.close(fd)
