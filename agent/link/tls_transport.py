"""A TLS connection with the methods and deadlines of ``transport.Transport``.

Kept apart because ``ssl`` costs 5 MiB that a site without TLS need not pay. OpenSSL never sees the socket: it turns
bytes in memory into bytes in memory (``ssl.MemoryBIO``), and every wait is one of the plain transport, with its
deadlines, its minimum rate and its cures for stalls. What ``WRITE_BYTES`` become, some records of 16 KiB, goes out in
one system call, and what has arrived comes in with one: with a socket of its own OpenSSL makes one or two a record.

Whatever OpenSSL has for the peer is sent before anything is waited for, and an alert before the error that it names is
raised: a peer that is refused hears why. ``ssl`` does not show a certificate that it refuses. For the message
``start_client`` looks at it once more over another connection, on which nothing is verified and nothing but the
handshake is sent.
"""

from __future__ import annotations

import socket
import ssl
import time
from functools import partial

from agent.errors import LinkClosed, TlsRefused, kept
from agent.link.certificate import read, readable
from agent.link.tls import CIPHERS_TLS12, TlsSettings, client_context, judge, judge_chain, server_context
from agent.link.transport import Transport, connect_socket, never, plain_name
from agent.typed import TYPE_CHECKING, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.link.certificate import Certificate
    from agent.link.peer import Peer, Timeouts
    from agent.link.sessions import Held

__all__ = ["TlsTransport", "client_context", "server_context", "start_client", "start_server"]

WRITE_BYTES = 1 << 17  # encrypted at once; half as much costs 4 % more of the processor, twice as much gains nothing
LOOK_S = 2.0  # given to the second look at a certificate that was refused
LOOK_TICK_S = 0.1  # how late a stop is noticed there
LOOK_LEVEL = "@SECLEVEL=0"  # a key that is too weak is looked at as well

_Result = TypeVar("_Result")
# A peer that refuses our certificate in TLS 1.3 closes after its alert; what we wrote meanwhile ends as a reset.
_CUT: Final = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_ENDED: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError)  # with and without a close_notify: the layers above know


class Pipes(NamedTuple):
    """OpenSSL, and its two ends: what came of the peer and what is for the peer."""

    tls: ssl.SSLObject
    arrived: ssl.MemoryBIO
    leaving: ssl.MemoryBIO


def pipes(
    context: ssl.SSLContext, *, server_name: bytes | str | None = None, session: ssl.SSLSession | None = None
) -> Pipes:
    """Set up TLS without a connection: as initiator that calls ``server_name``, as responder without one."""
    arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(arrived, leaving, server_name is None, server_name, session)
    return Pipes(tls, arrived, leaving)


