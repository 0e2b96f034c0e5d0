"""A drop folder: each whole file one instance, whatever happens to it meanwhile; turn by turn, without waiting."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL.Image
import pydicom
import pytest

from agent.acquire import folder, folder_whose
from agent.acquire.asking import Ask
from agent.acquire.exam import Exam
from agent.acquire.folder import FolderRecorder, shown
from agent.acquire.folder_place import Place
from agent.acquire.recorder import Recorded
from agent.config import load
from agent.errors import DeviceError, SpoolFull, UsageError
from agent.exchange.take_in import take
from agent.spool.core import Destination
from agent.spool.durable import Medium
from agent.spool.quota import Policy
from agent.spool.states import Life
from agent.spool.store import Spool

TOML = """
[[source]]
name = "box"
uri = "folder:{drop}?settle_s=0{options}"
sop_class = "{sop_class}"
burned_in_annotation = "NO"
"""
NEVER = threading.Event()
CT = Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm"


class Drop:
    """A folder and its recorder, whose time is the test's."""

    def __init__(
        self,
        base: Path,
        spool: Spool,
        options: str = "",
        sop_class: str = "sc",
        more: str = "",
        before: Drop | None = None,
    ) -> None:
        self.path = base / "drop"
        self.path.mkdir(exist_ok=True)
        self.spool = spool
        self.log: list[tuple[str, str]] = []
        self.done: list[Recorded] = []
        self.refuse: Callable[[], None] = lambda: None
        self.now = 1000.0
        settings = load.parse(TOML.format(drop=self.path, options=options, sop_class=sop_class) + more)
        self.unit = FolderRecorder(
            settings.source[0], Exam(settings), spool, lambda _source, done: self.done.append(done),
            take_in=lambda descriptor, **how: take(spool, [descriptor], **how)[0],
            before=before.unit if before else None, refuse=self._refused,
            say=lambda level, text: self.log.append((level, text)),
        )  # fmt: skip

    def turn(self, *, later_s: float = 0.0) -> None:
        """Open the folder as a start of the role does, and look once."""
        self.now += later_s
        self.unit._take_over()
        with Place(str(self.path), self.unit._patterns) as place:
            if self.unit._done_word != "keep":
                place.prepare()
            self.look(place)

    def look(self, place: Place, *, later_s: float = 0.0) -> None:
        """Look once more, in a folder that is open."""
        self.now += later_s
        self.unit._turn(place, SimpleNamespace(written=set()), NEVER)  # type: ignore[arg-type]

    def _refused(self) -> None:
        self.refuse()

    def left(self) -> list[str]:
        return sorted(str(found.relative_to(self.path)) for found in self.path.rglob("*") if not found.is_dir())

    def texts(self, level: str) -> list[str]:
        return [text for found, text in self.log if found == level]

    def instances(self) -> list[pydicom.Dataset]:
        rows = self.spool.ledger.read("SELECT id FROM instance ORDER BY id")
        return [pydicom.dcmread(self.spool.path(number)) for (number,) in rows]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    (tmp_path / "spool").mkdir()
    policy = Policy(min_free_bytes=1, min_free_fraction=0.0)
    with Spool.open(str(tmp_path / "spool"), destinations=[Destination("pacs")], policy=policy) as opened:
        yield opened


@pytest.fixture
def drop(tmp_path: Path, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Drop]:
    def made(options: str = "", *, known: bool = True, **how: Any) -> Drop:
        one = Drop(tmp_path, spool, options, **how)
        monkeypatch.setattr(folder.time, "monotonic", lambda: one.now)
        if not one.left() and known:
            one.turn()  # the folder is known before anything lies in it
        return one

    return made


def picture(seed: int, shape: tuple[int, ...] = (20, 30), kind: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(kind).max, shape, dtype=kind)


def save(path: Path, array: np.ndarray) -> Path:
    PIL.Image.fromarray(array).save(path)
    return path


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("a.png", picture(1)),
        ("a.png", picture(1, (20, 31, 3))),
        ("a.png", picture(1, kind=np.uint16)),
        ("a.pgm", picture(1)),
        ("a.ppm", picture(1, (20, 31, 3))),
        ("a.bmp", picture(1, (20, 31, 3))),
        ("a.bmp", picture(1, (7, 30))),
    ],
)
def test_the_samples_of_a_picture_are_those_of_its_instance(
    drop: Callable[..., Drop], name: str, array: np.ndarray
) -> None:
    one = drop()
    save(one.path / name, array)
    one.turn()
    (found,) = one.instances()
    assert (found.pixel_array == array).all()
    assert found.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7"
    assert one.left() == [f"done/{name}"]
    receipt = one.spool.receipt(found.SOPInstanceUID)
    assert receipt is not None
    assert len(receipt.events[0].detail["file_sha256"]) == 64
    assert receipt.source == "box"


