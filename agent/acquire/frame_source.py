"""What captures need of a source, and a source in front of another one that passes on what it is asked."""

from __future__ import annotations

from agent.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.native.frame import Frame, PixelDescription
    from agent.native.source import Counters


class FrameSource(Protocol):
    """What captures need of a source; ``agent.native.source.Source`` is one."""

    @property
    def description(self) -> PixelDescription:
        """What its frames are."""

    @property
    def rate_hz(self) -> float:
        """Its pace; 0: that of whoever takes."""

    @property
    def ended(self) -> bool:
        """Whether no frame waits and none will come."""

    def start(self) -> None:
        """Begin to deliver."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for a frame or the end."""

    def take(self) -> Frame | None:
        """The oldest frame that waits."""

    def give_back(self, frame: Frame) -> None:
        """Be done with it."""

    def counters(self) -> Counters:
        """What became of every frame."""

    @property
    def told(self) -> Callable[[], tuple[tuple[str, object], ...]]:
        """What a device has to say of all its frames so far, for the receipt."""

    def stop(self) -> None:
        """Deliver no more."""

    def close(self) -> None:
        """Stop and free."""


class Passing:
    """A source in front of ``source``: all it says and gives, until a class of it does something about frames."""

    __slots__ = ("_source", "description", "rate_hz")

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self.description = source.description
        self.rate_hz = source.rate_hz

    @property
    def ended(self) -> bool:
        """As the source says."""
        return self._source.ended

    def start(self) -> None:
        """As the source does."""
        self._source.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """As the source does."""
        return self._source.wait(timeout_s)

    def take(self) -> Frame | None:
        """As the source does."""
        return self._source.take()

    def give_back(self, frame: Frame) -> None:
        """As the source does."""
        self._source.give_back(frame)

    def counters(self) -> Counters:
        """As the source counts."""
        return self._source.counters()

    @property
    def told(self) -> Callable[[], tuple[tuple[str, object], ...]]:
        """As the source says."""
        return self._source.told

    def stop(self) -> None:
        """As the source does."""
        self._source.stop()

    def close(self) -> None:
        """As the source does."""
        self._source.close()
