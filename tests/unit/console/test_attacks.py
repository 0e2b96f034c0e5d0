"""What somebody who means harm does at the console, with a session without I/O."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.console_site import PASSWORD, Site

from agent.config import key_path
from agent.config.key_path import find
from agent.console.children import Child
from agent.console.filters import Filters
from agent.console.output import Output
from agent.console.session import AHEAD_LIMIT
from agent.console.users import Users
from agent.console.wishes import Stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.config.key_path import Place

WRONG = "wrong password"


def failures(site: Site, name: str, count: int) -> None:
    """Fail, each time as soon as there is a prompt again."""
    for _ in range(count):
        site.log_in(name, WRONG)
        site.pass_time(320)


# --- the lock-out ----------------------------------------------------------------------------------


def test_a_second_console_does_not_give_failures_back(tmp_path: Path) -> None:
    first = Site(tmp_path)
    Users(f"{first.config}.console").put(first.user("bert", "technician"))
    second = Site(tmp_path)
    failures(first, "anna", 5)
    second.log_in("bert", WRONG)
    second.pass_time(3)
    second.log_in("bert")
    first.begin()  # the cable was pulled and put in again
    first.log_in("anna", WRONG)
    assert first.last == "Login incorrect. Wait 40 s."


def test_two_consoles_share_the_count(tmp_path: Path) -> None:
    first, second = Site(tmp_path), Site(tmp_path)
    for site in (first, second, first):
        site.log_in("anna", WRONG)
        site.pass_time(2)
    assert first.last == "Login incorrect. Wait 5 s."
    second.log_in()
    assert "locked for another" in second.last
    first.pass_time(5)
    first.log_in()
    assert first.screen.current == "anna@box>"
    second.pass_time(6)
    second.log_in("anna", WRONG)
    assert second.last == "Login incorrect."  # a success ends the count on every line


def test_a_clock_that_is_set_back_locks_nobody_out_for_a_year(tmp_path: Path) -> None:
    site = Site(tmp_path)
    failures(site, "anna", 4)
    site.log_in("anna", WRONG)
    site.wall -= 365 * 86_400.0
    site.pass_time(25)
    site.log_in()
    assert site.screen.current == "anna@box>"


def test_a_clock_that_is_set_on_opens_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path)
    failures(site, "anna", 6)
    site.log_in("anna", WRONG)
    site.wall += 86_400.0
    site.begin()
    site.log_in()
    assert "locked for another" in site.last


def test_after_a_start_of_the_machine_a_wait_is_what_was_left_of_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    failures(site, "anna", 6)
    site.log_in("anna", WRONG)
    site.boot, site.now, site.wall = "second", 1.0, site.wall + 30
    site.begin()
    site.log_in()
    assert "locked for another 50 s" in site.last
    site.wall = 0.0  # no battery
    site.boot = "third"
    site.begin()
    site.log_in()
    assert "locked for another 80 s" in site.last


def test_a_name_that_is_none_answers_as_one_that_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the lock-out of others nor its own tells whether a name exists."""
    monkeypatch.setattr(os, "urandom", bytes)  # no two of these names have one place
    answers = []
    for name in ("anna", "nobody"):
        (tmp_path / name).mkdir()
        site = Site(tmp_path / name)
        for other in range(8):
            site.log_in(f"other{other}", WRONG)
            site.pass_time(2)
        said = []
        for _ in range(6):
            site.log_in(name, WRONG)
            said.append(site.last)
            site.pass_time(3)
        site.begin()
        site.log_in(name, WRONG)
        answers.append([*said, site.last])
    assert answers[0] == answers[1]
    assert "locked" in answers[0][-1]


