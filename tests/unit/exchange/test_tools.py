"""Programs of the machine: who lacks one is told how to get it, and what one says when it fails is passed on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agent.errors import EncodeError, FileError, UsageError
from agent.exchange import carry, cms, tools
from agent.exchange.cms import Keys
from agent.media.profile import PROFILES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(("profile", "package"), [("STD-GEN-CD", "xorriso"), ("STD-GEN-DVD-JPEG", "genisoimage")])
def test_who_lacks_a_program_is_told_at_once(tmp_path: Path, profile: str, package: str) -> None:
    target = carry.target_of(str(tmp_path / "x.iso"), None)
    with pytest.raises(FileError, match="is not installed") as caught:
        carry.require_target(target, PROFILES[profile], str(tmp_path / "spool"))
    assert f"apt install {package}" in caught.value.hint


@pytest.mark.usefixtures("bare")
def test_encrypting_wants_openssl() -> None:
    with pytest.raises(FileError, match="openssl is not installed"):
        cms.check(Keys(("x.pem",)))


def test_the_last_words_of_a_program_that_fails() -> None:
    with pytest.raises(FileError, match="making a disc failed: no space"):
        tools.run((sys.executable, "-c", "import sys; sys.exit('first\\nno space')"), "making a disc")
    with pytest.raises(FileError, match="status 3"):
        tools.run((sys.executable, "-c", "raise SystemExit(3)"), "making a disc")
    with pytest.raises(FileError, match="No such file"):
        tools.run(("/nonexistent/program",), "making a disc")


def test_a_program_that_does_not_end_is_ended() -> None:
    with pytest.raises(FileError, match="making a disc was not done after 0 s and was ended"):
        tools.run((sys.executable, "-c", "import time; time.sleep(60)"), "making a disc", limit_s=0.1)


def test_keys_that_make_nothing(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no")
    with pytest.raises(FileError, match=r"no\.pem"):
        cms.check(Keys((str(tmp_path / "no.pem"),)))
    with pytest.raises(FileError, match="certificate and its key"):
        cms.check(Keys((), "", str(tmp_path / "no.pem")))


def test_a_recipient_is_an_rsa_certificate(tmp_path: Path) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed")

    def made(name: str, *kind: str) -> str:
        subprocess.run([program, "req", "-x509", "-nodes", "-subj", "/CN=x", "-newkey", *kind, "-keyout",
            tmp_path / f"{name}.key", "-out", tmp_path / f"{name}.pem"], check=True, capture_output=True)  # fmt: skip
        return str(tmp_path / f"{name}.pem")

    cms.check(Keys((made("rsa", "rsa:2048"),)))
    with pytest.raises(FileError, match=r"ec\.pem: its key is not RSA"):
        cms.check(Keys((made("ec", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),)))
    with pytest.raises(FileError, match=r"rsa\.key is a key, and a certificate is wanted"):
        cms.check(Keys((str(tmp_path / "rsa.key"),)))
    with pytest.raises(FileError, match=r"nofile\.pem: No such file"):
        cms.check(Keys((str(tmp_path / "nofile.pem"),)))


@pytest.mark.parametrize("data", [b"", b"\x30\x80", b"\x30\x03\x02\x01\x00", b"\x30\x80" * 300])
def test_what_openssl_made_must_be_what_was_asked_for(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(EncodeError, match="not the CMS"):
        cms.name_content(str(path), 2)
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("path", "profile", "words"),
    [
        ("x.iso", "STD-GEN-CD", ""),
        ("x.iso", "STD-GEN-USB-JPEG", "is for USB"),
        ("x.iso", "STD-GEN-BD-JPEG", "UDF"),
        ("x.zip", "STD-GEN-ZIP-MAIL", ""),
        ("x.zip", "STD-GEN-CD", "is for CD"),
        ("folder", "STD-GEN-ZIP-MAIL", "is for ZIP"),
        ("folder", "STD-GEN-CD", ""),  # to be burned
        ("x.zip", "none", ""),
    ],
)
def test_a_claim_that_the_target_cannot_keep_is_said(path: str, profile: str, words: str) -> None:
    said = carry.remarks(carry.target_of(path, None), PROFILES[profile])
    assert bool(said) == bool(words)
    assert words in "".join(said)


def test_targets_and_their_volumes() -> None:
    disc, stick = carry.target_of("a/x.iso", None), carry.target_of("a/stick/", None)
    assert (disc.kind, stick.kind) == (carry.IMAGE, carry.FOLDER)
    assert carry.numbered(disc, 2, 3).path == "a/x-2.iso"
    assert carry.numbered(stick, 2, 3).path == "a/stick/VOL2"
    assert carry.numbered(disc, 1, 1) == disc
    with pytest.raises(UsageError, match="encrypts every file"):
        carry.require_target(stick, PROFILES["STD-GEN-SEC-CD"], "spool")
    with pytest.raises(UsageError, match="does not encrypt"):
        carry.require_target(carry.target_of("a/", Keys(("x",))), PROFILES["STD-GEN-CD"], "spool")
