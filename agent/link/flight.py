"""The record of one association, for who must explain it afterwards: heads and facts, never contents.

The driver hands in the bytes of both directions; of each PDU its type, its length and its first presentation data value
head are kept, of each message the command, Message ID, status and SOP Class. What says anything about a patient has no
way in: no fragment is kept, no SOP Instance UID (the Message ID joins a row with the log and the receipts of this box),
no Error Comment of the peer. So the record may leave the house.

Bounded: the first and the last rows of an association stay, those between are counted. The Data Set of a C-STORE is one
row, because its PDUs never pass through Python (``agent.link.train``).
"""

from __future__ import annotations

import re
import time
from collections import deque

from agent.errors import AssociationError, LinkError, ProtocolError, UserNotConfirmed
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dimse.message import Message
    from agent.errors import AgentError
    from agent.ul.association import Association
    from agent.ul.items import Buffer
    from agent.ul.pdu import AssociateAccept, AssociateRequest

FIRST_ROWS: Final = 40  # the negotiation and the first instances
LAST_ROWS: Final = 120  # what led to the end: some 20 instances
TEXT_LIMIT: Final = 300  # characters of the reason of an end
_KINDS: Final = range(1, 8)
_HEAD_BYTES: Final = 12
_DATA: Final = 4
_SHORT: Final = (3, 7)  # A-ASSOCIATE-RJ and A-ABORT: three numbers that say why
_SAFE: Final = (AssociationError, LinkError, ProtocolError)  # whose words are ours, or numbers of the peer
_UID: Final = re.compile(r"\d+(\.\d+){4,}")  # longer than an IPv4 address
_NAMES: Final = {
    "CEcho": "C-ECHO", "CStore": "C-STORE", "CCancel": "C-CANCEL", "NAction": "N-ACTION",
    "NEventReport": "N-EVENT-REPORT", "Other": "other",
}  # fmt: skip

REPORTS: Final = 8  # the last of an association

Row = tuple[Any, ...]


class Report(NamedTuple):
    """One commitment report: for which destination, how it came (a key of ``WAYS``), how late, under which title."""

    destination: str
    way: str
    delay_s: float
    title: str


WAYS: Final = {
    "same": "on the association that asked",
    "next": "on our next association",
    "new": "on an association of its own",
}


class Heads:
    """Finds the PDUs of one direction and keeps ``_HEAD_BYTES`` of each, however the bytes are cut."""

    __slots__ = ("_head", "_skip", "lost")

    def __init__(self) -> None:
        self._head = bytearray()
        self._skip = 0
        self.lost = False  # what came is no PDU: the borders are lost

    def feed(self, data: Buffer) -> list[bytes]:
        """Return the heads that are complete with ``data``."""
        found: list[bytes] = []
        head, at, end = self._head, 0, len(data)
        while at < end and not self.lost:
            if self._skip:
                step = min(self._skip, end - at)
                self._skip -= step
                at += step
                continue
            known = len(head) >= 6
            step = min((self._wanted() if known else 6) - len(head), end - at)
            head += data[at : at + step]
            at += step
            if len(head) < 6:
                break
            self.lost = head[0] not in _KINDS
            if self.lost or len(head) == self._wanted():
                found.append(bytes(head))
                self._skip = 6 + int.from_bytes(head[2:6], "big") - len(head)
                head.clear()
        return found

    def _wanted(self) -> int:
        return min(_HEAD_BYTES, 6 + int.from_bytes(self._head[2:6], "big"))


