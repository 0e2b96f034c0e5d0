"""The folder of the bench archive: nothing of anybody else's is touched, and only complete Data Sets are kept."""

from __future__ import annotations

import errno
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.instances import RGB, frames, make, with_pixels

from agent.app.archive_store import ArchiveStore
from agent.dataset import uid
from agent.dataset.encode import encode
from agent.errors import DecodeError, EncodeError, FileError, MediaError, SpoolBusy
from agent.media.part10 import FileMeta, encode_prefix
from agent.spool.ops import Ops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.app.archive_store import Incoming


def instance(syntax: str = uid.EXPLICIT_VR_LE, number: str = "2.25.7") -> tuple[FileMeta, bytes]:
    data_set = with_pixels(make("us", sop_instance_uid=number, transfer_syntax_uid=syntax), frames(RGB, 1), syntax)
    return FileMeta(data_set["SOPClassUID"], number, syntax, "SENDER"), encode(data_set, syntax)


def keep(store: ArchiveStore, meta: FileMeta, data: bytes) -> None:
    incoming = store.begin(meta)
    incoming.write(data)
    assert store.keep(incoming, "SENDER")


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", ["letter.txt", "000000/00000001.part", "000000/00000001", "index.db", ".hidden"])
def test_a_folder_of_somebody_else_is_refused_and_not_touched(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("precious")
    before = tree(tmp_path)
    with pytest.raises(FileError, match="is not empty and holds no index of an archive") as caught:
        ArchiveStore(str(tmp_path))
    assert "--directory" in caught.value.hint
    assert tree(tmp_path) == before


def test_a_folder_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="file is not a folder"):
        ArchiveStore(str(tmp_path / "file"))
    with pytest.raises(FileError, match="Not a directory"):
        ArchiveStore(str(tmp_path / "file" / "below"))


def test_one_archive_per_folder(tmp_path: Path) -> None:
    first = ArchiveStore(str(tmp_path))
    with pytest.raises(SpoolBusy, match="another archive is running in"):
        ArchiveStore(str(tmp_path))
    first.close()
    ArchiveStore(str(tmp_path)).close()


def test_only_parts_of_ours_are_removed(tmp_path: Path) -> None:
    ArchiveStore(str(tmp_path)).close()
    ours = tmp_path / "000000" / "00000003.part"
    ours.parent.mkdir()
    ours.write_text("half")
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "00000001.part").write_text("linked")
    (tmp_path / "0000AA").symlink_to(outside)
    others = ["letter.txt", "000000/letter.txt", "000000/3.part", "000000/0000000a.part", "photos/00000001.part"]
    for name in others:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("precious")
    ArchiveStore(str(tmp_path)).close()
    assert not ours.exists()
    assert all((tmp_path / name).read_text() == "precious" for name in others)
    assert (outside / "00000001.part").exists()


def test_whole_files_without_a_row_are_adopted_or_set_aside(tmp_path: Path) -> None:
    store = ArchiveStore(str(tmp_path))
    meta, data = instance()
    keep(store, meta, data)
    store.close()
    folder = tmp_path / "000000"
    new_meta, new_data = instance(uid.RLE_LOSSLESS, "2.25.8")
    (folder / "00000005").write_bytes(encode_prefix(new_meta) + new_data)
    shutil.copy(folder / "00000001", folder / "00000006")
    (folder / "00000007").write_bytes(encode_prefix(new_meta._replace(sop_instance_uid="2.25.9")) + new_data[:-20])
    said: list[str] = []
    store = ArchiveStore(str(tmp_path), said.append)
    found = store.find("2.25.8")
    assert found is not None
    assert store.intact(found)
    assert [row.sop_instance_uid for row in store.rows()] == ["2.25.7", "2.25.8"]
    assert sorted(path.name for path in (tmp_path / "set-aside").iterdir()) == ["00000006", "00000007"]
    assert [line.split(" was")[0] for line in said] == ["000000/00000005", "000000/00000006", "000000/00000007"]
    keep(store, *instance(number="2.25.10"))
    assert (folder / "00000008").exists()
    store.close()


@pytest.mark.parametrize("left", [None, b"", b"rotten"])
def test_what_comes_again_is_kept_where_its_own_file_is_gone_or_damaged(left: bytes | None, tmp_path: Path) -> None:
    said: list[str] = []
    store = ArchiveStore(str(tmp_path), said.append)
    keep(store, *instance())
    file = tmp_path / "000000" / "00000001"
    if left is None:
        file.unlink()
    else:
        file.write_bytes(left)
    keep(store, *instance())
    (row,) = store.rows()
    assert store.intact(row)
    assert [line.split(" was")[0] for line in said] == ["000000/00000001"]
    assert (tmp_path / "set-aside" / "00000001").exists() == (left is not None)
    store.close()
    ArchiveStore(str(tmp_path), said.append).close()
    assert len(said) == 1


@pytest.mark.parametrize("syntax", [uid.EXPLICIT_VR_LE, uid.IMPLICIT_VR_LE, uid.RLE_LOSSLESS])
@pytest.mark.parametrize("cut", [1, 20, 300])
def test_a_cut_data_set_is_not_kept(syntax: str, cut: int, tmp_path: Path) -> None:
    store = ArchiveStore(str(tmp_path))
    meta, data = instance(syntax)
    incoming = store.begin(meta)
    incoming.write(data[:-cut])
    with pytest.raises(DecodeError):
        store.keep(incoming, "SENDER")
    store.drop(incoming)
    assert store.rows() == []
    keep(store, meta, data)
    store.close()


