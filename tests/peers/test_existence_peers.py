"""An archive that stores and never commits: whether it lists the instance is found out, told, and never custody."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

pytest.importorskip("pynetdicom")

from fakes.command import QUICK_SOURCE, run_command
from fakes.link_bench import QUICK, Bench
from fakes.peers import Orthanc, need
from fakes.process import Process, free_port
from fakes.reporting import send_report
from fakes.site import Site
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    SecondaryCaptureImageStorage,
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    UltrasoundMultiFrameImageStorage,
)

from agent.spool.quota import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agent.spool.receipt import Custody

ASKS = 2
HASTE: dict[str, Any] = {"report_wait_s": 0.05, "report_deadline_s": 0.2, "most_asked": ASKS}
NOT_KNOWN = "whether the archive lists it is not known: "
LISTED = "the archive lists it (C-FIND), but existence is not custody"
UNLISTED = "the archive does not list it (C-FIND)"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, Policy(reask_after_s=0.05, evict_after_s=0.0))
    yield made
    made.close()


def ended(bench: Bench, uid: str) -> Custody:
    """Wait for the end; the file is still there however much room is wanted."""
    bench.until(unconfirmed=1)
    assert bench.spool.evict(need_bytes=10**15) == 0
    receipt = bench.spool.receipt(uid)
    assert receipt is not None
    assert receipt.state == "live"
    return receipt.deliveries[0]


# --- pynetdicom, in every mood --------------------------------------------------------------------


def listed(event: Any) -> Iterator[tuple[int, Dataset | None]]:
    answer = Dataset()
    answer.QueryRetrieveLevel = "IMAGE"
    answer.SOPInstanceUID = event.identifier.SOPInstanceUID
    yield 0xFF00, answer


def nothing(_event: Any) -> Iterator[tuple[int, Dataset | None]]:
    yield from ()


def others(_event: Any) -> Iterator[tuple[int, Dataset | None]]:
    answer = Dataset()
    answer.SOPInstanceUID = "1.2.3"
    yield 0xFF00, answer


def without_end(event: Any) -> Iterator[tuple[int, Dataset | None]]:
    while not event.is_cancelled and event.assoc.is_established:
        yield from listed(event)


def refuses(_event: Any) -> Iterator[tuple[int, Dataset | None]]:
    yield 0xA700, None


def cannot(_event: Any) -> Iterator[tuple[int, Dataset | None]]:
    yield 0xC001, None


def aborts(event: Any) -> Iterator[tuple[int, Dataset | None]]:
    event.assoc.abort()
    yield from ()


def hangs(event: Any) -> Iterator[tuple[int, Dataset | None]]:
    until = time.monotonic() + 20
    while event.assoc.is_established and not event.assoc._kill and time.monotonic() < until:
        time.sleep(0.05)
    yield from ()


def listed_and_then_failed(event: Any) -> Iterator[tuple[int, Dataset | None]]:
    yield from listed(event)
    yield 0xC001, None


class Mood(NamedTuple):
    find: Callable[[Any], Iterator[tuple[int, Dataset | None]]] | None  # None: no C-FIND at all
    evidence: str
    sent: int = 1  # C-STOREs until the end
    commits: bool = True  # offers commitment


MOODS = {
    "lists it": Mood(listed, LISTED),
    "lists it and then fails": Mood(listed_and_then_failed, LISTED),
    "does not list it": Mood(nothing, UNLISTED, sent=2),
    "has no C-FIND": Mood(None, NOT_KNOWN + "it does not offer C-FIND"),
    "is out of resources": Mood(refuses, NOT_KNOWN + "status A700H"),
    "cannot": Mood(cannot, NOT_KNOWN + "status C001H"),
    "speaks of others": Mood(others, NOT_KNOWN + "its answers are about other instances"),
    "answers without end": Mood(without_end, NOT_KNOWN),
    "aborts": Mood(aborts, NOT_KNOWN),
    "hangs": Mood(hangs, NOT_KNOWN),
    "refuses commitment, lists it": Mood(listed, LISTED, commits=False),
    "refuses both": Mood(None, NOT_KNOWN + "it does not offer C-FIND", commits=False),
}


@pytest.mark.parametrize("mood", MOODS.values(), ids=MOODS)
def test_an_archive_that_never_commits(bench: Bench, mood: Mood) -> None:
    stored: list[str] = []
    asked: list[str] = []

    def on_store(event: Any) -> int:
        stored.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    def on_action(event: Any) -> tuple[int, None]:
        asked.append(str(event.action_information.TransactionUID))
        return 0, None

    def on_find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        identifier = event.identifier
        assert identifier.QueryRetrieveLevel == "IMAGE"
        assert identifier.SOPInstanceUID == stored[0]
        assert identifier.StudyInstanceUID
        assert identifier.SeriesInstanceUID
        assert mood.find is not None
        yield from mood.find(event)

    ae = AE("ARCHIVE")
    ae.add_supported_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)
    if mood.commits:
        ae.add_supported_context(StorageCommitmentPushModel, [ImplicitVRLittleEndian])
    if mood.find is not None:
        ae.add_supported_context(StudyRootQueryRetrieveInformationModelFind, [ImplicitVRLittleEndian])
    handlers = [(evt.EVT_C_STORE, on_store), (evt.EVT_N_ACTION, on_action), (evt.EVT_C_FIND, on_find)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        (uid,) = bench.capture(1)
        bench.work(int(server.server_address[1]), QUICK._replace(response_s=0.6), **HASTE)
        custody = ended(bench, uid)
        bench.stop.set()
    finally:
        server.shutdown()
    assert mood.evidence in custody.reason
    assert f"no commitment after {ASKS} questions" in custody.reason
    assert stored == [uid] * mood.sent
    assert len(asked) == len(set(asked)) == (ASKS * mood.sent if mood.commits else 0)
    assert ("does not offer Storage Commitment" in custody.reason) is not mood.commits
    assert any("kept, see 'queue list'" in text for text in bench.said)


def test_images_go_on_while_a_peer_hangs_at_the_question_only_once(bench: Bench) -> None:
    questions: list[float] = []

    def on_find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        questions.append(time.monotonic())
        yield from hangs(event)

    ae = AE("ARCHIVE")
    ae.add_supported_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)
    ae.add_supported_context(StudyRootQueryRetrieveInformationModelFind, [ImplicitVRLittleEndian])
    handlers = [(evt.EVT_C_STORE, lambda _event: 0), (evt.EVT_C_FIND, on_find)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        worker = bench.work(int(server.server_address[1]), QUICK._replace(response_s=0.5), **HASTE)
        for count in (3, 6):
            bench.capture(3)
            bench.until(unconfirmed=count)
        assert len(questions) == 1
        assert worker.health.failures == 0
        bench.stop.set()
    finally:
        server.shutdown()


def test_no_association_at_all_ends_too(bench: Bench) -> None:
    ae = AE("ARCHIVE")
    ae.add_supported_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)
    ae.add_supported_context(StorageCommitmentPushModel, [ImplicitVRLittleEndian])
    asked = threading.Event()

    def on_action(_event: Any) -> tuple[int, None]:
        asked.set()
        return 0, None

    handlers = [(evt.EVT_C_STORE, lambda _event: 0), (evt.EVT_N_ACTION, on_action)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    (uid,) = bench.capture(1)
    bench.work(int(server.server_address[1]), **{**HASTE, "most_asked": 1, "look_s": 0.5})
    assert asked.wait(5)
    server.shutdown()
    assert "no association came about" in ended(bench, uid).reason


def test_an_archive_that_learns_to_commit_is_asked_and_not_sent_anything_again(bench: Bench) -> None:
    stored: list[str] = []

    def on_store(event: Any) -> int:
        stored.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    def on_action(event: Any) -> tuple[int, None]:
        report = Dataset()
        report.TransactionUID = event.action_information.TransactionUID
        report.ReferencedSOPSequence = event.action_information.ReferencedSOPSequence
        threading.Thread(target=send_report, args=(event.assoc, report)).start()
        return 0, None

    ae = AE("ARCHIVE")
    ae.add_supported_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)
    handlers = [(evt.EVT_C_STORE, on_store), (evt.EVT_N_ACTION, on_action)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        bench.capture(2)
        bench.work(int(server.server_address[1]), **{**HASTE, "report_deadline_s": 5.0, "report_wait_s": 1.0})
        bench.until(unconfirmed=2)
        ae.add_supported_context(StorageCommitmentPushModel, [ImplicitVRLittleEndian])
        server.contexts = ae.supported_contexts
        bench.capture(1)  # the next association
        bench.until(committed=3)
        bench.stop.set()
    finally:
        server.shutdown()
    assert len(stored) == 3
    assert any("2 unconfirmed are asked for anew" in text for text in bench.said)


@pytest.mark.parametrize(("again_s", "associations"), [(60.0, 1), (0.05, ASKS + 2)])
def test_one_association_counts_one_refusal_and_carries_many_images(
    tmp_path: Path, again_s: float, associations: int
) -> None:
    bench = Bench(tmp_path, Policy(reask_after_s=again_s))
    opened: list[Any] = []
    ae = AE("ARCHIVE")
    ae.add_supported_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)
    handlers = [(evt.EVT_C_STORE, lambda _event: 0), (evt.EVT_ESTABLISHED, opened.append)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        uids = bench.capture(1)
        bench.work(int(server.server_address[1]), **{**HASTE, "idle_close_s": 1.5})
        for count in range(2, 8 if again_s > 1 else 2):
            bench.until(stored=count - 1)
            uids += bench.capture(1)
        bench.until(**({"stored": 7} if again_s > 1 else {"unconfirmed": 1}))
        receipts = [bench.spool.receipt(uid) for uid in uids]
        assert {one.deliveries[0].asked for one in receipts if one} <= {0, 1 if again_s > 1 else ASKS}
        assert 1 <= len(opened) <= associations
        assert again_s > 1 or len(opened) >= ASKS
    finally:
        bench.stop.set()
        bench.close()
        server.shutdown()


# --- archives of others ---------------------------------------------------------------------------


def test_dcmqrscp_stores_and_lists_and_does_not_commit(bench: Bench) -> None:
    folder, port = bench.folder / "database", free_port()
    folder.mkdir()
    config = bench.folder / "dcmqrscp.cfg"
    config.write_text(
        "MaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nARCHIVE {folder} RW (100, 1024mb) ANY\nAETable END\n"
    )
    command = [need("dcmqrscp"), "--config", str(config), str(port)]
    with Process(command, bench.folder / "dcmqrscp.log") as process:
        process.wait_listening(port)
        (uid,) = bench.capture(1)
        bench.work(port, **HASTE)
        custody = ended(bench, uid)
    assert LISTED in custody.reason
    assert "does not offer Storage Commitment" in custody.reason


@pytest.mark.parametrize("kept", [True, False])
def test_orthanc_that_cannot_reach_us_with_its_report(bench: Bench, kept: bool) -> None:
    modality = {"AET": "AGENT", "Host": "127.0.0.1", "Port": free_port(), "AllowStorageCommitment": True}
    orthanc = Orthanc(bench.folder / "orthanc", modalities={"agent": modality}, more={"DicomScuTimeout": 1})
    deleted: list[str] = []

    def delete() -> None:
        while not bench.stop.is_set():
            for found in orthanc.get("/instances"):
                orthanc.ask(f"/instances/{found}", b"", method="DELETE")
                deleted.append(found)
            time.sleep(0.02)

    try:
        (uid,) = bench.capture(1)
        if not kept:
            bench.thread(delete)
        bench.work(orthanc.port, called_ae="ORTHANC", **HASTE)
        custody = ended(bench, uid)
        assert (LISTED if kept else UNLISTED) in custody.reason
        assert orthanc.has(uid) is kept
        assert len(deleted) == (0 if kept else 2)  # sent once more, and no oftener
    finally:
        bench.stop.set()
        orthanc.stop()


def test_orthanc_that_does_not_know_us_aborts_at_every_question(bench: Bench) -> None:
    orthanc = Orthanc(bench.folder / "orthanc", more={"DicomAlwaysAllowFind": False})
    try:
        (uid,) = bench.capture(1)
        bench.work(orthanc.port, called_ae="ORTHANC", **HASTE)
        custody = ended(bench, uid)
        assert "the request was not answered: " in custody.reason
        assert "aborted the association" in custody.reason
        assert NOT_KNOWN in custody.reason
        bench.capture(1)
        bench.until(unconfirmed=2)  # images still go out
    finally:
        bench.stop.set()
        orthanc.stop()


def test_what_a_technician_sees(tmp_path: Path) -> None:
    ae = AE("ARCHIVE")
    for sop_class in (UltrasoundMultiFrameImageStorage, StudyRootQueryRetrieveInformationModelFind,
                      StorageCommitmentPushModel):  # fmt: skip
        ae.add_supported_context(sop_class, [ExplicitVRLittleEndian, RLELossless])
    handlers = [(evt.EVT_C_STORE, lambda _event: 0), (evt.EVT_N_ACTION, lambda _event: (0, None)),
                (evt.EVT_C_FIND, listed)]  # fmt: skip
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    site = Site(tmp_path / "site")
    destination = {"name": "pacs", "called_ae": "ARCHIVE", "port": server.server_address[1], "commitment_asks": 1,
                   "commitment_timeout_s": 1.0}  # fmt: skip
    site.configure(destinations=[destination], sources=[QUICK_SOURCE])
    try:
        site.start()
        until = time.monotonic() + 40
        while not site.all_in("unconfirmed", 1):
            assert time.monotonic() < until, site.log()
            time.sleep(0.1)
        (row,) = site.rows()
        words = ("--config", site.config)
        evidence = f"no commitment after 1 question; the last one: no report in time; {LISTED}"
        assert evidence in run_command("queue", "list", *words, "--json").stdout
        assert f"never committed: {evidence}; it stays on this box" in run_command("why", row.uid, *words).stdout
        assert f"1 unconfirmed: {evidence}" in run_command("why", "pacs", *words).stdout
        events = run_command("receipt", row.uid, *words, "--json").json["events"]
        assert [one["detail"]["listed"] for one in events if one["kind"] == "unconfirmed"] == ["yes"]
        assert "1 instance unconfirmed after 1 question; " in site.log()
    finally:
        if site.agent is not None:
            site.stop()
        server.shutdown()
