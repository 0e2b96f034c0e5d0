"""One association, without a socket (PS3.8 7, 9.2): bytes, primitives and the time go in; events and bytes come out.

The shell around it (``agent.link.driver``) does four things and decides nothing:

* ``connected(now)`` when the transport is open; ``receive(data, now)`` for what was read, ``b""`` when it was closed;
* ``next_event()`` until it returns None, which means: feed me;
* write what ``outgoing()`` returns, as one gather write;
* sleep no longer than ``deadline`` and then call ``tick(now)``.

``send(primitive, now)`` asks for a service. Primitives and events are the PDUs themselves: an ``AssociateRequest`` sent
by one side is the ``AssociateRequest`` event of the other. Further events: ``OpenTransport`` (connect now, or call
``receive(b"", now)`` if that failed), ``CloseTransport`` (nothing more will come), ``TransportLost`` (the peer or the
network closed it in the middle).

Bulk Data Sets never pass through Python objects of this module: after the last command fragment is sent,
``begin_data_set`` answers how long fragments may be, the shell writes the P-DATA-TF stream itself, right behind the
bytes of ``outgoing()``, and calls ``end_data_set``. Between the two only an abort may be sent. On the receiving side
every fragment is an event of its own, a view that is valid until the next ``receive``; nothing is put together here.

Errors. ``next_event`` raises ``RemoteProtocolError`` once, when the peer breaks a rule; the A-ABORT is then in
``outgoing()`` and the machine in Sta13, where only a close or ARTIM ends it. ``send`` raises ``LocalProtocolError`` for
what the state forbids. After either the association is dead: ``error`` says why, and only ``abort`` still works.
Any other exception is a fault of this module.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

from agent.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from agent.typed import TYPE_CHECKING, NamedTuple
from agent.ul import pdu as pdus
from agent.ul.buffer import ReceiveBuffer
from agent.ul.items import APPLICATION_CONTEXT_NAME, UNEXPECTED_PDU, invalid
from agent.ul.limits import ARTIM_S, DATA_LIMIT_BYTES, MAXIMUM_LENGTH_BYTES, PEER_MAXIMUM_LENGTH_FLOOR_BYTES
from agent.ul.machine import TABLE, Action, Effect, Event, State, step
from agent.ul.negotiate import SYNCHRONOUS, AgreedContext, agree, agreed_window, obeyed_maximum_length
from agent.ul.pdu import (
    Abort,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    Fragment,
    Pdu,
    ReleaseRequest,
    ReleaseResponse,
)
from agent.ul.reasons import PERMANENT, SOURCE_ACSE, SOURCE_PRESENTATION, reject_text

if TYPE_CHECKING:
    from agent.ul.items import Buffer

# Fragments up to this size are joined with their header: one buffer costs less than a longer gather list.
_JOIN_BYTES = 4096


class Role(Enum):
    """Who opened the association (PS3.8 7.1)."""

    REQUESTOR = "requestor"
    ACCEPTOR = "acceptor"


class OpenTransport(NamedTuple):
    """Open the transport connection, then call ``connected``."""


class CloseTransport(NamedTuple):
    """Close the transport connection; the association is over."""


class TransportLost(NamedTuple):
    """The transport closed under a living association: A-P-ABORT of our own provider."""


Indication = Pdu | OpenTransport | CloseTransport | TransportLost


class Association:
    """One association; requestor or acceptor, used once. See the top of this module for how to drive it."""

    __slots__ = (
        "_aborted",
        "_buffer",
        "_bulk",
        "_command_context",
        "_eof",
        "_events",
        "_fault",
        "_now",
        "_out",
        "_over",
        "accept",
        "artim_s",
        "contexts",
        "deadline",
        "error",
        "fragment_bytes",
        "request",
        "role",
        "state",
        "window",
    )

    def __init__(self, role: Role, *, maximum_length: int = MAXIMUM_LENGTH_BYTES, artim_s: float = ARTIM_S) -> None:
        self.role = role
        self.state = State.STA1
        self.artim_s = artim_s
        self.deadline: float | None = None  # ARTIM; None = stopped
        self.error: ProtocolError | None = None  # why the association is dead
        self.request: AssociateRequest | None = None
        self.accept: AssociateAccept | None = None
        self.contexts: dict[int, AgreedContext] = {}
        self.window = SYNCHRONOUS
        self.fragment_bytes = 0  # longest fragment the peer takes in one P-DATA-TF, even
        self._buffer = ReceiveBuffer(max(maximum_length, DATA_LIMIT_BYTES))
        self._events: deque[Indication] = deque()
        self._out: list[Buffer] = []
        self._now = 0.0
        self._fault: RemoteProtocolError | None = None
        self._eof = False
        self._over = False
        self._aborted = False
        self._bulk = False
        self._command_context = 0

    # --- what the transport says ---------------------------------------------------------------

    def connected(self, now: float) -> None:
        """Say that the transport is open: a requestor sends its request, an acceptor waits for one (ARTIM)."""
        requestor = self.role is Role.REQUESTOR
        self._perform(
            self._step(Event.TRANSPORT_CONNECTED if requestor else Event.TRANSPORT_INDICATED), now, self.request
        )

    def receive(self, data: Buffer, now: float) -> None:
        """Take the bytes of one read, ``b""`` for a closed transport; drain ``next_event`` before the next call."""
        self._now = now
        if self._over:
            return
        if self.state is State.STA1 or (self.state is State.STA4 and data):
            raise self._refuse(f"bytes received in Sta{self.state}, before the transport is connected")
        if data:
            self._buffer.append(data)
        else:
            self._eof = True

    def next_event(self) -> Indication | None:
        """Return the next event, None when more bytes are needed; RemoteProtocolError when the peer broke a rule."""
        events = self._events
        while not events:
            if self._fault is not None:
                fault, self._fault = self._fault, None
                raise fault
            try:
                found = self._buffer.next_pdu()
            except RemoteProtocolError as error:
                self._break(Event.INVALID_PDU, error)
                self._buffer.clear()  # the borders of PDUs are lost
                continue
            if found is not None:
                self._received(*found)
            elif self._eof and not self._over:
                self._perform(self._step(Event.TRANSPORT_CLOSED), self._now)
            else:
                return None
        return events.popleft()

    def outgoing(self) -> list[Buffer]:
        """Return the buffers to write, in order, and forget them."""
        out, self._out = self._out, []
        return out

    def tick(self, now: float) -> None:
        """Let time pass: past ``deadline`` ARTIM expires and the transport is to be closed."""
        if self.deadline is not None and now >= self.deadline:
            self._perform(self._step(Event.ARTIM_EXPIRED), now)

    @property
    def over(self) -> bool:
        """True when the association has ended and the transport is, or is to be, closed."""
        return self._over

    @property
    def receiving(self) -> bool:
        """True while a PDU has begun and not ended, for the shell's deadline per PDU."""
        return self._buffer.in_pdu

    # --- what the application asks -------------------------------------------------------------

    def send(self, primitive: Pdu, now: float) -> None:
        """Ask for a service; LocalProtocolError if Table 9-10 has no cell for it or its content is not allowed."""
        if self.error is not None and type(primitive) is not Abort:
            raise LocalProtocolError(f"the association is dead: {self.error}")
        if self._bulk and type(primitive) is not Abort:
            raise self._refuse(f"{type(primitive).__name__} in the middle of a Data Set")
        if type(primitive) is Fragment:
            self._send_fragment(primitive)
            return
        event = _LOCAL_EVENTS[type(primitive)]
        action = self._step(event)
        if event is Event.ASSOCIATE_REQUEST and self.role is not Role.REQUESTOR:
            raise self._refuse("an acceptor does not request associations")
        try:
            pdus.encode(primitive)  # refuse what cannot be sent before anything changes
            if type(primitive) is AssociateRequest:
                self.request = primitive
            elif type(primitive) is AssociateAccept:
                self._establish(primitive)
        except LocalProtocolError as error:
            raise self._refuse(error.message) from None
        self._perform(action, now, primitive)

    def abort(self, now: float) -> None:
        """Abort whatever there is to abort; never raises, so it may end any error path."""
        if (Event.ABORT_REQUEST, self.state) in TABLE:
            self._bulk = False
            self._perform(self._step(Event.ABORT_REQUEST), now)

    def begin_data_set(self, context_id: int, total_bytes: int) -> int:
        """Begin a Data Set that the shell writes itself; return the longest fragment (even, bytes) of one P-DATA-TF.

        Its command must just have been sent on the same context. ``total_bytes`` must be even and not 0.
        """
        self._step(Event.DATA_REQUEST)
        if self.error is not None or self._bulk or self._command_context != context_id:
            raise self._refuse(f"no command waits for a Data Set on presentation context {context_id}")
        if total_bytes <= 0 or total_bytes & 1:
            raise self._refuse(f"a Data Set of {total_bytes} bytes; it must be even and not empty")
        self._bulk = True
        return self.fragment_bytes

    def end_data_set(self) -> None:
        """Say that the last fragment of the Data Set, marked as last, is written; sends are possible again."""
        if not self._bulk:
            raise self._refuse("no Data Set was begun")
        self._bulk = False
        self._command_context = 0

    @property
    def must_answer_release(self) -> bool:
        """True when the peer waits for our ``ReleaseResponse`` (Sta8, Sta9, Sta12)."""
        return self.state in (State.STA8, State.STA9, State.STA12)

    # --- inside --------------------------------------------------------------------------------

    def _step(self, event: Event, *, acceptable: bool = True) -> Action:
        if self._over:
            raise self._refuse(f"{event.name}: the association is over")
        try:
            return step(self.state, event, requestor=self.role is Role.REQUESTOR, acceptable=acceptable)
        except LocalProtocolError as error:
            raise self._refuse(error.message) from None

    def _refuse(self, message: str) -> LocalProtocolError:
        """Kill the association and return the error to raise."""
        error = LocalProtocolError(message)
        if self.error is None:
            self.error = error
        return error

    def _perform(self, action: Action, now: float, pdu: Pdu | None = None) -> None:
        self.state = action.next_state
        for effect in action.effects:
            self._apply(effect, pdu, now)
        if self.state is State.STA1:
            self._over = True
            self._buffer.clear()

    def _send_fragment(self, fragment: Fragment) -> None:
        action = TABLE.get((Event.DATA_REQUEST, self.state))
        if action is None:
            raise self._refuse(f"DATA_REQUEST is not possible in Sta{self.state}")
        context_id, control, data = fragment
        length = len(data)
        if context_id not in self.contexts or length & 1 or not 0 < length <= self.fragment_bytes:
            raise self._refuse(
                f"fragment of {length} bytes on presentation context {context_id}: the context must be agreed, "
                f"the length even and at most {self.fragment_bytes}"
            )
        self.state = action.next_state
        self._command_context = context_id if control == pdus.COMMAND | pdus.LAST else 0
        head = pdus.data_head(context_id, control, length)
        if length <= _JOIN_BYTES:
            self._out.append(head + data)
        else:
            self._out += (head, data)

    def _received(self, kind: int, body: memoryview) -> None:
        event = _REMOTE_EVENTS[kind]
        action = TABLE[event, self.state]
        if Effect.INDICATE not in action.effects:
            if event is Event.ABORT_RECEIVED or self.state is State.STA13:
                self._perform(action, self._now, Abort(2, UNEXPECTED_PDU))
            else:
                self._break(event, RemoteProtocolError(f"{event.name} in Sta{self.state}", reason=UNEXPECTED_PDU))
            return
        try:
            if kind == pdus.DATA_TF:
                self._receive_fragments(body)
                self.state = action.next_state
            else:
                self._receive_pdu(event, pdus.decode(kind, body))
        except RemoteProtocolError as error:
            self._break(Event.INVALID_PDU, error)

    def _receive_fragments(self, body: memoryview) -> None:
        fragments = pdus.decode_fragments(body)
        for fragment in fragments:
            if fragment.context_id not in self.contexts:
                raise invalid(f"data on presentation context {fragment.context_id}, which was not agreed")
        self._events += fragments

    def _receive_pdu(self, event: Event, pdu: Pdu) -> None:
        """Let a well-formed and expected PDU act, unless what it says cannot be accepted."""
        reject = None
        if type(pdu) is AssociateRequest:
            self.request = pdu
            reject = _unacceptable(pdu)
        elif type(pdu) is AssociateAccept:
            self._establish(pdu)
        self._perform(self._step(event, acceptable=reject is None), self._now, reject or pdu)
        if reject is not None:
            self.error = self._fault = RemoteProtocolError(reject_text(reject))

    def _establish(self, accept: AssociateAccept) -> None:
        """Work out what both sides agreed on; RemoteProtocolError if the acceptor's answer cannot be used."""
        assert self.request is not None
        user = accept.user if self.role is Role.REQUESTOR else self.request.user
        length = obeyed_maximum_length(user)
        if self.role is Role.REQUESTOR:
            if accept.application_context not in ("", APPLICATION_CONTEXT_NAME):  # "": left out, which changes nothing
                raise invalid(f"A-ASSOCIATE-AC with application context {accept.application_context!r}")
            if length < PEER_MAXIMUM_LENGTH_FLOOR_BYTES:
                raise invalid(f"A-ASSOCIATE-AC with a maximum length of {length} bytes")
        self.accept = accept
        self.contexts = agree(self.request, accept)
        self.window = agreed_window(self.request, accept)
        self.fragment_bytes = (length - pdus.PDV_HEADER_BYTES) & ~1

    def _break(self, event: Event, error: RemoteProtocolError) -> None:
        """Let a fault of the peer act; ``next_event`` raises it, unless the association was gone already."""
        if self.state is not State.STA13:
            self.error = self._fault = error
        self._perform(self._step(event), self._now, Abort(2, error.reason))

    def _apply(self, effect: Effect, pdu: Pdu | None, now: float) -> None:
        """Do one effect of an action; a fault of the peer (INDICATE_FAULT) is raised by ``next_event``."""
        if effect is Effect.START_ARTIM:
            self.deadline = now + self.artim_s
        elif effect is Effect.STOP_ARTIM:
            self.deadline = None
        elif effect is Effect.SEND_USER_ABORT:
            self._send_abort(Abort())
        elif effect is Effect.SEND_PROVIDER_ABORT:
            self._send_abort(pdu)
        elif effect in _EFFECT_EVENTS:
            self._events.append(_EFFECT_EVENTS[effect])
        elif effect is Effect.INDICATE:
            assert pdu is not None
            self._events.append(pdu)
        elif effect in (Effect.SEND, Effect.SEND_REJECT):
            assert pdu is not None
            self._out.append(pdus.encode(pdu))

    def _send_abort(self, pdu: Pdu | None) -> None:
        """Abort once: a peer that goes on talking in Sta13 must not make us write for ever."""
        if not self._aborted:
            self._aborted = True
            self._out.append(pdus.encode(pdu or Abort()))


