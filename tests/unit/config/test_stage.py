"""A candidate is edited, compared, committed, confirmed or taken back, rolled back; files by hand are never lost."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from fakes.staged import BEGAN, Box

from agent.config import generations, settling
from agent.config.generations import KEPT, Folder
from agent.config.stage import Stage
from agent.errors import AgentError, ConfigChanged, ConfigError, ConfigLocked, FileError, NotFound, UsageError


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_nothing_is_in_force_before_the_commit_and_comments_stay(box: Box) -> None:
    stage = box.stage()
    assert stage.set(("destination", "pacs", "port"), "11112")
    assert stage.set(("destination.second.called_ae",), "SEC")
    assert stage.set(("destination", "second", "host"), "10.0.0.9")
    assert box.file.read_text() == BEGAN
    assert stage.changed
    assert stage.compare() == [
        "set destination pacs port 11112",
        "set destination second called_ae SEC",
        "set destination second host 10.0.0.9",
    ]
    done = stage.commit("anna", "a  second\none")
    assert done is not None
    assert done.lines[0] == "set destination pacs port 11112"
    assert not stage.changed
    text = box.file.read_text()
    for line in BEGAN.splitlines():
        assert f"{line}\n" in text
    now, before = stage.history()
    assert (now.generation.who, now.generation.comment, now.generation.clock) == ("anna", "a second one", "set")
    assert now.in_force
    assert (before.generation.how, before.generation.text) == ("hand", BEGAN)


def test_another_process_sees_the_candidate(box: Box) -> None:
    box.stage().set(("agent", "ae_title"), "OTHER")
    assert box.stage().compare() == ["set agent ae_title OTHER"]
    assert box.stage().discard()
    assert box.stage().compare() == []
    assert not box.stage().discard()


WRONG = [
    (("destination", "pacs", "prt"), "1", "destination pacs prt: unknown key; did you mean 'port'?"),
    (("dest", "pacs", "port"), "1", "dest: unknown section; did you mean 'destination'?"),
    (("destination", "pacs", "port"), "99999", "destination pacs port: 99999 is not a whole number from 1 to 65535"),
    (("destination", "pacs", "port"), "x", "destination pacs port: 'x' is not a whole number from 1 to 65535"),
    (("destination", "pacs", "tls"), "maybe", "destination pacs tls: 'maybe' is not true or false"),
    (("spool", "tls"), "true", "spool tls: unknown key; it belongs into [listener] or [[destination]]"),
    (("agent", "ae_title", "x"), "A", "agent ae_title: nothing is known about 'x' behind it"),
    (("destination", "a b", "port"), "104", "destination a b name: a name has 1 to 32 letters"),
    (("agent",), "A", "agent: no key is named"),
    (("agent", "ae_title"), None, "agent ae_title: no value is given"),
    (("agent[0]", "ae_title"), "A", "agent[0]: there is one of it only"),
    (("destination[7]", "port"), "1", "destination[7]: there is no such one; there are 1"),
    ((), "1", "no key is named"),
    (("source", "x", "sop_class"), "mr", "source x sop_class: 'mr' is not one of us, us-mf"),
]


@pytest.mark.parametrize(("words", "value", "message"), WRONG)
def test_a_mistake_names_the_place_and_what_it_takes(
    box: Box, words: tuple[str, ...], value: str | None, message: str
) -> None:
    stage = box.stage()
    with pytest.raises((UsageError, ConfigError)) as caught:
        stage.set(words, value)
    assert message in caught.value.message
    assert not stage.changed


def test_what_is_not_set_cannot_be_deleted(box: Box) -> None:
    for words in (("destination", "other"), ("destination", "pacs", "port"), ("spool",), ("agent", "model_name")):
        with pytest.raises(UsageError, match="is not set, so there is nothing to delete"):
            box.stage().delete(words)
    with pytest.raises(UsageError, match="did you mean 'called_ae'"):
        box.stage().delete(("destination", "pacs", "called_aet"))


@pytest.mark.parametrize("text", ['agent = "x"\n', "agent = [1]\n", "destination = 1\n", "destination = [1]\n",
                                  "[destination]\n"])  # fmt: skip
def test_a_section_of_another_shape_is_told_and_can_be_deleted(box: Box, text: str) -> None:
    box.file.write_text(text)
    stage = box.stage()
    name = text.strip("[").split()[0].strip("]")
    words = (name, "ae_title") if name == "agent" else (name, "pacs", "port")
    with pytest.raises(UsageError, match="is of another shape in the file"):
        stage.set(words, "7")
    with pytest.raises(UsageError, match="is not set"):
        stage.delete(words)
    stage.delete((name,))
    assert stage.set(words, "7")


def test_what_is_wrong_is_not_committed(box: Box) -> None:
    stage = box.stage()
    stage.set(("destination", "second", "called_ae"), "SEC")
    assert stage.problems() == ["candidate:11: destination[1]: key 'host' is missing"]
    with pytest.raises(ConfigError, match="key 'host' is missing"):
        stage.commit("anna")
    stage.set(("destination", "second", "host"), "h")
    stage.set(("destination", "second", "tls"), "yes")
    with pytest.raises(ConfigError, match=r"\(and 2 more\)"):
        stage.commit("anna")
    assert box.file.read_text() == BEGAN


def test_what_was_confirmed_stays(box: Box) -> None:
    stage = box.committed("105", confirm_s=600)
    assert box.port == 105
    pending = stage.pending()
    assert pending is not None
    assert (pending.number, pending.before, pending.who, pending.left_s) == (2, 1, "anna", 600.0)
    assert stage.history()[0].waits
    box.clock.pass_s(599)
    assert box.stage().revert_if_due() == []
    assert box.stage().confirm() == 2
    box.clock.pass_s(1e6)
    box.clock.start_again()
    assert box.stage().revert_if_due() == []
    assert box.port == 105
    with pytest.raises(NotFound, match="nothing waits"):
        box.stage().confirm()


def test_what_was_not_confirmed_reverts_and_says_so(box: Box) -> None:
    box.committed("105", confirm_s=600)
    box.clock.pass_s(600)
    told = box.stage().revert_if_due()
    assert told == ["generation 2 by anna was not confirmed in time: generation 1 is in force again"]
    assert box.file.read_text() == BEGAN
    stage = box.stage()
    assert stage.pending() is None
    assert [one.generation.how for one in stage.history()] == ["revert", "commit", "hand"]
    assert stage.notice()[-1].endswith(told[0])
    with pytest.raises(NotFound, match="was not confirmed in time"):
        stage.confirm()
    box.committed("106")
    assert box.stage().notice() == []


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0, -1.7e9])
def test_the_wall_clock_may_jump(box: Box, jump_s: float) -> None:
    box.committed("105", confirm_s=600)
    box.clock.wall += jump_s
    box.clock.pass_s(599)
    assert box.stage().revert_if_due() == []
    box.clock.pass_s(1)
    assert box.stage().revert_if_due()
    grades = {1.8e9 - 3600: "went back", 1.8e9 + 3600: "set", 1.8e9 - 1.7e9: "never set"}
    assert box.stage().history()[0].generation.clock == grades[1.8e9 + jump_s]


@pytest.mark.parametrize(("kept", "grade"), [(True, "synchronised"), (False, "set")])
def test_a_generation_says_whether_somebody_kept_the_clock(box: Box, kept: bool, grade: str) -> None:
    box.clock.kept = kept
    box.committed("105")
    assert box.stage().history()[0].generation.clock == grade


@pytest.mark.parametrize("wall", [0.0, 1.8e9, 4e9])
def test_a_start_of_the_machine_ends_the_time(box: Box, wall: float) -> None:
    box.committed("105", confirm_s=86_400)
    box.clock.start_again(wall)
    assert box.stage().revert_if_due()
    assert box.file.read_text() == BEGAN


def test_a_second_unconfirmed_one_goes_back_to_the_last_that_was_confirmed(box: Box) -> None:
    box.committed("105", confirm_s=600)
    box.clock.pass_s(500)
    box.committed("106", confirm_s=600)
    box.clock.pass_s(500)
    assert box.stage().revert_if_due() == []
    box.clock.pass_s(100)
    assert box.stage().revert_if_due()
    assert box.port == 104


def test_a_plain_commit_takes_the_place_of_an_unconfirmed_one(box: Box) -> None:
    box.committed("105", confirm_s=600)
    stage = box.stage()
    stage.set(("destination", "pacs", "port"), "106")
    done = stage.commit("bob")
    assert done is not None
    assert done.confirmed == 2
    box.clock.start_again()
    assert box.stage().revert_if_due() == []
    assert box.port == 106


def test_an_unconfirmed_one_edited_by_hand_is_not_overwritten(box: Box) -> None:
    box.committed("105", confirm_s=600)
    box.file.write_text(BEGAN.replace("10.0.0.7", "10.0.0.8"))
    box.clock.pass_s(1000)
    told = box.stage().revert_if_due()
    assert "was edited by hand while generation 2 waited to be confirmed: nothing reverts by itself" in told[0]
    assert "10.0.0.8" in box.file.read_text()
    assert box.stage().history()[0].generation.how == "hand"


_PATIENT = '\n[patient]\nname = "DOE^JANE"\nid = "4711"\n'
_NEXT = _PATIENT.replace("DOE^JANE", "ROE^RICHARD").replace("4711", "4712")


def test_another_patient_does_not_end_the_wait_and_is_not_taken_back(box: Box) -> None:
    box.file.write_text(BEGAN + _PATIENT)
    box.committed("105", confirm_s=600)
    box.file.write_text(box.file.read_text().replace(_PATIENT, _NEXT))
    assert box.stage().revert_if_due() == [f"{box.file} was edited by hand: it is generation 3 now"]
    pending = box.stage().pending()
    assert pending is not None
    assert (pending.number, pending.before) == (3, 1)
    box.clock.pass_s(600)
    box.file.write_text(box.file.read_text().replace("4712", "4713"))
    assert "generation 1 is in force again" in box.stage().revert_if_due()[0]
    assert box.file.read_text() == BEGAN + _NEXT.replace("4712", "4713")
    assert box.stage().pending() is None


def test_a_rollback_brings_no_patient_back(box: Box) -> None:
    box.file.write_text(BEGAN + _PATIENT)
    box.committed("105")
    box.file.write_text(box.file.read_text().replace(_PATIENT, _NEXT))
    stage = box.stage()
    stage.rollback(2)
    assert stage.compare() == ["delete destination pacs port"]
    assert stage.commit("anna")
    assert box.file.read_text() == BEGAN + _NEXT


def test_what_is_mended_has_no_patient(box: Box) -> None:
    box.file.write_text(BEGAN + _PATIENT)
    box.committed("105")
    box.file.write_bytes(b"")
    [told] = box.stage().revert_if_due()
    assert told.endswith("is in force again, without patient and exam: they may be somebody else's")
    assert "[patient]" not in box.file.read_text()
    assert box.port == 105
    assert [one.generation.how for one in box.stage().history()] == ["restored", "commit", "hand"]
    assert box.stage().revert_if_due() == []


def test_a_hundred_patients_are_one_generation(box: Box) -> None:
    box.committed("105")
    before = box.file.read_text()
    for number in range(5):
        box.file.write_text(before + _PATIENT.replace("4711", str(number)))
        box.stage().revert_if_due()
    assert [one.generation.number for one in box.stage().history()] == [7, 2, 1]
    assert '4"' in box.stage().history()[0].generation.text


def test_how_long_it_may_wait_is_bounded(box: Box) -> None:
    stage = box.stage()
    stage.set(("destination", "pacs", "port"), "105")
    for seconds in (0.0, -1.0, 86_401.0, float("nan")):
        with pytest.raises(UsageError, match="1440 minutes at most"):
            stage.commit("anna", confirm_s=seconds)


def test_a_file_edited_by_hand_is_a_generation_and_never_overwritten_unseen(box: Box) -> None:
    stage = box.committed("105")
    stage.set(("destination", "pacs", "called_ae"), "ARCHIVE")
    hand = box.file.read_text().replace('"EDGE"', '"HAND"')
    box.file.write_text(hand)
    with pytest.raises(ConfigChanged) as caught:
        stage.commit("anna")
    assert caught.value.lines == ["set agent ae_title HAND"]
    assert box.file.read_text() == hand
    assert stage.history()[0].generation.text == hand
    assert stage.update()
    assert stage.compare() == ["set destination pacs called_ae ARCHIVE"]
    assert stage.commit("anna")
    assert 'ae_title = "HAND"   # ours' in box.file.read_text()


def test_a_file_that_is_wrong_by_hand_is_left_alone_and_kept(box: Box) -> None:
    stage = box.committed("105")
    wrong = box.file.read_text().replace("called_ae", "called_aet")
    box.file.write_text(wrong)
    assert stage.revert_if_due() == []
    assert box.file.read_text() == wrong
    assert not stage.history()[0].in_force
    stage.rollback(0)
    assert stage.commit("anna")
    assert box.port == 105
    assert Path(f"{box.file}.history/damaged-1").read_text() == wrong
    assert "is kept as" in stage.notes[-1]


@pytest.mark.parametrize(
    ("damaged", "word"),
    [
        (None, "is missing"),
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\0" * 4096, "holds zeros"),
        (BEGAN.encode()[:40] + b"\0" * 100, "holds zeros"),
        (b"\xff\xfe\x80" * 50, "is not text"),
        (BEGAN.encode()[: BEGAN.index("EDGE")], "is cut off in line 3"),
        (b"[agent]\nae_ti", "is cut off in line 2"),
    ],
)
def test_a_damaged_file_is_set_aside_and_the_last_good_one_is_used(box: Box, damaged: bytes | None, word: str) -> None:
    box.committed("105")
    good = box.file.read_text()
    if damaged is None:
        box.file.unlink()
    else:
        box.file.write_bytes(damaged)
    told = box.stage().revert_if_due()
    assert word in told[0]
    assert "generation 2 of 2027-" in told[0]
    assert box.file.read_text() == good
    aside = Path(f"{box.file}.history/damaged-1")
    assert aside.exists() is (damaged is not None)
    assert damaged is None or aside.read_bytes() == damaged
    assert box.stage().notice()
    assert box.stage().revert_if_due() == []


def test_a_file_that_is_just_being_written_is_not_taken_for_damaged(box: Box) -> None:
    box.committed("105")
    by_hand = BEGAN.replace("EDGE", "HAND")
    box.file.write_bytes(b"")
    box.clock.meanwhile = lambda: box.file.write_text(by_hand) and None  # type: ignore[method-assign, func-returns-value]
    assert box.stage().revert_if_due() == [f"{box.file} was edited by hand: it is generation 3 now"]
    assert box.file.read_text() == by_hand


def test_a_file_that_is_written_while_it_is_replaced_is_not_lost(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = box.committed("105")
    stage.set(("agent", "ae_title"), "NEXT")
    by_hand = BEGAN.replace("EDGE", "HAND")
    announce = Folder.announce

    def meanwhile(folder: Folder, made: generations.Generation) -> None:
        announce(folder, made)
        box.file.write_text(by_hand)

    monkeypatch.setattr(Folder, "announce", meanwhile)
    with pytest.raises(ConfigChanged) as caught:
        stage.commit("anna")
    monkeypatch.undo()
    assert caught.value.lines == ["set agent ae_title HAND", "delete destination pacs port"]
    assert box.file.read_text() == by_hand
    assert [one.generation.how for one in box.stage().history()] == ["hand", "commit", "hand"]


def test_a_candidate_that_no_start_would_read_is_refused(box: Box) -> None:
    stage = box.stage()
    stage.load(f"# {'x' * (1 << 20)}\n", replace=True)
    assert stage.problems() == ["candidate: is larger than 1048576 bytes"]
    with pytest.raises(ConfigError, match="is larger than"):
        stage.commit("anna")


def test_what_was_never_confirmed_is_not_the_last_good_one(box: Box) -> None:
    box.committed("105", confirm_s=600)
    box.file.write_bytes(b"")
    assert "generation 1 of" in box.stage().revert_if_due()[0]
    assert box.file.read_text() == BEGAN
    assert box.stage().pending() is None
    assert box.stage().history()[0].generation.how == "restored"


def test_a_damaged_generation_is_passed_over(box: Box) -> None:
    box.committed("105")
    Path(f"{box.file}.history/000002.toml").write_bytes(b"")
    box.file.write_bytes(b"")
    assert "generation 1 of" in box.stage().revert_if_due()[0]
    assert box.file.read_text() == BEGAN
    assert [one.generation.number for one in box.stage().history()] == [1]


def test_the_oldest_go(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEPT >= 20
    monkeypatch.setattr(generations, "KEPT", 5)
    for port in range(1, 9):
        box.committed(str(port))
    assert [one.generation.number for one in box.stage().history()] == [9, 8, 7, 6, 5]
    stage = box.stage()
    stage.rollback(4)
    assert stage.commit("anna")
    assert box.port == 4
    with pytest.raises(NotFound, match="there is no generation 5 back"):
        box.stage().rollback(5)


def test_what_an_unconfirmed_one_goes_back_to_is_kept(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generations, "KEPT", 5)
    for port in range(1, 9):
        box.committed(str(port), confirm_s=600)
    box.clock.start_again()
    box.stage().revert_if_due()
    assert box.file.read_text() == BEGAN


def test_one_edits_at_a_time(box: Box) -> None:
    first, second = box.stage(), box.stage()
    first.lock("anna")
    first.set(("agent", "ae_title"), "A")
    with pytest.raises(ConfigLocked, match=rf"being edited by anna since .* \(process {os.getpid()}\)"):
        second.set(("agent", "ae_title"), "B")
    holder = second.holder()
    assert holder is not None
    assert holder.who == "anna"
    assert second.compare() == ["set agent ae_title A"]
    assert second.revert_if_due() == []
    first.unlock()
    second.set(("agent", "ae_title"), "B")
    assert second.holder() is None


_OTHER = """
import sys
from agent.config.stage import Stage
stage = Stage(sys.argv[1])
{}
"""


def _python(box: Box, text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _OTHER.format(text), str(box.file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_dead_holder_keeps_nothing(box: Box) -> None:
    done = _python(box, "import os, signal; stage.lock('anna'); os.kill(os.getpid(), signal.SIGKILL)")
    assert done.returncode == -9
    assert box.stage().holder() is None
    box.stage().set(("agent", "ae_title"), "B")


def test_a_child_of_the_holder_acts_for_it(box: Box) -> None:
    stage = box.stage()
    stage.lock("anna")
    done = _python(box, "stage.set(('agent', 'ae_title'), 'CHILD'); stage.commit('anna')")
    assert done.returncode == 0, done.stderr
    assert 'ae_title = "CHILD"   # ours' in box.file.read_text()


def test_lines_and_files_are_loaded(box: Box) -> None:
    stage = box.stage()
    lines = ["# a comment", "", "set destination pacs port 11112", "delete agent ae_title"]
    stage.load("\n".join(lines))
    assert stage.compare() == ["delete agent", "set destination pacs port 11112"]
    with pytest.raises(UsageError, match="line 2: destination pacs prt: unknown key"):
        stage.load("set destination pacs port 1\nset destination pacs prt 2")
    assert stage.compare() == ["delete agent", "set destination pacs port 11112"]
    stage.load('[listener]\nport = 7\n[[destination]]\nname = "pacs"\nhost = "h"\n')
    assert stage.compare() == [
        "delete agent", "set listener port 7", "set destination pacs host h", "set destination pacs port 11112",
    ]  # fmt: skip
    stage.load("[listener] # mine\nport = 8\n", replace=True)
    assert stage.text() == "[listener] # mine\nport = 8\n"
    stage.load("\n".join(("set agent ae_title X",)), replace=True)
    assert stage.commands() == ["set agent ae_title X"]
    with pytest.raises(ConfigError, match="what was loaded:1: not TOML"):
        stage.load("x = = 1")


def test_mode_and_links_stay(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    box = Box(tmp_path / "real")
    box.file.chmod(0o640)
    link = tmp_path / "agent.toml"
    link.symlink_to(box.file)
    stage = Stage(str(link))
    stage.set(("agent", "ae_title"), "A")
    assert stage.commit("anna")
    assert link.is_symlink()
    assert box.file.stat().st_mode & 0o777 == 0o640
    history = Path(f"{box.file}.history")
    assert history.stat().st_mode & 0o777 == 0o750
    assert {path.stat().st_mode & 0o777 for path in history.glob("*.toml")} == {0o640}


def test_a_first_configuration_is_made(tmp_path: Path) -> None:
    stage = Stage(str(tmp_path / "new.toml"))
    stage.set(("agent", "ae_title"), "A")
    done = stage.commit("anna")
    assert done is not None
    assert done.before == ""
    assert (tmp_path / "new.toml").read_text() == '[agent]\nae_title = "A"\n'
    assert (tmp_path / "new.toml").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_written_is_said(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = box.committed("105")
    stage.set(("agent", "ae_title"), "A")

    def fail(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(FileError, match="cannot be"):
        stage.commit("anna")
    monkeypatch.undo()
    assert box.port == 105
    assert stage.commit("anna")


def test_what_is_committed_to_the_same_is_nothing(box: Box) -> None:
    stage = box.stage()
    assert stage.commit("anna") is None
    stage.set(("destination", "pacs", "port"), "105")
    stage.delete(("destination", "pacs", "port"))
    assert not stage.changed
    assert stage.commit("anna") is None


def test_a_secret_is_in_no_line(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.config import check, difference, key_path, schema

    hidden = tuple(
        one._replace(keys=tuple(key._replace(secret=key.name == "user_name") for key in one.keys))
        for one in schema.SECTIONS
    )
    for module in (check, difference, key_path):
        monkeypatch.setattr(module, "SECTIONS", hidden)
    stage = box.stage()
    stage.set(("destination", "pacs", "user_name"), "s3cret")
    lines = [*stage.compare(), *stage.commands(), *stage.problems()]
    assert "set destination pacs user_name ********" in lines
    assert "s3cret" not in "".join(lines)
    with pytest.raises(AgentError) as caught:
        stage.set(("destination", "pacs", "user_name"), "s3cret\n")
    assert "s3cret" not in caught.value.message


def test_files_of_facts_are_known_when_they_are_damaged() -> None:
    data = generations.packed({"a": 1}, "text\n")
    assert generations.unpacked(data) == ({"a": 1}, "text\n")
    for at in range(len(data)):
        assert generations.unpacked(data[:at]) is None
        assert generations.unpacked(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]) is None
    tomllib.loads(data.decode().replace("text\n", ""))


def test_what_is_only_wrong_is_not_damaged() -> None:
    for text in ("x = 1\n", "[agent]\nae_titel = 'A'\n", "[agent\n", "x = = 1\ny = 2\n"):
        assert settling.damage_of(text.encode(), []) == ""
