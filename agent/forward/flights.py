"""The flight recorder of one destination: the last associations with it, kept for ``why`` and for a vendor.

A record is written when its association is over, by the thread that used it; no image waits for it, and a recorder that
fails says so once and costs nothing else. A destination that is down would fill the file with one and the same failure:
that is counted in one record, which is written anew every ``REPEAT_S`` at most, and failures never push out the last
associations that came about.
"""

from __future__ import annotations

import threading
import time

from agent.spool.flights import FILE_LIMIT_BYTES, facts_of, read_lines, write_lines
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.link.flight import Flight
    from agent.spool.durable import Medium

KEPT: Final = 8  # of each kind: associations of ours, those that the peer opened, and failures to get one
LIVE_LIMIT: Final = 64  # more are open at a destination or from peers only when something is wrong with us
REPEAT_S: Final = 600.0  # a flash card lives longer than a week of a dead archive
_ASSOCIATED: Final = b'{"associated": true'
_KIND_BYTES: Final = len(b'{"associated": true, "opened_by_us": true')  # the kind of a record is its first two facts


class Records:
    """The recorders of all destinations, and the records of associations that peers open; safe for several threads.

    Such an association is recorded where its reports belong, or at the destination that calls itself so. Only one that
    brings a report, or is rejected, is worth a record: a monitor that echoes every minute would push out all others.
    """

    __slots__ = ("_flights", "_incoming", "_make", "_who")

    def __init__(self, make: Callable[[str], Flights], who: Callable[[str], Sequence[str]]) -> None:
        """``make`` makes the recorder of a destination; ``who`` tells the destinations that an AE Title is."""
        self._make = make
        self._who = who
        self._flights: dict[str, Flights] = {}
        self._incoming = Live()

    def live_facts(self) -> list[dict[str, Any]]:
        """Return the associations that are open now, as plain values."""
        ours = [fact for name, one in tuple(self._flights.items()) for fact in one.live.facts(name)]
        return [*ours, *self._incoming.facts("")]

    def of(self, name: str) -> Flights:
        """Return the recorder of a destination, the same one every time."""
        return self._flights.setdefault(name, self._make(name))

    def incoming(self, address: str) -> Flight:
        """Return the record of a connection that a peer opened."""
        from agent.link.flight import Flight

        flight = Flight(address, time.time(), time.monotonic(), self._keep, opened_by_us=False)
        self._incoming.add(flight)
        return flight

    def _keep(self, flight: Flight) -> None:
        self._incoming.end(flight)
        request = flight.association.request if flight.association is not None else None
        if request is None:
            return  # a port check
        reported = any(row[2] == "N-EVENT-REPORT-RQ" for row in flight.rows)
        names = [flight.reports[-1].destination] if flight.reports else self._who(request.calling_ae)
        if names and (reported or not flight.associated):
            flight.peer = f"{request.calling_ae}@{flight.peer}"
            self.of(names[0]).keep(flight)


class Live:
    """The records of associations that are open; safe for several threads."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[int, Flight] = {}

    def add(self, flight: Flight) -> None:
        """Note that one has begun; of too many the oldest is forgotten."""
        self._open[id(flight)] = flight
        if len(self._open) > LIVE_LIMIT:
            self._open.pop(next(iter(self._open)), None)

    def end(self, flight: Flight) -> None:
        """Note that one is over."""
        self._open.pop(id(flight), None)

    def facts(self, destination: str) -> list[dict[str, Any]]:
        """Return what is known of each."""
        return [{"destination": destination, **one.live_facts(time.monotonic())} for one in tuple(self._open.values())]


class Flights:
    """Makes and keeps the records of one destination; safe to call from several threads, and it never raises."""

    __slots__ = ("_clock", "_count", "_failed", "_lock", "_medium", "_name", "_repeat", "_say", "_wall", "_written",
        "live")  # fmt: skip

    def __init__(
        self,
        medium: Medium,
        name: str,
        say: Callable[[str, str], None],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._medium = medium
        self._name = name
        self._say = say
        self._clock = clock
        self._wall = wall
        self._lock = threading.Lock()
        self._repeat = ("", "")  # the failure that was written last, at
        self._written = 0.0
        self._count = 0  # and how often it came since
        self._failed = False
        self.live = Live()

    def begin(self, peer: object, *, opened_by_us: bool = True) -> Flight:
        """Return the record of an association that begins now."""
        from agent.link.flight import Flight  # the first association pays for it, not the idle daemon

        flight = Flight(str(peer), self._wall(), self._clock(), self.keep, opened_by_us=opened_by_us)
        self.live.add(flight)
        return flight

    def keep(self, flight: Flight) -> None:
        """Write the record of an association that is over."""
        self.live.end(flight)
        try:
            with self._lock:
                self._keep(flight)
            self._failed = False
        except Exception as error:  # noqa: BLE001  whatever it is, the images are more important
            if not self._failed:
                self._failed = True
                self._say("warning", f"the flight recorder cannot write: {error}")

    def _keep(self, flight: Flight) -> None:
        now, failure = self._clock(), ("", "") if flight.associated else flight.ended
        self._count = self._count + 1 if failure[0] and failure == self._repeat else 1
        if self._count > 1 and now < self._written + REPEAT_S:
            return
        lines = read_lines(self._medium.root, self._name)
        profile, lines = facts_of(lines[0]) if lines else {}, lines[1:]
        if self._count > 1 and lines and not lines[-1].startswith(_ASSOCIATED):
            lines.pop()
        kind = {"associated": flight.associated, "opened_by_us": flight.opened_by_us}
        facts = {**kind, "times": self._count, **flight.facts()}
        changes: list[str] = []
        if flight.associated:
            from agent.forward.profile import learn  # the first association pays for it, not the idle daemon

            profile, changes = learn(profile, facts, flight.changes)
        lines.append(_line(facts))
        head = _line(profile)
        write_lines(self._medium, self._name, [head, *bounded(lines, FILE_LIMIT_BYTES - len(head) - 1)])
        for text in changes[len(flight.changes) :]:
            self._say("warning", f"{flight.peer}: {text}")
        self._repeat, self._written = failure, now


def bounded(lines: list[bytes], limit_bytes: int) -> list[bytes]:
    """Return the last ``KEPT`` lines of each kind, in their order, within ``limit_bytes``."""
    kept: list[bytes] = []
    counts: dict[bytes, int] = {}
    for line in reversed(lines):
        kind = line[:_KIND_BYTES]
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] > KEPT:
            continue
        limit_bytes -= len(line) + 1
        if limit_bytes >= 0:
            kept.append(line)
    return kept[::-1]


def _line(facts: dict[str, Any]) -> bytes:
    import json

    return json.dumps(facts).encode()
