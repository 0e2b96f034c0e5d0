"""What an instance says of its clip, at its end or, should it never come to that, as far as it has come.

Everything that depends on how many frames there are, when they were and how the clip ended is said here and nowhere
else, so that what recovery makes of a clip that was cut off (agent/spool/clip.py) is what the capture would have made
of the same frames, and one sentence more: that its end is missing. The Standard has no Attribute for that; Partial View
(0028,1350) speaks of space, so it stands in Image Comments (0020,4000), and in the receipt.
"""

from __future__ import annotations

from agent.acquire.clock import clock_facts, is_live, synchronized
from agent.iod.acquisition import LossyStep
from agent.iod.build import KINDS, build
from agent.iod.image import require_no_padding
from agent.media.part10 import FileMeta
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.acquire.calibration import Calibrated
    from agent.acquire.clock import WallStamp
    from agent.acquire.exam import Exam
    from agent.acquire.grey import GreyWriter
    from agent.config.settings import SourceSettings
    from agent.dataset.dataset import DataSet
    from agent.dataset.pixels import PixelDescription
    from agent.errors import AgentError
    from agent.iod.acquisition import Acquisition
    from agent.iod.timing import FrameClock, Losses
    from agent.link.timekeeping import Kept
    from agent.native.encoder import Report
    from agent.native.source import Counters
    from agent.spool.draft import InstanceRecord

# What a source without a clock gets: 30 frames/s.
NOMINAL_FRAME_TIME_MS: Final = 33.333
# What a clock that stands still comes out below; no device delivers a million frames a second.
MIN_FRAME_TIME_MS: Final = 0.001
CUT: Final = "cut"  # how a clip ended of whose end nobody was told


class Captured(NamedTuple):
    """One finished instance and how it came about; the file is complete but not yet sealed."""

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    study_uid: str
    series_uid: str
    frames: int
    dropped: int  # between the first and the last stored frame
    losses: Losses  # why, as far as the source knows
    frame_time_ms: float  # measured mean
    native_bytes: int  # of the frames as they are stored
    started: WallStamp
    seconds: float  # first frame to last frame written
    ended_by: str  # frames, time, operator, source, failed, room, full, stop, cut
    counters: Counters
    description: PixelDescription  # of the frames as they are stored
    report: Report | None  # what compression did to the pixels
    failure: AgentError | None = None  # why source or encoder failed, to be reported once the instance is safe
    encode_s: float = 0.0  # CPU seconds of the compressor
    grey: str = ""  # what grey_as_monochrome came to
    calibration: str = ""  # whose regions the instance has
    uncalibrated: str = ""  # why it has none of the template of its source
    told: tuple[tuple[str, object], ...] = ()  # what the device has to say of its frames
    clock: tuple[tuple[str, object], ...] = ()  # what the wall clock was worth


def _to_nobody(_text: str) -> None:
    """Say nothing."""


def _by_itself() -> int:
    """Tell no clip to end."""
    return 0


class Order(NamedTuple):
    """What to capture: the settings of the source, the resolved transfer syntax, and the optional frame log.

    ``keep`` makes the record of the ledger of a clip so far; without it frames are not kept on the way. ``warn`` hears
    at once that they are not, or no longer: a power cut would cost more than the last second then. ``ends_ns`` is the
    moment on the monotonic clock at which an operator ends the clip, 0 before he does; ``asked_ns`` that from which
    ``clip_s`` counts, where frames in front of it are of the clip, too. ``kept`` says who keeps the wall clock right.
    """

    source: SourceSettings
    transfer_syntax_uid: str
    # (UID, frame from 1, source's number, samples, words beside them)
    digest: Callable[[str, int, int, memoryview, tuple[str, ...]], None] | None = None
    keep: Callable[[Captured], InstanceRecord] | None = None
    warn: Callable[[str], None] = _to_nobody
    ends_ns: Callable[[], int] = _by_itself
    sop_instance_uid: str = ""  # where it follows from what is captured; else a new one
    asked_ns: int = 0
    kept: Kept | None = None


