"""What ``status`` and ``queue`` say: on a narrow terminal, of unknown names, without rights, too early."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from fakes.spool_world import capture, uid_of

from agent.app import cli, common, verb_queue, verb_status
from agent.spool.core import Destination
from agent.spool.names import LEDGER
from agent.spool.receipt import Row
from agent.spool.states import WORDS
from agent.spool.store import Spool

if TYPE_CHECKING:
    from pathlib import Path

ROW = Row(
    7, "2.25." + "1" * 39, "archive", "deferred", 3, 0.0, None, "127.0.0.1:11120: nothing listens on this port", 9, 1.0
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    Spool.open(str(folder), destinations=[Destination("pacs")]).close()
    return folder


def _health(**changes: Any) -> dict[str, Any]:
    known = {"failures": 2, "state": "resting", "next_in_s": 11.2, "reason": "x:1: nothing listens [link.connect]"}
    return {**known, **changes}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"failures": 0, "reason": ""}, "ok"),
        ({"failures": 0, "bandwidth": "8 Mbit/s"}, "ok, at most 8 Mbit/s"),
        ({"window": {"open": False, "turns_at": None}}, "waits for its window"),
        ({"window": {"open": True, "turns_at": None}}, "waiting 11 s: x:1: nothing listens"),
        ({}, "waiting 11 s: x:1: nothing listens"),
        ({"next_in_s": 0.0}, "trying now: x:1: nothing listens"),
        ({"state": "needs the operator"}, "waiting 11 s, needs the operator: x:1: nothing listens"),
        ({"reason": "cut", "failover": "b", "failover_in_s": 30.2}, "waiting 11 s: cut; images go to b in 30 s"),
        ({"reason": "cut", "failover": "b", "failover_in_s": None}, "waiting 11 s: cut"),
        ({"reason": "told nothing"}, "waiting 11 s: told nothing"),
        ({"reason": "cut", "handed_over_to": "b"}, "waiting 11 s: cut; images go to b"),
    ],
)
def test_the_link_says_why_it_rests_and_until_when(changes: dict[str, Any], text: str) -> None:
    assert verb_status.link_text(_health(**changes)) == text


@pytest.mark.parametrize(
    ("recording", "every_s", "planned", "captures", "text"),
    [
        (True, 5.0, 3, 1, "recording"),
        (False, 5.0, 3, 1, "waiting (1 of 3)"),
        (False, 5.0, 3, 4, "done (3 of 3)"),
        (False, 5.0, 0, 4, "waiting"),
        (False, 0.0, 3, 0, "waits for a trigger"),
    ],
)
def test_a_source_says_whether_it_is_done(
    recording: bool, every_s: float, planned: int, captures: int, text: str
) -> None:
    counts = {"recording": recording, "every_s": every_s, "planned": planned, "captures": captures}
    assert verb_status.source_text(counts) == text


def test_priority_of_what_is_sent_already_says_so(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = root.parent / "agent.toml"
    config.write_text(f'[spool]\npath = "{root}"\n[[destination]]\nname = "pacs"\ncalled_ae = "P"\nhost = "h"\n')
    with Spool.open(str(root), destinations=[Destination("pacs")]) as spool:
        for number in (1, 2):
            capture(spool, number)
        (first, second) = spool.claim("pacs", 1e12)
        spool.stored(first)
        spool.put_back([second])
        study = spool.place(first)[0]
    for uid, text in (
        (first.sop_instance_uid, "1 instance urgent, but nothing of it waits to be sent; "),
        (second.sop_instance_uid, "1 instance urgent; "),
        (study, "instances urgent; "),
    ):
        assert cli.main(["queue", "priority", uid, "urgent", "--config", str(config)]) == 0
        assert text in capsys.readouterr().out
    assert cli.main(["receipt", first.sop_instance_uid, "--config", str(config)]) == 0
    assert f"study      {study}" in capsys.readouterr().out


def test_what_is_stored_is_asked_for_again(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = root.parent / "agent.toml"
    config.write_text(f'[spool]\npath = "{root}"\n[[destination]]\nname = "pacs"\ncalled_ae = "P"\nhost = "h"\n')
    with Spool.open(str(root), destinations=[Destination("pacs")]) as spool:
        capture(spool, 1)
        (item,) = spool.claim("pacs", 1e12)
        spool.stored(item)
    assert cli.main(["queue", "retry", "--config", str(config)]) == 0
    said = "0 deliveries queued again; the commitment of 1 stored is asked for now; the agent is not running"
    assert said in capsys.readouterr().out


def test_what_was_handed_over_stays_there(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = root.parent / "agent.toml"
    config.write_text(f'[spool]\npath = "{root}"\n[[destination]]\nname = "pacs"\ncalled_ae = "P"\nhost = "h"\n')
    with Spool.open(str(root), destinations=[Destination("pacs"), Destination("other", standby=True)]) as spool:
        for number, reason in ((1, "down [link.connect]"), (2, "down"), (3, "down")):
            capture(spool, number)
            spool.divert("pacs", "other", reason)
    for which, count in ((("--destination", "pacs"), 3), ((uid_of(2),), 1), ((), 3)):
        assert cli.main(["queue", "retry", *which, "--config", str(config)]) == 0
        said = f"0 deliveries queued again; {count} diverted to other stay there; the agent is not running"
        assert said in capsys.readouterr().out
    assert cli.main(["queue", "retry", "--destination", "other", "--config", str(config)]) == 0
    assert "diverted" not in capsys.readouterr().out


@pytest.mark.parametrize(("width", "shown"), [(200, "captured"), (80, "SOP Instance UID"), (40, "tries")])
def test_the_queue_fits_the_terminal(width: int, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    verb_queue._print([ROW, ROW._replace(state="committed", reason="")], width)
    out = capsys.readouterr().out
    assert shown in out.splitlines()[0]
    assert max(len(line) for line in out.splitlines() if line.strip() != ROW.sop_instance_uid) <= width
    assert out.split().count(ROW.sop_instance_uid) == 2
    assert "nothing listens on this port" in " ".join(out.split())


@pytest.mark.parametrize("state", [*WORDS.values(), "queued, urgent"])
@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_uid_is_never_cut(width: int, state: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = ROW._replace(destination="an-archive-far-away", state=state, sop_instance_uid="1." + "2" * 62)
    verb_queue._print([row], width)
    assert row.sop_instance_uid in capsys.readouterr().out.split()


def test_a_pipe_gets_whole_lines(
    root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    with Spool.open(str(root), destinations=[Destination("pacs")]) as spool:
        capture(spool, 1)
        spool.deferred(spool.claim("pacs", 1e12)[0], "no way at all " * 12, 1e12)
    assert cli.main(["queue", "list", "--spool", str(root)]) == 0
    (line,) = [line for line in capfd.readouterr().out.splitlines() if uid_of(1) in line]
    assert line.startswith("00000001  pacs ")
    assert line.rstrip().endswith("no way at all")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["queue", "retry", "1.2.3"], "the spool has never had 1.2.3 [not_found]"),
        (["queue", "show", "1.2.3"], "the spool has never had 1.2.3 [not_found]"),
        (["receipt", "1.2.3"], "the spool has never had 1.2.3 [not_found]"),
        (["queue", "list", "--destination", "nope"], "no destination 'nope'; there are: pacs [not_found]"),
        (["queue", "retry", "--destination", "nope"], "no destination 'nope'; there are: pacs [not_found]"),
    ],
)
def test_what_is_not_there_is_said(
    words: list[str], message: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*words, "--spool", str(root)]) == 4
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("words", [["status"], ["queue", "list"], ["receipt", "1.2.3"]])
def test_who_may_not_read_is_told_so(
    words: list[str], root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode: not path.endswith(LEDGER))
    assert cli.main([*words, "--spool", str(root)]) == 3
    err = capsys.readouterr().err
    assert "Permission denied" in err
    assert "as the user that the agent runs as" in err


def test_a_folder_that_may_not_be_searched_is_no_missing_spool(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = os.stat

    def stat(path: Any, **more: Any) -> os.stat_result:
        if str(path).endswith(LEDGER):
            raise PermissionError(13, "Permission denied")
        return real(path, **more)

    monkeypatch.setattr(os, "stat", stat)
    assert cli.main(["status", "--spool", str(root)]) == 3


@pytest.mark.parametrize("words", [["status"], ["queue", "list"]])
def test_an_agent_that_is_just_starting_is_waited_for(
    words: list[str], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    late = tmp_path / "late"
    monkeypatch.setattr(common.time, "sleep", lambda _s: shutil.copytree(root, late))
    assert cli.main([*words, "--spool", str(late)]) == 0
    assert "pacs" in capsys.readouterr().out


def test_an_agent_that_never_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(common, "STARTING_S", 0.1)
    assert cli.main(["status", "--spool", str(tmp_path / "none")]) == 4
    assert "the agent is starting or has never run here [not_found]" in capsys.readouterr().err


def test_an_agent_that_holds_the_spool_is_about_to_answer(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held = Spool.open(str(root), destinations=[Destination("pacs")])
    monkeypatch.setattr(common.time, "sleep", lambda _s: held.close())
    assert cli.main(["status", "--spool", str(root)]) == 0
    assert "holds the spool" not in capsys.readouterr().out


def test_a_destination_that_is_new_is_shown(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "agent.toml"
    row = '[[destination]]\nname = "fresh"\ncalled_ae = "X"\nhost = "127.0.0.1"\nport = 1\n'
    config.write_text(f'[spool]\npath = "{root}"\n{row}')
    assert cli.main(["status", "--config", str(config)]) == 0
    assert "fresh        nothing queued yet  -" in capsys.readouterr().out


def test_a_destination_that_is_gone_is_marked(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(f'[spool]\npath = "{root}"\n')
    assert cli.main(["status", "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert "not configured" in out
    assert "nothing is sent to 'pacs' until" in out


def test_status_says_what_is_wrong_with_the_medium(capsys: pytest.CaptureFixture[str]) -> None:
    answer: dict[str, Any] = {
        "running": False, "spool_held": False, "queue": {}, "alarms": {}, "recovered": "clips kept: 1",
        "medium": [{"cause": "full", "level": "error", "text": "out of resources", "since": 1.8e9}],
        "verify": {"damaged": 2},
        "health": {"word": "trouble", "reasons": ["the agent is not running"], "see": ["log"]},
        "disk": {"used": 0.97, "free_bytes": 5 << 20, "total_bytes": 1 << 30, "writable": True},
        "clock": {"at": 1.8e9, "zone": "UTC", "grade": "synchronised", "kept_by": "chrony", "error_bound_s": 0.002},
    }  # fmt: skip
    verb_status._print(answer, "spool")
    said = capsys.readouterr().out
    for text in ("error since 2027", "out of resources", "2 faults found in this round", "clips kept: 1"):
        assert text in said
