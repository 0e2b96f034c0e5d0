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


def report(profile: dict[str, Any], *rows: Any, at: float = NOW) -> tuple[dict[str, Any], list[str]]:
    return learn(profile, flight(at, opened_by_us=False, maximum_length=1, certificate="SHA-256 zz", reports=rows))


def test_what_a_peer_is_as_a_requestor_is_not_learned() -> None:
    profile, _ = learn({}, flight(certificate="SHA-256 aa"))
    profile, changes = report(profile, ("new", 2.0, "PACS"))
    assert (profile["maximum_length"], profile["certificate"], changes) == (16384, "SHA-256 aa", [])
    assert report({}, ("new", 2.0, "PACS"))[0]["maximum_length"] is None


def test_a_new_way_of_reports_is_said_once_and_both_are_known() -> None:
    profile, changes = learn({}, flight(reports=[("same", 1.0, "PACS")]))
    assert changes == []
    profile, changes = report(profile, ("new", 1.0, "PACS"), at=NOW + 1)
    assert changes == [
        "a commitment report came on an association of its own, until now they came on the association that asked"
    ]
    for way in ("same", "new"):
        profile, changes = report(profile, (way, 1.0, "PACS"), at=NOW + 2)
        assert changes == []
    assert "commitment reports on" in profile_lines(profile)[0]
    assert "usually 1.0 s after the question" in profile_lines(profile)[0]
    profile, changes = learn(profile, flight(NOW + 200 * DAY_S, reports=[("next", 1.0, "PACS")]))
    assert changes == []  # nobody knows any more how they came
    assert list(profile["ways"]) == ["next"]


def test_another_title_is_said_once() -> None:
    profile, _ = report({}, ("new", 1.0, "PACS"))
    profile, changes = report(profile, ("new", 1.0, "ROUTER"))
    assert changes == ["a commitment report came from AE Title ROUTER, until now from PACS"]
    assert report(profile, ("new", 1.0, "PACS"), ("new", 1.0, "ROUTER"))[1] == []


def test_a_report_much_later_than_usual_is_said_once() -> None:
    profile, changes = report({}, *[("new", 2.0, "PACS")] * 5)
    assert changes == []
    assert report(profile, ("new", 59.0, "PACS"))[1] == []
    profile, changes = report(profile, ("new", 300.0, "PACS"), ("new", 400.0, "PACS"))
    assert changes == ["a commitment report came 300 s after it was asked for, usual were 2 s"]
    profile, changes = report(profile, ("new", 2.0, "PACS"), ("new", 500.0, "PACS"))
    assert changes == ["a commitment report came 500 s after it was asked for, usual were 2 s"]


@pytest.mark.parametrize("result", [0, 3])
def test_whether_it_commits_is_known(result: int) -> None:
    rows = [(1, "1.2.840.10008.5.1.4.1.1.7", ["1.2.840.10008.1.2"], 0, "1.2.840.10008.1.2"),
            (3, "1.2.840.10008.1.20.1", ["1.2.840.10008.1.2"], result, "")]  # fmt: skip
    profile, _ = learn({}, flight(contexts=rows))
    assert ("no Storage Commitment" in profile_lines(profile)[0]) is bool(result)
    assert learn(profile, flight(contexts=rows[:1]))[0]["commits"] is (not result)


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
