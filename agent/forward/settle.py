"""Reports of Storage Commitment: persist, then answer (PS3.4 Annex J, promise P4); ``asking`` is the other half.

The result of a report is on the medium before the N-EVENT-REPORT is answered with 0000H; if it cannot be written down,
the answer is a failure, and we ask again once it can: few SCPs report twice. A report counts for a transaction of ours,
and for an instance only with the SOP Class that was sent. What a report leaves out stays open until the transaction's
deadline. The same function serves reports on our own association and on the listener.

Who reports does not matter: the Transaction UID is 122 random bits that only the SCP was told, an AE Title is a word
that anybody may use, and archives do report under another one than they were called by (PS3.4 J.3.3.1.2 forbids it).
Another title is said once, and stands in the receipt.
"""

from __future__ import annotations

from agent.dimse import status
from agent.dimse.message import NEventReportRequest, NEventReportResponse
from agent.errors import AgentError, DecodeError
from agent.link.conversation import Reply, refuse
from agent.service import commitment
from agent.typed import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agent.link.conversation import Incoming

    Told = Callable[[str, float, str], None]  # destination, when it was asked (wall s), title of who reports
    Say = Callable[[str, str], None]  # level, text


STRANGERS: Final = 32  # AE Titles that are said


def _nobody(_destination: str, _asked_at: float, _title: str) -> None:
    """Tell nobody."""


class Books(Protocol):
    """Where it is written what was asked and what became of it: the spool, or the memory of one command."""

    def transaction(self, transaction_uid: str) -> tuple[str, float] | None:
        """Return the destination of a request of ours and when it was made (wall s)."""

    def sop_class(self, sop_instance_uid: str) -> str | None:
        """Return the SOP Class that was sent."""

    def settle(self, transaction_uid: str, committed: Iterable[str], failed: Iterable[tuple[str, int]] = (), *,
               destination: str | None = None, peer: str = "") -> bool:  # fmt: skip
        """Take a report."""

    def missed(self, transaction_uid: str) -> None:
        """Note that a report could not be kept."""


class Settler:
    """Takes N-EVENT-REPORTs for one spool; ``destinations``: AE Title of a peer -> destinations that it is.

    ``listening``: whether a report on an association of the peer's own can arrive.
    """

    __slots__ = ("_say", "_spool", "_strangers", "destinations", "listening")

    def __init__(self, spool: Books, destinations: dict[str, tuple[str, ...]], say: Say) -> None:
        self._spool = spool
        self.destinations = destinations
        self.listening = True
        self._say = say
        self._strangers: set[str] = set()  # titles that were said

    def on_request(
        self, peer_ae: str, transfer_syntax: Callable[[int], str], told: Told = _nobody
    ) -> Callable[[Incoming], Reply]:
        """Return the answerer for one association: ``transfer_syntax`` tells that of a presentation context.

        ``told`` hears of each report that was kept.
        """

        def answer(incoming: Incoming) -> Reply:
            request = incoming.message
            if not isinstance(request, NEventReportRequest):
                return refuse(incoming)
            syntax = transfer_syntax(incoming.context_id)
            code = self._take(request, incoming.data_set or b"", syntax, peer_ae, told)
            return Reply(
                NEventReportResponse(request.message_id, code, request.sop_class_uid, request.sop_instance_uid)
            )

        return answer

    def _take(self, request: NEventReportRequest, data: bytes, transfer_syntax: str, peer_ae: str, told: Told) -> int:
        code = commitment.check_report(request)
        if code:
            return code
        try:
            report = commitment.decode_report(data, transfer_syntax)
        except DecodeError as error:
            self._say("warning", f"commitment report of {peer_ae} cannot be read: {error}")
            return status.INVALID_ARGUMENT
        try:
            asked = self._spool.transaction(report.transaction_uid)
            if asked is not None:
                self._settle(report, asked[0], peer_ae)
        except AgentError as error:
            self._spool.missed(report.transaction_uid)
            self._say("error", f"commitment report of {peer_ae} cannot be kept: {error} [{error.code}]")
            return status.PROCESSING_FAILURE
        if asked is None:
            self._say("warning", f"{peer_ae} reports on {report.transaction_uid}, which nobody was asked")
            return status.PROCESSING_FAILURE
        told(*asked, peer_ae)
        return status.SUCCESS

    def _settle(self, report: commitment.Report, destination: str, peer_ae: str) -> None:
        if destination not in self.destinations.get(peer_ae, ()) and len(self._strangers) < STRANGERS:
            if peer_ae not in self._strangers:
                self._say("notice", f"{destination}: its commitment reports come from AE Title {peer_ae}")
            self._strangers.add(peer_ae)
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
        self._spool.settle(report.transaction_uid, good, bad, destination=destination, peer=peer_ae)
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
