"""What somebody brings as a certificate, sorted before anything is kept of it: a file, a paste, a transfer.

What is kept is written anew from the DER of what was understood, so that neither the text between the blocks nor a
block of another kind ever reaches a file. A private key among them is refused with everything else that came along:
keys are made on this box and never travel. Raises ``PemError`` with a sentence for the person who brought it.
"""

from __future__ import annotations

import binascii

from agent.errors import PemError
from agent.link.certificate import Certificate, RevocationList, read, read_list
from agent.link.certificate_facts import facts
from agent.link.der import element
from agent.typed import Final, NamedTuple

MOST_BYTES: Final = 1 << 16  # some forty certificates; a paste or transfer of more is not what was meant
MOST_BLOCKS: Final = 64
LINE: Final = 64  # characters of base64 in a line (RFC 7468 3)
_BEGIN, _END, _TAIL = "-----BEGIN ", "-----END ", "-----"
_CERTIFICATES: Final = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
_LISTS: Final = ("X509 CRL",)
_OTHERS: Final = {
    "CERTIFICATE REQUEST": "a certificate request: that is what the CA gets; what it returns belongs here",
    "NEW CERTIFICATE REQUEST": "a certificate request: that is what the CA gets; what it returns belongs here",
    "PKCS7": "a PKCS #7 bundle: 'openssl pkcs7 -print_certs' makes PEM of it",
    "CMS": "a PKCS #7 bundle: 'openssl pkcs7 -print_certs' makes PEM of it",
    "PUBLIC KEY": "a public key alone",
}
_KEY_CAME: Final = (
    "Nothing of it was kept. The key of this box is made here ('tls request') and never leaves it; one that has "
    "travelled counts as known. Have the CA sign the request of this box."
)
_INTEGER: Final = 0x02
_PKCS7_OID: Final = bytes.fromhex("06092a864886f70d0107")


class Given(NamedTuple):
    """What there is, in the order given."""

    certificates: tuple[Certificate, ...]
    lists: tuple[tuple[RevocationList, bytes], ...]  # with their DER


def sort(data: bytes, where: str, most_bytes: int = MOST_BYTES) -> Given:
    """Sort ``data`` from ``where``; ``PemError`` for what is damaged, too large, or not to be kept."""
    if len(data) > most_bytes:
        raise PemError(f"{where} has more than {most_bytes >> 10} KiB; certificates have a few", hint="Is it the file?")
    if _has_key(data):
        raise PemError(f"{where} holds a private key", hint=_KEY_CAME)
    if data[:1] == b"\x30":
        return _of_der(data, where)
    return _of_blocks(_blocks(data.decode("latin-1"), where), where)


def pem(label: str, der: bytes) -> str:
    """Write one block."""
    text = binascii.b2a_base64(der, newline=False).decode("ascii")
    lines = (text[at : at + LINE] for at in range(0, len(text), LINE))
    return "\n".join((f"{_BEGIN}{label}{_TAIL}", *lines, f"{_END}{label}{_TAIL}", ""))


def of_certificates(chain: list[Certificate]) -> bytes:
    """Write certificates one behind the other."""
    return "".join(pem("CERTIFICATE", one.der) for one in chain).encode("ascii")


def of_lists(lists: list[bytes]) -> bytes:
    """Write revocation lists (DER) one behind the other."""
    return "".join(pem("X509 CRL", der) for der in lists).encode("ascii")


def _has_key(data: bytes) -> bool:
    """Tell whether there is a private key: in PEM by its label, however damaged; in DER by its first number.

    Keys and PKCS #12 begin with a version (RFC 5958 2, RFC 7292 4), certificates and lists with a SEQUENCE.
    """
    if b"PRIVATE KEY-----" in data or b"PRIVATE KEY BLOCK" in data:
        return True
    try:
        return data[:1] == b"\x30" and data[element(data, 0)[1]] == _INTEGER
    except (ValueError, IndexError):
        return False


def _of_der(data: bytes, where: str) -> Given:
    """Take a file in DER form, as CAs of Windows hand them out."""
    if _PKCS7_OID in data[:24]:
        raise PemError(f"{where} is a PKCS #7 bundle", hint="'openssl pkcs7 -inform der -print_certs' makes PEM of it.")
    try:
        der = _whole(data)
    except ValueError:
        der = b""
    try:
        return Given((_certificate(der),), ())
    except (ValueError, IndexError):
        pass
    try:
        return Given((), ((read_list(der), der),))
    except (ValueError, IndexError):
        raise PemError(
            f"{where} is neither PEM nor a certificate in DER form", hint="Get it again from the CA."
        ) from None


def _whole(der: bytes) -> bytes:
    """Return the one element without what follows it: the padding of XMODEM, or OpenSSL's notes on trust."""
    return der[: element(der, 0)[2]]


def _certificate(der: bytes) -> Certificate:
    """Read one, extensions included: what is asked of it later cannot fail."""
    one = read(der)
    facts(one)
    return one


def _of_blocks(blocks: list[tuple[int, str, bytes]], where: str) -> Given:
    certificates, lists = [], []
    for line, label, der in blocks:
        try:
            if label in _CERTIFICATES:
                certificates.append(_certificate(_whole(der)))
            elif label in _LISTS:
                lists.append((read_list(_whole(der)), _whole(der)))
            else:
                what = _OTHERS.get(label, f"'{label[:40]}', which is no certificate")
                raise PemError(f"{where}, line {line}: this is {what}", hint="Get the certificate from the CA, as PEM.")
        except (ValueError, IndexError) as error:
            raise _damaged(where, line, str(error)) from None
    return Given(tuple(certificates), tuple(lists))


def _blocks(text: str, where: str) -> list[tuple[int, str, bytes]]:
    """Take the blocks out of ``text``: line of its head, label, bytes."""
    found: list[tuple[int, str, bytes]] = []
    label, head = "", 0
    body: list[str] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith(_BEGIN) and line.endswith(_TAIL):
            if label:
                raise _damaged(where, head, f"a new block begins in line {number} before this one ends")
            label, head, body = line[len(_BEGIN) : -len(_TAIL)], number, []
        elif line.startswith(_END) and label:
            if line != f"{_END}{label}{_TAIL}":
                raise _damaged(where, number, "its end is not that of its beginning")
            found.append((head, label, _decoded("".join(body), where, head)))
            label = ""
        elif label and ":" not in line:  # a header of RFC 1421 is no part of it
            body.append(line)
        if len(found) > MOST_BLOCKS:
            raise PemError(f"{where} has more than {MOST_BLOCKS} blocks", hint="Is it the file?")
    if label:
        raise _damaged(where, head, "it has no end: was everything sent?")
    if not found:
        raise PemError(
            f"{where} holds nothing in PEM form ('-----BEGIN CERTIFICATE-----')", hint="Get it from the CA, as PEM."
        )
    return found


def _decoded(text: str, where: str, line: int) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise _damaged(where, line, "characters of it are missing or wrong") from None


def _damaged(where: str, line: int, what: str) -> PemError:
    return PemError(f"{where}, line {line}: the block is damaged: {what}", hint="Send it again, or by file transfer.")
