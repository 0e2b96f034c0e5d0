"""What deliveries taught: how fast a destination takes bytes, how small pixels get, what that costs.

Nothing of this is stored anywhere but in the receipts: each answer carries its figures (``Figures``), and after a
restart the last ones of a destination are added again, by the same function that adds them as they happen.

*The link* is two numbers, a wait for each instance and seconds for each byte, because a peer that takes 8 ms to file an
image looks like a slow line as long as one number is all there is: the smaller the copies, the slower it would seem,
and the more compression would seem to pay. A Kalman filter keeps both: an instance says something about their sum only,
and as much about each as they were uncertain. Thousands of small instances therefore teach the wait and leave what a
large one taught about the rate alone. The noise is a share of what was expected; the two may wander slowly, and a
surprise counts as a change of the line.

*Sizes* are bytes of a copy for a byte of native pixels, by source, kind of pixels and syntax; *work* is CPU seconds for
a native byte, by kind of pixels, from and to. Both are running means. Where there are none yet, sizes come from a table
and work from ``yardstick``, which times the codecs on this machine.
"""

from __future__ import annotations

from agent.dataset import uid
from agent.typed import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.dataset.pixels import PixelDescription
    from agent.transcode.choose import Master

# Before anything was measured: Fast Ethernet and a peer that answers at once. The slow guess is the cheap mistake:
# compressing for a fast link costs parts of a second once, native pixels on a slow one cost minutes.
FIRST_RATE: Final = 12.5e6
FIRST_WAIT_S: Final = 0.005
FASTEST: Final = 20e9  # bytes/s: no memory is faster
_NOISE: Final = 0.15  # of the seconds measured
_WANDER: Final = 0.05  # of each number, from one instance to the next
_SURPRISE: Final = 9.0  # variances: three standard deviations
_DOUBT: Final = 10.0  # what a surprise does to the trust in what was known
_NEW: Final = 0.3  # weight of the newest of a running mean
_STEP: Final = 4.0  # the most that one instance says about the crowd
_FORGET: Final = 0.02  # of the crowd, for each instance that needed no work

# Bytes of a copy for a byte of native pixels (grey to 8 bits, grey above, colour), on the large side of real images.
_SIZES: Final = {
    uid.RLE_LOSSLESS: (0.55, 0.75, 0.5),
    uid.JPEG_LS_LOSSLESS: (0.33, 0.48, 0.3),
    uid.JPEG_LOSSLESS_SV1: (0.45, 0.53, 0.43),
    uid.DEFLATED_EXPLICIT_VR_LE: (0.42, 0.75, 0.25),
}


class Link:
    """Wait and rate of one destination."""

    __slots__ = ("_both", "_slow", "_waits", "per_byte_s", "seen", "wait_s")

    def __init__(self) -> None:
        self.seen = 0
        self.wait_s, self.per_byte_s = FIRST_WAIT_S, 1 / FIRST_RATE
        self._waits, self._both, self._slow = (4 * FIRST_WAIT_S) ** 2, 0.0, (10 / FIRST_RATE) ** 2  # covariance

    @property
    def rate(self) -> float:
        """Bytes a second, without the wait."""
        return 1 / self.per_byte_s

    def seconds(self, count: int) -> float:
        """How long an instance of ``count`` bytes takes."""
        return self.wait_s + count * self.per_byte_s

    def add(self, count: int, seconds: float) -> None:
        """Learn from one answered instance."""
        self.seen += 1
        self._waits = min(self._waits + (_WANDER * self.wait_s) ** 2, 1.0)
        self._slow = min(self._slow + (_WANDER * self.per_byte_s) ** 2, (10 / FIRST_RATE) ** 2)
        expected = self.seconds(count)
        error, noise = seconds - expected, (_NOISE * expected) ** 2
        of_wait, of_slow = self._waits + count * self._both, self._both + count * self._slow
        if error * error > _SURPRISE * (of_wait + count * of_slow + noise):  # no noise: something has changed
            self._waits, self._both, self._slow = self._waits * _DOUBT, self._both * _DOUBT, self._slow * _DOUBT
            of_wait, of_slow = of_wait * _DOUBT, of_slow * _DOUBT
        spread = of_wait + count * of_slow + noise
        self.wait_s = max(0.0, self.wait_s + of_wait / spread * error)
        self.per_byte_s = max(1 / FASTEST, self.per_byte_s + of_slow / spread * error)
        self._waits = max(0.0, self._waits - of_wait * of_wait / spread)
        self._both -= of_wait * of_slow / spread
        self._slow = max(0.0, self._slow - of_slow * of_slow / spread)


