"""The Synchronization Module (PS3.3 C.7.4.2): the clock of the box followed UTC when an instance was made.

It is written where the IOD has it, and of a clock that somebody keeps right; then Acquisition DateTime (0008,002A),
which it speaks of, is written with it. Nothing is said of another clock, because the Module wants a Synchronization
Frame of Reference UID, and a clock that nobody keeps shares its time with nobody (C.7.4.2.1.1). What a site says of it
in its attributes file stands alone.
"""

from __future__ import annotations

from agent.dataset.uid import UTC_SYNCHRONIZATION
from agent.iod import modules
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet
    from agent.iod.acquisition import Acquisition

TAGS: Final = (0x0018106A, 0x00181061, 0x0018106C, 0x00181800, 0x00181801, 0x00181802, 0x00181803, 0x00200200)
_SYNCHRONIZED: Final = 0x00181800


def add(ds: DataSet, iod: str, acquisition: Acquisition) -> None:
    """Add the Module to an instance of ``iod``, where it belongs."""
    found, own = acquisition.synchronized, acquisition.attributes
    if found is None or _SYNCHRONIZED not in modules.tags_of(iod, "F"):
        return
    if own is not None and any(tag in own for tag in TAGS):
        return
    ds["SynchronizationFrameOfReferenceUID"] = UTC_SYNCHRONIZATION
    ds["SynchronizationTrigger"] = "NO TRIGGER"
    ds["AcquisitionTimeSynchronized"] = "Y"
    for keyword, text in (
        ("TimeSource", found.source),
        ("TimeDistributionProtocol", found.protocol),
        ("NTPSourceAddress", found.address),
    ):
        if text:
            ds[keyword] = text
    if own is None or "AcquisitionDateTime" not in own:
        ds["AcquisitionDateTime"] = f"{acquisition.date}{acquisition.time}{acquisition.timezone_offset}"
