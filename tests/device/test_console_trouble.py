"""The day that something is wrong: whoever logs in reads what, in one line each, and which command tells more."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.box import PASSWORD, Box, Person
from fakes.command import run_command
from fakes.site import Site

pytestmark = pytest.mark.slow


def test_a_full_spool_and_a_destination_that_is_down(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    away = {"name": "away", "called_ae": "AWAY", "port": 1}
    source = {"name": "probe", "uri": "pattern:us-mono?rows=48&columns=64", "clip_frames": 2}
    site.configure(destinations=[away], sources=[source])
    with Box(site.config) as box, Person(box.far) as person:
        person.first_log_in()
        person.do("exit", r"login: $")
        agent = site.start()
        run_command("trigger", "probe", "--config", site.config)
        agent.wait_until("a failure", lambda: "next try in" in agent.log, 60)
        site.stop()
        site.configure(destinations=[away], sources=[source], spool={"min_free_mib": 1 << 20})
        agent = site.start()
        agent.wait_until("the alarm", lambda: "alarm:" in agent.log and "next try in" in agent.log, 60)
        person.type("admin\r")
        person.expect(r"Password: $")
        person.type(PASSWORD + "\r")
        said = " ".join(person.expect(r"> $").split())
        assert "health trouble" in said
        assert "('show queue' tells more)" in said
        assert "in a row, it is tried again ('why away' tells more)" in said
        shown = run_command("status", "--config", site.config).stdout
        assert "('queue list' tells more)" in shown
        assert "('why away' tells more)" in shown
        site.stop()
