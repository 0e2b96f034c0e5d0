"""Our Storage SCU against programs we did not write: DCMTK's storescp, and pynetdicom in every mood."""

from __future__ import annotations

import json
import os
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from fakes.peers import dcmtk_tls
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    SecondaryCaptureImageStorage,
    StorageCommitmentPushModel,
    UltrasoundImageStorage,
    Verification,
)

from agent.acquire.identity import new_uid
from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, RLE_LOSSLESS, SC, US
from agent.errors import AssociationRefused, AssociationRejected, Retry
from agent.forward.deliver import Outcome, deliver, echo
from agent.forward.files import Files
from agent.forward.parallel import deliver_parallel
from agent.forward.policy import BREAKER_FAILURES
from agent.link.pace import BURST_S, Pace
from agent.link.peer import Peer, Timeouts
from agent.link.tls import TlsSettings
from agent.media.part10 import FileMeta, encode_prefix
from agent.spool.flights import read_lines
from agent.spool.states import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

QUICK = Timeouts(connect_s=2, associate_s=5, write_s=5, response_s=5, release_s=2)


def write(folder: Path, *, sop_class: str = SC, syntax: str = EXPLICIT_VR_LE, size: int = 20_000) -> str:
    """Write one instance as a modality might; returns its path."""
    uid = new_uid()
    data = DataSet({"SOPClassUID": sop_class, "SOPInstanceUID": uid, "PatientName": "A^B", "PatientID": "1"})
    data["StudyInstanceUID"], data["SeriesInstanceUID"] = new_uid(), new_uid()
    data.set(0x7FE00010, os.urandom(size), "OW" if syntax == IMPLICIT_VR_LE else "OB")
    path = folder / uid[-20:]
    path.write_bytes(encode_prefix(FileMeta(sop_class, uid, syntax)) + encode(data, syntax))
    return str(path)


def send(peer: Peer, paths: list[str]) -> list[Outcome]:
    files = Files()
    for path in paths:
        files.add(path)
    return list(deliver(peer, files))


def at(port: int, title: str = "ANY") -> Peer:
    return Peer(title, "127.0.0.1", port, "AGENT", timeouts=QUICK)


@pytest.fixture
def scp() -> Iterator[Callable[..., int]]:
    """Start a pynetdicom SCP: ``scp(on_store, contexts=..., **settings of AE)`` returns its port."""
    running: list[Any] = []

    def start(
        on_store: Callable[[Any], int] = lambda _event: 0, *, contexts: list[Any] | None = None, **settings: Any
    ) -> int:
        ae = AE("ANY")
        for name, value in settings.items():
            setattr(ae, name, value)
        for context in contexts or [(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)]:
            ae.add_supported_context(*context)
        ae.add_supported_context(Verification)
        server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, on_store)])
        running.append(server)
        return int(server.server_address[1])

    yield start
    for server in running:
        server.shutdown()


@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, IMPLICIT_VR_LE])
@pytest.mark.parametrize("size", [2, 20_000, 3_000_000])
def test_storescp_keeps_every_byte(storescp: Callable[..., Any], tmp_path: Path, syntax: str, size: int) -> None:
    peer = storescp("+xa")
    paths = [write(tmp_path, syntax=syntax, size=size) for _ in range(3)]
    assert echo(at(peer.port)).facts == {"transport": "tcp"}
    outcomes = send(at(peer.port), paths)
    assert [(outcome.stored, outcome.status) for outcome in outcomes] == [(True, 0)] * 3
    sent = {pydicom.dcmread(path).SOPInstanceUID: pydicom.dcmread(path) for path in paths}
    for path in peer.files():
        got = pydicom.dcmread(path)
        assert got == sent.pop(got.SOPInstanceUID)
        assert got.file_meta.TransferSyntaxUID == syntax
    assert not sent


@pytest.mark.parametrize("maximum_length", ["4096", "16384", "131072"])
def test_storescp_with_other_pdu_lengths(storescp: Callable[..., Any], tmp_path: Path, maximum_length: str) -> None:
    peer = storescp("--max-pdu", maximum_length)
    path = write(tmp_path, size=1_000_000)
    (outcome,) = send(at(peer.port), [path])
    assert outcome.stored
    assert pydicom.dcmread(peer.files()[0]).PixelData == pydicom.dcmread(path).PixelData


def test_stock_storescp_does_not_stall_us(storescp: Callable[..., Any], tmp_path: Path) -> None:
    """200 instances of 4 KiB: a sender that stalls needs 18 s, and we may need 1.5 ms each."""
    peer = storescp(store=False)
    files = Files()
    for _ in range(200):
        files.add(write(tmp_path, size=4096))
    started = time.monotonic()
    assert all(outcome.stored for outcome in deliver(at(peer.port), files))
    assert (time.monotonic() - started) / 200 < 0.0015 * 2  # twice the bar: two cores are shared with the peer


