"""``tls import``: what a CA returned is judged before it is kept; OpenSSL says what each file is."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Protocol

import pytest
from fakes.command import run_command
from fakes.faulty_pki import Pki, make_faulty
from fakes.site import AGENT

from agent.app.cli import main


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    made = make_faulty(tmp_path_factory.mktemp("pki"))
    made.bundle("swapped.pem", "middle.pem", "leaf.pem")
    made.bundle("with-stranger.pem", "leaf.pem", "other.pem")
    made.bundle("with-key.pem", "leaf.pem", "leaf.key")
    made.openssl("x509", "-in", "leaf.pem", "-outform", "DER", "-out", "leaf.der")
    made.openssl("pkcs12", "-export", "-in", "leaf.pem", "-inkey", "leaf.key", "-passout", "pass:", "-out", "leaf.p12")
    made.openssl("crl2pkcs7", "-nocrl", "-certfile", "leaf.pem", "-out", "leaf.p7b")
    made.openssl("pkcs8", "-topk8", "-nocrypt", "-in", "leaf.key", "-outform", "DER", "-out", "leaf.p8")
    (made.folder / "text.pem").write_text("Dear technician,\n" + (made.folder / "leaf.pem").read_text() + "Regards\n")
    (made.folder / "crlf.pem").write_bytes(
        (made.folder / "leaf.pem").read_bytes().replace(b"\n", b"\r\n") + b"\x1a" * 90
    )
    text = (made.folder / "leaf.pem").read_text()
    (made.folder / "cut.pem").write_text(text[: len(text) // 2])
    (made.folder / "bad.pem").write_text(text[:200] + "%" + text[201:])
    (made.folder / "huge.pem").write_text(text + "#" * 70_000)
    return made


@pytest.fixture
def config(tmp_path: Path, pki: Pki) -> Path:
    """A box whose key is that of ``leaf``."""
    (tmp_path / "box.key").write_bytes((pki.folder / "leaf.key").read_bytes())
    (tmp_path / "box.key").chmod(0o600)
    (tmp_path / "agent.toml").write_text(
        '[spool]\npath = "spool"\n[tls]\ncertificate_file = "box.pem"\nkey_file = "box.key"\nca_file = "ca.pem"\n'
        'crl_file = "lists.crl"\n[[destination]]\nname = "pacs"\ncalled_ae = "A"\nhost = "h"\n'
    )
    return tmp_path / "agent.toml"


class Take(Protocol):
    def __call__(self, config: Path, what: str, file: Path, *words: str) -> tuple[int, str, str]: ...


@pytest.fixture
def take(capsys: pytest.CaptureFixture[str]) -> Take:
    """Run the verb here: most of these are refusals, and forty processes would be most of the time."""

    def run(config: Path, what: str, file: Path, *words: str) -> tuple[int, str, str]:
        status = main(["tls", "import", what, str(file), "--config", str(config), *words])
        return status, *capsys.readouterr()

    return run


@pytest.mark.parametrize("name", ["below.pem", "swapped.pem", "leaf.pem", "leaf.der", "text.pem", "crlf.pem"])
def test_what_matches_our_key_is_kept_as_openssl_reads_it(name: str, pki: Pki, config: Path, take: Take) -> None:
    status, said, _ = take(config, "certificate", pki.folder / name)
    assert status == 0
    kept = config.parent / "box.pem"
    shown = pki.openssl("x509", "-in", str(kept), "-noout", "-fingerprint", "-sha256").strip().partition("=")[2]
    assert (
        shown == pki.openssl("x509", "-in", "leaf.pem", "-noout", "-fingerprint", "-sha256").strip().partition("=")[2]
    )
    assert f"  SHA-256    {shown[:47]}\n             {shown[48:]}\n" in said
    untrusted = ("-untrusted", str(kept)) if name in ("below.pem", "swapped.pem") else ("-untrusted", "middle.pem")
    assert "OK" in pki.openssl("verify", "-CAfile", "ca.pem", *untrusted, str(kept))
    assert b"Dear" not in kept.read_bytes()
    assert b"PRIVATE" not in kept.read_bytes()


@pytest.mark.parametrize(
    ("what", "name", "said"),
    [
        ("certificate", "good.pem", "does not match our key: 'good' in it is for another one"),
        ("certificate", "rsa-2048.pem", "does not match our key: 'rsa-2048' in it is for another one"),
        ("certificate", "with-stranger.pem", "'other' stands above none of the others"),
        ("certificate", "with-key.pem", "holds a private key"),
        ("certificate", "leaf.key", "holds a private key"),
        ("certificate", "leaf.p8", "holds a private key"),
        ("certificate", "leaf.p12", "holds a private key"),
        ("certificate", "leaf.p7b", "line 1: this is a PKCS #7 bundle: 'openssl pkcs7 -print_certs'"),
        ("certificate", "leaf.csr", "line 1: this is a certificate request: that is what the CA gets"),
        ("certificate", "leaf.ext", "holds nothing in PEM form"),
        ("certificate", "cut.pem", "line 1: the block is damaged: it has no end: was everything sent?"),
        ("certificate", "bad.pem", "line 1: the block is damaged: characters of it are missing or wrong"),
        ("certificate", "huge.pem", "has more than 64 KiB"),
        ("certificate", "all.crl", "holds a revocation list (CRL), no certificate"),
        ("certificate", "none.pem", "none.pem: No such file"),
        ("ca", "leaf.pem", "'leaf' is no CA: its basic constraints do not say so"),
        ("ca", "self-signed.pem", "'self-signed' is no CA"),
        ("ca", "expired.pem", "'expired' expired on 2020-02-01 00:00 UTC (this box's clock says 20"),
        ("ca", "future.pem", "'future' is not valid before 2099-01-01 00:00 UTC (this box's clock says 20"),
        ("ca", "small-ca.pem", "has an ECC key of 224 bits; 256 are the least"),
        ("crl", "ca.pem", "holds a certificate, no revocation list"),
        ("crl", "old.crl", "the revocation list of 'ca' expired on 2020-02-01"),
        ("crl", "new.crl", "the revocation list of 'ca' is not valid before 2099-01-01"),
    ],
)
def test_what_is_of_no_use_is_refused_and_nothing_changes(
    what: str, name: str, said: str, pki: Pki, config: Path, take: Take
) -> None:
    before = sorted(config.parent.iterdir())
    status, out, error = take(config, what, pki.folder / name)
    assert status in (3, 10)
    assert said in error
    assert out == ""
    assert sorted(config.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "said"), [("expired", "expired on 2020-02-01"), ("future", "Is the clock of this box")]
)
def test_our_own_certificate_out_of_its_time(name: str, said: str, pki: Pki, config: Path, take: Take) -> None:
    (config.parent / "box.key").write_bytes((pki.folder / f"{name}.key").read_bytes())
    status, _, error = take(config, "certificate", pki.folder / f"{name}.pem")
    assert status == 10
    assert said in error


def test_the_old_one_stays_beside_and_the_same_again_changes_nothing(pki: Pki, config: Path, take: Take) -> None:
    kept = config.parent / "ca.pem"
    assert take(config, "ca", pki.folder / "ca.pem")[1].endswith(f"kept as {kept}\nin use with the next connection\n")
    first, inode = kept.read_bytes(), kept.stat().st_ino
    assert "holds just this: nothing to do" in take(config, "ca", pki.folder / "ca.pem")[1]
    assert kept.stat().st_ino == inode
    status, said, _ = take(config, "ca", pki.folder / "other.pem", "--dry-run")
    assert (status, kept.read_bytes()) == (0, first)
    assert "would be kept" in said
    assert f"what was there is {kept}.old" in take(config, "ca", pki.folder / "other.pem")[1]
    assert (config.parent / "ca.pem.old").read_bytes() == first
    assert take(config, "ca", config.parent / "ca.pem.old")[0] == 0  # the way back
    assert kept.read_bytes() == first


def test_a_ca_may_be_added_and_a_list_takes_the_place_of_that_of_its_ca(pki: Pki, config: Path, take: Take) -> None:
    take(config, "ca", pki.folder / "ca.pem")
    done = run_command("tls", "import", "ca", pki.folder / "other.pem", "--add", "--config", config, "--json")
    assert [row["subject"] for row in done.json["certificates"]] == ["ca", "other"]
    _, said, _ = take(config, "ca", pki.folder / "middle.pem")
    assert "note: 'middle' is no root: it vouches for peers only once 'ca' is here too" in said
    take(config, "crl", pki.folder / "all.crl")
    done = run_command("tls", "import", "crl", pki.folder / "ca.crl", "--add", "--config", config, "--json")
    assert [text[:12] for text in done.json["lists"]] == ["'middle': 0 ", "'ca': 1 revo"]
    shown = pki.openssl("crl", "-in", str(config.parent / "lists.crl"), "-noout", "-issuer")
    assert "middle" in shown


def test_one_peer_may_be_pinned_to_what_signed_itself(pki: Pki, config: Path, take: Take) -> None:
    pem = (pki.folder / "self-signed.pem").read_bytes()
    command = [AGENT, "tls", "import", "ca", "-", "--destination", "pacs", "--config", str(config)]
    done = subprocess.run(command, input=pem, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert b"note: 'self-signed' signed itself and vouches for nobody but itself" in done.stdout
    path = config.parent / "tls/ca-pacs.pem"
    assert f"not yet in use: set destination pacs tls_ca_file {path}" in done.stdout.decode()
    assert path.exists()
    status, _, error = take(config, "ca", pki.folder / "ca.pem", "--destination", "pax")
    assert (status, "no destination is called 'pax'" in error) == (3, True)


def test_a_ca_with_the_same_name_and_another_key_is_not_taken_for_it(
    tmp_path: Path, pki: Pki, config: Path, take: Take
) -> None:
    again = tmp_path / "again"
    again.mkdir()
    false_middle = Pki(again)
    (tmp_path / "mixed.pem").write_bytes(
        (pki.folder / "leaf.pem").read_bytes() + (false_middle.folder / "middle.pem").read_bytes()
    )
    status, _, error = take(config, "certificate", tmp_path / "mixed.pem")
    assert status == 10
    assert "'middle' does not vouch for 'leaf': " in error


def test_from_nothing_to_a_certificate(tmp_path: Path, pki: Pki, take: Take) -> None:
    """No key of [tls] is set: everything goes beside the configuration, and the box says what to set."""
    config = tmp_path / "agent.toml"
    config.write_text("")
    status, _, error = take(config, "certificate", pki.folder / "leaf.pem")
    assert (status, "this box has no key yet" in error) == (10, True)
    done = run_command("tls", "request", "--config", config, "--name", "localhost", "--subject", "first")
    assert done.returncode == 0, done.stderr
    assert f"not yet in use: set tls key_file {tmp_path}/tls/agent.key" in done.stdout
    (pki.folder / "first.csr").write_bytes((tmp_path / "tls/agent.csr").read_bytes())
    pki.sign("first")
    status, said, error = take(config, "certificate", pki.folder / "first.pem")
    assert status == 0, error
    assert f"not yet in use: set tls certificate_file {tmp_path}/tls/certificate.pem" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import",), "needs what it is"),
        (("import", "certificate"), "needs what it is"),
        (("import", "key", "x"), "'key' is not one of certificate, ca, crl"),
        (("import", "crl", "x", "--destination", "p"), "--destination is for a CA"),
        (("import", "certificate", "x", "--add"), "--add is for CAs and lists"),
        (("show", "ca"), "nothing is known about 'ca'"),
        (("request", "--dry-run"), "tls request has no use for --dry-run"),
    ],
)
def test_command_lines_that_cannot_work(words: tuple[str, ...], said: str) -> None:
    done = run_command("tls", *words)
    assert done.returncode == 2
    assert said in done.stderr
