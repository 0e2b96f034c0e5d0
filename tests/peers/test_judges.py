"""The judges themselves: a test bench that does not work must not look like a product that does."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from fakes.peers import dcmtk_tls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_dcmtk_echoes_over_mutual_tls(need: Callable[[str], str], storescp: Callable[..., Any], bench_ca: Path) -> None:
    peer = storescp(*dcmtk_tls(bench_ca, "archive"), "--require-peer-cert")
    command = [need("echoscu"), *dcmtk_tls(bench_ca, "agent"), "127.0.0.1", str(peer.port)]
    assert subprocess.run(command, timeout=20, check=False).returncode == 0


def test_orthanc_echoes_over_mutual_tls(
    need: Callable[[str], str], orthanc: Callable[..., Any], bench_ca: Path
) -> None:
    peer = orthanc(tls=bench_ca)
    command = [need("echoscu"), *dcmtk_tls(bench_ca, "agent"), "-aec", peer.aet, "127.0.0.1", str(peer.port)]
    assert subprocess.run(command, timeout=20, check=False).returncode == 0
