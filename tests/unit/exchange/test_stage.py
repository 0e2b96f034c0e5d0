"""What is to be encrypted lies in clear in the spool alone, and nowhere any more when its process is gone."""

from __future__ import annotations

import errno
import os
import signal
from typing import TYPE_CHECKING

import pytest
from fakes import exports
from fakes.media_cli import CONFIG

from agent.app import cli
from agent.dataset import uid
from agent.errors import NotSafe
from agent.exchange import beside, carrier, carry
from agent.exchange.cms import Keys
from agent.exchange.export import Request
from agent.media.profile import PROFILES
from agent.spool.durable import Medium
from agent.spool.names import STAGES
from agent.spool.stage import staged, sweep
from agent.spool.store import Spool

if TYPE_CHECKING:
    from pathlib import Path

SECURE = "STD-GEN-SEC-CD"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stick").mkdir()
    return exports.filled(tmp_path, (("dx", uid.EXPLICIT_VR_LE),))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that a set was to be written to in clear, none of which is."""
    found: list[Path] = []

    def export(_request: Request, folder: str, *_others: object) -> None:
        from pathlib import Path

        found.append(Path(folder))
        assert os.stat(folder).st_mode & 0o777 == 0o700
        (found[0] / "CLEAR").write_text("of a patient")
        raise NotSafe("no")

    monkeypatch.setattr(carry, "export", export)
    return found


@pytest.mark.parametrize("name", ["", "out.zip", "out.iso"])
@pytest.mark.parametrize("known", [True, False])
def test_nothing_is_in_clear_on_the_target(
    root: Path, tmp_path: Path, seen: list[Path], name: str, *, known: bool
) -> None:
    target = carry.target_of(str(tmp_path / "stick" / name), Keys(("cert.pem",)))
    request = Request(exports.pieces(root, SECURE), PROFILES[SECURE], "T")
    with pytest.raises(NotSafe):
        carry.carry(request, target, lambda *_: None, spool=str(root) if known else "")
    assert not seen[0].is_relative_to(tmp_path / "stick")
    assert seen[0].is_relative_to(root / STAGES) == known
    assert not seen[0].exists()
    assert not (root / STAGES).exists()


def test_what_a_process_died_with_goes_and_what_is_at_work_stays(root: Path) -> None:
    def died() -> Path:
        folder = root / STAGES / "0123"
        (folder / "SET").mkdir(parents=True, exist_ok=True)
        (folder / "SET" / "CLEAR").write_text("of a patient")
        return folder

    left = died()
    with staged(str(root)) as mine:
        assert not left.exists()
        left = died()
        with Spool.open(str(root)):
            assert not left.exists()
        assert os.path.isdir(mine)
    left = died()
    sweep(str(root))
    assert not (root / STAGES).exists()


def test_an_export_that_is_ended_leaves_nothing(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def export(_request: Request, folder: str, *_others: object) -> None:
        folders.append(folder)
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError

    folders: list[str] = []
    monkeypatch.setattr(carry, "export", export)
    monkeypatch.setattr("agent.exchange.cms.check", lambda _keys: None)
    (tmp_path / "agent.toml").write_text(CONFIG)
    words = ["--config", str(tmp_path / "agent.toml"), "--spool", str(root), "--recipient", "c.pem"]
    with pytest.raises(SystemExit) as end:
        cli.main(["media", "export", *words, "--all", "--profile", SECURE, "--to", str(tmp_path / "stick")])
    assert end.value.code == 128 + signal.SIGTERM
    assert folders
    assert not (root / STAGES).exists()


def test_a_stage_is_made_though_another_one_was_the_last_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    makedirs, removed = os.makedirs, []

    def made_and_gone(above: str, mode: int, *, exist_ok: bool) -> None:
        makedirs(above, mode, exist_ok=exist_ok)
        if len(removed) < 3:
            os.rmdir(above)
            removed.append(above)

    monkeypatch.setattr("agent.spool.stage.os.makedirs", made_and_gone)
    with staged(str(tmp_path)) as folder:
        assert os.path.isdir(folder)
    assert len(removed) == 3
    assert not (tmp_path / STAGES).exists()


def test_where_nothing_can_be_locked_an_export_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NFS locks nothing that is open for reading alone (flock(2)); so nobody sweeps there either."""

    def flock(*_words: object) -> None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    monkeypatch.setattr("agent.exchange.beside.fcntl.flock", flock)
    with beside.folder_in(str(tmp_path)) as made:
        assert beside.sweep(str(tmp_path)) == []
        assert os.path.isdir(made)
    assert not os.path.exists(made)


def test_what_a_killed_export_left_beside_a_file_goes_with_the_next(root: Path, tmp_path: Path) -> None:
    """A set in clear and a half of an image; what somebody works on, or calls alike, stays."""
    stick = tmp_path / "stick"
    (stick / "modality-agent-abcd1234.set" / "INST").mkdir(parents=True)
    (stick / "out.iso.modality-agent-0123abcd.part").write_bytes(b"half")
    for name in ("out.iso.part", "media-20261129.set", "x.iso.0123abcd.part"):
        (stick / name).write_text("of somebody else")
    (stick / "modality-agent-00000000.set").symlink_to(root)
    theirs = stick / "mine.zip.modality-agent-89abcdef.part"
    theirs.write_bytes(b"at work")
    request = Request(exports.pieces(root, "STD-GEN-ZIP-MAIL"), PROFILES["STD-GEN-ZIP-MAIL"], "T")
    with beside.at_work(str(theirs)):
        made = carry.carry(request, carry.target_of(str(stick / "new.zip"), None), lambda *_: None)
    assert [note for note in made.outcome.notes if "killed" in note] == [
        f"{name} is removed: an export that was killed had left it"
        for name in ("modality-agent-abcd1234.set", "out.iso.modality-agent-0123abcd.part")
    ]
    left = {
        "out.iso.part",
        "media-20261129.set",
        "x.iso.0123abcd.part",
        "modality-agent-00000000.set",
        theirs.name,
        "new.zip",
    }
    assert {path.name for path in stick.iterdir()} == left
    assert exports.files_of(root)


def test_a_file_is_locked_until_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another export to the same folder takes it for what a killed one left, else."""
    publish = Medium.publish

    def sweep_first(medium: Medium, part: str, final: str) -> None:
        assert beside.sweep(str(tmp_path)) == []
        publish(medium, part, final)

    monkeypatch.setattr(Medium, "publish", sweep_first)
    whole = str(tmp_path / "x.zip")
    carrier._named(whole, lambda file: file.write_at(0, b"PK" * 100), lambda _part: None, None)
    assert os.path.getsize(whole) == 200
