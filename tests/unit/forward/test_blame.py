"""What is held against an instance is what was said of it, not how often the way to its peer was cut."""

from __future__ import annotations

import os

import pytest
from fakes.spool_world import FakeTime, capture

from agent.dimse.status import DOUBTFUL_ATTEMPTS
from agent.errors import AgentError, AssociationAborted, FileError, LinkClosed, StatusError
from agent.forward.deliver import Outcome
from agent.forward.outgoing import instance_of
from agent.forward.policy import PATIENT, BackOff
from agent.forward.settings import Settings
from agent.forward.settle import Settler
from agent.forward.worker import Worker
from agent.link.peer import Peer
from agent.spool.core import Destination, Item
from agent.spool.store import Spool, prepare

CANNOT_UNDERSTAND = 0xC000


class Box:
    def __init__(self, root: str) -> None:
        self.time = FakeTime()
        prepare(root)
        self.spool = Spool.open(root, destinations=[Destination("pacs")], clock=self.time.clock())
        how = Settings("pacs", Peer("PACS", "h", 1), back_off=BackOff(1, 1))
        self.worker = Worker(self.spool, how, Settler(self.spool, {}, lambda *_: None), str,
            clock=lambda: self.time.now, entropy=lambda: 0.1)  # fmt: skip

    def fails(self, error: AgentError, status: int | None = None, *, begun: bool = True) -> str:
        """One try that ends like this; what the delivery is then."""
        self.time.now += 1000
        (item,) = self.worker._claim()
        self.worker._not_stored(item, outcome(item, error, status, begun=begun))
        (row,) = self.spool.rows()
        return row.state


def outcome(item: Item, error: AgentError, status: int | None, *, begun: bool) -> Outcome:
    return Outcome(instance_of(item), False, status, "", "", (), 0, 0.0, begun, error)


@pytest.fixture
def box(tmp_path):
    made = Box(str(tmp_path / "spool"))
    capture(made.spool, 1)
    yield made
    made.spool.close()


def test_outages_do_not_count_against_an_instance(box: Box) -> None:
    for _ in range(2 * PATIENT):
        assert box.fails(LinkClosed("cut")) == "deferred"
    refused = StatusError("C000 cannot understand", status=CANNOT_UNDERSTAND)
    states = [box.fails(refused, CANNOT_UNDERSTAND) for _ in range(DOUBTFUL_ATTEMPTS)]
    assert states == ["deferred"] * (DOUBTFUL_ATTEMPTS - 1) + ["held"]
    assert box.spool.rows()[0].attempt == 2 * PATIENT + DOUBTFUL_ATTEMPTS, "all tries are told"


def test_a_peer_that_ends_the_association_has_an_opinion(box: Box) -> None:
    for _ in range(5):
        box.fails(LinkClosed("cut"))
    states = [box.fails(AssociationAborted("aborted")) for _ in range(PATIENT)]
    assert states == ["deferred"] * (PATIENT - 1) + ["held"]


def test_the_operator_begins_anew(box: Box) -> None:
    refused = StatusError("C000 cannot understand", status=CANNOT_UNDERSTAND)
    for _ in range(DOUBTFUL_ATTEMPTS):
        box.fails(refused, CANNOT_UNDERSTAND)
    assert box.spool.retry() == 1
    assert box.fails(refused, CANNOT_UNDERSTAND) == "deferred"


def test_a_medium_that_is_away_for_a_while_holds_nothing(box: Box) -> None:
    root = box.spool.root
    os.rename(root, f"{root}-away")
    assert [box.fails(FileError(f"{root}: no such file")) for _ in range(PATIENT)] == ["deferred"] * PATIENT
    os.rename(f"{root}-away", root)
    assert box.spool.rows()[0].reason.startswith("the medium of the spool is not at")
    os.unlink(box.spool.path(1))
    assert box.fails(FileError("gone")) == "lost"
