"""One source of the daemon: when it captures, and how a capture becomes an instance of the spool.

A recorder captures when it is asked to (``asking.py``: foot-switch, console, request) and, with ``every_s``, by itself
at a fixed period counted from its start, at most ``captures`` times. Each capture opens the source, records one
instance into a draft and seals it: only then is it reported (promise P1). While a still of a burst is made durable the
next one is taken (``under_way.py``), so that a burst is as fast as its source; they are reported in their order. A
capture that fails before its first frame leaves no file; a clip whose source fails later is sealed as far as it goes.
Either way the failure is the role's, who tries again with back-off, while an order that came meanwhile is kept: one at
most, the next is refused.

A source with ``pre_trigger_s`` stays open between captures, too (``armed.py``), and a clip that is asked for begins so
long before that. When it fails, ``trouble`` says so at once, until it is open again.

When the agent stops, a running clip is ended and sealed, not thrown away, and what is under way becomes durable. A
capture that has no frame by then is not begun: its order waits as before. That of an exposure is not ended: its frame
is in memory, or comes within its window. One that leaves no durable instance is told (``imageless.py``).
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from functools import partial

from agent.acquire.asking import EXPOSURE, STILL, STILL_OF, Asks, Turn
from agent.acquire.imageless import Imageless
from agent.config.schema_source import MULTI_FRAME_WORDS
from agent.errors import AgentError, ExposureLost, FileError, StoppedEarly
from agent.typed import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.acquire.armed import Armed
    from agent.acquire.asking import Ask
    from agent.acquire.described import Captured
    from agent.acquire.exam import Exam
    from agent.acquire.frame_log import FrameLog
    from agent.acquire.sources import Opened
    from agent.acquire.under_way import UnderWay
    from agent.config.settings import DestinationSettings, SourceSettings
    from agent.link.timekeeping import Kept
    from agent.spool.draft import Draft, InstanceRecord, Sealed
    from agent.spool.store import Spool

T = TypeVar("T")


class Recorded(NamedTuple):
    """One durable instance."""

    captured: Captured
    sealed: Sealed


class Counts(NamedTuple):
    """What a source has done since start."""

    captures: int
    frames: int
    dropped: int
    recording: bool
    last_uid: str


def _to_stderr(text: str) -> None:
    with suppress(OSError, ValueError):  # nobody may read it any more; that must not cost a capture
        sys.stderr.write(f"modality-agent: warning: {text}\n")


def _unknown() -> None:
    """Know nobody who keeps the clock right."""


class Recorder:
    """A source at work; ``work`` is the function of its role, the rest may be called from any thread.

    One recorder belongs to one ``exam``. When settings change it is replaced: the new one takes over the order that
    waits (``asks.give``), after the old one's role has ended, unless patient or exam are others by then.
    """

    def __init__(
        self,
        source: SourceSettings,
        exam: Exam,
        spool: Spool,
        report: Callable[[SourceSettings, Recorded], None],
        *,
        pending: Turn | None = None,
        warn: Callable[[str], None] = _to_stderr,
        destinations: Callable[[], Sequence[DestinationSettings]] = tuple,
        kept: Callable[[], Kept | None] = _unknown,
    ) -> None:
        self.source = source
        self._exam = exam
        self._spool = spool
        self._report = report
        self._warn = warn
        self._destinations = destinations
        self.alarm: Callable[[str], None] = _to_stderr
        self.held_s: Callable[[], float] = float  # seconds that no capture may begin
        self._kept = kept
        self._wake = threading.Event()
        self.asks = Asks(source.name, pending)
        self._automatic = 0
        self._next_at: float | None = None
        self._under_way: UnderWay | None = None  # none before the first still
        self._seal_s = 0.0  # how long the last one took that its own thread sealed
        self._crowded = False  # an order came meanwhile
        self._recording = False
        self._armed: Armed | None = None
        self.trouble = ""  # why a source that is to stay open is not
        self.imageless = Imageless()
        self._done = (0, 0, 0, "")  # captures, frames, dropped, last UID: of what is durable
        self._uncalibrated = ""  # what was last said of why there are no calibrated regions
        self._named = ""  # SOP Instance UID of the next instance, where that is not a new one
        self._moved = ""  # by how many seconds the clock was moved, as it was last said
        self.lost = ""  # what became of an order that was dropped, until the next one

    def ask(self, ask: Ask) -> None:
        """Ask for one capture; raises ``CaptureWaiting`` or ``ClipRunning``, and then nothing is asked for."""
        self.asks.put(ask)
        self.lost = ""
        self._wake.set()

    def inherit(self, turn: Turn) -> None:
        """Take over what another recorder was asked for and has not begun; raises ``CaptureWaiting``."""
        self.asks.inherit(turn)
        self._wake.set()

    @property
    def counts(self) -> Counts:
        """What it has done so far."""
        captures, frames, dropped, last_uid = self._done
        return Counts(captures, frames, dropped, recording=self._recording, last_uid=last_uid)

    @property
    def busy(self) -> bool:
        """Whether something would be lost with it: it captures, or has taken what is not durable yet."""
        return self._recording or bool(self._under_way)

    waits_for = "a trigger"  # without a period of its own

    @property
    def attention(self) -> str:
        """What a person must see to, as long as it is so; empty: nothing."""
        return ""

    @property
    def pending(self) -> bool:
        """Whether a capture was asked for that has not begun; whoever replaces this recorder hands it on."""
        return self.asks.waiting

    @property
    def armed(self) -> bool:
        """Whether frames are kept now."""
        armed = self._armed
        return armed is not None and armed.ready

    def lose_exposure(self, why: str) -> None:
        """Count and tell an exposure that has no image: nothing is worse."""
        self.imageless.add()
        self.alarm(f"AN EXPOSURE HAS NO IMAGE: {why}")

    def wake(self) -> None:
        """Make ``work`` look at its stop event."""
        self._wake.set()

    def work(self, stop: threading.Event, _facts: object = None) -> None:
        """Capture when it is time, until ``stop`` is set and ``wake`` was called."""
        if self._next_at is None:
            self._next_at = time.monotonic()
        try:
            self._turns(stop)
        except BaseException as error:
            if self.source.pre_trigger_s:
                self.trouble = str(error)
            self._drain()
            self._say(self._failures())
            raise
        finally:
            self._disarm()
            while self.asks.drop_exposure():
                self.lose_exposure("it was not looked for any more, for the source was closed")
        self._drain()
        self._raise_failure()

    def _turns(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._raise_failure()
            self._stay_armed()
            turn = self._take_turn(time.monotonic())
            if turn is not None:
                self._serve(turn, stop)
                continue
            self._wake.wait(self._pause(time.monotonic()))
            self._wake.clear()

    def _stay_armed(self) -> None:
        """Keep a source with ``pre_trigger_s`` open; raises what became of it."""
        if not self.source.pre_trigger_s:
            return
        if self._armed is None:
            from agent.acquire.armed import arm

            self._armed = arm(self.source, self._wake.set)
        if self._armed.failure is not None and not self.asks.exposed:  # their frames may be in memory
            raise self._armed.failure
        if self._armed.ready:
            self.trouble = ""

    def _disarm(self) -> None:
        if self._armed is not None:
            self._armed.close()
            self._armed = None

    def _open(self, turn: Turn, source: SourceSettings) -> Opened:
        """Open the source, or read from one that is open."""
        from agent.acquire.sources import Opened, configured

        if self._armed is None:
            return self._opened(source)
        turn.at_ns = turn.at_ns or time.monotonic_ns()
        if turn.ask is not None and turn.ask.kind == EXPOSURE:
            from agent.acquire.exposure import frame_of

            turn.view, told = frame_of(self._armed, source, turn.ask)
        else:
            before_s = source.pre_trigger_s if _is_clip(turn, source) else 0.0
            turn.view, told = self._armed.clip(turn.at_ns, before_s)
        turn.imageless = self.imageless.tell()
        lost = (("exposures_lost_before", turn.imageless),) if turn.imageless else ()
        turn.told = (*turn.told, *told, *lost)
        return configured(Opened(turn.view, 0), source)

    def _serve(self, turn: Turn, stop: threading.Event) -> None:
        again = False
        try:
            done = self._capture(stop, self._seal_meanwhile, turn)
        except (StoppedEarly, ExposureLost) as error:
            again = True
            self._made_nothing(turn, error)
        except BaseException as error:
            self._made_nothing(turn, error)
            raise
        else:
            self._ended(done)
        finally:
            self.asks.end(again=again)

    def _made_nothing(self, turn: Turn, error: BaseException) -> None:
        """Tell what a turn costs that has no sealed instance."""
        self.imageless.not_told(turn.imageless)
        if turn.ask is not None and turn.ask.kind == EXPOSURE:
            self.lose_exposure(str(error) or type(error).__name__)

    def record(self, stop: threading.Event) -> Recorded:
        """Capture one instance into the spool; a source that failed in mid-clip is raised once the clip is sealed."""
        try:
            done = self._capture(stop, self._seal, self.asks.begin() or self.asks.begin_alone())
        finally:
            self.asks.end()
        self._ended(done)
        return done

    def _capture(
        self, stop: threading.Event, complete: Callable[[Captured, Draft, InstanceRecord, Turn], T], turn: Turn
    ) -> T:
        """Capture one instance into a draft, and let ``complete`` do the rest while the source is still open."""
        # Module tables, dictionary and C core cost 8 MiB: a source that waits for its trigger does not have them yet.
        from agent.acquire.automatic import pick
        from agent.acquire.described import Order
        from agent.acquire.ledger_record import record_of
        from agent.acquire.pipeline import capture, expected_bytes

        source, ask = self.source, turn.ask
        if ask is not None and ask.kind in (STILL, EXPOSURE):
            still = STILL_OF.get(source.sop_class, source.sop_class) if ask.kind == STILL else source.sop_class
            source = source._replace(sop_class=still, clip_frames=1)
            if ask.kind == EXPOSURE:
                stop = threading.Event()  # its frame is in memory, or comes within its window
        urgency = (ask.priority if ask is not None else "") or source.priority or self._exam.priority
        turn.told = (("panel_event", ask.event),) if ask is not None and ask.event else ()
        log = self._open_log()
        self._recording = True
        try:
            with self._open(turn, source) as opened:
                picked = pick(source, opened, self._spool, self._destinations())
                unproven = bool(source.frame_digest_file)
                keep = partial(
                    record_of, source=self.source, turn=turn, picked=picked, urgency=urgency, unproven=unproven
                )
                digest, asked_ns = log.add if log else None, turn.at_ns if turn.view is not None else 0
                kept, named = self._kept(), self._named
                order = Order(
                    source, picked.syntax, digest, keep, self._warn, lambda: turn.ends_ns, named, asked_ns, kept
                )
                draft = self._spool.draft(expected_bytes(opened, order))
                try:
                    captured = capture(opened, order, self._exam, draft, stop)
                    turn.over, turn.frames = True, captured.frames
                    if log is not None:  # the proof is complete before the instance is known
                        log.close()
                    if draft.unkept is not None:
                        self._warn(f"frames of this clip were not kept on the way: {draft.unkept}")
                    unproven = unproven and (log is None or log.failure is not None)
                    record = keep(captured, unproven=unproven, unkept=draft.unkept is not None)
                    return complete(captured, draft, record, turn)
                except BaseException as error:
                    if isinstance(error, Exception):
                        self._salvage(draft)
                    draft.abandon()
                    raise
        finally:
            self._recording = False
            if turn.view is not None and self._armed is not None:
                self._armed.done(turn.view, turn.frames)
            if log is not None:
                log.close()
                if log.failure is not None:
                    self._warn(str(log.failure))

    def _opened(self, source: SourceSettings) -> Opened:
        from agent.acquire.sources import open_configured

        return open_configured(source)

    def _seal(self, captured: Captured, draft: Draft, record: InstanceRecord, _turn: Turn) -> Recorded:
        self._drain()  # they are told of in their order
        began = time.monotonic()
        done = Recorded(captured, draft.seal(record))
        self._seal_s, self._crowded = time.monotonic() - began, self.pending
        return done

    def _seal_meanwhile(self, captured: Captured, draft: Draft, record: InstanceRecord, turn: Turn) -> Recorded | None:
        """Let a still of a burst become durable while the next one is taken (None); anything else now."""
        still = captured.frames == 1 and captured.failure is None and draft.clip is None
        if not (still and self._is_burst(time.monotonic())):
            return self._seal(captured, draft, record, turn)
        from agent.acquire.under_way import Taken, UnderWay

        if self._under_way is None:
            self._under_way = UnderWay(self._spool, self._tell, self._made_nothing, self._wake.set)
        self._crowded = False
        self._under_way.put(Taken(captured, draft, record, turn))
        return None

    def _is_burst(self, now: float) -> bool:
        """Whether the next still waits, waited for the last one, or is due before this one would be durable.

        A lone one is sealed by its own thread: another one could only be later.
        """
        if self.pending or self._crowded or self._under_way:
            return True
        return self._automatic_left() and self._next_at is not None and self._next_at < now + self._seal_s

    def _ended(self, done: Recorded | None) -> None:
        if done is None:
            return
        self._tell(*done)
        if done.captured.failure is not None:
            raise done.captured.failure

    def _tell(self, captured: Captured, sealed: Sealed) -> None:
        """Count and report what is durable; one thread at a time."""
        captures, frames, dropped, _ = self._done
        self._done = (captures + 1, frames + captured.frames, dropped + captured.dropped, captured.sop_instance_uid)
        if captured.uncalibrated != self._uncalibrated:  # not of every frame, nor of every clip
            self._uncalibrated = captured.uncalibrated
            from agent.acquire.ledger_record import of_regions

            self._warn(f"source '{self.source.name}': {of_regions(captured)}")
        moved = str(dict(captured.clock).get("clock_step_s", ""))
        if moved and moved != self._moved:
            self._warn(f"the clock was moved by {moved} s during this study: {captured.sop_instance_uid} says so")
        self._moved = moved
        self._report(self.source, Recorded(captured, sealed))

    def _drain(self) -> None:
        if self._under_way is not None:
            self._under_way.drain()

    def _failures(self) -> list[BaseException]:
        return [] if self._under_way is None else self._under_way.failures()

    def _raise_failure(self) -> None:
        """Fail with the first still that could not be sealed; of the others it is said."""
        if failures := self._failures():
            self._say(failures[1:])
            raise failures[0]

    def _say(self, failures: Sequence[BaseException]) -> None:
        for failure in failures:
            self._warn(f"another still was not kept: {failure}")

    def _salvage(self, draft: Draft) -> None:
        """Keep the durable frames of a clip that failed; the failure itself is told by whoever caught it."""
        try:
            sealed = draft.salvage()
        except AgentError as error:
            self._warn(f"what is durable of this clip stays on the medium until the next start: {error}")
            return
        if sealed is not None:
            text = f"the clip failed, its durable frames are kept: {sealed.sop_instance_uid}, {sealed.size} bytes"
            self._warn(f"{text}, sha256 {sealed.file_sha256}")

    def _open_log(self) -> FrameLog | None:
        from agent.acquire.frame_log import FrameLog

        if not self.source.frame_digest_file:
            return None
        try:
            return FrameLog(self.source.frame_digest_file)
        except FileError as error:
            self._warn(str(error))
            return None

    def _take_turn(self, now: float) -> Turn | None:
        """Whether to capture now; a turn counts when it is taken, so that a broken source does not hurry."""
        if self.held_s():
            return None
        turn = self.asks.begin()
        if turn is not None:
            return turn
        if not self._automatic_left() or self._next_at is None or now < self._next_at:
            return None
        self._automatic += 1
        # Missed periods are not made up for: after a long clip the next one starts at the next full period.
        periods = int((now - self._next_at) / self.source.every_s) + 1
        self._next_at += periods * self.source.every_s
        return self.asks.begin_alone()

    def _automatic_left(self) -> bool:
        source = self.source
        return source.every_s > 0 and (source.captures == 0 or self._automatic < source.captures)

    def _pause(self, now: float) -> float | None:
        if held_s := self.held_s():
            return held_s
        if not self._automatic_left() or self._next_at is None:
            return None
        return max(0.0, self._next_at - now)


def _is_clip(turn: Turn, source: SourceSettings) -> bool:
    """Whether it is a clip that somebody asked for, which begins before that."""
    return turn.ask is not None and turn.ask.kind not in (STILL, EXPOSURE) and source.sop_class in MULTI_FRAME_WORDS
