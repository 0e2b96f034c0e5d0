"""The running agent takes back what nobody confirmed, and lets a file that was edited by hand become a generation."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from agent.app import config_watch
from agent.app.config_watch import QUIET_S, ConfigWatch
from agent.config import at_rest, unconfirmed
from agent.config.generations import Folder
from agent.config.load import load
from agent.config.stage import Stage

TEXT = '[agent]\nae_title = "EDGE"\n[spool]\npath = "spool"\n'


class Heard:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, _level: str, _role: str, text: str, *, always: bool = False) -> None:
        self.lines.append(text)


class Agent:
    """A watch with what it did."""

    def __init__(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file, self.journal, self.now = file, Heard(), 0.0
        self.signals: list[int] = []
        self.spawned: list[Any] = []
        self.anew = 0
        file.write_text(TEXT)
        self.settings = load(str(file))
        self.watch = ConfigWatch(str(file), self.journal, lambda: self.settings, self._anew)  # type: ignore[arg-type]
        monkeypatch.setattr(os, "kill", lambda _pid, number: self.signals.append(number))
        monkeypatch.setattr(os, "posix_spawn", lambda *words, **_how: self.spawned.append(words) or 4711)
        monkeypatch.setattr(os, "waitpid", lambda pid, _how: (pid, 0))
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def _anew(self) -> None:
        self.anew += 1

    def look(self, later_s: float = 0.0) -> dict[str, str]:
        self.now += later_s
        return {trouble.cause: trouble.text for trouble in self.watch.look()}

    def commit(self, *words: str) -> None:
        stage = Stage(str(self.file))
        stage.set(words[:-1], words[-1])
        assert stage.commit("anna", confirm_s=600)

    def over(self) -> None:
        folder = Folder(str(self.file))
        unconfirmed.write(folder, [one._replace(until=one.begun) for one in unconfirmed.read(folder)])


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Agent:
    return Agent(tmp_path / "agent.toml", monkeypatch)


def test_what_waits_is_an_alarm_until_it_is_confirmed(agent: Agent) -> None:
    assert agent.look() == {}
    agent.commit("agent", "ae_title", "OTHER")
    assert "generation 2 by anna, is not confirmed: generation 1 comes back in" in agent.look()["unconfirmed"]
    Stage(str(agent.file)).confirm()
    assert agent.look() == {}
    assert agent.signals == []


def test_what_is_over_is_taken_back_and_the_agent_reloads(agent: Agent) -> None:
    agent.commit("agent", "ae_title", "OTHER")
    agent.over()
    told = agent.look()
    assert list(told) == ["configuration"]
    assert "generation 1 is in force again; the next commit ends this alarm" in told["configuration"]
    assert agent.file.read_text() == TEXT
    assert agent.signals == [signal.SIGHUP]
    assert len(agent.journal.lines) == 1
    agent.look()
    assert agent.signals == [signal.SIGHUP]


@pytest.mark.parametrize("looks_before", [True, False])
def test_what_somebody_else_takes_back_reaches_the_agent_too(agent: Agent, looks_before: bool) -> None:
    agent.commit("agent", "ae_title", "OTHER")
    if looks_before:
        agent.look()
    agent.over()
    Stage(str(agent.file)).history()
    agent.look()
    assert agent.file.read_text() == TEXT
    assert agent.signals == [signal.SIGHUP]
    agent.look()
    assert agent.signals == [signal.SIGHUP]


def test_what_is_not_taken_back_to_its_end_is_looked_at_again(agent: Agent) -> None:
    agent.commit("agent", "ae_title", "OTHER")
    agent.over()
    Stage(str(agent.file)).history()
    following = Path(f"{agent.file}.history/next.toml")
    number = Path(f"{agent.file}.history/000003.toml").rename(following)
    agent.look()
    number.rename(f"{agent.file}.history/000003.toml")
    agent.look()
    assert agent.signals == [signal.SIGHUP]


def test_another_spool_needs_another_start(agent: Agent) -> None:
    agent.commit("spool", "path", "elsewhere")
    agent.settings = load(str(agent.file))
    agent.over()
    agent.look()
    assert agent.anew == 1
    assert agent.signals == []


def test_what_cannot_be_taken_back_is_an_alarm(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    agent.commit("agent", "ae_title", "OTHER")
    agent.over()

    def full(*_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    told = agent.look()
    assert "cannot be taken back" in told["configuration-failed"]
    monkeypatch.undo()


def test_a_file_by_hand_becomes_a_generation_when_it_is_quiet(agent: Agent) -> None:
    agent.look()
    agent.look(QUIET_S - 1)
    agent.file.write_text(TEXT + "# more\n")
    agent.look(QUIET_S)
    assert agent.spawned == []
    agent.look(QUIET_S)
    [(_, words, _)] = agent.spawned
    assert words[-3:] == ["-m", "agent.config.stage", str(agent.file)]
    Stage(str(agent.file)).adopt()
    agent.look()
    agent.look(QUIET_S)
    agent.look(QUIET_S)
    assert len(agent.spawned) == 1
    assert at_rest.in_force(str(agent.file)) == 1
    agent.file.touch()
    agent.look()
    agent.look(QUIET_S)
    assert agent.journal.lines == ["generation 1 is in force"]


def test_who_may_not_write_begins_no_history(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_watch, "may_write", lambda _path: False)
    agent.look()
    agent.look(QUIET_S)
    assert agent.spawned == []


def test_what_a_start_looks_at(agent: Agent) -> None:
    file = str(agent.file)
    assert at_rest.at_rest(file)
    assert at_rest.in_force(file) == 0
    assert at_rest.may_write(file)
    Stage(file).adopt()
    assert at_rest.at_rest(file)
    agent.commit("agent", "ae_title", "OTHER")
    assert not at_rest.at_rest(file)
    assert at_rest.in_force(file) == 2
    Stage(file).confirm()
    assert at_rest.at_rest(file)
    for damaged in (b"", b" \n"):
        agent.file.write_bytes(damaged)
        assert not at_rest.at_rest(file)
    agent.file.unlink()
    assert not at_rest.at_rest(file)
    assert not at_rest.may_write(file)
