"""The recorder of a destination: bounded, whole or not at all, and an image never waits for it or fails with it."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from fakes.associations import Pair

from agent.dataset.uid import STORAGE_COMMITMENT
from agent.dimse.message import NEventReportRequest
from agent.errors import AssociationRejected, ConnectFailed, LinkClosed, LinkTimeout
from agent.forward.flights import KEPT, REPEAT_S, Flights, Records
from agent.spool.durable import Medium
from agent.spool.flights import FILE_LIMIT_BYTES, FOLDER, read_lines
from agent.spool.ops import Ops
from agent.ul.association import Association, Role
from agent.ul.pdu import AssociateAccept, AssociateRequest
from agent.ul.user import UserInformation

if TYPE_CHECKING:
    from pathlib import Path

    from agent.errors import AgentError
    from agent.link.flight import Flight

NAME = "pacs"
WHO = {"PACS": (NAME, "second")}
REFUSED = ConnectFailed("PACS@10.0.0.5:104: nothing listens on this port")


class Recorder:
    """A recorder with a clock that stands still."""

    def __init__(self, root: Path, ops: Ops | None = None) -> None:
        self.root = str(root)
        self.now = 100.0
        self.said: list[str] = []
        self.flights = Flights(
            Medium(self.root, ops), NAME, lambda _level, text: self.said.append(text), lambda: self.now, lambda: 1e9
        )

    def fly(self, error: AgentError | None = None, *, rows: int = 3, associated: bool = True) -> None:
        flight = self.flights.begin("PACS@10.0.0.5:104")
        flight.association = Pair().requestor if associated else None
        for number in range(rows):
            flight.data_set(self.now, 1, number, 1)
        flight.end(self.now, error)

    def kept(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in read_lines(self.root, NAME)[1:]]


def test_the_last_associations_are_kept(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    for number in range(KEPT + 3):
        recorder.now += 1
        recorder.fly(rows=number + 1)
    assert [len(one["rows"]) for one in recorder.kept()] == list(range(4, KEPT + 4))
    assert os.stat(f"{tmp_path}/{FOLDER}/{NAME}").st_mode & 0o777 == 0o600


def test_the_file_is_bounded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    for _ in range(KEPT):
        recorder.fly(LinkClosed("cut " * 100), rows=100_000)
    assert os.path.getsize(f"{tmp_path}/{FOLDER}/{NAME}") <= FILE_LIMIT_BYTES
    assert recorder.kept()


def test_one_failure_again_and_again_is_one_record_and_few_writes(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.fly()
    for _ in range(100):
        recorder.now += REPEAT_S / 50
        recorder.fly(REFUSED, rows=0, associated=False)
    good, failure = recorder.kept()
    assert good["end"]["code"] == ""
    assert (failure["end"]["code"], failure["times"]) == ("link.connect", 51)
    recorder.fly(LinkTimeout("PACS@10.0.0.5:104: no TCP connection in time"), rows=0, associated=False)
    assert [one["end"]["code"] for one in recorder.kept()] == ["", "link.connect", "link.timeout"]


def test_failures_never_push_out_associations(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.fly()
    for number in range(3 * KEPT):
        recorder.fly(ConnectFailed(f"failure {number}"), associated=False)
    assert [one["associated"] for one in recorder.kept()] == [True] + [False] * KEPT


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / NAME).write_bytes(b"\x00" * 100)
    recorder = Recorder(tmp_path)
    recorder.fly()
    assert len(recorder.kept()) == 1


class Failing(Ops):
    """Fails at the change of the medium with that number."""

    def __init__(self, at: int) -> None:
        self.left = at

    def step(self, _call: str, _path: str) -> None:
        self.left -= 1
        if not self.left:
            raise OSError(errno.ENOSPC, "full")


@pytest.mark.parametrize("at", [1, 2, 3])  # create, write, rename
def test_a_medium_that_fails_costs_one_sentence_and_the_record(tmp_path: Path, at: int) -> None:
    Recorder(tmp_path).fly()
    before = read_lines(str(tmp_path), NAME)
    recorder = Recorder(tmp_path, Failing(at))
    recorder.fly(rows=9)
    assert len(recorder.said) == 1
    assert read_lines(str(tmp_path), NAME) == before
    recorder.fly(rows=10)
    assert len(recorder.kept()[-1]["rows"]) == 10


def records(root: Path) -> Records:
    return Records(lambda name: Flights(Medium(str(root)), name, lambda *_: None), lambda title: WHO.get(title, ()))


def called(records: Records, *, accepted: bool = True, title: str = "PACS") -> Flight:
    flight = records.incoming("10.0.0.5")
    request = AssociateRequest("AGENT", title, (), UserInformation(16384))
    flight.association = Association(Role.ACCEPTOR, artim_s=1)
    flight.association.request = request
    flight.association.accept = AssociateAccept("AGENT", title, (), UserInformation(16384)) if accepted else None
    return flight


def seen(root: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in read_lines(str(root), name)[1:]]


def test_a_report_of_a_stranger_is_recorded_where_it_belongs(tmp_path: Path) -> None:
    flight = called(records(tmp_path), title="ROUTER")
    flight.message(flight.started, "<", 1, NEventReportRequest(7, STORAGE_COMMITMENT, "1.2", 1))
    flight.reported("second", 1e9, "ROUTER", lambda: 1e9 + 2.5)
    flight.end(flight.started)
    (one,) = seen(tmp_path, "second")
    assert (one["peer"], one["opened_by_us"], one["reports"]) == ("ROUTER@10.0.0.5", False, [["new", 2.5, "ROUTER"]])
    assert seen(tmp_path, NAME) == []


@pytest.mark.parametrize(("title", "count"), [("PACS", 1), ("ROUTER", 0)])
def test_who_is_rejected_is_recorded_if_it_is_a_destination(tmp_path: Path, title: str, count: int) -> None:
    flight = called(records(tmp_path), accepted=False, title=title)
    flight.end(0.0, AssociationRejected("called AE Title not recognized"))
    assert [one["end"]["code"] for one in seen(tmp_path, NAME)] == [AssociationRejected.code] * count


def test_echoes_and_port_checks_are_not_recorded(tmp_path: Path) -> None:
    called(records(tmp_path)).end(0.0)
    records(tmp_path).incoming("10.0.0.5").end(0.0, LinkClosed("gone"))
    assert not (tmp_path / FOLDER).exists()


@pytest.mark.parametrize(("asked_at", "way"), [(1e9 + 1, "same"), (1e9 - 1, "next")])
def test_a_report_on_our_association_answers_it_or_an_earlier_one(tmp_path: Path, asked_at: float, way: str) -> None:
    flight = Recorder(tmp_path).flights.begin("PACS@10.0.0.5:104")
    flight.reported(NAME, asked_at, "PACS", lambda: 1e9 + 9)
    assert [report.way for report in flight.reports] == [way]


def test_reports_never_push_out_what_we_opened(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.fly()
    for number in range(3 * KEPT):
        flight = recorder.flights.begin("PACS", opened_by_us=number % 2 == 0 and number > 2 * KEPT)
        flight.association = Pair().requestor
        flight.end(recorder.now)
    ours = [one["opened_by_us"] for one in recorder.kept()]
    assert (ours[0], ours.count(False)) == (True, KEPT)
