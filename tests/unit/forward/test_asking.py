"""The questions of one destination: a worker ends its own overdue requests and no other's."""

from __future__ import annotations

import pytest
from fakes.spool_world import FakeTime, capture

from agent.forward.asking import Asking
from agent.forward.settings import Settings
from agent.link.peer import Peer
from agent.spool.core import Destination
from agent.spool.forwarding import Answer
from agent.spool.store import Spool


@pytest.fixture
def time_():
    return FakeTime()


@pytest.fixture
def spool(tmp_path, time_):
    names = [Destination("scp"), Destination("orthanc")]
    with Spool.open(str(tmp_path), destinations=names, clock=time_.clock()) as opened:
        capture(opened, 1)
        for name in ("scp", "orthanc"):
            opened.stored_many(Answer(item) for item in opened.claim(name, time_.now, 100))
        items = opened.awaiting_commitment("orthanc", time_.now)
        assert opened.open_transaction("orthanc", items, "1.2.3", time_.now + 10)
        yield opened


def asking(spool, time_, name, said, *, listening=True):
    return Asking(spool, Settings(name, Peer("X", "h", 1)), str, say=lambda level, text: said.append((level, text)),
                  clock=lambda: time_.now, entropy=lambda: 0.5, stopping=lambda: False,
                  listening=lambda: listening)  # fmt: skip


def test_who_was_asked_is_who_did_not_report(spool, time_):
    said = []
    time_.now += 11
    asking(spool, time_, "scp", said).end_overdue()
    assert said == []
    assert [open_.destination for open_ in spool.open_transactions()] == ["orthanc"]
    asking(spool, time_, "orthanc", said).end_overdue()
    assert said == [("warning", "no commitment report in time for 1 instance")]
    assert spool.open_transactions() == []


def test_each_waits_for_its_own_deadline(spool, time_):
    assert spool.open_transactions(destination="scp") == []
    assert [open_.deadline for open_ in spool.open_transactions(1, destination="orthanc")] == [time_.now + 10]
    said = []
    assert not asking(spool, time_, "scp", said).waiting()
    assert asking(spool, time_, "orthanc", said).waiting()


def test_who_hears_no_report_is_told_what_to_open(spool, time_):
    said = []
    time_.now += 11
    asking(spool, time_, "orthanc", said, listening=False).end_overdue()
    ((level, text),) = said
    assert level == "warning"
    assert text.endswith("; an archive may report on an association of its own, and [listener] is off")
