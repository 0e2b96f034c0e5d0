"""Commitment reports of pynetdicom on an association that may be the peer's: sent so that their answers are seen.

pynetdicom lets the thread that serves an association read on for a moment after it was told to pause; it then takes the
answer to a report for a request and drops it. Who pauses it and waits a little before sending meets no such moment.
"""

from __future__ import annotations

import time
from typing import Any, Final

from pydicom.dataset import Dataset
from pynetdicom.sop_class import StorageCommitmentPushModel

INSTANCE: Final = "1.2.840.10008.1.20.1.1"
PAUSE_S: Final = 0.03


def send_report(association: Any, data: Dataset) -> int | None:
    """Send one N-EVENT-REPORT; its status, or None when it got no answer."""
    association._reactor_checkpoint.clear()
    time.sleep(PAUSE_S)
    kind = 2 if "FailedSOPSequence" in data else 1
    try:
        status, _ = association.send_n_event_report(data, kind, StorageCommitmentPushModel, INSTANCE)
    except RuntimeError:  # the association is over
        return None
    finally:
        association._reactor_checkpoint.set()
    return status.Status if "Status" in status else None
