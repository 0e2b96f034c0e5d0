"""A TLS connection with the methods and deadlines of ``transport.Transport``.

Kept apart because ``ssl`` costs 5 MiB that a site without TLS need not pay. The socket is non-blocking with ``poll``:
OpenSSL would loop in C on the kernel time-outs that the plain transport uses. One ``send`` hands OpenSSL the whole
buffer, which it turns into records of 16 KiB without coming back to Python.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from typing import TYPE_CHECKING, Final, TypeVar

from agent.errors import LinkClosed
from agent.link.tls import TlsSettings, client_context, refused, server_context
from agent.link.transport import LONGEST_TICK_S, Transport, plain_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.link.peer import Peer, Timeouts

__all__ = ["TlsTransport", "client_context", "server_context", "start_client", "start_server"]

_Result = TypeVar("_Result")
# A peer that refuses our certificate in TLS 1.3 closes after its alert; what we wrote meanwhile ends as a reset.
_CUT: Final = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class TlsTransport(Transport):
    """A TLS connection; made by ``start_client`` or ``start_server``."""

    __slots__ = ("_poll_read", "_poll_write", "_settings", "_tls", "_verified_name")

    batch_bytes = 1 << 17  # OpenSSL cuts it into records of 16 KiB anyway; memory is tighter with OpenSSL in it

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

    def _prepare(self, timeouts: Timeouts) -> None:  # noqa: ARG002 - the plain transport derives its tick from them
        self._tls.settimeout(0.0)
        self._poll_read, self._poll_write = select.poll(), select.poll()
        self._poll_read.register(self._tls, select.POLLIN)
        self._poll_write.register(self._tls, select.POLLOUT)

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
        try:
            return self._tls.recv(self.read_bytes)
        except ssl.SSLWantReadError:
            return None
        except OSError as error:
            raise self._cut(error) from error

    def write(self, data: memoryview | bytes | bytearray) -> None:
        """As ``Transport.write``; OpenSSL takes all of ``data`` or wants to be called again with the same."""
        if data:
            self._until(lambda: self._tls.send(data), None, "write")

    def write_now(self, data: bytes) -> None:
        """As ``Transport.write_now``."""
        try:
            self._tls.send(data)
        except OSError:
            return  # nobody listens any more

    def readable(self, seconds: float) -> bool:
        """As ``Transport.readable``."""
        return bool(self._tls.pending()) or super().readable(seconds)

    def facts(self) -> dict[str, str]:
        """TLS version and suite."""
        cipher = self._tls.cipher()
        return {"transport": "tls", "version": self._tls.version() or "", "suite": cipher[0] if cipher else ""}

    def _receive(self) -> bytes:
        self._tls.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return self._tls.recv(self.read_bytes)

    def _until(self, call: Callable[[], _Result], deadline: float | None, wait: str) -> _Result:
        """Repeat ``call`` as OpenSSL asks for more; without a ``deadline`` each step has ``write_s``."""
        while True:
            try:
                return call()
            except ssl.SSLWantReadError:
                ready = self._poll_read
            except ssl.SSLWantWriteError:
                ready = self._poll_write
            except OSError as error:
                raise self._cut(error) from error
            self._wait(ready, deadline, wait)

    def _wait(self, ready: select.poll, deadline: float | None, wait: str) -> None:
        ends = self._clock() + self._write_s if deadline is None else deadline
        while not ready.poll(max(1, int(min(LONGEST_TICK_S, ends - self._clock()) * 1000))):
            self._check(ends, wait)

    def _cut(self, error: OSError) -> Exception:
        if isinstance(error, _CUT):
            try:  # an alert may wait in front of the reset and say more
                self._tls.recv(self.read_bytes)
            except OSError as alert:
                error = error if isinstance(alert, ssl.SSLWantReadError) else alert
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
    sock.settimeout(0.0)
    wrapped = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
    return _shaken(wrapped, name, timeouts, settings, "", clock)


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
