"""Certificates and revocation lists from PEM files (RFC 7468), without ``ssl``, which costs 5 MiB.

Raises ``ConfigError`` for files that cannot be read or do not hold what is wanted.
"""

from __future__ import annotations

import binascii

from agent.errors import ConfigError, PemError
from agent.link.certificate import Certificate, RevocationList, read, read_list
from agent.typed import Final

MOST_BYTES: Final = 1 << 20  # a thousand certificates
MOST_LIST_BYTES: Final = 1 << 26  # the lists of the largest CAs have ten million bytes


def read_text(path: str, what: str, most_bytes: int = MOST_BYTES) -> str:
    """Read a file of ``what``; ``ConfigError`` when that cannot be."""
    try:
        with open(path, encoding="latin-1") as file:
            text = file.read(most_bytes + 1)
    except OSError as error:
        raise PemError(f"{what} file {path} cannot be read: {error.strerror}") from error
    if len(text) > most_bytes:
        raise PemError(f"{what} file {path} is larger than {most_bytes >> 20} MiB")
    return text


def first_certificate(path: str) -> Certificate:
    """Read the first certificate of a PEM file, the one that the file is about; ``ConfigError``."""
    return certificates(path)[0]


def certificates(path: str) -> list[Certificate]:
    """Read every certificate of a PEM file; ``ConfigError`` when there is none."""
    try:
        found = [read(der) for der in _blocks(read_text(path, "certificate"), "CERTIFICATE")]
    except ValueError as error:
        raise PemError(f"certificate file {path}: {error}") from error
    if not found:
        raise PemError(f"certificate file {path} holds no certificate in PEM form")
    return found


def readable_certificates(path: str) -> list[Certificate]:
    """Read as ``certificates``, and nothing of a file that only OpenSSL understands."""
    try:
        return certificates(path)
    except ConfigError:
        return []


def revocation_lists(path: str) -> list[RevocationList]:
    """Read every list of a PEM file; ``ConfigError`` when there is none."""
    try:
        found = [read_list(der) for der in _blocks(read_text(path, "CRL", MOST_LIST_BYTES), "X509 CRL")]
    except ValueError as error:
        raise PemError(f"CRL file {path}: {error}") from error
    if not found:
        raise PemError(f"CRL file {path} holds no revocation list (CRL) in PEM form")
    return found


def _blocks(text: str, label: str) -> list[bytes]:
    """Decode every PEM block with ``label``; ``ValueError`` for one that is damaged."""
    head, foot = f"-----BEGIN {label}-----", f"-----END {label}-----"
    return [binascii.a2b_base64(part.partition(foot)[0]) for part in text.split(head)[1:]]
