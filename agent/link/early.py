"""What the peer sent while we were sending, kept in order until somebody waits for it; bounded.

A peer may ask us something in the middle of a Data Set of ours, or refuse it early; it has no reason to do so without
end. Past the limits it is a flood and ``keep`` raises ``RemoteProtocolError``: our memory is not the peer's.
"""

from __future__ import annotations

from collections import deque

from agent.dimse.fragment import FRAGMENT_LIMIT, REPORT_LIMIT_BYTES, DataSetPart, Received
from agent.dimse.message import Message, is_response
from agent.errors import RemoteProtocolError
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

COMMAND_LIMIT = 32  # at most 16 answers are due (``async_operations``) and one question, the rest is room


class Early:
    """Command Sets and pieces of their Data Sets, first in first out."""

    __slots__ = ("_bytes", "_commands", "_kept")

    def __init__(self) -> None:
        self._kept: deque[Received | DataSetPart] = deque()
        self._commands = 0
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, found: Received | DataSetPart) -> None:
        """Append; the bytes of a piece are copied, because those of the association are soon overwritten."""
        if isinstance(found, Received):
            self._commands += 1
        else:
            found = found._replace(data=bytes(found.data))
            self._bytes += len(found.data)
        parts = len(self._kept) + 1 - self._commands
        if self._commands > COMMAND_LIMIT or self._bytes > REPORT_LIMIT_BYTES or parts > FRAGMENT_LIMIT:
            raise RemoteProtocolError("the peer sends without end while we send")
        self._kept.append(found)

    def take(self) -> Received | DataSetPart:
        """Return and forget the first; there is one."""
        found = self._kept.popleft()
        if isinstance(found, Received):
            self._commands -= 1
        else:
            self._bytes -= len(found.data)
        return found

    def response(self, due: Container[int] = ()) -> Message | None:
        """Return the first response among what is kept that is none of those ``due``; it stays where it is."""
        found = (each.message for each in self._kept if isinstance(each, Received) and is_response(each.message))
        return next((message for message in found if message.message_id not in due), None)
