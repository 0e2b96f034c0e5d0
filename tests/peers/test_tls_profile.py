"""PS3.15 B.12 and B.13, enumerated: OpenSSL's programs find out what our listener takes and what our client offers."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from fakes import tls_profile as profile
from fakes.peers import dcmtk_tls
from fakes.tls_judge import GROUPS, Caller, raw_refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BOTH = pytest.mark.parametrize("conf", [False, True], ids=["alone", "with openssl.cnf"])
HANDSHAKE_FAILURE, PROTOCOL_VERSION = 40, 70  # RFC 8446 6.2
FALLBACK_SCSV = 0x5600  # RFC 7507, no suite
GROUP_NAMES = {"x25519": "X25519", "secp256r1": "prime256v1", "x448": "X448"}


@pytest.fixture(scope="module")
def folder(bench_ca: Path) -> Path:
    profile.make_rsa(bench_ca)
    return bench_ca


@BOTH
@pytest.mark.parametrize(("name", "kind"), [("archive", "ECDSA"), ("rsa", "RSA")])
def test_listener_speaks_exactly_the_profile(folder: Path, tmp_path: Path, name: str, kind: str, conf: bool) -> None:
    found = profile.spoken(folder, name, tmp_path, conf=conf)
    assert found.versions == profile.VERSIONS
    assert found.suites["TLSv1.2"] == tuple(suite for suite in profile.SUITES_12 if f"-{kind}-" in suite)
    assert found.suites["TLSv1.3"] == (profile.SUITES_13 if conf else profile.SUITES_13_OF_PYTHON)
    assert set(found.groups["TLSv1.3"]) == (profile.ECDHE if conf else profile.ECDHE | profile.DHE)
    if kind == "RSA":  # with an ECDSA certificate of P-256 that group must always be offered
        assert set(found.groups["TLSv1.2"]) == profile.ECDHE
    signatures = set(found.signatures)
    assert signatures - profile.UNASKED == {one for one in profile.PERMITTED_SIGNATURES if one.startswith(kind)}
    assert signatures & profile.UNASKED == (set() if conf else {f"{kind}+SHA224"})
    assert set(found.requested) >= profile.PERMITTED_SIGNATURES
    assert conf or set(found.requested) <= profile.PERMITTED_SIGNATURES | profile.UNASKED
    assert not conf or set(found.requested) == profile.PERMITTED_SIGNATURES


@BOTH
def test_every_suite_of_the_listener_works_with_every_group(folder: Path, tmp_path: Path, conf: bool) -> None:
    refused = [group for group in GROUPS if group not in profile.ECDHE | (set() if conf else profile.DHE)]
    with profile.listener(folder, "rsa", tmp_path, conf=conf) as port:
        caller = Caller(port, folder)
        twelve = [suite for suite in profile.SUITES_12 if "-RSA-" in suite]
        thirteen = profile.SUITES_13 if conf else profile.SUITES_13_OF_PYTHON
        for version, suites in (("TLSv1.2", twelve), ("TLSv1.3", thirteen)):
            for suite in suites:
                for group in sorted(profile.ECDHE):
                    assert caller.choice(version, suites=suite, groups=[group]) == suite, (suite, group)
                assert caller.choice(version, suites=suite, groups=refused) == "", suite


@pytest.mark.parametrize("name", ["archive", "rsa"])
def test_listener_refuses_every_other_number(folder: Path, tmp_path: Path, name: str) -> None:
    """All 65536 suites there can be, in versions SSL 3.0 to TLS 1.2: only those of Table B.13-2, only in TLS 1.2."""
    others = [number for number in range(0x10000) if number not in (*profile.NUMBERS_12, FALLBACK_SCSV)]
    with profile.listener(folder, name, tmp_path, conf=False) as port:
        for part in (others[:0x7000], others[0x7000:0xE000], others[0xE000:]):
            assert raw_refusal(port, 0x0303, part) == f"alert {HANDSHAKE_FAILURE}"
        for version in (0x0301, 0x0302):
            assert raw_refusal(port, version, range(0x7000)) == f"alert {PROTOCOL_VERSION}"
            assert raw_refusal(port, version, profile.NUMBERS_12) == f"alert {PROTOCOL_VERSION}"
        assert raw_refusal(port, 0x0300, range(0x7000)).startswith("alert")
        kind = "ECDSA" if name == "archive" else "RSA"
        served = zip(profile.SUITES_12, profile.NUMBERS_12, strict=True)
        first = next(number for suite, number in served if f"-{kind}-" in suite)
        assert raw_refusal(port, 0x0303, profile.NUMBERS_12) == f"server hello {first:04x}"  # so the question is fair


@BOTH
def test_client_offers_exactly_the_profile(folder: Path, conf: bool) -> None:
    found = profile.said_by_client(folder, conf=conf)
    assert found.versions == ("TLSv1.3", "TLSv1.2")
    assert found.suites == ((profile.SUITES_13 if conf else profile.SUITES_13_OF_PYTHON) + profile.SUITES_12)
    groups = {GROUP_NAMES.get(name, name) for name in found.groups}
    assert groups == (profile.ECDHE if conf else profile.ECDHE | profile.DHE)
    assert set(found.signatures) - profile.UNASKED == profile.PERMITTED_SIGNATURES
    assert set(found.signatures) & profile.UNASKED == (set() if conf else profile.UNASKED)


@BOTH
@pytest.mark.parametrize("name", ["storescp", "Orthanc"])
def test_archives_of_others_speak_it(
    storescp: Callable[..., Any], orthanc: Callable[..., Any], bench_ca: Path, name: str, conf: bool
) -> None:
    if name == "storescp":
        port, title = storescp(*dcmtk_tls(bench_ca, "archive"), "--require-peer-cert").port, "ANY"
    else:
        peer = orthanc(tls=bench_ca, modalities={"agent": ["AGENT", "127.0.0.1", 1]})
        port, title = peer.port, peer.aet
    command = [str(profile.AGENT), "echo", "--to", f"{title}@127.0.0.1:{port}", "--ae", "AGENT"]
    command += ["--ca", f"{bench_ca}/ca.pem", "--cert", f"{bench_ca}/agent.pem", "--key", f"{bench_ca}/agent.key"]
    env = {**os.environ, **profile.environment(conf=conf)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "version TLSv1.3" in done.stdout
