"""Who we are to a peer: User Identity of the A-ASSOCIATE-RQ, and whether the peer confirms it (PS3.7 D.3.3.7).

What proves it is in a file that is read for each association, because tickets and tokens are renewed by something else.
It never enters a message, a log or a flight record. An acceptor that knows no user identity accepts silently: only a
positive response, asked for and given, is proof (D.3.3.7.1).
Raises ``ConfigError`` for a file that cannot be used, ``UserNotConfirmed``.
"""

from __future__ import annotations

import os

from agent.errors import ConfigError, UserNotConfirmed
from agent.typed import TYPE_CHECKING, Final, NamedTuple
from agent.ul.reasons import SOURCE_ACSE
from agent.ul.user import UserIdentity

if TYPE_CHECKING:
    from agent.errors import AssociationRejected
    from agent.ul.pdu import AssociateAccept

USERNAME: Final = 1
PASSCODE: Final = 2
JWT: Final = 5
KINDS: Final = {1: "user name", 2: "user name and passcode", 3: "Kerberos ticket", 4: "SAML assertion", 5: "JWT"}
MOST_BYTES: Final = 0xFFFF  # the length of a field has 16 bits
SHARED_BITS: Final = 0o066  # others can read or replace it; execution bits are harmless
_KEY: Final = b"PRIVATE KEY-----"  # who may name a file here need not be one who may take keys off the box
SHARED: Final = "only the agent's own user may read or write what proves who it is"


class User(NamedTuple):
    """A user as configured: User Identity Type, name (types 1 and 2), file of the rest, and what is asked for."""

    kind: int
    name: str = ""
    file: str = ""
    response: bool = False
    in_clear: bool = False

    def __str__(self) -> str:
        return f"user '{self.name}'" if self.name else f"user of the {KINDS[self.kind]} in {self.file}"


def identity_of(user: User, *, encrypted: bool) -> UserIdentity:
    """Return what the request says of ``user``; ``ConfigError`` when the connection is not fit for that."""
    if user.kind != USERNAME and not (encrypted or user.in_clear):
        raise ConfigError(f"a {KINDS[user.kind]} is not sent over a connection without TLS")
    name = user.name.encode()
    secret = secret_of(user.kind, user.file) if user.file else b""
    primary, secondary = (name, secret) if user.kind in (USERNAME, PASSCODE) else (secret, b"")
    return UserIdentity(user.kind, primary, secondary, user.response)


def check_answer(user: User, accept: AssociateAccept, peer: str) -> None:
    """Raise ``UserNotConfirmed`` when a confirmation was asked for and is not in the answer."""
    if user.response and accept.user.identity_response is None:
        raise UserNotConfirmed(f"{peer} does not confirm the {user}")


def explain_reject(user: User, error: AssociationRejected) -> None:
    """Let a rejection that may be about the user say so: by the ACSE, no reason given (D.3.3.7.3).

    It should be permanent; pynetdicom says transient.
    """
    if (error.source, error.reason) == (SOURCE_ACSE, 1):
        error.hint = f"The peer may not know the {user}, or not accept what proves it; its log says which."


def secret_of(kind: int, path: str) -> bytes:
    """Return what a file holds that proves a user of ``kind``; ``ConfigError`` also where others may read it."""
    try:
        with open(path, "rb") as file:
            mode, data = os.fstat(file.fileno()).st_mode & 0o777, file.read(MOST_BYTES + 2)
    except OSError as error:
        raise ConfigError(f"{KINDS[kind]} file {path} cannot be read: {error.strerror}") from None
    if mode & SHARED_BITS:
        raise ConfigError(f"{path} is open to group or others (mode {mode:04o}); {SHARED}", hint=f"chmod 600 {path}")
    if _KEY in data:
        raise ConfigError(f"{path} is a private key, which is shown to nobody; no {KINDS[kind]} is in it")
    if kind in (PASSCODE, JWT):  # text, as an editor writes it
        data = data.rstrip(b"\r\n")
    if not data:
        raise ConfigError(f"{KINDS[kind]} file {path} is empty")
    if len(data) > MOST_BYTES:
        raise ConfigError(f"{path} has {len(data)} bytes; an association carries {MOST_BYTES} at most")
    return data
