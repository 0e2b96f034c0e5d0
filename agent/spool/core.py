"""What every part of the spool shares: the ledger, the clock, the destinations, and waking whoever waits for work.

``Spool`` (store.py) is one object made of four parts that each keep one promise: forwarding.py (sent means answered),
committing.py (Storage Commitment), evicting.py (evict behind commitment only) and store.py itself (durable before
acknowledged). They meet here and nowhere else.
"""

from __future__ import annotations

import threading
import time

from agent.errors import SpoolError
from agent.spool.names import QUARANTINE, file_path
from agent.spool.quota import Admission
from agent.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections import deque
    from collections.abc import Callable

    from agent.spool.durable import Medium
    from agent.spool.ledger import Ledger
    from agent.spool.quota import Policy
    from agent.spool.receipt import Place, Reader, Receipt, Row


class Clock(NamedTuple):
    """The two times the spool needs, both in seconds."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


class Destination(NamedTuple):
    """A configured destination; ``commitment=False``: the site accepts "stored" as the end (P4).

    ``standby``: it is owed only what others hand over.
    """

    name: str
    commitment: bool = True
    standby: bool = False


class Item(NamedTuple):
    """One claimed delivery: everything a sender needs, nothing about the patient."""

    id: int
    destination: str
    path: str
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    data_set_offset: int  # bytes
    size: int  # bytes of the whole file
    attempt: int  # 1 for the first C-STORE
    asked: int  # N-ACTION requests so far
    data_set_sha256: bytes  # of the Data Set as it was sealed; a sender that reads other bytes calls ``examine``
    source: str = ""  # name of the source in the configuration
    priority: int = 2  # see priority.py


ITEM_COLUMNS = (
    "i.id, i.sop_class_uid, i.sop_instance_uid, i.transfer_syntax_uid, i.data_set_offset, i.size, d.attempt, d.asked, "
    "i.data_set_sha256, i.source, d.priority"
)


def _nobody(_error: SpoolError) -> None:
    """Hear nothing."""


class SpoolCore:
    """State shared by the parts; not for use by itself."""

    __slots__ = ("_claims", "_doubt", "_evictable", "_evicting", "_fresh", "_generation", "_holds", "_holds_lock",
        "_missed", "_turns", "_work", "admission", "clock", "destinations", "ids", "ledger", "medium", "policy",
        "trouble")  # fmt: skip

    def __init__(self, medium: Medium, ledger: Ledger, destinations: dict[str, Destination], ids: dict[str, int],
                 policy: Policy, clock: Clock) -> None:  # fmt: skip
        self.medium = medium
        self.ledger = ledger
        self.destinations = destinations
        self.ids = ids  # name -> number in the ledger, also of destinations no longer configured
        self.policy = policy
        self.clock = clock
        self._work = threading.Condition()
        self._generation = 0
        self._fresh: dict[str, deque[tuple[float, int]]] = {}  # see forwarding.py
        self._evicting = threading.Lock()
        self._evictable: tuple[float, int] | None = None  # see evicting.py
        self._claims = threading.Lock()
        self._doubt: dict[int, list[int]] = {}  # see forwarding.py
        self._missed: set[str] = set()  # see committing.py
        self._holds: frozenset[tuple[int, str]] | None = None  # as they are in the ledger; see holding.py
        self._holds_lock = threading.Lock()
        self._turns: dict[int, int] = {}  # destination -> how many were claimed; see priority.py
        self.admission = Admission(medium, policy)
        self.trouble: Callable[[SpoolError], None] = _nobody  # hears what failed and was made good

    @property
    def root(self) -> str:
        """Return the spool folder."""
        return self.medium.root

    def path(self, number: int) -> str:
        """Return the final path of an instance."""
        return file_path(self.medium.root, number)

    def quarantine_path(self, name: str) -> str:
        """Return a path in quarantine."""
        return f"{self.medium.root}/{QUARANTINE}/{name}"

    def every_destination(self) -> tuple[str, ...]:
        """Return the names of those that are owed every instance."""
        return tuple(name for name, known in self.destinations.items() if not known.standby)

    def destination_id(self, name: str) -> int:
        """Return the ledger's number of a destination; raises ``SpoolError`` for an unknown name."""
        try:
            return self.ids[name]
        except KeyError:
            raise SpoolError(f"the spool knows no destination {name!r}", hint="Add it to the configuration.") from None

    def item(self, destination: str, row: tuple[Any, ...]) -> Item:
        """Make an ``Item`` of a row of ``ITEM_COLUMNS``."""
        return Item._make((row[0], destination, self.path(row[0]), *row[1:]))

    @property
    def reader(self) -> Reader:
        """Return all read-only questions (the same that ``SpoolView`` answers in other processes)."""
        from agent.spool.receipt import Reader  # who is asked nothing does without

        return Reader(self.ledger.read)

    def receipt(self, sop_instance_uid: str) -> Receipt | None:
        """Return the custody line of an instance."""
        return self.reader.receipt(sop_instance_uid)

    def rows(self, *, destination: str | None = None, state: str | None = None, sop_instance_uid: str | None = None,
             after: Place = (0, None), limit: int = 100) -> list[Row]:  # fmt: skip
        """List deliveries, oldest first; ``after`` is where the last page ended (``Row.place``)."""
        return self.reader.rows(destination=destination, state=state, sop_instance_uid=sop_instance_uid, after=after,
            limit=limit)  # fmt: skip

    def counts(self) -> dict[str, dict[str, int]]:
        """Count deliveries per destination and state word."""
        return self.reader.counts()

    @property
    def arrivals(self) -> int:
        """Return a number that changes when something came that may be more urgent than what is claimed."""
        return self._generation

    def _hand_back(self, db: sqlite3.Connection, item: Item, reason: str, wall: float) -> None:
        """Do what follows when an instance is held; see failover.py."""

    def assure(self) -> None:
        """Raise unless the medium that was opened is there; see store.py."""

    def wake(self) -> None:
        """End every ``wait_for_work``: there is news, or the caller wants its threads back."""
        with self._work:
            self._generation += 1
            self._work.notify_all()


def write_destinations(ledger: Ledger, wanted: dict[str, Destination]) -> dict[str, int]:
    """Bring the destinations into the ledger; returns the numbers of all that were ever configured."""
    rows = ledger.read("SELECT id, name, commitment, configured FROM destination")
    have = {name: (number, bool(commitment), bool(configured)) for number, name, commitment, configured in rows}
    changed = any(have.get(name, (0, None, None))[1:] != (entry.commitment, True) for name, entry in wanted.items())
    if changed or any(configured and name not in wanted for name, (_, _, configured) in have.items()):

        def job(db: sqlite3.Connection) -> None:
            db.execute("UPDATE destination SET configured = 0")
            for name, entry in wanted.items():
                sql = (
                    "INSERT INTO destination (name, commitment, configured) VALUES (?, ?, 1) "
                    "ON CONFLICT (name) DO UPDATE SET commitment = excluded.commitment, configured = 1"
                )
                db.execute(sql, (name, int(entry.commitment)))

        ledger.write(job)
    return {name: int(number) for number, name in ledger.read("SELECT id, name FROM destination")}