@pytest.mark.parametrize("tls", [False, True])
def test_a_limit_below_every_deadline_delivers_to_storescp(
    storescp: Callable[..., Any], bench_ca: Path, tmp_path: Path, tls: bool
) -> None:
    """3 s of sending with waits of 1 s for progress and for each answer, on an association of 2 s."""
    options = dcmtk_tls(bench_ca, "archive") if tls else []
    peer = storescp(*options)
    waits = QUICK._replace(write_s=1.0, response_s=1.0, association_s=2.0)
    files = TlsSettings(*(str(bench_ca / name) for name in ("ca.pem", "agent.pem", "agent.key"))) if tls else None
    limited = at(peer.port)._replace(timeouts=waits, pace=Pace(1_600_000), tls=files)
    paths = [write(tmp_path, size=300_000) for _ in range(2)]
    started = time.monotonic()
    outcomes = send(limited, paths)
    assert [outcome.meaning for outcome in outcomes if not outcome.stored] == []
    assert time.monotonic() - started >= 600_000 / 200_000 - BURST_S
    assert sorted(pydicom.dcmread(path).SOPInstanceUID for path in peer.files()) == sorted(
        pydicom.dcmread(path).SOPInstanceUID for path in paths
    )


@pytest.mark.parametrize("most", [2, 1])
def test_associations_side_by_side(scp: Callable[..., int], tmp_path: Path, most: int) -> None:
    """A peer that takes two meets both before it answers either; one that takes one gets all files over that."""
    meeting = threading.Barrier(most, timeout=5)
    got: list[str] = []

    def on_store(event: Any) -> int:
        if len(got) < most:
            meeting.wait()
        got.append(str(event.dataset.SOPInstanceUID))
        return 0x0000

    files = Files()
    for _ in range(8):
        files.add(write(tmp_path))
    peer = at(scp(on_store, maximum_associations=most))
    outcomes = list(deliver_parallel(partial(deliver, peer), files, 2))
    assert [outcome.meaning for outcome in outcomes if not outcome.stored] == []
    assert sorted(got) == sorted(instance.sop_instance_uid for instance in files)


def test_refused_contexts_are_told_apart(scp: Callable[..., int], tmp_path: Path) -> None:
    port = scp(
        contexts=[(SecondaryCaptureImageStorage, ExplicitVRLittleEndian), (UltrasoundImageStorage, RLE_LOSSLESS)]
    )
    paths = [write(tmp_path), write(tmp_path, sop_class="1.2.840.10008.5.1.4.1.1.1"), write(tmp_path, sop_class=US)]
    first, no_class, no_syntax = send(at(port), paths)
    assert first.stored
    assert no_class.error is not None
    assert no_class.error.code == "association.no_context"
    assert "does not support this SOP Class" in no_class.meaning
    assert "does not support this transfer syntax" in no_syntax.meaning


@pytest.mark.parametrize(
    ("status", "stored", "words"),
    [
        (0x0000, True, "success"),
        (0xB000, True, "changed data elements"),
        (0xB006, True, "discarded"),
        (0xB007, True, "does not match"),
        (0xA700, False, "out of resources"),
        (0xA900, False, "does not match"),
        (0xC123, False, "cannot understand"),
        (0x0110, False, "processing failure"),
        (0x0122, False, "not supported"),
        (0x0124, False, "not authorized"),
    ],
)
def test_statuses(scp: Callable[..., int], tmp_path: Path, status: int, stored: bool, words: str) -> None:
    answers = [status, 0]
    first, second = send(at(scp(lambda _event: answers.pop(0))), [write(tmp_path), write(tmp_path)])
    assert (first.stored, first.status) == (stored, status)
    assert words in first.meaning
    assert second.stored, "one refusal must not end the association"


def test_rejections(scp: Callable[..., int]) -> None:
    port = scp(require_called_aet=True)
    with pytest.raises(AssociationRefused, match="called AE Title not recognized"):
        echo(at(port, "WRONG"))
    full = scp(maximum_associations=1)
    other = AE("OTHER")
    other.add_requested_context(Verification)
    held = other.associate("127.0.0.1", full)
    with pytest.raises(AssociationRejected, match="local limit exceeded") as raised:
        echo(at(full))
    held.release()
    assert not isinstance(raised.value, AssociationRefused)


def test_an_abort_costs_the_instance_it_is_about_and_no_other(scp: Callable[..., int], tmp_path: Path) -> None:
    got: list[str] = []
    paths = [write(tmp_path) for _ in range(5)]
    uids = [str(pydicom.dcmread(path).SOPInstanceUID) for path in paths]

    def on_store(event: Any) -> int:
        if event.request.AffectedSOPInstanceUID == uids[1]:
            event.assoc.abort()
        else:
            got.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    outcomes = send(at(scp(on_store)), paths)
    assert [outcome.stored for outcome in outcomes] == [True, False, True, True, True]
    assert got == [uids[0], *uids[2:]]
    assert outcomes[1].error is not None
    assert (outcomes[1].begun, outcomes[1].error.code) == (True, "association.aborted")


