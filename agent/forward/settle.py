"""Storage Commitment for the forwarder: ask, take reports, persist before answering (PS3.4 Annex J, promise P4).

*Ask.* The Transaction UID is on the medium before the N-ACTION leaves. A refused or unanswered request is settled as
"not yet": its instances are asked for again later under a new Transaction UID; a late report of the old one counts.

*Report.* Its result is on the medium before the N-EVENT-REPORT is answered with 0000H; if it cannot be written down,
the answer is a failure and the SCP keeps trying. A report counts only from the AE Title that was asked, for a
transaction of ours, and for an instance only with the SOP Class that was sent. What a report leaves out stays open
until the transaction's deadline.
Questions are bounded; then it is ``unconfirmed``. The same function serves reports on our own association and on the
listener.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.dimse import status
from agent.dimse.message import NActionResponse, NEventReportRequest, NEventReportResponse
from agent.errors import AgentError, DecodeError, RemoteProtocolError
from agent.link.conversation import Reply, refuse
from agent.service import commitment
from agent.service.commitment import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from agent.dimse.fragment import Received
    from agent.link.conversation import Conversation, Incoming
    from agent.spool.core import Item
    from agent.spool.store import Spool

    Say = Callable[[str, str], None]  # level, text


class Settler:
    """Takes N-EVENT-REPORTs for one spool; ``destinations``: AE Title of a peer -> destinations it may report for."""

    __slots__ = ("_say", "_spool", "destinations")

    def __init__(self, spool: Spool, destinations: dict[str, tuple[str, ...]], say: Say) -> None:
        self._spool = spool
        self.destinations = destinations
        self._say = say

    def on_request(self, peer_ae: str, transfer_syntax: Callable[[int], str]) -> Callable[[Incoming], Reply]:
        """Return the answerer for one association: ``transfer_syntax`` tells that of a presentation context."""

        def answer(incoming: Incoming) -> Reply:
            request = incoming.message
            if not isinstance(request, NEventReportRequest):
                return refuse(incoming)
            code = self._take(request, incoming.data_set or b"", transfer_syntax(incoming.context_id), peer_ae)
            return Reply(
                NEventReportResponse(request.message_id, code, request.sop_class_uid, request.sop_instance_uid)
            )

        return answer

    def _take(self, request: NEventReportRequest, data: bytes, transfer_syntax: str, peer_ae: str) -> int:
        code = commitment.check_report(request)
        if code:
            return code
        try:
            report = commitment.decode_report(data, transfer_syntax)
        except DecodeError as error:
            self._say("warning", f"commitment report of {peer_ae} cannot be read: {error}")
            return status.INVALID_ARGUMENT
        names = self.destinations.get(peer_ae, ())
        try:
            known = any(self._settle(report, name, peer_ae) for name in names)
        except AgentError as error:
            self._say("error", f"commitment report of {peer_ae} cannot be kept: {error} [{error.code}]")
            return status.PROCESSING_FAILURE
        if not known:
            self._say("warning", f"{peer_ae} reports on {report.transaction_uid}, which it was not asked")
            return status.PROCESSING_FAILURE
        return status.SUCCESS

    def _settle(self, report: commitment.Report, destination: str, peer_ae: str) -> bool:
        good, bad = [], [(failure.reference.sop_instance_uid, failure.reason) for failure in report.failed]
        failed = {uid for uid, _ in bad}
        for reference in report.committed:
            uid = reference.sop_instance_uid
            if uid in failed:
                continue
            if self._spool.sop_class(uid) == reference.sop_class_uid:
                good.append(uid)
            else:
                bad.append((uid, status.CLASS_INSTANCE_CONFLICT))
        if not self._spool.settle(report.transaction_uid, good, bad, destination=destination, peer=peer_ae):
            return False
        if good:
            self._say(
                "info",
                f"{destination}: {len(good)} instance{'s' * (len(good) > 1)} committed, {report.transaction_uid}",
            )
        if bad:
            words = {commitment.reaction(reason)[0] for _, reason in bad}
            plural = "s" * (len(bad) > 1)
            self._say(
                "warning", f"{destination}: {len(bad)} instance{plural} not committed: {', '.join(sorted(words))}"
            )
        return True


def end_questions(spool: Spool, destination: str, now: float, most_asked: int, say: Say) -> None:
    """Leave unconfirmed what was asked for often enough: it stays here, and a late report still counts."""
    while items := spool.exhausted(destination, now, most_asked):
        spool.unconfirmed(items, "")
        plural = "s" * (len(items) > 1)
        say("error", f"{len(items)} instance{plural} unconfirmed after {most_asked} questions; kept, see 'queue list'")


def ask(  # noqa: PLR0913 - who asks whom for what
    spool: Spool,
    destination: str,
    items: Sequence[Item],
    transaction_uid: str,
    deadline: float,
    *,
    conversation: Conversation,
    context_id: int,
    transfer_syntax: str,
    response_s: float,
) -> Collection[Item]:
    """Ask for the commitment of ``items`` under ``transaction_uid``; the report comes later, in whatever way.

    Returns the items that are in the request. Raises ``StatusError`` when the peer refused it, and what the link
    raises; in both cases the instances are due to be asked for again.
    """
    inside = spool.open_transaction(destination, items, transaction_uid, deadline)
    if not inside:
        return ()
    references = tuple(Reference(item.sop_class_uid, item.sop_instance_uid) for item in inside)
    request = commitment.action_request(conversation.next_message_id())
    data = commitment.encode_request(commitment.Request(transaction_uid, references), transfer_syntax)

    def check(received: Received) -> NActionResponse:
        answer = received.message
        here = received.context_id == context_id
        if here and isinstance(answer, NActionResponse) and answer.message_id == request.message_id:
            return answer
        raise RemoteProtocolError(f"{type(answer).__name__} where the N-ACTION-RSP {request.message_id} is due")

    try:
        conversation.send(context_id, request, data)
        answer = conversation.response(check, conversation.driver.now() + response_s)
        if answer.status:
            raise status.status_error(status.Service.COMMITMENT, answer.status, answer.comment)
    except AgentError:
        again = [(item.sop_instance_uid, status.PROCESSING_FAILURE) for item in inside]
        spool.settle(transaction_uid, (), again, destination=destination)
        raise
    return inside
