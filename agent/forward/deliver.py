"""Send instances over one association and say what became of each (PS3.4 Annex B, promise P3).

``Delivery`` is an open association with the contexts it agreed; ``send`` answers with an ``Outcome`` and never raises
for what a peer, a file or the network does. "Stored" is read from a C-STORE-RSP with success or warning status for
that very request, or it is not said. When the association breaks, the instance under way and all that follow get an
outcome with the error; ``begun`` tells them apart. ``deliver`` does a whole list, over as many associations as that
takes: one presentation context for each pair of SOP Class and transfer syntax, so that the peer decides about each.

Files are opened one at a time and never read into memory (``agent.link.train``). An instance with a recorded digest is
hashed as it is sent; if the file has changed since, the association is aborted before the last fragment leaves. Any
other is followed to its end first: one that is cut or damaged is not begun, and the association goes on without it.
"""

from __future__ import annotations

import time
from functools import partial

from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, is_lossy, uid_name
from agent.dimse.message import CEchoRequest, CStoreRequest, CStoreResponse
from agent.dimse.status import Service, explain, status_error
from agent.errors import (
    AgentError,
    EncodeError,
    LinkClosed,
    MediaError,
    NoAcceptedContext,
    RemoteProtocolError,
    kept,
)
from agent.forward.ahead import Ahead
from agent.forward.files import Instance, Pair, pair_of, pairs_of
from agent.forward.outstanding import Asked, Outstanding
from agent.link.conversation import Conversation, refuse
from agent.link.requestor import associate
from agent.link.transport import never
from agent.service import proposal, storage, verification
from agent.typed import TYPE_CHECKING, NamedTuple
from agent.ul.limits import CONTEXT_LIMIT
from agent.ul.reasons import CONTEXT_RESULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from agent.link.conversation import Incoming, Reply
    from agent.link.flight import Flight
    from agent.link.peer import Peer
    from agent.ul.user import RoleSelection


class Outcome(NamedTuple):
    """What became of one instance. ``seconds`` from first byte sent to answer read; ``bytes`` of Data Set sent."""

    instance: Instance
    stored: bool
    status: int | None  # of the C-STORE-RSP, None without one
    meaning: str  # in words, success too
    comment: str  # the peer's Error Comment
    offending: tuple[int, ...]  # tags the peer named
    bytes: int
    seconds: float
    begun: bool  # False: nothing of it was sent
    error: AgentError | None  # why it is not stored
    copied_to: str = ""  # transfer syntax of the lossless copy that went instead, if one did


class DigestCheck:
    """A ``train.Check``: the Data Set must be, byte for byte, the one whose digest was recorded."""

    __slots__ = ("_hash", "_instance", "update")

    def __init__(self, instance: Instance) -> None:
        from hashlib import sha256  # sending files without a recorded digest does not pay for it

        self._instance = instance
        self._hash = sha256()
        self.update = self._hash.update

    def verify(self) -> None:
        """Raise ``MediaError`` if other bytes were read."""
        if self._hash.digest() != self._instance.data_set_sha256:
            raise MediaError(f"{self._instance.path} is not what was recorded: its digest does not match")


