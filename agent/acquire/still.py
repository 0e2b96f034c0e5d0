"""One picture in memory as a source: what captures take of it is a single frame."""

from __future__ import annotations

from agent.native.frame import Frame
from agent.native.source import Counters
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.dataset.pixels import PixelDescription

    Facts = tuple[tuple[str, object], ...]


class Still:
    """A ``FrameSource`` with one frame, of the moment ``at_ns`` (CLOCK_MONOTONIC, before 0 where that was earlier).

    ``facts`` are for its receipt.
    """

    __slots__ = ("_at_ns", "_data", "_facts", "_taken", "description")

    rate_hz = 0.0

    def __init__(self, description: PixelDescription, data: bytes, at_ns: int, facts: Facts = ()) -> None:
        self.description = description
        self._data = data
        self._at_ns = at_ns
        self._facts = facts
        self._taken = False

    @property
    def ended(self) -> bool:
        """Whether its frame was taken."""
        return self._taken

    def start(self) -> None:
        """It is there already."""

    def wait(self, timeout_s: float | None = None) -> bool:  # noqa: ARG002  the protocol has it
        """Nobody waits for it."""
        return True

    def take(self) -> Frame | None:
        """Its frame, once."""
        if self._taken:
            return None
        self._taken = True
        return Frame(1, self._at_ns, memoryview(self._data), 0)

    def give_back(self, frame: Frame) -> None:
        """Make its view unusable."""
        frame.data.release()

    def counters(self) -> Counters:
        """One frame."""
        return Counters(1, 1, int(self._taken), 0, int(not self._taken), 0, 1)

    def told(self) -> Facts:
        """What is known of it."""
        return self._facts

    def stop(self) -> None:
        """There is nothing to stop."""

    def close(self) -> None:
        """There is nothing to free."""
