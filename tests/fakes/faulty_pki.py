"""Certificates with one fault each, and revocation lists, made by the ``openssl`` command.

``ca`` signs most of them, ``middle`` is a CA below it, ``other`` a CA that nobody trusts.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from fakes.peers import need

if TYPE_CHECKING:
    from pathlib import Path

PAST = ("20200101000000Z", "20200201000000Z")
FUTURE = ("20990101000000Z", "20991231000000Z")
LOCAL = "DNS:localhost,IP:127.0.0.1"
BOTH_USES = "serverAuth,clientAuth"
P_256 = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
P_224 = ("ec", "-pkeyopt", "ec_paramgen_curve:secp224r1")
_DAYS = ("-days", "9")


class Pki:
    """A folder of PEM files: ``NAME.pem``, ``NAME.key``; lists are written by ``crl``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "openssl.cnf").write_text(
            "[req]\ndistinguished_name=d\n[d]\n[ca]\ndefault_ca=x\n[x]\ndatabase=$ENV::DATABASE\nnew_certs_dir=.\n"
            "rand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
        )
        for name in ("ca", "other"):
            self.authority(name)
        self.authority("middle", below="ca")

    def openssl(self, *arguments: str, database: str = "none") -> str:
        done = subprocess.run(
            (need("openssl"), *arguments), cwd=self.folder, capture_output=True, text=True, timeout=60, check=False,
            env={"DATABASE": f"{database}.db", "OPENSSL_CONF": "openssl.cnf"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def authority(self, name: str, below: str = "", *, key: tuple[str, ...] = P_256, digest: str = "sha256") -> None:
        (self.folder / f"{name}.db").write_text("")
        extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
        if below:
            self.issue(name, by=below, extensions=extensions, days=_DAYS, key=key, digest=digest)
        else:
            self.alone(name, extensions=extensions)

    def alone(self, name: str, *, key: tuple[str, ...] = P_256, digest: str = "sha256", extensions: str = "") -> None:
        """Make a certificate that signed itself."""
        config = self.folder / f"{name}.cnf"
        text = extensions or f"subjectAltName={LOCAL}\nextendedKeyUsage={BOTH_USES}\n"
        config.write_text(f"[req]\ndistinguished_name=d\n[d]\n[v3]\n{text}")
        self.openssl(
            *("req", "-x509", "-config", config.name, "-extensions", "v3", "-newkey", *key, "-nodes", f"-{digest}"),
            *("-days", "9", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem"),
        )
        (self.folder / f"{name}.key").chmod(0o600)

    def issue(
        self,
        name: str,
        *,
        by: str = "ca",
        names: str = LOCAL,
        uses: str = BOTH_USES,
        key: tuple[str, ...] = P_256,
        digest: str = "sha256",
        dates: tuple[str, str] | None = None,
        extensions: str = "",
        days: tuple[str, ...] = _DAYS,
    ) -> None:
        request = (*("req", "-new", "-newkey", *key, "-nodes", "-subj", f"/CN={name}"), "-keyout", f"{name}.key")
        self.openssl(*request, "-out", f"{name}.csr")
        self.sign(name, by=by, names=names, uses=uses, digest=digest, dates=dates, extensions=extensions, days=days)
        (self.folder / f"{name}.key").chmod(0o600)

    def sign(
        self,
        name: str,
        *,
        by: str = "ca",
        names: str = LOCAL,
        uses: str = BOTH_USES,
        digest: str = "sha256",
        dates: tuple[str, str] | None = None,
        extensions: str = "",
        days: tuple[str, ...] = _DAYS,
    ) -> None:
        """Sign ``NAME.csr``."""
        (self.folder / f"{name}.ext").write_text(extensions or f"subjectAltName={names}\nextendedKeyUsage={uses}\n")
        when = ("-startdate", dates[0], "-enddate", dates[1]) if dates else days
        self.openssl(
            *("ca", "-batch", "-notext", "-cert", f"{by}.pem", "-keyfile", f"{by}.key", "-md", digest, *when),
            *("-extfile", f"{name}.ext", "-in", f"{name}.csr", "-out", f"{name}.pem"),
            database=by,
        )

    def revoke(self, name: str, by: str = "ca") -> None:
        self.openssl("ca", "-cert", f"{by}.pem", "-keyfile", f"{by}.key", "-revoke", f"{name}.pem", database=by)

    def crl(self, file: str, *authorities: str, dates: tuple[str, str] | None = None) -> None:
        """Write the lists of ``authorities`` as they are now."""
        when = ("-crl_lastupdate", dates[0], "-crl_nextupdate", dates[1]) if dates else ("-crldays", "9")
        text = ""
        for by in authorities:
            command = ("ca", "-cert", f"{by}.pem", "-keyfile", f"{by}.key", "-gencrl", *when)
            text += self.openssl(*command, database=by)
        (self.folder / file).write_text(text)

    def bundle(self, file: str, *parts: str) -> None:
        (self.folder / file).write_text("".join((self.folder / part).read_text() for part in parts))


def make_faulty(folder: Path) -> Pki:
    """Make one certificate for each fault, named after it; ``good`` has none."""
    pki = Pki(folder)
    for name in ("good", "agent", "revoked"):
        pki.issue(name)
    pki.issue("expired", dates=PAST)
    pki.issue("future", dates=FUTURE)
    pki.issue("elsewhere", names="DNS:pacs.example.org")
    pki.issue("stranger", by="other")
    pki.issue("client-only", uses="clientAuth")
    pki.issue("server-only", uses="serverAuth")
    pki.issue("rsa-1024", key=("rsa:1024",))
    pki.issue("rsa-2048", key=("rsa:2048",))
    pki.issue("sha-1", digest="sha1")
    pki.issue("sha-224", digest="sha224")
    pki.issue("p-224", key=P_224)
    pki.alone("self-signed")
    pki.alone("small-ca", key=P_224, extensions="basicConstraints=critical,CA:TRUE\n")
    pki.issue("leaf", by="middle")
    for name, weak in (("small-middle", {"key": P_224}), ("old-middle", {"digest": "sha224"})):
        pki.authority(name, below="ca", **weak)
        pki.issue(f"leaf-of-{name}", by=name)
    pki.bundle("below.pem", "leaf.pem", "middle.pem")
    pki.bundle("below.key", "leaf.key")
    pki.crl("middle-only.crl", "middle")
    pki.crl("all.crl", "ca", "middle")
    pki.crl("other.crl", "other")
    pki.crl("old.crl", "ca", dates=PAST)
    pki.crl("new.crl", "ca", dates=FUTURE)
    pki.revoke("revoked")
    pki.crl("ca.crl", "ca")
    pki.revoke("middle")
    pki.crl("middle-revoked.crl", "ca", "middle")
    return pki
