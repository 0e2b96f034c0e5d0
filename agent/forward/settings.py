"""How one destination is served: a site's choices, as the worker takes them, and when it is to end."""

from __future__ import annotations

import os

from agent.forward.policy import BackOff
from agent.transcode.choose import AS_STORED
from agent.typed import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from agent.forward.schedule import Schedule
    from agent.link.peer import Peer


class Stop(Protocol):
    """Says when to end; a ``threading.Event`` is one."""

    def is_set(self) -> bool:
        """Return whether to end."""


class Settings(NamedTuple):
    """How one destination is served; the times are a site's to choose."""

    destination: str
    peer: Peer
    commitment: bool = True
    idle_close_s: float = 2.0  # the association stays open for more images
    report_wait_s: float = 10.0  # and for a report
    report_deadline_s: float = 3600.0  # then the question is put anew
    most_asked: int = 10  # questions for one instance
    look_s: float = 3600.0  # behind them, for an association on which to look whether it is listed
    back_off: BackOff = BackOff()
    transfer_syntax: str = AS_STORED  # or AUTO, or the UID to prefer
    cpu_share: float = 1.0  # of one core, for copies
    schedule: Schedule | None = None  # None: images at any hour
    urgent_ignores_windows: bool = False
    failover: str = ""  # destination that is owed the images while this one is down ...
    failover_after_s: float = 600.0  # ... for so long
    failover_peer: Peer | None = None  # if it can be reached itself
    associations: int = 1  # at a time; more than one needs helpers (``team``)


def draw() -> float:
    """Return a number in [0, 1): boxes that lost the same archive must not come back together.

    The module ``random`` would serve too, for 200 KiB of an idle box.
    """
    return int.from_bytes(os.urandom(4), "big") / 2**32
