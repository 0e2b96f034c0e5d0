"""Each command of the table, played at the console by each role: who may runs it, who may not runs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.console_site import Site

from agent.console.commands import COMMANDS
from agent.console.machine import TABLE, Machine
from agent.console.row import BOTH, CONFIGURATION, OPERATIONAL, ROLES, Command, may

# Values that are of the kind an argument takes, where any word would be refused for another reason than the role.
_VALUES = {"N": "1", "ROLE": "viewer", "KEY": "agent ae_title X", "COMMAND": "show version"}
# What somebody tries who may not: other ways to say the same.
DISGUISES = ("{}", "  {}  ", "{} | no-more", "{} | json | count", "'{}'", "show version | match {}", "help\r{}",
    "\x10\x10\x16{}", "exit; {}", "{} --config=/tmp/x")  # fmt: skip


def line_of(command: Command) -> str:
    """Return how a command is typed, with values for what it needs."""
    needed = [one for one in command.arguments if not one.keyword and not one.optional]
    values = [one.choices[0] if one.choices else _VALUES.get(one.name, "2") for one in needed]
    return " ".join([command.path, *values])


def shortened(command: Command, mode: str) -> str:
    """Return the shortest words that the table takes for it from an admin."""
    rows = [one for one in COMMANDS if one.mode in (mode, BOTH)]
    words = []
    for at, word in enumerate(command.words):
        alike = {one.words[at] for one in rows if len(one.words) > at and one.words[:at] == command.words[:at]}
        least = min(3, len(word)) if command.changes else 1
        words.append(next(word[:n] for n in range(least, len(word) + 1)
                          if n == len(word) or sum(other.startswith(word[:n]) for other in alike) == 1))  # fmt: skip
    return " ".join([*words, *line_of(command).split()[len(words) :]])


def outcome(site: Site, command: Command, typed: str) -> str:
    """Type a line; returns 'ran' if this command was begun, 'refused' if nothing was."""
    record, started = len(site.record().splitlines()), len(site.started)
    site.type(typed + "\r")
    rows = [row.split("\t") for row in site.record().splitlines()[record:]]
    events = [row[5] for row in rows if row[4] == "command" and (row[5] == "refused" or row[6].split()[:1])]
    if events[-1:] == ["refused"] or not events:
        assert len(site.started) == started
        return "refused"
    if command.verb and command.question:
        site.type("yes\r")
    if command.verb:
        run = site.started[started]
        assert run.argv[: 1 + len(command.verb)] == ("agent", *command.verb)
    return "ran"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: f"{one.path}-{one.mode}")
def test_each_command_with_each_role(tmp_path: Path, command: Command, role: str) -> None:
    modes = (OPERATIONAL, CONFIGURATION) if command.mode == BOTH else (command.mode,)
    for mode in modes:
        for typed in (line_of(command), shortened(command, mode)):
            site = Site(tmp_path, role=role)
            site.log_in()
            if mode == CONFIGURATION:
                site.type("configure\r")
                assert site.screen.current == ("anna@box#" if may(role, "technician") else "anna@box>")
            mine = may(role, command.role) and (mode == OPERATIONAL or may(role, "technician"))
            if command.mode == BOTH and mode == CONFIGURATION and not may(role, "technician"):
                continue  # there is no way there
            assert outcome(site, command, typed) == ("ran" if mine else "refused"), typed
            site.session.closed(site.now)
            site.show()


@pytest.mark.parametrize("role", ROLES[:-1])
def test_no_disguise_runs_what_a_role_may_not(tmp_path: Path, role: str) -> None:
    site = Site(tmp_path, role=role)
    site.log_in()
    if may(role, "technician"):
        site.type("configure\r")
    prompt = site.screen.current
    above = [one for one in COMMANDS if not may(role, one.role)]
    assert above
    before = Path(f"{site.config}.console/users").read_bytes(), site.config.read_bytes()
    for command in above:
        ways = [line_of(command), shortened(command, command.mode), line_of(command).upper()]
        if may(role, "technician"):
            ways += [f"run {way}" for way in ways] + [f"run run {ways[0]}", f"set agent ae_title {ways[0]}"]
        for way in ways:
            for disguise in DISGUISES:
                started = len(site.started)
                site.type(disguise.format(way) + "\r")
                site.type("yes\r" if site.screen.current.endswith("[yes/no]") else "")
                words = [start.argv[1 : 1 + len(command.verb)] for start in site.started[started:]]
                assert not command.verb or command.verb not in words, (disguise, way)
                assert not any(start.raw or "hashing" in start.argv[0] for start in site.started[started:])
                assert site.screen.current == prompt, (disguise, way)
                assert site.session.user is not None
                assert site.session.user.role == role
    assert before == (Path(f"{site.config}.console/users").read_bytes(), site.config.read_bytes())


def test_every_role_below_is_refused_by_name(tmp_path: Path) -> None:
    site = Site(tmp_path, role="viewer")
    site.log_in()
    for command in COMMANDS:
        if command.mode == OPERATIONAL and not may("viewer", command.role):
            site.type(line_of(command) + "\r")
            assert f"is for the role {command.role}" in site.last or "unknown word" in site.last, command.path


# --- a program at the other end --------------------------------------------------------------------


class Asked(Machine):
    """A machine that runs nothing, and remembers what it would have run."""

    def __init__(self, role: str, config: Path) -> None:
        super().__init__(role, "anna", "ttyS0", str(config))
        self.ran: list[list[str]] = []

    def _run(self, argv: list[str], _data: bytes) -> dict[str, object]:
        self.ran.append(argv)
        return {"status": 0, "out": "", "err": ""}

    def ask(self, *argv: str) -> str:
        import json

        return str(self._answer(json.dumps({"argv": argv}).encode())["err"])


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("row", TABLE, ids=" ".join)
def test_each_request_of_a_program_with_each_role(tmp_path: Path, row: tuple[str, ...], role: str) -> None:
    machine = Asked(role, tmp_path / "agent.toml")
    said = machine.ask(*row)
    assert bool(machine.ran) == may(role, TABLE[row][0])
    assert not said or f"needs the role {TABLE[row][0]}" in said
    if machine.ran:
        assert f"--config={tmp_path}/agent.toml" in machine.ran[0]


@pytest.mark.parametrize(
    "argv",
    [
        ("tls", "request", "--key", "/tmp/x", "--output", "/etc/cron.d/x"), ("tls", "request", "--key=/tmp/x"),
        ("tls", "request", "-o", "/etc/x"), ("tls", "import", "ca", "/etc/shadow"), ("config", "load", "/etc/shadow"),
        ("config", "show", "/etc/x.toml"), ("config", "check", "/etc/x.toml"), ("status", "--spool", "/var/other"),
        ("status", "--spool=/var/other"), ("config", "show", "--config=/x"), ("config", "commit", "--who=root"),
        ("config", "commit", "--", "--who=root"), ("config", "set", "agent", "ae_title", "X"), ("reset", "--factory"),
        ("run",), ("support", "-o", "/tmp/x"), ("config", "export"), (), ("config",),
        ("tls", "request", "--subject", "x", "--key", "/tmp/x"),
    ],
)  # fmt: skip
def test_a_program_can_do_no_more_than_a_person(tmp_path: Path, argv: tuple[str, ...]) -> None:
    """No path of its own, no other configuration, no other name; what the console has no command for neither."""
    machine = Asked("admin", tmp_path / "agent.toml")
    assert machine.ask(*argv)
    assert machine.ran == []


@pytest.mark.parametrize(
    "argv",
    [
        ("config", "load", "-", "--replace"), ("config", "compare"), ("config", "check", "--candidate"),
        ("config", "commit", "--confirm", "10", "--comment", "--who=x", "--no-tests"), ("selftest", "--json"),
        ("tls", "import", "ca", "-", "--json", "--dry-run"), ("config", "show", "--json"),
        ("tls", "request", "--subject=box", "--name", "box.example", "--json"), ("config", "compare", "3"),
    ],
)  # fmt: skip
def test_what_provision_asks_is_done(tmp_path: Path, argv: tuple[str, ...]) -> None:
    machine = Asked("admin", tmp_path / "agent.toml")
    assert machine.ask(*argv) == ""
    assert len(machine.ran) == 1
