"""Whole DIMSE messages over a driver: one request at a time out, its one answer back.

Strict matching (promise P3): an answer counts only if it is of the right kind, for the Message ID that was asked, on
the presentation context that was used. Anything else ends the association, because from then on nobody can say which
answer belongs to which instance.

A peer may ask us something while it owes us an answer, an N-EVENT-REPORT on the same association for instance (PS3.7
A.4): such requests go to ``on_request``; without one they are answered with "unrecognized operation".
Data Sets of messages are small here and collected up to a limit; the large ones, Data Sets of C-STORE, go from file to
socket in ``Driver.send_data_set`` and come piece by piece from ``part``.
"""

from __future__ import annotations

from agent.dimse.fragment import Assembler, Collector, DataSetPart, Received, split
from agent.dimse.layout import encode
from agent.dimse.message import MESSAGE_ID_LIMIT, is_response, refusal
from agent.dimse.status import UNRECOGNIZED_OPERATION
from agent.errors import LinkClosed, RemoteProtocolError
from agent.link.early import Early
from agent.link.turns import Turns
from agent.typed import TYPE_CHECKING, NamedTuple, TypeVar
from agent.ul.pdu import Fragment, ReleaseRequest, ReleaseResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from agent.dimse.message import Message, Request
    from agent.link.driver import Driver
    from agent.ul.association import Indication

_Response = TypeVar("_Response")


class Incoming(NamedTuple):
    """One complete message with its Data Set, if it has one."""

    context_id: int
    message: Message
    data_set: bytes | None


class Reply(NamedTuple):
    """What ``on_request`` answers: a response and perhaps its Data Set; None as message: no answer (C-CANCEL)."""

    message: Message | None
    data_set: bytes | None = None


def refuse(incoming: Incoming) -> Reply:
    """Answer any request with "unrecognized operation"."""
    assert not is_response(incoming.message)
    request: Request = incoming.message  # type: ignore[assignment] # what is no response is a request
    return Reply(refusal(request, UNRECOGNIZED_OPERATION))