def test_a_break_does_not_shorten_the_moment_that_a_failure_costs(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in("anna", WRONG)
    tried = len(site.started)
    for _ in range(20):
        site.session.line_break(site.now)
        site.show()
        site.log_in("nobody", WRONG)
        site.pass_time(0.04)
    assert len(site.started) <= tried + 1


def test_many_names_that_do_not_exist_fill_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for number in range(40):
        site.log_in(f"name{number}", WRONG)
        site.pass_time(2)
    assert "name" not in (tmp_path / "agent.toml.console" / "failures").read_text()
    assert len({site.world.lock.key_of(f"name{number}") for number in range(8000)}) <= 1024
    site.pass_time(400)
    site.log_in()
    assert site.screen.current == "anna@box>"


# --- the first password ----------------------------------------------------------------------------


def test_who_was_slower_at_the_first_start_replaces_nobodys_password(tmp_path: Path) -> None:
    first, second = Site(tmp_path, users=False), Site(tmp_path, users=False)
    for site in (first, second):
        site.log_in("admin", "modality")
        assert site.screen.current == "New password:"
    first.type("of the hospital\r")
    first.type("of the hospital\r")
    assert first.screen.current == "admin@box>"
    second.type("of the attacker\r")
    second.type("of the attacker\r")
    assert second.session.user is None
    assert "a password was set meanwhile" in "\n".join(second.screen.rows)
    first.session.line_break(first.now)
    first.show()
    first.log_in("admin", "of the hospital")
    assert first.screen.current == "admin@box>"


# --- who is no longer what he was ------------------------------------------------------------------


def test_who_was_deleted_elsewhere_does_nothing_more(tmp_path: Path) -> None:
    first = Site(tmp_path)
    Users(f"{first.config}.console").put(first.user("bert", "technician"))
    second = Site(tmp_path)
    first.log_in()
    second.log_in("bert")
    first.type("user delete bert\r")
    second.type("restart\r")
    assert "You are no longer a user of this box: logged out" in "\n".join(second.screen.rows)
    assert second.session.user is None


def test_a_role_that_was_taken_is_gone_at_once(tmp_path: Path) -> None:
    first = Site(tmp_path)
    Users(f"{first.config}.console").put(first.user("bert", "admin"))
    second = Site(tmp_path)
    first.log_in()
    second.log_in("bert")
    first.type("user role bert viewer\r")
    second.type("user add eve admin\r")
    assert "is for the role admin" in second.last
    assert second.session.user is not None


def test_a_factory_reset_elsewhere_ends_every_session(tmp_path: Path) -> None:
    first, second = Site(tmp_path), Site(tmp_path)
    first.log_in()
    second.log_in()
    Path(f"{first.config}.console/users").unlink()
    second.type("user add eve admin\r")
    assert second.session.user is None
    assert not Path(f"{first.config}.console/users").exists()


# --- what a line may hold --------------------------------------------------------------------------


@pytest.mark.parametrize("line", ['why "\\u0000"', 'show log match "a\\u0000b"', 'set agent ae_title "\\u0000"'])
def test_a_nul_in_quotes_ends_nothing(tmp_path: Path, line: str) -> None:
    site = Site(tmp_path, role="viewer")
    site.log_in()
    site.type(line + "\r")
    assert site.screen.current == "anna@box>"
    assert all("\0" not in word for start in site.started for word in start.argv)


@pytest.mark.parametrize(
    "line",
    ['"\\u001b[31m"', 'why "\\u001b[2J" x', 'show log | match "\\u001b[(" | x', 'user delete "\\u001b]0;x\\u0007"',
     'show log level "\\u009b31m"', "configure\rset agent ae_title \"\\u001b[2J\"\rshow\rcompare\rdiscard",
     "configure\rset destination \"\\u001b[2J\" host h\rset destination \t\t?"],
)  # fmt: skip
def test_no_escape_that_is_typed_comes_back_raw(tmp_path: Path, line: str) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.type(line + "\r")
    site.type("show history\r")
    assert b"\x1b" not in site.bytes
    assert "\x9b" not in site.bytes.decode()


def test_no_escape_of_a_configuration_reaches_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text(
        '[console]\nbanner = "x\\u001b[2Jy"\n[[destination]]\nname = "a\x1b[31mb"\ncalled_ae = "P"\nhost = "h"\n'
    )
    site = Site(tmp_path)
    site.log_in()
    site.type("echo \t\t?")
    site.session.message(["Note: by \x1b[2Jsomebody."])
    site.show()
    assert b"\x1b" not in site.bytes


# --- what grows ------------------------------------------------------------------------------------


def test_a_flood_of_damaged_bytes_is_bounded(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.answers = False
    site.type("show status\r")
    for _ in range(3 * AHEAD_LIMIT):
        site.session.disturbed(site.now)
    assert len(site.session._keys) <= AHEAD_LIMIT + 1


def test_a_child_that_reads_nothing_is_not_filled() -> None:
    child = Child(("this_is_no_module",), b"", 80, raw=True)
    try:
        os.kill(child.pid, 19)  # SIGSTOP
        for _ in range(200):
            child.send(b"x" * 8192)
        assert len(child._data) <= 2 * 65_536
    finally:
        child.stop(hard=True)
        os.waitpid(child.pid, 0)
        child.close()


def test_a_child_that_cannot_be_started_leaves_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_words: object) -> int:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "posix_spawn", full)
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="temporarily"):
        Child(("agent",), b"", 80)
    assert set(os.listdir("/proc/self/fd")) <= before


