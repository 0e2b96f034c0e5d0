"""The validity of a certificate file, read from its DER without any library.

Python's ``ssl`` tells a certificate's dates only after it has verified it, which is too late to say *your own
certificate expired on that day*. The walk needs six DER headers (RFC 5280 4.1). Dates are compared as
``YYYYMMDDHHMMSSZ`` strings, which sort like the times they name. Raises ``ValueError`` for anything else than X.509.
"""

from __future__ import annotations

from typing import NamedTuple

_SEQUENCE, _CONTEXT_0, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
_UTC_PIVOT = "50"  # RFC 5280 4.1.2.5.1: two-digit years below 50 are 20xx


class Validity(NamedTuple):
    """First and last second of validity as ``YYYYMMDDHHMMSSZ`` (UTC)."""

    not_before: str
    not_after: str

    def problem(self, now: str) -> str:
        """Say in words why the certificate is not valid at ``now``, or nothing."""
        if now < self.not_before:
            return f"is not valid before {readable(self.not_before)} (this box's clock says {readable(now)})"
        if now > self.not_after:
            return f"expired on {readable(self.not_after)}"
        return ""


def readable(stamp: str) -> str:
    """``20270131235959Z`` as ``2027-01-31 23:59 UTC``."""
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]} {stamp[8:10]}:{stamp[10:12]} UTC"


def validity(der: bytes) -> Validity:
    """Dates of one DER certificate; ``ValueError`` when it is none."""
    _, start, _ = _element(der, 0, _SEQUENCE)  # Certificate
    _, position, _ = _element(der, start, _SEQUENCE)  # TBSCertificate
    if der[position : position + 1] == bytes([_CONTEXT_0]):  # version
        _, _, position = _element(der, position)
    for _ in range(3):  # serialNumber, signature, issuer
        _, _, position = _element(der, position)
    _, position, _ = _element(der, position, _SEQUENCE)  # Validity
    stamps = []
    for _ in range(2):
        tag, start, position = _element(der, position)
        stamps.append(_stamp(tag, der[start:position].decode("ascii")))
    return Validity(stamps[0], stamps[1])


def _stamp(tag: int, text: str) -> str:
    if tag == _UTC_TIME and len(text) == 13:
        return ("20" if text[:2] < _UTC_PIVOT else "19") + text
    if tag == _GENERALIZED_TIME and len(text) == 15:
        return text
    raise ValueError("certificate dates are neither UTCTime nor GeneralizedTime")


def _element(der: bytes, position: int, wanted: int | None = None) -> tuple[int, int, int]:
    """Tag, start and end of the value of the DER element at ``position``."""
    if position + 2 > len(der):
        raise ValueError("not a certificate")
    tag, length = der[position], der[position + 1]
    start = position + 2
    if length & 0x80:
        count = length & 0x7F
        length = int.from_bytes(der[start : start + count], "big")
        start += count
    if start + length > len(der) or wanted not in (None, tag):
        raise ValueError("not a certificate")
    return tag, start, start + length
