"""The bench archive: Verification, Storage and Storage Commitment SCP for demo, self-test and tests.

It is small but honest. A C-STORE is written to disk piece by piece and answered with 0000H when it is durable and
indexed; a commitment request is answered from index and file (``archive_store``). It takes every storage SOP Class and
every transfer syntax of ours; of several in one context the one that the requestor names first, but Implicit VR only
where there is no other, because the VRs of private Data Elements are lost in it. It changes nothing, and keeps the Data
Set byte for byte.

The commitment report goes out on the association of the request. When the requestor has released that one, or when
``report`` is "new" or "next", it waits for another one (``archive_reports``). Raises ``ListenFailed``, ``ConfigError``
and ``MediaError`` when it starts.
"""

from __future__ import annotations

import threading

from agent.app.archive_reports import REPORT_WAIT_S, Reports
from agent.app.archive_store import ArchiveStore
from agent.dataset.uid import IMPLICIT_VR_LE, TRANSFER_SYNTAX_NAMES, VERIFICATION
from agent.dimse import status
from agent.dimse.fragment import DataSetPart, Received
from agent.dimse.message import (
    CEchoRequest,
    CStoreRequest,
    CStoreResponse,
    NActionRequest,
    NActionResponse,
    NEventReportResponse,
    is_response,
)
from agent.errors import (
    AgentError,
    DataSetError,
    DecodeError,
    EncodeError,
    LinkClosed,
    RemoteProtocolError,
    SpoolError,
    SpoolFull,
)
from agent.link.conversation import Incoming as Message
from agent.link.conversation import refuse
from agent.link.listener import Call, Limits, Listener
from agent.link.peer import Timeouts
from agent.media.part10 import FileMeta
from agent.service import commitment, proposal, verification
from agent.service.commitment import Failure, Reference, Report
from agent.typed import TYPE_CHECKING, NamedTuple
from agent.ul.negotiate import Offer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from agent.app.archive_store import Incoming
    from agent.link.tls import TlsSettings

QUIET_S = 0.2  # a requestor that says nothing for so long waits for no answer, and may be asked something
_STORAGE_CLASSES = ("1.2.840.10008.5.1.4.1.1.", "1.2.840.10008.5.1.4.34.", "1.2.840.10008.5.1.4.43.")
_STORAGE = Offer(tuple(TRANSFER_SYNTAX_NAMES), requestor_chooses=True, last_resort=IMPLICIT_VR_LE)


class ArchiveSettings(NamedTuple):
    """``report_to``: AE Title of a requestor -> where its commitment reports go when the association is gone."""

    folder: str
    ae_title: str = "BENCH"
    host: str = "127.0.0.1"
    port: int = 0
    tls: TlsSettings | None = None
    report: str = "same"  # association that a report goes out on; or "new", or the requestor's "next"
    report_to: Mapping[str, tuple[str, int]] = {}
    timeouts: Timeouts = Timeouts()
    limits: Limits = Limits(16, 16)


class _Offers(dict[str, Offer]):
    """Every storage SOP Class there is, also those of next year."""

    def get(self, uid: str, default: Offer | None = None) -> Offer | None:  # type: ignore[override] # one value type only
        if uid.startswith(_STORAGE_CLASSES):
            return _STORAGE
        return super().get(uid, default)


def _nobody(_text: str) -> None:
    """Say nothing."""