class Moment(NamedTuple):
    """A clip as far as it has come."""

    started: WallStamp
    clock: FrameClock
    report: Report | None
    description: PixelDescription  # of the frames as they are stored
    grey: GreyWriter | None  # where they are grey ones of a source in colour
    ended_by: str
    measured: bool  # the source has a pace of its own
    seconds: float
    counters: Counters
    failure: AgentError | None = None
    encode_s: float = 0.0
    said: str = ""
    calibrated: Calibrated | None = None  # where the source has a template of regions
    told: tuple[tuple[str, object], ...] = ()
    step_s: float = 0.0  # by how much the wall clock was moved since the study began


def describe(order: Order, exam: Exam, facts: Acquisition, at: Moment) -> tuple[FileMeta, DataSet, Captured]:
    """Say everything of an instance that ends ``at`` this moment; ``facts`` are those known before its first frame."""
    clock, report, started, calibrated = at.clock, at.report, at.started, at.calibrated
    facts = facts._replace(
        date=started.date,
        time=started.time,
        timezone_offset=started.offset,
        synchronized=synchronized(started, order.kept) if is_live(order.source) else None,
    )
    # Frames that come as fast as we take them have no spacing of their own; ours would be a false one.
    timed = at.measured and clock.frame_time_ms >= MIN_FRAME_TIME_MS
    nominal = clock.frames > 1 and not timed and not facts.capture.pages
    near = report.near if report is not None else 0
    if calibrated is not None:
        facts = calibrated.into(facts)
    notes = (
        (facts.comments, facts.comments != ""),
        (f"JPEG-LS near-lossless, no sample differs by more than {near}", near > 0),
        ("The clock of the device was not set", not started.is_set),
        (f"The clock of the device was moved by {at.step_s:+.1f} s during the study", at.step_s != 0.0),
        ("Frame time is nominal", nominal),
        ("The device began to count its frames anew: how many are missing is not known", clock.losses.restarts > 0),
        ("The source failed before the clip was complete", at.ended_by == "failed"),
        ("The recording was cut off, the end of the clip is missing", at.ended_by == CUT),
    )
    facts = facts._replace(comments=". ".join(text for text, said in notes if said))
    comments = facts.comments
    facts = clock.into(facts)
    frame_time_ms = clock.frame_time_ms
    if nominal:
        frame_time_ms = NOMINAL_FRAME_TIME_MS
        facts = facts._replace(frame_time_ms=frame_time_ms, frame_times_ms=None, comments=comments)
    facts = compressed(facts, report)
    if at.grey is not None:
        facts = at.grey.facts(facts)
    kind = order.source.sop_class
    dataset = build(
        kind,
        description=coded(at.description, report),
        context=exam.context(order.source, started),
        acquisition=facts,
    )
    meta = FileMeta(KINDS[kind].sop_class_uid, facts.sop_instance_uid, order.transfer_syntax_uid)
    said: dict[str, Any] = {name: getattr(at, name) for name in Captured._fields if name in Moment._fields}
    return meta, dataset, Captured(
        sop_instance_uid=facts.sop_instance_uid,
        sop_class_uid=meta.sop_class_uid,
        transfer_syntax_uid=order.transfer_syntax_uid,
        study_uid=facts.study_instance_uid,
        series_uid=facts.series_instance_uid,
        frames=clock.frames,
        dropped=clock.dropped,
        losses=clock.losses,
        frame_time_ms=frame_time_ms,
        native_bytes=clock.frames * at.description.frame_bytes,
        **{**said, "grey": at.said, "clock": clock_facts(started, order.kept, at.step_s)},
        calibration="" if calibrated is None else calibrated.said,
        uncalibrated="" if calibrated is None else calibrated.missing,
    )  # fmt: skip


def compressed(facts: Acquisition, report: Report | None) -> Acquisition:
    """Add our own compression to the lossy history, where the encoder lost anything (PS3.3 C.7.6.1.1.5)."""
    if report is None or not report.method:
        return facts
    if facts.attributes is not None:
        require_no_padding(facts.attributes)
    return facts._replace(lossy_steps=(*facts.lossy_steps, LossyStep(report.ratio, report.method)))


def coded(description: PixelDescription, report: Report | None) -> PixelDescription:
    """What the encoder made of the frames."""
    if report is None:
        return description
    return description._replace(photometric_interpretation=report.photometric_interpretation)
