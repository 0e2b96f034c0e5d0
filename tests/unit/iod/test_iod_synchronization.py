"""Synchronization Module (PS3.3 C.7.4.2): in every IOD that has it, in no other, and of a clock that is kept right."""

from __future__ import annotations

import pytest
from fakes.instances import make

from agent.dataset.dataset import DataSet
from agent.iod import modules
from agent.iod.acquisition import Synchronized
from agent.iod.build import KINDS
from agent.iod.synchronization import TAGS

NTP = Synchronized("NTP", "10.0.0.1")
# PS3.3 A.6 to A.8, A.14, A.16: usage U, or C with "may be present otherwise"; the tables of the others do not have it.
HAVE = {"us", "us-mf", "sc", "sc-mf-byte", "sc-mf-word", "sc-mf-color", "xa", "xrf"}


def said(ds: DataSet) -> dict[int, object]:
    return {tag: ds[tag] for tag in TAGS if tag in ds}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_where_the_iod_has_it(kind: str) -> None:
    ds = make(kind, synchronized=NTP, timezone_offset="+0100")
    assert modules.check(ds) == []
    if kind not in HAVE:
        assert said(ds) == {}
        assert "AcquisitionDateTime" not in ds
        return
    assert said(ds) == {
        0x00200200: "1.2.840.10008.15.1.1",
        0x0018106A: "NO TRIGGER",
        0x00181800: "Y",
        0x00181802: "NTP",
        0x00181803: "10.0.0.1",
    }
    assert ds["AcquisitionDateTime"] == f"{ds['AcquisitionDate']}{ds['AcquisitionTime']}+0100"


@pytest.mark.parametrize("kind", sorted(HAVE))
def test_nothing_is_said_of_a_clock_that_nobody_keeps(kind: str) -> None:
    assert said(make(kind)) == {}


def test_what_is_not_known_is_not_there() -> None:
    assert set(said(make("us", synchronized=Synchronized()))) == {0x00200200, 0x0018106A, 0x00181800}
    assert said(make("us", synchronized=Synchronized(source="PPS0")))[0x00181801] == "PPS0"


def test_what_the_site_says_of_it_stands_alone() -> None:
    own = DataSet(
        {
            "SynchronizationFrameOfReferenceUID": "2.25.7",
            "SynchronizationTrigger": "EXTERNAL",
            "AcquisitionTimeSynchronized": "N",
        }
    )
    ds = make("us-mf", synchronized=NTP, attributes=own)
    assert said(ds) == {0x00200200: "2.25.7", 0x0018106A: "EXTERNAL", 0x00181800: "N"}
