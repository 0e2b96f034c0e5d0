"""Messages between two programs over a serial line that nobody can trust, without I/O: bytes and ``now`` in, bytes out.

A person sees what noise does to a line and types it again; a program must be sure. So a message goes in frames of a
line each, which is short, printable, numbered and has a CRC-32 at its end; whoever gets one says its number back, and
whoever has not heard that says it again. The whole message carries its SHA-256, and one that does not match was never
there. One frame is under way in each direction, which is all that a line of 9600 baud needs, and holds no flow control
up. What is no frame (a banner, half a line, noise) is passed over.

    ~ 2A e BASE64 CRC   a piece of a message; ``m``: more follow, ``e``: its end
    ~ 2A a CRC          heard
    ~ 00 k CRC          still there: whoever works on an answer says so now and then
"""

from __future__ import annotations

import binascii
import zlib
from hashlib import sha256

from agent.typed import Final

CHUNK: Final = 96  # bytes of a frame: 144 on the line, 0.15 s at 9600 baud
RETRY_S: Final = 1.5
TRIES: Final = 40  # a minute; at one damaged byte in a hundred every fourth frame arrives
MOST_BYTES: Final = 1 << 20  # of a message
_MOST_PACKED: Final = 1 << 18
_LINE: Final = 512
_DIGEST: Final = 32


class Channel:
    """One end. ``outgoing`` is what is to be sent; ``failed`` says why it is over, or nothing."""

    __slots__ = ("_expected", "_frames", "_line", "_number", "_parts", "_sent_at", "_tries", "failed", "heard_at",
                 "outgoing")  # fmt: skip

    def __init__(self, now: float) -> None:
        self.outgoing = bytearray()
        self.failed = ""
        self.heard_at = now
        self._frames: list[bytes] = []  # the first of them is under way
        self._number = self._expected = 0
        self._sent_at = now
        self._tries = 0
        self._line = bytearray()
        self._parts: list[bytes] = []

    def send(self, message: bytes, now: float) -> None:
        """Begin to send a message."""
        packed = zlib.compress(sha256(message).digest() + message)
        pieces = [packed[at : at + CHUNK] for at in range(0, len(packed), CHUNK)]
        for at, piece in enumerate(pieces):
            number = (self._number + len(self._frames)) % 256
            self._frames.append(_frame(number, b"e" if at == len(pieces) - 1 else b"m", piece))
        if len(self._frames) == len(pieces):
            self._begin(now)

    def alive(self) -> None:
        """Say that we are still there."""
        self.outgoing += _frame(0, b"k", b"")

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Take bytes; returns the messages that are whole."""
        whole: list[bytes] = []
        for byte in data:
            if byte in b"\r\n":
                line, self._line = bytes(self._line), bytearray()
                message = self._take(line, now)
                if message is not None:
                    whole.append(message)
            elif byte == 0x7E:  # ~
                self._line = bytearray(b"~")
            elif len(self._line) < _LINE:
                self._line.append(byte)
        return whole

    def tick(self, now: float) -> None:
        """Say again what was not heard."""
        if self._frames and not self.failed and now >= self._sent_at + RETRY_S:
            if self._tries >= TRIES:
                self.failed = "the other end does not answer, or the line is too bad"
                return
            self._say(now)

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return self._sent_at + RETRY_S if self._frames and not self.failed else None

    @property
    def idle(self) -> bool:
        """Whether all was heard."""
        return not self._frames

    # --- inside ------------------------------------------------------------------------------------

    def _begin(self, now: float) -> None:
        self._tries = 0
        self._say(now)

    def _say(self, now: float) -> None:
        self._tries += 1
        self._sent_at = now
        self.outgoing += self._frames[0]

    def _take(self, line: bytes, now: float) -> bytes | None:
        found = _read(line)
        if found is None:
            return None
        number, kind, piece = found
        self.heard_at = now
        if kind == b"a":
            if self._frames and number == self._number:
                self._number = (self._number + 1) % 256
                del self._frames[0]
                if self._frames:
                    self._begin(now)
        elif kind in (b"m", b"e"):
            if number == self._expected:
                self._expected = (self._expected + 1) % 256
                self._parts.append(piece)
                self.outgoing += _frame(number, b"a", b"")
                if kind == b"e":
                    return self._whole()
                self._bounded()
            elif number == (self._expected - 1) % 256:  # what we said back was not heard
                self.outgoing += _frame(number, b"a", b"")
        return None

    def _bounded(self) -> None:
        if len(self._parts) * CHUNK > _MOST_PACKED:
            self._parts.clear()
            self.failed = "the other end sends more than a message may have"

    def _whole(self) -> bytes | None:
        packed = b"".join(self._parts)
        self._parts.clear()
        taker = zlib.decompressobj()
        try:
            data = taker.decompress(packed, MOST_BYTES + _DIGEST)
        except zlib.error:
            data = b""
        if not taker.eof or sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
            self.failed = "a message did not arrive as it was sent"
            return None
        return data[_DIGEST:]


def _frame(number: int, kind: bytes, piece: bytes) -> bytes:
    body = b"%02X%s%s" % (number, kind, binascii.b2a_base64(piece, newline=False))
    return b"~%s%08X\r\n" % (body, zlib.crc32(body))


def _read(line: bytes) -> tuple[int, bytes, bytes] | None:
    """Take a frame apart; None for what is none, or is damaged."""
    body, check = line[1:-8], line[-8:]
    if line[:1] != b"~" or len(body) < 3 or b"%08X" % zlib.crc32(body) != check:
        return None
    try:
        return int(body[:2], 16), body[2:3], binascii.a2b_base64(body[3:], strict_mode=True)
    except ValueError:
        return None
