"""From capture time stamps to Frame Time or Frame Time Vector (PS3.3 C.7.6.5, promise P12).

Frame spacing is measured with a monotonic clock; wall-clock strings say only when the first frame was. ``FrameClock``
takes the number and time stamp of each frame as it is stored. A regular clip gets one Frame Time, the mean. When frames
were dropped, or the spacing wanders, one mean would be false: the clip gets a Frame Time Vector, which shows each gap.

Memory stays bounded: an explicit VR value holds 65 534 bytes, so a vector cannot describe more than some thousand
frames. Beyond that only the mean is kept, and the comment says between what limits the spacing varied.
"""

from __future__ import annotations

from array import array

from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agent.iod.acquisition import Acquisition

MAX_VECTOR_BYTES = 65534  # 16-bit length of an explicit VR DS, even (PS3.5 7.1.2)
MAX_VECTOR_FRAMES = MAX_VECTOR_BYTES // 2  # shortest value is a digit and a backslash
REGULAR_FRACTION = 0.1  # spacing within a tenth of the mean cannot be seen in playback
REGULAR_SLACK_MS = 2.0  # scheduling jitter of a small box at high frame rates
NS_PER_MS = 1_000_000
RESOLUTION_DIGITS = 3  # microseconds


class Losses(NamedTuple):
    """Why frame numbers are missing; the rest of them found no room in time."""

    lost: int = 0
    """Never came from the device."""
    damaged: int = 0
    """Came incomplete, or the device said that they are wrong."""
    restarts: int = 0
    """Times that the device began to count anew: how many were lost then nobody knows."""

    @property
    def said(self) -> str:
        """In words, in brackets behind a number of dropped frames; empty: there is nothing to say."""
        words = (
            (self.lost, f"{self.lost} never came"),
            (self.damaged, f"{self.damaged} damaged"),
            (self.restarts, f"the device counted anew {self.restarts} times: more may be missing"),
        )
        said = ", ".join(text for count, text in words if count)
        return f" ({said})" if said else ""


class FrameClock:
    """Collects when frames were captured; constant cost per frame.

    ``add`` wants ascending frame numbers of the source, whose gaps are dropped frames, time stamps in ns, and what the
    source had counted of its losses until then.
    """

    __slots__ = (
        "_first_losses",
        "_first_ns",
        "_intervals",
        "_last_losses",
        "_last_ns",
        "_last_number",
        "dropped",
        "frames",
        "longest_ms",
        "shortest_ms",
    )

    def __init__(self) -> None:
        self.frames = 0
        self.dropped = 0
        self.shortest_ms = 0.0
        self.longest_ms = 0.0
        self._first_ns = self._last_ns = self._last_number = 0
        self._intervals = array("d")
        self._first_losses = self._last_losses = (0, 0, 0)

    def add(self, number: int, timestamp_ns: int, losses: tuple[int, int, int] = (0, 0, 0)) -> None:
        """Note one stored frame."""
        interval_ms = 0.0
        if self.frames == 0:
            self._first_ns, self._first_losses = timestamp_ns, losses
        else:
            interval_ms = (timestamp_ns - self._last_ns) / NS_PER_MS
            self.dropped += max(0, number - self._last_number - 1)
            self.shortest_ms = min(self.shortest_ms, interval_ms) if self.frames > 1 else interval_ms
            self.longest_ms = max(self.longest_ms, interval_ms)
        if self.frames < MAX_VECTOR_FRAMES:
            self._intervals.append(interval_ms)
        self.frames += 1
        self._last_ns, self._last_number, self._last_losses = timestamp_ns, number, losses

    @property
    def losses(self) -> Losses:
        """What became of the dropped frames between the first and the last stored one, as far as the source knows."""
        return Losses(*(last - first for last, first in zip(self._last_losses, self._first_losses, strict=True)))

    @property
    def frame_time_ms(self) -> float:
        """Mean spacing; 0 for a single frame."""
        if self.frames < 2:
            return 0.0
        return (self._last_ns - self._first_ns) / (self.frames - 1) / NS_PER_MS

    @property
    def is_regular(self) -> bool:
        """Whether one Frame Time describes the clip."""
        if self.frames < 2:
            return True
        mean = self.frame_time_ms
        slack = max(mean * REGULAR_FRACTION, REGULAR_SLACK_MS)
        return not self.dropped and mean - slack <= self.shortest_ms and self.longest_ms <= mean + slack

    def increments_ms(self) -> list[float] | None:
        """Frame Time Vector values, or None where they would not fit an element."""
        if self.frames > len(self._intervals):
            return None
        found = [round(interval, RESOLUTION_DIGITS) for interval in self._intervals]
        return found if sum(len(str(value)) + 1 for value in found) <= MAX_VECTOR_BYTES else None

    def into(self, acquisition: Acquisition) -> Acquisition:
        """Fill the frame fields of an acquisition."""
        vector = None if self.is_regular else self.increments_ms()
        comments = acquisition.comments
        if vector is None and not self.is_regular:
            note = f"Frame spacing varied from {self.shortest_ms:.3f} to {self.longest_ms:.3f} ms"
            comments = f"{comments}. {note}" if comments else note
        return acquisition._replace(
            number_of_frames=self.frames,
            frame_time_ms=round(self.frame_time_ms, RESOLUTION_DIGITS),
            frame_times_ms=vector,
            frames_dropped=self.dropped,
            comments=comments,
        )
