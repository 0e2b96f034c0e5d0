"""A TLS connection with the methods and deadlines of ``transport.Transport``.

Kept apart because ``ssl`` costs 5 MiB that a site without TLS need not pay. The socket has Python's own time-out as its
tick: OpenSSL would loop in C on the kernel time-outs that the plain transport uses. One ``send`` hands OpenSSL
``WRITE_BYTES`` of the buffer; records of 16 KiB are made and waits for the socket are done in C, and after a tick the
same call is repeated and goes on where it was. So the wait ``write`` is for ``WRITE_BYTES`` here, a minimum rate of
2 KiB/s. Each record is a system call of OpenSSL's; corked (``TCP_CORK``), the kernel makes long segments of them, which
takes a fifth less of the processor.

``ssl`` does not show a certificate that it refuses. For the message ``start_client`` looks at it once more over
another connection, on which nothing is verified and nothing but the handshake is sent.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import contextmanager
from functools import partial

from agent.errors import LinkClosed, TlsRefused
from agent.link.certificate import read, readable
from agent.link.tls import CIPHERS_TLS12, TlsSettings, client_context, judge, judge_chain, server_context
from agent.link.transport import Transport, connect_socket, never, plain_name, tick_of
from agent.typed import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.link.certificate import Certificate
    from agent.link.peer import Peer, Timeouts
    from agent.link.sessions import Held

__all__ = ["TlsTransport", "client_context", "server_context", "start_client", "start_server"]

WRITE_BYTES = 1 << 17  # what must be taken within ``write_s``
RECORD_BYTES = 1 << 14  # of plain text in one record (RFC 8446 5.1)
LOOK_S = 2.0  # given to the second look at a certificate that was refused
LOOK_TICK_S = 0.1  # how late a stop is noticed there
LOOK_LEVEL = "@SECLEVEL=0"  # a key that is too weak is looked at as well

_Result = TypeVar("_Result")
# A peer that refuses our certificate in TLS 1.3 closes after its alert; what we wrote meanwhile ends as a reset.
_CUT: Final = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class TlsTransport(Transport):
    """A TLS connection; made by ``start_client`` or ``start_server``."""

    __slots__ = ("_held", "_settings", "_tls", "_verified_name", "certificate", "shown")

    batch_bytes = 1 << 18  # twice as much gains nothing that can be measured; memory is tighter with OpenSSL in it

    def __init__(
        self,
        sock: ssl.SSLSocket,
        name: str,
        timeouts: Timeouts,
        settings: TlsSettings,
        verified_name: str,
        clock: Callable[[], float] = time.monotonic,
        held: Held | None = None,
    ) -> None:
        self._tls = sock
        self._held = held  # who keeps the session of a connection that we opened
        self._settings = settings
        self._verified_name = verified_name
        self.certificate: bytes | None = None  # of the peer, DER, verified
        self.shown: Certificate | None = None  # what it says
        super().__init__(sock, name, timeouts, clock)

    def _prepare(self, timeouts: Timeouts) -> None:
        self._tls.settimeout(tick_of(timeouts))

    def handshake(self, deadline: float) -> None:
        """Do the TLS handshake (the wait named ``tls``); ``TlsRefused`` in words."""
        try:
            self._until(self._tls.do_handshake, deadline, "tls")
        except LinkClosed as error:
            if not isinstance(error.__cause__, OSError):
                raise  # nobody cut it: our own side gave up
            raise self._refused(error.__cause__) from error
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
        if not self.readable(0.0):
            return None
        try:
            return self._tls.recv(self.read_bytes)
        except TimeoutError:
            return None  # half a record
        except OSError as error:
            raise self._cut(error) from error

    def write(self, data: memoryview | bytes | bytearray, ends: float) -> None:
        """As ``Transport.write``; OpenSSL takes all of ``data`` or wants to be called again with the same."""
        view = memoryview(data)
        corked = len(view) > RECORD_BYTES
        if corked:  # whatever goes wrong before the end ends the connection
            self._cork(1)
        while view:
            by, wait = min((self._clock() + self._write_s, "write"), (ends, "association"))
            self._check(by, wait)
            self._until(partial(self._tls.send, view[:WRITE_BYTES]), by, wait)
            view = view[WRITE_BYTES:]
        if corked:
            self._cork(0)

    def _cork(self, value: int) -> None:
        try:
            self._tls.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, value)
        except OSError as error:
            raise self._cut(error) from error

    def write_now(self, data: bytes) -> None:
        """As ``Transport.write_now``."""
        try:
            self._tls.settimeout(0.0)
            self._tls.send(data)
        except OSError:
            return  # nobody listens any more

    def close(self) -> None:
        """As ``Transport.close``; a session of a verified peer is kept for the next connection."""
        if self._held is not None and self.shown is not None:
            self._held.learn(self._tls)
            self._held = None
        super().close()

    def readable(self, seconds: float) -> bool:
        """As ``Transport.readable``."""
        return bool(self._tls.pending()) or super().readable(seconds)

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

    def _receive(self) -> bytes:
        self._tls.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return self._tls.recv(self.read_bytes)

    def _until(self, call: Callable[[], _Result], deadline: float, wait: str) -> _Result:
        """Repeat ``call`` at each tick until it is done."""
        while True:
            try:
                return call()
            except TimeoutError:
                self._check(deadline, wait)
            except OSError as error:
                raise self._cut(error) from error

    def _cut(self, error: OSError) -> Exception:
        if isinstance(error, _CUT):
            try:  # an alert may wait in front of the reset and say more
                self._tls.recv(self.read_bytes)
            except TimeoutError:
                pass
            except OSError as alert:
                error = alert
            if isinstance(error, _CUT):
                return super()._cut(error)
        if isinstance(error, ssl.SSLError):
            return self._refused(error)
        return super()._cut(error)

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
    with _alive(sock, str(peer)):
        address = sock.getpeername()
        wrapped = held.context.wrap_socket(
            sock, server_hostname=plain_name(name), do_handshake_on_connect=False, session=session
        )
    until = clock() + peer.timeouts.tls_s
    try:
        return _shaken(wrapped, str(peer), peer.timeouts, peer.tls, name, clock, cancelled, held)
    except TlsRefused as error:
        cause = error.__cause__
        if not isinstance(cause, ssl.SSLCertVerificationError):
            raise
        from agent.link.tls_words import refused

        shown = _look_again(wrapped.family, address, min(until, clock() + LOOK_S), clock, cancelled)
        raise refused(cause, str(peer), peer.tls, name, shown) from cause


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
    with _alive(sock, name):
        wrapped = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
    return _shaken(wrapped, name, timeouts, settings, "", clock)


@contextmanager
def _alive(sock: socket.socket, name: str) -> Iterator[None]:
    """Turn a reset that came before the handshake into ``LinkClosed``; ``ssl`` looks for one too, but untidily."""
    try:
        sock.getpeername()
        yield
    except OSError as error:
        raise LinkClosed(f"the connection with {name} was cut: {error.strerror or error}") from error


def _shaken(
    wrapped: ssl.SSLSocket,
    name: str,
    timeouts: Timeouts,
    settings: TlsSettings,
    verified_name: str,
    clock: Callable[[], float],
    cancelled: Callable[[], bool] = never,
    held: Held | None = None,
) -> TlsTransport:
    try:
        transport = TlsTransport(wrapped, name, timeouts, settings, verified_name, clock, held)
        transport.cancelled = cancelled
        transport.handshake(clock() + timeouts.tls_s)
    except BaseException:
        wrapped.close()
        raise
    return transport
