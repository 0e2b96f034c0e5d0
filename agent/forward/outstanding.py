"""C-STORE requests that are under way on one association, and which of them an answer belongs to.

Without an asynchronous operations window there is one at a time. With one that the peer has granted (PS3.7 D.3.3.3)
there are as many as it allows, never more, and answers may come in any order: an answer belongs to the request with its
Message ID, on its context and about its instance, or it ends the association. When that is over, all of them have
failed (PS3.7 A.5).

The wait for an answer starts anew with each one that comes, because a peer may do one after the other; a request whose
answer never comes is noticed all the same, after the time that all of a window may take.
"""

from __future__ import annotations

from agent.service import storage
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agent.dimse.fragment import Received
    from agent.dimse.message import CStoreResponse
    from agent.forward.files import Instance


class Asked(NamedTuple):
    """One request that was sent whole."""

    instance: Instance
    context_id: int
    started: float  # monotonic s: first byte
    sent_at: float  # monotonic s: last byte
    bytes: int  # of its Data Set


class Outstanding:
    """In the order in which they were sent; used by one thread."""

    __slots__ = ("_answered_at", "_asked", "_response_s", "window")

    def __init__(self, window: int, response_s: float) -> None:
        self.window = window
        self._response_s = response_s
        self._asked: dict[int, Asked] = {}
        self._answered_at = 0.0

    def __len__(self) -> int:
        return len(self._asked)

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._asked

    @property
    def full(self) -> bool:
        """Return whether an answer must come before the next request."""
        return len(self._asked) >= self.window

    @property
    def deadline(self) -> float:
        """Return until when the next answer must have come; there is a request."""
        oldest = next(iter(self._asked.values())).sent_at
        return min(max(oldest, self._answered_at), oldest + (self.window - 1) * self._response_s) + self._response_s

    def add(self, message_id: int, asked: Asked) -> None:
        """Note a request that was sent; it is not ``full``."""
        assert not self.full
        self._asked[message_id] = asked

    def match(self, received: Received) -> tuple[Asked, CStoreResponse]:
        """Return the request that is answered, and the answer; ``RemoteProtocolError`` if it answers none."""
        number = getattr(received.message, "message_id", 0)
        if number not in self._asked:
            number = next(iter(self._asked))  # the error says what was due
        asked = self._asked[number]
        response = storage.match(received, message_id=number, context_id=asked.context_id,
                                 sop_instance_uid=asked.instance.sop_instance_uid)  # fmt: skip
        del self._asked[number]
        return asked, response

    def answered(self, asked: Asked, now: float) -> float:
        """Note that an answer came; return its seconds: since its first byte, or since the answer before."""
        since, self._answered_at = max(asked.started, self._answered_at), now
        return now - since

    def give_up(self) -> Asked:
        """Return and forget the oldest: no answer will come."""
        return self._asked.pop(next(iter(self._asked)))
