"""The life of one commitment transaction, as data (PS3.4 J.3, the SCU's side).

::

    NEW        sent       REQUESTED
    REQUESTED  accepted   ACCEPTED
    REQUESTED  refused    REFUSED
    ACCEPTED   report     COMMITTED or PARTIAL    (also from REQUESTED: the report may overtake the N-ACTION response)
    ACCEPTED   deadline   EXPIRED                 (also from REQUESTED: the response never came)
    EXPIRED    report     COMMITTED or PARTIAL    (late, but true)

A report may come twice; what is not in ``MOVES`` changes nothing. A Transaction UID that is refused or expired is never
asked again: asking again means a new transaction, while the old one still takes a late report.

An instance is committed only if it is in the success list with the SOP Class and instance that were asked. In both
lists it has failed; in neither it is unanswered.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from agent.dimse.status import CLASS_INSTANCE_CONFLICT
from agent.service.commitment import Failure, Reference, Report

if TYPE_CHECKING:
    from collections.abc import Iterable


class TransactionState(Enum):
    """Where a transaction stands."""

    NEW = "new"
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    COMMITTED = "committed"
    PARTIAL = "partial"
    EXPIRED = "expired"
    REFUSED = "refused"


class TransactionEvent(Enum):
    """What may happen to it."""

    SENT = "N-ACTION sent"
    ACCEPTED = "N-ACTION-RSP success"
    REFUSED = "N-ACTION-RSP failure"
    ALL = "report: everything committed"
    SOME = "report: not everything committed"
    DEADLINE = "no report in time"


_S, _E = TransactionState, TransactionEvent

_REPORTS = {_E.ALL: _S.COMMITTED, _E.SOME: _S.PARTIAL}

MOVES: dict[TransactionState, dict[TransactionEvent, TransactionState]] = {
    _S.NEW: {_E.SENT: _S.REQUESTED},
    _S.REQUESTED: {_E.ACCEPTED: _S.ACCEPTED, _E.REFUSED: _S.REFUSED, _E.DEADLINE: _S.EXPIRED} | _REPORTS,
    _S.ACCEPTED: {_E.DEADLINE: _S.EXPIRED} | _REPORTS,
    _S.EXPIRED: _REPORTS,
    _S.COMMITTED: {},
    _S.PARTIAL: {},
    _S.REFUSED: {},
}


def advance(state: TransactionState, event: TransactionEvent) -> TransactionState:
    """Return the next state; an event that has no move changes nothing."""
    return MOVES[state].get(event, state)


class Settlement(NamedTuple):
    """A report held against what was asked; every asked instance is in exactly one of the first three."""

    committed: tuple[Reference, ...]
    failed: tuple[Failure, ...]
    unanswered: tuple[Reference, ...]
    unasked: tuple[Reference, ...]  # in the report, but not asked: ignored, and worth a line in the log

    @property
    def event(self) -> TransactionEvent:
        """The event this settlement is for its transaction."""
        return _E.SOME if self.failed or self.unanswered else _E.ALL


def settle(asked: Iterable[Reference], report: Report) -> Settlement:
    """Compare: committed is only what was asked, with this SOP Class, and did not fail in the same report."""
    wanted = {reference.sop_instance_uid: reference for reference in asked}
    said = {reference.sop_instance_uid: reference for reference in report.committed}
    reasons = {failure.reference.sop_instance_uid: failure.reason for failure in report.failed}
    committed, failed, unanswered = [], [], []
    for uid, reference in wanted.items():
        if uid in reasons:
            failed.append(Failure(reference, reasons[uid]))
        elif uid not in said:
            unanswered.append(reference)
        elif said[uid].sop_class_uid != reference.sop_class_uid:
            failed.append(Failure(reference, CLASS_INSTANCE_CONFLICT))
        else:
            committed.append(reference)
    unasked = [reference for uid, reference in said.items() if uid not in wanted]
    unasked += [failure.reference for failure in report.failed if failure.reference.sop_instance_uid not in wanted]
    return Settlement(tuple(committed), tuple(failed), tuple(unanswered), tuple(unasked))
