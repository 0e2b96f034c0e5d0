"""The record in words: one line for each association, and everything that was kept for a vendor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fakes.associations import Pair

from agent.app import flight_text
from agent.app.cli import main
from agent.dataset.uid import SC
from agent.dimse.message import CStoreRequest, CStoreResponse, NEventReportRequest
from agent.errors import ConnectFailed
from agent.forward.flights import Flights
from agent.forward.profile import ENDING
from agent.link.flight import FIRST_ROWS, LAST_ROWS
from agent.spool.core import Destination
from agent.spool.durable import Medium
from agent.spool.flights import FOLDER
from agent.spool.store import Spool
from agent.ul import pdu as pdus
from agent.ul.pdu import Abort, AssociateReject

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A spool with one association that went well, but for its end, and a failure that came three times."""
    root = tmp_path / "spool"
    root.mkdir()
    with Spool.open(str(root), destinations=[Destination("pacs")]):
        pass
    now = [100.0]
    flights = Flights(Medium(str(root)), "pacs", lambda *_: None, lambda: now[0], lambda: 1.8e9)
    flight = flights.begin("PACS@10.0.0.5:104")
    flight.association, flight.transport = Pair().requestor, {"transport": "tcp"}
    flight.step(100.0, "connected")
    for number in range(1, 51):
        flight.message(100.1, ">", 1, CStoreRequest(number, SC, "1.2.3.4.5.6"))
        flight.data_set(100.2, 1, 5000, 2)
        flight.received(100.3, pdus.encode(pdus.Fragment(1, 3, b"\0" * 10)))
        flight.message(100.3, "<", 1, CStoreResponse(number, 0 if number < 50 else 0xA700, SC, "1.2.3.4.5.6"))
    flight.message(100.3, "<", 1, NEventReportRequest(9, "1.2.3", "1.2.3.4.5.6", 1))
    flight.received(100.4, pdus.encode(Abort(2, 6)) + pdus.encode(AssociateReject(1, 1, 7)) + b"GET / HTTP/1.1")
    flight.end(101.5)
    for _ in range(3):
        now[0] += 700
        flights.begin("PACS@10.0.0.5:104").end(now[0], ConnectFailed("PACS@10.0.0.5:104: nothing listens on this port"))
    return str(root)


def test_a_line_for_each_association_the_newest_first(root: str) -> None:
    _, found = flight_text.records(root, "pacs")
    newest, oldest = flight_text.last_lines(found)[1:]
    assert newest.endswith("nothing listens on this port [link.connect], and 2 times before that")
    assert " 1.5 s: " in oldest
    assert "C-STORE answered 0000" in oldest
    assert "1 C-STORE answered A700, 1 N-EVENT-REPORT of the peer, released" in oldest


def test_why_says_it_and_json_has_it(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "pacs", "--spool", root]) == 0
    assert "last associations:" in capsys.readouterr().out
    assert main(["why", "pacs", "--spool", root, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [one["times"] for one in facts["associations"]] == [1, 3]


def test_the_text_for_a_vendor_has_everything_that_was_kept(
    root: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "pacs.txt"
    assert main(["why", "pacs", "--spool", root, "--text", str(path)]) == 0
    lines = path.read_text().splitlines()
    assert "--- association 1 of 2" in lines
    assert sum(line.startswith("context ") for line in lines) == len(Pair().requestor.contexts)
    assert f"  ... {1 + 50 * 4 + 4 - FIRST_ROWS - LAST_ROWS} rows not kept ..." in lines
    for end in (
        "> C-STORE-RQ, context 1, Message ID 1, another SOP Class", "> Data Set, 5000 bytes in 2 P-DATA-TF, context 1",
        "< P-DATA-TF, 16 bytes, context 1, Command Set, last", "status A700",
        "< A-ABORT, 4 bytes (0/2/6): invalid PDU parameter value",
        "< A-ASSOCIATE-RJ, 4 bytes (1/1/7): called AE Title not recognized", "< no PDU: it begins with 47H",
    ):  # fmt: skip
        assert any(line.endswith(end) for line in lines), end
    assert "1.2.3.4.5.6" not in path.read_text()
    capsys.readouterr()
    assert main(["why", "pacs", "--spool", root, "--text", str(path)]) != 0  # what is there stays
    assert "already exists" in capsys.readouterr().err


def test_text_is_for_a_destination_only(root: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "2.25.1", "--spool", root, "--text", str(tmp_path / "x")]) == 2
    assert "--text is for a destination" in capsys.readouterr().err


@pytest.mark.parametrize("junk", [b"", b"{", b"[]\n[]\n5\n{}\n", b"\xff\x00" * 50, b"{}\n" + b"[" * 60_000])
def test_a_file_that_is_damaged_is_no_record(root: str, junk: Any) -> None:
    with open(f"{root}/{FOLDER}/pacs", "wb") as file:
        file.write(junk)
    assert flight_text.records(root, "pacs") == ({}, [])


def test_a_certificate_that_ends_is_an_alarm_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The change that was noticed and the end itself are one thing to a technician."""
    now, until = 1_800_000_000.0, "2027-01-20 08:00 UTC"
    notes = (f"{ENDING} 2027-01-20, in less than 7 days", "its version changed")
    changes = [{"at": now - 60, "text": text} for text in notes]
    profile = {"valid_until": until, "changes": changes}
    monkeypatch.setattr(flight_text, "records", lambda root, name: (profile, []))
    told = flight_text.alarms("spool", "pacs", now)
    assert [text.partition(": ")[2] or text for text in told] == [
        "its version changed", f"its certificate expires on {until}, in less than 7 days",
    ]  # fmt: skip
