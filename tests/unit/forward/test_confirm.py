"""What was promised to whoever sends files by hand: counted per instance, and a stranger's report changes nothing."""

from __future__ import annotations

from agent.dataset.uid import SC, US
from agent.forward.confirm import Promises, Refusal
from agent.service.commitment import Reference

CLASSES = {"1.2.1": SC, "1.2.2": US, "1.2.3": SC}


def test_a_report_counts_for_what_was_in_its_request() -> None:
    promises = Promises(CLASSES, "PACS")
    request = promises.begin("2.25.1", ["1.2.1", "1.2.2"])
    assert request.references == (Reference(SC, "1.2.1"), Reference(US, "1.2.2"))
    assert promises.settle("2.25.1", ["1.2.1", "1.2.3"], [("1.2.2", 0x0112), ("1.2.9", 0x0110)])
    assert promises.committed == {"1.2.1"}
    assert promises.refused == {"1.2.2": Refusal(0x0112, "no such object instance")}
    assert promises.waiting == ["1.2.3"]
    assert promises.transaction("2.25.1") is not None
    assert promises.transaction("2.25.1")[0] == "PACS"  # type: ignore[index]  # see above


def test_a_report_on_nothing_that_was_asked_changes_nothing() -> None:
    promises = Promises(CLASSES, "PACS")
    assert promises.transaction("2.25.1") is None
    assert not promises.settle("2.25.1", ["1.2.1"], [("1.2.2", 0x0112)])
    assert promises.waiting == [*CLASSES]


def test_good_news_outweighs_bad_whichever_comes_first() -> None:
    promises = Promises(CLASSES, "PACS")
    promises.begin("2.25.1", CLASSES)
    promises.settle("2.25.1", ["1.2.1"], [("1.2.2", 0x0110)])
    promises.settle("2.25.1", ["1.2.2"], [("1.2.1", 0x0110)])
    promises.refuse(["1.2.1", "1.2.3"], "no report in 1 s")
    assert promises.committed == {"1.2.1", "1.2.2"}
    assert promises.refused == {"1.2.3": Refusal(None, "no report in 1 s")}
    assert promises.sop_class("1.2.2") == US
    assert promises.sop_class("1.2.9") is None