class Archive:
    """A running archive: construct it (the port is bound then), ``run`` it in a thread, set the event to stop."""

    def __init__(
        self, settings: ArchiveSettings, say: Callable[[str], None] = _nobody, tell: Callable[[str], None] = _nobody
    ) -> None:
        """``say`` is told of what went wrong, ``tell`` of what was stored and reported."""
        self.settings = settings
        self.tell = tell
        self.store = ArchiveStore(settings.folder, say)
        self._say = say
        self.reports = Reports(settings, say, self.told)
        offers = _Offers({VERIFICATION: verification.OFFER, commitment.NEED.sop_class_uid: commitment.SCP_OFFER})
        policy = proposal.acceptor_policy(offers, called_aes=(settings.ae_title,))
        try:
            self._listener = Listener(
                settings.host,
                settings.port,
                policy,
                self._serve,
                tls=settings.tls,
                timeouts=settings.timeouts,
                limits=settings.limits,
                say=say,
            )
        except AgentError:
            self.store.close()
            raise
        self.port = self._listener.port

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set."""
        reporter = threading.Thread(target=self.reports.run, args=(stop,), name="reports", daemon=True)
        reporter.start()
        try:
            self._listener.run(stop)
        finally:
            stop.set()
            reporter.join(REPORT_WAIT_S + self.settings.timeouts.connect_s)
            self.store.close()

    def _serve(self, call: Call) -> None:
        _Session(self, call).run()

    # --- the verdict -----------------------------------------------------------------------------

    def verdict(self, request: commitment.Request) -> Report:
        """Answer a commitment request from the index and the files."""
        committed, failed = [], []
        for reference in request.references:
            reason = self._why_not(reference)
            if reason:
                failed.append(Failure(reference, reason))
            else:
                committed.append(reference)
        return Report(request.transaction_uid, tuple(committed), tuple(failed))

    def _why_not(self, reference: Reference) -> int:
        stored = self.store.find(reference.sop_instance_uid)
        if stored is None:
            return status.NO_SUCH_INSTANCE
        if stored.sop_class_uid != reference.sop_class_uid:
            return status.CLASS_INSTANCE_CONFLICT
        if not self.store.intact(stored):
            self._say(f"{stored.path} is damaged or gone")
            return status.NO_SUCH_INSTANCE
        return 0

    def told(self, requestor_ae: str, report: Report) -> None:
        """Note a commitment report that the requestor has taken."""
        counts = f"{len(report.committed)} committed, {len(report.failed)} failed"
        self.tell(f"reported {report.transaction_uid} to {requestor_ae}: {counts}")

    def refused(self, text: str) -> None:
        """Note an instance that was not kept."""
        self._say(text)


class _Session:
    """One association with a modality."""

    def __init__(self, archive: Archive, call: Call) -> None:
        self._archive = archive
        self._conversation = call.conversation
        self._calling_ae = call.request.calling_ae
        self._contexts = call.conversation.driver.association.contexts
        self._open_reports: dict[int, Report] = {}  # Message ID -> sent here and not yet answered
        needed = commitment.NEED.sop_class_uid
        agreed = [number for number, context in self._contexts.items() if context.abstract_syntax == needed]
        self._commitment_id = agreed[0] if agreed else 0
        self._held = archive.reports.take(self._calling_ae) if agreed else []  # from associations before this one

    def run(self) -> None:
        """Serve until the requestor is done; reports it did not take wait for another association."""
        driver = self._conversation.driver
        idle_s = self._archive.settings.timeouts.idle_s
        try:
            while True:
                if self._held and not self._conversation.waiting(QUIET_S):
                    self._report_here(self._commitment_id, self._held.pop(0))
                received = self._conversation.part("idle", driver.now() + idle_s)
                if received is None:
                    return
                assert isinstance(received, Received)
                self._handle(received)
        finally:
            for report in (*self._open_reports.values(), *self._held):
                self._archive.reports.put(self._calling_ae, report)

    def _handle(self, received: Received) -> None:
        message = received.message
        if isinstance(message, CStoreRequest):
            self._conversation.send(received.context_id, self._store(received.context_id, message))
        elif isinstance(message, CEchoRequest):
            self._conversation.send(received.context_id, verification.respond(message))
        elif isinstance(message, NActionRequest):
            self._commit(received, message)
        elif isinstance(message, NEventReportResponse) and message.message_id in self._open_reports:
            report = self._open_reports.pop(message.message_id)
            if message.status:
                self._archive.refused(f"report {report.transaction_uid} was answered with {message.status:04X}H")
            else:
                self._archive.told(self._calling_ae, report)
        elif is_response(message):
            self._conversation.driver.abort()
            raise RemoteProtocolError(f"{self._calling_ae}: {type(message).__name__} that nobody waits for")
        else:
            data_set = self._conversation.collect() if received.data_set else None
            reply = refuse(Message(received.context_id, message, data_set))
            if reply.message is not None:
                self._conversation.send(received.context_id, reply.message)

    # --- C-STORE -----------------------------------------------------------------------------------

    def _store(self, context_id: int, request: CStoreRequest) -> CStoreResponse:
        """Receive one Data Set; the answer is made when everything about it is decided and durable."""
        code, comment, incoming = 0, "", None
        store = self._archive.store
        try:
            incoming = self._begin(context_id, request)
        except EncodeError as error:
            code, comment = status.DATA_SET_MISMATCH, str(error)
        except SpoolError as error:
            code, comment = _media_status(error)
        try:
            for part in self._parts():
                if incoming is not None and not code:
                    try:
                        incoming.write(part.data)
                    except SpoolError as error:
                        code, comment = _media_status(error)
        except AgentError:
            if incoming is not None:
                store.drop(incoming)
            raise
        if incoming is not None:
            code, comment = self._keep(incoming, code, comment)
        if code:
            self._archive.refused(f"{request.sop_instance_uid} of {self._calling_ae} is refused: {comment}")
        else:
            self._archive.tell(f"stored {request.sop_instance_uid} from {self._calling_ae}")
        return CStoreResponse(
            request.message_id, code, request.sop_class_uid, request.sop_instance_uid, comment=comment[:64]
        )

    def _begin(self, context_id: int, request: CStoreRequest) -> Incoming:
        context = self._contexts[context_id]
        if context.abstract_syntax != request.sop_class_uid:
            raise EncodeError("SOP Class differs from the presentation context")
        meta = FileMeta(request.sop_class_uid, request.sop_instance_uid, context.transfer_syntax, self._calling_ae)
        return self._archive.store.begin(meta)

    def _parts(self) -> Iterator[DataSetPart]:
        """Yield the pieces of one Data Set as they come."""
        conversation, idle_s = self._conversation, self._archive.settings.timeouts.idle_s
        while True:
            part = conversation.part("idle", conversation.driver.now() + idle_s)
            if part is None:
                raise LinkClosed(f"{self._calling_ae} closed in the middle of a Data Set")
            assert isinstance(part, DataSetPart)
            yield part
            if part.last:
                return

    def _keep(self, incoming: Incoming, code: int, comment: str) -> tuple[int, str]:
        store = self._archive.store
        try:
            if code:
                store.drop(incoming)
            elif not store.keep(incoming, self._calling_ae):
                return status.INVALID_INSTANCE, "another Data Set is stored under this SOP Instance UID"
        except DataSetError as error:
            store.drop(incoming)
            damaged = isinstance(error, DecodeError)
            return status.CANNOT_UNDERSTAND if damaged else status.DATA_SET_MISMATCH, str(error)
        except SpoolError as error:
            return code or _media_status(error)[0], comment or str(error)
        return code, comment

    # --- Storage Commitment --------------------------------------------------------------------------

    def _commit(self, received: Received, request: NActionRequest) -> None:
        data = self._conversation.collect() if received.data_set else b""
        code, question = commitment.check_action(request), None
        if not code:
            try:
                syntax = self._contexts[received.context_id].transfer_syntax
                question = commitment.decode_request(data, syntax)
            except DecodeError:
                code = status.INVALID_ARGUMENT
        answer = NActionResponse(request.message_id, code, request.sop_class_uid, request.sop_instance_uid)
        self._conversation.send(received.context_id, answer)
        if question is None:
            return
        report = self._archive.verdict(question)
        if self._archive.settings.report == "same":
            self._report_here(received.context_id, report)
        else:
            self._archive.reports.put(self._calling_ae, report)

    def _report_here(self, context_id: int, report: Report) -> None:
        message = commitment.report_request(self._conversation.next_message_id(), report)
        self._open_reports[message.message_id] = report
        syntax = self._contexts[context_id].transfer_syntax
        self._conversation.send(context_id, message, commitment.encode_report(report, syntax))


def _media_status(error: SpoolError) -> tuple[int, str]:
    code = status.OUT_OF_RESOURCES if isinstance(error, SpoolFull) else status.PROCESSING_FAILURE
    return code, str(error)