@pytest.mark.parametrize("kind", ["clip", "still"])
def test_a_folder_makes_no_clip_and_no_still_and_says_so(drop: Callable[..., Drop], kind: str) -> None:
    one = drop()
    with pytest.raises(UsageError, match=f"source 'box' is a folder, which makes no {kind}"):
        one.unit.ask(Ask(kind))
    one.unit.ask(Ask())


def test_raw_samples_of_exactly_the_size(drop: Callable[..., Drop]) -> None:
    one = drop("&raw=20x30x1x12")
    array = picture(1, kind=np.uint16) >> 4
    (one.path / "a.raw").write_bytes(array.astype("<u2").tobytes())
    (one.path / "b.raw").write_bytes(array.astype("<u2").tobytes()[:-1])
    (one.path / "c.raw").write_bytes((array | 0x1000).astype("<u2").tobytes())
    save(one.path / "d.png", picture(2))
    one.turn()
    (found,) = one.instances()
    assert (found.pixel_array == array).all()
    assert found.BitsStored == 12
    one.turn(later_s=20)
    said = " ".join(one.texts("warning"))
    assert "1199 bytes, a frame has exactly 1200" in said
    assert "more than the 12 bits" in said
    assert "is a PNG, and raw" in said


def test_a_dicom_file_goes_in_as_it_is_and_what_differs_is_told(drop: Callable[..., Drop]) -> None:
    one = drop(more='[patient]\nid = "OTHER"\n')
    shutil.copy(CT, one.path / "it")
    one.turn()
    (found,) = one.instances()
    assert found == pydicom.dcmread(CT)
    assert [text for text in one.texts("warning") if "Patient ID of this DICOM File" in text]
    assert not [text for text in one.texts("warning") if found.PatientID in text]
    assert one.unit.counts.captures == 1


def test_a_dicom_file_with_other_content_under_a_known_uid_is_kept_aside(drop: Callable[..., Drop]) -> None:
    one = drop()
    other = bytearray(CT.read_bytes())
    other[20_000] ^= 1
    shutil.copy(CT, one.path / "1.dcm")
    one.turn()
    shutil.copy(CT, one.path / "2.dcm")
    (one.path / "3.dcm").write_bytes(other)
    one.turn()
    assert len(one.instances()) == 1
    assert one.left() == ["done/1.dcm", "done/2.dcm", "rejected/3.dcm", "rejected/3.dcm.reason.txt"]
    assert (one.path / "rejected/3.dcm").read_bytes() == other
    assert pydicom.dcmread(CT).SOPInstanceUID in " ".join(one.texts("error"))


@pytest.mark.parametrize("cut", [1, 100, 20_000, 38_000, 39_100])
def test_a_dicom_file_that_is_cut_short_is_not_taken(drop: Callable[..., Drop], cut: int) -> None:
    one = drop()
    data = CT.read_bytes()
    (one.path / "a").write_bytes(data[:-cut])
    one.turn()
    assert one.instances() == []
    assert one.left() == ["a"]
    (one.path / "a").write_bytes(data)
    one.turn()
    assert len(one.instances()) == 1


def test_the_same_content_again_is_recognised_and_told(drop: Callable[..., Drop]) -> None:
    one = drop()
    save(one.path / "a.png", picture(1))
    shutil.copy(one.path / "a.png", one.path / "b.png")
    one.turn()
    assert len(one.instances()) == 1
    assert one.left() == ["done/a.png", "done/b.png"]
    assert "its content is in the spool already" in " ".join(one.texts("notice"))


def test_with_repeats_each_every_file_is_an_instance_and_stays_one(drop: Callable[..., Drop]) -> None:
    one = drop("&repeats=each&done=keep")
    save(one.path / "a.png", picture(1))
    shutil.copy(one.path / "a.png", one.path / "b.png")
    one.turn()
    assert len(one.instances()) == 2
    again = drop("&repeats=each&done=keep")  # a start of the agent knows nothing of them
    again.turn()
    assert len(again.instances()) == 2


