"""The custody receipt: what is known about an instance, from capture to eviction, and whether it was tampered with.

Everything here only reads, through a function ``read(sql, values) -> rows``, so that the daemon (its one connection)
and other processes (``SpoolView``) ask the same questions. Results are values that print themselves well as JSON
(``_asdict``); wall times are seconds since 1970 UTC, digests hex, states the words of states.py.

What ``verify`` finds, and what it cannot, is in chain.py.
"""

from __future__ import annotations

from agent.spool.ledger import GENESIS
from agent.spool.names import file_path
from agent.spool.states import HANDED_OVER, PRIORITY_WORDS, STATE_OF_WORD, WORDS, Event, Life, State
from agent.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agent.spool.anchor import Head
    from agent.spool.chain import Verdict

PAGE = 1000  # rows per read of a list: constant memory however long it is
RECENT = 4000  # events in which the last answers of a destination are looked for


Place = tuple[int, "str | None"]  # behind this destination of an instance; None: behind the whole instance
BEGINNING: Place = (0, None)
LAST_PLACE = 2**63 - 1  # what SQLite compares with


def place(text: str) -> Place:
    """Read ``<instance id>`` or ``<instance id>/<destination>``; raises ``ValueError``."""
    number, slash, name = text.partition("/")
    if not (number.isascii() and number.isdecimal() and len(number) < 20 and int(number) <= LAST_PLACE):
        raise ValueError(f"'{text}' is no place in the list")
    return int(number), name if slash else None


class Row(NamedTuple):
    """One delivery, as ``queue list`` shows it."""

    id: int
    sop_instance_uid: str
    destination: str
    state: str
    attempt: int
    next_at: float  # monotonic s of the daemon; 0: now
    status: int | None  # of the last C-STORE-RSP
    reason: str
    size: int  # bytes
    captured_at: float
    priority: str = "normal"  # urgent, normal, low

    @property
    def place(self) -> str:
        """Where a page that ends with this delivery is gone on with; ``place`` reads it."""
        return f"{self.id}/{self.destination}"


class Custody(NamedTuple):
    """One destination's part of a receipt."""

    destination: str
    state: str
    attempt: int
    status: int | None
    reason: str
    peer: str
    sent_at: float | None
    answered_at: float | None
    asked: int
    transaction_uid: str | None
    committed_at: float | None
    priority: str = "normal"


class Entry(NamedTuple):
    """One event of the chain."""

    seq: int
    at: float
    destination: str | None
    kind: str
    state: str | None
    detail: dict[str, str]
    clock: str = ""  # how good the clock was; empty: nobody noted it then


class Told(NamedTuple):
    """What one event said, and of which instance."""

    detail: dict[str, str]
    source: str
    sop_instance_uid: str
    transfer_syntax_uid: str  # in which it is stored


class Receipt(NamedTuple):
    """The custody line of one instance."""

    id: int
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    study_uid: str
    series_uid: str
    state: str  # of the file: live, evicting, evicted, damaged, lost
    size: int
    file_sha256: str
    data_set_sha256: str
    captured_at: float
    durable_at: float
    evicted_at: float | None
    source: str
    file: str  # below the spool folder
    deliveries: tuple[Custody, ...]
    events: tuple[Entry, ...]


class Holding(NamedTuple):
    """One instance whose file may be here, for who takes it elsewhere."""

    id: int
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    study_uid: str
    series_uid: str
    state: str  # of the file, as in ``Receipt``
    size: int  # bytes
    file_sha256: str
    data_set_sha256: str
    captured_at: float


