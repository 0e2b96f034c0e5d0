"""One TCP or TLS connection with deadlines, and without the 40 ms stalls.

*Stalls.* ``TCP_NODELAY`` keeps our small writes from waiting. The peer's waits are ours to cure as well: stock
archives answer in two small writes, the second of which waits until we acknowledge the first, and Linux delays that
acknowledgement by 40 ms unless ``TCP_QUICKACK`` is set. It is not sticky, so it is set again before every read that
may block, under TLS too, where the option belongs to the socket beneath.

*Deadlines.* The socket stays in blocking mode with short kernel time-outs (``SO_RCVTIMEO``, ``SO_SNDTIMEO``): one
system call per read or write, and at each tick the deadline is looked at. ``write`` is a wait for *progress*, at
least at ``MINIMUM_RATE_BYTES_PER_S``; everything else is absolute. ``tls_transport`` does the same over TLS.

Raises ``ConnectFailed``, ``LinkTimeout`` (names the wait), ``LinkClosed`` (cut in the middle), ``TlsRefused``.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time

from agent.errors import ConnectFailed, LinkClosed, LinkTimeout, TlsRefused, kept
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.link.peer import Peer, Timeouts

READ_BYTES = 1 << 14  # as much as one read may bring: a response is far smaller
BULK_READ_BYTES = 1 << 17  # for who receives instances
LONGEST_TICK_S = 1.0  # how late a deadline may be noticed
SHORTEST_TICK_S = 0.02
# A peer that takes a byte now and then would hold a sender for ever. The slowest line of a mobile unit is ten times
# faster; over ``write_s``, so that an archive may pause to flush its disk.
MINIMUM_RATE_BYTES_PER_S = 1024

_RESET = struct.pack("@ii", 1, 0)  # SO_LINGER of no time: close() resets

_WAITS = {
    "connect": "TCP connection",
    "tls": "end of the TLS handshake",
    "associate": "answer to the association request",
    "write": "progress in sending",
    "response": "response",
    "release": "answer to the release request",
    "pdu": "end of a PDU that had begun",
    "idle": "message",
    "artim": "association request or close",
    "association": "end of the association",
}


def never() -> bool:
    """Return False: nobody cancels."""
    return False


class Transport:
    """A connected plain TCP socket; ``TlsTransport`` has the same methods."""

    __slots__ = ("_clock", "_socket", "_write_s", "cancelled", "name", "read_bytes")

    batch_bytes = 1 << 20  # what one write should bring: four times less costs 3 %, four times more gains nothing

    def __init__(
        self, sock: socket.socket, name: str, timeouts: Timeouts, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._socket = sock
        self._clock = clock
        self._write_s = timeouts.write_s
        self.name = name
        self.read_bytes = READ_BYTES
        self.cancelled: Callable[[], bool] = never  # asked at each tick; True ends the wait with LinkClosed
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._prepare(timeouts)

    def _prepare(self, timeouts: Timeouts) -> None:
        tick = tick_of(timeouts)
        interval = struct.pack("@ll", int(tick), int(tick % 1 * 1e6))
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, interval)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, interval)

    def read(self, deadline: float, wait: str) -> bytes:
        """Return what the peer sent, ``b""`` when it closed; ``LinkTimeout`` names ``wait`` after ``deadline``."""
        sock = self._socket
        self._check(deadline, wait)  # also when bytes keep coming: a drip is no progress
        while True:
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                return sock.recv(self.read_bytes)
            except BlockingIOError:
                self._check(deadline, wait)
            except OSError as error:
                raise self._cut(error) from error

    def poll(self) -> bytes | None:
        """Return what can be read without waiting, ``None`` when nothing can."""
        try:
            return self._socket.recv(self.read_bytes, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._cut(error) from error

    def write(self, data: memoryview | bytes | bytearray, ends: float) -> None:
        """Send all of ``data``; ``LinkTimeout`` at ``ends``, the end of the association, or when the peer is too slow.

        The peer has ``write_s`` to go on; each byte it takes gives it time at the minimum rate back, up to ``write_s``.
        """
        view = memoryview(data)
        by = self._clock() + self._write_s
        while view:
            try:
                self._check(*min((by, "write"), (ends, "association")))
            except LinkTimeout:
                # What it does not take goes with the connection; the kernel would keep and offer it for minutes.
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                raise
            try:
                taken = self._socket.send(view)
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._cut(error) from error
            view = view[taken:]
            by = min(by + taken / MINIMUM_RATE_BYTES_PER_S, self._clock() + self._write_s)

    def write_now(self, data: bytes) -> None:
        """Send ``data`` if it can be sent without waiting; for the last words to a peer. Never raises."""
        try:
            self._socket.send(data, socket.MSG_DONTWAIT)
        except OSError:
            return  # nobody listens any more

    def interrupt(self) -> None:
        """End whatever another thread waits for here; it gets ``LinkClosed`` or the end of the stream."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # already gone

    def close(self) -> None:
        """Close the connection; never waits, never raises."""
        self._socket.close()

    def facts(self) -> dict[str, str]:
        """Tell what a flight recorder notes about this connection."""
        return {"transport": "tcp"}

    def readable(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for something to read (or an end); nothing is read."""
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except OSError as error:
            raise self._cut(error) from error
        return ready(self._socket, select.POLLIN, seconds)

    def _check(self, deadline: float, wait: str) -> None:
        if self.cancelled():
            raise stopped(self.name)
        if self._clock() >= deadline:
            raise timed_out(wait, self.name)

    def _cut(self, error: OSError) -> Exception:
        return LinkClosed(f"the connection with {self.name} was cut: {error.strerror or error}")


def tick_of(timeouts: Timeouts) -> float:
    """Return how often a wait looks up, in seconds: a quarter of the shortest one, within bounds."""
    shortest = min(timeouts.response_s, timeouts.write_s, timeouts.associate_s, timeouts.pdu_s, timeouts.idle_s)
    return min(LONGEST_TICK_S, max(SHORTEST_TICK_S, shortest / 4))


def stopped(name: str) -> LinkClosed:
    """Make the error of a wait that our own side gave up."""
    return LinkClosed(f"{name}: the agent is stopping", hint="Nothing is wrong; the agent goes on at its next start.")


def timed_out(wait: str, name: str) -> LinkTimeout:
    """Make the error of the wait that ran out; it names the wait, so that the technician finds the limit."""
    return LinkTimeout(f"{name}: no {_WAITS.get(wait, wait)} in time (wait '{wait}')")


def connect(
    peer: Peer, clock: Callable[[], float] = time.monotonic, cancelled: Callable[[], bool] = never
) -> Transport:
    """Open the connection to ``peer``, over TLS when its settings say so; tries each address of the host in turn.

    ``cancelled`` is asked about once a second while anything is waited for, also later; True ends the wait.
    """
    if peer.tls is not None:
        return _connect_tls(peer, clock, cancelled)
    sock = _open(peer, clock, cancelled)
    transport = Transport(sock, str(peer), peer.timeouts, clock)
    transport.cancelled = cancelled
    return transport


def _connect_tls(peer: Peer, clock: Callable[[], float], cancelled: Callable[[], bool]) -> Transport:
    """Connect over TLS, with the session of the last time where there is one; a peer that chokes on it gets none."""
    from agent.link import sessions, tls_transport

    held = sessions.take(peer)  # a missing file is told before the network is touched
    session = held.borrow()
    while True:
        sock = _open(peer, clock, cancelled)
        try:
            return tls_transport.start_client(sock, peer, held, clock, cancelled, session=session)
        except (TlsRefused, LinkClosed):
            sock.close()
            if session is None or cancelled():
                raise
            session = None
            held.give_up()
        except BaseException:
            sock.close()
            raise


def plain_name(host: str) -> bytes | str:
    """Return an ASCII host name as bytes; only another one needs the IDNA codec."""
    return host.encode("ascii") if host.isascii() else host


def _open(peer: Peer, clock: Callable[[], float], cancelled: Callable[[], bool]) -> socket.socket:
    deadline = clock() + peer.timeouts.connect_s
    try:
        # Bytes, because a name given as text would load the IDNA codec and its half megabyte of tables.
        addresses = socket.getaddrinfo(plain_name(peer.host), peer.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        hint = "Is it spelled right? 'modality-agent network' shows the name servers of this box."
        raise ConnectFailed(f"{peer}: the host name is not known: {why}", hint=hint) from error
    problem: OSError | None = None
    for family, kind, protocol, _, address in addresses:
        sock = socket.socket(family, kind, protocol)
        try:
            connect_socket(sock, address, deadline, clock, cancelled)
        except BlockingIOError:
            sock.close()
            raise (stopped if cancelled() else _connect_timed_out)(str(peer)) from None
        except OSError as error:
            sock.close()
            problem = kept(error)
        else:
            return sock
    if isinstance(problem, ConnectionRefusedError):
        raise ConnectFailed(f"{peer}: nothing listens on this port") from problem
    if isinstance(problem, TimeoutError):  # the kernel's own, ETIMEDOUT
        raise _connect_timed_out(str(peer)) from problem
    raise ConnectFailed(f"{peer}: {problem.strerror if problem else 'no address'}") from problem


def _connect_timed_out(name: str) -> LinkTimeout:
    return timed_out("connect", name)


def connect_socket(
    sock: socket.socket,
    address: object,
    deadline: float,
    clock: Callable[[], float],
    cancelled: Callable[[], bool],
    tick_s: float = LONGEST_TICK_S,
) -> None:
    """Connect within the deadline, looking up at each tick; ``BlockingIOError`` when given up."""
    sock.settimeout(0.0)
    status = sock.connect_ex(address)  # type: ignore[arg-type] # whatever getaddrinfo says the family wants
    while status == errno.EINPROGRESS:
        tick = min(tick_s, max(0.0, deadline - clock()))
        if not tick or cancelled():
            raise BlockingIOError(status, "connect given up")
        if ready(sock, select.POLLOUT, tick):
            status = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if status:
        raise OSError(status, os.strerror(status))


def ready(sock: socket.socket, events: int, seconds: float) -> bool:
    """Wait up to ``seconds`` until ``sock`` is ready for ``events`` (``select.POLLIN``, ``select.POLLOUT``)."""
    poll = select.poll()
    poll.register(sock, events)
    return bool(poll.poll(max(0, int(seconds * 1000))))
