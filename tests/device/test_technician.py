"""What a technician asks of a running agent: hold and release, the log, health, a restart."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from fakes.command import QUICK_SOURCE, run_command

if TYPE_CHECKING:
    from fakes.site import Archive, Site

ON_TRIGGER = {**QUICK_SOURCE, "every_s": 0.0}


def ask(site: Site, *words: object) -> Any:
    answer = run_command(*words, "--config", site.config)
    assert answer.returncode == 0, answer.stderr
    return answer


def test_hold_release_log_and_restart(site: Site, archive: Archive, to_archive: dict[str, Any],
                                      monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("MODALITY_AGENT_WHO", "eva")
    site.configure(destinations=[to_archive], sources=[{**ON_TRIGGER, "name": "probe"}])
    agent = site.start()
    assert ask(site, "queue", "hold", "--destination", "archive").stdout == "destination archive held by eva\n"
    ask(site, "trigger", "probe")
    agent.wait_until("capture", lambda: len(site.rows()) == 1)
    said = ask(site, "status").stdout
    assert said.startswith("health   attention\n")
    assert "archive: held by the operator" in said
    assert "held by the operator since" in ask(site, "queue", "list").stdout
    assert "held by the operator" in ask(site, "why", "archive").stdout
    (row,) = site.rows()
    assert row.states == {"archive": "queued"}
    assert "held by the operator" in ask(site, "why", row.uid).stdout

    before = ask(site, "status", "--json").json
    told = ask(site, "restart")
    assert told.stdout.startswith("ready again after ")
    after = ask(site, "status", "--json").json
    assert after["started_at"] > before["started_at"]
    assert after["pid"] == before["pid"] == agent.pid
    assert site.rows()[0].states == {"archive": "queued"}  # held over the restart

    assert ask(site, "queue", "release").stdout == "destination archive released by eva\n"
    agent.wait_until("commitment", lambda: site.all_in("committed", 1))
    assert ask(site, "status", "--associations").returncode == 0
    log = ask(site, "log", "--last", "0").stdout
    for text in ("queue: hold archive by eva", "agent: begins anew: asked for by eva", "queue: release everything"):
        assert text in log
    assert "begins anew" not in ask(site, "log", "--match", "release").stdout

    site.config.write_text(site.config.read_text() + "[nonsense]\n")
    refused = run_command("restart", "--spool", site.spool)
    assert refused.returncode == 10
    assert "nonsense" in refused.stderr
    assert ask_spool(site)["pid"] == agent.pid


def ask_spool(site: Site) -> Any:
    return run_command("status", "--spool", site.spool, "--json").json


def test_a_wedged_agent_is_told_from_none(site: Site, to_archive: dict[str, Any], archive: Archive) -> None:
    site.configure(destinations=[to_archive])
    agent = site.start()
    os.kill(agent.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        said = ask(site, "status").stdout
        assert "the running agent does not answer: nothing came within 5 s" in said
        assert said.startswith("health   trouble\n")
        assert "agent: begins" in ask(site, "log", "--last", "0").stdout
        assert time.monotonic() - began < 50
    finally:
        os.kill(agent.pid, signal.SIGCONT)
