"""Commitment reports that wait for an association: held for their requestor, bounded, and none lost in silence."""

from __future__ import annotations

from agent.app.archive import ArchiveSettings
from agent.app.archive_reports import REPORT_QUEUE, Reports
from agent.service.commitment import Report


def reports(said: list[str], **settings: object) -> Reports:
    return Reports(ArchiveSettings("folder")._replace(**settings), said.append, lambda _ae, _report: None)  # type: ignore[arg-type]


def test_a_report_is_held_for_its_requestor_alone_and_handed_out_once() -> None:
    said: list[str] = []
    held = reports(said, report="next")
    first, second, other = (Report(uid, ()) for uid in ("2.25.1", "2.25.2", "2.25.3"))
    for ae, report in (("A", first), ("B", other), ("A", second)):
        held.put(ae, report)
    assert [held.take(ae) for ae in ("C", "A", "A", "B")] == [[], [first, second], [], [other]]
    assert said == []


def test_the_oldest_goes_where_too_many_are_held_and_is_named() -> None:
    said: list[str] = []
    held = reports(said, report="next")
    for number in range(REPORT_QUEUE + 1):
        held.put("A", Report(f"2.25.{number}", ()))
    assert held.take("A")[0] == Report("2.25.1", ())
    assert said == ["report 2.25.0 is lost: too many reports wait"]


def test_a_report_for_nobody_known_is_named() -> None:
    said: list[str] = []
    reports(said, report="new", report_to={"A": ("127.0.0.1", 1)}).put("B", Report("2.25.1", ()))
    assert said == ["report 2.25.1 is lost: no address is known for B"]
