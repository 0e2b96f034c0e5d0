"""P1, P2, P5, P9: what seal promises, and what is refused before anything is promised."""

from __future__ import annotations

import hashlib
import os
import threading

import pytest
from fakes.spool_world import BOTH, capture, data_set, digest, part10, record, uid_of

from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE
from agent.errors import (
    DecodeError,
    MediaError,
    NotDicomError,
    SpoolBusy,
    SpoolConflict,
    SpoolDamaged,
    SpoolError,
    SpoolFull,
)
from agent.spool.core import Destination
from agent.spool.quota import EXTEND_BYTES, Policy
from agent.spool.room import Free
from agent.spool.store import Spool, prepare


@pytest.fixture
def root(tmp_path):
    prepare(str(tmp_path / "spool"))
    return str(tmp_path / "spool")


@pytest.fixture
def spool(root):
    with Spool.open(root, destinations=BOTH) as opened:
        yield opened


def files(root):
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(f"{root}/INST") for name in names)


def test_a_sealed_instance_is_a_file_and_a_row_per_destination(spool, root):
    sealed = capture(spool, 1)
    assert files(root) == [sealed.path] == [f"{root}/INST/000000/00000001"]
    with open(sealed.path, "rb") as file:
        assert file.read() == part10(1)
    assert sealed.file_sha256 == hashlib.sha256(part10(1)).hexdigest()
    assert sealed.data_set_sha256 == digest(1)
    assert not sealed.duplicate
    assert spool.counts() == {"pacs": {"queued": 1}, "second": {"queued": 1}}
    receipt = spool.receipt(uid_of(1))
    assert (receipt.study_uid, receipt.series_uid) == ("1.2.3.4", "1.2.3.4.5")
    assert (receipt.captured_at, receipt.state, receipt.file) == (1001.0, "live", "INST/000000/00000001")


def test_the_head_may_come_last(spool):
    sealed = capture(spool, 1, size=5000, head_last=True)
    with open(sealed.path, "rb") as file:
        assert file.read() == part10(1, 5000)


def test_a_draft_is_cut_to_its_true_size(spool):
    data = part10(1)
    with spool.draft(1 << 20) as draft:
        draft.write(data)
        sealed = draft.seal(record(1))
    assert os.path.getsize(sealed.path) == len(data) == sealed.size


def test_a_draft_that_is_not_sealed_leaves_nothing(spool, root):
    with spool.draft(100) as draft:
        draft.write(b"x" * 50)
        assert [os.path.basename(path) for path in files(root)] == ["00000001.part"]
    assert files(root) == []
    draft.abandon()


def test_destinations_may_be_chosen_per_instance(spool):
    data = part10(1)
    with spool.draft(len(data)) as draft:
        draft.write(data)
        draft.seal(record(1)._replace(destinations=("second",)))
    assert spool.counts() == {"pacs": {}, "second": {"queued": 1}}


def test_an_unknown_destination_promises_nothing(spool):
    draft = spool.draft(0)
    draft.write(part10(1))
    with pytest.raises(SpoolError, match="nowhere"):
        draft.seal(record(1)._replace(destinations=("nowhere",)))
    assert files(spool.root) == []
    assert spool.receipt(uid_of(1)) is None


def test_numbers_are_never_reused(root):
    with Spool.open(root, destinations=BOTH) as spool:
        numbers = [capture(spool, 1).id]
        spool.draft(10).abandon()
        numbers.append(capture(spool, 2).id)
    with Spool.open(root, destinations=BOTH) as spool:
        numbers.append(capture(spool, 3).id)
    assert numbers == [1, 3, 4]


def test_a_lost_ledger_skips_to_the_next_folder(root):
    with Spool.open(root, destinations=BOTH) as spool:
        capture(spool, 1)
    os.unlink(f"{root}/ledger.db")
    with Spool.open(root, destinations=BOTH) as spool:
        assert spool.report.adopted == 1
        assert capture(spool, 2).id == 0x100