def test_a_line_that_takes_nothing_does_not_keep_anybody_logged_in(tmp_path: Path) -> None:
    """XOFF, by noise or by somebody who left: the verb waits for the line, and nobody for the user."""
    site = Site(tmp_path)
    site.log_in()
    site.answers = False
    site.type("show log | no-more\r")
    site.session.child_output(b"line\n" * 2000, site.now)
    for _ in range(13):
        site.now += 100
        site.session.tick(site.now)
    assert site.session.user is None


@pytest.mark.parametrize("line", ["file send log", "file send certificate", "configure", "show users", "show sessions"])
def test_a_medium_that_fails_ends_no_session(tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(tmp_path)
    site.log_in()

    def full(*_args: object, **_words: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "mkdir", full)
    site.type(line + "\r")
    monkeypatch.undo()
    assert site.screen.current in ("anna@box>", "anna@box#")


# --- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["certificate", "request"])
def test_no_file_leaves_the_box_under_the_name_of_a_certificate(tmp_path: Path, what: str) -> None:
    """A technician may name the file of the certificate, and hashes of passwords are in a file."""
    users = tmp_path / "agent.toml.console" / "users"
    (tmp_path / "agent.toml").write_text(f'[tls]\ncertificate_file = "{users}"\nkey_file = "{tmp_path}/x.key"\n')
    site = Site(tmp_path, role="technician")
    (tmp_path / "x.csr").symlink_to(users)
    site.log_in()
    site.type(f"file send {what}\r")
    assert not any(start.raw for start in site.started)
    assert f"is no certificate{' request' * (what == 'request')}" in site.last


@pytest.mark.parametrize("place", ["agent.toml.reset", "agent.toml.console/x", "agent.toml.history/pending", "tls/x",
    "link/x", "agent.toml"])  # fmt: skip
@pytest.mark.parametrize("command", ["support {}", "test frame probe output {}", "export {} all"])
def test_nothing_is_written_where_the_box_keeps_what_it_is(tmp_path: Path, command: str, place: str) -> None:
    """A file ``agent.toml.reset`` is a factory reset, which is the admin's."""
    site = Site(tmp_path, role="technician")
    (tmp_path / "link").symlink_to(tmp_path / "agent.toml.console")
    site.log_in()
    before = len(site.started)
    site.type(command.format(tmp_path / place) + "\r")
    assert len(site.started) == before
    assert "is where this box keeps" in site.last
    site.type(command.format(tmp_path / "somewhere") + "\r")
    assert len(site.started) == before + 1


def test_events_that_could_not_be_recorded_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(tmp_path)

    def full(*_args: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    site.log_in()
    monkeypatch.undo()
    site.type("show sessions\r")
    assert "1 event of this console could not be recorded" in "\n".join(site.screen.rows)


def test_nothing_of_a_long_line_is_lost() -> None:
    output, said = Output(Filters(), 0, 80, {}), ""
    letters = "".join(chr(97 + at % 26) for at in range(20_000))
    for at in range(0, len(letters), 4096):
        said += output.take(letters[at : at + 4096].encode(), error=False)
    said += output.take(b"\n", error=False) + output.end(0, "")
    assert "".join(said.split("\r\n")) == letters


# --- at every step ---------------------------------------------------------------------------------

# What was typed, whether the child that is begun last goes on.
STEPS = {
    "log-in": ("", False), "name": ("an", False), "password": ("anna\r", False),
    "half a password": ("anna\rcorr", False),
    "being checked": (f"anna\r{PASSWORD}\r", True), "prompt": ("IN", False), "half a line": ("INshow us", False),
    "pager": ("INterminal length 2\rhelp\r", False), "question": ("INrestart\r", False),
    "half an answer": ("INrestart\rye", False), "old password": ("INpassword\r", False),
    "new password": ("INuser add bert viewer\r", False), "again": ("INuser add bert viewer\rl0ng enough\r", False),
    "being hashed": ("INuser add bert viewer\rl0ng enough\rl0ng enough\r", True),
    "paste": ("INtls import ca\r-----BEGIN", False), "between two pastes": ("INtls import ca\r-----END X\r", False),
    "verb": ("INshow status\r", True), "long verb": ("INverify spool\r", True), "stream": ("INlog follow\r", True),
    "transfer": ("INfile send configuration\r", True), "program": ("INmachine\r", True),
    "configuration": ("INconfigure\r", False), "half a key": ("INconfigure\rset agent ae_t", False),
    "commit": ("INconfigure\rset agent ae_title X\rcommit\r", True), "search": ("IN\x12sho", False),
}  # fmt: skip
# Their end is watched over by the child itself (transfer.py, machine.py), or lasts as long as there is work.
OWN_TIME = {"long verb", "transfer", "program"}


def at_step(folder: Path, name: str) -> Site:
    site = Site(folder)
    typed, goes_on = STEPS[name]
    if typed.startswith("IN"):
        site.log_in()
        typed = typed[2:]
    *before, last = typed.split("\r", typed.count("\r") - 1) if "\r" in typed else [typed]
    for line in before:
        site.type(line + "\r")
    site.answers = not goes_on
    site.type(last)
    assert site.session._child == goes_on
    site.wishes.clear()
    return site


def is_as_before(site: Site, *, child: bool) -> None:
    """Nobody is logged in, the child is killed, the candidate can be edited by others, and the log-in works."""
    assert site.session.user is None
    assert not child or Stop(hard=True) in site.wishes
    stage = site.world.stage()
    stage.lock("somebody else")
    stage.unlock()
    assert list(Path("/dev/shm").glob("modality-agent-*")) == []
    site.answers = True
    site.pass_time(3)
    site.log_in()
    assert site.screen.current == "anna@box>"


@pytest.mark.parametrize("name", STEPS)
def test_the_cable_is_pulled_at_every_step(tmp_path: Path, name: str) -> None:
    site = at_step(tmp_path, name)
    site.session.closed(site.now)
    site.show()
    is_as_before(site, child=STEPS[name][1])


@pytest.mark.parametrize("name", STEPS)
def test_break_at_every_step(tmp_path: Path, name: str) -> None:
    site = at_step(tmp_path, name)
    site.session.line_break(site.now)
    site.show()
    is_as_before(site, child=STEPS[name][1])


@pytest.mark.parametrize("name", [name for name in STEPS if name not in OWN_TIME])
def test_who_does_nothing_is_logged_out_at_every_step(tmp_path: Path, name: str) -> None:
    site = at_step(tmp_path, name)
    site.pass_time(1700)  # a silent child has its own time before
    site.show()
    is_as_before(site, child=False)


# The first is more than may be typed ahead.
FLOODS = (
    b"\0" * (AHEAD_LIMIT + 9),
    *(one * 300 for one in (b"\xff", b"\x1b[", b"\x13", b"\x03", b"\xe2\x82", b"\x7f")),
)


@pytest.mark.parametrize("name", STEPS)
def test_a_flood_at_every_step_is_survived(tmp_path: Path, name: str) -> None:
    site = at_step(tmp_path, name)
    users = Path(f"{site.config}.console/users").read_bytes()
    for flood in FLOODS:
        site.type(flood)
        assert len(site.session._keys) <= AHEAD_LIMIT + 1
        assert len(site.session.outgoing) < 100_000
    assert Path(f"{site.config}.console/users").read_bytes() == users
    site.session.line_break(site.now)
    site.show()
    is_as_before(site, child=False)


def test_a_flood_without_an_end_is_one_line_that_is_full(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    for _ in range(8):
        site.session.receive(b"a" * 8192, site.now)
        site.session.outgoing.clear()
        assert len(site.session._keys) == 0
    site.type("\r")
    assert site.screen.current == "anna@box>"


@pytest.mark.parametrize("typed", ["set agent ae_title hunter2 secret", "set agent ae_t hunter2",
    "edit agent\rset ae_title hunter2 secret", "set agent.ae_title hunter2"])  # fmt: skip
def test_the_value_of_a_secret_key_is_written_nowhere(
    tmp_path: Path, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key of today is one; whichever becomes one is masked in record and history, below 'edit' too."""

    def secret(words: Sequence[str], document: dict[str, Any]) -> Place:
        place = find(words, document)
        return place if place.key is None else place._replace(key=place.key._replace(secret=True))

    monkeypatch.setattr(key_path, "find", secret)
    site = Site(tmp_path)
    site.log_in()
    site.type(f"configure\r{typed}\r")
    assert "hunter2" not in site.record()
    assert "hunter2" not in "\n".join(site.session.history.lines)
    assert "********" in site.record()


def test_noise_is_nobody_who_is_there(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    for _ in range(12):
        site.session.receive(b"\xff\x00\x9c", site.now)
        site.session.disturbed(site.now)
        site.pass_time(60)
    assert site.session.user is None


@pytest.mark.parametrize("key", ["tls certificate_file", "destination pacs tls_ca_file", "spool path"])
def test_no_key_names_the_files_of_the_console(tmp_path: Path, key: str) -> None:
    """What a key names may be sent to a peer, as the passcode of a technician's own archive."""
    site = Site(tmp_path, role="technician")
    (tmp_path / "link").symlink_to(tmp_path / "agent.toml.console")
    site.log_in()
    site.type(f"configure\rset {key} {tmp_path}/link/users\rcommit check\r")
    assert "is where the console keeps its users" in "\n".join(site.screen.rows)
