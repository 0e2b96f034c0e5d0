"""One process per spool: an open file description lock on ``spool.lock`` (fcntl(2), F_OFD_SETLK).

It dies with its holder, however that ends, and it can be asked after without being taken (F_OFD_GETLK): a ``status``
that looks at the very moment a daemon starts must not make the daemon find its own spool busy. flock(2) cannot do that.

Raises ``SpoolBusy`` (another process holds it) and ``MediaError``.
"""

from __future__ import annotations

import fcntl
import os
import struct

from agent.errors import SpoolBusy
from agent.spool.durable import FILE_MODE
from agent.spool.faults import media_error

_FLOCK = "@hhqqi"  # struct flock with 64 bit offsets: type, whence, start, length (0: all), pid (0: the description's)


def take(path: str) -> int:
    """Take the lock; returns the descriptor that holds it until it is closed."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
    except OSError as error:
        raise media_error(error, "open", path) from error
    try:
        _ask(fd, fcntl.F_OFD_SETLK)
    except OSError as error:
        os.close(fd)
        if isinstance(error, BlockingIOError | PermissionError):  # EAGAIN or EACCES, as the kernel likes
            raise SpoolBusy(f"{path} is held by another process") from error
        raise media_error(error, "lock", path) from error
    return fd


def held(path: str) -> bool:
    """Whether somebody holds the lock, without touching it; False also when there is no lock file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return _ask(fd, fcntl.F_OFD_GETLK) != fcntl.F_UNLCK
    finally:
        os.close(fd)


def _ask(fd: int, command: int) -> int:
    """Set or query a write lock on the whole file; returns the type of the lock that stands in the way."""
    answer = fcntl.fcntl(fd, command, struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    return int(struct.unpack_from(_FLOCK, answer)[0])