# --- P5 -------------------------------------------------------------------------------------------


def test_same_uid_same_content_is_done(spool, root):
    first, second = capture(spool, 1), capture(spool, 1)
    assert second.duplicate
    assert second._replace(duplicate=False) == first
    assert files(root) == [first.path]
    assert spool.counts()["pacs"] == {"queued": 1}


def test_same_uid_other_content_is_quarantined(spool, root):
    first = capture(spool, 1)
    with pytest.raises(SpoolConflict, match=uid_of(1).replace(".", r"\.")):
        capture(spool, 1, salt=1)
    assert files(root) == [first.path]
    assert os.listdir(f"{root}/quarantine") == ["00000002"]
    assert [entry.kind for entry in spool.receipt(uid_of(1)).events][-1] == "other content refused"


def test_threads_with_one_uid_make_one_instance(spool, root):
    results = []
    threads = [threading.Thread(target=lambda: results.append(capture(spool, 7))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sealed.duplicate for sealed in results) == [False] + [True] * 7
    assert len(files(root)) == 1


def test_threads_seal_together(spool, root):
    threads = [threading.Thread(target=lambda n=n: [capture(spool, n * 10 + i) for i in range(10)]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files(root)) == 40
    assert spool.counts()["pacs"] == {"queued": 40}
    assert spool.reader.verify().faults == ()


# --- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", NotDicomError),
        (b"x" * 400, NotDicomError),
        (part10(1)[:-1], DecodeError),
        (part10(1) + b"abc", DecodeError),
    ],
    ids=["empty", "text", "cut short", "something behind"],
)
def test_what_cannot_be_read_back_is_not_sealed(spool, root, data, error):
    draft = spool.draft(10)
    draft.write(data)
    with pytest.raises(error):
        draft.seal(record(1))
    assert files(root) == []


def test_the_record_must_be_of_the_file(spool):
    draft = spool.draft(10)
    draft.write(part10(1))
    with pytest.raises(SpoolDamaged, match="announced"):
        draft.seal(record(2))


def test_the_second_process_is_told(spool, root):
    with pytest.raises(SpoolBusy, match="another process"):
        Spool.open(root)


def test_a_missing_folder_is_not_made(tmp_path):
    with pytest.raises(MediaError, match="does not exist"):
        Spool.open(str(tmp_path / "card"))
    assert os.listdir(tmp_path) == []


def test_a_medium_that_is_not_mounted(root):
    with pytest.raises(MediaError, match="no medium is mounted"):
        Spool.open(root, policy=Policy(require_mount=root))


# --- room ---------------------------------------------------------------------------------------------


class Small:
    """Makes the medium say how much is free."""

    def __init__(self, monkeypatch, spool, free_bytes, inodes=10**6):
        self.free_bytes, self.inodes = free_bytes, inodes
        monkeypatch.setattr(type(spool.medium), "free", lambda _self: Free(self.free_bytes, 1 << 30, self.inodes))


def test_a_draft_that_would_eat_the_reserve_is_refused_at_once(spool, root, monkeypatch):
    Small(monkeypatch, spool, (64 << 20) + 999)
    with pytest.raises(SpoolFull, match="out of resources: no room for 1000 bytes"):
        spool.draft(1000)
    assert files(root) == []
    spool.draft(999).abandon()


def test_no_inodes_is_no_room(spool, monkeypatch):
    Small(monkeypatch, spool, 1 << 30, inodes=999)
    with pytest.raises(SpoolFull):
        spool.draft(1)


def test_a_clip_that_meets_the_floor_may_be_finished(spool, monkeypatch):
    room = Small(monkeypatch, spool, 1 << 30)
    data = part10(1)
    with spool.draft(len(data) - 10) as draft:
        draft.write_at(0, data[:-10])
        room.free_bytes = 64 << 20
        with pytest.raises(SpoolFull):
            draft.write_at(len(data) - 10, data[-10:])
        draft.finishing()
        draft.write_at(len(data) - 10, data[-10:])
        assert draft.seal(record(1)).size == len(data)


