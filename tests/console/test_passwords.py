"""A session full of passwords, and then the places where one might be: logs, differences, the support bundle, a core,
and the list of processes; and every other file that there is.

What is typed where nothing is echoed must not come back on the line either. What somebody types at a prompt by mistake
is echoed, and is to be found nowhere else.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.console_process import ConsoleProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = '[spool]\npath = "spool"\n[[destination]]\nname = "pacs"\ncalled_ae = "P"\nhost = "127.0.0.1"\n'
ADMIN, NEXT, VERA, OTHER = "Tr0ub4dor&3 staple", "Mn0g0ugodno-battery", "V3ra's own secret", "An0ther for her"
WRONG, TOO_SHORT, PASTED = "Zapf1sch-falsch", "Kurz-9", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
AS_NAME, AT_PROMPT, AHEAD = "Kanarienv0gel1", "Kanarienv0gel2", "Kanarienv0gel3"
HIDDEN = (ADMIN, NEXT, VERA, OTHER, WRONG, TOO_SHORT, PASTED)
SECRETS = tuple(text.encode() for text in (*HIDDEN, AS_NAME, AT_PROMPT, AHEAD))
MARK = "show log match a-line-to-be-remembered"


class Lookout(threading.Thread):
    """Looks at the command line and environment of every process, again and again."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.found: set[str] = set()
        self.looks = 0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.is_set():
            for pid in filter(str.isdigit, os.listdir("/proc")):
                for name in ("cmdline", "environ"):
                    try:
                        with open(f"/proc/{pid}/{name}", "rb") as file:
                            data = file.read()
                    except OSError:
                        continue
                    self.found |= {f"{pid}/{name}: {text.decode()}" for text in SECRETS if text in data}
            self.looks += 1

    def end(self) -> None:
        self._over.set()
        self.join()


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    """A box with an agent that runs."""
    path = tmp_path / "agent.toml"
    path.write_text(CONFIG)
    with open(tmp_path / "agent.err", "wb") as errors:
        agent = subprocess.Popen(
            [sys.executable, "-P", "-m", "agent", "run", "--config", str(path)], stdout=errors, stderr=errors
        )
    until = time.monotonic() + 60
    while not (tmp_path / "spool/control.sock").exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    yield path
    agent.terminate()
    agent.wait(60)


def enter(console: ConsoleProcess, text: str) -> None:
    """Type a line, and wait until it was taken: the next question may look like this one."""
    before, until = len(console.terminal.rows), time.monotonic() + 60
    console.type(text + "\r")
    while len(console.terminal.rows) == before:
        assert time.monotonic() < until, console.shown()
        console.read(0.1)


def answered(console: ConsoleProcess, line: str, *answers: tuple[str, str], prompt: str = "> ") -> None:
    """Type a command and answer what it asks."""
    enter(console, line)
    for question, text in answers:
        console.wait_for(question)
        enter(console, text)
    console.wait_for(prompt)


def session(console: ConsoleProcess) -> None:
    """Be asked for passwords wherever one is asked for, and type some where none is."""
    new, again = "New password:", "Again:"
    console.wait_for("login:")
    answered(console, "admin", ("Password:", "modality"), (new, TOO_SHORT), (new, ADMIN), (again, WRONG), (new, ADMIN),
             (again, ADMIN))  # fmt: skip
    answered(console, "user add vera technician", (new, VERA), (again, VERA))
    answered(console, "user password vera", (new, OTHER), (again, OTHER))
    answered(console, "password", ("Old password:", WRONG))
    answered(console, "password", ("Old password:", ADMIN), (new, NEXT), (again, NEXT))
    answered(console, AT_PROMPT)
    answered(console, "restart", ("[yes/no]", AHEAD))
    console.type("show status\r" + AHEAD + "\r")
    console.wait_for("> ")
    console.command("show version")
    console.type("tls import ca\r-----BEGIN PRIVATE KEY-----\r" + PASTED + "\r-----END PRIVATE KEY-----\r")
    console.wait_for("Enter)")
    console.type(PASTED + "\r\r")
    console.wait_for("> ")
    console.command("configure", "# ")
    console.command(f"commit comment '{MARK}'", "# ")
    console.command("set agent ae_title OTHER", "# ")
    console.command("compare", "# ")
    answered(console, AT_PROMPT, prompt="# ")
    console.command("commit no-tests", "# ")
    console.command("exit")
    console.command("exit", "login:")
    for name, password in ((AS_NAME, WRONG), ("admin", WRONG), ("vera", OTHER)):
        answered(console, name, ("Password:", password), prompt="login:" if password == WRONG else "> ")
    console.command("exit", "login:")
    answered(console, "admin", ("Password:", NEXT))


def limit_of_core(pid: int) -> list[str]:
    with open(f"/proc/{pid}/limits") as file:
        return next(row.split()[4:6] for row in file if row.startswith("Max core file size"))


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(text) for text in file.read().split()]


def held_in(data: bytes) -> list[str]:
    return [text.decode() for text in SECRETS if text in data]


def test_no_password_is_to_be_found_anywhere(config: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (limits[1], limits[1]))
    lookout = Lookout()
    lookout.start()
    try:
        with ConsoleProcess(config) as console:
            session(console)
            said = {line: "\n".join(console.command(f"{line} | no-more")) for line in (
                "show log last 0", "show sessions", "show configuration history", "show history", "show configuration",
                "show configuration commands", "show status", f"support {config.parent}/bundle.tar.gz")}  # fmt: skip
            console.type("log follow\r")
            console.read(1.0)
            started = children(console.process.pid)
            limits_of = [limit_of_core(pid) for pid in (console.process.pid, *started)]
            lookout.end()
            console.process.send_signal(signal.SIGABRT)
            status = os.waitpid(console.process.pid, 0)[1]
            console.process.returncode = -signal.SIGABRT
            for pid in started:  # nobody is left to end them
                os.kill(pid, signal.SIGKILL)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, limits)
    # the list of processes
    assert lookout.found == set()
    assert lookout.looks > 20
    # logs, differences, histories
    for line, text in said.items():
        assert held_in(text.encode()) == [], line
    assert "command\trefused" not in said["show log last 0"]
    assert MARK in said["show configuration history"] or "OTHER" in said["show configuration"]
    # the support bundle
    with tarfile.open(config.parent / "bundle.tar.gz") as bundle:
        members = {one.name: file.read() for one in bundle if (file := bundle.extractfile(one)) is not None}
    assert len(members) > 5
    hashes = [row.split()[2].encode() for row in Path(f"{config}.console/users").read_text().splitlines()[1:]]
    assert len(hashes) == 2
    for name, data in members.items():
        assert held_in(data) == [], name
        assert not any(one in data for one in hashes), name
    # a core: there is none of the console nor of its children, also where cores are piped to a program (core(5))
    assert limits_of == [["1", "1"]] * 2
    assert not os.WCOREDUMP(status)
    # the line, where nothing is echoed
    assert [text for text in HIDDEN if text.encode() in console.sent] == []
    # every file, hashes only where they belong
    files = [path for path in config.parent.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        data = path.read_bytes()
        assert held_in(data) == [], path
        if path.name not in ("users", "users.before"):
            assert not any(one in data for one in hashes), path
    assert list(Path("/dev/shm").glob("modality-agent-*")) == []
