"""Compress the frames of a clip on several cores, in their order.

The interpreter lock is free while C works, so plain threads are enough. At most ``_AHEAD`` frames for each worker are
taken from the caller before the first of them is given back: memory does not grow with the clip.
"""

from __future__ import annotations

import threading
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING

from agent.errors import NativeArgumentError
from agent.native.compress import encode, encode_bound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typing_extensions import Buffer

    from agent.native.frame import PixelDescription

_AHEAD = 2  # one in work and one waiting: a worker never waits for the caller
_MAX_WORKERS = 64  # more cores than any gateway has


class _Job:
    __slots__ = ("coded", "error", "finished", "frame")

    def __init__(self, frame: Buffer) -> None:
        self.frame = frame
        self.finished = threading.Event()
        self.coded = b""
        self.error: BaseException | None = None


def encode_many(
    frames: Iterable[Buffer], transfer_syntax: str, *, description: PixelDescription, workers: int
) -> Iterator[bytes]:
    """Give the coded frames in the order of ``frames``; each frame must stay unchanged until its own is given.

    Raises:
        NativeArgumentError: As ``encode``, or workers outside 1..64. The frames before the bad one were given.
    """
    if not 1 <= workers <= _MAX_WORKERS:
        raise NativeArgumentError(f"{workers} workers; 1 to {_MAX_WORKERS} are possible")
    encode_bound(description, transfer_syntax)  # what is wrong with these is said here and not by a thread
    todo: SimpleQueue[_Job | None] = SimpleQueue()

    def work() -> None:
        room = bytearray(encode_bound(description, transfer_syntax))  # its own: fresh pages for each frame would wait
        view = memoryview(room)
        while (job := todo.get()) is not None:
            try:
                job.coded = bytes(view[: encode(job.frame, transfer_syntax, description=description, out=room)])
            except BaseException as error:  # noqa: BLE001  (told to whoever waits for this frame)
                job.error = error
            job.finished.set()

    threads = [threading.Thread(target=work, name=f"encode-{number}", daemon=True) for number in range(workers)]
    for thread in threads:
        thread.start()
    waiting: deque[_Job] = deque()
    try:
        for frame in frames:
            job = _Job(frame)
            waiting.append(job)
            todo.put(job)
            if len(waiting) >= _AHEAD * workers:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())
    finally:
        for _ in threads:
            todo.put(None)
        for thread in threads:
            thread.join()


def _result(job: _Job) -> bytes:
    job.finished.wait()
    if job.error is not None:
        raise job.error
    return job.coded
