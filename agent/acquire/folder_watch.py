"""Waiting for files: what the kernel tells of a folder (inotify(7)), and a bell that ends the wait.

Of a network share the kernel tells what this machine does, and of others nothing; there is no knowing which it is, so
whoever waits looks now and then all the same. Asked of the C library by the part of cffi that is in the process anyway:
ctypes would weigh 0.4 MiB.
"""

from __future__ import annotations

import os
import select
import struct
import threading
import time
from contextlib import suppress

from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODIFY, _CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _DELETE = 0x2, 0x8, 0x40, 0x80, 0x200
_DELETE_SELF, _MOVE_SELF, _UNMOUNT, _OVERFLOW = 0x400, 0x800, 0x2000, 0x4000
_ASKED: Final = _MODIFY | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _DELETE | _DELETE_SELF | _MOVE_SELF
_NEWS: Final = _CLOSE_WRITE | _MOVED_TO | _DELETE_SELF | _MOVE_SELF | _UNMOUNT | _OVERFLOW  # worth a look at once
_ENDED: Final = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _DELETE
_FLAGS: Final = os.O_NONBLOCK | os.O_CLOEXEC  # IN_NONBLOCK and IN_CLOEXEC have these values
_HEAD: Final = struct.Struct("@iIII")
_READ_BYTES: Final = 1 << 16
# Names that somebody writes to at a time; with more the kernel's word is not kept, and stillness alone tells.
_MAX_WRITTEN: Final = 10_000
# Looks at a folder that never rests: a burst of a thousand files is some looks, not a thousand.
SOONEST_S: Final = 0.05


class Bell:
    """Ends a wait from another thread."""

    __slots__ = ("_fd", "_lock")

    def __init__(self) -> None:
        self._fd = -1
        self._lock = threading.Lock()

    def open(self) -> int:
        """Make it; returns what becomes readable."""
        with self._lock:
            self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            return self._fd

    def ring(self) -> None:
        """Ring it, if it is there."""
        with self._lock:
            if self._fd >= 0:
                with suppress(BlockingIOError):
                    os.eventfd_write(self._fd, 1)

    def close(self) -> None:
        """Take it away."""
        with self._lock:
            fd, self._fd = self._fd, -1
            if fd >= 0:
                os.close(fd)


class Waiter:
    """Waits for news of one folder; a context manager."""

    __slots__ = ("_bell", "_last", "_notify", "_poll", "_rang", "written")

    def __init__(self, folder_fd: int, bell: Bell) -> None:
        self.written: set[str] = set()  # names that are written to, and not closed since
        self._bell = bell
        self._last = 0.0
        self._poll = select.poll()
        self._rang = bell.open()
        self._poll.register(self._rang, select.POLLIN)
        self._notify = _inotify(folder_fd)
        if self._notify >= 0:
            self._poll.register(self._notify, select.POLLIN)

    def __enter__(self) -> Waiter:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._bell.close()
        if self._notify >= 0:
            os.close(self._notify)

    def wait(self, until: float) -> None:
        """Return at ``until`` (monotonic s), when the bell rang, or soon after a file was closed or moved here."""
        soonest = self._last + SOONEST_S
        while (now := time.monotonic()) < until:
            ready = [fd for fd, _ in self._poll.poll(max(0.0, until - now) * 1000 + 1)]
            if self._rang in ready:
                with suppress(BlockingIOError):
                    os.eventfd_read(self._rang)
                break
            if self._notify in ready and self.read():
                until = min(until, max(soonest, now))
        self._last = time.monotonic()

    def read(self) -> bool:
        """Take what the kernel has told; whether it is worth a look."""
        news = False
        for mask, name in self._events():
            news = news or bool(mask & _NEWS)
            if mask & _OVERFLOW or len(self.written) >= _MAX_WRITTEN:
                self.written.clear()
            if mask & _ENDED:
                self.written.discard(name)
            elif mask & _MODIFY:
                self.written.add(name)
        return news

    def _events(self) -> Iterator[tuple[int, str]]:
        if self._notify < 0:
            return
        while True:
            try:
                data = os.read(self._notify, _READ_BYTES)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                _, mask, _, length = _HEAD.unpack_from(data, at)
                at += _HEAD.size
                yield mask, os.fsdecode(data[at : at + length].rstrip(b"\0"))
                at += length


def _inotify(folder_fd: int) -> int:
    """Watch an open folder; -1 where that cannot be."""
    import _cffi_backend

    ffi = _cffi_backend.FFI()
    library = _cffi_backend.load_library(None)
    try:
        init = library.load_function(ffi.typeof("int(*)(int)"), "inotify_init1")
        add = library.load_function(ffi.typeof("int(*)(int, char *, unsigned int)"), "inotify_add_watch")
    except AttributeError:
        return -1
    fd: int = init(_FLAGS)
    if fd >= 0 and add(fd, ffi.new("char[]", f"/proc/self/fd/{folder_fd}".encode()), _ASKED) < 0:
        os.close(fd)
        return -1
    return fd
