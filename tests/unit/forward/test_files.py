"""Files to send: what is kept of each, and how little that is."""

from __future__ import annotations

import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, SC, VERIFICATION
from agent.forward.files import Files, open_instance
from agent.media.part10 import FileMeta, encode_prefix

if TYPE_CHECKING:
    from pathlib import Path

UID = "1.2.826.0.1.3680043.10.1561." + "9" * 36  # 64 characters, as long as they may be
MOST_BYTES_A_FILE = 160  # the UID, a name of 30 characters, and what else there is to say


@pytest.mark.parametrize("name", ["a.dcm", "sub/b", "sub//c.dcm", "./sub/d", b"sub/\xff\xfe.dcm", "sub/ä b"])
def test_path_is_the_one_that_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | bytes) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    given = os.fsdecode(name)
    for path in (given, f"{tmp_path}/{given}"):
        with open(path, "wb") as file:
            file.write(encode_prefix(FileMeta(SC, UID, EXPLICIT_VR_LE)))
        files = Files()
        files.add(path)
        assert list(files) == [open_instance(path)]
        assert files[-1].path == path


def test_classes_and_syntaxes_do_not_mix(tmp_path: Path) -> None:
    kinds = [(SC, EXPLICIT_VR_LE), (VERIFICATION, IMPLICIT_VR_LE), (SC, IMPLICIT_VR_LE), (SC, EXPLICIT_VR_LE)]
    files = Files()
    for number, (sop_class, syntax) in enumerate(kinds):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(encode_prefix(FileMeta(sop_class, f"1.2.{number}", syntax)) + bytes(number))
        files.add(str(path))
    assert [(one.sop_class_uid, one.transfer_syntax_uid) for one in files] == kinds
    assert [one.sop_instance_uid for one in files[1:3]] == ["1.2.1", "1.2.2"]
    assert [one.size - one.data_set_offset for one in files] == [0, 1, 2, 3]
    with pytest.raises(IndexError):
        files[4]


@pytest.mark.parametrize(
    ("uids", "repeat"), [(["1.2.1", "1.2.2", "1.2.3"], False), (["1.2.1", "1.2.2", "1.2.1"], True)]
)
def test_uids_that_repeat_are_seen(tmp_path: Path, uids: list[str], *, repeat: bool) -> None:
    files = Files()
    for number, uid in enumerate(uids):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(encode_prefix(FileMeta(SC, uid, EXPLICIT_VR_LE)))
        files.add(str(path))
    assert files.uids_repeat() is repeat
    assert files.share(0, 2).uids_repeat() is repeat


def test_thousands_of_files_take_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a-name-as-long-as-any-real.dcm"
    path.write_bytes(encode_prefix(FileMeta(SC, UID, EXPLICIT_VR_LE)))
    files = Files()
    tracemalloc.start()
    try:
        for _ in range(2000):
            files.add(str(path))
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept < 2000 * MOST_BYTES_A_FILE
    assert len(files) == 2000
