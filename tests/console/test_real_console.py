"""The console as a process of its own: a wedged agent, a pulled line, two sessions, and where no password is."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest
from fakes.console_process import ConsoleProcess

PASSWORD = "correct horse"
CONFIG = '[spool]\npath = "spool"\n[[destination]]\nname = "pacs"\ncalled_ae = "P"\nhost = "127.0.0.1"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(CONFIG)
    return path


def processes_with(text: bytes) -> list[str]:
    """Return what of /proc a password is in: command lines and environments of every process there is."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    if text in file.read():
                        found.append(f"{pid}/{name}")
            except OSError:
                continue
    return found


def test_a_password_is_in_no_process_list_and_no_file(config: Path) -> None:
    secret = "Tr0ub4dor&3 staple"
    with ConsoleProcess(config) as console:
        console.wait_for("login:")
        for prompt, text in (
            ("login:", "admin"),
            ("Password:", "modality"),
            ("New password:", secret),
            ("Again:", secret),
        ):
            console.wait_for(prompt)
            console.type(text + "\r")
            until = time.monotonic() + 0.3
            while time.monotonic() < until:
                assert processes_with(secret.encode()) == []
                console.read(0.005)
        console.wait_for(">")
        console.command("show sessions")
        assert secret.encode() not in console.sent
    kept = [path.name for path in config.parent.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert kept == []
    assert os.stat(f"{config}.console/users").st_mode & 0o777 == 0o600
    assert os.stat(f"{config}.console").st_mode & 0o777 == 0o700


def test_an_agent_that_hangs_hangs_nothing(config: Path) -> None:
    """A socket that takes requests and never answers stands for a wedged forwarder."""
    (config.parent / "spool").mkdir()
    with socket.socket(socket.AF_UNIX) as wedged, ConsoleProcess(config) as console:
        here = os.getcwd()
        os.chdir(config.parent / "spool")
        try:
            wedged.bind("control.sock")
        finally:
            os.chdir(here)
        wedged.listen(8)
        console.log_in()
        begun = time.monotonic()
        console.type("trigger probe\r")
        console.read(1.0)
        console.type("\x03")
        console.wait_for(">")
        assert time.monotonic() - begun < 40
        assert console.command("show version")[0].startswith("modality-agent")


def test_the_second_editor_is_told_who_the_first_is(config: Path) -> None:
    with ConsoleProcess(config) as first:
        first.log_in()
        first.command("configure", "# ")
        with ConsoleProcess(config) as second:
            second.log_in()
            assert "is being edited by admin on" in "\n".join(second.command("configure"))
            first.type("exit\r")
            first.wait_for(">")
            assert "Configuration mode" in "\n".join(second.command("configure", "# "))


def test_a_console_on_its_own_terminal_ends_with_the_session(config: Path) -> None:
    with ConsoleProcess(config, own=True) as console:
        console.log_in()
        console.type("exit\r")
        assert console.process.wait(60) == 0


def test_hang_up_ends_the_child_too(config: Path) -> None:
    with ConsoleProcess(config, own=True) as console:
        console.log_in()
        console.type("log follow\r")
        console.read(1.0)
        os.close(console.master)
        os.close(console.slave)
        console.master = console.slave = -1
        assert console.process.wait(60) == 0
    left = [pid for pid in processes_with(str(config).encode()) if pid.endswith("cmdline")]
    assert left == []
