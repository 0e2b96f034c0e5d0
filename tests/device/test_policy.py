"""The daemon with windows, priorities, a standby and several associations; and what the commands say of it."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

from fakes.command import QUICK_SOURCE, run_command
from fakes.process import free_port

if TYPE_CHECKING:
    from fakes.site import Archive, Site

ON_TRIGGER = {**QUICK_SOURCE, "every_s": 0.0}


def window() -> str:
    """A window of one minute that is twelve hours away."""
    away = time.localtime(time.time() + 12 * 3600)
    hour, minute = divmod(away.tm_hour * 60 + away.tm_min + 1, 60)
    return f"{time.strftime('%a %H:%M', away)}-{hour:02}:{minute:02}"


def trigger(site: Site, *options: str) -> None:
    before = len(site.rows())
    assert run_command("trigger", "probe", *options, "--config", site.config).returncode == 0
    assert site.agent is not None
    site.agent.wait_until("capture", lambda: len(site.rows()) == before + 1)


def test_a_closed_window_is_told_and_urgent_passes_it(site: Site, archive: Archive, to_archive: dict[str, Any]) -> None:
    row = {**to_archive, "send_windows": [window()], "urgent_ignores_windows": True, "bandwidth": "80 Mbit/s"}
    site.configure(destinations=[row], sources=[{**ON_TRIGGER, "name": "probe"}])
    agent = site.start()
    trigger(site)
    (waiting,) = site.rows()
    says = "waits for its window, opens at"
    assert says in run_command("status", "--config", site.config).stdout
    assert says in run_command("queue", "list", "--config", site.config).stdout
    assert f"it {says}" in run_command("why", waiting.uid, "--config", site.config).stdout
    trigger(site, "--priority", "urgent")
    agent.wait_until("the urgent one", lambda: len(archive.index()) == 1)
    ((uid, _),) = archive.index()
    assert uid != waiting.uid
    assert "queued, low" not in run_command("queue", "list", "--config", site.config).stdout
    answer = run_command("queue", "priority", waiting.uid, "low", "--config", site.config)
    assert answer.stdout == "1 instance low\n"
    assert "queued, low" in run_command("queue", "list", "--config", site.config).stdout
    receipt = run_command("receipt", waiting.uid, "--config", site.config, "--json").json
    raised = run_command("queue", "priority", receipt["study_uid"], "urgent", "--config", site.config)
    assert raised.stdout == "2 instances urgent\n"
    agent.wait_until("the other one", lambda: len(archive.index()) == 2)
    unknown = run_command("queue", "priority", "2.25.1", "urgent", "--config", site.config)
    assert (unknown.returncode, "has never had 2.25.1" in unknown.stderr) == (4, True)
    assert run_command("queue", "priority", "2.25.1", "--config", site.config).returncode == 2


def test_a_standby_takes_over_and_receipts_say_so(site: Site, archive: Archive, to_archive: dict[str, Any]) -> None:
    dead = {"name": "dead", "called_ae": "DEAD", "port": free_port(), "failover": "archive", "failover_after_s": 0.2}
    standby = {**to_archive, "standby": True, "associations": 2, "async_operations": 4}
    site.configure(destinations=[dead, standby], sources=[{**ON_TRIGGER, "name": "probe"}])
    agent = site.start()
    trigger(site)
    (row,) = site.rows()
    agent.wait_until("the standby", lambda: len(archive.index()) == 1)
    agent.wait_until("commitment", lambda: "committed" in run_command(
        "receipt", row.uid, "--config", site.config, "--committed").stdout)  # fmt: skip
    assert run_command("receipt", row.uid, "--config", site.config, "--committed").returncode == 0
    why = run_command("why", row.uid, "--config", site.config).stdout
    assert "dead: it was not sent here: handed over to archive:" in why
    assert "images go to archive" in run_command("status", "--config", site.config).stdout
    assert "handed over to archive" in site.log()


def test_what_a_removed_destination_is_still_owed_is_said(site: Site) -> None:
    gone = {"name": "gone", "called_ae": "GONE", "port": free_port()}
    kept = {"name": "kept", "called_ae": "KEPT", "port": free_port()}
    sources = [{**ON_TRIGGER, "name": "probe"}]
    site.configure(destinations=[gone, kept], sources=sources)
    agent = site.start()
    trigger(site)
    agent.wait_until("the instance", lambda: len(site.rows()) > 0)
    site.configure(destinations=[kept], sources=sources)
    agent.signal(signal.SIGHUP)
    agent.wait_until(
        "the warning", lambda: "destination 'gone' is not configured any more and still owed 1 instance" in site.log()
    )
