"""A TLS connection with the methods and deadlines of ``transport.Transport``.

Kept apart because ``ssl`` costs 5 MiB that a site without TLS need not pay. The socket has Python's own time-out as its
tick: OpenSSL would loop in C on the kernel time-outs that the plain transport uses. One ``send`` hands OpenSSL
``WRITE_BYTES`` of the buffer; records of 16 KiB are made and waits for the socket are done in C, and after a tick the
same call is repeated and goes on where it was. So the wait ``write`` is for ``WRITE_BYTES`` here, a minimum rate of
2 KiB/s.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeVar

from agent.errors import LinkClosed
from agent.link.certificate import readable, validity
from agent.link.tls import TlsSettings, client_context, refused, server_context
from agent.link.transport import Transport, plain_name, tick_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.link.peer import Peer, Timeouts

__all__ = ["TlsTransport", "client_context", "server_context", "start_client", "start_server"]

WRITE_BYTES = 1 << 17  # what must be taken within ``write_s``

_Result = TypeVar("_Result")
# A peer that refuses our certificate in TLS 1.3 closes after its alert; what we wrote meanwhile ends as a reset.
_CUT: Final = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class TlsTransport(Transport):
    """A TLS connection; made by ``start_client`` or ``start_server``."""

    __slots__ = ("_settings", "_tls", "_verified_name")

    batch_bytes = 1 << 18  # twice as much gains nothing that can be measured; memory is tighter with OpenSSL in it

    def __init__(
        self,
        sock: ssl.SSLSocket,
        name: str,
        timeouts: Timeouts,
        settings: TlsSettings,
        verified_name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tls = sock
        self._settings = settings
        self._verified_name = verified_name
        super().__init__(sock, name, timeouts, clock)

    def _prepare(self, timeouts: Timeouts) -> None:
        self._tls.settimeout(tick_of(timeouts))

    def handshake(self, deadline: float) -> None:
        """Do the TLS handshake (the wait named ``tls``); ``TlsRefused`` in words."""
        try:
            self._until(self._tls.do_handshake, deadline, "tls")
        except LinkClosed as error:
            cause = error.__cause__ if isinstance(error.__cause__, OSError) else OSError()
            raise refused(cause, self.name, self._settings, self._verified_name) from error

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
        while view:
            by, wait = min((self._clock() + self._write_s, "write"), (ends, "association"))
            self._check(by, wait)
            self._until(partial(self._tls.send, view[:WRITE_BYTES]), by, wait)
            view = view[WRITE_BYTES:]

    def write_now(self, data: bytes) -> None:
        """As ``Transport.write_now``."""
        try:
            self._tls.settimeout(0.0)
            self._tls.send(data)
        except OSError:
            return  # nobody listens any more

    def readable(self, seconds: float) -> bool:
        """As ``Transport.readable``."""
        return bool(self._tls.pending()) or super().readable(seconds)

    def facts(self) -> dict[str, str]:
        """TLS version and suite; of the peer's certificate the digest and the end."""
        cipher = self._tls.cipher()
        facts = {"transport": "tls", "version": self._tls.version() or "", "suite": cipher[0] if cipher else ""}
        der = self._tls.getpeercert(binary_form=True)
        if der:
            facts["certificate"] = f"SHA-256 {sha256(der).hexdigest()}"
            with suppress(ValueError):  # OpenSSL took it: a date that we cannot read ends no association
                facts["valid_until"] = readable(validity(der).not_after)
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
            return refused(error, self.name, self._settings, self._verified_name)
        return super()._cut(error)


def start_client(
    sock: socket.socket, peer: Peer, context: ssl.SSLContext, clock: Callable[[], float] = time.monotonic
) -> TlsTransport:
    """Shake hands as initiator over a connected socket, checking the configured name or the host."""
    assert peer.tls is not None
    name = peer.tls.server_name or peer.host
    with _alive(sock, str(peer)):
        wrapped = context.wrap_socket(sock, server_hostname=plain_name(name), do_handshake_on_connect=False)
    return _shaken(wrapped, str(peer), peer.timeouts, peer.tls, name, clock)


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
) -> TlsTransport:
    try:
        transport = TlsTransport(wrapped, name, timeouts, settings, verified_name, clock)
        transport.handshake(clock() + timeouts.tls_s)
    except BaseException:
        wrapped.close()
        raise
    return transport
