"""Secure DICOM Files: each file of a set wrapped in CMS (PS3.10 7.4, PS3.15 D.1, RFC 5652).

EnvelopedData for the recipients' certificates (AES-256, RSA key transport), in it SignedData (RSA, SHA-256) where there
is a key to sign with, else DigestedData with SHA-256: who opens it sees whether it is what was written. The ``openssl``
command does it, in constant memory; any CMS reader opens it::

    openssl cms -decrypt -inform DER -in FILE -recip me.pem -inkey me.key -out inner
    openssl cms -digest_verify -inform DER -in inner -out image.dcm     (or -verify)

``openssl`` calls what is inside plain data; the profile names it, so the one byte that says so is put right.
"""

from __future__ import annotations

import binascii
import os

from agent.errors import EncodeError, FileError
from agent.exchange import tools
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

# Object identifiers 1.2.840.113549.1.7.n in DER, without the last byte (RFC 5652 14).
_CONTENT: Final = bytes.fromhex("06092a864886f70d0107")
_DATA, SIGNED, ENVELOPED, DIGESTED = 1, 2, 3, 5
_RSA: Final = bytes.fromhex("06092a864886f70d010101")  # rsaEncryption, in front of a public key (RFC 3279 2.3.1)
_KEY_HEAD_BYTES: Final = 32
_SEQUENCE, _CONTEXT = 0x30, 0xA0
_HEAD_BYTES: Final = 1 << 20  # recipients stand in front of the content


class Keys(NamedTuple):
    """Who may open the set, and who signs it; paths of PEM files."""

    recipients: tuple[str, ...]
    certificate: str = ""
    key: str = ""

    @property
    def signs(self) -> bool:
        """Whether files are signed."""
        return bool(self.key)


def wrap(source: str, target: str, keys: Keys) -> None:
    """Wrap ``source`` as ``target``; what is inside for a moment lies beside it. Raises ``FileError``."""
    program = tools.found("openssl")
    inner = f"{target}.CMS"
    try:
        words: tuple[str, ...] = ("-digest_create", "-md", "sha256")
        if keys.signs:
            words = ("-sign", "-nodetach", "-md", "sha256", "-signer", keys.certificate, "-inkey", keys.key)
        _cms(program, (*words, "-in", source, "-out", inner))
        _cms(program, ("-encrypt", "-aes-256-cbc", "-in", inner, "-out", target, *keys.recipients))
        name_content(target, SIGNED if keys.signs else DIGESTED)
    finally:
        if os.path.lexists(inner):
            os.unlink(inner)


def check(keys: Keys) -> None:
    """Refuse keys that make nothing, before anything is made. Raises ``FileError``."""
    program = tools.found("openssl")
    for path in filter(None, (*keys.recipients, keys.certificate)):
        _require_certificate(path)
        public = tools.run((program, "x509", "-in", path, "-noout", "-pubkey"), f"reading the certificate {path}")
        if _RSA not in binascii.a2b_base64(b"".join(public.split(b"-----")[2].splitlines()))[:_KEY_HEAD_BYTES]:
            raise FileError(
                f"{path}: its key is not RSA",
                hint="Encrypted media want RSA keys (PS3.15 D.1): ask for such a certificate.",
            )
    if bool(keys.key) != bool(keys.certificate):
        raise FileError("signing needs a certificate and its key", hint="Give both, or neither.")
    if keys.key and not os.access(keys.key, os.R_OK):
        raise FileError(f"{keys.key} cannot be read", hint="It is the key that signs; it must have no passphrase.")


def _require_certificate(path: str) -> None:
    try:
        with open(path, "rb") as file:
            text = file.read(_HEAD_BYTES)
    except OSError as error:
        raise FileError.of(path, error) from None
    if b"PRIVATE KEY-----" in text and b"-----BEGIN CERTIFICATE-----" not in text:
        hint = "A recipient is named by the certificate; the key stays with whom it belongs to."
        raise FileError(f"{path} is a key, and a certificate is wanted", hint=hint)


def name_content(path: str, kind: int) -> None:
    """Let the EncryptedContentInfo of a file say what is inside; raises ``EncodeError`` where it is not as expected."""
    with open(path, "r+b", buffering=0) as file:
        at = _content_type(file.read(_HEAD_BYTES))
        file.seek(at)
        file.write(bytes((kind,)))


def _cms(program: str, words: Sequence[str]) -> None:
    tools.run((program, "cms", *words[:1], "-binary", "-stream", "-outform", "DER", *words[1:]), "openssl cms")


def _content_type(data: bytes) -> int:
    """Where the last byte of the content type inside EnvelopedData is (RFC 5652 6.1)."""
    try:
        at = _into(data, 0, _SEQUENCE)  # ContentInfo
        at = _after_type(data, at, ENVELOPED)
        at = _into(data, at, _CONTEXT)
        at = _into(data, at, _SEQUENCE)  # EnvelopedData: version, perhaps originator, recipients
        while data[at] != _SEQUENCE:
            at = _over(data, at)
        at = _into(data, at, _SEQUENCE)  # EncryptedContentInfo
        return _after_type(data, at, _DATA) - 1
    except IndexError:
        raise EncodeError("the file that openssl made is not the CMS that was asked for") from None


def _after_type(data: bytes, at: int, kind: int) -> int:
    end = at + len(_CONTENT) + 1
    if data[at:end] != _CONTENT + bytes((kind,)):
        raise IndexError(at)
    return end


def _into(data: bytes, at: int, tag: int) -> int:
    if data[at] != tag:
        raise IndexError(at)
    return _value(data, at)[0]


def _over(data: bytes, at: int) -> int:
    start, length = _value(data, at)
    if length < 0:
        raise IndexError(at)
    return start + length


def _value(data: bytes, at: int) -> tuple[int, int]:
    """Where a value starts, and its length; -1: it is not said (BER)."""
    first = data[at + 1]
    if first == 0x80:
        return at + 2, -1
    if first < 0x80:
        return at + 2, first
    count = first & 0x7F
    return at + 2 + count, int.from_bytes(data[at + 2 : at + 2 + count])
