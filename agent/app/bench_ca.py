"""A throw-away CA and keys for demo and tests, made with the ``openssl`` command.

ECDSA on P-256 because key making is instant and PS3.15 B.13 (BCP 195) likes it. Nothing here is for a hospital: the CA
key lies beside the certificates, unprotected, and everything ends after ten days.
"""

from __future__ import annotations

import os

from agent.app.openssl import openssl
from agent.typed import Final, NamedTuple

_DAYS: Final = 10


class Identity(NamedTuple):
    """Three PEM files that belong together; ``ca_file`` is the CA that issued the certificate."""

    ca_file: str
    certificate_file: str
    key_file: str


def make_ca(folder: str, name: str = "bench-ca") -> Identity:
    """Make a self-signed CA in ``folder`` (created with mode 0700); raises ``FileError``."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    certificate, key = _paths(folder, name)
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256"),
        *("-days", str(_DAYS), "-subj", f"/O=modality-agent bench/CN={name}", "-keyout", key, "-out", certificate),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    os.chmod(key, 0o600)
    return Identity(certificate, certificate, key)


def issue(folder: str, name: str, ca: Identity, *, hosts: tuple[str, ...] = (), days: int = _DAYS) -> Identity:
    """Issue a certificate for ``name`` that is valid for ``hosts`` (names or addresses) as server and as client.

    ``days`` may be negative: such a certificate has already expired (tests want one). Raises ``FileError``.
    """
    certificate, key = _paths(folder, name)
    request, extensions = os.path.join(folder, f"{name}.csr"), os.path.join(folder, f"{name}.ext")
    names = ",".join(f"{'IP' if _is_address(host) else 'DNS'}:{host}" for host in hosts)
    with open(extensions, "w", encoding="ascii") as file:
        file.write("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n")
        file.write("extendedKeyUsage=serverAuth,clientAuth\n" + (f"subjectAltName={names}\n" if names else ""))
    openssl(
        *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256"),
        *("-subj", f"/O=modality-agent bench/CN={name}", "-keyout", key, "-out", request),
    )
    os.chmod(key, 0o600)
    openssl(
        *("x509", "-req", "-sha256", "-in", request, "-CA", ca.certificate_file, "-CAkey", ca.key_file),
        *("-CAcreateserial", "-days", str(days), "-extfile", extensions, "-out", certificate),
    )
    os.unlink(request)
    os.unlink(extensions)
    return Identity(ca.certificate_file, certificate, key)


def _paths(folder: str, name: str) -> tuple[str, str]:
    return os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key")


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
