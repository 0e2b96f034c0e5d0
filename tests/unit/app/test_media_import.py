"""``media import`` as a person has it: what is said, and with which status."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from fakes import exports, hostile_media, masters
from fakes.media_cli import CONFIG

from agent.app import cli
from agent.dataset import uid

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _fd: None)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A box with an empty spool, and a medium of another."""
    (tmp_path / "agent.toml").write_text(CONFIG)
    (tmp_path / "medium").mkdir()
    exports.run(exports.filled(tmp_path / "other"), tmp_path / "medium")
    return tmp_path


def bring(box: Path, *words: object) -> int:
    return cli.main(["media", "import", "--config", str(box / "agent.toml"), *map(str, words)])


def test_in_and_again(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bring(box, box / "medium") == 0
    assert "4 new instances in the spool, 0 there already, 0 refused" in capsys.readouterr().out
    assert bring(box, box / "medium", "--files", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["new"], found["same"], found["passed_over"]) == (0, 4, 2)
    assert bring(box, box / "medium" / "DICOMDIR") == 0
    assert len(exports.held(box / "spool")) == 4


def test_one_file_and_to_nobody(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = masters.write(box, "sc", uid.EXPLICIT_VR_LE)
    assert bring(box, path, "--destination", "none") == 0
    assert cli.main(["queue", "list", "--config", str(box / "agent.toml"), "--json"]) == 0
    assert '"deliveries": []' in capsys.readouterr().out
    assert bring(box, box / "medium", "--destination", "nobody") == 11


def test_what_is_refused_is_said_and_the_rest_is_in(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = hostile_media.files(box / "medium")
    hostile_media.cut(names[2])
    hostile_media.disguise(names[0], b"MZ")
    assert bring(box, box / "medium") == 36
    said = capsys.readouterr()
    assert "INST\\000000\\00000003: " in said.err
    assert "its preamble was a Windows program, zeroed" in said.err
    assert "3 new instances in the spool, 0 there already, 1 refused" in said.out


def test_other_content_is_an_alarm(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bring(box, box / "medium") == 0
    path = hostile_media.files(box / "medium")[2]
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert bring(box, box / "medium") == 15
    assert "1 file with other content under a known UID [spool.conflict]" in capsys.readouterr().err


def test_what_is_no_medium(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (box / "empty").mkdir()
    (box / "text.txt").write_text("no")
    assert bring(box, box / "medium") == 0
    for path, status in ((box / "empty", 4), (box / "text.txt", 3), (box / "nothing", 3), (box / "spool", 2)):
        assert bring(box, path) == status
    (box / "medium" / "DICOMDIR").write_bytes(b"x" * 500)
    assert bring(box, box / "medium") != 0
    assert "--files" in capsys.readouterr().err
    assert cli.main(["media", "import"]) == 2


def test_what_is_not_there_is_said_as_it_was_typed(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("/nonexistent", "/nonexistent/DICOMDIR", str(box / "medium" / "no.dcm")):
        assert bring(box, path) == 3
        said = capsys.readouterr().err
        assert f"error: {path}: No such file" in said
        assert "hint: Nothing has this name" in said


def test_a_file_that_alone_is_damaged(box: Path) -> None:
    path = masters.write(box, "sc", uid.EXPLICIT_VR_LE)
    hostile_media.cut(path)
    assert bring(box, path) == 30


def test_a_folder_above_the_spool_is_taken_in_without_it(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its quarantine would come back as news, and be set aside again with each import."""
    above = box / "above"
    (above / "spool").mkdir(parents=True)
    path = masters.write(above, "dx", uid.EXPLICIT_VR_LE)
    assert bring(box, path, "--spool", above / "spool") == 0
    path.write_bytes(path.read_bytes()[:-2] + b"zz")
    assert bring(box, path, "--spool", above / "spool") == 15
    path.unlink()
    masters.write(above, "us", uid.EXPLICIT_VR_LE)
    before = sorted((above / "spool").rglob("*"))
    capsys.readouterr()
    assert bring(box, above, "--spool", above / "spool", "--json") == 0
    shown = capsys.readouterr()
    assert "above/spool is the spool itself: left out" in shown.err
    assert [row["state"] for row in json.loads(shown.out)["files"]] == ["new"]
    after = {path.parent.name + "/" + path.name for path in set((above / "spool").rglob("*")) - set(before)}
    assert not any("quarantine" in name for name in after), after
