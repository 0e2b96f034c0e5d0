"""Our TLS against DCMTK's and OpenSSL's own: the profile that is spoken, and each refusal in words."""

from __future__ import annotations

import re
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from fakes.peers import dcmtk_tls
from fakes.process import Process, free_port

from agent.acquire.identity import new_uid
from agent.app.archive import Archive, ArchiveSettings
from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE, SC
from agent.errors import LinkError, TlsRefused
from agent.forward.deliver import deliver, echo
from agent.forward.files import Files
from agent.link.peer import Peer, Timeouts
from agent.link.tls import CIPHERS_TLS12, TlsSettings
from agent.media.part10 import FileMeta, encode_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

QUICK = Timeouts(connect_s=2, tls_s=2, associate_s=5, write_s=5, response_s=5, release_s=2, idle_s=5)


def settings(folder: Path, name: str | None = "agent", **more: Any) -> TlsSettings:
    own = None if name is None else str(folder / f"{name}.pem")
    key = None if name is None else str(folder / f"{name}.key")
    return TlsSettings(str(folder / "ca.pem"), own, key, **more)


def at(port: int, tls: TlsSettings | None) -> Peer:
    return Peer("ANY", "127.0.0.1", port, "AGENT", tls, QUICK)


@pytest.fixture
def archive(bench_ca: Path, tmp_path: Path) -> Iterator[int]:
    """Start the bench archive with mutual TLS; returns its port."""
    stop = threading.Event()
    running = Archive(
        ArchiveSettings(str(tmp_path / "archive"), "ANY", tls=settings(bench_ca, "archive"), timeouts=QUICK)
    )
    thread = threading.Thread(target=running.run, args=(stop,))
    thread.start()
    yield running.port
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("size", [20_000, 3_000_000])
def test_storescp_keeps_every_byte_over_tls(
    storescp: Callable[..., Any], bench_ca: Path, tmp_path: Path, size: int
) -> None:
    peer = storescp(*dcmtk_tls(bench_ca, "archive"), "--require-peer-cert")
    facts = echo(at(peer.port, settings(bench_ca))).facts
    assert facts["version"] == "TLSv1.3"
    uid = new_uid()
    data = DataSet(
        {"SOPClassUID": SC, "SOPInstanceUID": uid, "StudyInstanceUID": "2.25.1", "SeriesInstanceUID": "2.25.2"}
    )
    data.set(0x7FE00010, bytes(range(256)) * (size // 256), "OB")
    path = tmp_path / "instance"
    path.write_bytes(encode_prefix(FileMeta(SC, uid, EXPLICIT_VR_LE)) + encode(data, EXPLICIT_VR_LE))
    files = Files()
    files.add(str(path))
    (outcome,) = deliver(at(peer.port, settings(bench_ca)), files)
    assert outcome.stored
    assert pydicom.dcmread(peer.files()[0]) == pydicom.dcmread(path)


def test_storescp_refusals(storescp: Callable[..., Any], bench_ca: Path) -> None:
    strict = storescp(*dcmtk_tls(bench_ca, "archive"), "--require-peer-cert")
    with pytest.raises(TlsRefused, match="demands a certificate of ours and none is configured"):
        echo(at(strict.port, settings(bench_ca, None)))
    with pytest.raises(TlsRefused, match=r"is not for the name pacs\.example\.org"):
        echo(at(strict.port, settings(bench_ca, server_name="pacs.example.org")))
    plain = storescp()
    with pytest.raises(TlsRefused, match=r"(does not speak TLS|closed the connection in the TLS handshake)"):
        echo(at(plain.port, settings(bench_ca)))
    with pytest.raises(LinkError) as raised:  # DCMTK's alert may be lost in its reset
        echo(at(strict.port, None))
    assert "TLS" in raised.value.message + raised.value.hint


def test_tls_12_peer_gets_a_suite_of_the_profile(bench_ca: Path, tmp_path: Path, need: Callable[[str], str]) -> None:
    port = free_port()
    command = [need("openssl"), "s_server", "-accept", str(port), "-tls1_2", "-quiet", "-no_dhe"]
    command += ["-cert", str(bench_ca / "archive.pem"), "-key", str(bench_ca / "archive.key")]
    from agent.link.transport import connect

    with Process(command, tmp_path / "s_server.log") as server:
        server.wait_listening(port)
        transport = connect(at(port, settings(bench_ca)))
        facts = transport.facts()
        transport.close()
    assert facts["version"] == "TLSv1.2"
    assert facts["suite"] in CIPHERS_TLS12


@pytest.mark.parametrize(
    ("options", "good"),
    [
        (["-tls1_3"], True),
        (["-tls1_2"], True),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], True),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"], True),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"], False),
        (["-tls1_2", "-cipher", "AES256-GCM-SHA384"], False),
        (["-tls1_1", "-cipher", "ALL@SECLEVEL=0"], False),
    ],
)
def test_listener_speaks_the_profile_and_nothing_else(
    archive: int, bench_ca: Path, need: Callable[[str], str], options: list[str], good: bool
) -> None:
    command = [need("openssl"), "s_client", "-connect", f"127.0.0.1:{archive}", "-CAfile", str(bench_ca / "ca.pem")]
    command += ["-cert", str(bench_ca / "agent.pem"), "-key", str(bench_ca / "agent.key"), *options]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=20, check=False)
    said = done.stdout + done.stderr
    assert (re.search(rb"Cipher is (TLS_|ECDHE)", said) is not None) is good, said[-2000:]


def test_echoscu_over_mutual_tls(archive: int, bench_ca: Path, need: Callable[[str], str]) -> None:
    command = [need("echoscu"), *dcmtk_tls(bench_ca, "agent"), "-aec", "ANY", "127.0.0.1", str(archive)]
    subprocess.run(command, check=True, capture_output=True, timeout=20)
    without = [need("echoscu"), "+tla", "-ic", "-aec", "ANY", "127.0.0.1", str(archive)]
    assert subprocess.run(without, check=False, capture_output=True, timeout=20).returncode != 0
