"""The questions about what was stored: commitment, and at their end whether the archive lists it (promise P4).

*Commitment* (PS3.4 Annex J). The Transaction UID is on the medium before the N-ACTION leaves. What becomes of a request
is a question all the same: the SCP refuses it, aborts, or is cut off in the middle. It may have it, so that a late
report counts; its instances are asked for again later under a new Transaction UID. A peer that refuses the
presentation context cannot be asked, and that is counted like "not yet", once for each association.

*Existence*. What was asked for often enough without a report is looked for with C-FIND, on the next association that
proposes it; then it is ``unconfirmed`` with what was found out, or sent once more because the archive does not list it
(``spool.unconfirmed``). A peer that does not answer C-FIND as it should is not asked again for ``BLIND_S``. Where no
association comes about for ``Settings.look_s``, the questions end without it.
"""

from __future__ import annotations

from agent.errors import AgentError, EncodeError, NoAcceptedContext, StatusError
from agent.forward.requesting import NOT_OFFERED, request
from agent.service import commitment, query
from agent.service.commitment import Reference
from agent.service.query import Place
from agent.spool.unconfirmed import ANY
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.forward.deliver import Delivery
    from agent.forward.settings import Settings
    from agent.service.proposal import Need
    from agent.spool.core import Item
    from agent.spool.store import Spool

LOOKED: Final = 16  # instances looked for in a row: images wait meanwhile
BLIND_S: Final = 3600.0
DEAF: Final = "; an archive may report on an association of its own, and [listener] is off"


