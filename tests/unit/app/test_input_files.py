"""What is named on the command line: files, folders, and patterns that no shell has expanded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.app.input_files import files_in
from agent.errors import FileError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.dcm", "a.dcm", "note.txt", "DICOMDIR", "st1/x.dcm", "st1/se/y.dcm", "st2/z.dcm"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (["b.dcm"], [("b.dcm", "b.dcm")]),
        (["st1"], [("st1/x.dcm", "x.dcm"), ("st1/se/y.dcm", "se/y.dcm")]),
        (["st1/"], [("st1/x.dcm", "x.dcm"), ("st1/se/y.dcm", "se/y.dcm")]),
        (["*.dcm"], [("a.dcm", "a.dcm"), ("b.dcm", "b.dcm")]),
        (["st[12]"], [("st1/x.dcm", "x.dcm"), ("st1/se/y.dcm", "se/y.dcm"), ("st2/z.dcm", "z.dcm")]),
        (["st1/**/*.dcm"], [("st1/se/y.dcm", "y.dcm"), ("st1/x.dcm", "x.dcm")]),
        (["?.dcm", "st2/z.dcm"], [("a.dcm", "a.dcm"), ("b.dcm", "b.dcm"), ("st2/z.dcm", "z.dcm")]),
        (["missing.dcm"], [("missing.dcm", "missing.dcm")]),  # whoever opens it says so
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_names_stand_for(named: list[str], expected: list[tuple[str, str]]) -> None:
    assert list(files_in(named)) == expected


def test_a_file_that_is_called_like_a_pattern_is_meant_itself(folder: Path) -> None:
    (folder / "[a].dcm").touch()
    assert [one.path for one in files_in(["[a].dcm"])] == ["[a].dcm"]


def test_a_dicomdir_counts_only_where_it_is_named(folder: Path) -> None:
    assert "DICOMDIR" not in [one.relative for one in files_in([str(folder)])]
    assert [one.relative for one in files_in(["DICOMDIR"])] == ["DICOMDIR"]


@pytest.mark.usefixtures("folder")
def test_a_pattern_without_a_match_is_said() -> None:
    with pytest.raises(FileError, match=r"\*\.dicom: no file matches"):
        list(files_in(["*.dicom"]))


def test_left_out_folders_are(folder: Path) -> None:
    found = [one.relative for one in files_in([str(folder)], leave_out=str(folder / "st1"))]
    assert found == ["a.dcm", "b.dcm", "note.txt", "st2/z.dcm"]