class Reader:
    """All questions about a ledger."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]) -> None:
        self._read = read

    def rows(
        self, *, destination: str | None = None, state: str | None = None, sop_instance_uid: str | None = None,
        studies: Sequence[str] | None = None, after: Place = BEGINNING, limit: int = 100,
    ) -> list[Row]:  # fmt: skip
        """List deliveries by instance id and name of the destination; ``after`` is where the page before ended.

        Raises ``KeyError`` for a state that is not a word of states.py.
        """
        number, name = after
        where: list[str] = ["d.instance > ?"]
        values: list[object] = [number]
        if name is not None:  # the first term lets SQLite seek, the second one is exact
            where, values = ["d.instance >= ? AND (d.instance > ? OR n.name > ?)"], [number, number, name]
        # Which ones, by the smallest index there is, and only of those the rest. What is committed is most of what
        # there is: a page of it is found sooner where all deliveries lie by instance.
        wanted = None if state is None else STATE_OF_WORD[state]
        few = wanted is not None and wanted is not State.COMMITTED
        tables = "destination n CROSS JOIN delivery d" if few else "delivery d CROSS JOIN destination n"
        for sql, value in (
            ("n.name = ?", destination),
            ("d.state = ?", None if wanted is None else int(wanted)),
            ("d.instance = (SELECT id FROM instance WHERE sop_instance_uid = ?)", sop_instance_uid),
        ):
            if value is not None:
                where.append(sql)
                values.append(value)
        if studies is not None:
            marks = ", ".join("?" * len(studies))
            where.append(f"d.instance IN (SELECT id FROM instance WHERE study_uid IN ({marks}))")  # noqa: S608 - only marks
            values += studies
        found = self._read(
            "SELECT i.id, i.sop_instance_uid, c.name, d.state, d.attempt, d.next_at, d.status, d.reason, i.size, "  # noqa: S608 - our text
            f"i.captured_at, d.priority FROM (SELECT d.instance, d.destination, n.name FROM {tables} "
            f"WHERE n.id = d.destination AND {' AND '.join(where)} ORDER BY d.instance, n.name LIMIT ?) c "
            "JOIN delivery d ON d.instance = c.instance AND d.destination = c.destination "
            "JOIN instance i ON i.id = c.instance ORDER BY c.instance, c.name",
            (*values, limit),
        )
        return [Row._make((*row[:3], WORDS[row[3]], *row[4:-1], PRIORITY_WORDS[row[-1]])) for row in found]

    def counts(self) -> dict[str, dict[str, int]]:
        """Count deliveries per destination and state word; configured destinations appear even when empty."""
        counts: dict[str, dict[str, int]] = {
            name: {} for (name,) in self._read("SELECT name FROM destination WHERE configured = 1 ORDER BY name", ())
        }
        sql = (
            "SELECT n.name, t.state, t.count FROM tally t JOIN destination n ON n.id = t.destination "
            "WHERE t.count > 0 ORDER BY t.destination, t.state"
        )
        for name, state, count in self._read(sql, ()):
            counts.setdefault(name, {})[WORDS[state]] = count
        return counts

    def waiting(self, uid: str) -> int:
        """Count the deliveries of an instance or study that are still to be sent."""
        sql = (
            "SELECT count(*) FROM delivery d JOIN instance i ON i.id = d.instance "
            "WHERE (i.sop_instance_uid = ? OR i.study_uid = ?) AND d.state IN (?, ?, ?, ?)"
        )
        states = (State.QUEUED, State.ACTIVE, State.DEFERRED, State.HELD)
        return int(self._read(sql, (uid, uid, *map(int, states)))[0][0])

    def diverted(self, destination: str | None = None, uid: str | None = None) -> dict[str, int]:
        """Count what was handed over, of a destination or an instance or both, by who it went to."""
        sql = (
            "SELECT d.reason, count(*) FROM delivery d JOIN instance i ON i.id = d.instance "
            "JOIN destination n ON n.id = d.destination "
            "WHERE d.destination IN (SELECT id FROM destination) AND d.state = ? AND n.name = coalesce(?, n.name) "
            "AND i.sop_instance_uid = coalesce(?, i.sop_instance_uid) GROUP BY d.reason"
        )
        found: dict[str, int] = {}
        for reason, count in self._read(sql, (int(State.DIVERTED), destination, uid)):
            other = reason.removeprefix(HANDED_OVER).partition(": ")[0]
            found[other] = found.get(other, 0) + count
        return found

    def stored_is_enough(self) -> frozenset[str]:
        """Return the destinations for which the site switched commitment off: "stored" ends our care there (P4)."""
        return frozenset(name for (name,) in self._read("SELECT name FROM destination WHERE commitment = 0", ()))

    def lives(self) -> dict[str, int]:
        """Count instances per state of their file."""
        sql = "SELECT state, count FROM tally WHERE destination = 0 AND count > 0 ORDER BY state"
        return {WORDS[life]: count for life, count in self._read(sql, ())}

    def live_numbers(self, after: int, limit: int) -> list[int]:
        """List instances whose files are there by their numbers, ascending, a page at a time."""
        sql = "SELECT id FROM instance WHERE life = ? AND id > ? ORDER BY id LIMIT ?"
        return [row[0] for row in self._read(sql, (int(Life.LIVE), after, limit))]

    def receipt(self, sop_instance_uid: str) -> Receipt | None:
        """Return the custody line of an instance; None when the spool never had it."""
        sql = (
            "SELECT id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, study_uid, series_uid, life, size, "
            "file_sha256, data_set_sha256, captured_at, durable_at, evicted_at, source FROM instance "
            "WHERE sop_instance_uid = ?"
        )
        found = self._read(sql, (sop_instance_uid,))
        if not found:
            return None
        row = found[0]
        number = row[0]
        words = (*row[:6], WORDS[row[6]], row[7], row[8].hex(), row[9].hex(), *row[10:])
        return Receipt._make((*words, file_path("", number)[1:], self._deliveries(number), self.events(number)))

    def events(self, number: int) -> tuple[Entry, ...]:
        """Return the history of one instance."""
        sql = (
            "SELECT e.seq, e.at, n.name, e.kind, e.state, e.detail FROM event e "
            "LEFT JOIN destination n ON n.id = e.destination WHERE e.instance = ? ORDER BY e.seq"
        )
        entries = [_entry(row) for row in self._read(sql, (number,))]
        entries = sorted([*entries, *self._pauses(number, entries)], key=lambda one: one.seq)
        sql = "SELECT seq, detail FROM event WHERE instance IS NULL AND kind = 'clock' AND seq < ? ORDER BY seq DESC"
        grades = [
            (seq, _pairs(detail)["clock"]) for seq, detail in self._read(sql, (entries[-1].seq if entries else 0,))
        ]
        return tuple(one._replace(clock=next((word for seq, word in grades if seq < one.seq), "")) for one in entries)

    def _pauses(self, number: int, entries: list[Entry]) -> list[Entry]:
        """When an operator held a whole destination while this instance waited for it."""
        sql = (
            "SELECT e.seq, e.at, n.name, e.kind, e.state, e.detail, d.state FROM delivery d CROSS JOIN event e "
            "JOIN destination n ON n.id = d.destination WHERE d.instance = ? AND e.instance IS NULL "
            "AND e.destination = d.destination AND e.kind IN (?, ?) ORDER BY e.seq"
        )
        found: list[Entry] = []
        before: dict[str, Entry] = {}
        for row in self._read(sql, (number, Event.SUSPEND.value, Event.RELEASE.value)):
            one = _entry(row[:-1])
            mine = [entry.seq for entry in entries if entry.destination == one.destination]
            waits = row[-1] in (State.QUEUED, State.ACTIVE, State.DEFERRED, State.HELD)
            if mine and one.seq < mine[0]:
                before[str(one.destination)] = one
            elif mine and (waits or one.seq < mine[-1]):
                found.append(one)
        return [*(one for one in before.values() if one.kind == Event.SUSPEND.value), *found]

    def holdings(
        self, *, uid: str | None = None, study: str | None = None, since: float | None = None, after: int = 0,
        limit: int = PAGE,
    ) -> list[Holding]:  # fmt: skip
        """List instances, evicted ones too, by id: of a SOP Instance UID, of a study, captured since (wall s)."""
        asked = (
            ("id > ?", after),
            ("sop_instance_uid = ?", uid),
            ("study_uid = ?", study),
            ("captured_at >= ?", since),
        )
        where = [(text, value) for text, value in asked if value is not None]
        sql = (
            "SELECT id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, study_uid, series_uid, life, size, "  # noqa: S608 - our text
            "file_sha256, data_set_sha256, captured_at FROM instance "
            f"WHERE {' AND '.join(text for text, _ in where)} ORDER BY id LIMIT ?"
        )
        found = self._read(sql, (*(value for _, value in where), limit))
        shown = ((*row[:6], WORDS[row[6]], row[7], row[8].hex(), row[9].hex(), row[10]) for row in found)
        return [Holding._make(row) for row in shown]

    def sent(self, destination: str, limit: int = 64) -> list[Told]:
        """Return the last answers of a destination, in their order.

        It looks at the last ``RECENT`` events only, so that it costs milliseconds however long the chain is.
        """
        return self._told("e.kind = 'stored' AND e.destination = (SELECT id FROM destination WHERE name = ?)",
                          destination, limit)  # fmt: skip

    def captured(self, source: str, limit: int = 16) -> list[Told]:
        """Return what was sealed last of a source, in its order, within the last ``RECENT`` events."""
        return self._told("e.kind = 'durable' AND i.source = ?", source, limit)

    def _told(self, where: str, name: str, limit: int) -> list[Told]:
        sql = (
            "SELECT e.detail, i.source, i.sop_instance_uid, i.transfer_syntax_uid FROM event e "  # noqa: S608 - our text
            f"JOIN instance i ON i.id = e.instance WHERE {where} "
            "AND e.seq > (SELECT max(seq) FROM event) - ? ORDER BY e.seq DESC LIMIT ?"
        )
        return [Told(_pairs(row[0]), *row[1:]) for row in reversed(self._read(sql, (name, RECENT, limit)))]

    def reasons(self, destination: str, limit: int = 8) -> list[tuple[str, str, int | None, int, str]]:
        """Return why deliveries wait: state word, reason, last status, how many, and one SOP Instance UID of them."""
        sql = (
            "SELECT d.state, d.reason, d.status, count(*), min(i.sop_instance_uid) FROM delivery d "
            "JOIN instance i ON i.id = d.instance WHERE d.destination = (SELECT id FROM destination WHERE name = ?) "
            "AND d.state IN (?, ?, ?, ?, ?) GROUP BY d.state, d.reason, d.status ORDER BY count(*) DESC LIMIT ?"
        )
        states = (State.HELD, State.DEFERRED, State.DAMAGED, State.LOST, State.UNCONFIRMED)
        found = self._read(sql, (destination, *map(int, states), limit))
        return [(WORDS[row[0]], *row[1:]) for row in found]

    def accepted(self, destination: str) -> dict[str, dict[str, bool]]:
        """Return what a destination was last seen to take: SOP Class -> transfer syntax -> taken."""
        sql = (
            "SELECT e.detail FROM event e WHERE e.instance IS NULL AND e.kind = 'peer takes' "
            "AND e.destination = (SELECT id FROM destination WHERE name = ?) ORDER BY e.seq"
        )
        found: dict[str, dict[str, bool]] = {}
        for (detail,) in self._read(sql, (destination,)):
            pairs = _pairs(detail)
            found[pairs["sop_class"]] = {
                syntax: word == "takes" for word in ("takes", "refuses") for syntax in pairs.get(word, "").split(",")
                if syntax
            }  # fmt: skip
        return found

    def commitment_s(self, destination: str, limit: int = 16) -> list[float]:
        """Return how long after it was asked the last instances were committed, in seconds."""
        sql = (
            "SELECT last.committed_at - c.opened_at FROM (SELECT committed_at, transaction_uid FROM delivery "
            "WHERE destination = (SELECT id FROM destination WHERE name = ?) AND state = ? "
            "ORDER BY next_at DESC, instance DESC LIMIT ?) last JOIN commitment c USING (transaction_uid)"
        )  # next_at is 0 in that state; it names the index
        found = self._read(sql, (destination, int(State.COMMITTED), limit))
        return [max(0.0, row[0]) for row in found]

    def head(self) -> tuple[int, str]:
        """Return number and chain value (hex) of the last event."""
        found = self._read("SELECT seq, chain FROM event ORDER BY seq DESC LIMIT 1", ())
        return (int(found[0][0]), bytes(found[0][1]).hex()) if found else (0, GENESIS.hex())

    def verify(self, heads: Iterable[Head | None] = ()) -> Verdict:
        """Walk the chain and compare the rows with it; ``heads`` are values that it must have had (anchor.py)."""
        from agent.spool.chain import verify

        return verify(self._read, heads)

    def faults_of(self, number: int) -> tuple[str, ...]:
        """Say what is wrong with the history of one instance."""
        from agent.spool.chain import of_instance

        return of_instance(self._read, number)

    def _deliveries(self, number: int) -> tuple[Custody, ...]:
        sql = (
            "SELECT n.name, d.state, d.attempt, d.status, d.reason, d.peer, d.sent_at, d.answered_at, d.asked, "
            "d.transaction_uid, d.committed_at, d.priority FROM delivery d JOIN destination n ON n.id = d.destination "
            "WHERE d.instance = ? ORDER BY n.name"
        )
        rows = self._read(sql, (number,))
        return tuple(Custody._make((row[0], WORDS[row[1]], *row[2:-1], PRIORITY_WORDS[row[-1]])) for row in rows)


def _entry(row: tuple[Any, ...]) -> Entry:
    seq, at, destination, kind, state, detail = row
    return Entry(seq, at, destination, kind, None if state is None else WORDS[state], _pairs(detail))


def _pairs(detail: str) -> dict[str, str]:
    lines = (line.partition("=") for line in detail.split("\n") if line)
    return {key: value for key, _, value in lines}
