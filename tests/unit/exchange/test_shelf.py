"""Lists on disk are lists, and an export of many instances takes the memory of one of few."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from agent.dataset.dataset import DataSet
from agent.dataset.uid import EXPLICIT_VR_LE, US
from agent.errors import LimitError
from agent.exchange import carrier
from agent.exchange import shelf as shelves
from agent.exchange.export import Request, export
from agent.exchange.plan import plan
from agent.exchange.reread import Reread
from agent.exchange.shelf import PAGE, Shelf, shelf_of
from agent.exchange.writer import Written
from agent.media.instance import encode_instance
from agent.media.part10 import FileMeta
from agent.media.profile import PLAIN
from agent.spool.names import STAGES, file_path
from agent.spool.receipt import Holding

if TYPE_CHECKING:
    from pathlib import Path


def written(number: int) -> Written:
    return Written(f"A/{number % 3}", number, "")


def test_rows_are_a_list_that_may_grow_while_it_is_gone_through() -> None:
    rows = Shelf().rows(Written._make, key=lambda one: one.path, weight=lambda one: one.size)
    rows.extend(map(written, range(PAGE + 1)))
    seen = []
    for one in rows:
        seen.append(one)
        if len(rows) < 2 * PAGE:
            rows.append(written(len(rows)))
    assert seen == [written(number) for number in range(2 * PAGE)]
    assert (rows[0], rows[-1], len(rows)) == (written(0), written(2 * PAGE - 1), 2 * PAGE)
    with pytest.raises(IndexError):
        rows[2 * PAGE]


def test_rows_are_found_counted_and_summed_by_their_key() -> None:
    shelf = Shelf()
    rows = shelf.rows(Written._make, key=lambda one: one.path, weight=lambda one: one.size)
    rows.extend(map(written, (5, 1, 2, 4)))
    assert "A/2" in rows
    assert "A/7" not in rows
    assert rows.find("A/1") == written(1)
    assert rows.find("A/7") is None
    assert rows.times("A/1") == 2
    assert list(rows.of("A/1")) == [written(1), written(4)]
    assert list(rows.groups()) == [("A/2", 7), ("A/1", 5)]
    other = rows.another()
    rows.clear()
    assert (list(rows), list(other), "A/2" in rows) == ([], [], False)


@pytest.mark.parametrize("spare", [True, False])
def test_a_shelf_lies_in_the_spool_for_nobody_else_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, spare: bool
) -> None:
    """A spool that has no room to spare, or is gone, is done without."""
    monkeypatch.setattr(shelves, "SPARE_BYTES", 1 if spare else 1 << 60)
    with shelf_of(str(tmp_path)) as shelf:
        shelf.rows(str).append("of a patient")
        stages = list((tmp_path / STAGES).iterdir()) if spare else []
        assert len(stages) == spare
        assert all(path.stat().st_mode & 0o777 == 0o700 for path in stages)
    assert not (tmp_path / STAGES).exists()
    with shelf_of(str(tmp_path / "gone")) as shelf:
        shelf.rows(str).append("still")


def filled(root: Path, count: int) -> list[Holding]:
    """Instances without pixels as they lie in a spool."""
    found = []
    for number in range(1, count + 1):
        dataset = DataSet({
            "SOPClassUID": US, "SOPInstanceUID": f"2.25.{10**30 + number}", "PatientID": f"P{number // 50}",
            "PatientName": f"DOE^J{number // 50}", "StudyInstanceUID": f"2.25.{10**31 + number // 20}",
            "SeriesInstanceUID": f"2.25.{10**32 + number // 10}", "StudyID": "S", "StudyDate": "20260301",
            "StudyTime": "1015", "SeriesNumber": 1, "InstanceNumber": number, "Modality": "US",
        })  # fmt: skip
        data = b"".join(encode_instance(FileMeta(US, dataset.text("SOPInstanceUID"), EXPLICIT_VR_LE), dataset))
        path = file_path(str(root), number)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        study, series = dataset.text("StudyInstanceUID"), dataset.text("SeriesInstanceUID")
        digest = hashlib.sha256(data).hexdigest()
        uid = dataset.text("SOPInstanceUID")
        found.append(Holding(number, uid, US, EXPLICIT_VR_LE, study, series, "live", len(data), digest, digest, 0.0))
    return found


def peak_of(root: Path, folder: Path, holdings: list[Holding]) -> int:
    """The most memory that an export takes, twice: of a new set, and of one that is there."""
    folder.mkdir()
    tracemalloc.start()
    shelf = Shelf()
    for _ in range(2):
        found = plan(str(root), iter(holdings), PLAIN, shelf=shelf)
        outcome = export(Request(found.volumes[0], PLAIN, "TEST"), str(folder), shelf=shelf)
        assert len(outcome.exported) == len(holdings)
        assert len(outcome.files) == len(holdings) + 3
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_number_of_instances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without rows on disk each of them takes 3 KiB, and an export of 100,000 half of what a box has."""

    def from_memory(path: str, *_others: object) -> Reread:
        with open(path, "rb") as file:
            return Reread(os.stat(path).st_size, hashlib.file_digest(file, "sha256").hexdigest(), uncached=True)

    monkeypatch.setattr("agent.exchange.writer.reread", from_memory)
    monkeypatch.setattr(shelves, "PAGE", 8)
    holdings = filled(tmp_path, 90)
    peak_of(tmp_path, tmp_path / "warm", holdings[:10])
    few = peak_of(tmp_path, tmp_path / "few", holdings[:30])
    many = peak_of(tmp_path, tmp_path / "many", holdings)
    assert many - few < 60 * 400


def test_a_zip_of_more_files_than_its_program_bears_is_refused(tmp_path: Path) -> None:
    files = Shelf().rows(Written._make, key=lambda one: one.path)
    files.extend(map(written, range(carrier.ZIP_FILES + 1)))
    with pytest.raises(LimitError, match="a ZIP of"):
        carrier.archive(files, str(tmp_path), str(tmp_path / "out.zip"))
    assert list(tmp_path.iterdir()) == []