def test_a_file_that_is_kept_is_taken_again_only_when_it_is_another_one(drop: Callable[..., Drop]) -> None:
    one = drop("&done=keep")
    save(one.path / "a.png", picture(1))
    one.turn()
    one.turn()
    assert len(one.instances()) == 1
    save(one.path / "a.png", picture(2))
    one.turn()
    assert len(one.instances()) == 2
    assert one.left() == ["a.png"]


def test_done_delete_leaves_nothing(drop: Callable[..., Drop]) -> None:
    one = drop("&done=delete")
    save(one.path / "a.png", picture(1))
    one.turn()
    assert one.left() == []
    assert len(one.instances()) == 1


def test_a_marker_says_that_a_file_is_whole(drop: Callable[..., Drop]) -> None:
    one = drop("&marker=.ok")
    save(one.path / "a.png", picture(1))
    one.turn()
    assert one.instances() == []
    (one.path / "a.png.ok").touch()
    os.utime(one.path / "a.png.ok", (5, 5))  # of an earlier file of that name
    one.turn(later_s=20)
    assert one.instances() == []
    assert one.texts("warning") == ["not taken: a.png: waits for its marker, a.png.ok (one is older)"]
    (one.path / "a.png.ok").touch()
    one.turn(later_s=100)
    assert len(one.instances()) == 1
    assert one.left() == ["done/a.png", "done/a.png.ok"]


def test_an_open_writer_is_waited_for(drop: Callable[..., Drop]) -> None:
    """Its format says that it is whole, and some program still has it open for writing: ours, so the kernel tells."""
    one = drop()
    save(one.path / "a.png", picture(1))
    with open(one.path / "a.png", "r+b"):
        one.turn()
        assert one.instances() == []
        assert "open for writing" in one.unit.files.seen["a.png"].reason
    one.turn(later_s=10)
    assert len(one.instances()) == 1