def test_reservations_count_where_blocks_cannot_be_allocated(spool, monkeypatch):
    Small(monkeypatch, spool, (64 << 20) + 1500)
    monkeypatch.setattr("agent.spool.durable.File.allocate", lambda _self, _length: False)
    first = spool.draft(1000)
    with pytest.raises(SpoolFull):
        spool.draft(1000)
    first.write(b"x" * 600)  # now in the file system's own count, no longer in ours
    spool.draft(1100 - 1).abandon()
    first.abandon()
    spool.draft(1500).abandon()


def test_an_endless_clip_grows_by_steps(spool):
    with spool.draft() as draft:
        draft.write(b"x")
        assert draft.file.allocated == EXTEND_BYTES
        draft.write(bytes(EXTEND_BYTES))
        assert draft.file.allocated == 2 * EXTEND_BYTES


# --- import ---------------------------------------------------------------------------------------------


def test_import_takes_what_the_file_says(spool, tmp_path):
    source = tmp_path / "a.dcm"
    source.write_bytes(part10(1))
    sealed = spool.import_file(str(source))
    receipt = spool.receipt(uid_of(1))
    assert (receipt.study_uid, receipt.source, receipt.file_sha256) == ("1.2.3.4", "import", sealed.file_sha256)
    assert spool.import_file(str(source)).duplicate


@pytest.mark.parametrize("content", [b"no DICOM", part10(1)[:-3]])
def test_import_refuses_and_leaves_nothing(spool, root, tmp_path, content):
    source = tmp_path / "a.dcm"
    source.write_bytes(content)
    with pytest.raises(DecodeError):
        spool.import_file(str(source))
    with pytest.raises(MediaError, match="No such file"):
        spool.import_file(str(tmp_path / "none"))
    assert files(root) == []


def test_a_deflated_file_is_sealed(spool):
    import zlib

    from agent.media.part10 import FileMeta, encode_prefix

    deflater = zlib.compressobj(wbits=-15)
    body = deflater.compress(data_set(1)) + deflater.flush()
    head = encode_prefix(FileMeta(record(1).sop_class_uid, uid_of(1), DEFLATED_EXPLICIT_VR_LE))
    for cut, outcome in ((3, "cut short"), (0, "")):
        with spool.draft() as draft:
            draft.write(head + body[: len(body) - cut])
            told = record(1)._replace(transfer_syntax_uid=DEFLATED_EXPLICIT_VR_LE)
            if outcome:
                with pytest.raises(DecodeError, match=outcome):
                    draft.seal(told)
            else:
                draft.seal(told)
    assert spool.receipt(uid_of(1)).series_uid == "1.2.3.4.5"


# --- destinations -----------------------------------------------------------------------------------------


def test_destinations_may_change_while_the_spool_is_open(spool):
    capture(spool, 1)
    spool.configure([Destination("new", commitment=False)])
    capture(spool, 2)
    assert spool.counts() == {"new": {"queued": 1}, "pacs": {"queued": 1}, "second": {"queued": 1}}
    assert [item.id for item in spool.claim("new", spool.clock.monotonic())] == [2]


def test_a_destination_that_left_the_configuration_keeps_its_queue(root):
    with Spool.open(root, destinations=BOTH) as spool:
        capture(spool, 1)
    with Spool.open(root, destinations=[Destination("new")]) as spool:
        assert spool.counts() == {"new": {}, "pacs": {"queued": 1}, "second": {"queued": 1}}
        capture(spool, 2)
        assert spool.counts()["new"] == {"queued": 1}
    with Spool.open(root, destinations=BOTH) as spool:
        assert spool.counts()["pacs"] == {"queued": 1}
