"""DICOMDIRs and File-sets as DCMTK, dicom3tools, GDCM, pydicom and a FAT file system see them, and theirs as we do."""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.command import run_command
from fakes.filesets import listed, tree_of, write_file_set
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet as PydicomFileSet

from agent.app.source_file import opened
from agent.media.dicomdir import FileSet, build
from agent.media.records import entry_of
from agent.spool.core import Destination
from agent.spool.file_set import refresh
from agent.spool.store import Spool, prepare

if TYPE_CHECKING:
    from collections.abc import Callable


pytestmark = pytest.mark.usefixtures("tidy_file_sets")

INSTANCES, RECORDS = 26, 55  # of ``write_file_set``: one of every kind


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("card")
    entries = []
    for path in write_file_set(root):
        with opened(str(path), header_only=True) as file:
            entries.append(entry_of(str(path.relative_to(root)).replace("/", "\\"), file.meta, file.dataset))
    (root / "DICOMDIR").write_bytes(build(entries, FileSet("2.25.12345", "CARD")))
    return root


def run(*command: object, cwd: Path | None = None) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, timeout=60, check=False, cwd=cwd)
    text = (done.stdout + done.stderr).decode("latin-1")
    assert done.returncode == 0, f"{command}: {text[-2000:]}"
    return text


def faults(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("E:", "W:", "F:", "Error", "error"))]


def checked(root: Path) -> list[str]:
    """The rules that our own check finds broken."""
    done = run_command("media", "check", "--json", root)
    return sorted({each["rule"] for each in json.loads(done.stdout)["findings"]})


def test_dcmdump_reads_every_record(card: Path, need: Callable[[str], str]) -> None:
    text = run(need("dcmdump"), card / "DICOMDIR")
    assert faults(text) == []
    assert text.count('"Directory Record"') == RECORDS
    assert all(f'refFileID="{name}"' in text for name in listed(card / "DICOMDIR"))


def test_dcmmkdir_goes_on_with_it(card: Path, need: Callable[[str], str], tmp_path: Path) -> None:
    """It reads the whole directory, checks the new file against it, and writes it again."""
    root = tmp_path / "card"
    shutil.copytree(card, root)
    data = (root / "IMG/00000000").read_bytes()
    (root / "NEW").write_bytes(data.replace(b"2.25.5000\0", b"2.25.5999\0"))
    assert faults(run(need("dcmmkdir"), "--append", "NEW", cwd=root)) == []
    assert sorted(listed(root / "DICOMDIR")) == sorted([*listed(card / "DICOMDIR"), "NEW"])
    assert checked(root) == []


def test_dcmmkdir_makes_the_same_of_the_files(card: Path, need: Callable[[str], str], tmp_path: Path) -> None:
    root = tmp_path / "card"
    shutil.copytree(card, root)
    (root / "DICOMDIR").unlink()
    run(need("dcmmkdir"), "+r", "IMG", "DOC", "OTHER", cwd=root)
    assert checked(root) == []
    assert sorted(listed(root / "DICOMDIR")) == sorted(listed(card / "DICOMDIR"))
    assert _kinds(root / "DICOMDIR") == _kinds(card / "DICOMDIR")


def _kinds(path: Path) -> dict[str, str]:
    """File ID -> type of its record."""
    tree = tree_of(path)
    records = [tree.read(step.number) for step in tree.walk()]
    return {record.file_id: record.kind for record in records if record.file_id}


def test_dicom3tools_follow_it(card: Path, need: Callable[[str], str]) -> None:
    text = run(need("dcdirdmp"), card / "DICOMDIR")
    assert faults(text) == []
    assert [line.split("-> ")[1].strip() for line in text.splitlines() if "-> " in line] == listed(card / "DICOMDIR")
    entities = run(need("dcentvfy"), *(path for path in card.rglob("*") if path.is_file() and path.name != "DICOMDIR"))
    assert faults(entities) == []


def test_gdcm_reads_it(card: Path, need: Callable[[str], str]) -> None:
    text = run(need("gdcmdump"), card / "DICOMDIR")
    assert text.count("(0004,1430)") == RECORDS
    assert "rror" not in text


def test_pydicom_finds_every_instance(card: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = PydicomFileSet(card / "DICOMDIR")
        assert (len(found), found.UID, found.ID) == (INSTANCES, "2.25.12345", "CARD")
        assert [each.load().SOPInstanceUID for each in found] == [each.SOPInstanceUID for each in found]
        assert found.find_values("PatientID") == ["4711", "P-1"]


def test_what_pydicom_writes_is_sound(card: Path, tmp_path: Path) -> None:
    made = PydicomFileSet()
    for path in sorted((card / "IMG").iterdir()):
        made.add(path)
    made.ID = "PYDICOM"
    made.write(tmp_path / "card")
    assert checked(tmp_path / "card") == []
    assert len(listed(tmp_path / "card" / "DICOMDIR")) == len(list((card / "IMG").iterdir()))


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-reordered", "DICOMDIR-implicit"])
def test_directories_of_others_have_the_same_records(name: str) -> None:
    """Old and odd ones that come with pydicom; another one who reads them is the judge."""
    import pydicom

    path = get_testdata_file(f"dicomdirtests/{name}") or get_testdata_file(name)
    if path is None:
        pytest.skip("pydicom came without its DICOMDIRs")
    wanted = [_said(record) for record in pydicom.dcmread(path).DirectoryRecordSequence]
    tree = tree_of(Path(str(path)))
    assert len(list(tree.walk())) == len(tree) == len(wanted)
    found = [tree.read(number) for number in range(len(tree))]
    assert [(each.after, each.lower, each.kind, each.file_id) for each in found] == wanted


def _said(record: Dataset) -> tuple[int, int, str, str]:
    name = record.get("ReferencedFileID", "")
    file_id = name if isinstance(name, str) else "\\".join(name)
    return (
        record.OffsetOfTheNextDirectoryRecord,
        record.OffsetOfReferencedLowerLevelDirectoryEntity,
        record.DirectoryRecordType,
        file_id,
    )


def test_a_spool_on_a_real_fat_file_system(card: Path, need: Callable[[str], str], tmp_path: Path) -> None:
    """A spool with every kind of instance goes onto a FAT image as it is; names must survive, and readers find all."""
    root = tmp_path / "spool"
    prepare(str(root))
    with Spool.open(str(root), destinations=[Destination("pacs")]) as spool:
        for path in sorted(card.rglob("*")):
            if path.is_file() and path.name != "DICOMDIR":
                spool.import_file(str(path))
        assert refresh(spool.medium, spool.reader.live_numbers, "BOX", lambda: "2.25.1").listed == INSTANCES
    image, back = tmp_path / "card.img", tmp_path / "back"
    with image.open("wb") as file:
        file.truncate(8 << 20)
    run(need("mkfs.vfat"), "-n", "CARD", image)
    run(need("mcopy"), "-s", "-i", image, root / "INST", root / "DICOMDIR", "::/")
    names = run(need("mdir"), "-b", "-s", "-i", image, "::/")
    assert "::/INST/000000/0000001A" in names  # short names alone: no long one was needed
    back.mkdir()
    run(need("mcopy"), "-s", "-i", image, "::/INST", "::/DICOMDIR", f"{back}/")
    assert checked(back) == []
    assert checked(root) == []
    assert faults(run(need("dcdirdmp"), back / "DICOMDIR")) == []
    found = PydicomFileSet(back / "DICOMDIR")
    assert len(found) == INSTANCES
