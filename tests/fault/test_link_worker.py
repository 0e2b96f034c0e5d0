"""One worker, one spool, one archive in one process: every way a delivery can go, and that it ends."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest
from fakes import masters
from fakes.link_bench import END_S, QUICK, Bench

from agent.acquire.identity import new_uid
from agent.app.cut_proxy import CutProxy
from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, JPEG_LS_LOSSLESS, SC, US
from agent.errors import ConnectFailed, FileUnreadable, SpoolError, SpoolFull
from agent.forward.deliver import Delivery
from agent.forward.outgoing import Outgoing
from agent.forward.settings import Settings
from agent.forward.settle import Settler
from agent.forward.worker import Worker
from agent.link.peer import Peer
from agent.media.part10 import FileMeta
from agent.service import commitment
from agent.spool.core import Destination
from agent.spool.forwarding import Answer
from agent.spool.states import Priority
from agent.spool.store import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.forward.deliver import Outcome
    from agent.forward.files import Instance
    from agent.spool.core import Item
    from agent.spool.states import Life


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_stored_and_committed_on_one_association(bench: Bench) -> None:
    archive = bench.archive()
    uids = bench.capture(5)
    bench.work(archive.port)
    bench.until(committed=5)
    assert {row.sop_instance_uid for row in archive.store.rows()} == set(uids)
    bench.capture(2)
    bench.until(committed=7)
    said = [text.partition(",")[0] for text in bench.said]
    assert said[:2] == ["5 instances stored", "pacs: 5 instances committed"]
    assert sum(int(text.split()[0]) for text in said if text.endswith("stored")) == 7
    assert len(said) <= 6


def test_a_question_that_cannot_be_written_down_ends_the_role_and_blames_no_peer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> list[Item]:
        raise SpoolFull("no space left on device")

    archive = bench.archive()
    bench.capture(1)
    monkeypatch.setattr(Spool, "open_transaction", full)
    monkeypatch.setattr(bench, "thread", lambda *_: None)
    worker = bench.work(archive.port)
    with pytest.raises(SpoolFull):
        worker.run(bench.stop)
    assert worker.health.failures == 0
    assert bench.states() == {"stored": 1}


class Hours:
    """A schedule that the test turns."""

    def __init__(self) -> None:
        self.is_open = False

    def open(self) -> bool:
        return self.is_open


def test_images_wait_for_their_window_and_commitment_does_not(bench: Bench) -> None:
    hours, archive = Hours(), bench.archive()
    bench.capture(2)
    bench.spool.stored_many(Answer(item) for item in bench.spool.claim("pacs", time.monotonic(), 1))
    bench.work(archive.port, schedule=hours)
    deadline = time.monotonic() + END_S
    while not any("not committed" in text for text in bench.said):  # asked for, though the archive never had it
        assert time.monotonic() < deadline, bench.said
        time.sleep(0.02)
    assert archive.store.rows() == []
    hours.is_open = True
    bench.spool.wake()
    bench.until(committed=2)


def test_a_window_that_closes_lets_the_instance_under_way_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    hours, archive = Hours(), bench.archive()
    hours.is_open = True
    send = Outgoing.send

    def send_and_close(outgoing: Outgoing, delivery: Delivery, item: Item) -> object:
        hours.is_open = False
        return send(outgoing, delivery, item)

    monkeypatch.setattr(Outgoing, "send", send_and_close)
    bench.capture(5)
    bench.work(archive.port, schedule=hours)
    bench.until(committed=1, queued=4)
    assert bench.said[0] == "its window is closed: images wait"
    assert bench.spool.claim("pacs", time.monotonic(), 1)[0].attempt == 1, "what was put back was not tried"


def test_what_is_urgent_goes_through_a_closed_window_and_nothing_else(bench: Bench) -> None:
    hours, archive = Hours(), bench.archive()
    (_, urgent, _) = bench.capture(3)
    bench.spool.prioritize(urgent, Priority.URGENT)
    bench.work(archive.port, schedule=hours, urgent_ignores_windows=True)
    bench.until(committed=1, queued=2)
    assert [row.sop_instance_uid for row in archive.store.rows()] == [urgent]


def test_what_is_urgent_goes_in_front_of_the_rest_of_a_batch_and_the_rest_gives_way_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, send, order = bench.archive(), Outgoing.send, []
    waiting = bench.capture(4)

    def send_and_capture(outgoing: Outgoing, delivery: Delivery, item: Item) -> object:
        order.append((item.sop_instance_uid, item.attempt))
        if len(order) < 4:
            (uid,) = bench.capture(1)
            bench.spool.prioritize(uid, Priority.URGENT)
        return send(outgoing, delivery, item)

    monkeypatch.setattr(Outgoing, "send", send_and_capture)
    bench.work(archive.port)
    bench.until(committed=7)
    sent = [("waiting" if uid in waiting else "urgent") for uid, _ in order]
    assert sent == ["waiting", "urgent", *sent[2:]]
    assert sent[2:].index("waiting") <= 2, "what gave way once does not again"
    assert {attempt for _, attempt in order} == {1}
    assert len({uid for uid, _ in order}) == len(order) == 7


def test_several_associations_send_each_instance_once_and_it_is_committed(bench: Bench) -> None:
    archive = bench.archive()
    uids = bench.capture(60)
    bench.work(archive.port, associations=4)
    bench.until(committed=60)
    more = bench.capture(30)
    bench.until(committed=90)
    assert sorted(row.sop_instance_uid for row in archive.store.rows()) == sorted(uids + more)
    receipts = [bench.spool.receipt(uid) for uid in uids + more]
    assert {(receipt.deliveries[0].attempt, receipt.deliveries[0].asked) for receipt in receipts if receipt} == {(1, 1)}


def test_several_associations_over_a_link_that_is_cut(bench: Bench) -> None:
    archive = bench.archive()
    with CutProxy(("127.0.0.1", archive.port), cut_after_bytes=3_000_000) as proxy:
        bench.capture(12, size=500_000)
        worker = bench.work(proxy.port, associations=4)
        bench.until(committed=12)
        assert proxy.cuts == 1
    assert worker.health.failures == 0
    assert not any("handed over" in text or "is held" in text for text in bench.said)
    assert len(archive.store.rows()) == 12


def test_a_stop_ends_several_associations_and_puts_back(bench: Bench) -> None:
    archive = bench.archive()
    bench.capture(20, size=500_000)
    bench.work(archive.port, associations=3)
    while not archive.store.rows():
        time.sleep(0.01)
    bench.stop.set()
    bench.spool.wake()
    for thread in bench.threads:
        thread.join(10)
    assert "active" not in bench.states()


def test_report_on_a_new_association(bench: Bench) -> None:
    port = bench.listen()
    archive = bench.archive(report="new", report_to={"AGENT": ("127.0.0.1", port)})
    bench.work(archive.port, report_wait_s=0.0)
    bench.capture(3)
    bench.until(committed=3)


def test_report_on_our_next_association(bench: Bench) -> None:
    archive = bench.archive(report="next")
    bench.work(archive.port, report_wait_s=0.8)
    bench.capture(1)
    bench.until(**{"awaiting commitment": 1})
    while any(thread.name.startswith("call ") for thread in threading.enumerate()):
        time.sleep(0.01)
    assert bench.states() == {"awaiting commitment": 1}
    bench.capture(1)
    bench.until(**{"awaiting commitment": 1, "committed": 1})


def test_report_that_never_comes_is_asked_for_again(bench: Bench) -> None:
    archive = bench.archive(report="new")  # no address: the report is lost
    bench.work(archive.port, report_wait_s=0.0, report_deadline_s=0.3)
    bench.capture(1)
    deadline = time.monotonic() + END_S
    while sum("no commitment report in time" in text for text in bench.said) < 2:
        assert time.monotonic() < deadline, bench.said
        time.sleep(0.02)


def test_report_on_what_nobody_was_asked_changes_nothing(bench: Bench) -> None:
    port = bench.listen()
    archive = bench.archive(report="new", report_to={"AGENT": ("127.0.0.1", port)})
    verdict = archive.verdict

    def misplaced(request: commitment.Request) -> commitment.Report:
        return verdict(request)._replace(transaction_uid="2.25.1")

    archive.verdict = misplaced  # type: ignore[method-assign] # the fault of this test
    bench.work(archive.port, report_wait_s=0.0)
    bench.capture(1)
    deadline = time.monotonic() + END_S
    while not any("which nobody was asked" in text for text in bench.said):
        assert time.monotonic() < deadline, bench.said
        time.sleep(0.02)
    assert "committed" not in bench.states()


def test_archive_that_is_down_and_comes_up(bench: Bench) -> None:
    with CutProxy(("127.0.0.1", 1)) as gone:
        port = gone.port
    worker = bench.work(port)
    bench.capture(3)
    deadline = time.monotonic() + END_S
    while not worker.health.open:
        assert time.monotonic() < deadline, bench.said
        time.sleep(0.02)
    assert bench.states() == {"deferred": 3}
    bench.archive(port)
    bench.until(committed=3)
    assert any("answers again" in text for text in bench.said)
    assert worker.health.failures == 0


def test_link_that_is_cut_in_the_middle(bench: Bench) -> None:
    archive = bench.archive()
    with CutProxy(("127.0.0.1", archive.port), cut_after_bytes=2_000_000) as proxy:
        bench.capture(4, size=1_000_000)
        bench.work(proxy.port)
        bench.until(committed=4)
        assert proxy.cuts == 1
    assert sum("answers again" in text for text in bench.said) == 1
    assert len(archive.store.rows()) == 4


def test_one_uid_with_other_content_is_held_and_blocks_nobody(bench: Bench) -> None:
    archive = bench.archive()
    uid = new_uid()
    incoming = archive.store.begin(FileMeta(SC, uid, EXPLICIT_VR_LE))
    incoming.write(encode(DataSet({"SOPClassUID": SC, "SOPInstanceUID": uid, "PatientID": "OTHER"}), EXPLICIT_VR_LE))
    archive.store.keep(incoming, "X")
    bench.capture(1, uid=uid)
    bench.capture(2)
    bench.work(archive.port)
    bench.until(committed=2, held=1)
    assert any("invalid SOP Instance" in text for text in bench.said)


def test_archive_vouches_only_for_what_it_can_read(bench: Bench) -> None:
    archive = bench.archive()
    (good, spoilt, gone) = bench.capture(3)
    bench.work(archive.port)
    bench.until(committed=3)
    paths = {row.sop_instance_uid: row.path for row in archive.store.rows()}
    with open(paths[spoilt], "r+b") as file:
        file.seek(-1, 2)
        byte = file.read(1)[0]
        file.seek(-1, 2)
        file.write(bytes([byte ^ 1]))
    os.unlink(paths[gone])
    asked = [commitment.Reference(SC, uid) for uid in (good, spoilt, gone, "2.25.2")]
    report = archive.verdict(commitment.Request("2.25.1", (*asked, commitment.Reference(US, good))))
    assert report.committed == (asked[0],)
    assert [failure.reason for failure in report.failed] == [0x0112, 0x0112, 0x0112, 0x0119]


def test_what_the_archive_lost_is_sent_again(bench: Bench) -> None:
    archive = bench.archive()
    find = archive.store.find
    lost: list[str] = []

    def forgetful(reference: commitment.Reference) -> int:
        if not lost:
            lost.append(reference.sop_instance_uid)
            return 0x0112
        return 0 if find(reference.sop_instance_uid) else 0x0112

    archive._why_not = forgetful  # type: ignore[method-assign] # the fault of this test
    bench.capture(2)
    bench.work(archive.port)
    bench.until(committed=2)
    receipt = bench.spool.receipt(lost[0])
    assert receipt is not None
    assert any("not committed: no such object instance" in text for text in bench.said)


def test_instance_of_another_class_goes_on_the_next_association(bench: Bench) -> None:
    archive = bench.archive()
    bench.capture(40)
    bench.capture(1, sop_class=US)
    bench.work(archive.port)
    bench.until(committed=41)
    classes = {row.sop_class_uid for row in archive.store.rows()}
    assert classes == {SC, US}


def test_stop_puts_back_what_was_not_begun(bench: Bench) -> None:
    with CutProxy(("127.0.0.1", 1)) as silent:
        silent.refusing = False
        bench.capture(3)
        bench.work(silent.port)
        time.sleep(0.3)
        bench.stop.set()
        bench.spool.wake()
        for thread in bench.threads:
            thread.join(5)
    assert "active" not in bench.states()


def test_stop_while_items_wait_for_the_next_association(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = bench.archive()
    bench.capture(40)
    bench.capture(3, sop_class=US)
    close = Delivery.close

    def stop_and_close(delivery: Delivery) -> None:
        bench.stop.set()
        close(delivery)

    monkeypatch.setattr(Delivery, "close", stop_and_close)
    bench.work(archive.port, commitment=False)
    for thread in bench.threads:
        thread.join(10)
    assert "active" not in bench.states()


def test_first_error_of_a_worker_is_the_one_that_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.capture(1)
    settings = Settings("pacs", Peer("DEAD", "127.0.0.1", 1, timeouts=QUICK))
    worker = Worker(bench.spool, settings, bench.settler, new_uid)

    def turn(_worker: Worker, _stop: object) -> None:
        monkeypatch.setattr(Spool, "put_back", put_back)
        raise ZeroDivisionError

    def put_back(*_: object) -> None:
        raise SpoolError("the ledger is gone")

    monkeypatch.setattr(Worker, "_turn", turn)
    with pytest.raises(ZeroDivisionError):
        worker.run(bench.stop)
    monkeypatch.undo()


def test_ledger_that_cannot_keep_what_a_peer_takes_ends_the_role(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = bench.archive()
    bench.capture(1)
    closed: list[Delivery] = []
    close = Delivery.close

    def closing(delivery: Delivery) -> None:
        close(delivery)
        closed.append(delivery)

    def learned(*_: object) -> None:
        raise SpoolError("the ledger is gone")

    monkeypatch.setattr(Spool, "learned", learned)
    monkeypatch.setattr(Delivery, "close", closing)
    settings = Settings("pacs", Peer("ARCHIVE", "127.0.0.1", archive.port, timeouts=QUICK))
    with pytest.raises(SpoolError):
        Worker(bench.spool, settings, bench.settler, new_uid).run(bench.stop)
    assert len(closed) == 1
    assert bench.states() == {"queued": 1}


def test_file_with_a_flipped_bit_is_never_a_whole_message(bench: Bench) -> None:
    archive = bench.archive()
    bench.capture(2)
    (spoilt,) = bench.capture(1, size=3_000_000)
    good = bench.capture(2)
    ((path, size),) = [
        (found, os.path.getsize(found))
        for found in map(str, (bench.folder / "spool" / "INST").glob("*/*"))
        if os.path.getsize(found) > 1_000_000
    ]
    with open(path, "r+b") as file:
        file.seek(size // 2)
        byte = file.read(1)[0]
        file.seek(size // 2)
        file.write(bytes([byte ^ 0x10]))
    bench.work(archive.port)
    bench.until(committed=4, damaged=1)
    uids = {row.sop_instance_uid for row in archive.store.rows()}
    assert spoilt not in uids
    assert uids >= set(good)
    receipt = bench.spool.receipt(spoilt)
    assert receipt is not None
    assert receipt.state == "damaged"
    assert any(spoilt in text and "digest does not match" in text for text in bench.said)


def test_file_that_cannot_be_read_stops_nobody_else(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = bench.archive()
    bench.capture(1)
    (bad,) = bench.capture(1)
    bench.capture(3)
    preadv = os.preadv

    def failing(fd: int, buffers: list[memoryview], offset: int) -> int:
        if os.readlink(f"/proc/self/fd/{fd}").endswith("/00000002"):
            raise OSError(errno.EIO, "Input/output error")
        return preadv(fd, buffers, offset)

    def examine(_spool: Spool, item: Item) -> Life:
        raise FileUnreadable(f"{item.path}: Input/output error")

    monkeypatch.setattr(os, "preadv", failing)
    monkeypatch.setattr(Spool, "examine", examine)
    worker = bench.work(archive.port)
    bench.until(committed=4, held=1)
    assert worker.health.failures == 0
    assert any(bad in text and "is held" in text and "Input/output error" in text for text in bench.said)


def test_association_is_renewed_before_it_ends(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that never empties outlives any association; no instance pays for it."""
    archive = bench.archive()
    bench.capture(60)
    send = Delivery.send

    def slowly(delivery: Delivery, instance: Instance) -> Outcome:
        time.sleep(0.02)
        return send(delivery, instance)

    monkeypatch.setattr(Delivery, "send", slowly)
    bench.work(archive.port, QUICK._replace(association_s=1.0))
    bench.until(committed=60)
    assert not [text for text in bench.said if "since start" not in text and " committed, " not in text]