class Conversation:
    """DIMSE over one association; used by one thread."""

    __slots__ = ("_assembler", "_early", "_message_id", "_turns", "driver", "on_request")

    def __init__(self, driver: Driver, on_request: Callable[[Incoming], Reply] = refuse) -> None:
        self.driver = driver
        self.on_request = on_request
        self._assembler = Assembler()
        self._early = Early()
        self._turns = Turns(driver.now)
        self._message_id = 0

    def next_message_id(self) -> int:
        """Return a Message ID that is not in use: 1 to 65535, round and round."""
        self._message_id = self._message_id % MESSAGE_ID_LIMIT + 1
        return self._message_id

    def send(self, context_id: int, message: Message, data_set: bytes | None = None) -> None:
        """Write one message, command and Data Set together."""
        self.queue(context_id, message, data_set)
        self.driver.flush()

    def queue(self, context_id: int, message: Message, data_set: bytes | None = None, *, bulk: bool = False) -> None:
        """Hand one message to the association without writing; ``bulk``: its Data Set follows by other means."""
        association = self.driver.association
        self.driver.message(">", context_id, message)
        command = encode(message, data_set=bulk or data_set is not None)
        for fragment in split(context_id, command, association.fragment_bytes, command=True):
            self.driver.send(fragment)
        if data_set is not None:
            for fragment in split(context_id, data_set, association.fragment_bytes, command=False):
                self.driver.send(fragment)

    def response(self, check: Callable[[Received], _Response], deadline: float) -> _Response:
        """Return the answer to our request; ``check`` raises for anything that is not it and so ends the association.

        A Data Set that comes with the answer is read and dropped.
        """
        return self.reply(check, deadline)[0]

    def reply(self, check: Callable[[Received], _Response], deadline: float) -> tuple[_Response, bytes | None]:
        """Return the answer to our request with its Data Set, otherwise as ``response``."""
        while True:
            incoming = self.message("response", deadline)
            if incoming is None:
                raise LinkClosed(f"{self.driver.transport.name} released the association instead of answering")
            if not is_response(incoming.message):
                self.answer(incoming)
                continue
            try:
                found = check(Received(incoming.context_id, incoming.message, incoming.data_set is not None))
            except RemoteProtocolError as error:
                raise self._ended(error) from None
            return found, incoming.data_set

    def answer(self, incoming: Incoming) -> None:
        """Let ``on_request`` answer a request of the peer, when it is its turn, and write the answer."""
        self._turns.wait(0 if incoming.data_set is None else len(incoming.data_set))
        reply = self.on_request(incoming)
        if reply.message is not None:
            self.send(incoming.context_id, reply.message, reply.data_set)

    def answer_or_abort(self, incoming: Incoming) -> None:
        """Answer a request where no response is due: one that comes all the same ends the association."""
        if is_response(incoming.message):
            raise self._ended(RemoteProtocolError(f"{type(incoming.message).__name__} that nobody waits for"))
        self.answer(incoming)

    def message(self, wait: str, deadline: float) -> Incoming | None:
        """Return the next complete message; None when the peer has released or closed in good order."""
        received = self.part(wait, deadline)
        if received is None:
            return None
        assert isinstance(received, Received)
        data_set = self.collect(wait, deadline) if received.data_set else None
        return Incoming(received.context_id, received.message, data_set)

    def collect(self, wait: str = "idle", deadline: float | None = None) -> bytes:
        """Return the whole Data Set that follows the command just received; it is a small one, or the peer is ended."""
        if deadline is None:
            deadline = self.driver.now() + self.driver.idle_s
        collector = Collector()
        while True:
            part = self.part(wait, deadline)
            if part is None:
                raise LinkClosed(f"{self.driver.transport.name} closed in the middle of a message")
            assert isinstance(part, DataSetPart)
            try:
                data_set = collector.feed(part)
            except RemoteProtocolError as error:
                raise self._ended(error) from None
            if data_set is not None:
                return data_set

    def early_response(self, due: Container[int] = ()) -> Message | None:
        """Return a response that is here already, without waiting; what else has come is kept for ``part``.

        Those to the Message IDs that are ``due`` are among what is kept.

        This is how a sender notices, in the middle of a Data Set, that the peer has refused it (PS3.7 9.3.1.3). The
        connection is read once at most, so that a peer that never stops talking cannot keep us from sending.
        """
        self._take_early()
        return self._early.response(due)

    def waiting(self, seconds: float) -> bool:
        """Wait up to ``seconds`` until something of the peer is here, also what came behind the last message."""
        if not self._early:
            self._take_early()
        return bool(self._early) or (seconds > 0 and self.driver.readable(seconds))

    def _take_early(self) -> None:
        """Keep what has been read already and what one more read brings."""
        self._keep_arrived()
        if self.driver.poll():
            self._keep_arrived()

    def _keep_arrived(self) -> None:
        while (event := self.driver.arrived()) is not None:
            found = self._take(event)
            try:
                if found is not None:
                    self._early.keep(found)
            except RemoteProtocolError as error:
                raise self._ended(error) from None

    def part(self, wait: str, deadline: float) -> Received | DataSetPart | None:
        """Return the next Command Set or piece of a Data Set; None as in ``message``."""
        if self._early:
            return self._early.take()
        while True:
            event = self.driver.event(wait, deadline)
            if isinstance(event, ReleaseRequest):
                self.driver.send(ReleaseResponse())
                self.driver.flush()
                self.driver.finish()
                return None
            if not isinstance(event, Fragment):
                self.driver.close()
                return None
            found = self._take(event)
            if found is not None:
                return found

    def _take(self, event: Indication) -> Received | DataSetPart | None:
        if not isinstance(event, Fragment):
            self.driver.abort()
            raise LinkClosed(f"{self.driver.transport.name} ended the association in the middle of a message")
        try:
            found = self._assembler.feed(event)
        except RemoteProtocolError as error:
            raise self._ended(error) from None
        if isinstance(found, Received):
            self.driver.message("<", found.context_id, found.message)
        return found

    def _ended(self, error: RemoteProtocolError) -> RemoteProtocolError:
        """Abort because of what the peer did; return the error with its name in it."""
        self.driver.abort()
        error.message = f"{self.driver.transport.name}: {error.message}"
        return error
