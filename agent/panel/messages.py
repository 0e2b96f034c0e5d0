"""What agent and front panel say to each other. This very file runs on both ends: CPython here, MicroPython there.

What lasts is *state*: each end repeats its own once a second and at each change, so a lost frame costs nothing and a
restart of either end needs no ceremony. What happens is an *event*: the panel numbers its edges, keeps each until the
number is acknowledged, and sends it again until then. The receiver takes the number that it wants next and no other, so
no event is lost or doubled, whatever happens to frames and acknowledgements (``Numbers``).

``MESSAGES`` is the whole vocabulary, ``hw/PROTOCOL.md`` the same for people, and a test compares them.
"""

import struct

VERSION = 1  # of the protocol; both ends say theirs, and nothing else is understood when they differ
BAUD = 115200
TICKS = 0x3FFFFFFF  # ticks are microseconds of the panel, modulo 2^30: small integers in MicroPython
OLD_MS = 0xFFFF  # an age that is not known, or as long as this
UNKNOWN_C = -32768  # a temperature that is not known
BLOCK = 128  # bytes of firmware in one message
DIGEST = 32  # bytes of a SHA-256

HELLO, STATE, EVENT, PONG, WRITTEN, IMAGE = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06  # panel to agent
GREET, BEAT, ACK, PING, WRITE, OFFER, INSTALL, KEEP, ASK = 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49

# Type, name, fields after type and sequence number: letters are those of the module struct, little-endian.
MESSAGES = (
    (HELLO, "hello", (
        ("protocol", "B"), ("major", "B"), ("minor", "B"), ("patch", "B"), ("cause", "B"), ("abilities", "B"),
        ("serial", "Q"), ("run", "I"), ("first", "I"),
    )),
    (STATE, "state", (
        ("tick", "I"), ("next", "I"), ("inputs", "B"), ("flags", "B"), ("temperature", "h"), ("bad", "H"),
        ("dropped", "H"),
    )),
    (EVENT, "event", (("run", "I"), ("number", "I"), ("tick", "I"), ("age_ms", "H"), ("input", "B"), ("level", "B"))),
    (PONG, "pong", (("token", "H"), ("tick", "I"))),
    (WRITTEN, "written", (("offset", "I"), ("status", "B"))),
    (IMAGE, "image", (("image", "I"), ("board", "B"), ("slot", "B"), ("trial", "B"), ("outcome", "B"))),
    (GREET, "greet", (("protocol", "B"),)),
    (BEAT, "beat", (("protocol", "B"), ("lights", "B"), ("watchdog_s", "H"))),
    (ACK, "ack", (("run", "I"), ("next", "I"))),
    (PING, "ping", (("token", "H"),)),
    (WRITE, "write", (("offset", "I"), ("crc32", "I"))),
    (OFFER, "offer", (("total", "I"), ("manifest", "H"), ("options", "B"))),
    (INSTALL, "install", (("image", "I"),)),
    (KEEP, "keep", (("image", "I"),)),
    (ASK, "ask", (("protocol", "B"),)),
)  # fmt: skip
HEAD = 2  # bytes in front of the fields: type, sequence number
_FORMATS = {kind: "<" + "".join([letter for _, letter in fields]) for kind, _, fields in MESSAGES}
_TAILS = {WRITE: (1, BLOCK), OFFER: (DIGEST, DIGEST)}  # bytes behind the fields: fewest, most
_SIZES = {kind: HEAD + struct.calcsize(_FORMATS[kind]) for kind in _FORMATS}

# Words, by the number that stands for them on the line.
LIGHTS = ("silent", "ready", "capturing", "queue_waiting", "link_down", "attention", "armed")
INPUTS = ("foot", "foot_2", "button", "button_2", "exposure")
CAUSES = ("unknown", "power_on", "reset", "watchdog")
ABILITIES = ("exposure", "temperature", "power_fail", "power_cycle", "update")  # by bit
FLAGS = ("power_fail", "armed", "cycling")  # by bit
STATUSES = ("more", "wait", "complete", "installing", "damaged", "refused", "unknown", "busy", "other_board",
    "other_protocol", "older", "no_room", "failed")  # fmt: skip
BOARDS = ("unknown", "pico_w", "simulated")
SLOTS = ("frozen", "a", "b")
OUTCOMES = ("none", "kept", "crashed", "not_confirmed")


def pack(payload: bytearray, kind: int, sequence: int, *values: int) -> int:
    """Write a message into ``payload``; returns its size."""
    payload[0] = kind
    payload[1] = sequence
    struct.pack_into(_FORMATS[kind], payload, HEAD, *values)
    return _SIZES[kind]


def unpack(payload: bytes | bytearray, size: int) -> tuple[int, ...] | None:
    """Return the fields of a message; None for one that is none of ours, or not as long as it is."""
    fixed = _SIZES.get(payload[0])
    if fixed is None:
        return None
    fewest, most = _TAILS.get(payload[0], (0, 0))
    if not fixed + fewest <= size <= fixed + most:
        return None
    return struct.unpack_from(_FORMATS[payload[0]], payload, HEAD)


def tail(kind: int) -> int:
    """Return where what follows the fields begins."""
    return _SIZES[kind]


class Numbers:
    """The receiver's end of the events: which number is wanted next, and of which run of the panel's counter."""

    def __init__(self, run: int = 0, wanted: int = 0) -> None:
        self.run = run
        self.wanted = wanted

    def greeted(self, run: int, first: int) -> int:
        """Hear what the panel still has; returns how many events of this run are gone for ever."""
        if run != self.run:
            self.run = run
            self.wanted = first
        gone = (first - self.wanted) & 0xFFFFFFFF
        if gone >= 0x80000000:  # it repeats what we have, for our acknowledgement was lost
            return 0
        self.wanted = first
        return gone

    def take(self, run: int, number: int) -> bool:
        """Whether this event is the one that is wanted; it is then taken."""
        if run != self.run or number != self.wanted:
            return False
        self.wanted = number + 1 & 0xFFFFFFFF
        return True
