"""What this process can speak of TLS, read from a ClientHello of its own, and which profiles that keeps.

Python's ``ssl`` tells the suites of a context, but neither groups nor signatures; OpenSSL takes those, and the suites
of TLS 1.3, from its configuration (``OPENSSL_CONF``), for both sides alike. The ClientHello has all (RFC 8446 4.1.2).
"""

from __future__ import annotations

import ssl
from contextlib import suppress

from agent.link.tls import CIPHERS_TLS12, permit
from agent.typed import Final, NamedTuple

# PS3.15 Table B.13-3: all five are demanded of a server, one of a client.
SUITES_TLS13: Final = (
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_128_CCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
)
# ECDSA, RSASSA-PKCS1-v1_5 and RSASSA-PSS with SHA-256 and stronger (Table B.13-1); numbers of RFC 8446 4.2.3.
SIGNATURES: Final = frozenset((0x403, 0x503, 0x603, 0x401, 0x501, 0x601, *range(0x804, 0x807), *range(0x809, 0x80C)))
# ECDHE of 256 bits and more with Brainpool, DHE of 2048 bits and more; numbers of RFC 8446 4.2.7 and RFC 8734.
GROUPS: Final = frozenset((29, 23, 30, 25, 24, *range(26, 29), *range(31, 34), *range(0x100, 0x105)))
_GROUPS, _SIGNATURES = 10, 13  # extensions


class Offer(NamedTuple):
    """Suites by OpenSSL's names; groups and signatures by their numbers."""

    suites: tuple[str, ...]
    groups: tuple[int, ...]
    signatures: tuple[int, ...]


def offer() -> Offer:
    """Return what a context of ours offers in this process."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    permit(context)
    out = ssl.MemoryBIO()
    hello = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="x")
    with suppress(ssl.SSLWantReadError):  # it has spoken and waits for an answer
        hello.do_handshake()
    found = _extensions(out.read())
    suites = tuple(suite["name"] for suite in context.get_ciphers())
    return Offer(suites, _numbers(found.get(_GROUPS, b"")), _numbers(found.get(_SIGNATURES, b"")))


def shortfalls(what: Offer, *, server: bool) -> list[str]:
    """Say what of PS3.15 B.13 is not kept, nothing when all is; B.12 is kept in any case."""
    told = []
    missing = [name for name in (*SUITES_TLS13, *CIPHERS_TLS12) if name not in what.suites]
    if server and missing:
        told.append(f"a server must have {', '.join(missing)}")
    for name, numbers, permitted in (("signatures", what.signatures, SIGNATURES), ("groups", what.groups, GROUPS)):
        beyond = [f"{number:04X}" for number in numbers if number not in permitted]
        if beyond:
            told.append(f"{name} that it does not permit: {', '.join(beyond)}")
    return told


def _extensions(record: bytes) -> dict[int, bytes]:
    """Return the extensions of the ClientHello in one TLS record."""
    at = 5 + 4 + 2 + 32  # heads of record and message, version, random
    at += 1 + record[at]  # session
    at += 2 + int.from_bytes(record[at : at + 2], "big")  # suites
    at += 1 + record[at] + 2  # compression, length of the extensions
    found = {}
    while at < len(record):
        size = int.from_bytes(record[at + 2 : at + 4], "big")
        found[int.from_bytes(record[at : at + 2], "big")] = record[at + 4 : at + 4 + size]
        at += 4 + size
    return found


def _numbers(listed: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(listed[at : at + 2], "big") for at in range(2, len(listed), 2))
