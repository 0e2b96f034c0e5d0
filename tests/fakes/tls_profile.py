"""The transport profiles B.12 and B.13 of PS3.15 as sets, written down once more from the tables, and our programs
as they speak TLS with and without ``configs/tls/openssl.cnf``."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fakes.peers import need
from fakes.process import Process, free_port
from fakes.tls_judge import Caller, Offered, Spoken, offered

if TYPE_CHECKING:
    from collections.abc import Iterator

CONF = Path(__file__).resolve().parents[2] / "configs/tls/openssl.cnf"
AGENT = Path(sys.executable).with_name("modality-agent")
VERSIONS = ("TLSv1.2", "TLSv1.3")
# Table B.13-2, in our order of preference; what of them a certificate serves is in the name.
SUITES_12 = (
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES256-CCM", "ECDHE-ECDSA-AES128-CCM", "ECDHE-ECDSA-AES256-CCM8", "ECDHE-ECDSA-AES128-CCM8",
)  # fmt: skip
NUMBERS_12 = (0xC02C, 0xC030, 0xC02B, 0xC02F, 0xCCA9, 0xCCA8, 0xC0AD, 0xC0AC, 0xC0AF, 0xC0AE)  # IANA's, in that order
SUITES_13 = (
    "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256", "TLS_AES_128_CCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
)  # fmt: skip
SUITES_13_OF_PYTHON = SUITES_13[:3]
ECDHE = {"X25519", "prime256v1", "X448", "secp521r1", "secp384r1"}  # 256 bits and more
DHE = {"ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"}
PERMITTED_SIGNATURES = {
    f"{kind}+{digest}" for kind in ("ECDSA", "RSA", "RSA-PSS") for digest in ("SHA256", "SHA384", "SHA512")
} | {f"rsa_pss_pss_sha{bits}" for bits in (256, 384, 512)}
# What OpenSSL 3 adds at security level 2 where nothing tells it otherwise; DSA is never chosen: it has no suite.
UNASKED = {"ECDSA+SHA224", "RSA+SHA224", "DSA+SHA224", "DSA+SHA256", "DSA+SHA384", "DSA+SHA512", "ed25519", "ed448"}


def make_rsa(folder: Path) -> None:
    """Write ``rsa.pem`` and ``rsa.key``, RSA of 2048 bits, signed by ``ca.pem`` of the bench CA in ``folder``."""
    (folder / "rsa.ext").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
    openssl = need("openssl")
    for command in (
        ("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=rsa", "-keyout", "rsa.key", "-out", "rsa.csr"),
        ("x509", "-req", "-in", "rsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "9",
         "-extfile", "rsa.ext", "-out", "rsa.pem"),
    ):  # fmt: skip
        subprocess.run((openssl, *command), cwd=folder, check=True, capture_output=True, timeout=60)


def environment(*, conf: bool) -> dict[str, str]:
    return {"OPENSSL_CONF": str(CONF)} if conf else {}


@contextmanager
def listener(folder: Path, name: str, work: Path, *, conf: bool) -> Iterator[int]:
    """Run the bench archive with the certificate ``name`` of ``folder``; yields its port."""
    port = free_port()
    command = [str(AGENT), "archive", "--port", str(port), "--directory", str(work / f"got{port}"), "--ca"]
    command += [str(folder / "ca.pem"), "--cert", str(folder / f"{name}.pem"), "--key", str(folder / f"{name}.key")]
    with Process(command, work / f"archive{port}.log", env=environment(conf=conf)) as running:
        running.wait_listening(port)
        yield port


def spoken(folder: Path, name: str, work: Path, *, conf: bool) -> Spoken:
    """What our listener speaks with the certificate ``name``."""
    with listener(folder, name, work, conf=conf) as port:
        return Caller(port, folder).spoken()


def said_by_client(folder: Path, *, conf: bool) -> Offered:
    """What our client offers."""

    def echo(port: int) -> None:
        command = [
            str(AGENT),
            "echo",
            "--to",
            f"A@127.0.0.1:{port}",
            "--timeout",
            "0.5",
            "--ca",
            str(folder / "ca.pem"),
        ]
        command += ["--cert", str(folder / "agent.pem"), "--key", str(folder / "agent.key")]
        env = {**os.environ, **environment(conf=conf)}
        subprocess.run(command, env=env, capture_output=True, timeout=20, check=False)

    return offered(folder, "archive", echo)
