"""The second call of a client that has just refused our certificate: it looks at it once more (``tls_transport``).

It shows no certificate of its own, and the listener, which demands one, refuses it. That is no news: what was wrong has
been said of the first call.
"""

from __future__ import annotations

import time

from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

WITHIN_S: Final = 3.0  # ``tls_transport.LOOK_S``, and the way
_NO_CERTIFICATE: Final = "PEER_DID_NOT_RETURN_A_CERTIFICATE"
_MOST: Final = 64  # addresses


class SecondLooks:
    """Who has refused our certificate a moment ago; the caller holds a lock."""

    __slots__ = ("_clock", "_until")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def is_one(self, address: str, error: BaseException) -> bool:
        """Say whether a handshake that ended with ``error`` was nothing but a second look; once for each refusal."""
        reason = str(getattr(error.__cause__, "reason", ""))
        if reason == _NO_CERTIFICATE:
            return self._clock() < self._until.pop(address, 0.0)
        if "_ALERT_" in reason:
            self._until[address] = self._clock() + WITHIN_S
            while len(self._until) > _MOST:
                del self._until[next(iter(self._until))]
        return False
