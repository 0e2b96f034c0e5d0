"""One misbehaviour as data: what the peer does, and what must have become of it when it is over.

``wait`` is the named wait (``agent.link.peer.Timeouts``) that ends it; a row without one ends by itself, at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from agent.link.peer import Timeouts

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.misbehaviour.line import Line

# Every wait is short here, and long enough for an honest peer on a busy machine.
SHORT: Final = Timeouts(
    connect_s=0.9,
    tls_s=0.9,
    associate_s=0.8,
    write_s=0.8,
    response_s=1.0,
    release_s=0.4,
    pdu_s=0.4,
    idle_s=1.0,
    artim_s=0.8,
    association_s=2.0,
)
MACHINE_S: Final = 1.5  # what a busy machine may add to any wait
GROWTH_KIB: Final = 8 * 1024
PLAIN, TLS = "plain", "tls"
BOTH: Final = (PLAIN, TLS)


class Row(NamedTuple):
    """``code`` and ``words`` are regular expressions of the error that ends it, empty where none does.

    ``state`` is that of the one delivery afterwards; ``note`` says what senders of today do about it.
    """

    name: str
    play: Callable[[Line], None]
    code: str
    state: str
    wait: str = ""
    words: str = ""
    note: str = ""
    ways: tuple[str, ...] = BOTH
    side: str = "SCU"  # which of ours is under test: SCU or listener
    large: bool = False  # the instance has 16 MiB, not 20 kB
    commitment: bool = False
    raw: bool = False  # the script gets the bare connection where TLS is due

    @property
    def size(self) -> int:
        """Return the bytes of the instance's pixels."""
        return 16 << 20 if self.large else 20_000

    @property
    def deadline_s(self) -> float:
        """Return when it must be over, in seconds from the connection."""
        return 2 * getattr(SHORT, f"{self.wait}_s", 0.0) + MACHINE_S
