"""``spool check``, ``verify`` and ``rebuild``: what they say and change, with the agent away."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from fakes.spool_clips import Clip
from fakes.spool_world import PACS, capture, part10, uid_of

from agent.app import cli
from agent.spool import anchor
from agent.spool.store import Spool

CONFIG = """
[spool]
path = "spool"
min_free_mib = 1
[[destination]]
name = "pacs"
called_ae = "PACS"
host = "127.0.0.1"
"""
DAMAGED = 13


class Box:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = folder / "spool"
        self.config = folder / "agent.toml"
        self.config.write_text(CONFIG)
        self.root.mkdir()
        self._capsys = capsys

    def open(self) -> Spool:
        return Spool.open(str(self.root), destinations=[PACS])

    def run(self, *words: str) -> tuple[int, str, str]:
        status = cli.main(["spool", *words, "--config", str(self.config)])
        said = self._capsys.readouterr()
        return status, said.out, said.err

    def json(self, *words: str) -> tuple[int, dict[str, Any]]:
        status, out, _ = self.run(*words, "--json")
        return status, json.loads(out)

    def file(self, number: int) -> Path:
        return self.root / "INST" / "000000" / f"{number:08X}"

    def state(self) -> dict[str, bytes]:
        """Every byte of the spool."""
        return {str(path): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}


@pytest.fixture
def box(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Box:
    made = Box(tmp_path, capsys)
    with made.open() as spool:
        for number in (1, 2, 3):
            capture(spool, number)
    return made


def rot(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def test_a_sound_spool(box: Box) -> None:
    status, out, _ = box.run("check")
    assert status == 0
    assert "nothing is to be done" in out
    status, out, _ = box.run("verify")
    assert status == 0
    assert "3 files" in out
    assert "every file is what was written" in out
    assert "chain unbroken" in out


def test_check_says_what_a_start_would_do_and_changes_nothing(box: Box) -> None:
    spool = box.open()
    clip = Clip(spool, 8)
    clip.add(2)
    clip.mark()
    spool.close()
    box.file(1).unlink()
    box.file(2).write_bytes(b"short")
    box.file(0x20).write_bytes(part10(9))
    (box.file(1).parent / "00000030.part").write_bytes(b"")
    (box.root / "INST" / "junk").write_bytes(b"")
    before = box.state()
    status, facts = box.json("check")
    assert status == DAMAGED
    assert box.state() == before
    assert sorted(one["case"] for one in facts["findings"]) == [
        "clip cut off", "draft", "file without row", "name not ours", "other size", "row without file",
    ]  # fmt: skip
    with box.open() as spool:  # a start does what was said
        report = spool.report
    done = report.clips_kept, report.drafts_deleted, report.adopted, report.strange, report.damaged, report.lost
    assert done == (1, 1, 1, 1, 1, 1)
    status, facts = box.json("check")
    assert (status, facts["findings"]) == (0, [])
    assert "clips kept: 1" in facts["last_start"]["report"]
    assert len(facts["quarantine"]) == 2


def test_a_folder_that_is_no_spool_is_said_to_be_none(
    box: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stick = tmp_path / "stick"
    (stick / "INST").mkdir(parents=True)
    (stick / "DICOMDIR").write_bytes(b"x")
    for folder, words in ((stick, "it is a File-set, as a stick or a disc has one"), (tmp_path, "no agent has worked")):
        assert cli.main(["spool", "check", "--spool", str(folder)]) == 4
        said = capsys.readouterr()
        assert (f"{folder} is no spool: " in said.err, words in said.err, said.out) == (True, True, "")
    (box.root / "ledger.db").unlink()
    assert box.run("check")[0] == DAMAGED


@pytest.mark.parametrize("damage", ["gone", "noise", "pages"])
def test_a_damaged_ledger_is_said_and_made_again_by_one_command(box: Box, damage: str) -> None:
    path = box.root / "ledger.db"
    if damage == "gone":
        path.unlink()
    elif damage == "noise":
        path.write_bytes(os.urandom(40_000))
    else:
        data = bytearray(path.read_bytes())
        data[4096:] = os.urandom(len(data) - 4096)
        path.write_bytes(data)
    status, facts = box.json("check")
    assert status == DAMAGED
    assert "makes one of the files" in facts["ledger"]
    status, facts = box.json("rebuild")
    assert status == 0
    assert (facts["ledger_rebuilt"], facts["instances"], facts["queue"]) == (True, {"live": 3}, {"pacs": {"queued": 3}})
    assert bool(facts["ledger_aside"]) == (damage != "gone")
    assert box.json("check")[0] == box.json("verify")[0] == 0


def test_a_sound_ledger_is_made_again_only_by_force(box: Box) -> None:
    status, _, err = box.run("rebuild")
    assert status == 2
    assert "--force" in err
    status, out, _ = box.run("rebuild", "--force")
    assert status == 0
    assert "3 live; all of it is queued for pacs" in out
    (aside,) = [name for name in os.listdir(box.root / "quarantine") if name.endswith("-1")]
    old = sqlite3.connect(box.root / "quarantine" / aside)
    assert old.execute("SELECT count(*) FROM instance").fetchone() == (3,)
    old.close()


def test_a_ledger_of_another_version_is_not_a_damaged_one(box: Box) -> None:
    database = sqlite3.connect(box.root / "ledger.db")
    database.execute("PRAGMA user_version = 1")
    database.close()
    assert box.run("rebuild")[0] == 2


def test_verify_finds_rot_and_has_it_set_aside(box: Box) -> None:
    rot(box.file(2))
    box.file(3).unlink()
    status, facts = box.json("verify")
    assert status == DAMAGED
    assert [(one["sop_instance_uid"], one["state"]) for one in facts["wrong"]] == [
        (uid_of(2), "damaged"), (uid_of(3), "lost")]  # fmt: skip
    assert facts["ledger"]["faults"] == []
    status, facts = box.json("verify")
    assert (status, facts["instances"]) == (0, {"damaged": 1, "live": 1, "lost": 1})


def test_verify_shows_tampering_and_receipt_says_so(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    with box.open() as spool:
        head = anchor.Head(*spool.reader.head())
    assert box.run("verify", "--head", str(head))[0] == 0
    assert box.run("verify", "--head", f"{head.seq + 3}:{head.chain}")[0] == DAMAGED
    assert box.run("verify", "--head", "nonsense")[0] == 2
    database = sqlite3.connect(box.root / "ledger.db")
    database.execute("UPDATE event SET at = at - 3600 WHERE instance = 2 AND kind = 'durable'")
    database.commit()
    database.close()
    status, _, err = box.run("verify")
    assert status == DAMAGED
    assert "does not continue the chain" in err
    status = cli.main(["receipt", uid_of(2), "--config", str(box.config)])
    assert status == DAMAGED
    assert "tampered with" in capsys.readouterr().err
    assert cli.main(["receipt", uid_of(1), "--config", str(box.config)]) == 0


def test_no_spool_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    box = Box(tmp_path, capsys)
    box.root.rmdir()
    assert box.run("check")[0] == 4
