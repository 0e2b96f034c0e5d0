"""What the console starts is its own program, whatever lies in the folder that it was started in."""

from __future__ import annotations

import time

import pytest

from agent.console.children import Child
from agent.console.machine import Machine

ASKED = ["verison"]  # who says that there is no such verb looks for the nearest with difflib


@pytest.fixture
def _foreign(tmp_path, monkeypatch):
    """Work in a folder with a module that is called like one of Python's."""
    (tmp_path / "difflib.py").write_text("raise SystemExit('foreign')\n")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_foreign")
def test_a_command_runs_nothing_else():
    child = Child(("agent", *ASKED), b"", 80)
    said, until = b"", time.monotonic() + 60
    while (data := child.read(child.errors)) is not None and time.monotonic() < until:
        said += data
        time.sleep(0.01)
    while not child.ended() and time.monotonic() < until:
        time.sleep(0.01)
    child.close()
    assert said.startswith(b"modality-agent: error: no verb")


@pytest.mark.usefixtures("_foreign")
def test_what_a_program_asks_for_runs_nothing_else(monkeypatch):
    machine = Machine("admin", "admin", "line", "agent.toml")
    monkeypatch.setattr(machine, "_turn", lambda _process: time.sleep(0.01))
    assert machine._run(ASKED, b"")["err"].startswith("modality-agent: error: no verb")
