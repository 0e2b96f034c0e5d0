"""What a source is asked for, and the capture under way: who may ask for what, and when.

::

    capture   one instance, as long as the source says
    clip      the same, and it runs until it is told to end
    still     one frame

One order waits at most, so that every order that was taken is one instance; what cannot be taken is refused with its
reason. A clip is refused while another one runs, because whoever asks for it believes that none does. ``stop`` ends
what runs, at the moment it names; a clip that has not begun by then ends with its first frame, for an order that was
taken makes an image.
"""

from __future__ import annotations

import threading

from agent.errors import CaptureWaiting, ClipRunning, NoClip
from agent.typed import Final, NamedTuple

CAPTURE: Final = "capture"
CLIP: Final = "clip"
STILL: Final = "still"
# SOP Class of a still -> of the clips whose frame it is. One frame of xa and xrf is an instance of the same.
STILL_OF: Final = {"us-mf": "us", "sc-mf-byte": "sc", "sc-mf-word": "sc", "sc-mf-color": "sc"}


class Ask(NamedTuple):
    """One order; ``at_ns`` is the moment of the pedal or request on the monotonic clock."""

    kind: str = CAPTURE
    priority: str = ""  # of what it makes; empty: that of the source
    at_ns: int = 0


class Turn:
    """One capture: its order, None where the source captures by itself, and the moment it is told to end."""

    __slots__ = ("ask", "ends_ns", "over")

    def __init__(self, ask: Ask | None = None) -> None:
        self.ask = ask
        self.ends_ns = 0  # monotonic; 0: nobody has told it yet
        self.over = False  # its last frame is taken


class Asks:
    """The orders of one source; safe to use from any thread."""

    __slots__ = ("_lock", "_name", "_now", "_waits")

    def __init__(self, name: str, waits: Turn | None = None) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waits = waits
        self._now: Turn | None = None

    @property
    def waiting(self) -> bool:
        """Whether something was asked for that has not begun."""
        return self._waits is not None

    @property
    def running(self) -> bool:
        """Whether a clip would be stopped now: it takes frames, or was asked for."""
        return self._running() is not None

    def put(self, ask: Ask) -> None:
        """Take an order; raises ``CaptureWaiting`` or ``ClipRunning``."""
        with self._lock:
            self.require_free(ask.kind)
            self._waits = Turn(ask)

    def require_free(self, kind: str) -> None:
        """Raise why such an order cannot be taken."""
        if kind != CAPTURE and self._now is not None and not self._now.over:
            what = "a clip" if kind == CLIP else "a still"
            raise ClipRunning(f"{self._name} captures already; {what} beside that is not made")
        if self._waits is not None:
            raise CaptureWaiting(f"a capture of {self._name} is already waiting; this one is not made")

    def stop(self, at_ns: int) -> None:
        """Let what runs, or else what waits, end at this moment; raises ``NoClip``."""
        with self._lock:
            turn = self._running()
            if turn is None:
                raise NoClip(f"no clip of {self._name} runs")
            turn.ends_ns = turn.ends_ns or at_ns

    def begin(self) -> Turn | None:
        """Take the turn of what waits, if something does."""
        with self._lock:
            self._now, self._waits = self._waits, None
            return self._now

    def begin_alone(self) -> Turn:
        """Take a turn that nobody asked for."""
        with self._lock:
            self._now = Turn()
            return self._now

    def end(self, *, again: bool = False) -> None:
        """Be done with the turn; ``again``: it made nothing, and its order waits as before."""
        with self._lock:
            if again and self._waits is None and self._now is not None and self._now.ask is not None:
                self._waits = self._now
            self._now = None

    def give(self) -> Turn | None:
        """Give away what waits, for whoever takes over."""
        with self._lock:
            turn, self._waits = self._waits, None
            return turn

    def inherit(self, turn: Turn) -> None:
        """Take over what waited elsewhere; raises ``CaptureWaiting``."""
        with self._lock:
            self.require_free(CAPTURE)
            self._waits = turn

    def _running(self) -> Turn | None:
        return self._now if self._now is not None and not self._now.over else self._waits
