"""One file over the line that the console is on, by XMODEM, YMODEM or ZMODEM: when it has begun, died, or had enough.

The protocols are lrzsz's (``lrzsz.py`` runs it); this says, without I/O, what lrzsz does not: before the other end has
shown that it speaks the protocol, ^C is a person who has changed his mind; a peer that never begins, falls silent, or
sends without an end does not keep the line.

The last word is often not heard: when lrzsz ends it throws away what its terminal has not sent yet, its last ACK or its
``OO``. A stock ``sb`` then waits for two minutes, ``rz`` for half of one, although the file has arrived: whoever
sends an end has had every block acknowledged, and whoever answers it has written the file. So behind an end, silence is
consent after ``LAST_WORD_S``.
"""

from __future__ import annotations

from agent.typed import Final, NamedTuple

START_S: Final = 60.0  # to find the menu of a terminal program
SILENT_S: Final = 45.0  # each side asks again after ten seconds
LONGEST_S: Final = 3 * 3600.0  # a log of 8 MiB at 9600 baud
LAST_WORD_S: Final = 4.0
QUIET_S: Final = 0.7  # what is still on its way behind the end: answers, cancels, the padding of a USB adapter
DRAIN_S: Final = 10.0
# Of a transfer beside its payload: heads, escapes, what noise made be sent again.
SLACK: Final = 65_536
CANCEL: Final = b"\x18" * 8 + b"\b" * 10  # five cancel each protocol; the rest wipes them from a screen

_INTERRUPT: Final = b"\x03"  # and nothing behind it, for noise makes one of a SOH
_CAN: Final = b"\x18" * 5
# What a receiver asks with, and a sender begins with: NAK, C, G; SOH, STX; a head of ZMODEM.
_ASKS: Final = (b"\x15", b"C", b"G", b"*\x18")
_OFFERS: Final = (b"\x01", b"\x02", b"*\x18")
# What we say behind the last byte of the file: EOT; the empty head of YMODEM; ZFIN.
_EOT: Final = b"\x04"
_NO_MORE: Final = b"\x01\x00\xff\x00"
_ZFIN: Final = b"**\x18B08"

# Exit statuses of the child, and what the console says of them.
DONE, FAILED, INTERRUPTED, NEVER, SILENT, LARGE, LONG, MISSING = range(8)
WORDS: Final = (
    "done",
    "it did not arrive whole: the other end gave up, or the line is too bad",
    "interrupted",
    "the other end did not begin within a minute",
    "the other end fell silent",
    "the other end sends more than this may have",
    "it took too long",
    "lrzsz is not installed on this box: sudo apt-get install -y lrzsz",
)


class Protocol(NamedTuple):
    """One of the three: what we run to send and to receive, and what a person starts at the other end."""

    word: str
    send: tuple[str, ...]
    receive: tuple[str, ...]
    there_receive: str
    there_send: str
    length: str  # whether it says how long the file is: 'carried', or 'padded' to whole blocks


# -w and -L: what noise spoils is sent again from where it was, so what is on its way is kept short.
PROTOCOLS: Final = {
    "zmodem": Protocol(
        "zmodem",
        ("sz", "-b", "-q", "-w", "4096", "-L", "1024"),
        ("rz", "-b", "-q", "-R", "-p"),
        "rz",
        "sz FILE",
        "carried",
    ),
    "ymodem": Protocol("ymodem", ("sb", "-b", "-q", "-k"), ("rb", "-b", "-q", "-R", "-p"), "rb", "sb FILE", "carried"),
    "xmodem": Protocol("xmodem", ("sx", "-b", "-q"), ("rx", "-b", "-q", "-c"), "rx -c FILE", "sx FILE", "padded"),
}


# Name -> the file it is sent as, and the verb that makes it: -o names the file, without it what it prints is the file.
SENT: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "configuration": ("agent.toml", ()),
    "request": ("box.csr", ()),
    "certificate": ("box.pem", ()),
    "log": ("agent.log", ("log", "--last=400")),
    "support": ("support.tar.gz", ("support", "-o")),
    "preview": ("preview.png", ("test", "frame", "-o")),
}
RECEIVED: Final = ("certificate", "ca", "crl", "configuration")


class Watch:
    """One transfer, watched; ``verdict`` is None while it may go on."""

    __slots__ = (
        "_asked",
        "_began_at",
        "_ending",
        "_heard",
        "_interrupted",
        "_most",
        "_seen",
        "_tail",
        "begun",
        "verdict",
    )

    def __init__(self, now: float, *, sending: bool, most_bytes: int) -> None:
        self.begun = False
        self.verdict: int | None = None
        self._asked = _ASKS if sending else _OFFERS
        self._most = (SLACK if sending else 2 * most_bytes) + SLACK
        self._began_at = self._heard = now
        self._ending = self._interrupted = False
        self._seen = 0
        self._tail = b""

    def heard(self, data: bytes, now: float) -> bytes:
        """Take bytes of the other end; returns what lrzsz is to see of them."""
        self._heard = now
        self._ending = False
        self._seen += len(data)
        if not self.begun:
            window = self._tail + data
            if window.endswith(_INTERRUPT * 2) or _CAN in window:
                self.verdict = INTERRUPTED
                return b""
            self._interrupted = data.endswith(_INTERRUPT)
            self._tail = window[-4:]
            self.begun = any(sign in window for sign in self._asked)
        elif self._seen > self._most:
            self.verdict = LARGE
        return data

    def said(self, data: bytes, now: float) -> None:
        """Take note of what lrzsz says to the other end."""
        self._ending = self.begun and (data == _EOT or data.startswith((_NO_MORE, _ZFIN)))
        if self._ending:
            self._heard = now

    def tick(self, now: float) -> None:
        """See whether it has taken too long."""
        if self.verdict is None:
            if not self.begun and self._interrupted and now - self._heard >= QUIET_S:
                self.verdict = INTERRUPTED
            elif not self.begun and now - self._began_at >= START_S:
                self.verdict = NEVER
            elif self._ending and now - self._heard >= LAST_WORD_S:
                self.verdict = DONE
            elif self.begun and now - self._heard >= SILENT_S:
                self.verdict = SILENT
            elif now - self._began_at >= LONGEST_S:
                self.verdict = LONG

    def deadline(self) -> float:
        """Return when ``tick`` has something to do."""
        if not self.begun:
            return self._heard + QUIET_S if self._interrupted else self._began_at + START_S
        return min(self._heard + (LAST_WORD_S if self._ending else SILENT_S), self._began_at + LONGEST_S)


def unpadded(data: bytes) -> bytes:
    """Take away what XMODEM fills the last block with (SUB); text has none of its own at its end."""
    return data.rstrip(b"\x1a")


def safe_name(name: str) -> str:
    """Return the name that a peer gave, as it may be shown: never used as a path."""
    base = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c if c.isprintable() else "?" for c in base)[:64] or "(no name)"
