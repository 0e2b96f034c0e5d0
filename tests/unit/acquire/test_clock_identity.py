"""Local time with its offset, and UIDs that are version 4 UUIDs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest

from agent.acquire.clock import wall_stamp
from agent.acquire.identity import new_uid
from agent.dataset.uid import is_valid_uid


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


def test_uids_are_version_4_and_differ() -> None:
    uids = {new_uid() for _ in range(100)}
    assert len(uids) == 100
    for text in uids:
        assert is_valid_uid(text)
        found = uuid.UUID(int=int(text.removeprefix("2.25.")))
        assert found.version == 4
        assert found.variant == uuid.RFC_4122
