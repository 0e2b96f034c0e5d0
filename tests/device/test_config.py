"""The running agent and its configuration: a commit reaches it, a revert too, and damage is mended."""

from __future__ import annotations

import socket
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fakes.command import run_command
from fakes.site import Site

from agent.app.cli import main
from agent.app.control import ask
from agent.config import unconfirmed
from agent.config.generations import Folder

TO = {"name": "archive", "called_ae": "ARCHIVE", "port": 4, "connect_timeout_s": 0.5}


@pytest.fixture
def plain(tmp_path: Path) -> Any:
    made = Site(tmp_path / "site")
    made.configure(destinations=[TO])
    yield made
    if made.agent is not None:
        made.agent.stop()


class Said(NamedTuple):
    """What one command of ``config`` said, in this process: a Python more for each takes a second on a busy machine."""

    status: int
    stdout: str
    stderr: str


def config(site: Site, *words: object, status: int = 0) -> Said:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        ended = main(["config", *map(str, words), "--config", str(site.config)])
    assert ended == status, err.getvalue()
    return Said(ended, out.getvalue(), err.getvalue())


def _title(site: Site) -> str:
    title: str = tomllib.loads(site.config.read_text())["agent"]["ae_title"]
    return title


def _status(site: Site) -> Any:
    return ask(str(site.spool), {"verb": "status"})


def _over(site: Site) -> None:
    """The time of what waits is over."""
    folder = Folder(str(site.config))
    unconfirmed.write(folder, [entry._replace(until=entry.begun) for entry in unconfirmed.read(folder)])


def _alarmed(site: Site) -> set[str]:
    return {one["cause"] for one in _status(site)["medium"]}


def test_a_commit_reaches_the_running_agent(plain: Site) -> None:
    agent = plain.start()
    config(plain, "set", "agent", "ae_title", "OTHER")
    said = config(plain, "commit", "--comment", "renamed", "--no-tests").stdout
    assert "in effect: [agent] ae_title" in said
    assert _status(plain)["ae_title"] == "OTHER"
    config(plain, "set", "spool", "keep_hours", "25")
    config(plain, "set", "agent", "ae_title", "THIRD")
    said = config(plain, "commit", "--no-tests").stdout
    assert "needs a restart of the agent: [spool] keep_hours" in said
    assert "goes on with all of the configuration before" in said
    assert _status(plain)["ae_title"] == "OTHER"
    assert plain.stop() == 0
    agent = plain.start()
    assert _status(plain)["ae_title"] == "THIRD"
    assert "AGENT" not in agent.log.rpartition("ready")[2]


def test_what_nobody_confirms_is_taken_back_by_the_running_agent(plain: Site) -> None:
    agent = plain.start()
    config(plain, "set", "agent", "ae_title", "OTHER")
    said = config(plain, "commit", "--confirm", "10").stdout
    assert "taken back in 10 minutes" in said
    assert "in effect: [agent] ae_title" in said
    assert _title(plain) == "OTHER"
    _over(plain)
    agent.wait_until("the one before", lambda: _title(plain) == "AGENT")
    agent.wait_until("a reload", lambda: _status(plain)["ae_title"] == "AGENT")
    assert "generation 2 by" in agent.log
    assert "was not confirmed in time: generation 1 is in force again" in agent.log
    agent.wait_until("an alarm", lambda: _alarmed(plain) == {"configuration"})


def test_another_spool_that_nobody_confirms_is_left_again(plain: Site) -> None:
    """Only another start can do that."""
    plain.start()
    config(plain, "set", "spool", "path", plain.folder / "other")
    config(plain, "commit", "--confirm", "10")
    assert plain.stop() == 0
    agent = plain.start()
    _over(plain)
    assert (plain.folder / "other" / "ledger.db").exists()
    agent.wait_until("the one before", lambda: "begins anew" in agent.log, 60)
    agent.wait_until("the spool before", lambda: bool((_status(plain) or {}).get("running")), 60)
    assert tomllib.loads(plain.config.read_text())["spool"]["path"] == str(plain.spool)


def test_a_kill_before_it_is_confirmed(plain: Site) -> None:
    agent = plain.start()
    config(plain, "set", "agent", "ae_title", "OTHER")
    config(plain, "commit", "--confirm", "10")
    agent.kill()
    _over(plain)
    assert _title(plain) == "OTHER"
    agent = plain.start()
    assert _title(plain) == "AGENT"
    assert _status(plain)["ae_title"] == "AGENT"
    assert "warning: generation 2 by" in agent.log


def test_a_kill_does_not_confirm_either(plain: Site) -> None:
    agent = plain.start()
    config(plain, "set", "agent", "ae_title", "OTHER")
    config(plain, "commit", "--confirm", "10")
    agent.kill()
    agent = plain.start()
    assert _status(plain)["ae_title"] == "OTHER"
    agent.wait_until("an alarm", lambda: _alarmed(plain) == {"unconfirmed"})
    assert "generation 2 is not confirmed: 1 comes back in" in config(plain, "history").stdout
    config(plain, "confirm", "--tests", "clock,spool")
    assert "not confirmed" not in config(plain, "history").stdout


