"""Where commitment reports of the bench archive wait, and how they go out when the association of the question is gone.

*New.* A report goes to the address configured for the requestor's AE Title, on a new association with role selection;
it is tried ``REPORT_TRIES`` times and then given up, because a bench archive forgets what a real one would keep.

*Next.* A report is held until the requestor associates again with a presentation context for Storage Commitment and
is quiet: many take nothing but the answer that they wait for, and would fail at every question.
"""

from __future__ import annotations

import queue
import threading

from agent.dimse import status
from agent.dimse.fragment import Received
from agent.dimse.message import NEventReportResponse
from agent.errors import AgentError, LinkClosed, RemoteProtocolError
from agent.link.conversation import Conversation
from agent.link.peer import Peer
from agent.link.requestor import associate
from agent.service import commitment, proposal
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.app.archive import ArchiveSettings
    from agent.service.commitment import Report

REPORT_TRIES = 5
REPORT_WAIT_S = 1.0  # between tries
REPORT_QUEUE = 256  # reports that wait; a bench has one modality


class Reports:
    """Reports that wait; thread safe. ``run`` is the thread that delivers those for new associations."""

    def __init__(
        self, settings: ArchiveSettings, say: Callable[[str], None], told: Callable[[str, Report], None]
    ) -> None:
        """``say`` is told of what went wrong, ``told`` of each report that its requestor has taken."""
        self._settings = settings
        self._say = say
        self._told = told
        self._due: queue.Queue[tuple[str, Report]] = queue.Queue(REPORT_QUEUE)
        self._held: list[tuple[str, Report]] = []
        self._lock = threading.Lock()

    def put(self, requestor_ae: str, report: Report) -> None:
        """Keep ``report`` for an association that is still to come: the requestor's next one, or one of ours."""
        if self._settings.report == "next":
            self._hold(requestor_ae, report)
        elif requestor_ae not in self._settings.report_to:
            self._say(f"report {report.transaction_uid} is lost: no address is known for {requestor_ae}")
        else:
            try:
                self._due.put_nowait((requestor_ae, report))
            except queue.Full:
                self._say(f"report {report.transaction_uid} is lost: too many reports wait")

    def _hold(self, requestor_ae: str, report: Report) -> None:
        with self._lock:
            if full := len(self._held) >= REPORT_QUEUE:
                _, lost = self._held.pop(0)
            self._held.append((requestor_ae, report))
        if full:
            self._say(f"report {lost.transaction_uid} is lost: too many reports wait")

    def take(self, requestor_ae: str) -> list[Report]:
        """Return what is held for a requestor who is here again, and hold it no longer."""
        with self._lock:
            mine = [report for name, report in self._held if name == requestor_ae]
            self._held = [(name, report) for name, report in self._held if name != requestor_ae]
        return mine

    def run(self, stop: threading.Event) -> None:
        """Deliver on new associations until ``stop`` is set."""
        while not stop.is_set():
            try:
                requestor_ae, report = self._due.get(timeout=REPORT_WAIT_S / 4)
            except queue.Empty:
                continue
            for attempt in range(REPORT_TRIES):
                if attempt and stop.wait(REPORT_WAIT_S):
                    return
                try:
                    self._deliver(requestor_ae, report)
                    self._told(requestor_ae, report)
                    break
                except AgentError as error:
                    self._say(f"report {report.transaction_uid} to {requestor_ae}: {error} [{error.code}]")

    def _deliver(self, requestor_ae: str, report: Report) -> None:
        settings = self._settings
        host, port = settings.report_to[requestor_ae]
        peer = Peer(requestor_ae, host, port, settings.ae_title, settings.tls, settings.timeouts)
        contexts = proposal.propose([commitment.NEED]).contexts
        driver = associate(peer, contexts, [commitment.SCP_ROLE])
        try:
            agreed = next(iter(driver.association.contexts.values()), None)
            if agreed is None:
                raise LinkClosed(f"{peer} does not take commitment reports")
            conversation = Conversation(driver)
            request = commitment.report_request(conversation.next_message_id(), report)
            conversation.send(agreed.context_id, request, commitment.encode_report(report, agreed.transfer_syntax))
            deadline = driver.now() + settings.timeouts.response_s
            answer = conversation.response(_is_answer_to(request.message_id), deadline)
            if answer.status:
                raise status.status_error(status.Service.COMMITMENT, answer.status, answer.comment)
        finally:
            driver.release()


def _is_answer_to(message_id: int) -> Callable[[Received], NEventReportResponse]:
    def check(received: Received) -> NEventReportResponse:
        answer = received.message
        if isinstance(answer, NEventReportResponse) and answer.message_id == message_id:
            return answer
        raise RemoteProtocolError(f"{type(answer).__name__} where the N-EVENT-REPORT-RSP {message_id} is due")

    return check
