"""What nobody confirmed goes back, and what is damaged is told from what a person wrote; wherever it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.staged import BEGAN, Box

from agent.config import settling
from agent.config.generations import Folder
from agent.config.stage import Stage
from agent.errors import ConfigChanged, FileError, NotFound

MORE = BEGAN + "port = 11112\n[listener]\nport = 11113\n"
PATIENT = '\n[patient]\nname = "DOE^JANE"\nid = "4711"\n'
NEXT = PATIENT.replace("DOE^JANE", "ROE^RICHARD")


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_who_locks_himself_out_while_he_edits_can_be_confirmed_by_another(box: Box) -> None:
    held = box.stage()
    held.lock("anna")
    box.committed_by(held, "105", confirm_s=600)
    assert box.stage().confirm() == 2


def test_what_is_cut_off_anywhere_is_not_taken_for_an_edit(box: Box) -> None:
    """But where a person may have deleted the rest: behind a line, and what is left is right."""
    box.file.write_text(MORE)
    box.stage().adopt()
    [kept] = [entry.generation for entry in box.stage().history()]
    by_hand = []
    for end in range(len(MORE) - 1):
        text = MORE[:end]
        if settling.damage_of(text.encode(), [kept]):
            continue
        assert text.endswith("\n"), text
        assert settling.is_valid(text), text
        by_hand.append(text.splitlines()[-1])
    assert by_hand == ["# my box", "[agent]", 'ae_title = "EDGE"   # ours', "", "# the archive", 'host = "10.0.0.7"',
                       "# end", "port = 11112", "[listener]"]  # fmt: skip


def test_a_port_that_is_cut_off_is_no_other_port(box: Box) -> None:
    box.file.write_text(MORE)
    box.stage().adopt()
    box.file.write_text(MORE[:-3])
    assert "is cut off in line 13, and was set aside" in box.stage().revert_if_due()[0]
    assert box.file.read_text() == MORE


def test_what_ends_with_a_sector_is_cut_off(box: Box) -> None:
    line = "# 64 characters and a newline make a line of this file, all in all"[:63] + "\n"
    text = line * 8 + BEGAN
    box.file.write_text(text)
    box.stage().adopt()
    box.file.write_text(text[:512])
    assert "is cut off behind line 8" in box.stage().revert_if_due()[0]
    box.file.write_text(text[:448])
    assert "was edited by hand" in box.stage().revert_if_due()[0]


def test_only_the_last_newline_is_no_damage(box: Box) -> None:
    box.stage().adopt()
    box.file.write_text(BEGAN.rstrip())
    assert "was edited by hand" in box.stage().revert_if_due()[0]


@pytest.mark.parametrize("damaged", [b"", b"\0" * 99, b"# modality-agent {}\n"])
def test_what_waits_goes_back_where_nobody_can_read_until_when(box: Box, damaged: bytes) -> None:
    box.committed("105", confirm_s=600)
    box.committed("106", confirm_s=600)
    Path(f"{box.file}.history/pending").write_bytes(damaged)
    assert "generation 3 by anna was not confirmed in time: generation 1" in box.stage().revert_if_due()[0]
    assert box.file.read_text() == BEGAN


def test_what_was_confirmed_stays_where_a_damaged_list_comes_up_again(box: Box) -> None:
    box.committed("105")
    Path(f"{box.file}.history/pending").write_bytes(b"")
    assert "does not revert by itself" in box.stage().revert_if_due()[0]
    assert box.port == 105


def test_the_next_patient_is_in_the_way_of_no_candidate(box: Box) -> None:
    box.file.write_text(BEGAN + PATIENT)
    box.stage().adopt()
    stage = box.stage()
    stage.set(("destination", "pacs", "port"), "105")
    for patient in (NEXT.replace("4711", "4712"), NEXT):
        box.file.write_text(BEGAN + patient)
        box.stage().revert_if_due()
    assert stage.compare() == ["set destination pacs port 105"]
    stage.set(("destination", "pacs", "called_ae"), "OTHER")
    assert stage.commit("anna")
    text = BEGAN.replace('"PACS"', '"OTHER"').replace('"10.0.0.7"\n', '"10.0.0.7"\nport = 105\n')
    assert box.file.read_text() == text + NEXT


def test_a_candidate_with_a_patient_of_its_own_does_not_take_the_place_of_another(box: Box) -> None:
    box.file.write_text(BEGAN + PATIENT)
    stage = box.stage()
    stage.set(("patient", "id"), "99")
    box.file.write_text(BEGAN + NEXT)
    with pytest.raises(ConfigChanged):
        stage.commit("anna")
    assert stage.update()
    assert stage.compare() == ["set patient id 99"]


@pytest.mark.parametrize("before", [None, "[agent]\nae_titel = 'X'\n"])
def test_the_first_commit_of_a_box_can_be_taken_back(tmp_path: Path, before: str | None) -> None:
    box = Box(tmp_path)
    box.file.unlink() if before is None else box.file.write_text(before)
    stage = box.stage()
    stage.load('[agent]\nae_title = "A"\n', replace=True)
    assert stage.commit("anna", confirm_s=60)
    assert [one.generation.how for one in stage.history()] == ["commit", "first"]
    box.clock.start_again()
    assert "generation 1 is in force again" in box.stage().revert_if_due()[0]
    assert box.file.read_text().startswith("# the configuration of the first start")


def test_a_first_commit_that_the_medium_refuses_can_be_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Box(tmp_path)
    box.file.unlink()
    stage = box.stage()
    stage.set(("agent", "ae_title"), "A")

    def full(*_words: object) -> None:
        raise FileError("no room")

    monkeypatch.setattr(Folder, "replace", full)
    with pytest.raises(FileError, match="no room"):
        stage.commit("anna", confirm_s=60)
    monkeypatch.undo()
    assert stage.revert_if_due() == [
        "a commit was cut off before its decision: the configuration before it is in force"
    ]
    assert not box.file.exists()
    assert stage.compare() == ["set agent ae_title A"]
    stage.set(("listener", "port"), "7")
    assert stage.commit("anna", confirm_s=60)
    assert [one.generation.how for one in stage.history()] == ["commit", "first"]


def test_a_hand_edit_of_the_second_of_two_that_wait_goes_back_to_neither(box: Box) -> None:
    box.committed("105", confirm_s=600)
    box.committed("106", confirm_s=600)
    box.file.write_text(box.file.read_text().replace("106", "107"))
    box.clock.start_again()
    assert "generation 1 was before it" in Stage(str(box.file), times=box.clock.times()).revert_if_due()[0]
    assert box.port == 107


def test_a_person_takes_back_what_waits_and_nobody_is_alarmed(box: Box) -> None:
    held = box.stage()
    held.lock("anna")
    box.committed_by(held, "105", confirm_s=600)
    told = box.stage().take_back("bob")
    assert told == ["generation 2 by anna was taken back by bob: generation 1 is in force again"]
    assert box.file.read_text() == BEGAN
    stage = box.stage()
    assert stage.pending() is None
    assert stage.notice() == []
    assert stage.history()[0].generation.who == "bob"
    with pytest.raises(NotFound, match="nothing waits to be confirmed"):
        stage.take_back("bob")
