"""A throw-away certificate authority for tests, made with the openssl program (P-256, so that it takes no time)."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from fakes.peers import need

if TYPE_CHECKING:
    from pathlib import Path

_CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def _openssl(*arguments: str) -> None:
    subprocess.run([need("openssl"), *arguments], check=True, capture_output=True, timeout=30)


def make_ca(folder: Path, name: str = "ca") -> None:
    """Write ``<name>.pem`` and ``<name>.key``."""
    folder.mkdir(parents=True, exist_ok=True)
    _openssl(
        "req", "-x509", *_CURVE, "-days", "30", "-subj", f"/CN=bench {name}", "-keyout", str(folder / f"{name}.key"),
        "-out", str(folder / f"{name}.pem"), "-addext", "basicConstraints=critical,CA:TRUE",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip


def issue(
    folder: Path, name: str, *, ca: str = "ca", names: str = "DNS:localhost,IP:127.0.0.1", days: int = 30
) -> None:
    """Write ``<name>.pem`` and ``<name>.key`` signed by ``ca``; ``days=-1`` makes it expired."""
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text(
        f"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
        f"extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName={names}\n"
    )
    _openssl(
        "req", "-new", *_CURVE, "-subj", f"/CN={name}", "-keyout", str(folder / f"{name}.key"), "-out", str(request)
    )
    _openssl(
        "x509", "-req", "-in", str(request), "-CA", str(folder / f"{ca}.pem"), "-CAkey", str(folder / f"{ca}.key"),
        "-CAcreateserial", "-days", str(days), "-extfile", str(extensions), "-out", str(folder / f"{name}.pem"),
    )  # fmt: skip


def make_bench_ca(folder: Path) -> Path:
    """Make a CA, ``agent`` and ``archive`` credentials; returns the folder."""
    make_ca(folder)
    for name in ("agent", "archive"):
        issue(folder, name)
    return folder
