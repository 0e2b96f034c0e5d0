"""``media export`` as a person has it: what is chosen, what is said, and what the receipts keep."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from fakes import exports
from fakes.media_cli import CONFIG
from fakes.spool_clips import Clip
from fakes.stick import Stick

from agent.app import cli, media_choice, media_export
from agent.errors import NotSafe, SpoolBusy, UsageError
from agent.exchange import carry, volume
from agent.exchange.volume import Volume
from agent.spool.store import Spool
from agent.spool.view import SpoolView

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _fd: None)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    exports.filled(tmp_path)
    (tmp_path / "agent.toml").write_text(CONFIG)
    (tmp_path / "out").mkdir()
    return tmp_path


def export(box: Path, *words: object) -> int:
    return cli.main(["media", "export", "--config", str(box / "agent.toml"), *map(str, words)])


def result(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_everything_goes_and_the_receipts_say_where(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = exports.held(box / "spool")
    assert export(box, "--all", "--to", box / "out", "--label", "STICK_1") == 0
    said = capsys.readouterr()
    assert "safe to remove" in said.out
    assert "lossless cop" in said.out
    assert "TEST^Änne" in said.out
    assert "Bench Clinic" in (box / "out" / "README.TXT").read_text()
    assert cli.main(["media", "check", str(box / "out")]) == 0
    assert "sound File-set" in capsys.readouterr().out
    with SpoolView.open(str(box / "spool")) as view:
        for holding in before:
            receipt = view.receipt(holding.sop_instance_uid)
            assert receipt is not None
            told = [event.detail for event in receipt.events if event.kind == "exported"]
            assert [(one["medium"], one["file_id"]) for one in told] == [("STICK_1", f"INST\\000000\\{holding.id:08X}")]
            assert len(told[0]["sha256"]) == 64
            assert receipt.state == "live"  # exporting releases nothing
            assert [one.state for one in receipt.deliveries] == ["queued"]
        assert view.verify().faults == ()
    assert exports.held(box / "spool") == before
    assert cli.main(["receipt", before[0].sop_instance_uid, "--config", str(box / "agent.toml")]) == 0
    assert "medium STICK_1 as INST\\000000\\00000001" in capsys.readouterr().out


def test_as_json_and_again(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(box, "--all", "--to", box / "out", "--profile", "none", "--json") == 0
    first = result(capsys)["media"][0]
    assert first["safe_to_remove"] is True
    assert (first["kept"], len(first["instances"]), first["copies"]) == (0, 4, {})
    assert export(box, "--all", "--to", box / "out", "--profile", "none", "--json") == 0
    again = result(capsys)["media"][0]
    assert again["kept"] == 4
    assert again["file_set_uid"] == first["file_set_uid"]


def test_a_repeated_export_writes_nothing_again_and_needs_no_room(
    box: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lossless copies, too: the receipts know their digests."""
    assert export(box, "--all", "--to", box / "out") == 0
    before = {
        path: (path.stat().st_ino, path.read_bytes()) for path in (box / "out" / "INST").rglob("0*0*") if path.is_file()
    }
    capsys.readouterr()
    monkeypatch.setattr("agent.exchange.plan.Piece.bytes", property(lambda _piece: 1 << 60))
    assert export(box, "--all", "--to", box / "out", "--json") == 0
    assert result(capsys)["media"][0]["kept"] == 4
    assert {path: (path.stat().st_ino, path.read_bytes()) for path in before} == before
    assert cli.main(["media", "check", str(box / "out")]) == 0
    changed = next(iter(before))
    changed.write_bytes(before[changed][1][:-1] + b"x")
    monkeypatch.undo()
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    assert export(box, "--all", "--to", box / "out", "--json") == 0
    assert cli.main(["media", "check", str(box / "out")]) == 0


