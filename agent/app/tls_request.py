"""A private key and a certificate request (CSR, PKCS #10), made on this box by the ``openssl`` command.

The key never leaves the box: it is written once, with mode 0600, synced before the request exists, and never replaced.
The request is for server and client alike, because archive and modality call each other (PS3.4 J.3.3).
"""

from __future__ import annotations

import os
import socket

from agent.app.openssl import openssl
from agent.errors import FileError, UsageError
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS: Final = {
    "p-256": ("EC", "ec_paramgen_curve:P-256"),
    "rsa-2048": ("RSA", "rsa_keygen_bits:2048"),
    "rsa-3072": ("RSA", "rsa_keygen_bits:3072"),
}
_KEY_MODE: Final = 0o600
_PLAIN: Final = "[req]\ndistinguished_name=d\n[d]\n"  # nothing of the machine's own openssl.cnf
_EXTENSIONS: Final = ("keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth,clientAuth")
_HEAD: Final = b"-----BEGIN CERTIFICATE REQUEST-----"


class Wanted(NamedTuple):
    """What the request is to say: Common Name, organization or '', names of the host."""

    common_name: str
    organization: str
    names: tuple[str, ...]


def make_key(path: str, kind: str) -> None:
    """Write a new key of ``kind``; ``FileError`` when there is a file already."""
    from agent.acquire.filesink import FileSink

    if os.path.lexists(path):
        raise FileError(
            f"{path} already exists, and a key is never replaced: what it signed would be lost",
            hint="'tls request --same-key' asks for a certificate for this key; --key FILE names a new one, to be put "
            "into key_file when its certificate is there.",
        )
    sink = FileSink(path, _KEY_MODE)
    try:
        algorithm, option = KINDS[kind]
        sink.write(openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", option))
        sink.publish()
    finally:
        sink.abandon()


def make_request(path: str, key: str, wanted: Wanted) -> None:
    """Write the request for ``key``; another request may be replaced, any other file is not."""
    from agent.acquire.filesink import FileSink

    _not_another_file(path)
    names = ",".join(f"{'IP' if is_address(name) else 'DNS'}:{name}" for name in wanted.names)
    extensions = (*_EXTENSIONS, f"subjectAltName={names}")
    text = openssl(
        *("req", "-new", "-config", "/dev/stdin", "-utf8", "-sha256", "-key", key, "-subj", _subject(wanted)),
        *(word for extension in extensions for word in ("-addext", extension)),
        given=_PLAIN.encode(),
    )
    if os.path.exists(path):
        os.unlink(path)
    sink = FileSink(path)
    try:
        sink.write(text)
        sink.publish()
    finally:
        sink.abandon()


def public_key_sha256(key: str) -> str:
    """Return the digest of the public key, hexadecimal, by which the CA can tell that the request is ours."""
    from hashlib import sha256

    return sha256(openssl("pkey", "-in", key, "-pubout", "-outform", "DER")).hexdigest()


def check_names(names: Sequence[str]) -> None:
    """Raise ``UsageError`` for what is neither the name of a host nor an address."""
    for name in names:
        if not (name and len(name) <= 253 and name.isascii() and all(c.isalnum() or c in ".-:*" for c in name)):
            raise UsageError(f"--name '{name}' is neither the name of a host nor an address")


def is_address(name: str) -> bool:
    """Tell an IP address from a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, name)
        except OSError:
            continue
        return True
    return False


def _subject(wanted: Wanted) -> str:
    parts = (("O", wanted.organization), ("CN", wanted.common_name))
    return "".join(f"/{name}={_escaped(value)}" for name, value in parts if value)


def _escaped(text: str) -> str:
    return "".join(f"\\{character}" if character in "\\/+" else character for character in text)


def _not_another_file(path: str) -> None:
    try:
        with open(path, "rb") as file:
            if not file.read(len(_HEAD)).startswith(_HEAD):
                raise FileError(f"{path} already exists and is no request", hint="Name another one with --output.")
    except FileNotFoundError:
        return
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