def _unacceptable(request: AssociateRequest) -> AssociateReject | None:
    """Return the rejection of a request that our upper layer itself cannot serve (AE-6), else None."""
    if not request.version & 1:
        return AssociateReject(PERMANENT, SOURCE_ACSE, 2)
    if obeyed_maximum_length(request.user) < PEER_MAXIMUM_LENGTH_FLOOR_BYTES:
        return AssociateReject(PERMANENT, SOURCE_PRESENTATION, 2)
    return None


_EFFECT_EVENTS: dict[Effect, Indication] = {
    Effect.OPEN_TRANSPORT: OpenTransport(),
    Effect.CLOSE_TRANSPORT: CloseTransport(),
    Effect.INDICATE_LOST: TransportLost(),
}

_LOCAL_EVENTS: dict[type, Event] = {
    AssociateRequest: Event.ASSOCIATE_REQUEST,
    AssociateAccept: Event.ASSOCIATE_ACCEPT,
    AssociateReject: Event.ASSOCIATE_REJECT,
    ReleaseRequest: Event.RELEASE_REQUEST,
    ReleaseResponse: Event.RELEASE_RESPONSE,
    Abort: Event.ABORT_REQUEST,
}

_REMOTE_EVENTS: dict[int, Event] = {
    pdus.ASSOCIATE_RQ: Event.ASSOCIATE_RQ_RECEIVED,
    pdus.ASSOCIATE_AC: Event.ASSOCIATE_AC_RECEIVED,
    pdus.ASSOCIATE_RJ: Event.ASSOCIATE_RJ_RECEIVED,
    pdus.DATA_TF: Event.DATA_RECEIVED,
    pdus.RELEASE_RQ: Event.RELEASE_RQ_RECEIVED,
    pdus.RELEASE_RP: Event.RELEASE_RP_RECEIVED,
    pdus.ABORT: Event.ABORT_RECEIVED,
}
