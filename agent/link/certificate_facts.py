"""What else a certificate says that somebody brings to this box: its key, whether it may sign others, for what it is.

Who only connects needs none of it: OpenSSL judges there. Here a person is told *before* the file is kept why it would
be of no use: RFC 5280 4.2.1.3 (key usage), 4.2.1.9 (basic constraints), 4.2.1.12 (extended key usage).
Raises ``ValueError`` for anything else than X.509.
"""

from __future__ import annotations

from agent.link.certificate import Certificate, fields_of
from agent.link.der import children, element
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CONTEXT_3, _BOOLEAN, _OID = 0xA3, 0x01, 0x06
_KEY_USAGE, _BASIC_CONSTRAINTS, _EXTENDED_USAGE = b"\x55\x1d\x0f", b"\x55\x1d\x13", b"\x55\x1d\x25"
_KEY_CERT_SIGN: Final = 0x04  # bit 5 of the first byte of the BIT STRING
_RSA: Final = bytes.fromhex("2a864886f70d010101")
_EC: Final = bytes.fromhex("2a8648ce3d0201")
_CURVES: Final = {
    bytes.fromhex("2a8648ce3d030107"): "P-256",
    bytes.fromhex("2b81040022"): "P-384",
    bytes.fromhex("2b81040023"): "P-521",
    bytes.fromhex("2b81040021"): "P-224",
}
_EDWARDS: Final = {bytes.fromhex("2b6570"): "Ed25519", bytes.fromhex("2b6571"): "Ed448"}
_USES: Final = {
    bytes.fromhex("2b06010505070301"): "server",
    bytes.fromhex("2b06010505070302"): "client",
    bytes.fromhex("551d2500"): "any",
}


class Facts(NamedTuple):
    """``subject`` and ``issuer`` are the whole names in DER, which is how one certificate names another."""

    subject: bytes
    issuer: bytes
    key: str  # 'RSA, 2048 bits', 'EC, P-256'
    authority: bool  # basic constraints: it is a CA
    may_sign: bool  # key usage says so, or does not limit it
    uses: tuple[str, ...]  # extended key usage: server, client, any, others; none: not limited

    @property
    def self_issued(self) -> bool:
        """Whether it names itself as its issuer: a root, or one that signed itself."""
        return self.subject == self.issuer


def facts(one: Certificate) -> Facts:
    """Read the rest of a certificate; ``ValueError``."""
    der = one.der
    _, _, issuer, _, subject, key, *rest = fields_of(der)
    extensions = dict(_extensions(der, next((start for tag, start, _ in rest if tag == _CONTEXT_3), None)))
    return Facts(
        der[subject[1] : subject[2]],
        der[issuer[1] : issuer[2]],
        _key(der, key),
        _authority(extensions.get(_BASIC_CONSTRAINTS, b"")),
        _may_sign(extensions.get(_KEY_USAGE, b"")),
        _uses(extensions.get(_EXTENDED_USAGE, b"")),
    )


def in_order(first: Certificate, others: Sequence[Certificate]) -> tuple[list[Certificate], list[Certificate]]:
    """Follow the issuers from ``first``: the chain from it upwards, and those that do not belong to it."""
    chain, left = [first], list(others)
    while not facts(chain[-1]).self_issued:
        issuer = facts(chain[-1]).issuer
        above = next((one for one in left if facts(one).subject == issuer), None)
        if above is None:
            break
        chain.append(above)
        left.remove(above)
    return chain, left


def _extensions(der: bytes, position: int | None) -> Iterator[tuple[bytes, bytes]]:
    """Yield the OID and the DER in the octet string of every extension."""
    for extension in children(der, element(der, position)) if position is not None else ():
        oid, *rest = list(children(der, extension))
        if rest:
            yield der[oid[1] : oid[2]], der[rest[-1][1] : rest[-1][2]]


def _key(der: bytes, field: tuple[int, int, int]) -> str:
    algorithm, (_, start, end) = list(children(der, field))[:2]
    identifiers = [der[first:last] for tag, first, last in children(der, algorithm) if tag == _OID]
    kind, bits = identifiers[0], der[start + 1 : end]  # behind the count of unused bits
    if kind == _RSA:
        modulus = element(bits, element(bits, 0)[1])
        return f"RSA, {int.from_bytes(bits[modulus[1] : modulus[2]], 'big').bit_length()} bits"
    if kind == _EC:
        curve = _CURVES.get(identifiers[1], "") if len(identifiers) > 1 else ""
        return f"EC, {curve or f'{(len(bits) - 1) * 4} bits'}"
    return _EDWARDS.get(kind, "of another kind")


def _authority(value: bytes) -> bool:
    if not value:
        return False
    first = next(children(value, element(value, 0)), None)
    return first is not None and first[0] == _BOOLEAN and value[first[1] : first[2]] != b"\x00"


def _may_sign(value: bytes) -> bool:
    if not value:
        return True
    _, start, end = element(value, 0)
    return end > start + 1 and bool(value[start + 1] & _KEY_CERT_SIGN)


def _uses(value: bytes) -> tuple[str, ...]:
    return tuple(
        _USES.get(value[start:end], "another")
        for _, start, end in (children(value, element(value, 0)) if value else ())
    )