@pytest.mark.parametrize("option", ["--abort-after", "--abort-during"])
def test_a_storescp_that_always_aborts_is_left(storescp: Callable[..., Any], tmp_path: Path, option: str) -> None:
    paths = [write(tmp_path) for _ in range(BREAKER_FAILURES + 2)]
    peer = storescp(option, "--verbose")
    outcomes = send(at(peer.port), paths)
    assert [outcome.begun for outcome in outcomes] == [True] * BREAKER_FAILURES + [False] * 2
    assert {outcome.error.code for outcome in outcomes if outcome.error} == {"association.aborted"}
    assert peer.process.log.count("Association Received") == BREAKER_FAILURES


@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, IMPLICIT_VR_LE])
@pytest.mark.parametrize("missing", [1, 2, 19_999, 20_004])
def test_a_cut_file_is_named_and_the_others_arrive(
    scp: Callable[..., int], tmp_path: Path, syntax: str, missing: int
) -> None:
    got: list[str] = []

    def on_store(event: Any) -> int:
        got.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    paths = [write(tmp_path, syntax=syntax) for _ in range(3)]
    whole = [pydicom.dcmread(path).SOPInstanceUID for path in (paths[0], paths[2])]
    os.truncate(paths[1], os.path.getsize(paths[1]) - missing)
    port = scp(on_store, contexts=[(SecondaryCaptureImageStorage, syntax)])
    outcomes = send(at(port), paths)
    assert [(outcome.stored, outcome.begun) for outcome in outcomes] == [(True, True), (False, False), (True, True)]
    assert got == whole
    error = outcomes[1].error
    assert error is not None
    assert (error.code, error.retry) == ("dataset.decode", Retry.NEVER)
    assert error.message.startswith(paths[1])


def test_a_value_of_odd_length_is_not_completed(scp: Callable[..., int], tmp_path: Path) -> None:
    path = write(tmp_path, size=20_000)
    with open(path, "r+b") as file:
        file.seek(-20_004, os.SEEK_END)
        file.write((19_999).to_bytes(4, "little"))
    os.truncate(path, os.path.getsize(path) - 1)
    (outcome,) = send(at(scp()), [path])
    assert (outcome.stored, outcome.begun) == (False, False)
    assert "odd length" in outcome.meaning


def test_pynetdicom_gets_the_bytes(scp: Callable[..., int], tmp_path: Path) -> None:
    got: list[bytes] = []

    def on_store(event: Any) -> int:
        got.append(event.request.DataSet.getvalue())
        return 0

    path = write(tmp_path, size=1_000_000)
    (outcome,) = send(at(scp(on_store)), [path])
    assert outcome.stored
    with open(path, "rb") as file:
        whole = file.read()
    assert whole.endswith(got[0])
    assert outcome.bytes == len(got[0])


def test_pynetdicom_is_told_the_priority_and_gets_it_in_that_order(scp: Callable[..., int], tmp_path: Path) -> None:
    """Priority (0000,0700) is HIGH 1, MEDIUM 0, LOW 2 (PS3.7 9.3.1.1)."""
    from fakes.link_bench import Bench

    got: list[tuple[str, int]] = []

    def on_store(event: Any) -> int:
        got.append((str(event.request.AffectedSOPInstanceUID), event.request.Priority))
        return 0

    bench = Bench(tmp_path)
    try:
        low, normal, urgent = bench.capture(3)
        bench.spool.prioritize(low, Priority.LOW)
        bench.spool.prioritize(urgent, Priority.URGENT)
        bench.work(scp(on_store), called_ae="ANY", commitment=False)
        bench.until(stored=3)
    finally:
        bench.close()
    assert got == [(urgent, 1), (normal, 0), (low, 2)]


@pytest.mark.parametrize("most", [1, 3])
def test_the_worker_uses_as_many_associations_as_the_peer_takes(
    scp: Callable[..., int], tmp_path: Path, most: int
) -> None:
    """A peer that takes three is met by three at once; one that takes one gets everything over that."""
    from fakes.link_bench import Bench

    meeting = threading.Barrier(most, timeout=5)
    got: list[str] = []

    def on_store(event: Any) -> int:
        if len(got) < most:
            meeting.wait()
        got.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    bench = Bench(tmp_path)
    try:
        uids = bench.capture(24)
        worker = bench.work(scp(on_store, maximum_associations=most), called_ae="ANY", commitment=False, associations=3)
        bench.until(stored=24)
    finally:
        bench.close()
    assert sorted(got) == sorted(uids)
    assert worker.health.failures == 0
    assert sum("fewer must do" in text for text in bench.said) <= 2


