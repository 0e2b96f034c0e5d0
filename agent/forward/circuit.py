"""The circuit of one destination: its health, shared by all associations with it.

A failure that several of them meet at once is one failure: whoever comes second, while the first one's rest lasts,
learns that it is known already. ``call`` wakes the helpers (``team``), ``busy`` is set while the leader sends.
"""

from __future__ import annotations

import threading

from agent.forward.policy import Health
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.errors import AgentError
    from agent.forward.policy import BackOff


class Circuit:
    """Safe to use from several threads; ``health`` may be read and replaced at any time."""

    __slots__ = ("_calls", "_lock", "busy", "health")

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._calls = 0
        self.health = Health()
        self.busy = False

    def call(self) -> None:
        """Let every helper look whether there is work."""
        with self._lock:
            self._calls += 1
            self._lock.notify_all()

    def wait(self, seen: int, seconds: float) -> int:
        """Wait for a call behind number ``seen``, at most ``seconds``; returns the number of the last one."""
        with self._lock:
            if self._calls == seen:
                self._lock.wait(seconds)
            return self._calls

    def failed(self, error: AgentError, now: float, back_off: BackOff, entropy: Callable[[], float]) -> bool:
        """Note a failure of the way or the peer; False when another association has said so."""
        with self._lock:
            if self.health.failures and now < self.health.next_at:
                return False
            self.health = self.health.after_failure(error, now, back_off, entropy)
            return True
