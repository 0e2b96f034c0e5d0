"""What a certificate or a revocation list (CRL) says, read from its DER without any library.

Python's ``ssl`` tells of a certificate only after it has verified it, which is too late to say *your own certificate
expired on that day*, and of a CRL nothing at all. RFC 5280 4.1 and 5.1: a handful of DER headers. Dates are compared as
``YYYYMMDDHHMMSSZ`` strings, which sort like the times they name.

``weakness`` holds a certificate to PS3.15 Table B.13-1 (RSA 2048 bits, ECC 256 bits, SHA-256), which is stricter than
OpenSSL's security level 2: that lets 224-bit curves and SHA-224 pass.
Raises ``ValueError`` for anything else than X.509.
"""

from __future__ import annotations

import socket

from agent.link.der import SEQUENCE, children, element
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.link.der import Element

_CONTEXT_0, _UTC_TIME, _GENERALIZED_TIME = 0xA0, 0x17, 0x18
_INTEGER, _OID, _CONTEXT_3 = 0x02, 0x06, 0xA3
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87  # GeneralName (RFC 5280 4.2.1.6)
_COMMON_NAME, _SUBJECT_ALT_NAME = b"\x55\x04\x03", b"\x55\x1d\x11"
_RSA = bytes.fromhex("2a864886f70d01")  # 1.2.840.113549.1, of keys and signatures
_EC_KEY, _ECDSA = bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce3d04")
# A curve is measured by its uncompressed point: 1 + 2 * bytes of the field (RFC 5480 2.2).
_LEAST_RSA_BITS, _LEAST_EC_BITS = 2048, 256
# Signature algorithms below SHA-256: 1.2.840.113549.1.1.N of RSA; of ECDSA with SHA-1 and SHA-224.
_WEAK_RSA = {2: "MD2", 3: "MD4", 4: "MD5", 5: "SHA-1", 14: "SHA-224"}
_WEAK_ECDSA = {b"\x01": "SHA-1", b"\x03\x01": "SHA-224"}
_BMP_STRING = 0x1E  # of old CAs: UTF-16
TEXT_LIMIT = 253  # characters of a name: that of a host; a Common Name has 64 (X.520)
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


class Certificate(NamedTuple):
    """What messages and limits need of one certificate."""

    subject: str  # Common Name, or the last part of the name there is
    issuer: str
    validity: Validity
    names: tuple[str, ...]  # subjectAltName: DNS names and addresses
    weakness: str  # why PS3.15 B.13 forbids it, or nothing
    weak_key: str  # the same of its key alone: nobody looks at the signature of a CA that is trusted
    serial: bytes
    der: bytes  # the whole of it

    @property
    def sha256(self) -> str:
        """Return the digest of the whole certificate, hexadecimal: what people compare."""
        from hashlib import sha256  # who only connects does not pay 0.7 MiB for it

        return sha256(self.der).hexdigest()


class RevocationList(NamedTuple):
    """One CRL: whose, up to date from and until when (``YYYYMMDDHHMMSSZ``), and its entries, read when somebody asks.

    Lists of large CAs have a hundred thousand entries, and a connection needs none of them: OpenSSL reads its own copy.
    """

    issuer: str
    this_update: str
    next_update: str
    entries: bytes  # DER, the content of revokedCertificates

    def serials(self) -> Iterator[bytes]:
        """Yield the serial numbers that are revoked; ``ValueError`` where an entry is none."""
        for entry in children(self.entries, (SEQUENCE, 0, len(self.entries))):
            _, start, end = element(self.entries, entry[1], _INTEGER)
            yield self.entries[start:end]


def readable(stamp: str) -> str:
    """``20270131235959Z`` as ``2027-01-31 23:59 UTC``."""
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]} {stamp[8:10]}:{stamp[10:12]} UTC"


def read(der: bytes) -> Certificate:
    """Read one DER certificate; ``ValueError`` when it is none."""
    fields = fields_of(der)
    serial, signature, issuer, dates, subject, key, *rest = fields
    extensions = next((start for tag, start, _ in rest if tag == _CONTEXT_3), None)
    weak = _weak_key(der, key)
    return Certificate(
        _name(der, subject),
        _name(der, issuer),
        _validity(der, dates),
        () if extensions is None else _names(der, extensions),
        weak or _weak_signature(der[signature[1] : signature[2]]),
        weak,
        der[serial[1] : serial[2]],
        der,
    )


