"""The certificate of a caller who is about to be refused: to say which CA it is from, one must have seen it.

``ssl`` shows a certificate only once it is verified. A client calls again to look (``tls_transport``); a listener
cannot. ``SSLContext._msg_callback`` sees every handshake message; it is undocumented, in Python since 3.8. Without it
messages lack dates, names and issuer, and nothing else changes. It costs a quarter more CPU time per byte received, so
whoever receives images does without.
"""

from __future__ import annotations

import ssl

from agent.link.certificate import read
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.link.certificate import Certificate

_HANDSHAKE, _CERTIFICATE = 22, 11  # RFC 8446 4, B.3


class Watched(ssl.SSLObject):
    """A TLS connection that remembers the certificate its peer showed, DER; what it is worth is another question."""

    shown = b""


def watch(context: ssl.SSLContext) -> None:
    """Let the connections of ``context`` remember."""
    context.sslobject_class = Watched
    context._msg_callback = _note  # type: ignore[attr-defined]  # noqa: SLF001  see above


def seen(tls: ssl.SSLObject) -> Certificate | None:
    """Return what the peer of a watched connection showed, verified or not; None when that is nothing."""
    try:
        return read(tls.shown) if isinstance(tls, Watched) else None
    except ValueError:
        return None


def _note(tls: object, direction: str, version: int, content: int, message: int, data: bytes) -> None:
    if content == _HANDSHAKE and message == _CERTIFICATE and direction == "read" and isinstance(tls, Watched):
        tls.shown = leaf(data, tls13=version == ssl.TLSVersion.TLSv1_3)


def leaf(message: bytes, *, tls13: bool) -> bytes:
    """Return the first certificate of a Certificate message (RFC 5246 7.4.2, RFC 8446 4.4.2), b'' without one."""
    at = 4  # type and length of the message
    if tls13:
        at += 1 + int.from_bytes(message[at : at + 1], "big")  # its context
    at += 3  # length of the list
    size = int.from_bytes(message[at : at + 3], "big")
    return message[at + 3 : at + 3 + size]