@pytest.mark.parametrize("options", [(), ("--fork",)])
def test_storescp_gets_each_once_over_several_associations(
    storescp: Callable[..., Any], tmp_path: Path, options: tuple[str, ...]
) -> None:
    """It serves one association after the other, or forks: nobody waits for the other in vain."""
    from fakes.link_bench import Bench

    peer = storescp(*options)
    bench = Bench(tmp_path)
    try:
        uids = bench.capture(24)
        bench.work(peer.port, called_ae="ANY", commitment=False, associations=3)
        bench.until(stored=24)
    finally:
        bench.close()
    assert sorted(str(pydicom.dcmread(path).SOPInstanceUID) for path in peer.files()) == sorted(uids)


@pytest.mark.parametrize("granted", [None, (3, 1), (0, 1)])
def test_a_window_that_pynetdicom_grants_or_does_not(tmp_path: Path, granted: tuple[int, int] | None) -> None:
    from fakes.link_bench import Bench

    got: list[str] = []

    def on_store(event: Any) -> int:
        got.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    asked: list[tuple[int, int]] = []

    def on_window(event: Any) -> tuple[int, int] | None:
        asked.append((event.nr_invoked, event.nr_performed))
        return granted

    handlers: list[Any] = [(evt.EVT_C_STORE, on_store)]
    if granted is not None:
        handlers.append((evt.EVT_ASYNC_OPS, on_window))
    ae = AE("ANY")
    ae.add_supported_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    bench = Bench(tmp_path)
    try:
        uids = bench.capture(20)
        bench.work(int(server.server_address[1]), called_ae="ANY", commitment=False, operations=4)
        bench.until(stored=20)
    finally:
        bench.close()
        server.shutdown()
    assert got == uids
    assert set(asked) == (set() if granted is None else {(4, 1)})


def test_stock_archives_are_asked_for_a_window_and_grant_none(
    storescp: Callable[..., Any], orthanc: Callable[..., Any], tmp_path: Path
) -> None:
    from fakes.link_bench import Bench

    first, second = storescp(), orthanc()
    for number, (port, title) in enumerate([(first.port, "ANY"), (second.port, second.aet)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        bench = Bench(folder)
        try:
            bench.capture(12)
            bench.work(port, called_ae=title, commitment=False, operations=8)
            bench.until(stored=12)
        finally:
            bench.close()
        flight = json.loads(read_lines(str(folder / "spool"), "pacs")[-1])
        assert flight["operations"] == 1
    assert len(first.files()) == 12


@pytest.mark.parametrize("how", ["same", "new"])
def test_commitment_of_pynetdicom(tmp_path: Path, how: str) -> None:
    """A foreign SCP reports on the association of the request, or on one of its own with role selection."""
    from fakes.link_bench import Bench

    bench = Bench(tmp_path)
    asked: list[Any] = []

    def on_action(event: Any) -> tuple[int, None]:
        asked.append(event.action_information)
        return 0, None

    def report(association: Any) -> None:
        from pydicom.dataset import Dataset

        data = Dataset()
        data.TransactionUID = asked[0].TransactionUID
        data.ReferencedSOPSequence = asked[0].ReferencedSOPSequence
        status, _ = association.send_n_event_report(data, 1, StorageCommitmentPushModel, "1.2.840.10008.1.20.1.1")
        assert status.Status == 0

    ae = AE("ARCHIVE")
    ae.add_supported_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)
    ae.add_supported_context(StorageCommitmentPushModel, [ImplicitVRLittleEndian])
    server = ae.start_server(
        ("127.0.0.1", 0),
        block=False,
        evt_handlers=[(evt.EVT_C_STORE, lambda _event: 0), (evt.EVT_N_ACTION, on_action)],
    )
    try:
        bench.capture(2)
        bench.work(int(server.server_address[1]), report_wait_s=0.0 if how == "new" else 5.0)
        bench.until(**{"awaiting commitment": 2})
        while not asked:  # the Transaction UID is on disk before it is sent
            time.sleep(0.01)
        if how == "new":
            from pynetdicom import build_role

            ae.add_requested_context(StorageCommitmentPushModel, [ImplicitVRLittleEndian])
            role = build_role(StorageCommitmentPushModel, scu_role=False, scp_role=True)
            association = ae.associate("127.0.0.1", bench.listen(), ae_title="AGENT", ext_neg=[role])
            assert association.is_established
            report(association)
            association.release()
        else:
            (association,) = server.active_associations
            report(association)
        bench.until(committed=2)
        assert len(asked[0].ReferencedSOPSequence) == 2
    finally:
        bench.close()
        server.shutdown()
