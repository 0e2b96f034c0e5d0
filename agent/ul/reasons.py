"""Rejections and aborts in words, and the errors they become (PS3.8 Tables 9-21 and 9-26)."""

from __future__ import annotations

from agent.errors import AssociationAborted, AssociationRefused, AssociationRejected
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.ul.pdu import Abort, AssociateReject

PERMANENT = 1
TRANSIENT = 2

SOURCE_USER = 1
SOURCE_ACSE = 2
SOURCE_PRESENTATION = 3

REJECT_SOURCES = {
    SOURCE_USER: "the application",
    SOURCE_ACSE: "the upper layer",
    SOURCE_PRESENTATION: "the upper layer",
}

# (source, reason) -> meaning
REJECT_REASONS = {
    (1, 1): "no reason given",
    (1, 2): "application context name not supported",
    (1, 3): "calling AE Title not recognized",
    (1, 7): "called AE Title not recognized",
    (2, 1): "no reason given",
    (2, 2): "protocol version not supported",
    (3, 1): "temporary congestion",
    (3, 2): "local limit exceeded",
}

# Result of a presentation context (PS3.8 Table 9-18); 0 is acceptance, unless the context cannot be used all the same
CONTEXT_RESULTS = {
    0: "it answered with a transfer syntax that was not proposed",
    1: "the application does not want it",
    2: "no reason given",
    3: "it does not support this SOP Class",
    4: "it does not support this transfer syntax",
}

ABORT_REASONS = {
    0: "reason not specified",
    1: "unrecognized PDU",
    2: "unexpected PDU",
    4: "unrecognized PDU parameter",
    5: "unexpected PDU parameter",
    6: "invalid PDU parameter value",
}


def reject_text(reject: AssociateReject) -> str:
    """Return one line of words for an A-ASSOCIATE-RJ, its three numbers at the end."""
    kind = "permanently" if reject.result == PERMANENT else "for now"
    source = REJECT_SOURCES.get(reject.source, "an unknown source")
    reason = REJECT_REASONS.get((reject.source, reject.reason), "reserved reason")
    return f"association rejected {kind} by {source}: {reason} ({reject.result}/{reject.source}/{reject.reason})"


def reject_error(reject: AssociateReject) -> AssociationRejected:
    """Return AssociationRefused for a permanent rejection, AssociationRejected for a transient one.

    "Local limit exceeded" and "temporary congestion" pass, whatever result the peer sends with them.
    """
    passing = reject.source == SOURCE_PRESENTATION or reject.result == TRANSIENT
    kind = AssociationRejected if passing else AssociationRefused
    return kind(reject_text(reject), result=reject.result, source=reject.source, reason=reject.reason)


def abort_text(abort: Abort) -> str:
    """Return one line of words for an A-ABORT of the peer."""
    if abort.source == 0:
        return "the peer's application aborted the association"
    reason = ABORT_REASONS.get(abort.reason, "reserved reason")
    return f"the peer's upper layer aborted the association: {reason} ({abort.source}/{abort.reason})"


def abort_error(abort: Abort) -> AssociationAborted:
    """Return the error for an A-ABORT of the peer."""
    return AssociationAborted(abort_text(abort))