def read_list(der: bytes) -> RevocationList:
    """Read one DER CRL; ``ValueError`` when it is none or does not say when it ends."""
    _, start, _ = element(der, 0, SEQUENCE)  # CertificateList
    fields = list(children(der, element(der, start, SEQUENCE)))  # TBSCertList
    if fields and fields[0][0] == _INTEGER:  # the version
        del fields[0]
    dates = [at for at, field in enumerate(fields) if field[0] in (_UTC_TIME, _GENERALIZED_TIME)]
    if dates != [2, 3]:  # signature, issuer, thisUpdate, nextUpdate
        raise ValueError("the revocation list does not say when it ends")
    updates = [_stamp(tag, der[start:end].decode("ascii")) for tag, start, end in fields[2:4]]
    revoked = fields[4:5] if fields[4:] and fields[4][0] == SEQUENCE else ()
    entries = b"".join(der[first:last] for _, first, last in revoked)
    return RevocationList(_name(der, fields[1]), updates[0], updates[1], entries)


def fields_of(der: bytes) -> list[Element]:
    """Fields of the TBSCertificate without the version: serialNumber, signature, issuer, validity, subject, key ..."""
    _, start, _ = element(der, 0, SEQUENCE)
    fields = list(children(der, element(der, start, SEQUENCE)))
    if fields and fields[0][0] == _CONTEXT_0:
        del fields[0]
    if len(fields) < 6:
        raise ValueError("not a certificate")
    return fields


def _validity(der: bytes, field: Element) -> Validity:
    if field[0] != SEQUENCE:
        raise ValueError("not a certificate")
    stamps = [_stamp(tag, der[start:end].decode("ascii")) for tag, start, end in children(der, field)]
    if len(stamps) != 2:
        raise ValueError("not a certificate")
    return Validity(stamps[0], stamps[1])


def _name(der: bytes, field: Element) -> str:
    """Return the Common Name of a Name, or the last attribute it has."""
    found = ""
    for relative in children(der, field):
        for pair in children(der, relative):
            (_, start, end), (tag, first, last) = list(children(der, pair))[:2]
            found = _text(der[first:last], "utf-16-be" if tag == _BMP_STRING else "utf-8")
            if der[start:end] == _COMMON_NAME:
                return found
    return found


def _names(der: bytes, position: int) -> tuple[str, ...]:
    found = []
    for extension in children(der, element(der, position, SEQUENCE)):
        oid, *rest = list(children(der, extension))
        if der[oid[1] : oid[2]] != _SUBJECT_ALT_NAME or not rest:
            continue
        for tag, start, end in children(der, element(der, rest[-1][1], SEQUENCE)):
            if tag == _DNS_NAME:
                found.append(_text(der[start:end], "ascii"))
            elif tag == _IP_ADDRESS and end - start in (4, 16):
                found.append(socket.inet_ntop(socket.AF_INET if end - start == 4 else socket.AF_INET6, der[start:end]))
    return tuple(found)


def _text(value: bytes, encoding: str) -> str:
    """What a stranger wrote, fit for one line of a log."""
    text = value[: 2 * TEXT_LIMIT].decode(encoding, "replace")[:TEXT_LIMIT]
    return text if text.isprintable() else "".join(one if one.isprintable() else "?" for one in text)


def _weak_key(der: bytes, field: Element) -> str:
    algorithm, (_, start, end) = list(children(der, field))[:2]
    _, first, last = element(der, algorithm[1], _OID)
    kind, bits = der[first:last], der[start + 1 : end]  # behind the count of unused bits
    if kind.startswith(_RSA):
        _, first, last = element(bits, element(bits, 0, SEQUENCE)[1], _INTEGER)
        size = int.from_bytes(bits[first:last], "big").bit_length()
        return "" if size >= _LEAST_RSA_BITS else f"has an RSA key of {size} bits; {_LEAST_RSA_BITS} are the least"
    if kind == _EC_KEY and bits[:1] == b"\x04":
        size = (len(bits) - 1) * 4
        return "" if size >= _LEAST_EC_BITS else f"has an ECC key of {size} bits; {_LEAST_EC_BITS} are the least"
    return ""


def _weak_signature(algorithm: bytes) -> str:
    _, start, end = element(algorithm, 0, _OID)
    oid = algorithm[start:end]
    weak = ""
    if oid.startswith(_RSA + b"\x01"):
        weak = _WEAK_RSA.get(oid[-1], "")
    elif oid.startswith(_ECDSA):
        weak = _WEAK_ECDSA.get(oid[len(_ECDSA) :], "")
    return f"is signed with {weak}; SHA-256 is the least" if weak else ""


def _stamp(tag: int, text: str) -> str:
    whole = ("20" if text[:2] < _UTC_PIVOT else "19") + text if tag == _UTC_TIME else text
    if tag in (_UTC_TIME, _GENERALIZED_TIME) and len(whole) == 15 and whole[:14].isdigit() and whole[14] == "Z":
        return whole
    raise ValueError("certificate dates are neither UTCTime nor GeneralizedTime")
