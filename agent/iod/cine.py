"""Frames in time or in order: the Cine, Multi-frame and Frame Pointers Modules (PS3.3 C.7.6.5, C.7.6.6, C.7.6.9).

Every multi-frame instance says what its frames are spaced by, in Frame Increment Pointer. A clip points to Frame Time
Vector when the acquisition brings one (frames were dropped, or the spacing wandered: timing.FrameClock decides from
the measured time stamps), else to Frame Time. A single frame points to Frame Time 0, as the Standard provides. Pages of
a document have an order and no time: they point to Page Number Vector.

Rates for playback follow the measured mean unless the site wants another. Start Trim and Stop Trim, the first and last
frame worth showing, come from whoever chose them and must lie in the clip.
"""

from __future__ import annotations

from agent.errors import IodError
from agent.iod.timing import MAX_VECTOR_BYTES
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet
    from agent.iod.acquisition import Acquisition, CineFacts

FRAME_TIME, FRAME_TIME_VECTOR, PAGE_NUMBER_VECTOR = 0x00181063, 0x00181065, 0x00182001
START_TRIM = 0x00082142
MS_PER_S = 1000.0
MAX_RATE_HZ = 1000  # Cine Rate and Recommended Display Frame Rate are whole numbers of at least 1
LOOPING: Final = 0


def compose(ds: DataSet, acquisition: Acquisition) -> None:
    """Add Number of Frames, Frame Increment Pointer and what it points to, Cine and Frame Pointers."""
    count = acquisition.number_of_frames
    ds["NumberOfFrames"] = count
    vector = acquisition.frame_times_ms
    if vector is not None:
        ds["FrameIncrementPointer"] = FRAME_TIME_VECTOR
        ds["FrameTimeVector"] = list(vector)
        total_ms = sum(vector)
        mean_ms = total_ms / max(1, count - 1)
    else:
        mean_ms = _frame_time(acquisition)
        total_ms = mean_ms * (count - 1)
        ds["FrameIncrementPointer"] = FRAME_TIME
        ds["FrameTime"] = mean_ms
    if count > 1 and mean_ms > 0:
        _playback(ds, acquisition.cine, mean_ms, total_ms)
    _frames_of_interest(ds, acquisition.cine, count)


def compose_pages(ds: DataSet, acquisition: Acquisition) -> None:
    """Add Number of Frames and the page number of each: frames that no time separates."""
    count = acquisition.number_of_frames
    ds["NumberOfFrames"] = count
    ds["FrameIncrementPointer"] = PAGE_NUMBER_VECTOR
    if sum(len(str(page)) + 1 for page in range(1, count + 1)) > MAX_VECTOR_BYTES:
        raise IodError(f"PageNumberVector has no room for {count} pages", tag=PAGE_NUMBER_VECTOR)
    ds["PageNumberVector"] = list(range(1, count + 1))
    _frames_of_interest(ds, acquisition.cine, count)


def _frame_time(acquisition: Acquisition) -> float:
    if acquisition.frame_time_ms is not None:
        return acquisition.frame_time_ms
    if acquisition.number_of_frames > 1:
        raise IodError("FrameTime is not known: Cine Module, PS3.3 Table C.7-13, type 1C", tag=FRAME_TIME)
    return 0.0


def _playback(ds: DataSet, facts: CineFacts, mean_ms: float, total_ms: float) -> None:
    rate_hz = min(MAX_RATE_HZ, max(1, round(MS_PER_S / mean_ms)))
    ds["CineRate"] = rate_hz
    ds["RecommendedDisplayFrameRate"] = facts.display_rate_hz or rate_hz
    ds["EffectiveDuration"] = round((total_ms + mean_ms) / MS_PER_S, 3)
    ds["PreferredPlaybackSequencing"] = facts.playback
    if facts.frame_delay_ms is not None:
        ds["FrameDelay"] = facts.frame_delay_ms
    if facts.exposure_ms is not None:
        ds["ActualFrameDuration"] = facts.exposure_ms


def _frames_of_interest(ds: DataSet, facts: CineFacts, count: int) -> None:
    """Frame numbers start with 1; none may lie outside the clip."""
    if facts.trim is not None:
        first, last = facts.trim
        if not 1 <= first <= last <= count:
            raise IodError(f"StartTrim {first} and StopTrim {last} do not lie in 1 to {count}", tag=START_TRIM)
        ds["StartTrim"], ds["StopTrim"] = first, last
    for frame in (*([facts.representative_frame] if facts.representative_frame else ()), *facts.interesting):
        number = frame if isinstance(frame, int) else frame[0]
        if not 1 <= number <= count:
            raise IodError(f"frame {number} of interest does not lie in 1 to {count}", tag=0x00286020)
    if facts.representative_frame:
        ds["RepresentativeFrameNumber"] = facts.representative_frame
    if facts.interesting:
        ds["FrameNumbersOfInterest"] = [number for number, _ in facts.interesting]
        ds["FrameOfInterestDescription"] = [text for _, text in facts.interesting]
