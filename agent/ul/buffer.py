"""Where the bytes of a peer wait until they are a whole PDU.

Most PDUs arrive complete within one read; those are handed out as views of the caller's own buffer, without a copy.
Only a PDU cut by the end of a read is put together here, in a buffer that never grows past that one PDU.
The length field is judged as soon as the six header bytes are there, before anything waits for the body.
"""

from __future__ import annotations

from struct import Struct

from agent.errors import LocalProtocolError, RemoteProtocolError
from agent.typed import TYPE_CHECKING
from agent.ul import pdu
from agent.ul.items import INVALID_PARAMETER, UNRECOGNIZED_PDU
from agent.ul.limits import ASSOCIATE_LIMIT_BYTES, DATA_LIMIT_BYTES, UNDRAINED_LIMIT_BYTES

if TYPE_CHECKING:
    from agent.ul.items import Buffer

_HEADER = Struct(">BxL")
_HTTP = (0x48, 0x54502F31)  # "HTTP/1" read as a PDU header: type and length
_EMPTY = memoryview(b"")
_ASSOCIATE_FIXED = 68  # version, titles and reserved bytes of an A-ASSOCIATE PDU, before its items
_FIXED = 4  # A-ASSOCIATE-RJ, A-RELEASE-RQ, A-RELEASE-RP and A-ABORT have exactly this length


class ReceiveBuffer:
    """Bytes in, whole PDUs out; ``append`` then ``next_pdu`` until it returns None."""

    __slots__ = ("_at", "_cut", "_limits", "_view", "discarding")

    def __init__(self, data_limit_bytes: int = DATA_LIMIT_BYTES) -> None:
        self._view = _EMPTY
        self._at = 0
        self._cut = bytearray()
        self.discarding = False
        self._limits = {
            pdu.ASSOCIATE_RQ: (_ASSOCIATE_FIXED, ASSOCIATE_LIMIT_BYTES),
            pdu.ASSOCIATE_AC: (_ASSOCIATE_FIXED, ASSOCIATE_LIMIT_BYTES),
            pdu.DATA_TF: (pdu.PDV_HEADER_BYTES, data_limit_bytes),
            pdu.ASSOCIATE_RJ: (_FIXED, _FIXED),
            pdu.RELEASE_RQ: (_FIXED, _FIXED),
            pdu.RELEASE_RP: (_FIXED, _FIXED),
            pdu.ABORT: (_FIXED, _FIXED),
        }

    def append(self, data: Buffer) -> None:
        """Take the bytes of one read; they must stay as they are until ``next_pdu`` returns None."""
        if self.discarding:
            return
        left = len(self._view) - self._at
        if not left:
            self._view = memoryview(data)
        elif left + len(data) > UNDRAINED_LIMIT_BYTES:
            raise LocalProtocolError(f"{left + len(data)} received bytes were not drained by next_event()")
        else:
            self._view = memoryview(bytes(self._view[self._at :]) + data)
        self._at = 0

    def next_pdu(self) -> tuple[int, memoryview] | None:
        """Return (type, body) of the next whole PDU or None; RemoteProtocolError for type or length out of bounds."""
        if self._cut:
            return self._next_cut()
        start = self._at
        left = len(self._view) - start
        if left >= pdu.HEADER_BYTES:
            kind, length = _HEADER.unpack_from(self._view, start)
            self._check(kind, length)
            if left >= pdu.HEADER_BYTES + length:
                self._at = start + pdu.HEADER_BYTES + length
                return kind, self._view[start + pdu.HEADER_BYTES : self._at]
        if left:
            self._cut += self._view[start:]
        self._view, self._at = _EMPTY, 0
        return None

    def clear(self) -> None:
        """Forget everything and ignore what still comes: the borders of PDUs are lost or no longer matter."""
        self.discarding = True
        self._view, self._at, self._cut = _EMPTY, 0, bytearray()

    @property
    def in_pdu(self) -> bool:
        """True while a PDU has begun and not ended: the shell runs its deadline per PDU on this."""
        return bool(self._cut)

    def _next_cut(self) -> tuple[int, memoryview] | None:
        """Complete the PDU that the last read cut, with no byte more than it needs."""
        if not self._fill(pdu.HEADER_BYTES):
            return None
        kind, length = _HEADER.unpack_from(self._cut)
        self._check(kind, length)
        if not self._fill(pdu.HEADER_BYTES + length):
            return None
        whole, self._cut = memoryview(self._cut), bytearray()
        return kind, whole[pdu.HEADER_BYTES :]

    def _fill(self, size: int) -> bool:
        missing = size - len(self._cut)
        if missing > 0:
            piece = self._view[self._at : self._at + missing]
            self._cut += piece
            self._at += len(piece)
        if len(self._cut) >= size:
            return True
        self._view, self._at = _EMPTY, 0
        return False

    def _check(self, kind: int, length: int) -> None:
        bounds = self._limits.get(kind)
        if bounds is None:
            web = (kind, length) == _HTTP
            raise RemoteProtocolError(
                f"PDU of unknown type {kind:02X}H{'; this looks like an HTTP server' if web else ''}",
                reason=UNRECOGNIZED_PDU,
                hint="Ask the administrator of the peer for its DICOM port." if web else None,
            )
        if not bounds[0] <= length <= bounds[1]:
            raise RemoteProtocolError(
                f"PDU of type {kind:02X}H says {length} bytes; {bounds[0]} to {bounds[1]} are allowed",
                reason=INVALID_PARAMETER,
            )
