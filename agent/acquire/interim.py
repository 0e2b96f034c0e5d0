"""Frames that are safe before the clip is: a mark of the clip so far, at least once a second (agent/spool/clip.py).

The capture thread takes a copy of what it knows after a frame, which costs some microseconds, and a thread of its own
makes a mark of it: it syncs the frames and writes what recovery needs to make an instance of them. That instance has a
SOP Instance UID of its own, one for each mark, and its receipt names that of the clip (``instead_of``). A medium that
is slow to sync makes fewer marks; the capture never waits for one. When a mark fails for another reason than the frames
themselves the clip goes on without: that is told at once, and the ``failure`` of the record says so.
"""

from __future__ import annotations

import threading
import time

from agent.acquire.identity import new_uid
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE
from agent.errors import AgentError
from agent.spool.clip import Mark
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.acquire.described import Captured, Moment
    from agent.acquire.writers import Parts, StreamWriter
    from agent.dataset.dataset import DataSet
    from agent.media.part10 import FileMeta
    from agent.spool.clip import ClipLog
    from agent.spool.draft import InstanceRecord

# Half of the second that may be missing; the rest is for the medium to sync what came meanwhile.
EVERY_S: Final = 0.5
# Or as soon as so much is not durable yet, ten times a second at most.
EVERY_BYTES: Final = 8 << 20
SOONEST_S: Final = 0.1
# What the attributes may take in a mark beside the head of the file, which has the same ones.
SLACK_BYTES: Final = 64 * 1024


class Interim:
    """The marks of one clip; ``frame`` is of the capture thread."""

    __slots__ = ("_at", "_change", "_describe", "_end", "_log", "_record", "_stopped", "_stream", "_task", "_thread",
        "_warn")  # fmt: skip

    def __init__(
        self,
        log: ClipLog,
        stream: StreamWriter,
        describe: Callable[[Moment], tuple[FileMeta, DataSet, Captured]],
        record: Callable[[Captured], InstanceRecord],
        warn: Callable[[str], None],
    ) -> None:
        self._log = log
        self._stream = stream
        self._describe = describe
        self._record = record
        self._warn = warn
        self._change = threading.Condition()
        self._task: tuple[Moment, Parts | None] | None = None
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._at = 0.0
        self._end = 0
        stream.log = log

    def of(self, stream: StreamWriter) -> None:
        """Go on with another writer before the first frame."""
        self._stream.log, stream.log = None, self._log
        self._stream = stream

    def due(self, end: int) -> bool:
        """Whether a mark is wanted, now that frames go to byte ``end``, and nobody makes one."""
        if self._stopped or self._task is not None:
            return False
        since = time.monotonic() - self._at
        return since >= EVERY_S or (end - self._end >= EVERY_BYTES and since >= SOONEST_S)

    def frame(self, at: Moment, end: int, parts: Parts | None) -> None:
        """Have a mark made of the clip as it is ``at`` this moment, its frames up to byte ``end``."""
        self._at, self._end = time.monotonic(), end
        with self._change:
            self._task = at, parts
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="marks", daemon=True)
                self._thread.start()
            self._change.notify()

    def now(self, at: Moment, parts: Parts | None) -> bool:
        """Make a mark in this thread, after ``stop``; whether all frames are durable where it says they are.

        Where that fails the record goes, for frames are about to be written anew where it says they are. Raises what
        has killed a file of frames: then nothing may be written anew, and the last mark is all that there is.
        """
        if self._log.failure is None:
            try:
                self._mark(at, parts)
            except AgentError as error:
                self._fail(error)
            else:
                return True
        if self._log.broken is not None:
            raise self._log.broken
        self._log.void()
        return False

    def stop(self) -> None:
        """End the thread, after the mark it is at; idempotent."""
        with self._change:
            self._stopped = True
            self._change.notify()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._task is not None or self._stopped)
                if self._task is None:
                    return
                at, parts = self._task
            try:
                self._mark(at, parts)
            except AgentError as error:
                self._stopped = True
                self._fail(error)
            finally:
                self._task = None

    def _fail(self, error: AgentError) -> None:
        self._log.failure = error
        self._warn(f"frames of this clip are no longer kept on the way: {error}")

    def _mark(self, at: Moment, parts: Parts | None) -> None:
        _meta, dataset, captured = self._describe(at)
        whole = captured.sop_instance_uid
        dataset["SOPInstanceUID"] = uid = new_uid()
        record = self._record(captured._replace(sop_instance_uid=uid))
        layout = self._stream.layout if parts is None else parts.layout
        mark = Mark(
            record._replace(facts=(*record.facts, ("instead_of", whole))),
            at.clock.frames,
            layout.pixel_offset,
            layout.max_frames,
            tuple(layout.description),
            encode(dataset, EXPLICIT_VR_LE),
            whole=whole,
        )
        self._log.keep(mark if parts is None else mark._replace(grey=parts.grey, colour=parts.colour))
