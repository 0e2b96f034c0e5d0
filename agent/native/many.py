"""Compress the frames of a clip on several cores, in their order.

The interpreter lock is free while C works, so plain threads are enough. The caller is one of the workers: while the
frame it asks for is not ready it compresses another, so that ``workers`` threads share as many cores, and a frame of
half a millisecond is not kept waiting for a caller to be woken and to push a worker off its core. At most ``_AHEAD``
frames for each worker are taken from the caller before the first of them is given back: memory does not grow with the
clip.
"""

from __future__ import annotations

import threading
from collections import deque
from queue import Empty, SimpleQueue

from agent.errors import NativeArgumentError
from agent.native.compress import encode, encode_bound
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typing_extensions import Buffer

    from agent.native.frame import PixelDescription

_AHEAD = 2  # one in work and one waiting: no worker waits for a caller who comes back in time
_MAX_WORKERS = 64  # more cores than any gateway has


class _Job:
    __slots__ = ("coded", "error", "finished", "frame")

    def __init__(self, frame: Buffer) -> None:
        self.frame = frame
        self.finished = threading.Lock()  # held until the frame is coded, or its error known
        self.finished.acquire()
        self.coded = b""
        self.error: Exception | None = None


class _Coder:
    """What one thread compresses with; it keeps its destination: fresh pages for each frame would cost more."""

    def __init__(self, transfer_syntax: str, description: PixelDescription) -> None:
        self._transfer_syntax, self._description = transfer_syntax, description
        self._room = bytearray(encode_bound(description, transfer_syntax))
        self._view = memoryview(self._room)

    def do(self, job: _Job) -> None:
        try:
            written = encode(job.frame, self._transfer_syntax, description=self._description, out=self._room)
            job.coded = bytes(self._view[:written])
        except Exception as error:  # noqa: BLE001  (told when it is the turn of this frame)
            job.error = error
        job.finished.release()


def encode_many(
    frames: Iterable[Buffer], transfer_syntax: str, *, description: PixelDescription, workers: int
) -> Iterator[bytes]:
    """Give the coded frames in the order of ``frames``; each frame must stay unchanged until its own is given.

    Raises:
        NativeArgumentError: As ``encode``, or workers outside 1..64. The frames before the bad one were given.
    """
    if not 1 <= workers <= _MAX_WORKERS:
        raise NativeArgumentError(f"{workers} workers; 1 to {_MAX_WORKERS} are possible")
    mine = _Coder(transfer_syntax, description)  # what is wrong with these is said here and not by a thread
    todo: SimpleQueue[_Job | None] = SimpleQueue()

    def work() -> None:
        coder = _Coder(transfer_syntax, description)
        while (job := todo.get()) is not None:
            coder.do(job)

    threads = [threading.Thread(target=work, name=f"encode-{number}", daemon=True) for number in range(1, workers)]
    for thread in threads:
        thread.start()
    waiting: deque[_Job] = deque()
    try:
        for frame in frames:
            job = _Job(frame)
            waiting.append(job)
            todo.put(job)
            if len(waiting) >= _AHEAD * workers:
                yield _result(waiting.popleft(), todo, mine)
        while waiting:
            yield _result(waiting.popleft(), todo, mine)
    finally:
        while _next(todo):  # nobody wants these any more
            pass
        for _ in threads:
            todo.put(None)
        for thread in threads:
            thread.join()


def _result(job: _Job, todo: SimpleQueue[_Job | None], mine: _Coder) -> bytes:
    """Wait for a frame, and work meanwhile."""
    while not job.finished.acquire(blocking=False):
        other = _next(todo)
        if other is None:
            job.finished.acquire()
            break
        mine.do(other)
    if job.error is not None:
        raise job.error
    return job.coded


def _next(todo: SimpleQueue[_Job | None]) -> _Job | None:
    try:
        return todo.get_nowait()
    except Empty:
        return None