class Asking:
    """The questions of one destination; used by its worker alone."""

    __slots__ = ("_blind", "_blind_until", "_clock", "_entropy", "_failures", "_listening", "_look_until", "_new_uid",
        "_refused", "_said_refused", "_say", "_settings", "_spool", "_stopping", "at")  # fmt: skip

    def __init__(
        self, spool: Spool, settings: Settings, new_uid: Callable[[], str], *, say: Callable[[str, str], None],
        clock: Callable[[], float], entropy: Callable[[], float], stopping: Callable[[], bool],
        listening: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._listening = listening
        self._spool = spool
        self._settings = settings
        self._new_uid = new_uid
        self._say = say
        self._clock = clock
        self._entropy = entropy
        self._stopping = stopping
        self._failures = 0
        self._said_refused = False
        self._refused = False  # on this association already
        self._blind, self._blind_until = "", 0.0  # why C-FIND says nothing here, and until when that is believed
        self._look_until: float | None = None  # then what is exhausted ends without having been looked for
        self.at = 0.0  # no question before this

    def opened(self) -> None:
        """Begin a new association."""
        self._refused = False

    # --- what is due -------------------------------------------------------------------------------

    def needs(self) -> list[Need]:
        """Return what to propose for the questions that there are."""
        return [commitment.NEED] * self._settings.commitment + [query.NEED] * bool(self._exhausted(1))

    def due(self, now: float) -> bool:
        """Say whether there is a question to put or something to look for."""
        return bool(self._to_ask(now, 1) or self._exhausted(1))

    def to_ask(self, now: float) -> bool:
        """Say whether there is a question to put."""
        return bool(self._to_ask(now, 1))

    def next_at(self) -> float | None:
        """Return when (monotonic s) the next question is due; None when there is none."""
        return self._spool.next_question_at(self._settings.destination) if self._settings.commitment else None

    def waiting(self) -> bool:
        """Say whether a report for this destination is still to come."""
        return any(open_.waiting for open_ in self._spool.open_transactions(destination=self._settings.destination))

    def elsewhere(self, delivery: Delivery) -> bool:
        """Say whether something is due that needs another association: this one cannot be asked any more."""
        if self._refused:
            self._cannot_ask(delivery)  # what was stored meanwhile
            if self.to_ask(self._clock()):
                return True
        return query.NEED.sop_class_uid not in delivery.answers() and bool(self._exhausted(1))

    def _to_ask(self, now: float, limit: int, most: int = ANY) -> list[Item]:
        if now < self.at or not self._settings.commitment:
            return []
        most = min(most, self._settings.most_asked)
        return self._spool.awaiting_commitment(self._settings.destination, now, limit, most_asked=most)

    def _exhausted(self, limit: int) -> list[Item]:
        if not self._settings.commitment:
            return []
        return self._spool.exhausted(self._settings.destination, self._clock(), self._settings.most_asked, limit)

    # --- commitment --------------------------------------------------------------------------------

    def ask(self, delivery: Delivery) -> bool:
        """Put one question; False when there is none, or it could not be put.

        Raises what ended the association, after having ended it.
        """
        items = self._to_ask(self._clock(), commitment.REQUEST_REFERENCES)
        if not items or delivery.broken is not None:
            return False
        context_id = delivery.context_id(commitment.NEED.sop_class_uid)
        if context_id is None:
            self._cannot_ask(delivery)
            return False
        try:
            ask(
                self._spool,
                items,
                self._new_uid(),
                self._clock() + self._settings.report_deadline_s,
                delivery,
                context_id,
            )
        except AgentError as error:
            self._failures += 1
            self.at = self._clock() + self._settings.back_off.draw_s(self._failures, self._entropy)
            self._say("error", f"commitment: {error} [{error.code}]")
            if isinstance(error, StatusError):
                return False
            delivery.end(error)
            raise
        self._failures, self._said_refused = 0, False
        return True

    def _cannot_ask(self, delivery: Delivery) -> None:
        # what was counted on this association already waits for another one: this peer cannot change its mind
        most, self._refused = 1 if self._refused else self._settings.most_asked, True
        reason = f"{NOT_OFFERED} [{NoAcceptedContext.code}]"
        if not self._said_refused:
            self._said_refused = True
            self._say("error", f"commitment: {delivery.peer} does not offer Storage Commitment; images stay on this "
                      f"box [{NoAcceptedContext.code}]")  # fmt: skip
        while items := self._to_ask(self._clock(), commitment.REQUEST_REFERENCES, most):
            self._spool.not_offered(items, reason)

    def end_overdue(self) -> None:
        """End our transactions without a report in time, and what need not or cannot be looked for."""
        now = self._clock()
        self._spool.end_missed(self._settings.destination)
        for ended in self._spool.expired_transactions(now, destination=self._settings.destination):
            deaf = "" if self._listening() else DEAF
            self._say("warning", f"no commitment report in time for {_count(ended.waiting, 'instance')}{deaf}")
        if not self._exhausted(1):
            self._look_until = None
        elif now < self._blind_until:
            self._give_up(self._blind)
        elif self._look_until is None:
            self._look_until = now + self._settings.look_s
        elif now >= self._look_until:
            self._give_up("whether the archive lists it could not be asked: no association came about")

    # --- existence ---------------------------------------------------------------------------------

    def look(self, delivery: Delivery) -> bool:
        """Look for some of what was asked for often enough; False when nothing is to be looked for here."""
        items = self._exhausted(LOOKED)
        asked = delivery.answers().get(query.NEED.sop_class_uid)
        if not items or asked is None or delivery.broken is not None:
            return False
        context_id = delivery.context_id(query.NEED.sop_class_uid)
        if context_id is None:
            self._is_blind("it does not offer C-FIND")
            return True
        found: dict[bool | None, list[Item]] = {True: [], False: [], None: []}
        places = [Place(*self._spool.place(item), item.sop_instance_uid) for item in items]
        try:
            for item, place in zip(items, places, strict=True):
                found[_listed(delivery, context_id, place)].append(item)
        except AgentError as error:
            if not isinstance(error, StatusError):
                delivery.end(error)
            self._conclude(found)
            if not self._stopping():  # otherwise it was us who ended it
                self._is_blind(f"{error} [{error.code}]")
            return True
        self._conclude(found)
        return True

    def _conclude(self, found: dict[bool | None, list[Item]]) -> None:
        self._end(found[True], "the archive lists it (C-FIND), but existence is not custody", listed=True)
        self._end(found[None], "no C-FIND can be made of its UIDs", listed=None)
        again = self._spool.unlisted(found[False], "the archive does not list it (C-FIND)")
        self._tell([item for item in found[False] if item not in again], "the archive does not list it (C-FIND)")
        if again:
            times = _count(self._settings.most_asked, "time")
            self._say("error", f"{_many(again)} asked for {times} and not listed at the archive; sent once more")

    def _is_blind(self, why: str) -> None:
        self._blind, self._blind_until = f"whether the archive lists it is not known: {why}", self._clock() + BLIND_S
        self._give_up(self._blind)

    def _give_up(self, evidence: str) -> None:
        while items := self._exhausted(commitment.REQUEST_REFERENCES):
            self._end(items, evidence, listed=None)
        self._look_until = None

    def _end(self, items: Sequence[Item], evidence: str, *, listed: bool | None) -> None:
        self._spool.unconfirmed(items, evidence, listed=listed)
        self._tell(items, evidence)

    def _tell(self, items: Sequence[Item], evidence: str) -> None:
        if items:
            words = f"unconfirmed after {_count(self._settings.most_asked, 'question')}"
            self._say("error", f"{_many(items)} {words}; {evidence}; kept, see 'queue list'")


def _many(items: Sequence[Item]) -> str:
    return _count(len(items), "instance")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _listed(delivery: Delivery, context_id: int, place: Place) -> bool | None:
    from agent.forward.existence import lists  # few archives let it come to this

    syntax = delivery.conversation.driver.association.contexts[context_id].transfer_syntax
    try:
        return lists(delivery.conversation, context_id, syntax, place, delivery.peer.timeouts.response_s)
    except EncodeError:
        return None  # a UID of its own is none: no archive can be asked for it


def ask(
    spool: Spool, items: Sequence[Item], transaction_uid: str, deadline: float, delivery: Delivery, context_id: int
) -> None:
    """Ask for the commitment of ``items`` under ``transaction_uid``; the report comes later, in whatever way.

    Raises ``StatusError`` when the peer refused the request, and what the link raises; in both cases the instances are
    due to be asked for again.
    """
    inside = spool.open_transaction(items[0].destination, items, transaction_uid, deadline)
    if not inside:
        return
    references = tuple(Reference(item.sop_class_uid, item.sop_instance_uid) for item in inside)
    try:
        request(delivery, context_id, commitment.Request(transaction_uid, references))
    except AgentError as error:
        words = "refused" if isinstance(error, StatusError) else "not answered"
        spool.unanswered(transaction_uid, f"the request was {words}: {error} [{error.code}]")
        raise
