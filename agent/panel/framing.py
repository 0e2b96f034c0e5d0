"""Frames on the line to the front panel. This very file runs on both ends: CPython here, MicroPython there.

::

    00 | COBS(payload, CRC-16) | 00

COBS leaves no zero within a frame, so a zero is the end of one wherever the listener came in, and garbage or a lost
byte costs the frame it hit and no other, because each frame begins with a zero of its own. The CRC is over what COBS
carried and finds each burst of up to 16 bits. A code byte that was hit moves a zero: two errors that may be further
apart, of which 1 in 65,536 passes; that is then held against lengths and numbers (``messages``). The CRC is sent
inverted (CRC-16/GENIBUS), for otherwise a last zero that was hit and became 01 would add a byte that no CRC sees.

Nothing here takes memory for a byte: both directions work in buffers that are made once. Python is kept to what
MicroPython has had since 1.9 (no annotations of variables, no f-strings).
"""

# Bytes of a payload: the longest message is a block of firmware. COBS needs no second block up to 252 with the CRC.
LIMIT = 144
OVERHEAD = 5  # two zeros, one code, the CRC
_GOOD = 0xE2F0
_NIBBLES = (
    0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7,
    0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C, 0xD1AD, 0xE1CE, 0xF1EF,
)  # fmt: skip


def crc16(data: bytes | bytearray, size: int) -> int:
    """CRC-16/GENIBUS of the first ``size`` bytes; ``_GOOD`` over data that its own CRC follows, high byte first."""
    crc = 0xFFFF
    for at in range(size):
        byte = data[at]
        crc = (crc << 4 & 0xFFFF) ^ _NIBBLES[crc >> 12 ^ byte >> 4]
        crc = (crc << 4 & 0xFFFF) ^ _NIBBLES[crc >> 12 ^ byte & 15]
    return crc ^ 0xFFFF


def encode(frame: bytearray, payload: bytes | bytearray, size: int) -> int:
    """Write the frame of ``payload[:size]`` into ``frame``, which has room for it; returns its length."""
    crc = crc16(payload, size)
    frame[0] = 0
    code = 1  # where the distance to the next zero goes
    end = 2
    for at in range(size + 2):
        byte = payload[at] if at < size else crc >> 8 if at == size else crc & 0xFF
        if byte:
            frame[end] = byte
        else:
            frame[code] = end - code
            code = end
        end += 1
    frame[code] = end - code
    frame[end] = 0
    return end + 1


class Decoder:
    """Takes bytes however they are cut. After ``feed`` a ``size`` above 0 says that ``payload[:size]`` has come."""

    def __init__(self) -> None:
        self.payload = bytearray(LIMIT + 2)
        self.size = 0
        self.bad = 0  # frames that came damaged, modulo 65536
        self._fill = -1  # bytes decoded; -1 in front of the first code
        self._left = 0  # bytes to the next code

    def feed(self, data: bytes | bytearray, at: int, end: int) -> int:
        """Take ``data[at:end]`` up to the end of a good frame; returns where to go on."""
        self.size = 0
        payload = self.payload
        fill = self._fill
        left = self._left
        while at < end and not self.size:
            byte = data[at]
            at += 1
            if byte == 0:
                self._close(fill, left)
                fill = -1
                left = 0
            elif fill > LIMIT + 1:
                left = 1  # too long to be one of ours: damaged, whatever its end is
            elif left:
                payload[fill] = byte
                fill += 1
                left -= 1
            else:
                if fill >= 0:
                    payload[fill] = 0
                fill += 1
                left = byte - 1
        self._fill = fill
        self._left = left
        return at

    def _close(self, fill: int, left: int) -> None:
        if fill < 0:  # between two frames
            return
        if fill > 2 and left == 0 and crc16(self.payload, fill) == _GOOD:
            self.size = fill - 2
        else:
            self.bad = self.bad + 1 & 0xFFFF
