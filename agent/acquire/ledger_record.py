"""What the ledger is told of a capture: the first event of its receipt."""

from __future__ import annotations

from agent.acquire.pipeline import frames_missing
from agent.acquire.pixel_path import told
from agent.spool.draft import InstanceRecord
from agent.spool.states import PRIORITY_OF_WORD
from agent.transcode.choose import kind_of
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.acquire.asking import Turn
    from agent.acquire.automatic import Picked
    from agent.acquire.described import Captured
    from agent.config.settings import SourceSettings


def record_of(
    captured: Captured,
    source: SourceSettings,
    turn: Turn,
    *,
    picked: Picked,
    urgency: str,
    unproven: bool,
    unkept: bool = False,
) -> InstanceRecord:
    """Say everything of it that is not in its Data Set; ``unproven``: its frame log is not whole."""
    pixel_path = told(source)
    missing = frames_missing(source, captured.frames, captured.ended_by)
    return InstanceRecord(
        captured.sop_instance_uid,
        captured.sop_class_uid,
        captured.transfer_syntax_uid,
        captured.study_uid,
        captured.series_uid,
        captured.started.wall_s,
        source.name,
        facts=(
            ("frames", captured.frames),
            ("dropped", captured.dropped),
            ("frame_time_ms", round(captured.frame_time_ms, 3)),
            ("ended_by", captured.ended_by),
            *captured.clock,
            *_compression(captured),
            ("pixels", kind_of(captured.description)),
            ("native_bytes", captured.native_bytes),
            ("encode_s", round(captured.encode_s, 6)),
            ("syntax_why", picked.why),
            *((("frames_missing", missing),) if missing else ()),
            *(of_device for of_device in captured.losses._asdict().items() if of_device[1]),
            *captured.told,
            *turn.told,
            *((("pixel_path", pixel_path),) if pixel_path else ()),
            *((("grey", captured.grey),) if captured.grey else ()),
            *((("calibration", said),) if (said := of_regions(captured)) else ()),
            *((("frame_log", "failed"),) if unproven else ()),
            *((("kept_on_the_way", "failed"),) if unkept else ()),
            *((("failure", captured.failure.code),) if captured.failure else ()),
        ),
        priority=PRIORITY_OF_WORD[urgency],
    )


def _compression(captured: Captured) -> tuple[tuple[str, str], ...]:
    report = captured.report
    if report is None:
        return ()
    verified = ("verified", f"{report.verified} of {report.frames}")
    if not report.method:
        return (verified,)
    return (verified, ("near", str(report.near)), ("lossy", f"{report.ratio:.3f} {report.method}"))


def of_regions(captured: Captured) -> str:
    """What calibrated its regions, or why it has none."""
    return f"no calibrated regions: {captured.uncalibrated}" if captured.uncalibrated else captured.calibration
