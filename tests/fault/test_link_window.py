"""The asynchronous operations window against an acceptor that counts, answers backwards, lies or dies."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
from fakes import spool_world
from fakes.link_bench import QUICK, Bench

from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, SC
from agent.dimse.fragment import DataSetPart, Received
from agent.dimse.message import CStoreRequest, CStoreResponse
from agent.dimse.status import DOUBTFUL_ATTEMPTS, OUT_OF_RESOURCES
from agent.errors import AgentError, FileUnreadable
from agent.forward.deliver import deliver
from agent.forward.files import Files
from agent.link.listener import Call, Listener
from agent.link.peer import Peer
from agent.service.proposal import acceptor_policy
from agent.spool.store import Spool
from agent.ul.negotiate import Offer
from agent.ul.user import AsyncWindow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.spool.core import Item
    from agent.spool.states import Life

PAUSE_S = 0.05  # so long nothing comes from a sender that waits


class Backwards:
    """A Storage SCP that lets requests pile up until the sender waits, and then answers the last one first."""

    def __init__(self, window: AsyncWindow | None) -> None:
        self.window = window
        self.most = 0
        self.got: list[str] = []
        self.proposed: set[AsyncWindow | None] = set()
        self.abort_at = 0  # so many wait: the association is aborted, once
        self.twice = False  # the first answer is said twice, once

    def serve(self, call: Call) -> None:
        conversation = call.conversation
        self.proposed.add(call.request.user.window)
        waiting: list[tuple[int, CStoreRequest]] = []
        try:
            while True:
                if not waiting or conversation.waiting(PAUSE_S):
                    incoming = conversation.message("idle", conversation.driver.now() + 5)
                    if incoming is None:
                        return
                    assert isinstance(incoming.message, CStoreRequest)
                    waiting.append((incoming.context_id, incoming.message))
                    self.most = max(self.most, len(waiting))
                    if self.abort_at and len(waiting) == self.abort_at:
                        self.abort_at = 0
                        conversation.driver.abort()
                        return
                    continue
                for context_id, request in reversed(waiting):
                    response = CStoreResponse(request.message_id, 0, SC, request.sop_instance_uid)
                    self.got.append(request.sop_instance_uid)
                    conversation.send(context_id, response)
                    if self.twice:
                        self.twice = False
                        conversation.send(context_id, response)
                waiting.clear()
        except AgentError:
            return  # the other side had enough of us

    def start(self, bench: Bench) -> int:
        policy = acceptor_policy({SC: Offer((EXPLICIT_VR_LE, IMPLICIT_VR_LE))})._replace(window=self.window)
        listener = Listener("127.0.0.1", 0, policy, self.serve, timeouts=QUICK, say=bench.said.append)
        bench.thread(listener.run, bench.stop)
        return listener.port


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("wanted", "window", "most"),
    [
        (4, AsyncWindow(4, 1), 4),
        (8, AsyncWindow(3, 1), 3),
        (4, AsyncWindow(0, 1), 4),  # no limit: as many as we proposed
        (4, AsyncWindow(1, 1), 1),
        (4, None, 1),
        (1, AsyncWindow(16, 1), 1),  # nothing was proposed, so that nothing may be granted
    ],
)
def test_never_more_under_way_than_granted_and_answers_backwards_are_understood(
    bench: Bench, wanted: int, window: AsyncWindow | None, most: int
) -> None:
    scp = Backwards(window)
    uids = bench.capture(20)
    bench.work(scp.start(bench), commitment=False, operations=wanted)
    bench.until(stored=20)
    assert sorted(scp.got) == sorted(uids), "each once"
    assert scp.most == most
    assert scp.proposed == {AsyncWindow(wanted, 1) if wanted > 1 else None}
    assert not any("[" in text for text in bench.said)


def test_an_abort_with_several_under_way_costs_none_of_them(bench: Bench) -> None:
    scp = Backwards(AsyncWindow(4, 1))
    scp.abort_at = 3
    uids = bench.capture(9)
    worker = bench.work(scp.start(bench), commitment=False, operations=4)
    bench.until(stored=9)
    assert sorted(set(scp.got)) == sorted(uids)
    assert worker.health.failures == 0
    ends = [text for text in bench.said if "aborted" in text or "was cut" in text]  # a reset may overtake the abort
    assert len(ends) == 1, "it is one failure, however many were under way"


def test_an_answer_said_twice_ends_the_association_and_not_the_delivery(bench: Bench) -> None:
    scp = Backwards(AsyncWindow(4, 1))
    scp.twice = True
    bench.capture(6)
    bench.work(scp.start(bench), commitment=False, operations=4)
    bench.until(stored=6)
    assert any("expected C-STORE-RSP" in text for text in bench.said)


def test_send_has_as_many_under_way_as_are_granted(bench: Bench, tmp_path: Path) -> None:
    """Without the queue too; an abort fails what is under way, and a new association takes the rest."""
    scp = Backwards(AsyncWindow(3, 1))
    scp.abort_at = 3
    files = Files()
    paths = [spool_world.part10(number, size=4096) for number in range(1, 11)]
    for number, data in enumerate(paths, 1):
        (tmp_path / str(number)).write_bytes(data)
        files.add(str(tmp_path / str(number)))
    peer = Peer("ANY", "127.0.0.1", scp.start(bench), "AGENT", timeouts=QUICK, operations=5)
    outcomes = list(deliver(peer, files))
    assert sorted(outcome.instance.path for outcome in outcomes) == sorted(file.path for file in files), "each once"
    failed = [outcome for outcome in outcomes if not outcome.stored]
    assert [(outcome.begun, outcome.error and outcome.error.code) for outcome in failed] == [
        (True, "association.aborted")
    ] * 3
    assert scp.most == 3
    assert sorted(scp.got) == sorted(outcome.instance.sop_instance_uid for outcome in outcomes if outcome.stored)


def test_large_ones_while_answers_come(bench: Bench) -> None:
    """Answers to others arrive in the middle of a Data Set and are kept until they are asked for."""
    scp = Backwards(AsyncWindow(4, 1))
    bench.capture(10, size=3_000_000)
    bench.work(scp.start(bench), commitment=False, operations=4)
    bench.until(stored=10)
    assert scp.most == 4


def test_a_file_that_cannot_be_read_is_not_held_against_those_beside_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends the association while others are under way on it; that they were tried before says nothing of them."""
    scp = Backwards(AsyncWindow(4, 1))
    bench.capture(5)
    for _ in range(DOUBTFUL_ATTEMPTS):
        now = bench.spool.clock.monotonic()
        bench.spool.deferred_many(bench.spool.claim("pacs", now), "the line was cut", now)
    preadv = os.preadv

    def failing(fd: int, buffers: list[memoryview], offset: int) -> int:
        if os.readlink(f"/proc/self/fd/{fd}").endswith("/00000003"):
            raise OSError(errno.EIO, "Input/output error")
        return preadv(fd, buffers, offset)

    def examine(spool: Spool, item: Item) -> Life:
        if item.id == 3:
            raise FileUnreadable(f"{item.path}: Input/output error")
        return spool.examine_number(item.id)

    monkeypatch.setattr(os, "preadv", failing)
    monkeypatch.setattr(Spool, "examine", examine)
    worker = bench.work(scp.start(bench), commitment=False, operations=4)
    bench.until(stored=4, held=1)
    assert worker.health.failures == 0
    assert [row.id for row in bench.spool.rows(destination="pacs", state="held")] == [3]
    tries = {row.id: row.attempt for row in bench.spool.rows()}
    assert min(tries[1], tries[2]) > DOUBTFUL_ATTEMPTS + 1, "what may have arrived is not sent as if for the first time"


