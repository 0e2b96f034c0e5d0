"""A source that is kept open, its last frames in memory: a clip has what came before the pedal.

::

    device -> ring of the C core -> a thread of ours -> copies in one block of memory -> a view: what a capture reads

Frames are kept as the device sent them: what the site wants done to them (``pixel_path``), and what templates of
regions want to see in them, is a capture's affair, and of the frames of its instance alone.

The block is made once and holds ``pre_trigger_s`` of frames and some more (``agent/config/pre_trigger.py``), so memory
is bounded whatever happens. The thread takes frames as long as the source is open, while a clip is read and while it is
sealed; only what a capture still has to read is not written over. A frame that finds no room then is dropped, and is a
gap in the numbers of the clip, as one is that the C core or the device lost. What was lost in front of the first frame
of a clip is nobody's loss.

One view at a time reads. It begins where its clip does, with the oldest frame that is wanted and of no clip before: no
frame is in two instances. ``exposed`` finds the frame of an exposure: the first that was begun after it, as surely as
both clocks are known. Which one is the first only the frame before it tells, that was begun earlier: where that one is
not there, because it was lost or damaged or found no room, it may have been the one. A frame that cannot be that one
is not taken in its place: ``ExposureLost``.

A source that fails, ends or falls silent is told at once (``news``); its frames stay until ``close``.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from agent.config.pre_trigger import slots_for
from agent.errors import AgentError, ConfigError, DeviceError, ExposureLost
from agent.native.source import Counters
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.acquire.sources import Opened
    from agent.config.settings import SourceSettings
    from agent.native.frame import Frame, PixelDescription

_WAKE_S: Final = 0.2  # how soon the thread sees that it is to end
# A device that has delivered and is silent for so long is unplugged: it stands open, nobody has to start it.
SILENT_S: Final = 2.0
SILENT_PERIODS: Final = 5
FIRST_S: Final = 30.0  # a device may start slowly
# A frame comes this much after it was begun at most, beside its own period.
ON_THE_WAY_S: Final = 0.5
_NOTHING: Final = memoryview(b"")


def memory_for(source: SourceSettings, rate_hz: float, frame_bytes: int) -> int:
    """Return the number of frames to keep; raises ``ConfigError`` where they do not fit into ``pre_trigger_mib``."""
    slots, why = slots_for(source.pre_trigger_s, source.pre_trigger_mib, rate_hz, frame_bytes)
    if why:
        error = ConfigError(f"source '{source.name}', pre_trigger_s: {why}")
        error.problems = ((None, "pre_trigger_s", why),)
        raise error
    return slots


def arm(source: SourceSettings, news: Callable[[], None]) -> Armed:
    """Open a source and keep its frames; raises ``ConfigError`` or ``DeviceError``."""
    from agent.acquire.sources import open_source

    opened = open_source(source.uri)
    try:
        armed = Armed(opened, source, news)
        armed.start()
    except BaseException:
        opened.source.close()
        raise
    return armed


class Armed:
    """An open source at work; ``close`` ends it. All but the thread of the recorder may only look."""

    def __init__(self, opened: Opened, source: SourceSettings, news: Callable[[], None]) -> None:
        """Take charge of an open source that was not started; raises ``ConfigError``."""
        import mmap

        device = opened.source
        self.name = source.name
        self.description: PixelDescription = device.description
        self.rate_hz = device.rate_hz
        self.stamp_late_ns = opened.stamp_late_ns
        self.slots = memory_for(source, device.rate_hz, device.description.frame_bytes)
        self.failure: AgentError | None = None
        self.dropped = 0  # found no room because a capture had not read what was there
        self._source = device
        self._news = news
        self._bytes = device.description.frame_bytes
        self._memory = memoryview(mmap.mmap(-1, self.slots * self._bytes))
        self._frames: list[Frame | None] = [None] * self.slots
        self._count = 0  # frames so far; frame n is in slot n modulo slots
        self._behind = 0  # what comes before is of instances already
        self._view: View | None = None
        self._closing = False
        self._silent_s = max(SILENT_S, SILENT_PERIODS / device.rate_hz)
        self._changed = threading.Condition(threading.Lock())
        self._thread = threading.Thread(target=self._work, name=f"armed {source.name}", daemon=True)

    def start(self) -> None:
        """Begin to keep frames; raises ``DeviceError``."""
        self._source.start()
        self._thread.start()

    def close(self) -> None:
        """Give source and memory back."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join()
        self._source.close()
        self._memory.release()

    @property
    def told(self) -> Callable[[], tuple[tuple[str, object], ...]]:
        """As the source says."""
        return self._source.told

    @property
    def ready(self) -> bool:
        """Whether frames come."""
        return self._count > 0 and self.failure is None

    def clip(self, at_ns: int, before_s: float) -> tuple[View, tuple[tuple[str, object], ...]]:
        """Read from the first frame on that was begun so long before this moment, or later; and say how long it was."""
        with self._changed:
            view = self._read_from(at_ns - int(before_s * 1e9))
            if not before_s:
                return view, ()
            had_s = (at_ns - self._at(view.at).timestamp_ns) / 1e9 if view.at < self._count else 0.0
            return view, (("pre_trigger_s", round(max(0.0, had_s), 3)),)

    def begun_ns(self, view: View) -> int:
        """When the frame was begun that a view reads next."""
        with self._changed:
            return self._at(view.at).timestamp_ns

    def exposed(self, earliest_ns: int, latest_ns: int) -> View:
        """Read the first frame that was begun within these bounds, once it has come; raises ``ExposureLost``.

        It is known to be the first: the frame before it is there, and was begun earlier. A frame was begun up to
        ``stamp_late_ns`` before its time stamp.
        """
        surely_ns = earliest_ns + self.stamp_late_ns
        until = latest_ns + int((ON_THE_WAY_S + 1 / self.rate_hz) * 1e9)
        with self._changed:
            view = self._read_from(surely_ns)
            try:
                if (
                    view.at > self._oldest
                    and view.at == self._behind
                    and self._at(view.at - 1).timestamp_ns >= earliest_ns
                ):
                    raise ExposureLost("the first frame after it is of the instance before")
                while view.at == self._count:
                    if self.failure is not None:
                        raise ExposureLost(f"the source has failed: {self.failure}")
                    left_s = (until - time.monotonic_ns()) / 1e9
                    if left_s <= 0:
                        raise ExposureLost("no frame came after it")
                    self._changed.wait(min(left_s, _WAKE_S))
                    self._step_over(view, surely_ns)
                self._refuse_doubt(view, earliest_ns, latest_ns)
            except BaseException:
                self._view = None
                raise
            return view

    def done(self, view: View, frames: int) -> None:
        """Be done with a view of which so many frames are in an instance."""
        with self._changed:
            self._view = None
            self._behind = max(self._behind, view.first + frames)

    # --- what a view asks, with the lock ------------------------------------------------------

    def wait(self, view: View, timeout_s: float | None) -> bool:
        """Wait for a frame or the end."""
        with self._changed:
            return self._changed.wait_for(lambda: view.at < self._count or self.failure is not None, timeout_s)

    def take(self, view: View) -> Frame | None:
        """The next frame of a view; raises the failure of the source behind its last one."""
        with self._changed:
            if view.at == self._count:
                if self.failure is not None:
                    raise self.failure
                return None
            slot = view.at % self.slots
            data = self._memory[slot * self._bytes : (slot + 1) * self._bytes].toreadonly()
            return self._at(view.at)._replace(data=data, slot=slot)

    def waiting(self, view: View) -> int:
        """Frames that a view has not read."""
        return self._count - view.at

    @property
    def _oldest(self) -> int:
        return max(0, self._count - self.slots)

    def _at(self, count: int) -> Frame:
        frame = self._frames[count % self.slots]
        assert frame is not None
        return frame

    def _refuse_doubt(self, view: View, earliest_ns: int, latest_ns: int) -> None:
        frame, late_ms = self._at(view.at), self.stamp_late_ns / 1e6
        before = self._at(view.at - 1) if view.at > self._oldest else None
        if before is not None and before.timestamp_ns >= earliest_ns:
            why = f"the time stamps of this source are up to {late_ms:.1f} ms late"
            raise ExposureLost(f"of one frame nobody knows whether it was begun before it or after, for {why}")
        if frame.timestamp_ns > latest_ns:
            after_ms = (frame.timestamp_ns - earliest_ns) / 1e6
            or_less = f", or up to {late_ms:.1f} ms less" if late_ms else ""
            raise ExposureLost(
                f"the first frame after it was begun {after_ms:.1f} ms{or_less} after it could have been"
            )
        if before is None:
            raise ExposureLost("no frame before it is in memory: which one is the first after it nobody knows")
        if missing := frame.number - 1 - before.number:
            were = "frame was" if missing == 1 else "frames were"
            raise ExposureLost(f"{missing} {were} lost in front of the first one after it")
        if frame.losses[2] != before.losses[2]:
            raise ExposureLost("the device began to count anew in front of the first frame after it")

    def _read_from(self, from_ns: int) -> View:
        view = self._view = View(self, max(self._oldest, self._behind))
        self._step_over(view, from_ns)
        return view

    def _step_over(self, view: View, from_ns: int) -> None:
        while view.at < self._count and self._at(view.at).timestamp_ns < from_ns:
            view.at += 1
        view.first = view.at

    # --- the thread -----------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            self._keep()
        except AgentError as error:
            self._fail(error)
        except BaseException as error:  # noqa: BLE001  whoever waits for frames must hear that none come
            self._fail(DeviceError(f"source '{self.name}': fault of the agent: {type(error).__name__}: {error}"))
        finally:
            with suppress(AgentError):
                self._source.stop()

    def _keep(self) -> None:
        source, heard = self._source, time.monotonic()
        while not self._closing:
            if source.wait(_WAKE_S):
                frame = source.take()
                if frame is not None:
                    heard = time.monotonic()
                    try:
                        self._put(frame)
                    finally:
                        source.give_back(frame)
                    continue
            if source.ended:
                raise DeviceError(f"source '{self.name}' has ended")
            silent_s = time.monotonic() - heard
            if silent_s > (self._silent_s if self._count else FIRST_S):
                raise DeviceError(f"source '{self.name}' has been silent for {silent_s:.0f} s")

    def _put(self, frame: Frame) -> None:
        with self._changed:
            if self._view is not None and self._count - self._view.at >= self.slots:
                self.dropped += 1
                return
            slot = self._count % self.slots
            self._memory[slot * self._bytes : (slot + 1) * self._bytes] = frame.data
            self._frames[slot] = frame._replace(data=_NOTHING)
            self._count += 1
            self._changed.notify_all()
            if self._count == 1:
                self._news()

    def _fail(self, error: AgentError) -> None:
        with self._changed:
            self.failure = error
            self._changed.notify_all()
        self._news()


