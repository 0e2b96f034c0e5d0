"""Accept associations: a bounded number, each in its own thread, each gone at a time known beforehand.

A ``Listener`` owns a port. For each connection it makes the transport (TLS if configured), waits for the
A-ASSOCIATE-RQ under ARTIM, answers it by ``Policy`` (AE Titles, presentation contexts, role selection) and hands the
established association to ``serve``. What goes wrong with one caller is reported by ``say`` and ends that caller only.

Bounds: ``associations`` in all and ``per_address`` for one host; who comes on top is told "local limit exceeded"
(transient) by one of few spare threads, and beyond those the connection is closed at once. Raises ``ListenFailed``.
"""

from __future__ import annotations

import socket
import threading
import time

from agent.dimse.message import CEchoRequest
from agent.errors import AgentError, ListenFailed
from agent.link.conversation import Conversation, Incoming, Reply, refuse
from agent.link.driver import Driver
from agent.link.peer import Timeouts
from agent.link.second_look import SecondLooks
from agent.link.transport import BULK_READ_BYTES, Transport
from agent.service import verification
from agent.typed import TYPE_CHECKING, NamedTuple
from agent.ul.association import Association, Role
from agent.ul.negotiate import answer
from agent.ul.pdu import AssociateAccept, AssociateReject, AssociateRequest
from agent.ul.reasons import SOURCE_PRESENTATION, TRANSIENT, reject_error

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from agent.link.flight import Flight
    from agent.link.tls import TlsSettings
    from agent.ul.negotiate import Policy

ACCEPT_TICK_S = 0.5  # how late a stop is noticed
STOP_S = 2.0  # given to associations that are under way when the listener stops
SPARE_THREADS = 2  # tell callers above the limit why; more of them at once are cut
BACKLOG = 16
CONTEXT_S = 3600.0  # a caller whose session is older shows his certificate again
_LOCAL_LIMIT_EXCEEDED = AssociateReject(TRANSIENT, SOURCE_PRESENTATION, 2)


class Limits(NamedTuple):
    """How many associations at once."""

    associations: int = 4
    per_address: int = 2


class Call(NamedTuple):
    """An established association that somebody else opened."""

    conversation: Conversation
    request: AssociateRequest
    address: str  # of the caller
    flight: Flight | None = None  # the record of it


def _unrecorded(_address: str) -> None:
    """Keep no record of an association."""


def _nobody(_text: str) -> None:
    """Say nothing."""


