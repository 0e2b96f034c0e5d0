"""Exposures that have no image: counted, told of at once, and by the next image that is durable.

One count belongs to a source, whichever recorder serves it: a reload forgets none, and one that the old recorder loses
while it ends is counted with those of the new one.
"""

from __future__ import annotations

import threading
import time


class Imageless:
    """The count of one source; safe to use from any thread."""

    __slots__ = ("_lock", "_untold", "at", "count")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0
        self.at = 0.0  # monotonic s, of the last one
        self._untold = 0  # by no instance

    def add(self) -> None:
        """Count one more."""
        with self._lock:
            self.count += 1
            self._untold += 1
            self.at = time.monotonic()

    def tell(self) -> int:
        """How many an instance is to tell of that is made now: those that no other one does."""
        with self._lock:
            untold, self._untold = self._untold, 0
            return untold

    def not_told(self, count: int) -> None:
        """Take back what that instance was to tell: it is not durable."""
        with self._lock:
            self._untold += count
