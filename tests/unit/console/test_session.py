"""The session without I/O: log-in, noise, time-outs, children that hang, secrets, pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.console_site import PASSWORD, Site, hashed

from agent.config import reset
from agent.console.users import User, Users
from agent.console.wishes import Abandon, Flush, HangUp, Stop
from agent.console.world import World


def test_a_right_password_gives_the_prompt(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    assert site.screen.current == "anna@box>"
    assert "\tanna\tadmin\tlogin\tok" in site.record()


def test_what_is_not_well_is_said_to_who_logs_in_and_to_nobody_else(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.trouble = "health   attention\n  pacs: 3 failures in a row, it is tried again ('why pacs' tells more)\n"
    site.log_in(password="wrong")
    assert not any("pacs" in row for row in site.screen.rows)
    site.pass_time(2)
    site.log_in()
    assert [row for row in site.screen.rows if row][-2:] == site.trouble.splitlines()
    assert site.screen.current == "anna@box>"


@pytest.mark.parametrize(("name", "password"), [("anna", "wrong"), ("nobody", PASSWORD), ("admin", "modality")])
def test_a_wrong_one_does_not(tmp_path: Path, name: str, password: str) -> None:
    site = Site(tmp_path)
    site.log_in(name, password)
    assert site.last == "Login incorrect."
    assert site.session.user is None
    assert site.screen.current == "" or "login" in site.screen.current


def test_failures_cost_time_and_a_restart_does_not_give_it_back(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for _ in range(3):
        site.log_in(password="wrong")
        site.pass_time(2)
    assert site.last == "Login incorrect. Wait 5 s."
    site.pass_time(5)
    site.log_in(password="wrong")
    assert site.last == "Login incorrect. Wait 10 s."
    site.begin()  # the console was restarted
    site.log_in()
    assert "locked for another 10 s" in site.last
    assert site.session.user is None
    site.pass_time(11)
    site.log_in()
    assert site.screen.current == "anna@box>"
    assert any("4 failed log-ins" in row for row in site.screen.rows)


def test_failures_of_names_that_do_not_exist_lock_nobody_out(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for number in range(20):
        site.log_in(f"name{number}", "x")
        site.pass_time(400)
    site.log_in()
    assert site.screen.current == "anna@box>"
    assert "name7" not in site.record()


@pytest.mark.parametrize(
    "burst", [b"\xff\x00anna\r", b"ex\x00it\r", b"\x9c\r\r\x81\xf0\r", b"\r" * 50, b"\x00" * 50 + b"\r"]
)
def test_noise_at_the_log_in_counts_for_nothing(tmp_path: Path, burst: bytes) -> None:
    site = Site(tmp_path)
    for _ in range(50):
        site.type(burst)
        site.pass_time(3)
    assert not site.started
    assert not Path(f"{site.config}.console/failures").exists()
    site.type("\r")
    site.pass_time(3)
    site.log_in()
    assert site.screen.current == "anna@box>"


@pytest.mark.parametrize("line", [b"exit\xff\r", b"ex\x00it\r", b"password\x80\r", b"exit\x00\r"])
def test_a_line_that_noise_was_in_is_not_run(tmp_path: Path, line: bytes) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.type(line)
    assert "Not run: the line held what no keyboard sends" in site.last
    assert site.screen.current == "anna@box>"


def test_a_byte_with_wrong_parity_taints_the_line(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.type("exi")
    site.session.disturbed(site.now)
    site.type("t\r")
    assert "Not run" in site.last


def test_a_short_word_does_not_change_anything(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    for letters in ("r", "re", "t", "tr", "x", "h", "ho"):
        site.type(f"{letters}\r")
    assert [one for one in site.started if one.argv[0] == "agent"] == []


def test_break_logs_out(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.type("show stat")
    site.session.line_break(site.now)
    site.show()
    assert site.session.user is None
    assert "BREAK: logged out" in site.screen.rows
    assert site.screen.current == "box login:"
    site.type("us\r")
    assert "\tlogout\tBREAK\t" in site.record()


def test_a_user_who_does_nothing_is_logged_out(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.pass_time(599)
    assert site.session.user is not None
    site.type("x")
    site.pass_time(599)
    assert site.session.user is not None
    site.pass_time(2)
    assert site.session.user is None
    assert "idle for 10 minutes: logged out" in site.screen.rows


def test_a_log_in_that_was_begun_is_given_up(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.type("anna\r")
    assert site.screen.current == "Password:"
    site.pass_time(61)
    assert site.screen.current == "box login:"


def test_a_child_that_is_silent_is_ended_then_killed_then_left(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.answers = False
    site.type("show status\r")
    site.wishes.clear()
    site.pass_time(21)
    assert site.wishes == [Stop(hard=False)]
    site.pass_time(2)
    assert site.wishes[1:] == [Stop(hard=True)]
    site.pass_time(2)
    assert site.wishes[2:] == [Abandon()]
    assert "It does not answer" in site.last
    assert site.screen.current == "anna@box>"


def test_a_child_is_interrupted(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.answers = False
    site.type("show status\r")
    site.wishes.clear()
    site.type("exit\r\x03")
    assert site.wishes == [Flush(), Stop(hard=False)]
    site.session.child_output(b"late words\n", site.now)
    site.session.child_ended(130, site.now)
    site.show()
    assert site.screen.current == "anna@box>"  # and what was typed ahead is gone
    assert "late words" not in "\n".join(site.screen.rows)


def test_what_is_typed_ahead_waits_for_the_prompt(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.answers = False
    site.type("show status\r")
    site.type("show spool\r")
    assert len(site.started) == 2  # the hash and the first
    site.session.child_ended(0, site.now)
    site.show()
    assert site.started[-1].argv[1:3] == ("spool", "check")


def test_a_child_is_killed_with_the_cable(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.answers = False
    site.type("show status\r")
    site.wishes.clear()
    site.session.closed(site.now)
    site.show()
    assert Stop(hard=True) in site.wishes
    assert site.session.user is None
    assert "\tlogout\tline closed\t" in site.record()


def test_pages(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.answers = False
    site.type("show log\r")
    site.session.child_output(b"".join(b"line %d\n" % number for number in range(60)), site.now)
    site.show()
    assert site.screen.current == "--More--"
    assert not site.session.reading
    assert site.last == "line 22"
    site.type("\r")
    assert site.last == "line 23"
    site.type(" ")
    assert site.last == "line 46"
    site.type("x")
    assert site.last == "line 46"
    site.type("q")
    assert Stop(hard=False) in site.wishes
    site.session.child_ended(130, site.now)
    site.show()
    assert site.screen.current == "anna@box>"
    site.type("terminal length 0\rshow log\r")
    site.session.child_output(b"x\n" * 60, site.now)
    site.show()
    assert site.session.reading


def test_q_does_not_end_what_changes_something(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.answers = False
    site.type("verify spool\r")
    site.session.child_output(b"x\n" * 60, site.now)
    site.type("q")
    assert Stop(hard=False) not in site.wishes
    site.session.child_ended(0, site.now)
    site.show()
    assert site.screen.current == "anna@box>"


def test_no_escape_sequence_of_a_peer_reaches_the_terminal(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.answers = False
    site.type("show queue\r")
    site.session.child_output(b"evil \x1b[2J\x1b]0;x\x07 \x00\xff text\n", site.now)
    site.session.child_ended(0, site.now)
    site.show()
    assert site.last == "evil ?[2J?]0;x? ?\ufffd text"


def test_uids_on_the_screen_are_completed(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.answers = False
    site.type("show queue\r")
    site.session.child_output(b"1  pacs  held  2.25.1234567890123\n", site.now)
    site.session.child_ended(0, site.now)
    site.show()
    site.type("why 2.2\t")
    assert site.screen.current == "anna@box> why 2.25.1234567890123"


def test_a_message_goes_above_the_line(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.type("show sta")
    site.session.message(["Note: the link is down."])
    site.show()
    assert site.last == "Note: the link is down."
    assert site.screen.current == "anna@box> show sta"


def test_a_line_that_takes_nothing_is_not_filled_for_ever(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    for number in range(100_000):
        site.session.message([f"message {number}"])
    assert len(site.session.outgoing) < 100_000
    site.show()
    site.session.message(["the last"])
    site.show()
    assert any("messages were dropped" in row for row in site.screen.rows)


@pytest.mark.parametrize("damage", ["", "x", "# modality-agent users\n", "# modality-agent users\nanna admin\n"])
def test_a_damaged_file_of_users_opens_nothing(tmp_path: Path, damage: str) -> None:
    site = Site(tmp_path)
    Path(f"{site.config}.console/users").write_text(damage)
    site.begin()
    assert not any("First start" in row for row in site.screen.rows[-3:])
    site.log_in("admin", "modality")
    assert "Nobody can log in: the file of users is damaged." in site.screen.rows
    assert site.session.user is None


def test_the_users_before_the_last_change_are_used_loudly(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.world.users.put(site.user("bert", "viewer"))
    Path(f"{site.config}.console/users").write_text("rubbish")
    site.log_in()
    assert any("the one before the last change is used" in row for row in site.screen.rows)


def test_a_configuration_that_cannot_be_read_forgets_no_user(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.config.write_text("[spool\n")
    site.begin()
    site.log_in("admin", "modality")
    assert site.session.user is None
    site.pass_time(2)
    site.log_in()
    assert any("The configuration cannot be used" in row for row in site.screen.rows)


def test_users_are_added_and_the_last_admin_stays(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.type("user delete anna\r")
    assert "last admin" in site.last
    site.type("user role anna viewer\r")
    assert "last admin" in site.last
    site.type("user add bert tech\r")
    site.type("a long secret\r")
    site.type("a long secret\r")
    assert site.last == "bert (technician): password set."
    site.type("user add bert viewer\r")
    assert "already" in site.last
    site.type("exit\r")
    site.log_in("bert", "a long secret")
    assert site.screen.current == "bert@box>"
    site.type("user add carl admin\r")
    assert "is for the role admin" in site.last
    site.type("exit\r")
    site.log_in()
    site.type("user delete bert\r")
    assert site.last == "bert can no longer log in."


def test_a_password_is_nowhere(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in("Hunter2secret", "Hunter2secret")  # typed as the name, too
    site.pass_time(2)
    site.log_in()
    site.type("Hunter2secret\r")  # and at the prompt
    site.type("password\r")
    site.type(f"{PASSWORD}\r")
    site.type("Hunter2secret\r")
    site.type("Hunter2secret\r")
    site.type("show sessions\r")
    site.type("exit\r")
    said = site.bytes.decode()
    assert said.count("Hunter2secret") == 3  # the echo of the name, of the line, and what is said of that
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    kept = [path.name for path in files if b"Hunter2secret" in path.read_bytes() and path.name != "users"]
    assert kept == []
    assert all(b"Hunter2secret" not in " ".join(one.argv).encode() for one in site.started)
    site.log_in("anna", "Hunter2secret")
    assert site.screen.current == "anna@box>"
    site.type("\x10\x10\x10")
    assert "Hunter2secret" not in site.screen.current


def test_a_question_must_be_answered_with_yes(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    for answer in ("\r", "y\r", "no\r", "\x03", "ye\xffs\r", "x\r"):
        site.type("restart\r")
        assert site.screen.current.endswith("[yes/no]")
        site.type(answer.encode("latin-1"))
    assert all(one.argv[1] != "restart" for one in site.started)
    site.type("restart\ryes\r")  # typed ahead: not an answer to what was not asked yet
    site.type("yes\r")
    assert site.started[-1].argv[1] == "restart"


def test_the_record_is_bounded(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    for _ in range(200):
        site.session.note("command", "ok", "x" * 390)
    path = Path(f"{site.config}.console/sessions")
    for _ in range(4000):
        site.session.note("command", "ok", "x" * 390)
    sizes = [one.stat().st_size for one in path.parent.glob("sessions*")]
    assert len(sizes) <= 4
    assert max(sizes) <= 263_000


def test_a_local_console_ends_with_its_session(tmp_path: Path) -> None:
    site = Site(tmp_path, local=True)
    site.log_in()
    site.type("exit\r")
    assert HangUp() in site.wishes


def test_a_factory_reset_that_was_cut_off_is_finished_before_anybody_logs_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path)
    with monkeypatch.context() as cut:
        cut.setattr(reset, "finish", lambda *_, **__: True)
        reset.reset(str(site.config))
    site.log_in()
    assert site.session.user is not None  # nothing was done yet
    site.begin()
    assert any("First start" in row for row in site.screen.rows)
    site.log_in()
    assert site.session.user is None


def test_a_configuration_named_without_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    World("agent.toml", "ttyS0").users.put(User("anna", "admin", hashed(PASSWORD)))
    assert [user.name for user in Users(f"{tmp_path}/agent.toml.console").all()] == ["anna"]


def test_a_box_without_a_configuration_says_how_one_begins(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.config.unlink()
    site.begin()
    site.log_in()
    assert "There is no configuration yet. 'configure' begins one" in "\n".join(site.screen.rows)


def test_hints_of_a_verb_are_in_the_words_of_the_console(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.answers = False
    site.type("show status\r")
    site.session.child_output(b"do: 'modality-agent clock ntp SERVER'.\n", site.now)
    site.session.child_output(b"  hint: 'modality-agent queue list' shows it.\n", site.now, error=True)
    site.session.child_ended(1, site.now)
    site.show()
    assert "do: 'clock ntp SERVER'." in site.screen.rows
    assert "  hint: 'show queue' shows it." in site.screen.rows


def test_the_record_tells_what_was_not_done_from_what_was_interrupted(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.type("restart\r")
    site.type("no\r")
    site.type("restart\r")
    site.type("\x03")
    assert [row.split("\t")[5] for row in site.record().splitlines() if "\tdone\t" in row] == [
        "not done", "interrupted",
    ]  # fmt: skip


def test_words_that_name_nothing_are_not_shown_as_unset(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.log_in()
    site.type("configure\r")
    site.type("show log\r")
    assert "'show log' is a command of operational mode: 'run show log'." in site.screen.rows
    site.type("echo pacs\r")
    assert any("'echo' is a command of operational mode: 'run echo ...'" in row for row in site.screen.rows)
