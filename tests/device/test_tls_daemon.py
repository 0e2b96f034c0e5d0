"""TLS of the running daemon: a CA pinned for one destination, revocation lists that are read again once they change."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from fakes.command import QUICK_SOURCE, run_command
from fakes.faulty_pki import Pki
from fakes.peers import need
from fakes.process import Process, free_port
from fakes.site import AGENT, Archive, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Certificates of an agent by one CA and of an archive by another; nobody is revoked yet."""
    made = Pki(tmp_path_factory.mktemp("pki"))
    made.issue("agent")
    made.issue("caller")
    made.issue("archive", by="other")
    return made


@pytest.fixture
def site(tmp_path: Path, pki: Pki) -> Iterator[Site]:
    made = Site(tmp_path / "site", tls=pki.folder)
    yield made
    if made.agent is not None:
        made.agent.stop()


@pytest.fixture
def archive(tmp_path: Path, pki: Pki) -> Iterator[int]:
    port = free_port()
    command = [AGENT, "archive", "--port", str(port), "--directory", str(tmp_path / "received"), "--ae-title", "BENCH"]
    command += ["--ca", str(pki.folder / "ca.pem"), "--cert", str(pki.folder / "archive.pem")]
    with Process([*command, "--key", str(pki.folder / "archive.key")], tmp_path / "archive.log") as running:
        running.wait_listening(port)
        yield port


def test_a_ca_is_pinned_for_one_destination(site: Site, archive: int, pki: Pki) -> None:
    to_archive = {"name": "archive", "called_ae": "BENCH", "port": archive, "tls": True}
    site.configure(destinations=[to_archive], sources=[QUICK_SOURCE])
    agent = site.start()
    agent.wait_for("is not signed by a CA of")
    assert f"is not signed by a CA of {pki.folder}/ca.pem; its issuer is 'other'" in agent.log
    pinned: dict[str, Any] = {**to_archive, "tls_ca_file": str(pki.folder / "other.pem")}
    site.configure(destinations=[pinned], sources=[QUICK_SOURCE])
    agent.signal(signal.SIGHUP)
    agent.wait_until("commitment", lambda: site.all_in("committed", 1))
    done = run_command("echo", "--to", "archive", "--config", site.config)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("tls", [True, False])
def test_the_daemon_gives_the_same_hint_as_echo(site: Site, archive: int, tmp_path: Path, tls: bool) -> None:
    """TLS to a plain port, and none to a TLS port: in the log and in ``why``, of the destination and of an instance."""
    port, folder = free_port(), tmp_path / "plain"
    command = [AGENT, "archive", "--port", str(port), "--directory", str(folder), "--ae-title", "BENCH"]
    with Process(command, tmp_path / "plain.log") as plain:
        plain.wait_listening(port)
        to_archive = {"name": "archive", "called_ae": "BENCH", "port": port if tls else archive, "tls": tls}
        site.configure(destinations=[to_archive], sources=[QUICK_SOURCE])
        echoed = run_command("echo", "--to", "archive", "--config", site.config).stderr
        hint = echoed.partition("hint: ")[2].strip()
        assert ("TLS port" in hint) or ("Switch TLS on" in hint)
        agent = site.start()
        agent.wait_for("; next try in ")
        agent.wait_until("a deferred instance", lambda: site.all_in("deferred", 1))
        assert re.search(rf"; next try in \d+ s; {re.escape(hint)}", agent.log), agent.log
        for what in ("archive", site.rows()[0].uid):
            told = run_command("why", what, "--config", site.config).stdout
            assert hint in told, told
            assert ("'modality-agent queue retry --destination archive' tries at once" in told) is tls, told


def handshake(port: int, pki: Pki, name: str) -> bool:
    """Whether the listener takes the certificate ``name``: it says more than a refusal."""
    command = (need("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", "-CAfile", "ca.pem")
    command += ("-cert", f"{name}.pem", "-key", f"{name}.key")
    done = subprocess.run(command, cwd=pki.folder, input=b"", capture_output=True, timeout=20, check=False)
    return b"Cipher is ECDHE" in done.stdout and b"alert" not in done.stderr


def test_revocation_lists_are_read_again_once_they_change(site: Site, pki: Pki) -> None:
    pki.crl("now.crl", "ca")
    site.configure(destinations=[])
    text = site.config.read_text()
    site.config.write_text(text.replace("[tls]\n", f'[tls]\ncrl_file = "{pki.folder}/now.crl"\n'))
    agent = site.start()
    assert handshake(site.port, pki, "caller")
    pki.revoke("caller")
    pki.crl("now.crl", "ca")
    assert not handshake(site.port, pki, "caller")
    agent.wait_for("the certificate of 127.0.0.1 has been revoked by its CA, says")
    assert handshake(site.port, pki, "agent")


# --- certificates that end soon ------------------------------------------------------------------------


def in_days(days: float) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86_400))


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """The CA ends in 9 days, our certificate in 5, that of the archive in 50."""
    made = Pki(tmp_path_factory.mktemp("old"))
    made.issue("agent", dates=(in_days(-1), in_days(5)))
    made.issue("archive", dates=(in_days(-1), in_days(50)))
    return made


