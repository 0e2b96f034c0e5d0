"""``media list``: the same patients, studies, series and instances by the DICOMDIR and by the files."""

from __future__ import annotations

import json
import shutil

import pytest
from fakes.filesets import write_file_set

from agent.app.cli import main
from agent.app.source_file import opened
from agent.media.dicomdir import FileSet, build
from agent.media.records import entry_of


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("set")
    entries = []
    for path in write_file_set(root):
        with opened(str(path), header_only=True) as file:
            entries.append(entry_of(str(path.relative_to(root)).replace("/", "\\"), file.meta, file.dataset))
    (root / "DICOMDIR").write_bytes(build(entries, FileSet("2.25.1", "CARD")))
    return root


def listed(capsys, *words):
    assert main(["media", "list", "--json", *map(str, words)]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_directory_and_the_files_say_the_same(made, capsys):
    by_directory, by_files = listed(capsys, made), listed(capsys, made, "--files")
    assert by_directory["counts"] == {"patients": 2, "studies": 2, "series": 25, "instances": 26}
    assert by_directory["file_set_id"] == "CARD"
    assert by_files["dicomdir"] == ""
    text = json.dumps(by_directory["patients"]).replace("\\\\", "/")
    assert text == json.dumps(by_files["patients"])
    assert [each["type"] for each in by_files["other"]] == ["PALETTE"]


def test_a_dicomdir_may_be_named_itself(made, capsys):
    assert listed(capsys, made / "DICOMDIR")["counts"]["instances"] == 26


def test_people_get_lines_down_to_a_level(made, capsys):
    assert main(["media", "list", "--level", "studies", str(made)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("  study 20260228 0815 ID 77")
    assert lines[-1].endswith("2 patients, 2 studies, 25 series, 26 instances (DICOMDIR of CARD)")
    assert len(lines) == 5


def test_what_is_damaged_is_told_and_the_rest_listed(made, capsys, tmp_path):
    for name in ("IMG/00000000", "IMG/00000001"):
        shutil.copy(made / name, tmp_path / name[-1])
    (tmp_path / "2").write_bytes((tmp_path / "1").read_bytes())
    (tmp_path / "3").write_bytes((tmp_path / "0").read_bytes()[:600])
    (tmp_path / "README.TXT").write_text("hello")
    assert main(["media", "list", str(tmp_path)]) == 36
    shown = capsys.readouterr()
    assert "2 instances (files" in shown.out
    assert "the same SOP Instance UID as 1" in shown.err
    assert "3: " in shown.err


def test_a_broken_directory_is_said(made, capsys, tmp_path):
    data = (made / "DICOMDIR").read_bytes()
    (tmp_path / "DICOMDIR").write_bytes(data[: len(data) // 2])
    assert main(["media", "list", "--level", "patients", str(tmp_path)]) == 36
    assert "media check" in capsys.readouterr().err


def test_nothing_there(capsys, tmp_path):
    assert main(["media", "list", str(tmp_path / "no")]) == 3
    assert main(["media", "list", str(tmp_path)]) == 0
