"""What is kept of a peer between two TLS connections: the context, and the session that spares the second handshake.

A resumed session shows no certificate again, so OpenSSL verifies nothing: what was found out the first time counts. It
may count only as long as nothing could be found out otherwise. So both are dropped, and the next handshake is a whole
one, when a file of the settings has changed (a reload, a new list), when our certificate, a CA of ours or a revocation
list has ended, when the clock was set back, and after ``LIFE_S`` in any case, counted from the last whole handshake.
Dates and limits of the peer's certificate are judged on every connection (``tls.judge``).

One process-wide table, because associations of one destination are opened at several places; bounded, newest kept.
"""

from __future__ import annotations

import os
import ssl
import time
from _thread import allocate_lock  # ``threading`` is 0.2 MiB that who sends needs for nothing else

from agent.link.pem import readable_certificates, revocation_lists
from agent.link.tls import TlsSettings, client_context, now_stamp
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.link.peer import Peer

LIFE_S: Final = 3600.0
KEPT: Final = 64  # twice the destinations that a configuration may have

_Key = tuple[str, int, TlsSettings]
_lock = allocate_lock()
_kept: dict[_Key, Held] = {}


class Held:
    """The context for one peer, and its last session; safe to use from several threads."""

    __slots__ = ("_ends", "_made", "_session", "_stamps", "_wanted", "context")

    def __init__(self, settings: TlsSettings, now: float) -> None:
        self._stamps = stamps(settings)  # before they are read: a change in between is noticed next time
        self.context = client_context(settings)
        self._session: ssl.SSLSession | None = None
        self._wanted = True
        self._made = now
        self._ends = _end(settings)

    def good(self, settings: TlsSettings, now: float) -> bool:
        """Whether nothing has changed that a handshake depends on."""
        young = self._made <= now < self._made + LIFE_S
        return young and now_stamp() < self._ends and self._stamps == stamps(settings)

    def borrow(self) -> ssl.SSLSession | None:
        """Return the session to resume, once: a ticket is not shown twice (RFC 8446 C.4)."""
        session, self._session = self._session, None
        return session

    def give_up(self) -> None:
        """Resume nothing with this peer: it breaks the handshake off instead of asking for a whole one."""
        self._session, self._wanted = None, False

    def learn(self, tls: ssl.SSLObject) -> None:
        """Keep the session of a connection that is about to be closed, if it can be resumed."""
        try:
            session = tls.session
        except (OSError, ValueError):
            return  # never came about
        if self._wanted and session is not None and (session.has_ticket or tls.version() == "TLSv1.2"):
            self._session = session


def take(peer: Peer, wall: Callable[[], float] = time.time) -> Held:
    """Return what is kept for ``peer``, made anew where that is due; raises what ``client_context`` raises."""
    assert peer.tls is not None
    key, now = (peer.host, peer.port, peer.tls), wall()
    with _lock:
        held = _kept.pop(key, None)
    if held is None or not held.good(peer.tls, now):
        held = Held(peer.tls, now)
    with _lock:
        _kept[key] = held
        while len(_kept) > KEPT:
            del _kept[next(iter(_kept))]
    return held


def stamps(settings: TlsSettings) -> tuple[object, ...]:
    """Return what changes when one of the files does."""
    found = []
    for path in (settings.ca_file, settings.certificate_file, settings.key_file, settings.crl_file):
        try:
            at = os.stat(path) if path else None
        except OSError:
            at = None  # who reads it says what is wrong
        found.append(at and (at.st_mtime_ns, at.st_size, at.st_ino))
    return tuple(found)


def _end(settings: TlsSettings) -> str:
    """Return when the first of our files ends that has not ended yet, as certificates write it."""
    now = now_stamp()
    ends = [one.validity.not_after for one in readable_certificates(settings.ca_file)]
    if settings.certificate_file:
        ends += [one.validity.not_after for one in readable_certificates(settings.certificate_file)]
    if settings.crl_file:
        ends += [one.next_update for one in revocation_lists(settings.crl_file)]
    return min((end for end in ends if end > now), default=now)
