"""Setting clock, zone and server through programs of the system, which are fakes here: the clock of this box stays."""

from __future__ import annotations

import json
import os
import time

import pytest

from agent.app import cli, clock_tools, verb_clock
from agent.errors import UsageError


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Fakes on PATH that write down how they were called; nothing of the real system can be reached."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(clock_tools, "_PATH", str(folder))
    monkeypatch.setattr(clock_tools, "CHRONY", str(tmp_path / "etc/chrony/sources.d"))
    monkeypatch.setattr(clock_tools, "TIMESYNCD", str(tmp_path / "etc/timesyncd.conf.d"))
    (tmp_path / "etc/chrony").mkdir(parents=True)

    class Tools:
        calls = tmp_path / "calls"
        etc = tmp_path / "etc"

        def add(self, name, *, fails=""):
            path = folder / name
            end = f'echo "{fails}" >&2\nexit 1\n' if fails else "exit 0\n"
            path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.calls}\n{end}')
            path.chmod(0o755)

        def called(self):
            return self.calls.read_text().splitlines() if self.calls.exists() else []

    return Tools()


def run(tmp_path, *words):
    return cli.main(["clock", *words, "--spool", str(tmp_path / "no-spool")])


def test_the_time_is_set_by_timedatectl(tools, tmp_path, capsys):
    tools.add("timedatectl")
    assert run(tmp_path, "set", "2026-03-01T10:15") == 0
    assert tools.called() == ["timedatectl set-time 2026-03-01 10:15:00"]
    assert "was set to 2026-03-01T10:15:00" in capsys.readouterr().out


def test_without_timedatectl_date_does_it(tools, tmp_path):
    tools.add("date")
    assert run(tmp_path, "set", "2026-03-01 10:15:30") == 0
    assert tools.called() == ["date -s 2026-03-01 10:15:30"]


def test_without_the_right_it_says_what_to_type(tools, tmp_path, capsys):
    tools.add("timedatectl", fails="Failed to set time: Access denied")
    assert run(tmp_path, "set", "2026-03-01T10:15") == 53
    err = capsys.readouterr().err
    assert "Access denied" in err
    assert "timedatectl set-time '2026-03-01 10:15:00'" in err


def test_a_clock_that_follows_a_server_is_told_so(tools, tmp_path, capsys):
    tools.add("timedatectl", fails="Failed to set time: Automatic time synchronization is enabled")
    assert run(tmp_path, "set", "2026-03-01T10:15") == 53
    err = capsys.readouterr().err
    assert "follows a time server" in err
    assert "set-ntp false" in err


def test_the_zone_is_set(tools, tmp_path, capsys):
    tools.add("timedatectl")
    if not os.path.exists("/usr/share/zoneinfo/Europe/Berlin"):
        pytest.skip("no tzdata here")
    assert run(tmp_path, "zone", "Europe/Berlin") == 0
    assert tools.called() == ["timedatectl set-timezone Europe/Berlin"]
    assert "restart" in capsys.readouterr().out


def test_without_timedatectl_the_zone_is_a_line_to_type(tools, tmp_path, capsys):
    if not os.path.exists("/usr/share/zoneinfo/UTC"):
        pytest.skip("no tzdata here")
    assert run(tmp_path, "zone", "UTC") == 53
    assert "ln -sf /usr/share/zoneinfo/UTC /etc/localtime" in capsys.readouterr().err


def test_a_server_is_named_to_chrony(tools, tmp_path, capsys):
    tools.add("chronyc")
    tools.add("timedatectl")
    assert run(tmp_path, "ntp", "ntp.example.org") == 0
    assert (tools.etc / "chrony/sources.d/modality-agent.sources").read_text() == "server ntp.example.org iburst\n"
    assert tools.called() == ["chronyc reload sources"]
    assert run(tmp_path, "ntp", "10.0.0.1") == 0  # in the place of the other
    assert clock_tools.servers() == ["10.0.0.1"]
    assert run(tmp_path, "show") == 0
    assert "asked: 10.0.0.1" in capsys.readouterr().out


def test_a_server_is_named_to_timesyncd(tools, tmp_path):
    tools.add("timedatectl")
    tools.add("systemctl")
    assert run(tmp_path, "ntp", "ntp.example.org") == 0
    assert (tools.etc / "timesyncd.conf.d/modality-agent.conf").read_text() == "[Time]\nNTP=ntp.example.org\n"
    assert tools.called() == ["systemctl restart systemd-timesyncd", "timedatectl set-ntp true"]


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (("ntp", "ntp.example.org"), 53, "nothing here can follow a time server"),
        (("ntp", "a b; rm -rf /"), 2, "is no server"),
        (("zone", "Mars/Olympus"), 2, "no time zone"),
        (("zone", "../../etc/passwd"), 2, "no time zone"),
        (("set", "tomorrow"), 2, "is no time"),
        (("set", "1999-01-01T00:00"), 2, "before this program was made"),
        (("set",), 2, "needs a time"),
    ],
)
def test_mistakes_are_said(tools, tmp_path, capsys, words, status, text):
    assert run(tmp_path, *words) == status
    assert text in capsys.readouterr().err
    assert tools.called() == []


def test_a_near_name_of_a_zone_is_offered(tools, tmp_path, capsys):
    if not verb_clock.zones():
        pytest.skip("no tzdata here")
    assert run(tmp_path, "zone", "berlin") == 2
    assert "Europe/Berlin" in capsys.readouterr().err


def test_an_hour_is_that_of_today():
    now = time.mktime((2026, 3, 1, 8, 0, 0, 0, 0, -1))
    assert verb_clock.moment_of("10:15", now) - now == 2 * 3600 + 15 * 60
    assert verb_clock.moment_of("10:15:07", now) - now == 2 * 3600 + 15 * 60 + 7
    with pytest.raises(UsageError):
        verb_clock.moment_of("25:00", now)


def test_the_clock_is_shown_without_spool_and_configuration(tools, tmp_path, capsys):
    assert cli.main(["clock", "show", "--config", str(tmp_path / "none.toml"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert abs(found["at"] - time.time()) < 60
    assert found["ledger"] is None