class Flight:
    """One association; used by its thread. ``keep`` gets it once, when it is over."""

    __slots__ = ("_ends", "_first", "_in", "_keep", "_last", "_out", "_seen", "_zero", "association", "changes",
        "opened_by_us", "peer", "reports", "started", "transport")  # fmt: skip

    def __init__(
        self, peer: str, started: float, zero: float, keep: Callable[[Flight], None], *, opened_by_us: bool = True
    ) -> None:
        """``started`` is wall time, ``zero`` the same moment on the clock of the association; both in seconds."""
        self.peer = peer
        self.started = started
        self.opened_by_us = opened_by_us
        self.association: Association | None = None
        self.transport: dict[str, str] = {}
        self.changes: list[str] = []  # what the sender found changed at the peer
        self.reports: deque[Report] = deque(maxlen=REPORTS)
        self._zero = zero
        self._keep: Callable[[Flight], None] | None = keep
        self._ends: tuple[float, str, str] | None = None
        self._in, self._out = Heads(), Heads()
        self._first: list[Row] = []
        self._last: deque[Row] = deque(maxlen=LAST_ROWS)
        self._seen = 0

    def live_facts(self, now: float) -> dict[str, Any]:
        """What is known of it while it is open; ``now`` is of the clock of the association."""
        return {
            "peer": self.peer,
            "opened_by_us": self.opened_by_us,
            "at": self.started,
            "seconds": round(max(0.0, now - self._zero), 1),
            "associated": self.associated,
            "pdus": self._seen,
        }

    # --- what happens --------------------------------------------------------------------------

    def step(self, now: float, what: str) -> None:
        """Note a step of the transport: connected, handshake done."""
        self._add(now, "-", what)

    def sent(self, now: float, data: Buffer) -> None:
        """Note the heads of what goes to the peer."""
        for head in self._out.feed(data):
            self._pdu(now, ">", head)

    def received(self, now: float, data: Buffer) -> None:
        """Note the heads of what came from the peer; ``b""`` is its end of the connection."""
        for head in self._in.feed(data):
            self._pdu(now, "<", head)
        if not data:
            self._add(now, "<", "closed")

    def data_set(self, now: float, context_id: int, size: int, pdus: int) -> None:
        """Note a Data Set that went out past us: its bytes, in so many P-DATA-TF PDUs."""
        self._add(now, ">", "data set", context_id, size, pdus)

    def message(self, now: float, side: str, context_id: int, message: Message) -> None:
        """Note a Command Set; ``side`` is ``>`` for ours and ``<`` for the peer's."""
        association = self.association
        known = association.contexts.values() if association is not None else ()
        sop_class = getattr(message, "sop_class_uid", "")
        if sop_class and all(sop_class != context.abstract_syntax for context in known):
            sop_class = "?"
        self._add(
            now, side, _name(message), context_id, message.message_id, getattr(message, "status", None), sop_class
        )

    def reported(self, destination: str, asked_at: float, title: str, wall: Callable[[], float] = time.time) -> None:
        """Note a commitment report on what was asked at ``asked_at`` (wall s)."""
        way = "new" if not self.opened_by_us else "same" if asked_at >= self.started else "next"
        self.reports.append(Report(destination, way, round(max(0.0, wall() - asked_at), 3), title))

    def end(self, now: float, error: AgentError | None = None) -> None:
        """Say that the association is over, and why if that is an error; the first word counts. Never raises."""
        keep, self._keep = self._keep, None
        if keep is None:
            return
        code = "" if error is None else error.code
        safe = isinstance(error, _SAFE) and not isinstance(error, UserNotConfirmed)  # its words name the user
        text = _UID.sub("(UID)", error.message)[:TEXT_LIMIT] if error is not None and safe else ""
        self._ends = (now, code, text)
        keep(self)

    # --- what is kept --------------------------------------------------------------------------

    @property
    def associated(self) -> bool:
        """Return whether there was an association, or only the wish."""
        return self.association is not None and self.association.accept is not None

    @property
    def ended(self) -> tuple[str, str]:
        """Return code and words of the error that ended it; empty after a release."""
        return self._ends[1:] if self._ends is not None else ("", "")

    @property
    def rows(self) -> list[Row]:
        """Return what is kept: (milliseconds, side, what, ...)."""
        return [*self._first, *self._last]

    def facts(self) -> dict[str, Any]:
        """Return everything as plain values."""
        now, code, text = self._ends or (self._zero, "", "")
        facts: dict[str, Any] = {
            "at": round(self.started, 3),
            "seconds": round(now - self._zero, 3),
            "peer": self.peer,
            "opened_by_us": self.opened_by_us,
            "end": {"code": code, "text": text},
            "transport": self.transport,
            "reports": [report[1:] for report in self.reports],
        }
        if self.association is not None:
            facts.update(negotiation(self.association, requestor=self.opened_by_us))
        rows = self.rows
        return {**facts, "rows": rows, "left_out": self._seen - len(rows)}

    def _pdu(self, now: float, side: str, head: bytes) -> None:
        kind, length = head[0], int.from_bytes(head[2:6], "big")
        if kind == _DATA and len(head) == _HEAD_BYTES:
            self._add(now, side, kind, length, head[10], head[11])
        elif kind in _SHORT and len(head) > 9:
            self._add(now, side, kind, length, head[7], head[8], head[9])
        else:
            self._add(now, side, kind, length)

    def _add(self, now: float, *row: object) -> None:
        self._seen += 1
        rows = self._first if len(self._first) < FIRST_ROWS else self._last
        rows.append((round((now - self._zero) * 1000, 2), *row))


def negotiation(association: Association, *, requestor: bool) -> dict[str, Any]:
    """Return what both sides proposed and answered."""
    request, accept = association.request, association.accept
    if request is None:
        return {}
    results = {} if accept is None else {result.context_id: result for result in accept.results}
    contexts = []
    for context in request.contexts:
        result = results.get(context.context_id)
        answer = (None, "") if result is None else (result.result, result.transfer_syntax if not result.result else "")
        contexts.append((context.context_id, context.abstract_syntax, context.transfer_syntaxes, *answer))
    sides = [request.user, None if accept is None else accept.user]
    ours, theirs = sides if requestor else sides[::-1]
    return {
        "called_ae": request.called_ae,
        "calling_ae": request.calling_ae,
        "operations": association.window.invoked,
        "our_maximum_length": None if ours is None else ours.maximum_length,
        "maximum_length": None if theirs is None else theirs.maximum_length,
        "implementation": None
        if theirs is None
        else (theirs.implementation_class_uid, theirs.implementation_version_name),
        "contexts": contexts,
        **_user(request, accept),
    }


def _user(request: AssociateRequest, accept: AssociateAccept | None) -> dict[str, Any]:
    """Return the type of user identity and what became of it, never who it is."""
    identity = request.user.identity
    if identity is None:
        return {}
    confirmed = accept is not None and accept.user.identity_response is not None
    return {"user": (identity.kind, identity.response_requested, confirmed)}


def _name(message: Message) -> str:
    kind = type(message).__name__
    for word, end in (("Request", "-RQ"), ("Response", "-RSP")):
        if kind.endswith(word):
            return _NAMES.get(kind.removesuffix(word), kind) + end
    return kind
