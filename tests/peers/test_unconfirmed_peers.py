"""An SCP that takes every question for commitment and never reports: the questions end, and a late report counts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("pynetdicom")

from fakes.link_bench import Bench
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import SecondaryCaptureImageStorage, StorageCommitmentPushModel


def test_an_archive_that_never_reports(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    asked: list[Any] = []

    def on_action(event: Any) -> tuple[int, None]:
        asked.append(event.action_information)
        return 0, None

    ae = AE("ARCHIVE")
    ae.add_supported_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)
    ae.add_supported_context(StorageCommitmentPushModel, [ImplicitVRLittleEndian])
    handlers = [(evt.EVT_C_STORE, lambda _event: 0), (evt.EVT_N_ACTION, on_action)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        bench.capture(2)
        bench.work(int(server.server_address[1]), report_wait_s=0.05, report_deadline_s=0.2, most_asked=2)
        bench.until(unconfirmed=2)
        uids = [str(each.TransactionUID) for each in asked]
        assert len(uids) == len(set(uids))
        time.sleep(0.3)
        assert len(asked) == len(uids)  # nothing is asked any more
        ae.add_requested_context(StorageCommitmentPushModel, [ImplicitVRLittleEndian])
        role = build_role(StorageCommitmentPushModel, scu_role=False, scp_role=True)
        association = ae.associate("127.0.0.1", bench.listen(), ae_title="AGENT", ext_neg=[role])
        data = Dataset()
        data.TransactionUID, data.ReferencedSOPSequence = asked[0].TransactionUID, asked[0].ReferencedSOPSequence
        status, _ = association.send_n_event_report(data, 1, StorageCommitmentPushModel, "1.2.840.10008.1.20.1.1")
        assert status.Status == 0
        association.release()
        bench.until(committed=2)
    finally:
        bench.close()
        server.shutdown()
