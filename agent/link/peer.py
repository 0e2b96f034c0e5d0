"""Who is at the other end, and how long each step may take.

A peer is addressed as people write it in tickets: ``AET@HOST:PORT``. The waits have names because a technician must
be able to say which one ran out: ``connect``, ``tls``, ``associate``, ``write``, ``response``, ``release``. Each is
a deadline for the whole step, never for one ``recv``: a peer that drips one byte every second makes progress for
every per-read timeout and for none of these. Raises ``UsageError`` for an address that cannot be one.
"""

from __future__ import annotations

from agent.errors import UsageError
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agent.link.pace import Pace
    from agent.link.tls import TlsSettings
    from agent.link.user_identity import User

AE_TITLE_LIMIT = 16  # PS3.8 9.3.2: a fixed field of 16 characters
DEFAULT_CALLING_AE = "MODALITY_AGENT"


class Timeouts(NamedTuple):
    """The named waits, in seconds; defaults suit a hospital network with a slow archive."""

    connect_s: float = 10.0
    tls_s: float = 10.0
    associate_s: float = 30.0  # A-ASSOCIATE-RQ sent to -AC or -RJ complete
    write_s: float = 60.0  # without progress, or with less than a minimum rate
    response_s: float = 120.0  # request complete to response complete; archives can be slow
    release_s: float = 10.0
    pdu_s: float = 30.0  # first to last byte of one PDU the peer sends
    idle_s: float = 30.0  # an accepted association without a message
    artim_s: float = 30.0  # PS3.8 9.1.5
    association_s: float = 3600.0  # nothing lasts longer, however busy


class Peer(NamedTuple):
    """A remote Application Entity and how to reach it."""

    called_ae: str
    host: str
    port: int
    calling_ae: str = DEFAULT_CALLING_AE
    tls: TlsSettings | None = None
    timeouts: Timeouts = Timeouts()
    pace: Pace | None = None  # of all associations with it together
    user: User | None = None  # who we are to it
    operations: int = 1  # C-STORE requests under way at once, if it grants a window; 1: none is proposed

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.called_ae}@{host}:{self.port}"


def parse_peer(text: str) -> Peer:
    """Read ``AET@HOST:PORT`` (``AET@[IPv6]:PORT``); ``UsageError`` says what is wrong with it."""
    title, at, address = text.partition("@")
    host, colon, port = address.rpartition(":")
    if not (at and colon and host and port):
        raise UsageError(f"'{text}' is not AET@HOST:PORT", hint="Write for example ARCHIVE@10.0.0.5:11112.")
    problem = ae_title_problem(title)
    if problem:
        raise UsageError(f"AE Title '{title}' {problem}")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"port '{port}' is not a number from 1 to 65535")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise UsageError(f"'{host}' needs brackets: AET@[{host}]:{port}")
    return Peer(title, host, int(port))


def ae_title_problem(title: str) -> str:
    """Say what forbids ``title`` as AE Title (PS3.5 6.2, PS3.8 9.3.2), or nothing."""
    if not title.strip(" "):
        return "is empty"
    if len(title) > AE_TITLE_LIMIT:
        return f"is longer than {AE_TITLE_LIMIT} characters"
    if any(not " " <= character <= "~" or character == "\\" for character in title):
        return "holds a character that no AE Title may hold"
    return ""
