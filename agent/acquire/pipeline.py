"""From a source to one instance: ring, compressor, file, receipt. Memory does not grow with the length of the clip.

    frames wait in the ring (preallocated, the source never waits)
      -> take one, hash it if the site wants proof, compress it into one reused buffer, write it at its place
         (colour without colour as one sample, where the site wants it: grey.py)
      -> at the end the measured times and counted losses go into the Data Set, and the head is written last

A clip ends by itself: after its frames or its time, when the source ends or fails, when the instance can hold no more
(native Pixel Data ends below 4 GiB), when the medium is full, or when the agent stops. An operator ends it with the
last frame that was begun before he did, but never without a frame. What is there is finished: a
short clip is worth more than none. How it ended is in the result, with the failure of a source, which the caller
reports once the instance is safe. So is that of an encoder whose frame does not come back: the first frame, and all
behind it, is then written without compression; a later one ends the clip in front of it. One that colour wants coded
anew after the last frame costs the clip its compression, or without room for that all from the first colour on. Frame
times come from the source's monotonic clock, DA and TM from one reading of the wall clock, taken back to the first
frame (promise P12).

Raises ``DeviceError`` (no frame at all), ``StoppedEarly`` (none before ``stop``), ``IodError``, ``SpoolError``,
``UsageError``. After an error nothing is left behind: the caller abandons the sink.
"""

from __future__ import annotations

import copy
import math
import threading
import time

from agent.acquire.clock import WallStamp, offset_s, wall_stamp
from agent.acquire.described import CUT, Captured, Moment, Order, coded, compressed, describe
from agent.acquire.exam import name_keys
from agent.acquire.icon import make_icon, more_header_bytes
from agent.acquire.writers import StreamWriter, Writer, make_writer
from agent.dataset.encode import MAX_LONG_LENGTH
from agent.dataset.pixels import PixelDescription
from agent.dataset.uid import EXPLICIT_VR_LE, is_encapsulated
from agent.errors import AgentError, DeviceError, EncoderFault, IodError, SpoolFull, StoppedEarly, kept
from agent.iod.build import KINDS, rehearse
from agent.iod.timing import FrameClock
from agent.media.stream import MAX_FRAMES
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.acquire.exam import Exam
    from agent.acquire.frame_source import FrameSource
    from agent.acquire.grey import GreyWriter
    from agent.acquire.interim import Interim
    from agent.acquire.sources import Opened
    from agent.acquire.writers import Sink
    from agent.config.settings import SourceSettings
    from agent.dataset.dataset import DataSet
    from agent.iod.acquisition import Acquisition
    from agent.media.part10 import FileMeta
    from agent.native.frame import Frame

# How soon a stop is seen while no frame comes.
_WAKE_S: Final = 0.2
# A source that delivers nothing for so long is dead: a device may start slowly or skip a frame, no more than that.
SILENCE_S: Final = 30.0
SILENCE_PERIODS: Final = 3


def frames_wanted(opened: Opened, order: Order) -> int:
    """The most frames one instance of this order can have."""
    rate_hz = opened.source.rate_hz
    if not KINDS[order.source.sop_class].multi_frame:
        return 1
    clip_s = order.source.clip_s + (order.source.pre_trigger_s if order.asked_ns else 0)
    by_time = math.ceil(clip_s * rate_hz) + 1 if rate_hz else MAX_FRAMES
    return min(order.source.clip_frames or MAX_FRAMES, opened.frames or MAX_FRAMES, by_time, MAX_FRAMES)


def frames_missing(source: SourceSettings, frames: int, ended_by: str) -> int:
    """How many frames of ``clip_frames`` a source that ended by itself did not have."""
    if ended_by != "source" or not KINDS[source.sop_class].multi_frame:
        return 0
    return max(0, source.clip_frames - frames)


def silence_s(rate_hz: float) -> float:
    """Seconds without a frame after which a source of this rate (0: no rate of its own) counts as failed."""
    return max(SILENCE_S, SILENCE_PERIODS / rate_hz) if rate_hz else SILENCE_S


def expected_bytes(opened: Opened, order: Order) -> int:
    """Bytes of a native clip of full length, so that it is refused before it begins; 0 where nobody can know."""
    frames = frames_wanted(opened, order)
    if is_encapsulated(order.transfer_syntax_uid) or frames == MAX_FRAMES:
        return 0
    return min(frames * opened.source.description.frame_bytes, MAX_LONG_LENGTH)


