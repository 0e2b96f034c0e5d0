"""``tls request`` and ``tls show``: judged by openssl, by a CA that signs, and by a handshake."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.command import run_command
from fakes.faulty_pki import PAST, Pki
from fakes.process import Process, free_port
from fakes.site import AGENT, Site
from fakes.tls_profile import CONF

if TYPE_CHECKING:
    from collections.abc import Iterator

BOTH_KINDS = "X509v3 Extended Key Usage: TLS Web Server Authentication, TLS Web Client Authentication"


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    made = Pki(tmp_path)
    made.issue("archive")
    return made


@pytest.fixture
def site(tmp_path: Path, pki: Pki) -> Iterator[Site]:
    """An agent whose key and certificate are still to be made."""
    made = Site(tmp_path / "site", tls=pki.folder)
    made.configure(destinations=[], agent={"institution_name": "Klinik A/B + C"})
    yield made
    if made.agent is not None:
        made.agent.stop()


def request(pki: Pki, name: str = "agent") -> str:
    """What openssl reads in a request, after it has verified its signature."""
    return pki.openssl("req", "-in", f"{name}.csr", "-verify", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus")


def test_key_request_certificate_handshake(site: Site, pki: Pki, tmp_path: Path) -> None:
    """The whole way: the box makes key and request, a CA signs, the archive takes the certificate."""
    names = ("--name", "localhost", "--name", "127.0.0.1")
    done = run_command("tls", "request", "--config", site.config, *names, "--subject", "unit7.example.org")
    assert done.returncode == 0, done.stderr
    assert f"key      {pki.folder}/agent.key (new, mode 0600; it stays on this box)" in done.stdout
    assert f"keeps it as {pki.folder}/agent.pem" in done.stdout
    assert (pki.folder / "agent.key").stat().st_mode & 0o777 == 0o600
    said = request(pki)
    assert "O=Klinik A/B + C,CN=unit7.example.org" in said
    assert "DNS:localhost, IP Address:127.0.0.1" in said
    assert BOTH_KINDS in " ".join(said.split())
    assert "ASN1 OID: prime256v1" in said
    pki.sign("agent", names="DNS:localhost,IP:127.0.0.1")
    assert run_command("config", "check", site.config).returncode == 0
    port = free_port()
    command = [
        AGENT,
        "archive",
        "--port",
        str(port),
        "--directory",
        str(tmp_path / "got"),
        "--ca",
        f"{tmp_path}/ca.pem",
    ]
    command += ["--cert", f"{tmp_path}/archive.pem", "--key", f"{tmp_path}/archive.key", "--ae-title", "BENCH"]
    with Process(command, tmp_path / "archive.log") as archive:
        archive.wait_listening(port)
        to = {"name": "pacs", "called_ae": "BENCH", "port": port, "tls": True}
        site.configure(destinations=[to])
        done = run_command("echo", "--to", "pacs", "--config", site.config)
        assert done.returncode == 0, done.stderr


def test_a_key_is_never_replaced(site: Site, pki: Pki) -> None:
    assert run_command("tls", "request", "--config", site.config).returncode == 0
    key = (pki.folder / "agent.key").read_bytes()
    first = (pki.folder / "agent.csr").read_bytes()
    done = run_command("tls", "request", "--config", site.config)
    assert done.returncode == 3
    assert "agent.key already exists, and a key is never replaced" in done.stderr
    assert "--same-key" in done.stderr
    done = run_command("tls", "request", "--config", site.config, "--same-key", "--name", "other.example.org")
    assert done.returncode == 0, done.stderr
    assert (pki.folder / "agent.key").read_bytes() == key
    assert (pki.folder / "agent.csr").read_bytes() != first
    assert "DNS:other.example.org" in request(pki)
    done = run_command("tls", "request", "--config", site.config, "--same-key", "-o", pki.folder / "archive.pem")
    assert done.returncode == 3
    assert "archive.pem already exists and is no request" in done.stderr


def test_a_new_certificate_for_the_same_key_keeps_the_names(site: Site, pki: Pki) -> None:
    names = ("--name", "unit7.example.org", "--name", "10.0.0.7", "--subject", "unit7")
    assert run_command("tls", "request", "--config", site.config, *names).returncode == 0
    pki.sign("agent", names="DNS:unit7.example.org,IP:10.0.0.7")
    done = run_command("tls", "request", "--config", site.config, "--same-key")
    assert done.returncode == 0, done.stderr
    assert "DNS:unit7.example.org, IP Address:10.0.0.7" in request(pki)
    assert "CN=unit7\n" in request(pki)


@pytest.mark.parametrize("subject", ["CN=box1,O=Hospital", "/CN=box1", "O=Hospital"])
def test_a_whole_subject_is_no_common_name(subject: str, pki: Pki) -> None:
    key = pki.folder / "new.key"
    done = run_command("tls", "request", "--key", key, "--subject", subject, "--name", "h")
    assert done.returncode == 2
    assert "the Common Name alone is wanted" in done.stderr
    assert not key.exists()


@pytest.mark.parametrize(
    ("kind", "words"), [("rsa-2048", "(2048 bit"), ("rsa-3072", "(3072 bit"), ("p-256", "(256 bit")]
)
def test_kinds_of_keys_without_a_configuration(kind: str, words: str, pki: Pki) -> None:
    key = pki.folder / "new.key"
    done = run_command("tls", "request", "--key", key, "--kind", kind, "--subject", "box", "--name", "h", "--json")
    assert done.returncode == 0, done.stderr
    assert words in request(pki, "new")
    assert done.json["request"] == str(pki.folder / "new.csr")
    der = subprocess.run(
        ("openssl", "req", "-in", "new.csr", "-noout", "-pubkey"), cwd=pki.folder, capture_output=True, check=True
    ).stdout
    digest = pki.openssl("pkey", "-pubin", "-in", _file(pki, "pub.pem", der), "-outform", "DER", "-out", "pub.der")
    digest = pki.openssl("dgst", "-sha256", "-r", "pub.der").split()[0]
    assert done.json["public_key_sha256"] == digest


def _file(pki: Pki, name: str, data: bytes) -> str:
    (pki.folder / name).write_bytes(data)
    return name


def test_without_openssl_it_says_what_to_install(pki: Pki, tmp_path: Path) -> None:
    env = {**os.environ, "PATH": str(tmp_path / "empty")}
    command = [AGENT, "tls", "request", "--key", str(tmp_path / "x.key"), "--name", "h"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=20, check=False)
    assert done.returncode == 3
    assert "the 'openssl' command is not installed" in done.stderr
    assert "apt install openssl" in done.stderr
    assert not list(tmp_path.glob("x.*"))


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("request", "--key", "x.key", "--name", "a,DNS:evil"), 2, "neither the name of a host nor an address"),
        (("request", "--key", "x.key", "--same-key", "--kind", "p-256"), 2, "--kind is of a new key"),
        (("show", "--key", "x.key"), 2, "tls show has no use for --key"),
        (("request", "--key", "/none/x.key"), 3, "there is no folder /none"),
        (("request", "--key", "/none/x.key", "--same-key"), 3, "openssl req failed"),
    ],
)
def test_command_lines_that_cannot_work(words: tuple[str, ...], status: int, message: str) -> None:
    done = run_command("tls", *words)
    assert done.returncode == status
    assert message in done.stderr
    assert not Path("x.key").exists()


def test_show_says_what_openssl_says(site: Site, pki: Pki) -> None:
    pki.issue("agent")
    pki.crl("now.crl", "ca")
    text = site.config.read_text()
    site.config.write_text(text.replace("[tls]\n", f'[tls]\ncrl_file = "{pki.folder}/now.crl"\n'))
    shown = run_command("tls", "show", "--config", site.config, "--json").json
    assert [row["what"] for row in shown["certificates"]] == ["our certificate", "a CA of peers"]
    for row, name in zip(shown["certificates"], ("agent", "ca"), strict=True):
        said = pki.openssl("x509", "-in", f"{name}.pem", "-noout", "-fingerprint", "-sha256")
        assert said.strip().partition("=")[2].replace(":", "").lower() == row["sha256"]
        until = pki.openssl("x509", "-in", f"{name}.pem", "-noout", "-enddate", "-dateopt", "iso_8601")
        assert row["valid_until"][:16] in until
        assert row["subject"] == name
        assert row["issuer"] == "ca"
    assert shown["lists"][0]["issuer"] == "ca"
    assert shown["problem"] == ""
    people = run_command("tls", "show", "--config", site.config).stdout
    assert re.search(rf"our certificate: agent\n  issued by  ca\n(  .*\n)*  file       {pki.folder}/agent.pem", people)
    assert pki.openssl("x509", "-in", "agent.pem", "-noout", "-fingerprint", "-sha256").strip()[-47:] in people
    assert shown["chain"] == {"subjects": ["agent", "ca"], "sent": ["agent"], "complete": True, "issuer": "ca",
                              "strangers": []}  # fmt: skip
    assert "our chain: agent <- ca; sent to peers: agent\n" in people
    assert "as server: PS3.15 B.12; not B.13: a server must have TLS_AES_128_CCM_SHA256" in people


def test_show_marks_a_list_that_is_old_and_one_that_is_missing(site: Site, pki: Pki) -> None:
    pki.issue("agent")
    pki.crl("old.crl", "other", dates=PAST)
    text = site.config.read_text()
    site.config.write_text(text.replace("[tls]\n", f'[tls]\ncrl_file = "{pki.folder}/old.crl"\n'))
    for words in (("tls", "show", "--config"), ("config", "check", "--config")):
        said = run_command(*words, site.config).stdout
        assert f"the revocation list of 'other' in {pki.folder}/old.crl expired on 2020-02-01" in said
        assert f"'ca' in {pki.folder}/ca.pem, has no revocation list in {pki.folder}/old.crl" in said


def test_show_says_what_is_wrong(site: Site, pki: Pki) -> None:
    pki.issue("agent")
    (pki.folder / "agent.key").write_bytes((pki.folder / "archive.key").read_bytes())
    done = run_command("tls", "show", "--config", site.config)
    assert done.returncode == 0
    assert f"problem: key {pki.folder}/agent.key does not belong to certificate {pki.folder}/agent.pem" in done.stdout


def test_show_says_which_profile_is_kept(site: Site, pki: Pki) -> None:
    """``scripts/tls_profile`` measures the same from outside."""
    pki.issue("agent")
    command = [AGENT, "tls", "show", "--config", str(site.config)]
    env = {**os.environ, "OPENSSL_CONF": str(CONF)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=20, check=True)
    assert "as client: PS3.15 B.12 and B.13\nas server: PS3.15 B.12 and B.13\n" in done.stdout
