"""How a clip began and ended, in words, where it was not by its own limits: for log, receipt and ``why``."""

from __future__ import annotations

from agent.app.term import count_text
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ENDS: Final[Mapping[str, str]] = {
    "stop": "ended by stop/reload of the agent after {frames}",
    "failed": "ended by a failure after {frames}",
    "room": "ended after {frames}, the instance can hold no more",
    "cut": "cut off after {frames}, the end is missing",
    "full": "ended after {frames}, the medium was full",
}


def early_end(ended_by: str, frames: int, missing: int = 0) -> str:
    """Say why a clip is shorter than was asked for, or ''; ``missing`` frames are those its source did not have."""
    said = count_text(frames, "frame")
    if missing:
        return f"the source ended before the clip was full, after {frames} of {count_text(frames + missing, 'frame')}"
    return _ENDS.get(ended_by, "").format(frames=said)


def asked_facts(detail: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Say what an instance has of the time before it was asked for, or how it was chosen: a word, and the rest."""
    if "pre_trigger_s" in detail:
        yield "pedal", f"the clip begins {detail['pre_trigger_s']} s before it was asked for"
    if "exposure_to_frame_ms" in detail:
        text = f"its frame was begun {detail['exposure_to_frame_ms']} ms after it, give or take "
        text += f"{detail['exposure_known_to_ms']} ms"
        if "frame_before_exposure" in detail:
            text += "; the frame in front of it is not known: it may not be the first one"
        yield "exposure", text
    if "exposures_lost_before" in detail:
        yield "lost", f"{count_text(int(detail['exposures_lost_before']), 'exposure')} before it without an image"


def early_end_of(detail: Mapping[str, str]) -> str:
    """The same from what the ledger holds of a capture."""
    return early_end(detail.get("ended_by", ""), int(detail["frames"]), int(detail.get("frames_missing", "0")))
