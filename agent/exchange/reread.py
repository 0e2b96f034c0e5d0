"""Reading a file from the medium and not from memory: the only reading that proves anything about the medium.

A stick that was pulled still gives back, from the page cache, all that was written to it. So a file is read with
``O_DIRECT``; where the file system has no such reading, its pages are dropped first and asked for with mincore(2). What
had to come from memory is said to (``uncached`` False) and proves nothing.

Each read passes ``Ops.step("reread", path)``: tests let it fail.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os

from agent.spool.faults import media_error
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.spool.ops import Ops

# A multiple of every block size; a mapping of its own is aligned, which O_DIRECT wants.
STEP_BYTES: Final = 1 << 20
_NO_DIRECT: Final = frozenset({errno.EINVAL, errno.EOPNOTSUPP})


class Reread(NamedTuple):
    """What came back."""

    size: int
    sha256: str
    uncached: bool  # from the medium itself


def reread(
    path: str, ops: Ops, watch: Callable[[int], None] = lambda _bytes: None, folder: int | None = None
) -> Reread:
    """Hash a file as the medium has it; ``watch`` is told the bytes of each step. Raises ``MediaError``.

    ``folder``: a descriptor of the one that it is in, which is not looked up by its name then.
    """
    try:
        found = _hash(path, os.O_DIRECT, ops, watch, folder)
        return found or _without_direct(path, ops, watch, folder)
    except OSError as error:
        raise media_error(error, "read back", path) from error


def _open(path: str, flags: int, folder: int | None) -> int:
    name = path if folder is None else os.path.basename(path)
    return os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | flags, dir_fd=folder)


def _without_direct(path: str, ops: Ops, watch: Callable[[int], None], folder: int | None) -> Reread:
    dropped = _drop(path, folder)
    found = _hash(path, 0, ops, watch, folder)
    assert found is not None  # only O_DIRECT is refused with EINVAL
    return found._replace(uncached=dropped)


def _hash(path: str, flags: int, ops: Ops, watch: Callable[[int], None], folder: int | None) -> Reread | None:
    """Hash it; None where the file system refuses the flags."""
    digest, at = hashlib.sha256(), 0
    fd = -1
    try:
        ops.step("reread", path)
        fd = _open(path, flags, folder)
        with mmap.mmap(-1, STEP_BYTES) as room, memoryview(room) as buffer:
            while count := os.preadv(fd, [buffer], at):
                digest.update(buffer[:count])
                at += count
                watch(count)
                if count % mmap.PAGESIZE:  # the end; O_DIRECT cannot go on from an odd place
                    break
    except OSError as error:
        if flags and not at and error.errno in _NO_DIRECT:
            return None
        raise
    finally:
        if fd >= 0:
            os.close(fd)
    return Reread(at, digest.hexdigest(), bool(flags))


def _drop(path: str, folder: int | None) -> bool:
    """Let the kernel forget the pages of a synced file; whether it has."""
    fd = _open(path, 0, folder)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        return not _resident(fd, os.fstat(fd).st_size)
    finally:
        os.close(fd)


def _resident(fd: int, size: int) -> bool:
    """Whether any page of the file is in memory, or nobody knows (mincore(2))."""
    if not size:
        return False
    import ctypes  # the rare path

    pages = (size + mmap.PAGESIZE - 1) // mmap.PAGESIZE
    vector = (ctypes.c_ubyte * pages)()
    with mmap.mmap(fd, size, access=mmap.ACCESS_COPY) as mapped:
        first = ctypes.c_char.from_buffer(mapped)
        try:
            failed = ctypes.CDLL(None, use_errno=True).mincore(
                ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(size), vector
            )
        finally:
            del first
    return bool(failed) or any(page & 1 for page in vector)
