"""Encrypted media back into the spool: ours, those of others made with ``openssl cms``, and those that mean harm."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from fakes import exports, masters
from fakes.media_cli import CONFIG
from fakes.peers import need as need_program

from agent.app import cli
from agent.dataset import uid
from agent.exchange import opening
from agent.exchange.carry import Target, carry
from agent.exchange.cms import Keys
from agent.exchange.export import Request
from agent.media.profile import PROFILES
from agent.spool.names import STAGES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECURE = "STD-GEN-SEC-USB-JPEG"


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _fd: None)


def openssl(*words: object) -> None:
    subprocess.run([need_program("openssl"), *map(str, words)], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Who may open, who signs, and another."""
    folder = tmp_path_factory.mktemp("people")
    for name in ("reader", "signer", "other"):
        words = ("-newkey", "rsa:2048", "-nodes", "-keyout", folder / f"{name}.key", "-days", "2")
        openssl("req", "-x509", *words, "-subj", f"/CN={name}", "-out", folder / f"{name}.pem")
    return folder


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "agent.toml").write_text(CONFIG)
    return tmp_path


def bring(box: Path, *words: object) -> int:
    status = cli.main(["media", "import", "--config", str(box / "agent.toml"), *map(str, words)])
    assert not (box / "spool" / STAGES).exists()
    return status


@pytest.mark.parametrize("signed", [False, True])
def test_what_we_have_encrypted_comes_back_once(
    box: Path, people: Path, capsys: pytest.CaptureFixture[str], *, signed: bool
) -> None:
    root, out = exports.filled(box / "other", exports.KINDS[:2]), box / "out"
    out.mkdir()
    signer = (str(people / "signer.pem"), str(people / "signer.key")) if signed else ()
    keys = Keys((str(people / "other.pem"), str(people / "reader.pem")), *signer)
    request = Request(exports.pieces(root, SECURE), PROFILES[SECURE], "T")
    carry(request, Target(str(out), "folder", keys), lambda *_: None, spool=str(root))
    key = ("--key", people / "reader.key")
    assert bring(box, out) == 3
    assert "media import --key" in capsys.readouterr().err
    assert bring(box, out, *key) == 0
    said = capsys.readouterr()
    assert "2 new instances in the spool, 0 there already, 0 refused" in said.out
    assert ("signed by nobody knows whom" in said.err) == signed
    assert bring(box, out, *key, "--cert", people / "reader.pem", "--files", "--json") == 0
    assert json.loads(capsys.readouterr().out)["same"] == 2
    if signed:
        assert bring(box, out, *key, "--trust", people / "signer.pem") == 0
        assert "nobody" not in capsys.readouterr().err
    assert bring(box, out, *key, "--trust", people / "other.pem") != 0
    assert ("for this authority" if signed else "it is not signed") in capsys.readouterr().err


def made(folder: Path, people: Path, inside: tuple[str, ...], outside: tuple[str, ...]) -> Path:
    """One file as somebody else wraps it, with lengths or without."""
    clear = masters.write(folder, "sc", uid.EXPLICIT_VR_LE)
    inner, path = folder / "inner", folder / "file"
    if inside:
        openssl("cms", *inside, "-binary", "-outform", "DER", "-in", clear, "-out", inner)
    else:
        inner = clear
    openssl(
        "cms", "-encrypt", *outside, "-binary", "-outform", "DER", "-in", inner, "-out", path, people / "reader.pem"
    )
    return path


@pytest.mark.parametrize("outside", [("-aes-128-cbc",), ("-aes-192-cbc", "-stream"), ("-des3",)])
@pytest.mark.parametrize("inside", ["digest", "signed"])
def test_what_others_make_is_read(box: Path, people: Path, inside: str, outside: tuple[str, ...]) -> None:
    """Every algorithm that a reader must know (PS3.15 D.1)."""
    words = ("-digest_create", "-md", "sha512")
    if inside == "signed":
        pair = ("-signer", str(people / "signer.pem"), "-inkey", str(people / "signer.key"))
        words = ("-sign", "-nodetach", "-md", "sha384", *pair)
    path = made(box, people, words, outside)
    assert bring(box, path, "--key", people / "reader.key") == 0
    assert len(exports.held(box / "spool")) == 1