class Listener:
    """One port; bound when constructed, serving while ``run`` runs."""

    def __init__(  # noqa: PLR0913 - what a port is, and who hears of it
        self,
        host: str,
        port: int,
        policy: Policy,
        serve: Callable[[Call], None],
        *,
        tls: TlsSettings | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        say: Callable[[str], None] = _nobody,
        record: Callable[[str], Flight | None] = _unrecorded,
    ) -> None:
        """Bind ``host``:``port`` (0: any free one, see ``port``); ``ListenFailed``, ``ConfigError``, ``TlsRefused``.

        ``record`` makes the record of a connection from an address.
        """
        self.policy = policy
        self._serve = serve
        self._tls = tls
        self._timeouts = timeouts or Timeouts()
        self._limits = limits or Limits()
        self._say = say
        self._record = record
        self._lock = threading.Lock()
        self._threads: dict[threading.Thread, str] = {}
        self._drivers: set[Driver] = set()
        self._looks = SecondLooks()
        self._context_of = _stamps(tls)  # before they are read: a change in between is noticed
        self._context = _server_context(tls)
        self._context_at = time.monotonic()
        self._socket = _bind(host, port)
        self.port: int = self._socket.getsockname()[1]

    def run(self, stop: threading.Event) -> None:
        """Accept until ``stop`` is set, then end what is under way and free the port."""
        self._socket.settimeout(ACCEPT_TICK_S)
        try:
            while not stop.is_set():
                try:
                    connection, address = self._socket.accept()
                except TimeoutError:
                    continue
                except OSError as error:  # too many open files, or the caller was gone already
                    self._say(f"a connection could not be accepted: {error.strerror or error}")
                    stop.wait(ACCEPT_TICK_S)
                    continue
                self._admit(connection, str(address[0]))
        finally:
            self.close()

    def close(self) -> None:
        """Free the port and end all associations; idempotent."""
        self._socket.close()
        with self._lock:
            threads, drivers = list(self._threads), list(self._drivers)
        for driver in drivers:
            driver.interrupt()
        until = time.monotonic() + STOP_S
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _admit(self, connection: socket.socket, address: str) -> None:
        with self._lock:
            busy = len(self._threads)
            same = sum(1 for known in self._threads.values() if known == address)
            over = busy >= self._limits.associations or same >= self._limits.per_address
            if busy >= self._limits.associations + SPARE_THREADS:
                connection.close()
                self._say(f"{address}: cut off, too many connections")
                return
            thread = threading.Thread(target=self._live, args=(connection, address, over), name=f"call {address}")
            thread.daemon = True
            self._threads[thread] = address
        thread.start()

    def _live(self, connection: socket.socket, address: str, over: bool) -> None:  # noqa: FBT001 - thread argument
        try:
            self._converse(connection, address, over=over)
        except AgentError as error:
            with self._lock:
                known = self._looks.is_one(address, error)
            if not known:
                self._say(f"{error} [{error.code}]")
        finally:
            connection.close()
            with self._lock:
                del self._threads[threading.current_thread()]

    def _converse(self, connection: socket.socket, address: str, *, over: bool) -> None:
        association = Association(
            Role.ACCEPTOR, maximum_length=self.policy.maximum_length, artim_s=self._timeouts.artim_s
        )
        transport = self._transport(connection, address)
        transport.read_bytes = BULK_READ_BYTES
        driver = Driver(association, transport, self._timeouts)
        flight = self._record(address)
        if flight is not None:
            driver.record(flight)
        with self._lock:
            self._drivers.add(driver)
        try:
            association.connected(driver.now())
            request = driver.event("artim", driver.now() + self._timeouts.artim_s)
            if not isinstance(request, AssociateRequest):
                return  # came and went: a port check
            said = _LOCAL_LIMIT_EXCEEDED if over else answer(request, self.policy)
            driver.send(said)
            driver.flush()
            if isinstance(said, AssociateAccept):
                self._serve(Call(Conversation(driver), request, address, flight))
            else:
                self._say(f"{address}: association of {request.calling_ae} to {request.called_ae} rejected")
                driver.finish()
                driver.ended(reject_error(said))
        except AgentError as error:
            driver.ended(error)
            raise
        finally:
            driver.abort()
            driver.ended()
            with self._lock:
                self._drivers.discard(driver)

    def _transport(self, connection: socket.socket, address: str) -> Transport:
        if self._context is None or self._tls is None:
            return Transport(connection, address, self._timeouts)
        from agent.link.tls_transport import start_server

        return start_server(connection, address, self._timeouts, self._tls, self._renewed(self._context, self._tls))

    def _renewed(self, context: ssl.SSLContext, tls: TlsSettings) -> ssl.SSLContext:
        """Return the context; it is made anew when a file has changed, a revocation list for one, or it is old.

        That ends the sessions that callers could resume with it.
        """
        stamps = _stamps(tls)
        with self._lock:
            if stamps == self._context_of and time.monotonic() < self._context_at + CONTEXT_S:
                return self._context or context
            self._context_of, self._context_at = stamps, time.monotonic()
        try:
            self._context = _server_context(tls)
        except AgentError as error:
            self._say(f"{error} [{error.code}]; the certificates of before stay in use")
        return self._context or context


def serve_requests(call: Call, on_request: Callable[[Incoming], Reply], idle_s: float) -> None:
    """Answer requests until the peer releases; Verification is answered here, the rest by ``on_request``."""
    conversation = call.conversation
    conversation.on_request = lambda incoming: echo_or(incoming, on_request)
    while True:
        incoming = conversation.message("idle", conversation.driver.now() + idle_s)
        if incoming is None:
            return
        conversation.answer_or_abort(incoming)


def echo_or(incoming: Incoming, on_request: Callable[[Incoming], Reply] = refuse) -> Reply:
    """Answer a C-ECHO; leave anything else to ``on_request``."""
    if isinstance(incoming.message, CEchoRequest):
        return Reply(verification.respond(incoming.message))
    return on_request(incoming)


def _stamps(tls: TlsSettings | None) -> tuple[object, ...]:
    if tls is None:
        return ()
    from agent.link.sessions import stamps

    return stamps(tls)


def _server_context(tls: TlsSettings | None) -> ssl.SSLContext | None:
    if tls is None:
        return None
    from agent.link.tls import server_context

    return server_context(tls)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        reason = str(reason).partition(" (while attempting")[0]  # socket.create_server adds the address again
        raise ListenFailed(f"cannot listen on {host}:{port}: {reason}") from error