class View:
    """What one capture reads: a source like any other, that goes on when it is stopped."""

    __slots__ = ("_armed", "_delivered", "_first", "_last", "_told", "at", "description", "first", "rate_hz")

    def __init__(self, armed: Armed, at: int) -> None:
        self._armed = armed
        self.at = self.first = at  # the frame that is next, or read now
        self.description = armed.description
        self.rate_hz = armed.rate_hz
        self._delivered = 0
        self._first, self._last = 1, 0
        self._told = False

    @property
    def ended(self) -> bool:
        """Whether the source failed, and that was raised."""
        return self._told

    @property
    def told(self) -> Callable[[], tuple[tuple[str, object], ...]]:
        """As the source says."""
        return self._armed.told

    def start(self) -> None:
        """It runs already."""

    def stop(self) -> None:
        """It goes on: the next clip may begin before this one."""

    def close(self) -> None:
        """It stays open."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for a frame or the end."""
        return self._armed.wait(self, timeout_s)

    def take(self) -> Frame | None:
        """Take the oldest frame that was not read."""
        try:
            frame = self._armed.take(self)
        except AgentError:
            self._told = True
            raise
        if frame is not None:
            self._first = frame.number if not self._delivered else self._first
            self._last = frame.number
            self._delivered += 1
        return frame

    def give_back(self, frame: Frame) -> None:
        """Be done with it: its place may be written over."""
        frame.data.release()
        self.at += 1

    def counters(self) -> Counters:
        """What became of the frames since the first of this view."""
        gone = self._last - self._first + 1 - self._delivered
        return Counters(self._first, self._last, self._delivered, gone, self._armed.waiting(self), 0, 0)
