"""What ``send`` says of a refusal: once, in words, and what can be done about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.command import run_command
from fakes.process import free_port
from pynetdicom import AE, evt

from agent.dataset.uid import EXPLICIT_VR_LE, US_MULTIFRAME

SOURCE = "pattern:us-rgb?rows=64&columns=64&rate_hz=100"


@pytest.fixture
def plain_peer() -> Iterator[str]:
    """A peer that takes clips, but not compressed ones."""
    entity = AE("PLAIN")
    entity.add_supported_context(US_MULTIFRAME, EXPLICIT_VR_LE)
    port = free_port()
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, lambda _: 0x0000)])
    yield f"PLAIN@127.0.0.1:{port}"
    server.shutdown()


def test_a_refusal_names_class_and_syntax_in_words(plain_peer: str, tmp_path: Path) -> None:
    clip = tmp_path / "clip.dcm"
    words = ("--source", SOURCE, "--frames", 2, "--transfer-syntax", "rle", "-o", clip)
    assert run_command("capture", *words).returncode == 0
    done = run_command("send", "--to", plain_peer, clip)
    assert done.returncode == 26
    assert done.stderr.count("refused Ultrasound Multi-frame Image Storage in RLE Lossless: ") == 1
    assert "hint: Nearly every peer takes Explicit VR Little Endian: 'send --lossless-copy' sends" in done.stderr
    assert done.stdout == "0 of 1 file stored\n"
    done = run_command("send", "--to", plain_peer, clip, clip)
    assert f"{clip}: not sent: PLAIN@" in done.stdout


def test_a_dead_peer_is_said_once(tmp_path: Path) -> None:
    image = tmp_path / "image.dcm"
    assert run_command("capture", "--source", SOURCE, "--frames", 1, "-o", image).returncode == 0
    done = run_command("send", "--to", f"X@127.0.0.1:{free_port()}", image)
    assert done.returncode == 20
    assert (done.stdout + done.stderr).count("nothing listens") == 1


def test_a_file_cut_by_one_byte_is_not_completed(plain_peer: str, tmp_path: Path) -> None:
    clip, cut = tmp_path / "clip.dcm", tmp_path / "cut.dcm"
    assert run_command("capture", "--source", SOURCE, "--frames", 2, "-o", clip).returncode == 0
    cut.write_bytes(clip.read_bytes()[:-1])
    done = run_command("send", "--to", plain_peer, cut)
    assert done.returncode != 0
    assert f"{cut}: a value is cut short" in done.stderr
    assert "stored 0000" not in done.stdout
    done = run_command("send", "--to", plain_peer, "--skip-bad", cut, clip)
    assert done.returncode != 0
    assert done.stdout.count("stored 0000") == 1


def test_json_has_the_error_of_a_peer_out_of_reach(tmp_path: Path) -> None:
    image = tmp_path / "image.dcm"
    assert run_command("capture", "--source", SOURCE, "--frames", 1, "-o", image).returncode == 0
    done = run_command("send", "--to", f"X@127.0.0.1:{free_port()}", image, "--json")
    assert done.returncode == done.json["error"]["exit"] == 20
    assert done.json["error"]["code"] == done.json["files"][0]["error"] == "link.connect"


def test_two_files_of_one_uid_are_said(plain_peer: str, tmp_path: Path) -> None:
    first, same, other = (tmp_path / f"{name}.dcm" for name in ("first", "same", "other"))
    assert run_command("capture", "--source", SOURCE, "--frames", 1, "-o", first).returncode == 0
    data = first.read_bytes()
    same.write_bytes(data)
    other.write_bytes(data[:-2] + bytes(2 * [data[-1] ^ 1]))
    done = run_command("send", "--to", plain_peer, first, same, other, "--json")
    assert done.json["error"] is None
    warned = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert warned == [f"warning: {first} and {other} have one SOP Instance UID and are not the same"]


@pytest.mark.parametrize(
    ("name", "hint"), [("gone.dcm", "Nothing has this name"), ("empty", "Nothing but a DICOMDIR"), ("x*", "'**/*.dcm'")]
)
def test_what_is_not_there_has_a_hint_of_its_own(name: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run_command("send", "--to", "X@127.0.0.1:9", tmp_path / name)
    assert done.returncode == 3
    assert f"hint: {hint}" in done.stderr