class Figures(NamedTuple):
    """What one delivery showed, as it stands in the receipt; zeros and "" where nothing was measured."""

    sent_as: str  # transfer syntax UID
    bytes: int  # of the Data Set that was sent
    link_s: float  # first byte sent to answer read
    stored_as: str = ""  # the rest is known of pixels that were weighed
    stored_bytes: int = 0
    native_bytes: int = 0
    pixels: str = ""
    work_s: float = 0.0  # CPU seconds, 0 where the master itself was sent
    took_s: float = 0.0  # for how long the work kept the instance

    @classmethod
    def read(cls, detail: Mapping[str, str]) -> Figures | None:
        """Take them out of the detail of an event; None where there are none."""
        try:
            return cls(detail["sent_as"], int(detail["bytes"]), float(detail["link_s"]), detail.get("stored_as", ""),
                       int(detail.get("stored_bytes", 0)), int(detail.get("native_bytes", 0)),
                       detail.get("pixels", ""), float(detail.get("work_s", 0)),
                       float(detail.get("took_s", 0)))  # fmt: skip
        except (KeyError, ValueError):
            return None


class Known:
    """Everything learned for one destination; ``speed`` says what a codec costs as long as nothing was measured."""

    __slots__ = ("_before", "_crowd", "_sizes", "_speed", "_work", "link")

    def __init__(self, speed: Callable[[PixelDescription, str, str], float]) -> None:
        self.link = Link()
        self._speed = speed
        self._sizes: dict[tuple[str, str, str], float] = {}
        self._work: dict[tuple[str, str, str], float] = {}
        self._before: dict[tuple[str, str, str], str] = {}
        self._crowd = 1.0

    def add(self, figures: Figures, source: str) -> None:
        """Learn from one delivery."""
        self.link.add(figures.bytes, figures.link_s)
        native = figures.native_bytes
        if not native:
            return
        kind = (source, figures.pixels)
        _mean(self._sizes, (*kind, figures.stored_as), figures.stored_bytes / native)
        self._before[(*kind, figures.stored_as)] = figures.sent_as
        if figures.sent_as != figures.stored_as:
            _mean(self._sizes, (*kind, figures.sent_as), figures.bytes / native)
            _mean(self._work, (figures.pixels, figures.stored_as, figures.sent_as), figures.work_s / native)
            if figures.work_s and figures.took_s:
                step = figures.took_s / figures.work_s / self._crowd
                self._crowd *= min(max(step, 1 / _STEP), _STEP) ** _NEW  # one that had to wait proves little
        else:  # nothing was tried: what kept others busy may be over
            self._crowd += _FORGET * (1.0 - self._crowd)

    def took_s(self, work_s: float, cpu_share: float) -> float:
        """How long work of so many CPU seconds keeps an instance."""
        return work_s * max(1 / cpu_share, self._crowd)

    def before(self, master: Master) -> str:
        """What was last sent of such a master; "" if nothing was."""
        return self._before.get((master.source, master.pixels, master.syntax), "")

    def size(self, master: Master, syntax: str) -> tuple[int, bool]:
        """Bytes that the Data Set has in ``syntax``, and whether that was measured."""
        if syntax == master.syntax:
            return master.bytes, True
        known = self._sizes.get((master.source, master.pixels, syntax))
        if known is not None:
            return int(known * master.native_bytes), True
        description = master.description
        prior = _SIZES.get(syntax)
        if description is None or prior is None:
            return master.native_bytes or master.bytes, description is not None
        column = 2 if description.samples_per_pixel > 1 else int(description.bits_allocated > 8)
        return int(prior[column] * master.native_bytes), False

    def work_s(self, master: Master, syntax: str) -> float:
        """CPU seconds to make and prove a copy in ``syntax``."""
        known = self._work.get((master.pixels, master.syntax, syntax))
        if known is None:
            known = self._speed(master.description, master.syntax, syntax) if master.description is not None else 0.0
        return known * master.native_bytes


def _mean(means: dict[tuple[str, str, str], float], key: tuple[str, str, str], value: float) -> None:
    old = means.get(key)
    means[key] = value if old is None else old + _NEW * (value - old)


class Answer(Protocol):
    """What an answer said, and whose instance it was."""

    @property
    def detail(self) -> Mapping[str, str]:
        """Keys and values of the event."""

    @property
    def source(self) -> str:
        """Name of the source."""


class Receipts(Protocol):
    """Who has kept the answers."""

    def sent(self, destination: str) -> Sequence[Answer]:
        """Return the last answers of a destination, in their order."""


def recall(receipts: Receipts | None, destination: str) -> Known:
    """Return what the last receipts of a destination teach; nothing without receipts."""
    known = Known(_speed)
    for answer in receipts.sent(destination) if receipts is not None else ():
        figures = Figures.read(answer.detail)
        if figures is not None:
            known.add(figures, answer.source)
    return known


def _speed(description: PixelDescription, given: str, wanted: str) -> float:
    from agent.transcode.yardstick import seconds_per_byte  # times the codecs, once

    return seconds_per_byte(description, given, wanted)