@pytest.mark.parametrize("damaged", [b"", b"\0" * 512])
def test_a_damaged_file_is_mended_by_the_start(plain: Site, damaged: bytes) -> None:
    config(plain, "set", "agent", "ae_title", "OTHER")
    config(plain, "commit", "--no-tests")
    plain.config.write_bytes(damaged)
    agent = plain.start()
    assert _status(plain)["ae_title"] == "OTHER"
    assert "and was set aside as" in agent.log
    assert "generation 2 of" in agent.log
    assert Path(f"{plain.config}.history/damaged-1").read_bytes() == damaged
    agent.wait_until("an alarm", lambda: _alarmed(plain) == {"configuration"})
    if damaged:
        return
    config(plain, "set", "agent", "ae_title", "THIRD")
    config(plain, "commit", "--no-tests")
    agent.wait_until("its end", lambda: not _alarmed(plain))


def test_a_file_edited_wrongly_is_refused_and_kept(plain: Site) -> None:
    config(plain, "set", "agent", "ae_title", "OTHER")
    config(plain, "commit", "--no-tests")
    wrong = plain.config.read_text().replace("ae_title", "ae_titel")
    plain.config.write_text(wrong)
    done = run_command("run", "--config", plain.config)
    assert done.returncode == 10
    assert "did you mean 'ae_title'" in done.stderr
    assert "config rollback 0" in done.stderr
    assert plain.config.read_text() == wrong


def test_a_commit_by_a_candidate_that_began_from_something_else_shows_what_differs(plain: Site) -> None:
    config(plain, "set", "agent", "ae_title", "OTHER")
    plain.config.write_text(plain.config.read_text().replace("[agent]\n", '[agent]\nstation_name = "S1"\n'))
    done = config(plain, "commit", "--no-tests", status=18)
    assert "  set agent station_name S1" in done.stderr
    config(plain, "update")
    config(plain, "commit", "--no-tests")
    assert "S1" in plain.config.read_text()
    assert _title(plain) == "OTHER"


def test_a_candidate_that_fails_its_self_tests_is_not_committed(plain: Site) -> None:
    """Nobody listens at its destination."""
    config(plain, "set", "agent", "ae_title", "OTHER")
    said = config(plain, "commit", status=38).stderr
    assert "failed echo archive: " in said
    assert "ok spool" in said
    assert "--no-tests' keeps it all the same" in said
    assert _title(plain) == "AGENT"
    config(plain, "delete", "destination", "archive")
    assert "generation 2 is in force" in config(plain, "commit").stdout


def test_what_fails_its_self_tests_is_not_confirmed_unless_that_is_wanted(plain: Site) -> None:
    config(plain, "set", "agent", "ae_title", "OTHER")
    config(plain, "commit", "--confirm", "10")
    said = config(plain, "confirm", status=38).stderr
    assert "failed echo archive: " in said
    assert "error: a self-test failed, and it is not confirmed" in said
    assert "hint: --no-tests confirms it all the same; otherwise generation 1 comes back" in said
    assert "there is no self-test 'archve'" in config(plain, "confirm", "--tests", "archve", status=4).stderr
    assert "generation 2 is not confirmed" in config(plain, "history").stdout
    assert "generation 2 is confirmed" in config(plain, "confirm", "--tests", "clock,spool").stdout
    config(plain, "set", "agent", "ae_title", "THIRD")
    config(plain, "commit", "--confirm", "10")
    assert "generation 3 is confirmed" in config(plain, "confirm", "--no-tests").stdout


def test_who_goes_on_with_what_another_has_begun_is_told(plain: Site) -> None:
    config(plain, "set", "agent", "ae_title", "OTHER", "--who", "anna")
    said = config(plain, "set", "listener", "port", "7", "--who", "bob").stderr
    assert "note: the candidate had 1 change before, the last by anna" in said
    assert config(plain, "set", "listener", "port", "8", "--who", "bob").stderr == ""
    assert "had 2 changes before, the last by bob" in config(plain, "discard", "--who", "anna").stderr
    assert config(plain, "set", "listener", "port", "8", "--who", "anna").stderr == ""


def test_what_waits_is_taken_back_by_a_word(plain: Site) -> None:
    plain.start()
    config(plain, "set", "agent", "ae_title", "OTHER")
    config(plain, "commit", "--confirm", "10")
    said = config(plain, "revert", "--who", "anna").stdout
    assert "was taken back by anna: generation 1 is in force again" in said
    assert "in effect: [agent] ae_title" in said
    assert _status(plain)["ae_title"] == "AGENT"
    assert not _alarmed(plain)
    assert "nothing waits" in config(plain, "revert", status=4).stderr


def test_a_commit_that_the_running_agent_refuses_says_so(plain: Site) -> None:
    """Its port is taken: the file is committed, the agent goes on as before."""
    plain.start()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        config(plain, "set", "listener", "port", other.getsockname()[1])
        said = config(plain, "commit", "--no-tests", "--confirm", "10", status=1)
    assert "the running agent refuses it: " in said.stdout
    assert "the old configuration stays in force" not in said.stderr
    assert _status(plain)["listener"]["port"] == plain.port
