"""Print what ``tests/fakes/tls_profile.py`` measures of our TLS; ``scripts/tls_profile`` says how."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fakes import tls_profile
from fakes.peers import make_bench_ca

if TYPE_CHECKING:
    from collections.abc import Iterator


def measured() -> Iterator[dict[str, Any]]:
    """Yield the facts of one side after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder = make_bench_ca(Path(name))
        tls_profile.make_rsa(folder)
        for conf in (False, True):
            how = {"openssl_cnf": conf}
            for certificate, kind in (("archive", "ECDSA"), ("rsa", "RSA")):
                found = tls_profile.spoken(folder, certificate, folder, conf=conf)
                yield {"side": "listener", "certificate": kind, **how, **found._asdict()}
            yield {"side": "client", **how, **tls_profile.said_by_client(folder, conf=conf)._asdict()}


def lines(facts: dict[str, Any]) -> Iterator[str]:
    """Say the facts of one side."""
    certificate = f", certificate with {facts['certificate']}" if "certificate" in facts else ""
    yield f"{facts['side']}{certificate}, {'with' if facts['openssl_cnf'] else 'without'} configs/tls/openssl.cnf"
    for key, value in facts.items():
        if key in ("side", "certificate", "openssl_cnf"):
            continue
        rows = value.items() if isinstance(value, dict) else (("", value),)
        for version, names in rows:
            yield f"  {key:<10} {version:<8} {' '.join(names)}"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="scripts/tls_profile",
        description="What TLS we speak, as client and as listener, measured by OpenSSL; 15 seconds.",
    )
    parser.add_argument("--json", action="store_true", help="one object for each side")
    args = parser.parse_args()
    for facts in measured():
        print(json.dumps(facts) if args.json else "\n".join(lines(facts)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