def capture(opened: Opened, order: Order, exam: Exam, sink: Sink, stop: threading.Event) -> Captured:
    """Run an opened source for one instance and write it to ``sink``."""
    unit = _Capture(opened, order, exam, sink, stop)
    try:
        return unit.run()
    finally:
        unit.let_go()


def rehearse_capture(opened: Opened, order: Order, exam: Exam, sink: Sink) -> None:
    """Raise what ``capture`` would raise before its first frame; nothing is started, and nothing written."""
    _Capture(opened, order, exam, sink, threading.Event()).rehearse()


class _Capture:
    """The state of one capture."""

    __slots__ = ("_clock", "_description", "_ended_by", "_exam", "_facts", "_failure", "_first_ns", "_grey",
        "_grey_clock", "_interim", "_limit", "_limited_by", "_on_the_way_ns", "_order", "_silence_s", "_sink",
        "_source", "_started", "_stop", "_watch", "_writer")  # fmt: skip

    def __init__(self, opened: Opened, order: Order, exam: Exam, sink: Sink, stop: threading.Event) -> None:
        self._source = opened.source
        self._order = order
        self._exam = exam
        self._sink = sink
        self._stop = stop
        self._description = _description(opened.source)
        self._limit = frames_wanted(opened, order)
        whole = self._limit == opened.frames and frames_missing(order.source, opened.frames, "source") > 0
        self._limited_by = "source" if whole else "frames"
        self._facts: Acquisition = exam.acquisition(order.source, order.transfer_syntax_uid)
        if order.sop_instance_uid:
            self._facts = self._facts._replace(sop_instance_uid=order.sop_instance_uid)
        self._watch = opened.calibration
        if self._watch is not None:
            self._watch.refuse_two(self._facts)
        what = (
            sink,
            order.transfer_syntax_uid,
            self._description,
            self._limit,
            self._more_bytes(),
            order.source.near,
            self._has_time,
        )
        self._grey = _grey_writer(order.source, *what)
        self._writer: Writer = self._grey or make_writer(*what)
        self._clock = self._grey_clock = FrameClock()
        self._first_ns = 0
        self._interim: Interim | None = None
        self._started: WallStamp | None = None
        self._ended_by = "source"
        self._failure: AgentError | None = None
        self._silence_s = silence_s(opened.source.rate_hz)
        self._on_the_way_ns = int(1e9 / opened.source.rate_hz) if opened.source.rate_hz else 0

    def _more_bytes(self) -> int:
        regions = 0 if self._watch is None else self._watch.header_bytes
        return more_header_bytes(self._facts, icon=self._order.source.icon) + regions

    def run(self) -> Captured:
        """Take frames until the clip ends, then complete the file."""
        self.rehearse()
        self._interim = self._begin_marks()
        self._source.start()
        try:
            self._frames()
        finally:
            if self._interim is not None:
                self._interim.stop()
            self._source.stop()
        if self._started is None:
            if self._ended_by == "stop":
                raise StoppedEarly(f"source '{self._order.source.name}' was stopped before its first frame")
            raise DeviceError(f"source '{self._order.source.name}' delivered no frame")
        if self._grey is not None:
            self._grey.set_apart(self._mark_now)
            self._settle(self._grey)
        return self._complete(self._started)

    def let_go(self) -> None:
        """Break the circles with those that ask back: its ring, MiBs of it, would stay until they are collected."""
        del self._writer, self._grey, self._interim

    def rehearse(self) -> None:
        """Raise what would make the instance impossible at its end."""
        now = wall_stamp(time.time())
        moment = self._facts._replace(date=now.date, time=now.time, timezone_offset=now.offset)
        facts = compressed(moment, self._writer.report)
        if self._watch is not None:
            facts = self._watch.now().into(facts)
        try:
            if self._grey is None:
                self._rehearse(now, coded(self._description, self._writer.report), facts)
            else:
                self._rehearse(now, self._description, facts)
                self._rehearse(now, self._grey.description, self._grey.facts(facts))
        except IodError as error:
            name_keys(error)
            raise

    def _rehearse(self, now: WallStamp, description: PixelDescription, facts: Acquisition) -> None:
        source = self._order.source
        context = self._exam.context(source, now)
        rehearse(source.sop_class, description=description, context=context, acquisition=facts)

    def _frames(self) -> None:
        while (frame := self._next()) is not None:
            try:
                going_on = self._one(frame)
            except BaseException as error:
                _let_go(error)  # of the views its traceback keeps: they would make giving back fail, and hide it
                raise
            finally:
                self._source.give_back(frame)
            if not going_on:
                return

    def _next(self) -> Frame | None:
        """Wait for a frame; None when there is none any more. A source may fail once there is a frame to keep."""
        try:
            return self._await()
        except DeviceError as error:
            if not self._clock.frames:
                raise
            self._ended_by = "failed"
            self._failure = kept(error)
            return None

    def _await(self) -> Frame | None:
        silent_since = time.monotonic()
        while not self._source.ended:
            if self._stop.is_set():
                self._ended_by = "stop"
                return None
            if self._source.wait(_WAKE_S):
                frame = self._source.take()
                if frame is not None:
                    return frame
            elif self._told_to_end():
                self._ended_by = "operator"
                return None
            elif time.monotonic() - silent_since > self._silence_s:
                raise DeviceError(f"source '{self._order.source.name}' delivered nothing for {self._silence_s:g} s")
        return None

    def _told_to_end(self) -> bool:
        """Whether an operator has ended the clip, and what was begun before that has come."""
        ends_ns = self._order.ends_ns()
        return bool(ends_ns and self._clock.frames) and time.monotonic_ns() >= ends_ns + self._on_the_way_ns

    def _one(self, frame: Frame) -> bool:
        """Write one frame; False when the clip is complete."""
        number, timestamp_ns, data = frame.number, frame.timestamp_ns, frame.data
        if self._started is None:
            self._first_ns = timestamp_ns
            self._started = wall_stamp(time.time() - (time.monotonic_ns() - timestamp_ns) / 1e9)
            self._exam.step_s(offset_s())
            if self._order.source.icon:
                self._facts = self._facts._replace(icon=make_icon(data, self._description, self._facts))
        elif end := self._end_before(timestamp_ns):
            self._ended_by = end
            return False
        try:
            if not self._write(data):
                return False
        except SpoolFull:
            if not self._clock.frames:
                raise
            self._ended_by = "full"
            self._sink.finishing()
            return False
        self._clock.add(number, timestamp_ns, frame.losses)
        if self._watch is not None:
            self._watch.stored()
        self._mark()
        if self._order.digest is not None:
            self._order.digest(self._facts.sop_instance_uid, self._clock.frames, number, data, frame.beside)
        if self._clock.frames >= self._limit:
            self._ended_by = self._limited_by
            return False
        return True

    def _write(self, data: memoryview) -> bool:
        was_grey = self._grey is not None and self._grey.is_grey
        try:
            self._writer.frame(data)
        except EncoderFault as fault:
            fault.message = f"frame {self._clock.frames + 1}: {fault.message}"
            if not self._uncompressed(fault):
                return False
            self._writer.frame(data)
        if was_grey and self._grey is not None and not self._grey.is_grey:
            self._grey_clock = copy.deepcopy(self._clock)
        return True

    def _has_time(self) -> bool:
        """Whether the frame in hand is verified: nothing is lost by it, or it is the first."""
        rule, source = self._order.source.verify, self._source
        if rule != "spare":
            return rule == "all"
        return not source.rate_hz or not self._clock.frames or not source.counters().waiting

    def _uncompressed(self, fault: EncoderFault) -> bool:
        """Begin again without compression, which is possible before the first frame; False ends the clip."""
        self._failure = fault
        if self._clock.frames:
            self._ended_by = "failed"
            return False
        self._grey = None
        self._writer = writer = self._native_writer()
        self._now_native()
        if self._interim is not None:
            self._interim.of(writer)
        return True

    def _native_writer(self) -> StreamWriter:
        return StreamWriter(self._sink, EXPLICIT_VR_LE, self._description, self._limit, self._more_bytes())

    def _now_native(self) -> None:
        self._order = self._order._replace(transfer_syntax_uid=EXPLICIT_VR_LE)
        self._facts = self._facts._replace(transfer_syntax_uid=EXPLICIT_VR_LE)

    def _settle(self, grey: GreyWriter) -> None:
        """Do what colour left to do; what goes wrong there costs compression, or colour, and is said."""
        try:
            grey.settle(self._mark_now)
        except AgentError as fault:
            before = f" (and before that: {self._failure.message})" if self._failure is not None else ""
            self._failure, frames = fault, self._clock.frames
            try:
                grey.uncompressed(self._native_writer())
                self._now_native()
                became = f"all {frames} are stored uncompressed"
            except AgentError as reason:
                grey.give_up_colour()
                self._clock, self._ended_by = self._grey_clock, "failed"
                kept = self._clock.frames
                became = f"the first {kept} are stored in grey, {frames - kept} from the first with colour on are lost"
                became += f", for they cannot be stored uncompressed: {reason.message}"
            fault.message = (
                f"coding the grey frames anew in colour: {fault.message}; of {frames} frames {became}{before}"
            )

    def _end_before(self, timestamp_ns: int) -> str:
        """Why the frame of this moment is not of the clip any more, or ''."""
        if (timestamp_ns - max(self._first_ns, self._order.asked_ns)) / 1e9 >= self._order.source.clip_s:
            return "time"
        if 0 < self._order.ends_ns() <= timestamp_ns:
            return "operator"
        return "" if self._writer.room() >= 1 else "room"

    def _moment(self, started: WallStamp, ended_by: str) -> Moment:
        """What is known of the clip now."""
        grey = self._grey
        return Moment(
            started=started,
            clock=self._clock,
            report=self._writer.report,  # colour may have made it code frames anew
            description=self._writer.description,
            grey=grey if grey is not None and grey.is_grey else None,
            ended_by=ended_by,
            measured=self._source.rate_hz > 0,
            seconds=(time.monotonic_ns() - self._first_ns) / 1e9,
            counters=self._source.counters(),
            failure=self._failure,
            encode_s=self._writer.encode_s,
            said="" if grey is None else grey.said,
            calibrated=None if self._watch is None else self._watch.now(),
            told=self._source.told(),
            step_s=self._exam.step_s(offset_s()),
        )

    def _describe(self, at: Moment) -> tuple[FileMeta, DataSet, Captured]:
        return describe(self._order, self._exam, self._facts, at)

    def _complete(self, started: WallStamp) -> Captured:
        meta, dataset, captured = self._describe(self._moment(started, self._ended_by))
        self._writer.finish(meta, dataset)
        return captured

    # --- what is safe on the way ------------------------------------------------------------------

    def _begin_marks(self) -> Interim | None:
        """Have frames kept on the way, where that is a clip, a place that keeps them, and one that has room."""
        stream, keep = self._writer.stream, self._order.keep
        if keep is None or stream is None or self._limit < 2:
            return None
        from agent.acquire.interim import SLACK_BYTES, Interim

        log = self._sink.clip_log(stream.pixel_offset + SLACK_BYTES)
        if log is None:
            self._order.warn("frames of this clip are not kept on the way: there is no room for their record")
            return None
        return Interim(log, stream, self._describe, keep, self._order.warn)

    def _mark(self) -> None:
        """Make what is there durable, when it is time."""
        interim = self._interim
        if interim is None or self._started is None:
            return
        parts = self._writer.parts
        if interim.due(self._sink.tell()) and (parts is not None or self._writer.stream is not None):
            moment = self._moment(self._started, CUT)
            interim.frame(moment._replace(clock=copy.deepcopy(self._clock)), self._sink.tell(), parts)

    def _mark_now(self) -> bool:
        """Make all frames durable where they are now: they are to be written anew somewhere else."""
        if self._interim is None or self._started is None:
            return False
        return self._interim.now(self._moment(self._started, CUT), self._writer.parts)


def _grey_writer(source: SourceSettings, *what: Any) -> GreyWriter | None:
    if not source.grey_as_monochrome:
        return None
    from agent.acquire.grey import grey_writer  # few sites have the rule

    return grey_writer(source.sop_class, *what)


def _let_go(error: BaseException) -> None:
    """Clear the locals of the calls that ended with an error, and with those behind it."""
    from traceback import clear_frames  # few captures fail

    seen: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in seen:
        seen.append(at)
        clear_frames(at.__traceback__)
        at = at.__cause__ or at.__context__


def _description(source: FrameSource) -> PixelDescription:
    given = source.description
    return PixelDescription(*(getattr(given, name) for name in PixelDescription._fields))