def test_what_is_chosen(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = exports.held(box / "spool")[0]
    dry = ("--to", box / "out", "--dry-run", "--json")

    def count(*words: object) -> int:
        assert export(box, *words, *dry) == 0
        return sum(len(one["instances"]) for one in result(capsys)["volumes"])

    assert count("--uid", first.sop_instance_uid) == 1
    assert count("--study", "2.25.1") == 4
    assert count("--since", "1h") == 4
    assert count("--all") == 4
    assert list((box / "out").iterdir()) == []
    assert export(box, "--to", box / "out") == 2
    assert export(box, "--uid", "1.2.3", "--to", box / "out") == 4
    assert "nothing is chosen" in capsys.readouterr().err


def test_choices_that_contradict_each_other_are_refused_and_others_intersect(
    box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An export must never hold more than somebody asked for: it may be of another patient."""
    first, second = exports.held(box / "spool")[:2]
    to = ("--to", box / "out")
    for other in (("--study", "2.25.1"), ("--uid", first.sop_instance_uid), ("--since", "24h")):
        assert export(box, "--all", *other, *to) == 2
        assert f"--all and {other[0]} contradict each other: choose one" in capsys.readouterr().err
    assert list((box / "out").iterdir()) == []
    uids = ("--uid", first.sop_instance_uid, "--uid", second.sop_instance_uid)
    assert export(box, "--study", "2.25.1", *uids, "--since", "1h", *to, "--json") == 0
    went = {row["sop_instance_uid"] for row in result(capsys)["media"][0]["instances"]}
    assert went == {first.sop_instance_uid, second.sop_instance_uid}
    assert export(box, "--study", "2.25.1", *uids, "--since", "2999-01-01", *to) == 4
    assert export(box, "--since", "2999-01-01", *to) == 4
    assert "no instance in the spool is what was chosen" in capsys.readouterr().err


def test_a_clip_that_a_crash_cut_off_goes_along_and_its_recovery_is_told(
    box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Spool.open(str(box / "spool")) as spool:
        clip = Clip(spool, 8)
        clip.add(2)
        clip.mark()
    dry = ("--all", "--to", box / "out", "--profile", "none")
    assert export(box, *dry, "--dry-run") == 0
    assert "1 clip that a crash cut off: not looked at" in capsys.readouterr().err
    assert os.path.exists(clip.draft.file.path)
    assert export(box, *dry, "--json") == 0
    said = capsys.readouterr()
    assert "recovered: clips kept: 1" in said.err
    assert "cut off" in said.err
    uids = {row["sop_instance_uid"] for row in json.loads(said.out)["media"][0]["instances"]}
    assert len(uids) == 5
    assert export(box, *dry) == 0
    assert "recovered" not in capsys.readouterr().err


def test_a_cut_clip_that_cannot_be_recovered_is_said_to_stay_behind(
    box: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Spool.open(str(box / "spool")) as spool:
        clip = Clip(spool, 8)
        clip.add(2)
        clip.mark()

    def busy(*_args: object) -> None:
        raise SpoolBusy("somebody has it")

    monkeypatch.setattr(media_choice, "_recover", busy)
    export(box, "--all", "--to", box / "out")
    assert "1 clip that a crash cut off: NOT in this export" in capsys.readouterr().err


def test_a_profile_that_some_do_not_fit(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = export(box, "--all", "--to", box / "us.iso", "--profile", "STD-US-ID-MF-CDR")
    said = capsys.readouterr()
    assert status == 36
    assert said.err.count("does not go: STD-US-ID-MF-CDR has no") == 2
    assert "us.iso: 2 instances" in said.out
    assert export(box, "--all", "--to", box / "x", "--profile", "STD-GEN-TAPE") == 2
    assert export(box, "--profile", "list", "--to", "x") == 0
    assert "STD-GEN-USB-JPEG " in capsys.readouterr().out
    assert export(box, "--profile", "list", "--json") == 0
    rows = {row["name"]: row["about"] for row in result(capsys)["profiles"]}
    assert rows["none"] == "claims nothing: every instance as it is stored"
    assert rows["STD-GEN-SEC-CD"] == "CD: every kind of instance; encrypted; Explicit VR Little Endian (PS3.11 D)"
    assert all(rows.values())


@pytest.mark.parametrize(
    ("words", "profile"),
    [
        (("out",), "STD-GEN-USB-JPEG"),
        (("x.zip",), "STD-GEN-ZIP-MAIL"),
        (("x.iso",), "STD-GEN-DVD-JPEG"),
        (("x.iso", "--volume-size", "700M"), "STD-GEN-CD"),
        (("x.iso", "--volume-size", "4.7G"), "STD-GEN-DVD-JPEG"),
    ],
)
def test_the_default_profile_is_one_for_the_target(
    box: Path, words: tuple[str, ...], profile: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.exchange.carrier.image_program", lambda _profile: "")
    assert export(box, "--all", "--dry-run", "--json", "--to", box / words[0], *words[1:]) == 0
    assert result(capsys)["profile"] == profile


def test_options_are_refused_before_anything_is_looked_at(
    box: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_export, "view_of", lambda _args: pytest.fail("the spool was looked at"))
    for words, told in (
        (("--label", "no label"), "--label"),
        (("--label", ""), "--label"),
        (("--volume", 1), "--volume-size"),
        (("--volume-size", "x"), "--volume-size"),
        (("--profile", "STD-X"), "--profile"),
    ):
        assert export(box, "--all", "--to", box / "out", *words) == 2
        assert told in capsys.readouterr().err


def test_a_profile_for_another_medium_is_said_before_the_work(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--all", "--to", box / "out", "--profile", "STD-GEN-ZIP-MAIL")
    assert export(box, *words, "--dry-run") == 0
    told = f"warning: STD-GEN-ZIP-MAIL is for ZIP and not for {box / 'out'}"
    assert told in capsys.readouterr().err
    assert export(box, *words) == 0
    assert capsys.readouterr().err.count("STD-GEN-ZIP-MAIL is for ZIP") == 1
    assert export(box, *words, "--json") == 0
    assert told.removeprefix("warning: ") in result(capsys)["notes"]


def test_an_instance_larger_than_a_medium(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(box, "--all", "--to", box / "out", "--volume-size", "1K") == 36
    said = capsys.readouterr().err
    assert "of the 1000 of --volume-size: it wants a larger one" in said


def test_several_media(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ("--profile", "none", "--volume-size", "330K")
    assert export(box, "--all", "--to", box / "DICOM.ZIP", *size, "--json") == 0
    media = result(capsys)["media"]
    assert len(media) > 1
    assert all((box / f"DICOM-{number}.ZIP").exists() for number in range(1, len(media) + 1))
    assert len({row["sop_instance_uid"] for one in media for row in one["instances"]}) == 4
    assert len({one["label"] for one in media}) == len(media)
    assert export(box, "--all", "--to", box / "out", *size, "--volume", 2) == 0
    assert (box / "out" / "DICOMDIR").exists()
    assert "2 of " in (box / "out" / "README.TXT").read_text()
    assert export(box, "--all", "--to", box / "out", *size, "--volume", 9) == 2


def test_targets_that_cannot_be(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (box / "there.zip").write_bytes(b"")
    for place, status in (
        (box / "spool", 3),
        (box / "spool" / "INST", 3),
        (box / "there.zip", 3),
        (box / "a" / "b.zip", 3),
    ):
        assert export(box, "--all", "--to", place) == status
    assert export(box, "--all", "--to", box / "out", "--profile", "STD-GEN-SEC-CD") == 2
    assert "--recipient" in capsys.readouterr().err
    assert (box / "there.zip").read_bytes() == b""


def test_targets_that_are_files(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (box / "there").write_bytes(b"mine")
    assert export(box, "--all", "--to", box / "there") == 3
    assert f"{box / 'there'} is a file, not a folder" in capsys.readouterr().err
    assert export(box, "--all", "--to", "/dev/null") == 3
    assert "/dev/null is a device, not a folder" in capsys.readouterr().err
    assert export(box, "--all", "--to", box / "x.tar") == 2
    assert "no .tar is made" in capsys.readouterr().err
    assert not (box / "x.tar").exists()
    assert export(box, "--all", "--to", f"{box}/x.tar/") == 0
    assert (box / "x.tar" / "DICOMDIR").exists()
    assert (box / "there").read_bytes() == b"mine"


def test_several_media_in_a_folder_that_is_made(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ("--profile", "none", "--volume-size", "330K")
    assert export(box, "--all", "--to", box / "new", *size) == 0
    assert (box / "new" / "VOL1" / "DICOMDIR").exists()
    capsys.readouterr()
    assert cli.main(["media", "check", str(box / "new")]) == 32
    assert "File-sets are below it: VOL1, VOL2" in capsys.readouterr().out
    assert cli.main(["media", "check", str(box / "new" / "VOL2")]) == 0


def test_too_little_room(box: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.exchange.plan._BASE_BYTES", 1 << 60)
    assert export(box, "--all", "--to", box / "out") == 3
    assert "--volume-size" in capsys.readouterr().err


def test_a_medium_that_fails_is_never_called_safe(
    box: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = Stick(str(box / "out"), pull_at=30)
    real = carry.carry
    monkeypatch.setattr(carry, "carry", lambda *args, **more: real(*args, **more, ops=stick))
    assert export(box, "--all", "--to", box / "out", "--json") == 37
    said = capsys.readouterr()
    assert "NOT safe to remove" in said.err
    assert json.loads(said.out)["error"]["code"] == "media.not_safe"
    with SpoolView.open(str(box / "spool")) as view:
        uid = exports.held(box / "spool")[0].sop_instance_uid
        receipt = view.receipt(uid)
        assert receipt is not None
        assert not [event for event in receipt.events if event.kind == "exported"]


def test_memory_that_answers_for_the_medium_is_not_believed(
    box: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.exchange.writer.SetWriter.compare", lambda _self, _watch: False)
    assert export(box, "--all", "--to", box / "out") == 37
    assert "came from memory" in capsys.readouterr().err


def test_the_receipts_of_a_spool_in_use_are_told_later(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The medium is right; what failed is said with its own status."""
    with Spool.open(str(box / "spool")):
        assert export(box, "--all", "--to", box / "out") == 14
    said = capsys.readouterr()
    assert "safe to remove" in said.out
    assert "receipts do not say so" in said.err


def test_unmounting(box: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Mounted read-only between the last sync and reading back, and left unmounted."""
    ran: list[str] = []

    def run(words: Sequence[str]) -> int:
        ran.append(" ".join(words))
        return 0

    place = str(box / "out")
    monkeypatch.setattr(volume, "look", lambda _folder: Volume(place, "vfat", "/dev/sdx1", ("rw", "codepage=437")))
    monkeypatch.setattr(volume, "require_closed", lambda _volume: [])
    monkeypatch.setattr(volume, "run_command", run)
    assert export(box, "--all", "--to", place, "--unmount") == 0
    assert ran == [f"umount {place}", f"mount -t vfat -o ro,codepage=437 /dev/sdx1 {place}", f"umount {place}"]
    assert "it is unmounted: safe to remove" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "size"), [("700M", 700_000_000), ("4.7G", 4_700_000_000), ("4GiB", 4 << 30), ("1000", 1000), ("5kb", 5000)]
)
def test_sizes(text: str, size: int) -> None:
    assert media_export._bytes(text) == size


@pytest.mark.parametrize("text", ["", "x", "-1", "0", "1T", "GG"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(UsageError, match="no size"):
        media_export._bytes(text)


def test_no_time() -> None:
    with pytest.raises(UsageError, match="no time"):
        media_choice.since_of("yesterday")


def test_the_media_before_one_that_fails_are_said_to_be_good(
    box: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = carry.carry
    done: list[str] = []

    def second_fails(request: Any, target: Any, watch: Any, **more: Any) -> Any:
        if done:
            raise NotSafe("no: the medium is NOT safe to remove")
        done.append(target.path)
        return real(request, target, watch, **more)

    monkeypatch.setattr(carry, "carry", second_fails)
    size = ("--profile", "none", "--volume-size", "330K", "--json")
    assert export(box, "--all", "--to", box / "DICOM.ZIP", *size) == 37
    said = result(capsys)
    assert [one["to"] for one in said["media"]] == done
    assert said["error"]["code"] == "media.not_safe"


def test_a_name_of_a_file_that_becomes_a_folder_is_said(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(box, "--all", "--to", box / "out.stick") == 0
    assert "out.stick will be a folder: no file of the kind .stick is made" in capsys.readouterr().err
    assert export(box, "--all", "--to", box / "out.stick", "--json") == 0
    assert "will be a folder" not in capsys.readouterr().out


def test_a_bd_image_says_which_udf_it_is(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(box, "--all", "--to", box / "bd.iso", "--profile", "STD-GEN-BD-JPEG", "--dry-run") == 0
    assert "UDF 1.02" in capsys.readouterr().err


def test_room_to_encrypt_is_what_the_site_leaves(
    box: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not what a site leaves that has set nothing."""
    config = box / "agent.toml"
    config.write_text(config.read_text().replace('path = "spool"', f'path = "spool"\nmin_free_mib = {1 << 20}'))
    monkeypatch.setattr("agent.exchange.cms.check", lambda _keys: None)
    assert export(box, "--all", "--to", box / "out", "--recipient", "cert.pem") == 3
    assert "0 B to spare" in capsys.readouterr().err


def test_a_folder_on_a_disk_of_the_box_is_no_medium_unsaid(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(box, "--all", "--to", box / "out") == 0
    assert f"{box / 'out'} is on a disk of this box, not on a medium of its own" in capsys.readouterr().err
    assert export(box, "--all", "--to", box / "out.zip") == 0
    assert "on a disk of this box" not in capsys.readouterr().err
    assert [media_export._own_disk("/mnt/stick", point, None) for point in ("/mnt/stick", "/mnt")] == [[], []]
