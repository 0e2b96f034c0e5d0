"""Media back into the spool: recognised, never doubled; what is hostile or damaged is refused, and the rest goes on."""

from __future__ import annotations

import errno
import os
import resource
from typing import TYPE_CHECKING

import pydicom
import pytest
from fakes import exports, hostile_media, masters

from agent.dataset import uid
from agent.errors import DecodeError, FileError
from agent.exchange import finding, take_in
from agent.exchange.beneath import folder, open_beneath
from agent.exchange.finding import Candidate, PassedOver, Refused
from agent.exchange.opening import Key, Opener
from agent.exchange.take_in import Taken, take
from agent.spool.core import Destination
from agent.spool.exports import note_exports
from agent.spool.store import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.exchange.export import Outcome


@pytest.fixture
def medium(tmp_path: Path) -> tuple[Path, Outcome]:
    """A File-set of another box."""
    root = exports.filled(tmp_path / "other")
    out = tmp_path / "medium"
    out.mkdir()
    return out, exports.run(root, out)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    (tmp_path / "spool").mkdir()
    with Spool.open(str(tmp_path / "spool"), destinations=[Destination("pacs")]) as opened:
        yield opened


def found_in(root: Path, *, files: bool = False) -> list[finding.Found]:
    with folder(str(root)) as top:
        name = "" if files else finding.directory_of(top)
        return list(finding.named_files(top, name) if name else finding.all_files(top))


def taken_from(spool: Spool, root: Path, *, files: bool = False) -> list[Taken | Refused]:
    """What becomes of each file, in order; what was passed over is left out."""
    ends: list[Taken | Refused] = []
    for found in found_in(root, files=files):
        if isinstance(found, Candidate):
            ends += take(spool, [found.descriptor])
            os.close(found.descriptor)
        elif isinstance(found, Refused):
            ends.append(found)
    return ends


def states(ends: list[Taken | Refused]) -> list[str]:
    return [one.state if isinstance(one, Taken) else "refused" for one in ends]


@pytest.mark.parametrize("files", [False, True])
def test_a_file_set_comes_in_once(spool: Spool, medium: tuple[Path, Outcome], files: bool) -> None:
    root, outcome = medium
    assert states(taken_from(spool, root, files=files)) == ["new"] * 4
    assert states(taken_from(spool, root, files=not files)) == ["same"] * 4
    for row in outcome.exported:
        receipt = spool.receipt(row.sop_instance_uid)
        assert receipt is not None
        assert (receipt.data_set_sha256, receipt.source) == (row.data_set_sha256, "import")
        assert [one.state for one in receipt.deliveries] == ["queued"]
    assert len(os.listdir(f"{spool.root}/INST/000000")) == 4
    assert os.listdir(f"{spool.root}/quarantine") == []


def test_many_at_once_become_durable_together(spool: Spool, medium: tuple[Path, Outcome]) -> None:
    candidates = [one for one in found_in(medium[0]) if isinstance(one, Candidate)]
    ends = take(spool, [one.descriptor for one in candidates], destinations=())
    assert [one.state for one in ends] == ["new"] * 4
    assert spool.rows() == []
    for one in candidates:
        os.close(one.descriptor)