def test_a_file_that_changes_while_it_is_read_is_not_taken(
    drop: Callable[..., Drop], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = drop()
    save(one.path / "a.png", picture(1))
    read = folder.look

    def slow(*what: Any) -> Any:
        found = read(*what)
        save(one.path / "a.png", picture(2))  # the same file, written anew
        return found

    monkeypatch.setattr(folder, "look", slow)
    one.turn()
    assert one.instances() == []
    monkeypatch.undo()
    monkeypatch.setattr(folder.time, "monotonic", lambda: one.now)
    one.turn(later_s=10)
    (found,) = one.instances()
    assert (found.pixel_array == picture(2)).all()


def test_one_that_is_replaced_after_it_was_read_is_taken_next(
    drop: Callable[..., Drop], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = drop("&done=delete")
    save(one.path / "a.png", picture(1))
    seal = FolderRecorder._seal

    def late(unit: FolderRecorder, *what: Any) -> Any:
        done = seal(unit, *what)
        save(one.path / "new.tmp.png", picture(2))
        os.rename(one.path / "new.tmp.png", one.path / "a.png")
        return done

    monkeypatch.setattr(FolderRecorder, "_seal", late)
    one.turn()
    monkeypatch.setattr(FolderRecorder, "_seal", seal)
    assert one.left() == ["a.png"]
    one.turn()
    assert [(found.pixel_array == picture(number)).all() for number, found in enumerate(one.instances(), 1)] == [
        True
    ] * 2
    assert one.left() == []


def test_without_room_files_stay_where_they_are(drop: Callable[..., Drop]) -> None:
    one = drop()
    save(one.path / "a.png", picture(1))
    one.refuse = full
    with pytest.raises(SpoolFull):
        one.turn()
    assert one.left() == ["a.png"]
    one.refuse = lambda: None
    one.turn()
    assert len(one.instances()) == 1


def test_what_never_becomes_whole_is_told_and_set_aside_at_last(drop: Callable[..., Drop]) -> None:
    one = drop("&reject_s=60")
    (one.path / "a.png").write_bytes(save(one.path / "b.png", picture(1)).read_bytes()[:200])
    one.turn()
    assert one.texts("warning") == []
    one.turn(later_s=20)
    assert one.texts("warning") == ["not taken: a.png: the PNG is cut short at byte 200"]
    assert "a.png: the PNG is cut short" in one.unit.attention
    one.turn(later_s=20)
    assert len(one.texts("warning")) == 1
    one.turn(later_s=30)
    assert one.left() == ["done/b.png", "rejected/a.png", "rejected/a.png.reason.txt"]
    assert one.unit.attention == ""
    assert "set aside" in one.texts("error")[0]


def test_a_marker_without_its_file_is_told(drop: Callable[..., Drop]) -> None:
    one = drop("&marker=.ok")
    (one.path / "b.png.ok").touch()
    one.turn()
    one.turn(later_s=20)
    assert one.texts("warning") == ["not taken: b.png.ok: is a marker, and there is no b.png"]


def test_what_cannot_be_set_aside_is_told_and_holds_nobody_up(
    drop: Callable[..., Drop], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = drop("&reject_s=60")
    (one.path / "a.png").write_bytes(b"no picture")

    def full(*_what: Any) -> str:
        raise DeviceError("no room for the reason")

    monkeypatch.setattr(Place, "reject", full)
    one.turn()
    save(one.path / "b.png", picture(1))
    for _ in range(3):
        one.turn(later_s=70)
    assert one.left() == ["a.png", "done/b.png"]
    assert [text[-21:] for text in one.texts("warning")] == [
        "nor a DICOM File (yet)"[-21:],
        "no room for the reason"[-21:],
    ]
    assert one.unit.attention.endswith("cannot be set aside: no room for the reason")


def test_a_crowd_is_told_once_and_as_long_as_it_is_one(
    drop: Callable[..., Drop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.acquire.folder_place.MAX_FILES", 2)
    one = drop()
    for number in range(5):
        save(one.path / f"{number}.png", picture(number))
    one.turn()
    assert "the others are not looked at" in one.unit.attention
    one.turn()
    one.turn()
    assert one.unit.attention == ""
    assert len(one.texts("warning")) == 1
    assert len(one.instances()) == 5


def test_sizes_beyond_the_configuration_are_refused_unread(drop: Callable[..., Drop]) -> None:
    one = drop("&max_mib=1&max_file_mib=1")
    with open(one.path / "long", "wb") as file:
        file.truncate((1 << 20) + 1)
    save(one.path / "wide.png", np.zeros((1025, 1024), dtype=np.uint8))
    one.turn()
    assert "max_file_mib = 1" in one.unit.files.seen["long"].reason
    assert "max_mib = 1" in one.unit.files.seen["wide.png"].reason
    assert one.instances() == []


def test_a_picture_that_the_sop_class_cannot_hold_costs_itself_alone(drop: Callable[..., Drop]) -> None:
    one = drop(sop_class="us")
    save(one.path / "a.png", picture(1, kind=np.uint16))
    save(one.path / "b.png", picture(1))
    one.turn()
    assert one.left() == ["a.png", "done/b.png"]
    assert one.unit.files.seen["a.png"].reason


def test_an_instance_that_was_lost_since_is_made_anew(drop: Callable[..., Drop]) -> None:
    one = drop()
    save(one.path / "a.png", picture(1))
    one.turn()
    number = one.spool.ledger.read("SELECT id FROM instance")[0][0]
    os.unlink(one.spool.path(number))
    assert one.spool.examine_number(number).name == "LOST"
    shutil.copy(one.path / "done/a.png", one.path / "a.png")
    one.turn()
    (again,) = one.spool.ledger.read("SELECT id FROM instance WHERE id <> ?", (number,))
    assert (pydicom.dcmread(one.spool.path(again[0])).pixel_array == picture(1)).all()


def test_the_time_of_an_instance_is_that_of_its_file(drop: Callable[..., Drop]) -> None:
    one = drop()
    save(one.path / "a.png", picture(1))
    os.utime(one.path / "a.png", (1_760_000_000, 1_760_000_000))
    one.turn()
    (found,) = one.instances()
    assert found.ContentDate == "20251009"


def test_what_was_put_there_for_one_patient_is_never_taken_for_the_next(drop: Callable[..., Drop]) -> None:
    one = drop("&settle_s=10", more='[patient]\nid = "A"\n')
    save(one.path / "a.png", picture(1))
    shutil.copy(CT, one.path / "ct")
    one.turn()
    assert one.instances() == []  # not still yet
    two = drop("&settle_s=0", more='[patient]\nid = "B"\n', before=one)
    two.turn(later_s=20)
    save(two.path / "b.png", picture(2))
    two.turn(later_s=20)
    found = two.instances()
    assert sorted(str(ds.PatientID) for ds in found) == ["1CT1", "B"]
    assert "a.png: was put here when [patient] or [exam] was another" in two.unit.attention
    again = drop("&settle_s=0&poll_s=1", more='[patient]\nid = "B"\n', before=two)  # a reload of anything else
    again.turn(later_s=60)
    assert len(again.instances()) == 2
    os.rename(again.path / "a.png", again.path.parent / "a.png")
    again.turn(later_s=60)
    os.rename(again.path.parent / "a.png", again.path / "a.png")
    again.turn(later_s=60)
    assert len(again.instances()) == 3


def test_the_same_content_for_another_patient_waits_for_a_person(drop: Callable[..., Drop]) -> None:
    one = drop("&done=delete", more='[patient]\nid = "A"\n')
    save(one.path / "a.png", picture(1))
    one.turn()
    two = drop("&done=delete", more='[patient]\nid = "B"\n')
    save(two.path / "b.png", picture(1))
    two.turn()
    two.turn(later_s=20)
    assert two.left() == ["b.png"]
    assert "whose Patient ID is another" in two.unit.attention
    assert [str(found.PatientID) for found in two.instances()] == ["A"]


def test_a_reload_for_the_same_patient_takes_what_waits(drop: Callable[..., Drop]) -> None:
    one = drop("&settle_s=10", more='[patient]\nid = "A"\n')
    save(one.path / "a.png", picture(1))
    one.turn()
    two = drop("&settle_s=0", more='[patient]\nid = "A"\n[agent]\nstation_name = "X"\n', before=one)
    two.turn(later_s=20)
    assert len(two.instances()) == 1


def full() -> None:
    raise SpoolFull("no room")


def test_what_was_put_there_for_one_patient_is_not_the_next_ones_after_a_restart(drop: Callable[..., Drop]) -> None:
    one = drop(more='[patient]\nid = "A"\n')
    save(one.path / "a.png", picture(1))
    one.refuse = full
    with pytest.raises(SpoolFull):
        one.turn()
    two = drop(more='[patient]\nid = "B"\n', before=one)
    two.turn()
    three = drop(more='[patient]\nid = "B"\n')  # a start knows of no recorder before it
    os.rename(three.path / "a.png", three.path / "of_a.png")
    save(three.path / "b.png", picture(2))
    three.turn()
    three.turn(later_s=20)
    assert [str(found.PatientID) for found in three.instances()] == ["B"]
    assert "of_a.png: was put here when [patient] or [exam] was another" in three.unit.attention
    os.rename(three.path / "of_a.png", three.path.parent / "a.png")
    three.turn()
    os.rename(three.path.parent / "a.png", three.path / "a.png")
    three.turn()
    assert len(three.instances()) == 2


@pytest.mark.parametrize("change", ['[patient]\nid = "B"\n', '[exam]\naccession_number = "2"\n', ""])
def test_an_exam_that_changed_while_nothing_ran_takes_nothing_that_waited(
    drop: Callable[..., Drop], change: str
) -> None:
    one = drop("&settle_s=10", more='[patient]\nid = "A"\n')
    save(one.path / "a.png", picture(1))
    one.turn()
    two = drop(more=change)
    two.turn()
    two.turn(later_s=20)
    assert two.instances() == []
    assert "not taken: a.png: was put here when" in " ".join(two.texts("warning"))
    again = drop(more='[patient]\nid = "A"\n')
    again.turn(later_s=20)
    assert again.instances() == []  # it may have been put for either
    save(again.path / "new.png", picture(2))
    again.turn()
    assert len(again.instances()) == 1


def test_a_restart_for_the_same_patient_takes_what_waits_and_came_meanwhile(drop: Callable[..., Drop]) -> None:
    one = drop("&settle_s=10", more='[patient]\nid = "A"\n')
    save(one.path / "a.png", picture(1))
    one.turn()
    save(one.path / "b.png", picture(2))
    two = drop(more='[patient]\nid = "A"\n')
    two.turn()
    assert len(two.instances()) == 2


@pytest.mark.parametrize("value", [None, "", "0 {", "0 []", '0 {"exam": "", "others": 3}'])
def test_a_folder_of_which_nothing_is_known_is_not_trusted(drop: Callable[..., Drop], value: str | None) -> None:
    one = drop(known=False)
    if value is not None:
        one.turn()
        one.spool.ledger.write(lambda db: db.execute("UPDATE meta SET value = ? WHERE key LIKE 'folder %'", (value,)))
    save(one.path / "a.png", picture(1))
    shutil.copy(CT, one.path / "ct")
    one.turn()
    one.turn(later_s=20)
    assert [str(found.PatientID) for found in one.instances()] == ["1CT1"]  # it says itself whose it is
    assert "a.png: was put here when" in one.unit.attention


def test_nothing_is_taken_before_it_is_durable_whose_it_is(
    drop: Callable[..., Drop], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = drop("&settle_s=10", more='[patient]\nid = "A"\n')
    save(one.path / "a.png", picture(1))
    one.turn()
    two = drop(more='[patient]\nid = "B"\n')

    def fails(*_what: Any) -> None:
        full()

    monkeypatch.setattr(folder, "save", fails)
    for _ in range(2):
        with pytest.raises(SpoolFull):
            two.turn()
    monkeypatch.undo()
    monkeypatch.setattr(folder.time, "monotonic", lambda: two.now)
    two.turn()
    assert two.instances() == []


def test_a_crowd_at_a_change_of_patient_is_trusted_once_all_is_seen(
    drop: Callable[..., Drop], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = drop("&settle_s=10", more='[patient]\nid = "A"\n')
    for number in range(5):
        save(one.path / f"{number}.png", picture(number))
    monkeypatch.setattr("agent.acquire.folder_place.MAX_FILES", 2)
    two = drop(more='[patient]\nid = "B"\n', before=one)
    for _ in range(2):
        two.turn(later_s=20)
        two = drop(more='[patient]\nid = "B"\n')
    monkeypatch.setattr("agent.acquire.folder_place.MAX_FILES", 10)
    two.turn()
    assert two.instances() == []
    save(two.path / "b.png", picture(9))
    two.turn()
    assert [str(found.PatientID) for found in two.instances()] == ["B"]


def test_what_the_ledger_keeps_of_folders_is_bounded(spool: Spool) -> None:
    for number in range(folder_whose.MAX_PATHS + 5):
        folder_whose.save(spool, f"/{number}", folder_whose.Whose("x", {"\udcff": folder_whose.Put(1, 2, number)}))
    assert spool.ledger.read("SELECT count(*) FROM meta WHERE key LIKE 'folder %'") == [(folder_whose.MAX_PATHS,)]
    assert folder_whose.load(spool, "/68").others == {"\udcff": (1, 2, 68)}
    assert folder_whose.load(spool, "/nothing") == ("", {})


@pytest.mark.parametrize("patient", ['id = "B"', 'name = "A"', ""])
def test_the_same_content_for_another_patient_waits_though_the_first_is_evicted(
    drop: Callable[..., Drop], patient: str
) -> None:
    one = drop("&done=delete", more='[patient]\nid = "A"\n')
    save(one.path / "a.png", picture(1))
    one.turn()
    evict(one)
    save(one.path / "again.png", picture(1))
    one.turn()
    assert one.left() == []
    two = drop("&done=delete", more=f"[patient]\n{patient}\n")
    save(two.path / "b.png", picture(1))
    two.turn()
    two.turn(later_s=20)
    assert two.left() == ["b.png"]
    assert "whose patient or exam is another" in two.unit.attention


def test_an_evicted_content_of_which_nobody_knows_whose_it_was_waits(drop: Callable[..., Drop]) -> None:
    one = drop("&done=delete")
    save(one.path / "a.png", picture(1))
    one.turn()
    evict(one)
    one.spool.ledger.write(lambda db: db.execute("UPDATE event SET detail = replace(detail, 'exam_', 'no_')"))
    save(one.path / "b.png", picture(1))
    one.turn()
    assert one.left() == ["b.png"]


def evict(one: Drop) -> None:
    ((number,),) = one.spool.ledger.read("SELECT id FROM instance")
    one.spool.ledger.write(lambda db: db.execute("UPDATE instance SET life = ?", (int(Life.EVICTED),)))
    os.remove(one.spool.path(number))


def test_the_same_content_for_nobody_is_not_that_of_a_patient(drop: Callable[..., Drop]) -> None:
    one = drop("&done=delete", more='[patient]\nid = "A"\n')
    save(one.path / "a.png", picture(1))
    one.turn()
    two = drop("&done=delete")
    save(two.path / "b.png", picture(1))
    two.turn()
    assert two.left() == ["b.png"]


@pytest.mark.parametrize("where", ["rejected", "done"])
def test_what_is_claimed_and_cannot_leave_is_told_and_tried_again(
    drop: Callable[..., Drop], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    one = drop("&reject_s=30")
    if where == "done":
        save(one.path / "a.png", picture(1))
    else:
        (one.path / "a.png").write_bytes(b"no picture")
    free = Place._free
    monkeypatch.setattr("agent.acquire.folder_place._TRIES", 0)
    monkeypatch.setattr(Place, "_free", lambda place, folder, *what: f"{place.path}/{what[0]}" if not folder
                        else free(place, folder, *what))  # fmt: skip
    with Place(str(one.path), one.unit._patterns) as place:  # one and the same, as in the role
        place.prepare()
        for _ in range(8):
            one.look(place, later_s=20)
        assert one.left() == ["a.png"]
        assert "holds 0 files of this name" in one.unit.attention
        assert len([text for text in one.texts("warning") if "holds 0 files" in text]) == 1
        monkeypatch.undo()
        monkeypatch.setattr(folder.time, "monotonic", lambda: one.now)
        for _ in range(12):
            one.look(place, later_s=60)
    assert one.left() == [f"{where}/a.png"] + ["rejected/a.png.reason.txt"] * (where == "rejected")
    assert one.unit.attention == ""
    assert len(one.instances()) == (where == "done")


def test_what_can_neither_leave_nor_go_back_is_told_and_nobodys_until_it_does(
    drop: Callable[..., Drop], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = drop("&reject_s=30", more='[patient]\nid = "A"\n')
    save(one.path / "a.png", picture(1))
    one.refuse = full
    with pytest.raises(SpoolFull):
        one.turn()
    two = drop("&reject_s=30", more='[patient]\nid = "B"\n', before=one)
    with Place(str(two.path), two.unit._patterns) as place:
        two.unit._take_over()
        two.look(place)
        monkeypatch.setattr("agent.acquire.folder_place._TRIES", 0)
        two.look(place, later_s=40)
        two.look(place, later_s=10)
        assert two.left() == [".taking/a.png"]
        assert ".taking/a.png cannot go back" in two.unit.attention
        save(two.path / "a.png", picture(2))
        two.look(place)
        monkeypatch.undo()
        monkeypatch.setattr(folder.time, "monotonic", lambda: two.now)
        two.look(place, later_s=10)
        two.look(place, later_s=10)
    assert two.instances() == []
    assert two.left() == ["a-1.png", "a.png"]
    assert "cannot go back" not in two.unit.attention


def test_no_reason_is_left_behind_by_what_cannot_be_set_aside(
    drop: Callable[..., Drop], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = drop("&reject_s=30")
    (one.path / "a.png").write_bytes(b"no picture")
    aside = Medium.set_aside

    def fails(medium: Medium, path: str, target: str) -> None:
        if "/rejected/" in target:
            raise OSError(28, "No space left on device")
        aside(medium, path, target)

    monkeypatch.setattr(Medium, "set_aside", fails)
    for _ in range(3):
        one.turn(later_s=70)
    assert one.left() == ["a.png"]
    assert "No space left" in one.unit.attention


def test_nothing_is_taken_while_the_power_is_about_to_fail(drop: Callable[..., Drop]) -> None:
    one = drop()
    one.unit.held_s = lambda: 30.0
    save(one.path / "a.png", picture(1))
    one.turn(later_s=20)
    assert one.left() == ["a.png"]
    assert one.instances() == []
    assert one.texts("warning") == []
    one.unit.held_s = float
    one.turn()
    assert len(one.instances()) == 1


def test_names_from_outside_do_no_harm_in_a_log() -> None:
    assert shown("a\nb\x1b[2J\udcff.png") == "a\\nb\\x1b[2J\\xff.png"
    assert len(shown("x" * 300)) == 80