def flip(at: float) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        where = int(len(data) * at)
        return data[:where] + bytes([data[where] ^ 1]) + data[where + 1 :]

    return change


DIGEST = ("-digest_create", "-md", "sha256")
HOSTILE: dict[str, tuple[tuple[str, ...], Callable[[bytes], bytes], str]] = {
    "cut": (DIGEST, lambda data: data[:-1000], ""),
    "only a head": (DIGEST, lambda data: data[:40], ""),
    "a byte changed": (DIGEST, flip(0.7), ""),
    "another recipient": (DIGEST, flip(0.01), ""),
    "a length of 2^40": (DIGEST, lambda data: data[:1] + b"\x85" + b"\1\0\0\0\0" + data[4:], ""),
    "no digest, no signature": ((), lambda data: data, "neither signed nor has a digest"),
    "encrypted twice": (DIGEST, lambda data: data, "neither signed nor has a digest"),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_what_is_hostile_or_damaged_is_refused_in_words(
    box: Path, people: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    inside, change, words = HOSTILE[how]
    path = made(box, people, inside, ("-aes-256-cbc",))
    if how == "encrypted twice":
        path.rename(box / "once")
        openssl("cms", "-encrypt", "-aes256", "-binary", "-outform", "DER", "-in", box / "once", "-out", path,
                people / "reader.pem")  # fmt: skip
    path.write_bytes(change(path.read_bytes()))
    assert bring(box, path, "--key", people / "reader.key") != 0
    said = capsys.readouterr().err
    assert "modality-agent: error: " in said
    assert "hint: " in said
    assert words in said
    assert exports.held(box / "spool") == []


def test_content_that_is_not_what_was_digested_is_refused(
    box: Path, people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever has the recipient's certificate can encrypt; the digest is inside."""
    clear = masters.write(box, "sc", uid.EXPLICIT_VR_LE)
    openssl("cms", *DIGEST, "-binary", "-outform", "DER", "-in", clear, "-out", box / "inner")
    (box / "inner").write_bytes(flip(0.6)((box / "inner").read_bytes()))
    words = ("-encrypt", "-aes256", "-binary", "-outform", "DER", "-in", box / "inner", "-out", box / "file")
    openssl("cms", *words, people / "reader.pem")
    assert bring(box, box / "file", "--key", people / "reader.key") != 0
    assert "its digest is another: it is not what was written" in capsys.readouterr().err


def test_keys_that_open_nothing(box: Path, people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = made(box, people, DIGEST, ("-aes256",))
    openssl("pkey", "-in", people / "reader.key", "-aes256", "-passout", "pass:x", "-out", box / "secret.key")
    for words, said in (
        (("--key", people / "other.key"), "another"),  # one in 256 opens to rubbish, and says it otherwise
        (("--key", people / "other.pem"), "is no private key"),
        (("--key", box / "secret.key"), "has a passphrase"),
        (("--key", box / "none.key"), "none.key"),
        (("--key", people / "reader.key", "--cert", people / "reader.key"), "is no certificate"),
        (("--cert", people / "reader.pem"), "need a --key"),
    ):
        assert bring(box, path, *words) != 0
        assert said in capsys.readouterr().err, said


def test_what_memory_does_not_hold_is_refused(
    box: Path, people: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(opening, "_available", lambda: 4000)
    path = made(box, people, DIGEST, ("-aes256",))
    assert bring(box, path, "--key", people / "reader.key") != 0
    assert "more than the 1000 that there is memory for" in capsys.readouterr().err
