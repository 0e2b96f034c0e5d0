"""A medium whose directory, journal or folders lead elsewhere: an export touches nothing but what is its own on it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pydicom
import pytest
from fakes import exports, hostile_media

from agent.dataset import uid
from agent.dataset.decode import Limits
from agent.errors import AgentError, MediaError, NotSafe
from agent.exchange import present
from agent.exchange.writer import JOURNAL, SetWriter

if TYPE_CHECKING:
    from pathlib import Path

TWO = (("us", uid.RLE_LOSSLESS), ("dx", uid.EXPLICIT_VR_LE))
NAMES = ("INST/000000/00000001", "INST/000000/00000002")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return exports.filled(tmp_path, TWO)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_record_of_ours_that_leads_into_the_spool_removes_nothing_there(root: Path, out: Path) -> None:
    exports.run(root, out)
    hostile_media.rename_in_directory(out, [["..", "spool", "INST", "000000", "00000002"]] * 2)
    for path in hostile_media.files(out):
        path.unlink()
    before = contents(root / "INST"), contents(out)
    with pytest.raises(MediaError, match="leads out"):
        exports.run(root, out)
    assert (contents(root / "INST"), contents(out)) == before


def test_a_record_of_ours_that_leads_to_another_patients_file_removes_nothing(root: Path, out: Path) -> None:
    exports.run(root, out)
    directory = pydicom.dcmread(out / "DICOMDIR")
    theirs = next(row for row in directory.DirectoryRecordSequence if "ReferencedFileID" in row)
    hostile_media.rename_in_directory(out, [list(theirs.ReferencedFileID)] * 2)
    before = contents(out)
    for piece in exports.pieces(root):
        if piece.holding.sop_instance_uid != theirs.ReferencedSOPInstanceUIDInFile:
            with pytest.raises(MediaError, match="not the instance"):
                exports.run_pieces([piece], out)
    assert contents(out) == before


def test_a_file_of_ours_that_is_missing_or_a_ruin_is_written_anew(root: Path, out: Path) -> None:
    exports.run(root, out)
    one, other = hostile_media.files(out)
    one.unlink()
    other.write_bytes(b"ruin")
    assert len(exports.run(root, out).exported) == 2
    rows = [row for row in pydicom.dcmread(out / "DICOMDIR").DirectoryRecordSequence if "ReferencedFileID" in row]
    for row in rows:
        made = pydicom.dcmread(out.joinpath(*row.ReferencedFileID))
        assert made.SOPInstanceUID == row.ReferencedSOPInstanceUIDInFile
    assert len(rows) == 2
    assert other.read_bytes() == b"ruin"  # whose it was nothing says


def test_a_file_that_stays_may_not_take_all_memory(root: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exports.run(root, out)
    before = contents(out)
    monkeypatch.setattr(present, "_LIMITS", Limits(elements=20))
    with pytest.raises(MediaError, match="elements") as caught:
        exports.run_pieces(exports.pieces(root)[:1], out)
    assert "empty medium" in caught.value.hint
    assert contents(out) == before


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("journal", [False, True])
def test_a_link_on_the_medium_leads_neither_removing_nor_writing_elsewhere(
    root: Path, out: Path, *, journal: bool, deep: bool
) -> None:
    if deep:
        (out / "INST").mkdir()
        (out / "INST" / "000000").symlink_to(root / "INST" / "000000")
    else:
        (out / "INST").symlink_to(root / "INST")
    if journal:
        (out / JOURNAL).write_text("".join(f"{name}\n" for name in NAMES))
    before = contents(root / "INST")
    with pytest.raises(NotSafe, match="symbolic link"):
        exports.run(root, out)
    assert contents(root / "INST") == before


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR.NEW", JOURNAL, "README.TXT"])
def test_a_link_in_the_place_of_a_file_of_the_set_is_not_followed(
    root: Path, out: Path, tmp_path: Path, name: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    (out / name).symlink_to(elsewhere)
    refused = name in {"DICOMDIR", JOURNAL}
    with pytest.raises(AgentError, match="symbolic link") if refused else nullcontext():
        exports.run(root, out)
    assert elsewhere.read_text() == "precious"


def test_the_writer_reaches_nothing_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "FILE").write_text("precious")
    (tmp_path / "root" / "INST").symlink_to(tmp_path / "elsewhere")
    writer = SetWriter(str(tmp_path / "root"))
    for act in (
        lambda: writer.drop(["INST/FILE"]),
        lambda: writer.drop(["../elsewhere/FILE"]),
        lambda: writer.holds("INST/FILE"),
        lambda: writer.reread("INST/FILE"),
        lambda: writer.put("INST/OTHER", lambda sink: sink.write(b"x")),
        lambda: writer.put("../elsewhere/OTHER", lambda sink: sink.write(b"x")),
    ):
        with pytest.raises(MediaError, match="in the way"):
            act()
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["FILE"]
