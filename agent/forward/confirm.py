"""Storage Commitment of what was just sent, without a spool: ask, wait for the reports, say of each (PS3.4 Annex J).

The question goes out on an association of its own, and the report is awaited on it, on a listener if there is one, and,
after ``STAY_S``, on the next one that we open, for an archive that reports then; where we listen the association is
left sooner, for an archive that waits for that. Nothing is asked twice because of a report: who sends files by hand is
told what the archive said. All of it ends ``within_s``.
"""

from __future__ import annotations

import threading
import time

from agent.errors import AgentError, NoAcceptedContext, StatusError
from agent.forward.deliver import Delivery
from agent.forward.policy import BREAKER_FAILURES
from agent.forward.requesting import NOT_OFFERED, request
from agent.service import commitment
from agent.service.commitment import Reference
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agent.forward.settle import Settler
    from agent.link.peer import Peer

TICK_S: Final = 0.2  # how late a report that came on the listener is noticed
NO_REPORT: Final = "no report in"
AGAIN_S: Final = 2.0  # between associations
STAY_S: Final = {True: 2.0, False: 10.0}  # with and without a listener


class Refusal(NamedTuple):
    """Why an instance is not committed: a Failure Reason of the archive, or None, and words."""

    reason: int | None
    words: str


class Promises:
    """What was asked for and what was said: the ``Books`` of a ``Settler``; used by several threads."""

    __slots__ = ("_asked", "_classes", "_lock", "_name", "committed", "refused")

    def __init__(self, classes: Mapping[str, str], name: str) -> None:
        """``classes``: SOP Instance UID -> SOP Class UID of everything that ``name`` is to commit."""
        self._classes = classes
        self._name = name
        self._asked: dict[str, tuple[float, frozenset[str]]] = {}
        self._lock = threading.Lock()
        self.committed: set[str] = set()
        self.refused: dict[str, Refusal] = {}

    @property
    def waiting(self) -> list[str]:
        """Return what nothing was said about."""
        with self._lock:
            return [uid for uid in self._classes if uid not in self.committed and uid not in self.refused]

    def begin(self, transaction_uid: str, uids: Iterable[str]) -> commitment.Request:
        """Return the request for the commitment of ``uids``."""
        chosen = list(uids)
        with self._lock:
            self._asked[transaction_uid] = time.time(), frozenset(chosen)
        return commitment.Request(transaction_uid, tuple(Reference(self._classes[uid], uid) for uid in chosen))

    def refuse(self, uids: Iterable[str], words: str) -> None:
        """Note why there is no report about ``uids``."""
        with self._lock:
            self.refused |= {uid: Refusal(None, words) for uid in uids if uid not in self.committed}

    def transaction(self, transaction_uid: str) -> tuple[str, float] | None:
        """Return who was asked, and when."""
        found = self._asked.get(transaction_uid)
        return None if found is None else (self._name, found[0])

    def sop_class(self, sop_instance_uid: str) -> str | None:
        """Return the SOP Class that was sent."""
        return self._classes.get(sop_instance_uid)

    def missed(self, transaction_uid: str) -> None:
        """Nothing that is kept in memory cannot be kept."""

    def settle(self, transaction_uid: str, committed: Iterable[str], failed: Iterable[tuple[str, int]] = (), *,
               destination: str | None = None, peer: str = "") -> bool:  # noqa: ARG002 - of a spool # fmt: skip
        """Take a report: what was asked for in this transaction, and only that."""
        with self._lock:
            found = self._asked.get(transaction_uid)
            inside = frozenset() if found is None else found[1]
            self.committed.update(uid for uid in committed if uid in inside)
            for uid, reason in failed:
                if uid in inside and uid not in self.committed:
                    self.refused[uid] = Refusal(reason, commitment.reaction(reason)[0])
            for uid in self.committed:
                self.refused.pop(uid, None)
        return found is not None


def confirm(
    peer: Peer, promises: Promises, settler: Settler, within_s: float, new_uid: Callable[[], str], *, listening: bool,
    tell: Callable[[int], None], pause: Callable[[float], None] = time.sleep,
) -> None:  # fmt: skip
    """Ask for the commitment of all ``promises`` and wait until each is kept or refused; what is late is refused.

    ``tell`` hears every ``TICK_S`` how many are waited for. Never raises for what a peer or the network does.
    """
    until = time.monotonic() + within_s
    unasked, failures, why = promises.waiting, 0, ""
    while promises.waiting and (left := until - time.monotonic()) > 0:
        tell(len(promises.waiting))
        if not unasked and listening:
            pause(min(TICK_S, left))
            continue
        try:
            stay = min(until, time.monotonic() + STAY_S[listening])
            unasked = _associate(peer, promises, settler, unasked, new_uid, stay, tell)
            failures = 0
        except AgentError as error:
            failures, why = failures + 1, f"{error} [{error.code}]"
            unasked = promises.waiting if unasked else []
            if isinstance(error, NoAcceptedContext) or (unasked and failures >= BREAKER_FAILURES):
                break
        if promises.waiting:
            pause(max(0.0, min(AGAIN_S, until - time.monotonic())))
    promises.refuse(promises.waiting, f"it was not asked: {why}" if unasked and why else f"{NO_REPORT} {within_s:g} s")


def _associate(
    peer: Peer, promises: Promises, settler: Settler, unasked: list[str], new_uid: Callable[[], str], until: float,
    tell: Callable[[int], None],
) -> list[str]:  # fmt: skip
    """Ask for ``unasked`` on one association and serve reports until ``until``; returns what is not yet asked for."""
    with Delivery(peer, [commitment.NEED]) as delivery:
        context_id = delivery.context_id(commitment.NEED.sop_class_uid)
        if context_id is None:
            raise NoAcceptedContext(NOT_OFFERED)
        contexts = delivery.conversation.driver.association.contexts
        delivery.conversation.on_request = settler.on_request(
            peer.called_ae, lambda number: contexts[number].transfer_syntax
        )
        while unasked:
            some, unasked = unasked[: commitment.REQUEST_REFERENCES], unasked[commitment.REQUEST_REFERENCES :]
            try:
                request(delivery, context_id, promises.begin(new_uid(), some))
            except StatusError as error:
                promises.refuse(some, f"the request was refused: {error}")
            except AgentError as error:
                delivery.end(error)
                raise
        while promises.waiting and time.monotonic() < until and not delivery.over and delivery.serve(TICK_S):
            tell(len(promises.waiting))
    return []
