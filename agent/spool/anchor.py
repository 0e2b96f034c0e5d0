"""Where the chain of events was at last: its head, in a file of its own beside the ledger.

The chain itself shows what was changed, removed or put in between; it cannot show that its end was cut off, or that an
older copy of the whole ledger was put back. A head that was written down elsewhere does: that event must be there with
that value. The agent writes it here every few minutes and at its end, and into its log, which is the better place where
logs are kept on another machine, because who can change the ledger can change this file too. What happened since the
last head was written down cannot be missed by anybody.

Not synced: the ledger is durable before its head is read, so that what a power cut leaves is older than the ledger or
nothing at all: empty, or zeros. At the start it is held against the ledger before it is replaced; one that the ledger
does not have is kept in another file beside it, which nobody but a person deletes. So is one that cannot be read or is
no head: what it said is not known, and nobody may cover that up by making it unreadable.
"""

from __future__ import annotations

import os
import re

from agent.spool.faults import read_error
from agent.spool.names import LEDGER
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.spool.durable import Medium

SUFFIX = "-head"  # of the ledger; set aside with it
KEPT_SUFFIX = (
    "-head-kept"  # heads that the ledger did not have at a start: they are evidence, and stay; set aside with it
)
SPOILT_SUFFIX = "-head-spoilt"  # one that could not be read
KEPT_LIMIT = 16  # whoever puts back older ledgers more often is known by then
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


def spoilt(root: str) -> str:
    """Say what is wrong with a head that was written down and tells nothing; empty: nothing."""
    aside, path = f"{root}/{LEDGER}{SPOILT_SUFFIX}", f"{root}/{LEDGER}{SUFFIX}"
    if os.path.lexists(aside):
        return f"the head of the ledger that was written down beside it could not be read; it is {aside}"
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            text = file.read(200)
        if text.strip("\0"):  # else a power cut came before its bytes
            parse(text)
    except FileNotFoundError:
        return ""
    except ValueError as error:
        return f"{path}: {error}"
    except OSError as error:
        return str(read_error(error, path))
    return ""


def kept(root: str) -> list[Head]:
    """Return the heads that were kept because the ledger does not have them, the oldest first."""
    try:
        with open(f"{root}/{LEDGER}{KEPT_SUFFIX}", encoding="ascii") as file:
            lines = file.read(200 * KEPT_LIMIT).splitlines()
    except (OSError, ValueError):
        return []
    return [Head(int(match[1]), match[2]) for match in map(_HEAD.match, lines) if match is not None]


def all_of(root: str) -> list[Head]:
    """Return every head that was written down in the folder of the spool."""
    last = read(root)
    return [*kept(root), *([] if last is None else [last])]


def compare(medium: Medium, chain_of: Callable[[int], bytes | None]) -> list[Head]:
    """Hold the head that was written down against the chain, before another one takes its place.

    One that is not there is kept beside. Returns all that are kept. Raises ``SpoolError``.
    """
    aside = f"{medium.root}/{LEDGER}{SPOILT_SUFFIX}"
    if spoilt(medium.root) and not os.path.lexists(aside):
        medium.name(f"{medium.root}/{LEDGER}{SUFFIX}", aside)
    head, found = read(medium.root), kept(medium.root)
    if head is None or head in found:
        return found
    chain = chain_of(head.seq)
    if chain is not None and chain.hex() == head.chain:
        return found
    found = [*found[: KEPT_LIMIT - 1], head]
    medium.replace(f"{medium.root}/{LEDGER}{KEPT_SUFFIX}", "".join(f"{one}\n" for one in found).encode())
    return found


def write(medium: Medium, head: Head) -> None:
    """Write it down; raises ``SpoolError``."""
    medium.replace(f"{medium.root}/{LEDGER}{SUFFIX}", f"{head}\n".encode())
