"""Factory reset where an agent runs, and one that was cut off: nobody goes on with the box of before."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from fakes.command import run_command
from fakes.site import Site

from agent.app.control import ask

pytestmark = pytest.mark.slow
NOTE = "modality-agent: note: a factory reset that was cut off was finished: "


@pytest.fixture
def site(tmp_path: Path) -> Any:
    made = Site(tmp_path / "site")
    made.configure(destinations=[{"name": "archive", "called_ae": "ARCHIVE", "port": 4}])
    yield made
    if made.agent is not None:
        made.agent.stop()


def cut_off(site: Site) -> None:
    """What a reset leaves that the power was cut of behind its decision."""
    text = f'[spool]\npath = "{site.spool}"\nmin_free_mib = 1\n'
    Path(f"{site.config}.reset").write_text(json.dumps({"remove": [], "text": text}))


def title(site: Site) -> Any:
    return (ask(str(site.spool), {"verb": "status"}) or {}).get("ae_title")


def test_the_running_agent_begins_anew_with_it(site: Site) -> None:
    agent = site.start()
    done = run_command("reset", "--factory", "--config", site.config)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("the running agent has begun anew with it\n")
    status = ask(str(site.spool), {"verb": "status"})
    assert status is not None
    assert (status["ae_title"], status["pid"]) == ("MODALITY", agent.pid)
    assert status["destinations"] == {}


@pytest.mark.parametrize("words", [("config", "check"), ("config", "show"), ("config", "history"), ("status",)])
def test_no_verb_shows_the_box_of_before(site: Site, words: tuple[str, ...]) -> None:
    cut_off(site)
    done = run_command(*words, "--config", site.config)
    assert NOTE in done.stderr
    assert "ARCHIVE" not in done.stdout
    assert "archive" not in site.config.read_text()
    assert not Path(f"{site.config}.reset").exists()


def test_a_reload_finishes_it(site: Site) -> None:
    agent = site.start()
    cut_off(site)
    agent.signal(signal.SIGHUP)
    agent.wait_until("the box of the first start", lambda: title(site) == "MODALITY")
    assert "a factory reset that was cut off was finished" in agent.log
