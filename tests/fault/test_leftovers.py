"""What cut links leave: a TLS association, 100 KiB with OpenSSL's, would stay until objects have become many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.leftovers import leftovers
from fakes.link_bench import HASTY, QUICK, Bench
from fakes.peers import make_bench_ca
from fakes.site import Archive

from agent.acquire.identity import new_uid
from agent.app.cut_proxy import CutProxy
from agent.errors import AgentError, kept
from agent.forward.settings import Settings
from agent.forward.worker import Worker
from agent.link.peer import Peer
from agent.link.tls import TlsSettings
from agent.link.transport import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bench_ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def proxy(tmp_path: Path, ca: Path) -> Iterator[CutProxy]:
    archive = Archive(tmp_path / "archive", tls=ca)
    archive.start()
    with CutProxy(("127.0.0.1", archive.port)) as made:
        yield made
    archive.stop()


def peer_of(proxy: CutProxy, ca: Path) -> Peer:
    tls = TlsSettings(str(ca / "ca.pem"), str(ca / "agent.pem"), str(ca / "agent.key"))
    return Peer("BENCH", "127.0.0.1", proxy.port, "AGENT", timeouts=QUICK, tls=tls)


def test_links_that_are_cut_in_the_middle_of_an_instance_leave_nothing(
    tmp_path: Path, proxy: CutProxy, ca: Path
) -> None:
    bench = Bench(tmp_path)
    bench.settler.destinations = {"BENCH": ("pacs",)}
    how = Settings("pacs", peer_of(proxy, ca), **HASTY)
    worker = Worker(bench.spool, how, bench.settler, new_uid, say=bench.say, record=bench.records.of("pacs").begin)
    try:
        with leftovers() as found:
            bench.thread(worker.run, bench.stop)
            for number in range(1, 4):
                proxy.arm(8000)
                bench.capture(1, size=20_000)
                bench.until(committed=number)
            bench.stop.set()
            bench.spool.wake()
            bench.threads[-1].join()
    finally:
        bench.close()
    assert proxy.cuts >= 2
    assert found == []


def test_a_handshake_that_is_cut_leaves_nothing(proxy: CutProxy, ca: Path) -> None:
    peer = peer_of(proxy, ca)
    connect(peer).close()
    with leftovers() as found:
        for cut_after in (1, 100):  # of the ClientHello
            proxy.arm(cut_after)
            with pytest.raises(AgentError):
                connect(peer)
    assert found == []


def test_an_error_that_is_kept_has_no_frames_and_neither_have_its_causes() -> None:
    try:
        try:
            raise OSError
        except OSError as cause:
            raise AgentError("text") from cause
    except AgentError as error:
        found = kept(error)
    assert isinstance(found.__cause__, OSError)
    assert [found.__traceback__, found.__cause__.__traceback__] == [None, None]
