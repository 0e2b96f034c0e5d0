"""Media that are none yet: disc images, archives, encrypted sets; each verb says what to do first."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest
from fakes import masters
from fakes.media_cli import CONFIG

from agent.app import cli
from agent.dataset import uid

if TYPE_CHECKING:
    from pathlib import Path

VERBS = ("check", "list", "import")


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A folder with an instance that nobody asked for."""
    (tmp_path / "agent.toml").write_text(CONFIG)
    masters.write(tmp_path, "sc", uid.EXPLICIT_VR_LE)
    return tmp_path


def run(box: Path, verb: str, path: Path) -> int:
    more = ("--config", str(box / "agent.toml")) if verb == "import" else ()
    return cli.main(["media", verb, str(path), *more])


def image(path: Path) -> Path:
    program = shutil.which("xorriso")
    if program is None:
        path.write_bytes(bytes(16 * 2048) + b"\x01CD001\x01".ljust(2048, b"\0"))
        return path
    (path.parent / "in").mkdir()
    (path.parent / "in" / "FILE").write_text("x")
    subprocess.run(
        [program, "-as", "mkisofs", "-quiet", "-o", path, path.parent / "in"], check=True, capture_output=True
    )
    return path


def archive(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("DICOMDIR", b"x")
    return path


@pytest.mark.parametrize("verb", VERBS)
def test_an_image_and_an_archive_say_how_they_are_opened(
    box: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = image(box / "x.iso")
    assert run(box, verb, made) == 3
    said = capsys.readouterr()
    assert (f"mount -o loop,ro {made}" in said.err, said.out) == (True, "")
    made = archive(box / "x.bin")
    assert run(box, verb, made) == 3
    said = capsys.readouterr()
    assert (f"unzip {made}" in said.err, said.out) == (True, "")


@pytest.mark.parametrize("verb", ["check", "list"])
def test_a_file_never_makes_it_look_at_the_folder_around(
    box: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (box / "text.txt").write_text("no")
    for path in (box / "text.txt", next(box.glob("*.dcm"))):
        assert run(box, verb, path) == 3
        said = capsys.readouterr()
        assert ("is a file, and no DICOMDIR" in said.err, said.out) == (True, "")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("signed", [False, True])
def test_an_encrypted_medium_is_not_called_damaged(
    box: Path, verb: str, signed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """What openssl makes: BER with -stream, DER without."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed")
    key, certificate = box / "me.key", box / "me.pem"
    subprocess.run([program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=me", "-keyout", key, "-out",
        certificate], check=True, capture_output=True)  # fmt: skip
    words = ["-sign", "-nodetach", "-signer", certificate, "-inkey", key] if signed else ["-encrypt", certificate]
    (box / "set").mkdir()
    (box / "plain").write_bytes(b"x" * 100)
    how = [*words[:1], "-binary", "-outform", "DER", "-in", box / "plain", "-out", box / "set" / "DICOMDIR"]
    for stream in ([], ["-stream"]):
        subprocess.run([program, "cms", *how, *stream, *words[1:]], check=True, capture_output=True)
        for path in (box / "set", box / "set" / "DICOMDIR"):
            assert run(box, verb, path) == 3
            said = capsys.readouterr()
            assert f"is {'signed' if signed else 'encrypted'} (CMS" in said.err
            assert f"openssl cms -{'verify' if signed else 'decrypt'}" in said.err
            assert "damaged" not in said.err
