"""At a real console over a paced line: a file goes out, a certificate comes in and is pasted, the box is reset."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest
from fakes.box import PASSWORD, Box, Person
from fakes.command import run_command
from fakes.faulty_pki import Pki
from fakes.peers import need

pytestmark = pytest.mark.slow


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    (tmp_path / "pki").mkdir()
    return Pki(tmp_path / "pki")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "box").mkdir()
    config = tmp_path / "box/agent.toml"
    config.write_text('[agent]\nserial_number = "77"\n[spool]\npath = "spool"\n')
    return config


def there(box: Box, command: tuple[str, ...], folder: Path) -> subprocess.Popen[bytes]:
    """Start lrzsz on the laptop."""
    need(command[0])
    with open(box.far, "r+b", buffering=0) as tty:
        return subprocess.Popen(command, stdin=tty, stdout=tty, stderr=subprocess.DEVNULL, cwd=folder)


def test_a_file_goes_out_and_a_certificate_comes_in(config: Path, pki: Pki, tmp_path: Path) -> None:
    noise = 3e-4
    text = config.read_text() + "# " + "x" * 3000 + "\n"
    config.write_text(text)
    with Box(config) as box, Person(box.far) as person:
        person.first_log_in()
        box.terminals.line.noise = noise
        person.type("file send configuration\r")
        person.expect(r"Receive it now")
        peer = there(box, ("rz", "-q", "-b"), tmp_path)
        peer.wait(100)
        box.terminals.line.noise = 0.0
        said = person.expect(r"Sent: agent.toml, (\d+) bytes, SHA-256 (\w+)[\s\S]*> $")
        assert (tmp_path / "agent.toml").read_text() == text
        assert hashlib.sha256(text.encode()).hexdigest()[:32] in said
        box.terminals.line.noise = noise
        person.type("file receive ca\r")
        person.expect(r"Send it now")
        peer = there(box, ("sz", "-q", "-b", "ca.pem"), pki.folder)
        peer.wait(100)
        box.terminals.line.noise = 0.0
        said = person.expect(r"Keep it\?.*\[yes/no\] $")
        shown = pki.openssl("x509", "-in", "ca.pem", "-noout", "-fingerprint", "-sha256").strip().partition("=")[2]
        assert shown[:47] in said
        assert shown[48:] in said
        assert not (config.parent / "tls/ca.pem").exists()
        person.do("yes")
    kept = pki.openssl("x509", "-in", str(config.parent / "tls/ca.pem"), "-outform", "DER", "-out", "kept.der")
    pki.openssl("x509", "-in", "ca.pem", "-outform", "DER", "-out", "sent.der")
    assert kept == ""
    assert (pki.folder / "kept.der").read_bytes() == (pki.folder / "sent.der").read_bytes()


def test_a_transfer_that_nobody_begins_gives_the_line_back(config: Path) -> None:
    with Box(config) as box, Person(box.far) as person:
        person.first_log_in()
        person.type("file receive certificate\r")
        person.expect("Send it now.*aborts.")
        person.type("\x03")
        assert "Interrupted" in person.expect(r"> $")
        assert "modality-agent" in person.do("show version")


def test_a_certificate_is_pasted(config: Path, pki: Pki) -> None:
    """Nothing of it is echoed, nothing of it is a command; a chain has several blocks."""
    with Box(config) as box, Person(box.far) as person:
        person.first_log_in()
        person.do("tls request name box.example.org")
        (pki.folder / "box.csr").write_bytes((config.parent / "tls/agent.csr").read_bytes())
        pki.sign("box", by="middle", names="DNS:box.example.org")
        pem = (pki.folder / "box.pem").read_text() + (pki.folder / "middle.pem").read_text()
        person.type("tls import certificate\r")
        person.expect(r"\^C aborts\.\r\n$")
        person.type(pem.replace("\n", "\r") + "\r")
        said = person.expect(r"\[yes/no\] $")
        assert "BEGIN" not in said
        assert "our certificate: " in said
        assert "a CA above our certificate: middle" in said
        assert "set tls certificate_file" in person.do("yes")
        for line in ("tls import ca", "tls import certificate"):
            person.type(line + "\r")
            person.expect(r"\^C aborts\.\r\n$")
            person.type("-----BEGIN PRIVATE KEY-----\rAAAA\r-----END PRIVATE KEY-----\r\r")
            assert "holds a private key" in person.expect(r"> $")
        person.type("tls import ca\r")
        person.expect(r"\^C aborts\.\r\n$")
        person.type("-----BEGIN CERTIFICATE-----\rMIIB\x03")
        assert "Interrupted; nothing was kept." in person.expect(r"> $")
    shown = pki.openssl("x509", "-in", str(config.parent / "tls/certificate.pem"), "-noout", "-subject")
    assert "box" in shown or "CN" in shown
    assert not list(config.parent.rglob("ca.pem"))


def test_the_box_is_reset_by_its_name(config: Path) -> None:
    with Box(config) as box, Person(box.far) as person:
        person.first_log_in()
        host = person.do("show version").partition(" on ")[2].partition(" ")[0]
        person.do("tls request name box.example.org")
        for answers in (("no",), ("yes", "another")):
            said = person.do("factory reset", r"(\[yes/no\]|to do it:) $")
            assert "would be as at the first start" in said
            for answer in answers[:-1]:
                person.do(answer, r"to do it: $")
            assert "othing was changed" in person.do(answers[-1])
        assert list(config.parent.glob("tls/agent.key"))
        person.do("factory reset", r"\[yes/no\] $")
        person.do("yes", r"to do it: $")
        person.type(host + "\r")
        person.expect(r"First start: log in as admin")
        assert not list(config.parent.glob("tls/*"))
        person.first_log_in()
    record = (config.parent / "agent.toml.console/sessions").read_text()
    assert re.search(r"admin\tadmin\tfactory reset\tdone", record)
    assert PASSWORD not in record


def test_the_verb_says_what_stays(config: Path) -> None:
    done = run_command("reset", "--factory", "--dry-run", "--config", config, "--json")
    assert done.json["done"] is False
    assert done.json["stay"] == 0
    assert run_command("reset", "--config", config).returncode == 2
