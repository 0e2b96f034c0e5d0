"""Messages out of fragments, and fragments out of messages (PS3.7 6.3, PS3.8 Annex E).

A message is one Command Set, cut into fragments, and then perhaps one Data Set, cut likewise; all on one presentation
context, never interleaved. ``Assembler`` puts Command Sets together, because they are small, and hands Data Sets on
piece by piece, because they are not: a receiving SCP writes the pieces to disk, ``Collector`` keeps a small one in
memory. Both are bounded; a peer that sends fragments without end meets a limit, not our memory.

What breaks a rule raises ``RemoteProtocolError``; the shell then aborts the association.
"""

from __future__ import annotations

from agent.dimse.layout import decode
from agent.errors import RemoteProtocolError
from agent.typed import TYPE_CHECKING, NamedTuple
from agent.ul.pdu import COMMAND, LAST, Fragment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.dimse.message import Message
    from agent.ul.items import Buffer

# A Command Set of ours has 200 bytes; a peer's Error Comment and tag lists add a few hundred.
COMMAND_LIMIT_BYTES = 8 * 1024

# Fragments without content, or without end, in one Command Set; and empty ones in one Data Set.
FRAGMENT_LIMIT = 1024

# N-EVENT-REPORT of 10,000 references of about 150 bytes, and room.
REPORT_LIMIT_BYTES = 4 * 1024 * 1024

# What a Collector lets grow in one piece.
BLOCK_BYTES = 64 * 1024


class Received(NamedTuple):
    """A Command Set is complete; with ``data_set``, its Data Set follows as ``DataSetPart`` up to ``last``."""

    context_id: int
    message: Message
    data_set: bool


class DataSetPart(NamedTuple):
    """A piece of the Data Set of the message before; ``data`` is valid until the association receives more bytes."""

    context_id: int
    data: Buffer
    last: bool


class Assembler:
    """Fragments of one association in, ``Received`` and ``DataSetPart`` out. One per association and direction."""

    __slots__ = ("_command", "_context_id", "_count", "_in_data_set")

    def __init__(self) -> None:
        self._command = bytearray()
        self._context_id = 0  # 0 between messages
        self._count = 0
        self._in_data_set = False

    def feed(self, fragment: Fragment) -> Received | DataSetPart | None:
        """Take one fragment; None while a Command Set is not complete."""
        context_id, control, data = fragment
        if self._context_id not in (0, context_id):
            raise RemoteProtocolError(f"messages on contexts {self._context_id} and {context_id} are interleaved")
        if self._in_data_set:
            return self._data(context_id, control, data)
        if not control & COMMAND:
            raise RemoteProtocolError(f"Data Set fragment on context {context_id} before its command")
        if control & LAST and not self._context_id:
            return self._complete(context_id, bytes(data))
        self._context_id = context_id
        self._count += 1
        self._command += data
        if len(self._command) > COMMAND_LIMIT_BYTES or self._count > FRAGMENT_LIMIT:
            raise RemoteProtocolError(
                f"Command Set of more than {COMMAND_LIMIT_BYTES} bytes or {FRAGMENT_LIMIT} fragments"
            )
        if not control & LAST:
            return None
        whole, self._command = bytes(self._command), bytearray()
        return self._complete(context_id, whole)

    def _complete(self, context_id: int, command: bytes) -> Received:
        if len(command) > COMMAND_LIMIT_BYTES:
            raise RemoteProtocolError(f"Command Set of {len(command)} bytes; {COMMAND_LIMIT_BYTES} are allowed")
        message, data_set = decode(command)
        self._count = 0
        self._in_data_set = data_set
        self._context_id = context_id if data_set else 0
        return Received(context_id, message, data_set)

    def _data(self, context_id: int, control: int, data: Buffer) -> DataSetPart:
        if control & COMMAND:
            raise RemoteProtocolError(f"command on context {context_id} in the middle of a Data Set")
        last = bool(control & LAST)
        if last:
            self._in_data_set = False
            self._context_id = self._count = 0
        elif not len(data):
            self._count += 1
            if self._count > FRAGMENT_LIMIT:
                raise RemoteProtocolError(f"Data Set with more than {FRAGMENT_LIMIT} empty fragments")
        return DataSetPart(context_id, data, last)


class Collector:
    """Keeps one small Data Set in memory, up to ``limit_bytes``.

    In blocks, because one growing buffer is copied as it grows, and a flood would cost twice its limit.
    """

    __slots__ = ("_blocks", "_size", "limit_bytes")

    def __init__(self, limit_bytes: int = REPORT_LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self._blocks = [bytearray()]
        self._size = 0

    def feed(self, part: DataSetPart) -> bytes | None:
        """Take one piece; return the whole Data Set at the last one, RemoteProtocolError past the limit."""
        self._size += len(part.data)
        if self._size > self.limit_bytes:
            raise RemoteProtocolError(f"Data Set of more than {self.limit_bytes} bytes")
        if len(self._blocks[-1]) + len(part.data) > BLOCK_BYTES:
            self._blocks.append(bytearray())
        self._blocks[-1] += part.data
        return b"".join(self._blocks) if part.last else None


def split(context_id: int, data: Buffer, fragment_bytes: int, *, command: bool) -> Iterator[Fragment]:
    """Yield the fragments of one Command Set or Data Set, each at most ``fragment_bytes`` (even), without copying."""
    kind = COMMAND if command else 0
    if len(data) <= fragment_bytes:
        yield Fragment(context_id, kind | LAST, data)
        return
    view = memoryview(data)
    end = len(view)
    for at in range(0, end, fragment_bytes):
        stop = min(at + fragment_bytes, end)
        yield Fragment(context_id, kind | (LAST if stop == end else 0), view[at:stop])
