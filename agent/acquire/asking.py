"""What a source is asked for, and the capture under way: who may ask for what, and when.

::

    capture   one instance, as long as the source says
    clip      the same, and it runs until it is told to end
    still     one frame
    exposure  the frame of an exposure, of a source that stays open (``exposure.py``)

One order waits at most, so that every order that was taken is one instance; what cannot be taken is refused with its
reason. A clip is refused while another one runs, because whoever asks for it believes that none does. ``stop`` ends
what runs, at the moment it names; a clip that has not begun by then ends with its first frame, for an order that was
taken makes an image. What was asked for after that moment is another's, and so is, for a pedal that is held, what its
own foot did not ask for: neither is ended.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from agent.errors import CaptureWaiting, ClipRunning, NoClip
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.acquire.armed import View

CAPTURE: Final = "capture"
CLIP: Final = "clip"
STILL: Final = "still"
EXPOSURE: Final = "exposure"
# Exposures that wait: a series of them is quicker than a medium that syncs, and their frames are in memory.
EXPOSURES: Final = 16
# SOP Class of a still -> of the clips whose frame it is. One frame of xa and xrf is an instance of the same.
STILL_OF: Final = {"us-mf": "us", "sc-mf-byte": "sc", "sc-mf-word": "sc", "sc-mf-color": "sc"}
_WHAT: Final = {CLIP: "a clip", STILL: "a still", EXPOSURE: "the image of an exposure"}


class Ask(NamedTuple):
    """One order; ``at_ns`` is the moment of the pedal or request on the monotonic clock."""

    kind: str = CAPTURE
    priority: str = ""  # of what it makes; empty: that of the source
    at_ns: int = 0
    uncertain_ns: int = 0  # how far from that it may have been
    event: str = ""  # of the front panel that asked
    held_by: str = ""  # the input of it that ends the clip when it is released


class Turn:
    """One capture: its order, None where the source captures by itself, and the moment it is told to end."""

    __slots__ = ("ask", "at_ns", "ends_ns", "frames", "imageless", "over", "told", "view")

    def __init__(self, ask: Ask | None = None) -> None:
        self.ask = ask
        self.at_ns = 0 if ask is None else ask.at_ns
        self.ends_ns = 0  # monotonic; 0: nobody has told it yet
        self.over = False  # its last frame is taken
        self.frames = 0  # in its instance
        self.told: tuple[tuple[str, object], ...] = ()  # for its receipt
        self.imageless = 0  # exposures without an image that its receipt tells of
        self.view: View | None = None  # of a source that stays open


class Asks:
    """The orders of one source; safe to use from any thread."""

    __slots__ = ("_dropped", "_exposures", "_lock", "_name", "_now", "_waits")

    def __init__(self, name: str, waits: Turn | None = None) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waits = waits
        self._exposures: deque[Ask] = deque()
        self._now: Turn | None = None
        self._dropped: Callable[[], None] | None = None  # once somebody has taken over

    @property
    def waiting(self) -> bool:
        """Whether something was asked for that has not begun."""
        return self._waits is not None or bool(self._exposures)

    @property
    def exposed(self) -> bool:
        """Whether an exposure waits for its frame."""
        return bool(self._exposures)

    @property
    def idle(self) -> bool:
        """Whether nothing waits, and no turn is taken."""
        return self._now is None and not self.waiting

    def ran(self, at_ns: int) -> bool:
        """Whether a clip would be stopped at this moment: it takes frames, or waits, and was asked for by then."""
        with self._lock:
            turn = self._running()
            return turn is not None and turn.at_ns <= at_ns

    def put(self, ask: Ask) -> None:
        """Take an order; raises ``CaptureWaiting`` or ``ClipRunning``."""
        with self._lock:
            self.require_free(ask.kind)
            if ask.kind == EXPOSURE:
                self._exposures.append(ask)
            else:
                self._waits = Turn(ask)

    def require_free(self, kind: str) -> None:
        """Raise why such an order cannot be taken."""
        now = self._now if self._now is not None and not self._now.over else None
        exposed = now is not None and now.ask is not None and now.ask.kind == EXPOSURE
        if kind != CAPTURE and now is not None and not (exposed and kind == EXPOSURE):
            raise ClipRunning(f"{self._name} captures already; {_WHAT[kind]} beside that is not made")
        if kind == EXPOSURE:
            if len(self._exposures) >= EXPOSURES:
                raise CaptureWaiting(f"{EXPOSURES} exposures of {self._name} are waiting for their frames already")
        elif self._waits is not None:
            raise CaptureWaiting(f"a capture of {self._name} is already waiting; this one is not made")

    def stop(self, at_ns: int, held_by: str = "") -> None:
        """Let what runs, or else what waits, end at this moment; raises ``NoClip``.

        ``held_by``: only what this input asked for, which was before it is released, whatever ``at_ns`` says.
        """
        with self._lock:
            turn = self._held(held_by) if held_by else self._running()
            if turn is None and self._running() is not None:
                raise NoClip(f"the clip of {self._name} that runs was asked for by another: it goes on")
            if turn is None:
                raise NoClip(f"no clip of {self._name} runs")
            if not held_by and at_ns < turn.at_ns:
                raise NoClip(f"the clip of {self._name} that runs was asked for after that: it goes on")
            turn.ends_ns = turn.ends_ns or max(at_ns, turn.at_ns)

    def begin(self) -> Turn | None:
        """Take the turn of what waits, if something does."""
        with self._lock:
            if self._exposures:  # their frames are written over
                self._now = Turn(self._exposures.popleft())
            else:
                self._now, self._waits = self._waits, None
            return self._now

    def begin_alone(self) -> Turn:
        """Take a turn that nobody asked for."""
        with self._lock:
            self._now = Turn()
            self._now.at_ns = time.monotonic_ns()
            return self._now

    def end(self, *, again: bool = False) -> None:
        """Be done with the turn; ``again``: it made nothing, and its order waits as before, if somebody is there."""
        with self._lock:
            asked = self._now is not None and self._now.ask is not None and self._now.ask.kind != EXPOSURE
            dropped = self._dropped if again and asked else None
            if again and self._waits is None and asked and dropped is None:
                self._waits = self._now
            self._now = None
        if dropped is not None:
            dropped()

    def drop_exposure(self) -> bool:
        """Forget the oldest exposure that waits; whether there was one."""
        with self._lock:
            return bool(self._exposures) and self._exposures.popleft() is not None

    def give(self, dropped: Callable[[], None] | None = None) -> Turn | None:
        """Give away what waits, for whoever takes over; ``dropped`` is called should an order come back after that."""
        with self._lock:
            turn, self._waits, self._dropped = self._waits, None, dropped
            return turn

    def inherit(self, turn: Turn) -> None:
        """Take over what waited elsewhere; raises ``CaptureWaiting``."""
        with self._lock:
            self.require_free(CAPTURE)
            self._waits = turn

    def _held(self, by: str) -> Turn | None:
        turns = (one for one in (self._now, self._waits) if one is not None and not one.over)
        return next((one for one in turns if one.ask is not None and one.ask.held_by == by), None)

    def _running(self) -> Turn | None:
        return self._now if self._now is not None and not self._now.over else self._waits
