"""Where the chain of events was at last: its head, in a file of its own beside the ledger.

The chain itself shows what was changed, removed or put in between; it cannot show that its end was cut off, or that an
older copy of the whole ledger was put back. A head that was written down elsewhere does: that event must be there with
that value. The agent writes it here every few minutes and at its end, and into its log, which is the better place where
logs are kept on another machine, because who can change the ledger can change this file too. What happened since the
last head was written down cannot be missed by anybody.

Not synced: the ledger is durable before its head is read, so that what a power cut leaves is older than the ledger or
nothing at all. A head that cannot be read counts as none.
"""

from __future__ import annotations

import re

from agent.spool.names import LEDGER
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agent.spool.durable import Medium

SUFFIX = "-head"  # of the ledger; set aside with it
_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})\s*\Z")


class Head(NamedTuple):
    """Number and chain value (hex) of an event."""

    seq: int
    chain: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.chain}"


def parse(text: str) -> Head:
    """Read ``<number>:<64 hex digits>``; raises ``ValueError``."""
    match = _HEAD.match(text.strip().lower())
    if match is None:
        raise ValueError(f"'{text[:80]}' is no head of a ledger: number:64 hex digits")
    return Head(int(match[1]), match[2])


def read(root: str) -> Head | None:
    """Return the head that was written down; None where there is none that can be read."""
    try:
        with open(f"{root}/{LEDGER}{SUFFIX}", encoding="ascii") as file:
            return parse(file.read(200))
    except (OSError, ValueError):
        return None


def write(medium: Medium, head: Head) -> None:
    """Write it down; raises ``SpoolError``."""
    medium.replace(f"{medium.root}/{LEDGER}{SUFFIX}", f"{head}\n".encode())
