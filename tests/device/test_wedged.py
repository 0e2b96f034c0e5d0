"""An agent that is stopped in its tracks: each command of the console that asks it says so within seconds, and nothing
that was asked for meanwhile is done when it goes on. What answers by drops: test_control.py.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator

import pytest
from fakes.box import Box, Person
from fakes.command import run_command
from fakes.process import Process
from fakes.site import Site

pytestmark = pytest.mark.slow

SOURCE = {
    "name": "probe",
    "uri": "pattern:us-rgb?rows=48&columns=64&rate_hz=30",
    "clip_frames": 2,
    "sop_class": "us-mf",
}
SAYS = "the running agent does not answer"
# A command of the console, and what it says then; each once, so that what hangs does not hang the next one.
COMMANDS = {
    "trigger probe": SAYS,
    "show status": SAYS,
    "retry": SAYS,
    "hold destination away": SAYS,
    "release": SAYS,
    "priority 1.2.3 urgent": SAYS,
    "why away": "does not answer",
    "test send away": SAYS,
    "show queue": "committed|away",
    "show log": "agent: begins",
}
SECONDS = 30.0  # five, and two starts of Python on a machine that does many other things


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Process]]:
    """A real agent with an image that waits, stopped by SIGSTOP."""
    site = Site(tmp_path_factory.mktemp("box"))
    away = {"name": "away", "called_ae": "AWAY", "port": 1, "retry_base_s": 600.0, "retry_cap_s": 600.0}
    site.configure(destinations=[away], sources=[SOURCE])
    agent = site.start()
    run_command("trigger", "probe", "--config", site.config)
    agent.wait_until("an image", lambda: "captured 2.25" in agent.log, 60)
    os.kill(agent.pid, signal.SIGSTOP)
    try:
        yield site, agent
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(agent.pid, signal.SIGCONT)
        site.stop()


@pytest.mark.timeout(300)
def test_the_console_says_so_and_goes_on(stopped: tuple[Site, Process]) -> None:
    site, agent = stopped
    uids = [row.uid for row in site.rows()]
    with Box(site.config) as box, Person(box.far) as person:
        person.log_in()
        person.do("terminal length 0")
        for command, says in COMMANDS.items():
            began = time.monotonic()
            said = person.do(command, seconds=SECONDS + 10)
            assert re.search(says, " ".join(said.split())), said
            assert time.monotonic() - began < SECONDS
        person.do("configure")
        person.do("set agent station_name OTHER")
        said = person.do("commit no-tests", seconds=SECONDS)
        assert "goes on with the configuration before" in " ".join(said.split())
    os.kill(agent.pid, signal.SIGCONT)
    assert run_command("status", "--config", site.config, "--json").json["running"]
    time.sleep(1.0)
    assert [row.uid for row in site.rows()] == uids, "nobody waited any more for a capture"
    assert agent.log.count("captured 2.25") == 1
    assert "hold" not in agent.log