def test_a_refusal_of_something_else_does_not_cut_an_image_short(bench: Bench) -> None:
    """A peer that answers twice, or for nobody, in the middle of a Data Set, must not get a piece as a whole."""
    ends: list[bool] = []

    def serve(call: Call) -> None:
        conversation = call.conversation
        try:
            received = conversation.part("idle", conversation.driver.now() + 5)
            assert isinstance(received, Received)
            request = received.message
            assert isinstance(request, CStoreRequest)
            if not ends:
                stray = CStoreResponse(request.message_id + 7, OUT_OF_RESOURCES, SC, request.sop_instance_uid)
                conversation.send(received.context_id, stray)
            while isinstance(part := conversation.part("idle", conversation.driver.now() + 5), DataSetPart):
                if part.last:
                    ends.append(True)
                    conversation.send(
                        received.context_id, CStoreResponse(request.message_id, 0, SC, request.sop_instance_uid)
                    )
        except AgentError:
            ends.append(False)

    policy = acceptor_policy({SC: Offer((EXPLICIT_VR_LE, IMPLICIT_VR_LE))})
    listener = Listener("127.0.0.1", 0, policy, serve, timeouts=QUICK, say=bench.said.append)
    bench.thread(listener.run, bench.stop)
    bench.capture(1, size=30_000_000)
    bench.work(listener.port, commitment=False)
    bench.until(stored=1)
    assert ends[0] is False, "the first try was aborted, not ended in good order"
