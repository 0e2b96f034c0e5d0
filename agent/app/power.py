"""The supply is about to fail: no capture begins until the panel says that it is well again.

What runs is ended and sealed by beginning anew (``anew.py``); this outlives that. A panel that says nothing any more
holds captures for ``HOLD_S`` at most: a supply that was to fail has failed by then, or it does not.
"""

from __future__ import annotations

import os
import time

from agent.errors import PowerFailing
from agent.typed import Final

HOLD_S: Final = 60.0
_UNTIL: Final = "MODALITY_AGENT_POWER"  # in the environment of who begins anew: seconds of the monotonic clock


class PowerHold:
    """Whether captures are held; any thread may look."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = float(os.environ.pop(_UNTIL, "0"))

    def fails(self) -> None:
        """Hold captures from now on."""
        self._until = time.monotonic() + HOLD_S
        os.environ[_UNTIL] = repr(self._until)

    def is_well(self) -> bool:
        """Hold them no longer; whether they were held."""
        held = self.left_s() > 0
        self._until = 0.0
        os.environ.pop(_UNTIL, None)
        return held

    def left_s(self) -> float:
        """Seconds that they are still held at most; 0: they are not."""
        return max(0.0, self._until - time.monotonic())

    def refuse(self) -> None:
        """Raise ``PowerFailing`` while they are held."""
        if self.left_s():
            raise PowerFailing(f"the power is about to fail; captures are held for {self.left_s():.0f} s at most")