def date_of(pki: Pki, name: str) -> str:
    """Until when a certificate is valid, as OpenSSL reads it and we write it."""
    said = pki.openssl("x509", "-in", f"{name}.pem", "-noout", "-enddate", "-dateopt", "iso_8601")
    found = re.fullmatch(r"notAfter=(\S+) (\d\d:\d\d):\d\dZ\n", said)
    assert found is not None, said
    return f"{found.group(1)} {found.group(2)} UTC"


def test_the_end_of_certificates_is_told_everywhere(tmp_path: Path, old: Pki) -> None:
    site = Site(tmp_path / "site", tls=old.folder)
    archive = Archive(tmp_path / "archive", tls=old.folder)
    archive.start()
    ours = (
        f"our certificate, 'agent' in {old.folder}/agent.pem, expires on {date_of(old, 'agent')}, in less than 7 days"
    )
    theirs = f"a CA of peers, 'ca' in {old.folder}/ca.pem, expires on {date_of(old, 'ca')}, in less than 30 days"
    peer = f"expires on {date_of(old, 'archive')}, in less than 60 days"
    destination = {"name": "pacs", "called_ae": "BENCH", "port": archive.port, "tls": True}
    site.configure(destinations=[destination], sources=[QUICK_SOURCE])
    try:
        noted = run_command("config", "check", site.config)
        assert f"note: {ours}" in noted.stdout
        assert f"note: {theirs}" in noted.stdout
        agent = site.start()
        agent.wait_for(ours)
        agent.wait_for(theirs)
        agent.wait_until("commitment", lambda: site.all_in("committed", 1))
        agent.wait_for(f"its certificate {peer[:21]}")  # learned from the association
        agent.signal(signal.SIGHUP)
        agent.wait_for(f"the certificate 'archive' of pacs {peer}")
        known = run_command("tls", "show", "--config", site.config, "--json").json["peers"]
        assert [(row["destination"], row["subject"]) for row in known] == [("pacs", "archive")]
        said = old.openssl("x509", "-in", "archive.pem", "-noout", "-fingerprint", "-sha256")
        assert said.strip().partition("=")[2].replace(":", "").lower() == known[0]["sha256"]
        shown = run_command("status", "--config", site.config)
        assert f"tls: certificate: {ours}\ntls: certificate: {theirs}" in shown.stdout
        assert f"pacs: changed, its certificate {peer}" in shown.stdout
        assert run_command("status", "--config", site.config, "--json").json["certificates"] == [ours, theirs]
        told = run_command("why", "pacs", "--config", site.config).stdout
        assert f"certificate: its own {peer}\ncertificate: {ours}\ncertificate: {theirs}" in told
    finally:
        if site.agent is not None:
            site.agent.stop()
        archive.stop()


def test_a_flight_record_says_whether_the_session_was_resumed(tmp_path: Path, old: Pki) -> None:
    site = Site(tmp_path / "site", tls=old.folder)
    archive = Archive(tmp_path / "archive", tls=old.folder)
    archive.start()
    destination = {"name": "pacs", "called_ae": "BENCH", "port": archive.port, "tls": True}
    site.configure(destinations=[destination], sources=[{**QUICK_SOURCE, "captures": 2, "every_s": 5.0}])
    record = site.spool / "flight" / "pacs"
    try:
        agent = site.start()
        agent.wait_until("two associations", lambda: record.exists() and len(record.read_text().splitlines()) >= 3, 40)
    finally:
        site.stop()
        archive.stop()
    flights = [json.loads(line) for line in record.read_text().splitlines()[1:]]
    assert [flight["transport"]["resumed"] for flight in flights[:2]] == ["no", "yes"]
    assert {flight["transport"]["subject"] for flight in flights} == {"archive"}