@pytest.mark.parametrize("syntax", [uid.EXPLICIT_VR_LE, uid.IMPLICIT_VR_LE, uid.DEFLATED_EXPLICIT_VR_LE])
def test_a_data_set_of_another_instance_is_not_kept(syntax: str, tmp_path: Path) -> None:
    store = ArchiveStore(str(tmp_path))
    meta, data = instance(syntax)
    for other, name in (
        (meta._replace(sop_instance_uid="2.25.8"), "SOP Instance UID 2.25.7, not 2.25.8"),
        (meta._replace(sop_class_uid=uid.SC), f"SOP Class UID {uid.US}, not {uid.SC}"),
    ):
        incoming = store.begin(other)
        incoming.write(data)
        with pytest.raises(EncodeError, match=name):
            store.keep(incoming, "SENDER")
        store.drop(incoming)
    assert store.rows() == []
    keep(store, meta, data)
    store.close()


class Watched(Ops):
    """Writes down every change; fails where it is told to."""

    __slots__ = ("calls", "fail")

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fail = lambda _call, _path: False

    def step(self, call: str, path: str) -> None:
        self.calls.append(call)
        if self.fail(call, path):
            raise OSError(errno.EIO, "injected", path)


@pytest.fixture
def group(tmp_path: Path) -> Iterator[tuple[ArchiveStore, Watched]]:
    ops = Watched()
    store = ArchiveStore(str(tmp_path), ops=ops)
    store._medium.watch()  # whatever the tests run on
    yield store, ops
    store.close()


def arrived(store: ArchiveStore, *numbers: str, cut: int = 0) -> list[Incoming]:
    made = []
    for number in numbers:
        meta, data = instance(number=number)
        incoming = store.begin(meta)
        incoming.write(data[: len(data) - cut])
        made.append(incoming)
    return made


def test_what_comes_together_shares_its_syncs(group: tuple[ArchiveStore, Watched]) -> None:
    store, ops = group
    numbers = [f"2.25.{number}" for number in range(101, 109)]
    made = arrived(store, *numbers)
    ops.calls.clear()
    assert store.keep_all(made, "SENDER") == [(True, None)] * 8
    order = [call for call in ops.calls if call in {"syncfs", "rename", "fsync"}]
    assert order == ["syncfs", *["rename"] * 8, "fsync"]  # and the log of the index, by SQLite
    assert [row.sop_instance_uid for row in store.rows()] == numbers
    assert all(store.intact(row) for row in store.rows())


def test_each_of_a_group_has_its_own_answer(group: tuple[ArchiveStore, Watched]) -> None:
    store, _ops = group
    keep(store, *instance(number="2.25.101"))
    made = arrived(store, "2.25.101", "2.25.102", "2.25.102")
    made += arrived(store, "2.25.103", cut=20)
    other = store.begin(instance(number="2.25.102")[0])
    other.write(instance(number="2.25.102")[1][:-2] + b"\1\1")
    ends = store.keep_all([*made, other], "SENDER")
    assert [kept for kept, _ in ends] == [True, True, True, False, False]
    assert [type(error) for _, error in ends] == [type(None)] * 3 + [DecodeError, type(None)]
    store.drop(made[3])
    assert [row.sop_instance_uid for row in store.rows()] == ["2.25.101", "2.25.102"]
    assert not list(Path(store.folder).rglob("*.part"))


@pytest.mark.parametrize("call", ["fsync", "rename"])
@pytest.mark.parametrize("bad", range(3))
def test_one_bad_file_costs_itself_alone(group: tuple[ArchiveStore, Watched], bad: int, call: str) -> None:
    store, ops = group
    made = arrived(store, "2.25.101", "2.25.102", "2.25.103")
    lost = made[bad].file.path.removesuffix(".part")
    ops.fail = lambda called, path: called == "syncfs" or (called == call and path.removesuffix(".part") == lost)
    ends = store.keep_all(made, "SENDER")
    assert [kept for kept, _ in ends] == [number != bad for number in range(3)]
    assert isinstance(ends[bad][1], MediaError)
    assert len(store.rows()) == 2


def test_associations_that_come_meanwhile_share_a_group(
    group: tuple[ArchiveStore, Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ops = group
    entered, go, sizes = threading.Event(), threading.Event(), []
    plain = ArchiveStore._keep_group

    def slow(self: ArchiveStore, members: list[Incoming]) -> None:
        sizes.append(len(members))
        if len(sizes) == 1:
            entered.set()
            assert go.wait(60)
        plain(self, members)

    monkeypatch.setattr(ArchiveStore, "_keep_group", slow)
    made = arrived(store, "2.25.101", "2.25.102", "2.25.103", "2.25.104")
    ends: list[bool] = []
    threads = [threading.Thread(target=lambda one=one: ends.append(store.keep(one, "SENDER"))) for one in made]
    threads[0].start()
    assert entered.wait(60)
    for thread in threads[1:]:
        thread.start()
    while len(store._circle._waiting) < 3:
        time.sleep(0.001)
    go.set()
    for thread in threads:
        thread.join(60)
    assert (sizes, ends) == ([1, 3], [True] * 4)
