"""Programs of others as requestors: they verify our listener and store into the bench archive, plain and over TLS."""

from __future__ import annotations

import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from fakes.command import run_command
from fakes.foreign_instances import write_instances
from fakes.peers import dcmtk_tls
from fakes.site import Archive, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

INSTANCES = 5


@pytest.fixture(params=["plain", "tls"])
def tls(request: pytest.FixtureRequest, bench_ca: Path) -> Path | None:
    return bench_ca if request.param == "tls" else None


@pytest.fixture
def archive(tmp_path: Path, tls: Path | None) -> Iterator[Archive]:
    archive = Archive(tmp_path / "archive", tls=tls)
    archive.start()
    yield archive
    archive.stop()


def run_dcmtk(program: str, tls: Path | None, *arguments: str) -> None:
    options = [] if tls is None else dcmtk_tls(tls, "agent")
    done = subprocess.run([program, *options, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_echoscu_verifies_the_listener_of_the_agent(
    tmp_path: Path, tls: Path | None, need: Callable[[str], str]
) -> None:
    site = Site(tmp_path / "site", tls=tls)
    site.configure(destinations=[])
    site.start()
    try:
        run_dcmtk(need("echoscu"), tls, "-aec", "AGENT", "127.0.0.1", str(site.port))
    finally:
        assert site.stop() == 0


def test_storescu_stores_into_the_archive(
    tmp_path: Path, tls: Path | None, archive: Archive, need: Callable[[str], str]
) -> None:
    files = write_instances(tmp_path / "sent", INSTANCES, 20_480)
    where = ["-aec", archive.ae_title, "127.0.0.1", str(archive.port)]
    run_dcmtk(need("storescu"), tls, *where, *map(str, files))
    run_dcmtk(need("storescu"), tls, *where, *map(str, files))  # the same again is done, not doubled
    sent = {pydicom.dcmread(path).SOPInstanceUID: path for path in files}
    index = archive.index()
    assert sorted(uid for uid, _ in index) == sorted(sent)
    for uid, path in index:
        assert pydicom.dcmread(path) == pydicom.dcmread(sent[uid])


def test_pynetdicom_has_the_archive_commit_what_it_stored(tmp_path: Path) -> None:
    """Storage Commitment with the report on the same association, requested by somebody else's code."""
    from pydicom.dataset import Dataset
    from pynetdicom import AE, build_role, evt
    from pynetdicom.pdu import P_DATA_TF
    from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

    archive = Archive(tmp_path / "archive")
    archive.start()
    (path,) = write_instances(tmp_path / "sent", 1, 20_480)
    instance = pydicom.dcmread(path)
    reports: list[Dataset] = []
    answered = threading.Event()

    def on_report(event: evt.Event) -> tuple[int, None]:
        reports.append(event.event_information)
        return 0x0000, None

    def on_sent(event: evt.Event) -> None:
        if reports and isinstance(event.pdu, P_DATA_TF):
            answered.set()

    requestor = AE("AGENT")
    requestor.add_requested_context(instance.SOPClassUID, instance.file_meta.TransferSyntaxUID)
    requestor.add_requested_context(StorageCommitmentPushModel)
    handlers = [(evt.EVT_N_EVENT_REPORT, on_report), (evt.EVT_PDU_SENT, on_sent)]
    association = requestor.associate(
        "127.0.0.1", archive.port, ae_title=archive.ae_title, evt_handlers=handlers,
        ext_neg=[build_role(StorageCommitmentPushModel, scu_role=True)],
    )  # fmt: skip
    try:
        assert association.is_established
        assert association.send_c_store(instance).Status == 0x0000
        missing = Dataset()
        missing.ReferencedSOPClassUID, missing.ReferencedSOPInstanceUID = instance.SOPClassUID, "2.25.1"
        present = Dataset()
        present.ReferencedSOPClassUID = instance.SOPClassUID
        present.ReferencedSOPInstanceUID = instance.SOPInstanceUID
        request = Dataset()
        request.TransactionUID = "2.25.2"
        request.ReferencedSOPSequence = [present, missing]
        status, _ = association.send_n_action(
            request, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )
        assert status.Status == 0x0000
        archive.process.wait_until("answered report", answered.is_set)  # a release before would overtake the answer
    finally:
        association.release()
        archive.stop()
    assert association.is_released
    (report,) = reports
    assert report.TransactionUID == "2.25.2"
    assert [item.ReferencedSOPInstanceUID for item in report.ReferencedSOPSequence] == [instance.SOPInstanceUID]
    (failed,) = report.FailedSOPSequence
    assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == ("2.25.1", 0x0112)


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SOPClassUID"])
def test_a_file_of_two_instances_is_refused_as_dcmtk_refuses_it(
    keyword: str,
    tmp_path: Path,
    need: Callable[[str], str],
    storescp: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A Data Set that is not the instance of its C-STORE-RQ: A900 here and there, and our sender does not begin."""
    (path,) = write_instances(tmp_path / "sent", 1, 20_480)
    data_set = pydicom.dcmread(path)
    setattr(data_set, keyword, "1.2.840.10008.5.1.4.1.1.6.1" if keyword == "SOPClassUID" else "2.25.77")
    data_set.save_as(path)  # File Meta Information stays
    archive = Archive(tmp_path / "archive")
    archive.start()
    peer = storescp()
    try:
        monkeypatch.setattr("pynetdicom._config.STORE_SEND_CHUNKED_DATASET", True)  # then it asks what the file says
        answers = [_stored_by_pynetdicom(path, port) for port in (archive.port, peer.port)]
        assert answers == [0xA900, 0xA900]
        before = peer.files()  # DCMTK leaves what it has refused
        for port in (archive.port, peer.port):
            done = run_command("send", "--to", f"BENCH@127.0.0.1:{port}", path)
            assert done.returncode == 30
            both = (getattr(data_set, keyword), getattr(data_set.file_meta, f"MediaStorage{keyword}"))
            assert all(uid in done.stderr for uid in both), done.stderr
            assert path.name in done.stderr
        assert archive.index() == []
        assert peer.files() == before
        run_dcmtk(need("storescu"), None, "-aec", "BENCH", "127.0.0.1", str(archive.port), str(path))
        assert [uid for uid, _ in archive.index()] == [data_set.SOPInstanceUID]  # it asks what the Data Set says
    finally:
        archive.stop()


def _stored_by_pynetdicom(path: Path, port: int) -> int:
    """Store a file as its File Meta Information calls it and return the status."""
    from pynetdicom import AE

    data_set = pydicom.dcmread(path)
    requestor = AE("AGENT")
    requestor.add_requested_context(data_set.file_meta.MediaStorageSOPClassUID, data_set.file_meta.TransferSyntaxUID)
    association = requestor.associate("127.0.0.1", port, ae_title="BENCH")
    assert association.is_established
    status = association.send_c_store(path)
    association.release()
    return int(status.Status)
