"""What a destination is known to be: a change is said once, a certificate is announced at 60, 30 and 7 days."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from fakes.associations import Pair

from agent.app.flight_text import alarms, profile_lines, records
from agent.forward.flights import Flights
from agent.forward.profile import CHANGES_KEPT, learn
from agent.spool.durable import Medium

if TYPE_CHECKING:
    from pathlib import Path

DAY_S = 86_400.0
NOW = 1.8e9


def flight(at: float = NOW, **facts: Any) -> dict[str, Any]:
    transport = {key: facts.pop(key) for key in ("version", "certificate", "valid_until") if key in facts}
    plain = {"maximum_length": 16384, "implementation": ["1.2.3", "OFFIS_DCMTK_368"], "rows": [], "opened_by_us": True}
    return {"at": at, "transport": transport, **plain, **facts}


def until(days: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(NOW + days * DAY_S))


def test_the_first_association_is_no_change() -> None:
    profile, changes = learn({}, flight())
    assert changes == []
    assert learn(profile, flight(NOW + 9))[1] == []


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"maximum_length": 4096}, "its maximum PDU length changed from 16384 to 4096"),
        ({"implementation": ["1.2.3", "NEW"]}, "its implementation changed from 1.2.3 OFFIS_DCMTK_368 to 1.2.3 NEW"),
        ({"certificate": "SHA-256 bb"}, "its certificate changed from SHA-256 aa to SHA-256 bb"),
        ({"certificate": "SHA-256 aa", "version": ""}, "its TLS version changed from TLSv1.3 to none"),
    ],
)
def test_a_change_is_said_once(facts: dict[str, Any], text: str) -> None:
    tls = {"version": "TLSv1.3", "certificate": "SHA-256 aa", "valid_until": until(900)}
    profile, _ = learn({}, flight(**tls))
    profile, changes = learn(profile, flight(**{**tls, **facts}))
    assert changes == [text]
    assert learn(profile, flight(**{**tls, **facts}))[1] == []
    assert [one["text"] for one in profile["changes"]] == [text]


def test_a_certificate_that_ends_is_said_at_each_of_three_stages() -> None:
    profile: dict[str, Any] = {}
    said = []
    for day in range(100):
        facts = flight(NOW + day * DAY_S, certificate="SHA-256 aa", valid_until=until(90))
        profile, changes = learn(profile, facts)
        said += [(day, text) for text in changes]
    assert [day for day, _ in said] == [31, 61, 84]
    assert said[0][1] == f"its certificate expires on {until(90)[:10]}, in less than 60 days"
    _, changes = learn(profile, flight(certificate="SHA-256 bb", valid_until=until(20)))  # a new one is new
    assert len(changes) == 2


def test_few_changes_are_kept() -> None:
    profile: dict[str, Any] = {}
    for number in range(50):
        profile, _ = learn(profile, flight(maximum_length=5000 + number))
    assert len(profile["changes"]) == CHANGES_KEPT


def test_the_recorder_says_a_change_once_and_status_and_why_show_it(tmp_path: Path) -> None:
    said: list[str] = []
    root = str(tmp_path)
    for length in (16384, 16384, 8192, 8192):
        flights = Flights(Medium(root), "pacs", lambda level, text: said.append(f"{level}: {text}"), wall=lambda: NOW)
        one = flights.begin("PACS@10.0.0.5:104")
        one.association = Pair(peer_maximum_length=length).requestor
        if length == 8192:
            one.changes.append("it no longer takes RLE Lossless of US")  # said by who noticed
        one.end(flights._clock())
    assert said == ["warning: PACS@10.0.0.5:104: its maximum PDU length changed from 16384 to 8192"]
    profile, _ = records(root, "pacs")
    lines = profile_lines(profile)
    assert lines[0].startswith("profile: PDUs of 8192 bytes")
    assert any(line.endswith("it no longer takes RLE Lossless of US") for line in lines)
    assert any("changed from 16384 to 8192" in text for text in alarms(root, "pacs", NOW + DAY_S))
    assert alarms(root, "pacs", NOW + 30 * DAY_S) == []