class TlsTransport(Transport):
    """A TLS connection; made by ``start_client`` or ``start_server``."""

    __slots__ = ("_arrived", "_held", "_leaving", "_settings", "_tls", "_verified_name", "certificate", "shown")

    batch_bytes = 1 << 18  # twice as much gains nothing that can be measured; memory is tighter with OpenSSL in it

    def __init__(
        self,
        sock: socket.socket,
        name: str,
        timeouts: Timeouts,
        ends: Pipes,
        settings: TlsSettings,
        verified_name: str,
        clock: Callable[[], float] = time.monotonic,
        held: Held | None = None,
    ) -> None:
        self._tls, self._arrived, self._leaving = ends
        self._held = held  # who keeps the session of a connection that we opened
        self._settings = settings
        self._verified_name = verified_name
        self.certificate: bytes | None = None  # of the peer, DER, verified
        self.shown: Certificate | None = None  # what it says
        super().__init__(sock, name, timeouts, clock)

    def handshake(self, deadline: float) -> None:
        """Do the TLS handshake (the wait named ``tls``); ``TlsRefused`` in words."""
        try:
            self._until(self._tls.do_handshake, deadline, "tls")
            if not self._tls.server_side:
                self._deliver(deadline)
        except LinkClosed as error:
            if not isinstance(error.__cause__, OSError):
                raise  # nobody cut it: our own side gave up
            raise self._refused(error.__cause__) from error
        self._deliver(deadline)  # tickets: who is gone before they come has been let in
        self.certificate = self._tls.getpeercert(binary_form=True)
        self.shown = judge(self.certificate, self.name)
        verified: Callable[[], list[bytes]] | None = getattr(self._tls, "get_verified_chain", None)
        if verified is not None:  # Python 3.13; of a resumed session it is empty
            judge_chain(verified(), self.name)

    def read(self, deadline: float, wait: str) -> bytes:
        """As ``Transport.read``; a refusal that TLS 1.3 sends late arrives here as ``TlsRefused``."""
        self._check(deadline, wait)
        return self._until(self._receive, deadline, wait)

    def poll(self) -> bytes | None:
        """As ``Transport.poll``."""
        data = self._decrypted()
        if data is None:
            raw = super().poll()
            if raw is not None:
                self._take(raw)
                data = self._decrypted()
        return data

    def write(self, data: memoryview | bytes | bytearray, ends: float) -> None:
        """As ``Transport.write``, of what ``data`` becomes."""
        view = memoryview(data)
        while view:
            self._until(partial(self._tls.write, view[:WRITE_BYTES]), ends, "association")
            self._deliver(ends)
            view = view[WRITE_BYTES:]

    def write_now(self, data: bytes) -> None:
        """As ``Transport.write_now``."""
        try:
            self._tls.write(data)
        except OSError:
            return  # no handshake, or it is over
        self._say_at_once()

    def close(self) -> None:
        """As ``Transport.close``; a session of a verified peer is kept for the next connection."""
        if self._held is not None and self.shown is not None:
            self._held.learn(self._tls)
            self._held = None
        super().close()

    def readable(self, seconds: float) -> bool:
        """As ``Transport.readable``."""
        return bool(self._tls.pending() or self._arrived.pending) or super().readable(seconds)

    def facts(self) -> dict[str, str]:
        """TLS version and suite, whether the session was resumed; of the peer's certificate digest, name and end."""
        cipher = self._tls.cipher()
        facts = {"transport": "tls", "version": self._tls.version() or "", "suite": cipher[0] if cipher else ""}
        facts["resumed"] = "yes" if self._tls.session_reused else "no"
        if self.certificate:
            from hashlib import sha256  # who only sends tells no facts: 0.4 MiB

            facts["certificate"] = f"SHA-256 {sha256(self.certificate).hexdigest()}"
        if self.shown is not None:
            facts["subject"] = self.shown.subject
            facts["valid_until"] = readable(self.shown.validity.not_after)
        return facts

    # --- inside --------------------------------------------------------------------------------

    def _until(self, call: Callable[[], _Result], deadline: float, wait: str) -> _Result:
        """Repeat ``call``, with more of the peer each time, until it is done."""
        while True:
            try:
                return call()
            except ssl.SSLWantReadError:
                pass
            except OSError as error:
                raise self._cut(error) from error
            self._deliver(deadline)
            self._take(super().read(deadline, wait))

    def _receive(self) -> bytes:
        try:
            return self._tls.read(self.read_bytes)
        except _ENDED:
            return b""

    def _decrypted(self) -> bytes | None:
        """Return what of the peer is here already, ``None`` when that is nothing."""
        try:
            return self._receive()
        except ssl.SSLWantReadError:
            return None
        except OSError as error:
            raise self._cut(error) from error

    def _take(self, raw: bytes) -> None:
        """Hand OpenSSL what the peer sent; nothing: the connection is at its end."""
        if raw:
            self._arrived.write(raw)
        else:
            self._arrived.write_eof()

    def _deliver(self, ends: float) -> None:
        """Send what OpenSSL has for the peer."""
        if self._leaving.pending:
            super().write(self._leaving.read(), ends)

    def _say_at_once(self) -> None:
        """Send the same if that can be done without waiting; never raises."""
        if self._leaving.pending:
            super().write_now(self._leaving.read())

    def _cut(self, error: OSError) -> Exception:
        self._say_at_once()  # an alert
        if isinstance(error, _CUT):
            error = self._late_alert() or error
            if isinstance(error, _CUT):
                return super()._cut(error)
        if isinstance(error, ssl.SSLError):
            return self._refused(error)
        return super()._cut(error)

    def _late_alert(self) -> OSError | None:
        """Return the alert that waits in front of a reset, if there is one: it says more."""
        try:
            self._take(self._socket.recv(self.read_bytes, socket.MSG_DONTWAIT))
            self._tls.read(self.read_bytes)
        except ssl.SSLWantReadError:
            return None
        except OSError as alert:
            return kept(alert)
        return None

    def _refused(self, error: OSError) -> TlsRefused:
        from agent.link.tls_watch import seen
        from agent.link.tls_words import refused

        chosen = self._tls.cipher() is not None
        return refused(error, self.name, self._settings, self._verified_name, seen(self._tls), chosen=chosen)