def test_our_own_lossless_copy_is_recognised(tmp_path: Path) -> None:
    root = exports.filled(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    outcome = exports.run(root, out)
    with Spool.open(str(root), destinations=[Destination("pacs")]) as spool:
        note_exports(spool, outcome.exported)
        assert states(taken_from(spool, out)) == ["ours", "ours", "same", "ours"]
        lost = exports.files_of(root)[0]
        lost.unlink()
        spool.examine_number(1)
        ends = taken_from(spool, out)
        assert states(ends) == ["error", "ours", "same", "ours"]
        assert isinstance(ends[0], Taken)
        assert "lossless copy" in ends[0].message
        assert len(os.listdir(f"{spool.root}/quarantine")) == 0


def test_other_content_under_a_known_uid_is_quarantined(spool: Spool, medium: tuple[Path, Outcome]) -> None:
    root, _ = medium
    assert states(taken_from(spool, root)) == ["new"] * 4
    first = hostile_media.files(root)[2]
    data = bytearray(first.read_bytes())
    data[-1] ^= 1
    first.write_bytes(data)
    ends = taken_from(spool, root)
    assert states(ends) == ["same", "same", "error", "same"]
    assert isinstance(ends[2], Taken)
    assert ends[2].code == "spool.conflict"
    assert len(os.listdir(f"{spool.root}/quarantine")) == 1


def test_a_damaged_copy_of_what_is_there_is_no_collision(spool: Spool, tmp_path: Path) -> None:
    """A medium that rots must not fill the quarantine, nor say that two instances share a UID."""
    path = masters.write(tmp_path, "us", uid.RLE_LOSSLESS)
    whole = path.read_bytes()

    def bring() -> Taken:
        with path.open("rb") as file:
            return take(spool, [file.fileno()])[0]

    assert bring().state == "new"
    at = pydicom.dcmread(path).PixelData.find(b"\x03\0\0\0")  # how many segments the first frame has
    start = whole.index(b"\x03\0\0\0", whole.index(b"\xe0\x7f\x10\0OB")) if at >= 0 else -1
    assert start > 0
    path.write_bytes(whole[:start] + b"\x07" + whole[start + 1 :])
    damaged = bring()
    assert (damaged.state, damaged.code) == ("error", "files.some")
    assert "damaged copy of an instance that is there already: Pixel Data frame 1 cannot be decoded" in damaged.message
    path.write_bytes(whole[: whole.index(b"\xe0\x7f\x10\0OB") - 30] + b"\xff" * 20)
    assert "damaged copy of an instance that is there already" in bring().message
    assert os.listdir(f"{spool.root}/quarantine") == []
    path.write_bytes(whole)
    assert bring().state == "same"


@pytest.mark.parametrize(
    ("file_id", "words"),
    [
        (["..", "..", "ETC", "PASSWD"], "leads out"),
        (["INST", "..", "X"], "leads out"),
        (["", "etc", "passwd"], "empty"),
        (["A"] * 9, "9 components"),
        (["INST/000000/00000001"], "characters"),
        (["inst"], "only A-Z"),
        (["LONGNAME9"], "9 characters"),
        (["INST", "000000", "00000009"], "No such file"),
    ],
)
def test_names_that_lead_out_are_refused_and_the_rest_goes_on(
    spool: Spool, medium: tuple[Path, Outcome], file_id: list[str], words: str
) -> None:
    root, _ = medium
    hostile_media.rename_in_directory(root, [file_id])
    ends = taken_from(spool, root)
    assert states(ends) == ["refused", "new", "new", "new"]
    assert isinstance(ends[0], Refused)
    assert words in str(ends[0].error)


def test_links_devices_and_pipes_are_not_opened(spool: Spool, medium: tuple[Path, Outcome], tmp_path: Path) -> None:
    root, _ = medium
    secret = masters.write(tmp_path, "sc", uid.EXPLICIT_VR_LE)
    names = hostile_media.files(root)
    hostile_media.link(names[0], secret)
    hostile_media.pipe(names[1])
    hostile_media.wire(names[2])
    for files in (False, True):
        ends = taken_from(spool, root, files=files)
        assert states(ends) == ["refused"] * 3 + ["same" if files else "new"]
        said = [str(one.error) for one in ends if isinstance(one, Refused)]
        assert [
            word for word, text in zip(("symbolic link", "pipe", "socket"), said, strict=True) if word not in text
        ] == []


def test_a_link_for_a_folder_is_not_followed(spool: Spool, medium: tuple[Path, Outcome], tmp_path: Path) -> None:
    root, _ = medium
    hostile_media.link_folder(root, tmp_path / "elsewhere")
    assert states(taken_from(spool, root)) == ["refused"] * 4
    ends = taken_from(spool, root, files=True)
    assert states(ends) == ["refused"]
    assert isinstance(ends[0], Refused)
    assert "INST is a symbolic link" in str(ends[0].error)


def test_a_device_is_not_opened(tmp_path: Path) -> None:
    with folder("/dev") as top, pytest.raises(FileError, match="a device"):
        open_beneath(top, "null")


@pytest.mark.parametrize("name", ["", "..", "a/../b", "/etc/passwd", "a//b", ".", "x\0y"])
def test_paths_that_lead_out(tmp_path: Path, name: str) -> None:
    with folder(str(tmp_path)) as top, pytest.raises(FileError, match="leads out"):
        open_beneath(top, name)


def test_a_disguise_is_taken_off_and_noted(spool: Spool, medium: tuple[Path, Outcome]) -> None:
    root, outcome = medium
    names = hostile_media.files(root)
    hostile_media.disguise(names[0], b"MZ\x90\0")
    hostile_media.disguise(names[1], b"II*\0")
    ends = taken_from(spool, root)
    assert states(ends) == ["new"] * 4
    assert [one.note for one in ends if isinstance(one, Taken)] == ["a Windows program, zeroed", "", "", ""]
    receipt = spool.receipt(outcome.exported[0].sop_instance_uid)
    assert receipt is not None
    assert receipt.events[0].detail["preamble"] == "a Windows program, zeroed"
    stored = exports.files_of(spool.root)
    assert stored[0].read_bytes()[:128] == bytes(128)
    assert stored[1].read_bytes()[:4] == b"II*\0"
    assert states(taken_from(spool, root)) == ["same"] * 4


def test_damage_is_refused(spool: Spool, medium: tuple[Path, Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    root, _ = medium
    names = hostile_media.files(root)
    hostile_media.cut(names[2])
    names[0].write_bytes(names[1].read_bytes())
    ends = taken_from(spool, root)
    assert states(ends) == ["refused", "new", "error", "new"]
    assert isinstance(ends[0], Refused)
    assert "the DICOMDIR names" in str(ends[0].error)
    monkeypatch.setattr(finding, "MAX_FILE_BYTES", 100)
    assert states(taken_from(spool, root)) == ["refused"] * 4
    monkeypatch.setattr(finding, "MAX_FILE_BYTES", 1 << 40)
    monkeypatch.setattr(take_in, "MAX_FILE_BYTES", 100)
    assert states(taken_from(spool, root)) == ["refused", "error", "error", "error"]
    assert not [name for name in os.listdir(f"{spool.root}/INST/000000") if name.endswith(".part")]


def test_a_directory_that_is_none_is_said(medium: tuple[Path, Outcome]) -> None:
    root, _ = medium
    (root / "DICOMDIR").write_bytes(b"no" * 400)
    with pytest.raises(DecodeError):
        found_in(root)
    assert len(found_in(root, files=True)) == 6


def test_a_directory_that_is_cut_short_gives_what_it_names(spool: Spool, medium: tuple[Path, Outcome]) -> None:
    root, _ = medium
    data = (root / "DICOMDIR").read_bytes()
    (root / "DICOMDIR").write_bytes(data[:-3000])
    ends = taken_from(spool, root)
    assert states(ends) == ["new", "new", "new", "refused"]
    assert isinstance(ends[-1], Refused)
    assert ends[-1].name == "DICOMDIR"


def test_a_plain_folder_passes_over_what_is_no_dicom_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "plain"
    (root / "a" / "b").mkdir(parents=True)
    masters.write(root / "a" / "b", "sc", uid.EXPLICIT_VR_LE)
    (root / "a" / "notes.txt").write_text("x" * 200)
    (root / "empty").write_bytes(b"")
    kinds = [type(one) for one in found_in(root)]
    assert sorted(kind.__name__ for kind in kinds) == ["Candidate", "PassedOver", "PassedOver"]
    assert PassedOver("a/notes.txt") in found_in(root)
    monkeypatch.setattr(finding, "DEPTH", 1)
    deep = [one for one in found_in(root) if isinstance(one, Refused)]
    assert [one.name for one in deep] == ["a/b"]
    monkeypatch.setattr(finding, "MAX_FILES", 2)
    with pytest.raises(FileError, match="more than 2 files"):
        found_in(root)


def test_names_in_lower_case_as_iso_9660_shows_them(spool: Spool, medium: tuple[Path, Outcome]) -> None:
    root, _ = medium
    (root / "INST").rename(root / "inst")
    (root / "DICOMDIR").rename(root / "dicomdir")
    assert states(taken_from(spool, root)) == ["new"] * 4


def test_a_stop_gives_up_what_is_not_sealed(spool: Spool, medium: tuple[Path, Outcome]) -> None:
    one = next(one for one in found_in(medium[0]) if isinstance(one, Candidate))
    big = one.descriptor
    ends = take(spool, [big], stopped=lambda: True)
    os.close(big)
    assert [end.state for end in ends] in (["error"], ["new"])  # a small file is one piece


def test_a_folder_of_more_folders_than_a_process_may_open(tmp_path: Path) -> None:
    """Each was opened while those beside it were gone through."""
    for number in range(60):
        (tmp_path / f"{number:02}").mkdir()
        (tmp_path / f"{number:02}" / "text").write_text("no")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with folder(str(tmp_path)) as top:
        resource.setrlimit(resource.RLIMIT_NOFILE, (top + 20, hard))
        try:
            found = list(finding.all_files(top))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert found == [finding.PassedOver(f"{number:02}/text") for number in range(60)]


def test_what_cannot_be_read_leaves_no_descriptor_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where there is a key, and the first bytes are to tell whether it is encrypted."""

    def sick(*_words: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    for number in range(3):
        (tmp_path / str(number)).write_bytes(b"x" * 200)
    opener = Opener(Key(""), str(tmp_path))
    with folder(str(tmp_path)) as top:
        before = len(os.listdir("/proc/self/fd"))
        monkeypatch.setattr(os, "pread", sick)
        found = list(finding.all_files(top, opener=opener))
        assert all(isinstance(one, Refused) for one in found)
        assert len(found) == 3
        assert len(os.listdir("/proc/self/fd")) == before
