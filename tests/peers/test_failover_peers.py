"""Failover between two storescp: each image at one of them, and at the first again when that is back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from fakes.link_bench import END_S, HASTY, QUICK, Bench

from agent.acquire.identity import new_uid
from agent.app.cut_proxy import CutProxy
from agent.dataset.uid import EXPLICIT_VR_LE, SC, VERIFICATION
from agent.dimse.message import CStoreRequest, CStoreResponse
from agent.dimse.status import OUT_OF_RESOURCES
from agent.forward.settings import Settings
from agent.forward.worker import Worker
from agent.link.conversation import Incoming, Reply
from agent.link.listener import Call, Listener, serve_requests
from agent.link.peer import Peer
from agent.service import verification
from agent.service.proposal import acceptor_policy
from agent.spool.core import Destination
from agent.ul.negotiate import Offer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.spool.configure([Destination("pacs", commitment=False), Destination("other", False, standby=True)])
    yield made
    made.close()


def serve(bench: Bench, name: str, port: int, **how: Any) -> None:
    peer = Peer("ANY", "127.0.0.1", port, "AGENT", timeouts=QUICK)
    settings = Settings(name, peer, commitment=False, **{**HASTY, **how})
    bench.thread(Worker(bench.spool, settings, bench.settler, new_uid, say=bench.say).run, bench.stop)


def at(peer: Any) -> list[str]:
    return sorted(str(pydicom.dcmread(path).SOPInstanceUID) for path in peer.files())


def until(bench: Bench, peer: Any, uids: list[str]) -> None:
    deadline = time.monotonic() + END_S
    while len(peer.files()) < len(uids):
        assert time.monotonic() < deadline, (bench.spool.counts(), bench.said)
        time.sleep(0.05)


def test_each_image_at_one_of_two(storescp: Callable[..., Any], bench: Bench) -> None:
    first, second = storescp(), storescp()
    with CutProxy(("127.0.0.1", first.port)) as way:
        way.refusing = True
        serve(bench, "pacs", way.port, failover="other", failover_after_s=0.3)
        serve(bench, "other", second.port)
        uids = bench.capture(3)
        until(bench, second, uids)
        way.refusing = False
        deadline = time.monotonic() + END_S
        while not any("answers again" in text for text in bench.said):
            assert time.monotonic() < deadline, bench.said
            time.sleep(0.02)
        later = bench.capture(2)
        until(bench, first, later)
        bench.until(diverted=3, stored=2)  # behind the file comes the answer
    assert at(second) == sorted(uids)
    assert at(first) == sorted(later)
    assert bench.spool.counts()["other"] == {"stored": 3}


def test_an_archive_that_is_full_answers_echo_and_is_down_all_the_same(
    storescp: Callable[..., Any], bench: Bench
) -> None:
    def refuse(incoming: Incoming) -> Reply:
        request = incoming.message
        assert isinstance(request, CStoreRequest)
        return Reply(CStoreResponse(request.message_id, OUT_OF_RESOURCES, SC, request.sop_instance_uid))

    def serve_full(call: Call) -> None:
        serve_requests(call, refuse, 5)

    policy = acceptor_policy({VERIFICATION: verification.OFFER, SC: Offer((EXPLICIT_VR_LE,))})
    full, second = Listener("127.0.0.1", 0, policy, serve_full, timeouts=QUICK), storescp()
    bench.thread(full.run, bench.stop)
    serve(bench, "other", second.port)
    uids = bench.capture(2)
    serve(bench, "pacs", full.port, failover="other", failover_after_s=1.0)
    until(bench, second, uids)
    bench.until(diverted=2)
    assert sum("answers again" in text for text in bench.said) >= 2, "it was well in between, by its own word"