def start_client(
    sock: socket.socket,
    peer: Peer,
    held: Held,
    clock: Callable[[], float] = time.monotonic,
    cancelled: Callable[[], bool] = never,
    *,
    session: ssl.SSLSession | None = None,
) -> TlsTransport:
    """Shake hands as initiator over a connected socket, checking the configured name or the host.

    ``held`` has the context and gets the new session; ``session`` is to be resumed.
    """
    assert peer.tls is not None
    name = peer.tls.server_name or peer.host
    address = _address(sock, str(peer))
    ends = pipes(held.context, server_name=plain_name(name), session=session)
    until = clock() + peer.timeouts.tls_s
    try:
        return _shaken(
            TlsTransport(sock, str(peer), peer.timeouts, ends, peer.tls, name, clock, held), until, cancelled
        )
    except TlsRefused as error:
        if not isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise
        from agent.link.tls_words import refused

        shown = _look_again(sock.family, address, min(until, clock() + LOOK_S), clock, cancelled)
        raise refused(error.__cause__, str(peer), peer.tls, name, shown) from error.__cause__


def _look_again(
    family: int,
    address: object,
    until: float,
    clock: Callable[[], float],
    cancelled: Callable[[], bool],
) -> Certificate | None:
    """Return the certificate that the peer at ``address`` shows, whatever it is worth; None if that cannot be had."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(":".join((LOOK_LEVEL, *CIPHERS_TLS12)))
    try:
        with socket.socket(family) as sock:
            connect_socket(sock, address, until, clock, cancelled, LOOK_TICK_S)
            sock.settimeout(LOOK_TICK_S)
            with context.wrap_socket(sock, do_handshake_on_connect=False) as wrapped:
                while True:
                    try:
                        wrapped.do_handshake()
                    except TimeoutError:
                        if cancelled() or clock() >= until:
                            return None
                    else:
                        return read(wrapped.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError):
        return None


def start_server(
    sock: socket.socket,
    name: str,
    timeouts: Timeouts,
    settings: TlsSettings,
    context: ssl.SSLContext,
    clock: Callable[[], float] = time.monotonic,
) -> TlsTransport:
    """Shake hands as responder over an accepted socket; ``name`` says who called, for messages."""
    _address(sock, name)
    transport = TlsTransport(sock, name, timeouts, pipes(context), settings, "", clock)
    return _shaken(transport, clock() + timeouts.tls_s, never)


def _address(sock: socket.socket, name: str) -> object:
    """Return who is at the other end; a reset that came before the handshake is ``LinkClosed``."""
    try:
        return sock.getpeername()
    except OSError as error:
        raise LinkClosed(f"the connection with {name} was cut: {error.strerror or error}") from error


def _shaken(transport: TlsTransport, until: float, cancelled: Callable[[], bool]) -> TlsTransport:
    transport.cancelled = cancelled
    try:
        transport.handshake(until)
    except BaseException:
        transport.close()
        raise
    return transport
