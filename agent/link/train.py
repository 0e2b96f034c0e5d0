"""One Data Set from a file as a stream of P-DATA-TF PDUs, without Python touching a byte of it (PS3.8 9.3.5, Annex E).

A *train* is a buffer that already holds the 12-byte heads of many PDUs, with gaps between them as long as the peer's
maximum length allows. ``preadv`` reads the file straight into the gaps, one ``send`` ships the whole buffer. So a
peer that wants 16 KiB PDUs costs the sender no more than one that takes any length, the bytes are copied once by the
kernel on the way in and once on the way out, memory is the buffer, and TLS uses the same buffer.

In front of the first PDU there is room for the command PDU of the message, so that a small instance is *one* write:
two small writes would wait for the peer's delayed acknowledgement (Nagle), 40 ms for each instance.

Only the last fragment of a Data Set is flagged as last; every fragment has an even number of bytes. Between two fills
the caller may look whether the peer has already answered (PS3.7 9.3.1.3) and stop the stream: the train then closes
the Data Set with one last short fragment. Raises ``LocalProtocolError`` for lengths no PDU can have, ``MediaError``
when the file is shorter than promised (the caller aborts the association: half a message is on the line).

Who knows what the file must hold gives a ``Check``: it sees each byte as it was read, and its ``verify`` raises before
the last fragment leaves, so that a file that has changed is never a whole message at the peer.
"""

from __future__ import annotations

import os

from agent.errors import LocalProtocolError, MediaError
from agent.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD_BYTES = 12  # PDU header 6, PDV length 4, context ID 1, message control header 1
PDV_OVERHEAD_BYTES = 6  # what a maximum length counts besides the fragment
COMMAND_ROOM_BYTES = 1024  # a C-STORE-RQ PDU is below 300 bytes
TRAIN_BYTES = 1 << 20
LONGEST_PDU_BYTES = 1 << 17  # with its head, eight whole TLS records; nothing is gained beyond 64 KiB
PDU_LIMIT = 1000  # gaps in one preadv; IOV_MAX is 1024
SMALLEST_FRAGMENT_BYTES = 2

_LAST = 0x02  # message control header: Data Set, last fragment
_MORE = 0x00


class Check(Protocol):
    """Sees a Data Set while it is sent."""

    def update(self, data: memoryview, /) -> None:
        """Take the next bytes."""

    def verify(self) -> None:
        """Raise if what was seen is not the Data Set."""


class Train:
    """The buffer of one association; not thread safe.

    ``fragment_bytes``: the longest even fragment the peer takes (maximum length - 6); longer than
    ``LONGEST_PDU_BYTES`` is cut to it.
    """

    __slots__ = ("_buffer", "_context_id", "_gaps", "_view", "fragment_bytes")

    def __init__(self, fragment_bytes: int, *, train_bytes: int = TRAIN_BYTES) -> None:
        if fragment_bytes < SMALLEST_FRAGMENT_BYTES:
            raise LocalProtocolError(f"a fragment of {fragment_bytes} bytes carries nothing")
        fragment = min(fragment_bytes, LONGEST_PDU_BYTES - HEAD_BYTES) & ~1
        stride = HEAD_BYTES + fragment
        count = max(1, min(PDU_LIMIT, train_bytes // stride))
        self.fragment_bytes = fragment
        self._buffer = bytearray(COMMAND_ROOM_BYTES + count * stride)
        self._view = memoryview(self._buffer)
        self._gaps: list[memoryview] = []
        self._context_id = 0
        for start in range(COMMAND_ROOM_BYTES, len(self._buffer), stride):
            self._gaps.append(self._view[start + HEAD_BYTES : start + stride])
            self._write_head(start, fragment, _MORE)

    def send_data_set(
        self,
        fd: int,
        offset: int,
        size: int,
        context_id: int,
        *,
        command: bytes,
        send: Callable[[memoryview], None],
        answered: Callable[[], bool],
        check: Check | None = None,
    ) -> int:
        """Send ``command`` (whole PDUs) and ``size`` bytes of ``fd`` from ``offset``; return the data bytes sent.

        ``answered`` is asked between two fills; when it says yes the rest is not sent. An odd ``size`` (a deflated
        Data Set may have one, PS3.5 A.5) is completed by one zero byte.
        """
        if size <= 0:
            raise LocalProtocolError("a Data Set of no bytes cannot be sent")
        self._use_context(context_id)
        start = COMMAND_ROOM_BYTES - len(command)
        if start < 0:
            raise LocalProtocolError(f"a command of {len(command)} bytes does not fit the train")
        self._buffer[start:COMMAND_ROOM_BYTES] = command
        capacity = len(self._gaps) * self.fragment_bytes
        done = 0
        whole = size
        while True:
            part = min(size - done, capacity)
            if done and answered():
                part = min(part, SMALLEST_FRAGMENT_BYTES)
                size = done + part
            gaps = self._fill(fd, offset + done, part)
            done += part
            if check is not None:
                for gap in gaps:
                    check.update(gap)
                if done == whole:
                    check.verify()
            if done < size:
                send(self._view[start:])
            else:
                self._send_last(start, part, send)
                return done
            start = COMMAND_ROOM_BYTES

    def _send_last(self, start: int, part: int, send: Callable[[memoryview], None]) -> None:
        """Send ``part`` bytes of the train, flagged as the end of the Data Set, and mend the last head."""
        stride = HEAD_BYTES + self.fragment_bytes
        index = (part - 1) // self.fragment_bytes
        length = part - index * self.fragment_bytes
        if length & 1:
            self._gaps[index][length] = 0
            length += 1
        head = COMMAND_ROOM_BYTES + index * stride
        self._write_head(head, length, _LAST)
        try:
            send(self._view[start : head + HEAD_BYTES + length])
        finally:
            self._write_head(head, self.fragment_bytes, _MORE)

    def _fill(self, fd: int, offset: int, part: int) -> list[memoryview]:
        """Read ``part`` bytes at ``offset`` into the gaps; return those that were filled."""
        fragment = self.fragment_bytes
        count = -(-part // fragment)
        gaps = self._gaps[:count]
        gaps[-1] = gaps[-1][: part - (count - 1) * fragment]
        try:
            got = os.preadv(fd, gaps, offset)
            while got < part:
                index, inside = divmod(got, fragment)
                more = os.preadv(fd, [gaps[index][inside:], *gaps[index + 1 :]], offset + got)
                if not more:
                    raise MediaError("the file became shorter while it was sent")
                got += more
        except OSError as error:
            raise MediaError(f"the file cannot be read while it is sent: {error.strerror}") from error
        return gaps

    def _use_context(self, context_id: int) -> None:
        if context_id == self._context_id:
            return
        stride = HEAD_BYTES + self.fragment_bytes
        self._buffer[COMMAND_ROOM_BYTES + 10 :: stride] = bytes([context_id]) * len(self._gaps)
        self._context_id = context_id

    def _write_head(self, start: int, length: int, control: int) -> None:
        pdv = length + PDV_OVERHEAD_BYTES
        self._buffer[start : start + 2] = b"\x04\x00"
        self._buffer[start + 2 : start + 6] = pdv.to_bytes(4, "big")
        self._buffer[start + 6 : start + 10] = (pdv - 4).to_bytes(4, "big")
        self._buffer[start + 11] = control
