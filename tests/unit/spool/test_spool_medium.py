"""durable.py, mount.py, names.py, ledger.py: the ground the spool stands on."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from agent.errors import MediaError, SpoolFull
from agent.spool import mount, schema
from agent.spool.durable import Medium
from agent.spool.faults import media_error
from agent.spool.ledger import note, open_ledger
from agent.spool.names import Counter, file_number, file_path, folder_number, folders
from agent.spool.ops import Ops
from agent.spool.states import Event

LINE = "36 25 8:2 / {point} {mount_options} shared:1 - {kind} /dev/sda2 {super_options}\n"


def mountinfo(tmp_path, *lines):
    path = tmp_path / "mountinfo"
    path.write_text("".join(LINE.format(**line) for line in lines))
    return str(path)


def line(point="/", kind="ext4", mount_options="rw,relatime", super_options="rw"):
    return {"point": point, "kind": kind, "mount_options": mount_options, "super_options": super_options}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"super_options": "rw,nobarrier"}, "flushes are switched off"),
        ({"super_options": "rw,barrier=0"}, "flushes are switched off"),
        ({"super_options": "rw,data=writeback"}, "old blocks"),
        ({"kind": "overlay", "super_options": "rw,volatile"}, "ignores every fsync"),
        ({"mount_options": "ro"}, "read-only"),
        ({"super_options": "ro"}, "read-only"),
        ({"kind": "vfat"}, "no order between"),
        ({"kind": "exfat"}, "no order between"),
        ({"kind": "ntfs3"}, "no order between"),
        ({"kind": "fuseblk"}, "no order between"),
        ({"kind": "9p"}, "somebody else's word"),
        ({"kind": "nfs4"}, "somebody else's word"),
        ({"kind": "fuse.sshfs"}, "somebody else's word"),
        ({"kind": "iso9660"}, "cannot be written"),
    ],
)
def test_mounts_that_lose_images_are_refused_with_the_reason(tmp_path, changes, reason):
    root = tmp_path / "spool"
    root.mkdir()
    info = mountinfo(tmp_path, line(), line(point=str(tmp_path), **changes))
    with pytest.raises(MediaError, match=reason):
        mount.check(str(root), mountinfo=info)
    assert mount.check(
        str(root), mountinfo=mountinfo(tmp_path, line(**changes), line(point=str(tmp_path)))
    ).point == str(tmp_path)


def test_a_demanded_medium(tmp_path):
    card = tmp_path / "my card"
    root = card / "spool"
    root.mkdir(parents=True)
    info = mountinfo(tmp_path, line(), line(point=str(card).replace(" ", r"\040")))
    assert mount.check(str(root), str(card), mountinfo=info).point == str(card)
    with pytest.raises(MediaError, match="not on the medium"):
        mount.check(str(tmp_path), str(card), mountinfo=info)
    with pytest.raises(MediaError, match="no medium is mounted"):
        mount.check(str(root), str(card), mountinfo=mountinfo(tmp_path, line()))


def test_strange_mountinfo_is_not_a_reason(tmp_path):
    assert mount.parse("nonsense\n\n1 2 - x\n") == []
    assert mount.check(str(tmp_path), mountinfo="/nonexistent") is None


def test_our_own_machine_is_understood(tmp_path):
    if not any(known.point == "/" for known in mount.parse(Path(mount.MOUNTINFO).read_text())):
        pytest.skip("a chroot: its root is no mount, so nothing says what holds it")
    assert mount.check(str(tmp_path)) is not None


# --- names ------------------------------------------------------------------------------------------


def test_names_are_legal_file_ids(tmp_path):
    assert file_path("/r", 0x1FF) == "/r/INST/000001/000001FF"
    assert file_number("000001FF", 1) == 0x1FF
    for name in ("000001ff", "1FF", "000001FF.dcm", "00000001", "000001FF\n", "../00001"):
        assert file_number(name, 1) is None
    assert [folder_number(name) for name in ("00000A", "A", "00000a", "00000A\n")] == [10, None, None, None]


def test_the_counter_ends():
    counter = Counter(0xFFFFFFFF)
    assert counter.take() == 0xFFFFFFFF
    with pytest.raises(OverflowError):
        counter.take()


# --- durable ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind"),
    [(errno.ENOSPC, SpoolFull), (errno.EDQUOT, SpoolFull), (errno.EFBIG, SpoolFull), (errno.EIO, MediaError),
     (errno.EROFS, MediaError), (errno.EMFILE, MediaError), (errno.ENOENT, MediaError)],
)  # fmt: skip
def test_every_errno_has_a_class_a_call_and_a_path(code, kind):
    error = media_error(OSError(code, "x"), "fsync", "/a/b")
    assert type(error) is kind
    assert error.message == f"fsync /a/b: {os.strerror(code)}"


class Once(Ops):
    def __init__(self, call, code):
        self.call, self.code, self.calls = call, code, []

    def step(self, call, path):
        self.calls.append(call)
        if call == self.call:
            self.call = None
            raise OSError(self.code, "injected", path)


def test_a_failed_fsync_kills_the_file(tmp_path):
    medium = Medium(str(tmp_path), Once("fsync", errno.EIO))
    file = medium.create(f"{tmp_path}/a")
    file.write_at(0, b"abc")
    for _ in range(3):
        with pytest.raises(MediaError, match="fsync"):
            file.finish()
    with pytest.raises(MediaError, match="fsync"):
        file.write_at(0, b"x")
    assert file._fd < 0
    assert medium.ops.calls.count("fsync") == 1


def test_publish_never_overwrites(tmp_path):
    medium = Medium(str(tmp_path))
    for name in ("a.part", "a"):
        (tmp_path / name).write_text(name)
    with pytest.raises(MediaError, match="already exists"):
        medium.publish(f"{tmp_path}/a.part", f"{tmp_path}/a")
    assert (tmp_path / "a").read_text() == "a"


def test_create_is_exclusive_private_and_follows_no_link(tmp_path):
    medium = Medium(str(tmp_path))
    medium.create(f"{tmp_path}/a").close()
    assert os.stat(f"{tmp_path}/a").st_mode & 0o777 == 0o600
    os.symlink("/tmp/elsewhere", f"{tmp_path}/b")
    for name in ("a", "b"):
        with pytest.raises(MediaError, match="create"):
            medium.create(f"{tmp_path}/{name}")


class Noted(Ops):
    """Notes each step."""

    def __init__(self) -> None:
        self.steps = []

    def step(self, call, path):
        self.steps.append((call, os.path.basename(path)))


def test_what_is_set_aside_has_its_new_name_durably_before_the_old_one_goes(tmp_path):
    """A rename between folders is two changes; a file system may keep the one that takes the name away."""
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    for name in ("file", "link"):
        path = tmp_path / "from" / name
        path.write_bytes(b"bytes") if name == "file" else path.symlink_to("nowhere")
        ops = Noted()
        Medium(str(tmp_path), ops).set_aside(str(path), str(tmp_path / "to" / name))
        assert ops.steps == [("link", name), ("fsync", "to"), ("unlink", name), ("fsync", "from")]
        assert os.listdir(tmp_path / "from") == []
    assert (tmp_path / "to" / "file").read_bytes() == b"bytes"
    assert os.readlink(tmp_path / "to" / "link") == "nowhere"


def test_a_folder_is_set_aside_and_nothing_is_replaced(tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "folder").mkdir()
    (tmp_path / "from" / "file").write_bytes(b"new")
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "file").write_bytes(b"old")
    medium = Medium(str(tmp_path))
    medium.set_aside(str(tmp_path / "from" / "folder"), str(tmp_path / "to" / "folder"))
    with pytest.raises(MediaError, match="exists"):
        medium.set_aside(str(tmp_path / "from" / "file"), str(tmp_path / "to" / "file"))
    assert sorted(os.listdir(tmp_path / "to")) == ["file", "folder"]
    assert (tmp_path / "to" / "file").read_bytes() == b"old"
    assert (tmp_path / "from" / "file").read_bytes() == b"new"


def test_the_order_of_a_publication(tmp_path):
    medium = Medium(str(tmp_path), Once(None, 0))
    file = medium.create(f"{tmp_path}/a.part")
    file.allocate(10)
    file.write_at(0, b"abc")
    file.finish()
    medium.publish(f"{tmp_path}/a.part", f"{tmp_path}/a")
    assert medium.ops.calls == ["create", "allocate", "write", "truncate", "fsync", "rename", "fsync"]
    assert folders.__doc__


# --- ledger -----------------------------------------------------------------------------------------


@pytest.fixture
def ledger(tmp_path):
    opened = open_ledger(str(tmp_path / "ledger.db"), Once(None, 0))
    yield opened
    opened.close()


def test_the_connection_is_durable_and_alone(ledger):
    pragma = {
        name: ledger.read(f"PRAGMA {name}")[0][0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "mmap_size")
    }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "mmap_size": 0}
    assert ledger.read("PRAGMA user_version") == [(schema.SCHEMA_VERSION,)]


def test_a_closed_ledger_stays_closed(tmp_path):
    ledger = open_ledger(str(tmp_path / "ledger.db"), Ops())
    ledger.close()
    for _ in range(2):
        with pytest.raises(MediaError, match="closed"):
            ledger.read("SELECT 1")
        with pytest.raises(MediaError, match="closed"):
            ledger.write(lambda db: note(db, 1.0, None, None, Event.REBUILT, None))


def test_the_ledger_and_its_log_are_private(tmp_path):
    path = str(tmp_path / "private.db")
    old = os.umask(0o022)
    try:
        for mode in (None, 0o644):  # a new one, and one that an older agent left
            if mode is not None:
                os.chmod(path, mode)
            ledger = open_ledger(path, Ops())
            ledger.write(lambda db: note(db, 1.0, None, None, Event.REBUILT, None))
            for name in (path, f"{path}-wal", f"{path}-shm"):
                assert os.stat(name).st_mode & 0o777 == 0o600
            ledger.close()
    finally:
        os.umask(old)


def test_a_ledger_behind_a_link_is_refused(tmp_path):
    os.symlink(tmp_path / "elsewhere", tmp_path / "linked.db")
    with pytest.raises(MediaError, match="open"):
        open_ledger(str(tmp_path / "linked.db"), Ops())
    assert not os.path.exists(tmp_path / "elsewhere")


def test_a_job_that_raises_undoes_itself_alone(ledger):
    def wrong(db):
        note(db, 1.0, None, None, Event.REBUILT, None, "never")
        raise ValueError("no")

    results = []

    def attempt(job):
        try:
            results.append(ledger.write(job))
        except ValueError:
            results.append("raised")

    jobs = [
        wrong if turn % 3 == 0 else lambda db: note(db, 1.0, None, None, Event.REBUILT, None, "kept")
        for turn in range(12)
    ]
    with ledger._lock:  # so that they gather
        threads = [threading.Thread(target=attempt, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        while len(ledger._pending) < len(jobs):
            pass
    for thread in threads:
        thread.join()
    assert ledger.read("SELECT detail, count(*) FROM event GROUP BY detail") == [("kept", 8)]
    assert results.count("raised") == 4
    assert ledger._ops.calls.count("ledger commit") == 1


@pytest.mark.parametrize("error", [MemoryError("no memory"), KeyboardInterrupt()])
def test_what_breaks_a_group_unexpectedly_fails_each_of_its_writes(ledger, error):
    def breaks(call, _path):
        if call == "ledger commit":
            raise error

    results = []

    def attempt():
        try:
            results.append(ledger.write(lambda db: note(db, 1.0, None, None, Event.REBUILT, None)))
        except BaseException as found:  # noqa: BLE001 - the outcome is what is looked at
            results.append(found)

    with ledger._lock:
        threads = [threading.Thread(target=attempt) for _ in range(4)]
        for thread in threads:
            thread.start()
        while len(ledger._pending) < len(threads):
            pass
        ledger._ops.step = breaks
    for thread in threads:
        thread.join()
    del ledger._ops.step
    assert sorted(type(found).__name__ for found in results) == sorted(["MediaError"] * 3 + [type(error).__name__])
    assert ledger.read("SELECT count(*) FROM event") == [(0,)]
    assert ledger.write(lambda db: note(db, 1.0, None, None, Event.REBUILT, None)) == 1


def test_a_write_nobody_finished_is_an_error(ledger, monkeypatch):
    monkeypatch.setattr(type(ledger), "_commit", lambda _self, _group: None)
    with pytest.raises(MediaError, match="not finished"):
        ledger.write(lambda db: note(db, 1.0, None, None, Event.REBUILT, None))


@pytest.mark.parametrize(("call", "code"), [("ledger commit", errno.EIO), ("ledger begin", errno.ENOSPC)])
def test_after_an_error_the_ledger_is_reopened(ledger, call, code):
    ledger._ops.call, ledger._ops.code = call, code
    with pytest.raises((MediaError, SpoolFull)):
        ledger.write(lambda db: note(db, 1.0, None, None, Event.REBUILT, None, "first"))
    first = ledger._db
    ledger.write(lambda db: note(db, 1.0, None, None, Event.REBUILT, None, "second"))
    assert ledger._db is not first
    assert ledger.read("SELECT detail FROM event") == [("second",)]
