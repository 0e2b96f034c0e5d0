"""The circuit of one destination: its health, shared by all associations with it.

A failure that several of them meet at once is one failure: whoever comes second, while the first one's rest lasts,
learns that it is known already. ``called`` is set when helpers are wanted, ``busy`` while the leader sends (``team``).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from agent.forward.policy import Health

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.errors import AgentError
    from agent.forward.policy import BackOff


class Circuit:
    """Safe to use from several threads; ``health`` may be read and replaced at any time."""

    __slots__ = ("_lock", "busy", "called", "health")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.health = Health()
        self.called = threading.Event()
        self.busy = False

    def failed(self, error: AgentError, now: float, back_off: BackOff, entropy: Callable[[], float]) -> bool:
        """Note a failure of the way or the peer; False when another association has said so."""
        with self._lock:
            if self.health.failures and now < self.health.next_at:
                return False
            self.health = self.health.after_failure(error, now, back_off, entropy)
            return True
