"""Local time with its offset, and UIDs that are version 4 UUIDs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest

from agent.acquire.clock import clock_facts, synchronized, wall_stamp
from agent.acquire.identity import new_uid
from agent.dataset.uid import is_valid_uid
from agent.iod.acquisition import Synchronized
from agent.link.timekeeping import Kept


@pytest.fixture(params=["UTC", "Asia/Kolkata", "America/St_Johns"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_local_time_and_offset_belong_together(zone: str) -> None:
    stamp = wall_stamp(1_750_000_000.25)
    expected = {
        "UTC": ("20250615", "150640.250000", "+0000"),
        "Asia/Kolkata": ("20250615", "203640.250000", "+0530"),
        "America/St_Johns": ("20250615", "123640.250000", "-0230"),
    }
    assert (stamp.date, stamp.time, stamp.offset) == expected[zone]


def test_a_rounded_up_second_carries() -> None:
    assert wall_stamp(1_750_000_000.9999999).time.endswith("1.000000")


def test_a_clock_nobody_set_is_known() -> None:
    assert not wall_stamp(86_400.0).is_set
    assert wall_stamp(1_750_000_000.0).is_set


GOOD = wall_stamp(1_790_000_000.0)
NTP = Kept(synchronised=True, error_bound_s=0.0031, by="chrony", address="10.0.0.1", heard_s=12.4)


@pytest.mark.parametrize(
    ("kept", "word", "module"),
    [
        (NTP, "synchronised", Synchronized("NTP", "10.0.0.1", "")),
        (NTP._replace(heard_s=7201.0), "freewheeling", None),
        (NTP._replace(error_bound_s=1.5), "synchronised", None),
        (NTP._replace(address="", reference="PPS0"), "synchronised", Synchronized("", "", "PPS0")),
        (Kept(synchronised=True, error_bound_s=None, by="systemd-timesyncd"), "synchronised", Synchronized("SNTP")),
        (Kept(synchronised=True, error_bound_s=0.1, by="ntpd"), "synchronised", Synchronized("NTP")),
        (Kept(synchronised=True, error_bound_s=0.1, by=""), "synchronised", Synchronized()),
        (Kept(synchronised=False, error_bound_s=None, by="chrony"), "set", None),
        (Kept(synchronised=None, error_bound_s=None, by=""), "set", None),
        (None, "set", None),
    ],
)
def test_a_clock_is_called_what_it_is(kept: Kept | None, word: str, module: Synchronized | None) -> None:
    facts = dict(clock_facts(GOOD, kept, 0.0))
    assert facts["clock"] == word
    assert ("clock_by" in facts) == (word in ("synchronised", "freewheeling") and bool(kept and kept.by))
    assert synchronized(GOOD, kept) == module


def test_all_that_is_known_of_a_clock_is_in_the_receipt() -> None:
    assert dict(clock_facts(GOOD, NTP, -3600.04)) == {
        "clock": "synchronised",
        "clock_by": "chrony",
        "clock_source": "10.0.0.1",
        "clock_error_bound_s": "0.003100",
        "clock_heard_s": 12,
        "clock_step_s": "-3600.0",
    }


def test_nobody_keeps_a_clock_right_that_was_never_set() -> None:
    never = wall_stamp(86_400.0)
    assert dict(clock_facts(never, NTP, 0.0)) == {"clock": "never set"}
    assert synchronized(never, NTP) is None


def test_uids_are_version_4_and_differ() -> None:
    uids = {new_uid() for _ in range(100)}
    assert len(uids) == 100
    for text in uids:
        assert is_valid_uid(text)
        found = uuid.UUID(int=int(text.removeprefix("2.25.")))
        assert found.version == 4
        assert found.variant == uuid.RFC_4122