class Delivery:
    """One association for sending; a context manager that releases it."""

    __slots__ = ("_broken", "_contexts", "_conversation", "_response_s", "ahead", "outstanding", "peer")

    def __init__(
        self,
        peer: Peer,
        needs: Iterable[proposal.Need],
        *,
        roles: Sequence[RoleSelection] = (),
        on_request: Callable[[Incoming], Reply] = refuse,
        clock: Callable[[], float] = time.monotonic,
        cancelled: Callable[[], bool] = never,
        flight: Flight | None = None,
    ) -> None:
        """Open the association for at most 128 ``needs``; raises what ``link.requestor.associate`` raises.

        ``flight`` gets the record of it.
        """
        self.peer = peer
        driver = associate(peer, proposal.propose(needs).contexts, roles, clock, cancelled, flight=flight)
        self._conversation = Conversation(driver, on_request)
        self._response_s = peer.timeouts.response_s
        self._broken: AgentError | None = None
        self.ahead = Ahead()
        granted = driver.association.window.invoked or peer.operations  # 0: as many as we like
        self.outstanding = Outstanding(min(granted, peer.operations), self._response_s)
        self._contexts = {
            (context.abstract_syntax, context.transfer_syntax): context.context_id
            for context in driver.association.contexts.values()
        }

    def __enter__(self) -> Delivery:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def conversation(self) -> Conversation:
        """Return the DIMSE side of the association, for other services on it."""
        return self._conversation

    @property
    def broken(self) -> AgentError | None:
        """Return why the association is over, or None while it can be used."""
        return self._broken

    @property
    def over(self) -> bool:
        """Return whether the next instance needs a new association: this one is broken, or will end before long."""
        return self._broken is not None or self._conversation.driver.old

    def context_id(self, sop_class_uid: str, transfer_syntax_uid: str | None = None) -> int | None:
        """Return the agreed presentation context; any transfer syntax if None is named."""
        if transfer_syntax_uid is not None:
            return self._contexts.get((sop_class_uid, transfer_syntax_uid))
        return next((number for (known, _), number in self._contexts.items() if known == sop_class_uid), None)

    def takes(self, instance: Instance) -> bool:
        """Return whether the peer agreed to get such an instance as it is."""
        return pair_of(instance) in self._contexts

    def taken(self, sop_class_uid: str) -> list[str]:
        """Return the transfer syntaxes that the peer agreed to for a SOP Class."""
        return [syntax for known, syntax in self._contexts if known == sop_class_uid]

    def answers(self) -> dict[str, dict[str, bool]]:
        """Return what was proposed, SOP Class by SOP Class, and whether the peer takes it."""
        found: dict[str, dict[str, bool]] = {}
        request = self._conversation.driver.association.request
        assert request is not None
        for context in request.contexts:
            answers = found.setdefault(context.abstract_syntax, {})
            for syntax in context.transfer_syntaxes:
                answers[syntax] = (context.abstract_syntax, syntax) in self._contexts
        return found

    def send(self, instance: Instance) -> Outcome:
        """Send one instance and wait for its answer, with nothing else under way; never raises as ``start``."""
        assert not self.outstanding
        outcome = self.start(instance)
        return self.answer() if outcome is None else outcome

    def start(self, instance: Instance) -> Outcome | None:
        """Send one instance, for which the window has room; None: its ``answer`` is awaited.

        Never raises for peer, file or network.
        """
        if self._broken is not None:
            return failed(instance, self._broken, begun=False)
        context_id = self.context_id(instance.sop_class_uid, instance.transfer_syntax_uid)
        if context_id is None:
            return failed(instance, self._refusal(instance), begun=False)
        file = self.ahead.take(instance)
        try:
            if file.damage is not None:
                return failed(instance, file.damage, begun=False)
            return self._start(instance, file.fd, context_id)
        except AgentError as error:
            self.end(error)
            return failed(instance, error, begun=True)
        finally:
            file.close()

    def answer(self) -> Outcome:
        """Wait for the next answer; there is an instance under way. Never raises as ``start``."""
        outstanding, conversation = self.outstanding, self._conversation
        self.ahead.look()
        try:
            if self._broken is not None:
                return failed(outstanding.give_up().instance, _of_another(self._broken), begun=True)
            asked, answer = conversation.response(outstanding.match, outstanding.deadline)
        except AgentError as error:
            self.end(error)
            return failed(outstanding.give_up().instance, error, begun=True)
        known = explain(Service.STORAGE, answer.status)
        refusal = None if known.stored else status_error(Service.STORAGE, answer.status, answer.comment)
        return Outcome(
            asked.instance,
            known.stored,
            answer.status,
            known.meaning,
            answer.comment,
            answer.offending,
            asked.bytes,
            outstanding.answered(asked, conversation.driver.now()),
            begun=True,
            error=refusal,
        )

    def serve(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for a request of the peer and answer it; False when the association is over."""
        if self._broken is not None:
            return False
        conversation = self._conversation
        try:
            if not conversation.waiting(seconds):
                return True
            incoming = conversation.message("response", conversation.driver.now() + self._response_s)
            if incoming is None:
                raise LinkClosed(f"{self.peer} released the association")
            conversation.answer_or_abort(incoming)
        except AgentError as error:
            self.end(error)
        return self._broken is None

    def changed(self, text: str) -> None:
        """Note in the record of the association that the peer is not what it was."""
        self._conversation.driver.changed(text)

    def end(self, error: AgentError) -> None:
        """End the association because of ``error``, of this service or of another one on it."""
        self._broken = error
        self._conversation.driver.abort()
        self._conversation.driver.ended(error)

    def close(self) -> None:
        """Release the association if it is still whole; never raises."""
        self.ahead.close()
        if self.outstanding and self._broken is None:  # a release would have to wait for them (PS3.7 A.4)
            self.end(LinkClosed(f"the association with {self.peer} was given up"))
        if self._broken is None:
            self._broken = LinkClosed(f"the association with {self.peer} was released")
            self._conversation.driver.release()
            self._conversation.driver.ended()
        kept(self._broken)

    def _start(self, instance: Instance, fd: int, context_id: int) -> Outcome | None:
        size = instance.size - instance.data_set_offset
        if size <= 0:
            return failed(instance, EncodeError(f"{instance.path} has no Data Set"), begun=False)
        conversation = self._conversation
        driver = conversation.driver
        started = driver.now()
        message_id = conversation.next_message_id()
        request = CStoreRequest(message_id, instance.sop_class_uid, instance.sop_instance_uid, instance.priority)
        conversation.queue(context_id, request, bulk=True)
        check = DigestCheck(instance) if instance.data_set_sha256 else None
        refused = partial(self._refused, message_id)
        sent = driver.send_data_set(fd, instance.data_set_offset, size, context_id, refused, check)
        self.outstanding.add(message_id, Asked(instance, context_id, started, driver.now(), sent))
        return None

    def _refused(self, message_id: int) -> bool:
        """Look, in the middle of a Data Set, whether the peer has refused it; success that early is a lie.

        Only a refusal of this very request may end it in good order: the peer could take the piece for a whole one.
        """
        answer = self._conversation.early_response(self.outstanding)
        if answer is None:
            return False
        if answer.message_id != message_id or not isinstance(answer, CStoreResponse):
            raise RemoteProtocolError(f"{self.peer} answered what was not asked, in the middle of an instance")
        if explain(Service.STORAGE, answer.status).stored:
            raise RemoteProtocolError(f"{self.peer} answered before it had the whole instance")
        return True

    def _refusal(self, instance: Instance) -> NoAcceptedContext:
        association = self._conversation.driver.association
        assert association.request is not None
        assert association.accept is not None
        results = {result.context_id: result.result for result in association.accept.results}
        syntax = instance.transfer_syntax_uid
        what = f"{uid_name(instance.sop_class_uid)} in {uid_name(syntax)}"
        for context in association.request.contexts:
            if context.abstract_syntax == instance.sop_class_uid and context.transfer_syntaxes == (syntax,):
                result = results.get(context.context_id, 2)
                hint = _OTHER_SYNTAX if syntax not in _COMMON and result != _CLASS_NOT_SUPPORTED else None
                why = CONTEXT_RESULTS.get(result, "no reason given")
                return NoAcceptedContext(f"{self.peer} refused {what}: {why}", hint=hint)
        return NoAcceptedContext(f"{what} was not proposed to {self.peer}")


_COMMON = (EXPLICIT_VR_LE, IMPLICIT_VR_LE)
_OTHER_SYNTAX = (
    "Nearly every peer takes Explicit VR Little Endian: 'send --lossless-copy' sends a copy that it takes, "
    "'modality-agent transcode --to explicit' makes one to keep."
)
_CLASS_NOT_SUPPORTED = 3


def _of_another(error: AgentError) -> AgentError:
    """Return why an answer is not waited for: what is wrong with another file is not said of this one."""
    return LinkClosed(f"another file ended the association: {error}") if isinstance(error, MediaError) else error


def failed(instance: Instance, error: AgentError, *, begun: bool) -> Outcome:
    """Return the outcome of an instance that got no answer."""
    return Outcome(instance, False, None, str(error), "", (), 0, 0.0, begun, error)  # noqa: FBT003 - stored


def unchangeable(outcome: Outcome) -> Outcome:
    """Say of a refused instance that nothing can be done about it here."""
    if outcome.error is None:
        return outcome
    outcome.error.message += "; nothing that it takes can be made of this without loss"
    return outcome._replace(meaning=str(outcome.error))


def deliver(
    peer: Peer,
    instances: Sequence[Instance],
    clock: Callable[[], float] = time.monotonic,
    *,
    copies: tuple[str, ...] = (),
    send: Callable[[Delivery, Instance], Outcome] = Delivery.send,
) -> Iterator[Outcome]:
    """Send ``instances`` in order and yield one outcome for each; one association per 128 kinds of instance.

    Where an association ends, the instance under way has failed, and a new one takes those behind it: that one may be
    what the peer cannot bear. No more are opened when one cannot be had, or ``BREAKER_FAILURES`` in a row have ended
    without an answer; then the rest is not sent. ``copies`` are transfer syntaxes to propose besides, for a ``send``
    that makes lossless copies.
    """
    for start, stop, pairs in groups(pairs_of(instances)):
        others = storage.alternatives([pair for pair in pairs if not is_lossy(pair[1])], copies)
        left, unanswered = start, 0
        error: AgentError | None = None
        while left < stop and error is None:
            try:
                delivery = Delivery(peer, storage.needs(pairs) + others, clock=clock)
            except AgentError as refusal:
                error = refusal
                break
            with delivery:
                if delivery.outstanding.window > 1 and send is Delivery.send:
                    from agent.forward.several import until_over  # few peers grant a window

                    left, answered = yield from until_over(delivery, instances, left, stop)
                else:
                    left, answered = yield from _until_over(delivery, instances, left, stop, send)
                unanswered = 0 if answered else unanswered + 1
                error = delivery.broken if unanswered and _enough(unanswered) else None
            if error is not None:
                error.message += f", the last of {unanswered} in a row that ended without an answer"
        if error is not None:
            yield from (failed(instances[index], error, begun=False) for index in range(left, stop))


def _enough(failures: int) -> bool:
    from agent.forward.policy import BREAKER_FAILURES

    return failures >= BREAKER_FAILURES


def _until_over(
    delivery: Delivery,
    instances: Sequence[Instance],
    start: int,
    stop: int,
    send: Callable[[Delivery, Instance], Outcome],
) -> Generator[Outcome, None, tuple[int, bool]]:
    """Send over one association while it lasts; where the next one begins, and whether the peer answered."""
    answered = False
    while True:
        delivery.ahead.next = instances[start + 1] if start + 1 < stop else None
        outcome = send(delivery, instances[start])
        start += 1
        answered = answered or outcome.status is not None
        yield outcome
        if start == stop or delivery.over or not delivery.serve(0):  # an end that is here already is not about the next
            return start, answered


def groups(pairs: Iterable[Pair], limit: int = CONTEXT_LIMIT) -> Iterator[tuple[int, int, list[Pair]]]:
    """Cut a list where it would need more than ``limit`` contexts; yields start, stop and the pairs between."""
    start, stop, kept = 0, 0, dict[Pair, None]()
    for pair in pairs:
        if pair not in kept and len(kept) == limit:
            yield start, stop, list(kept)
            start, kept = stop, {}
        kept[pair] = None
        stop += 1
    if kept:
        yield start, stop, list(kept)


class Echo(NamedTuple):
    """A C-ECHO that succeeded: seconds for connection and association, and for the echo itself."""

    associate_s: float
    echo_s: float
    facts: dict[str, str]  # of the transport: tcp or tls, version, suite


def echo(
    peer: Peer,
    clock: Callable[[], float] = time.monotonic,
    cancelled: Callable[[], bool] = never,
    flight: Flight | None = None,
) -> Echo:
    """Verify ``peer`` with one C-ECHO (PS3.4 Annex A); raises the error that says why it does not work."""
    started = clock()
    driver = associate(peer, proposal.propose([verification.NEED]).contexts, (), clock, cancelled, flight=flight)
    associated = clock()
    try:
        context_id = next(iter(driver.association.contexts), None)
        if context_id is None:
            raise NoAcceptedContext(f"{peer} does not accept Verification")
        conversation = Conversation(driver)
        request = CEchoRequest(conversation.next_message_id())
        conversation.send(context_id, request)
        check = partial(verification.match, message_id=request.message_id, context_id=context_id)
        answer = conversation.response(check, clock() + peer.timeouts.response_s)
        if answer.status:
            raise status_error(Service.VERIFICATION, answer.status, answer.comment)
        return Echo(associated - started, clock() - associated, driver.transport.facts())
    except AgentError as error:
        driver.ended(error)
        raise
    finally:
        driver.release()
        driver.ended()
