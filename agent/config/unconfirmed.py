"""What reverts by itself unless it is confirmed, and when that is.

The time runs on the clock that counts from the start of the machine (CLOCK_BOOTTIME), suspended or not: setting the
wall clock changes nothing. After another start of the machine nobody knows how long it was off, and that clock begins
anew. A start is therefore the end of the time: whoever could not reach the box any more and pulled the plug finds it as
it was before, and whoever could has confirmed.

There may be several entries, while one unconfirmed generation takes the place of another: the one that counts is that
of the text which is in force, by its digest. Entries of any other text are void.
"""

from __future__ import annotations

import time

from agent.config.at_rest import PENDING
from agent.config.generations import packed, unpacked
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.config.generations import Folder

_BOOT_ID: Final = "/proc/sys/kernel/random/boot_id"


def _boot() -> str:
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _kept() -> bool | None:
    from agent.link.timekeeping import timekeeping  # who only looks does without

    return timekeeping().synchronised


class Times(NamedTuple):
    """Wall clock (s since 1970), that since the start of the machine (s), which start that was; a moment's rest.

    ``kept`` says whether somebody keeps the wall clock right.
    """

    wall: Callable[[], float] = time.time
    running: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME)
    boot: Callable[[], str] = _boot
    rest: Callable[[float], None] = time.sleep
    kept: Callable[[], bool | None] = _kept


class Unconfirmed(NamedTuple):
    """Generation ``number``, whose text has the digest ``text``, gives way to generation ``before``."""

    text: str
    number: int
    before: int
    begun: float
    until: float
    boot: str
    who: str

    def left_s(self, times: Times) -> float:
        """Return how long it has still; 0 when it is over."""
        now = times.running()
        if self.boot != times.boot() or now < self.begun:
            return 0.0
        return max(0.0, self.until - now)


def read(folder: Folder) -> list[Unconfirmed]:
    """Return all entries; raises ``ValueError`` for a damaged file."""
    data = folder.read(PENDING)
    if data is None:
        return []
    found = unpacked(data)
    try:
        if found is None:
            raise ValueError("damaged")
        return [Unconfirmed(**entry) for entry in found[0]["entries"]]
    except (TypeError, KeyError) as error:
        raise ValueError("damaged") from error


def write(folder: Folder, entries: Sequence[Unconfirmed]) -> None:
    """Keep the entries."""
    folder.write(PENDING, packed({"entries": [entry._asdict() for entry in entries]}, ""))