def test_the_log_counts_the_bytes_of_the_copy_that_was_sent(bench: Bench) -> None:
    archive = bench.archive()
    master = masters.write(bench.folder, "us-mf", JPEG_LS_LOSSLESS)
    bench.spool.import_file(str(master))
    bench.work(archive.port, commitment=False, transfer_syntax=EXPLICIT_VR_LE)
    bench.until(stored=1)
    deadline = time.monotonic() + END_S
    while not (lines := [text for text in bench.said if "bytes sent" in text]):
        assert time.monotonic() < deadline, bench.said
        time.sleep(0.02)
    counted = int(lines[0].split(" stored, ")[1].split()[0])
    (told,) = bench.spool.sent("pacs")
    assert counted == int(told.detail["bytes"]) > master.stat().st_size


def test_two_destinations_do_not_wait_for_each_other(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with contextlib.closing(bench):
        bench.spool.close()
        bench.spool = Spool.open(str(tmp_path / "spool"), destinations=[Destination("pacs"), Destination("dead")])
        bench.settler = Settler(bench.spool, {"ARCHIVE": ("pacs",)}, bench.say)
        archive = bench.archive()
        bench.capture(3)
        dead = Worker(
            bench.spool, Settings("dead", Peer("DEAD", "127.0.0.1", 1, timeouts=QUICK)), bench.settler, new_uid
        )
        bench.thread(dead.run, bench.stop)
        bench.work(archive.port)
        bench.until(committed=3)
        assert bench.spool.counts()["dead"].get("deferred") == 3


def test_listener_answers_echo_and_role_selection(bench: Bench) -> None:
    from pynetdicom import AE, build_role
    from pynetdicom.sop_class import StorageCommitmentPushModel, Verification  # type: ignore[attr-defined]

    port = bench.listen()
    ae = AE("ARCHIVE")
    ae.add_requested_context(Verification)
    ae.add_requested_context(StorageCommitmentPushModel, [IMPLICIT_VR_LE])
    role = build_role(StorageCommitmentPushModel, scu_role=False, scp_role=True)
    association = ae.associate("127.0.0.1", port, ae_title="AGENT", ext_neg=[role])
    assert association.is_established
    assert association.send_c_echo().Status == 0
    (context,) = [c for c in association.accepted_contexts if c.abstract_syntax == StorageCommitmentPushModel]
    assert (context.as_scu, context.as_scp) == (False, True)
    association.release()
    tries = [ae.associate("127.0.0.1", port, ae_title="WRONG") for _ in range(3)]
    assert not any(wrong.is_established for wrong in tries)
    assert any(wrong.is_rejected for wrong in tries)  # on a busy machine it may see the end before the rejection


def test_a_copy_keeps_no_room_while_its_peer_is_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    port = bench.archive().port
    monkeypatch.setattr("agent.forward.outgoing.HURRY_S", -1.0)  # made between two associations
    opened, made = Delivery.__init__, []

    def once(delivery: Delivery, *given: object, **more: object) -> None:
        if made:
            raise ConnectFailed("the peer is away")
        opened(delivery, *given, **more)  # type: ignore[arg-type] # as they came

    def weighed(outgoing: Outgoing, *given: object) -> object:
        sent = of_outgoing(outgoing, *given)  # type: ignore[arg-type] # as they came
        made.append(outgoing.ready)
        return sent

    of_outgoing = Outgoing._weighed
    monkeypatch.setattr(Delivery, "__init__", once)
    monkeypatch.setattr(Outgoing, "_weighed", weighed)
    monkeypatch.setattr("agent.forward.worker.echo", once)
    bench.spool.import_file(str(masters.write(bench.folder, "us-mf", JPEG_LS_LOSSLESS)))
    worker = bench.work(port, commitment=False, transfer_syntax=EXPLICIT_VR_LE)
    deadline = time.monotonic() + END_S
    while not worker.health.open:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert made == [True]
    assert list(bench.folder.rglob("*.part")) == []
