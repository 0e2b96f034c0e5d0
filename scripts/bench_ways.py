"""What more than one thing at a time brings: associations beside each other, and a window on one of them.

Instances of 20 kB go through the spool and a worker, in this process. First to an SCP of pynetdicom that takes 20 ms
for each, over one association and over several; then over a relay that holds every byte back for 20 ms on either way,
to a listener that grants a window of 16 and answers at once, with one C-STORE under way and with several.
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench_lib import OUT, median, print_table
from fakes.link_bench import QUICK, Bench
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt

from agent.dataset.uid import EXPLICIT_VR_LE, SC
from agent.dimse.message import CStoreRequest, CStoreResponse
from agent.link.listener import Listener
from agent.service.proposal import acceptor_policy
from agent.ul.negotiate import Offer
from agent.ul.user import AsyncWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.link.listener import Call

BYTES: Final = 20_000
COUNT: Final = 96
WAIT_S: Final = 0.02
ASSOCIATIONS: Final = (1, 2, 4, 8)
OPERATIONS: Final = (1, 2, 4, 8, 16)


def main(rounds: int, *, quick: bool) -> int:
    count = COUNT // 4 if quick else COUNT
    rows: list[tuple[str, ...]] = []
    facts: list[dict[str, object]] = []
    for what, values, run in (
        ("associations", ASSOCIATIONS, _beside),
        ("operations", OPERATIONS, _under_way),
    ):
        rates: dict[int, list[float]] = {value: [] for value in values}
        for _ in range(rounds):
            for value in values:
                rates[value].append(count / run(value, count))
        for value, found in rates.items():
            rows.append((what, str(value), f"{median(found):.0f}", f"{median(found) / median(rates[1]):.1f}"))
            facts.append({"what": what, "number": value, "instances_per_s": [round(rate, 1) for rate in found]})
    print_table(("at a time", "number", "instances/s", "times"), rows)
    OUT.mkdir(exist_ok=True)
    (OUT / "ways.json").write_text(json.dumps(facts, indent=1))
    return 0


def _beside(associations: int, count: int) -> float:
    def on_store(_event: Any) -> int:
        time.sleep(WAIT_S)
        return 0

    ae = AE("ANY")
    ae.maximum_associations = 2 * max(ASSOCIATIONS)
    ae.add_supported_context(SC, ExplicitVRLittleEndian)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, on_store)])
    assert server is not None
    try:
        return _deliver(lambda _bench: int(server.server_address[1]), count, associations=associations)
    finally:
        server.shutdown()


def _under_way(operations: int, count: int) -> float:
    def serve(call: Call) -> None:
        conversation = call.conversation
        while (incoming := conversation.message("idle", conversation.driver.now() + 5)) is not None:
            assert isinstance(incoming.message, CStoreRequest)
            answer = CStoreResponse(incoming.message.message_id, 0, SC, incoming.message.sop_instance_uid)
            conversation.send(incoming.context_id, answer)

    policy = acceptor_policy({SC: Offer((EXPLICIT_VR_LE,))})._replace(window=AsyncWindow(max(OPERATIONS), 1))
    with contextlib.ExitStack() as stack:

        def start(bench: Bench) -> int:
            listener = Listener("127.0.0.1", 0, policy, serve, timeouts=QUICK)
            bench.thread(listener.run, bench.stop)
            return stack.enter_context(_far(listener.port))

        return _deliver(start, count, operations=operations)


def _deliver(start: Callable[[Bench], int], count: int, **how: Any) -> float:
    with tempfile.TemporaryDirectory(prefix="bench-ways-") as folder:
        bench = Bench(Path(folder))
        try:
            bench.capture(count, size=BYTES)
            port = start(bench)
            began = time.monotonic()
            bench.work(port, called_ae="ANY", commitment=False, **how)
            while bench.states() != {"stored": count}:
                time.sleep(0.005)
            return time.monotonic() - began
        finally:
            bench.close()


@contextlib.contextmanager
def _far(port: int) -> Iterator[int]:
    """Relay to ``port``, with every byte ``WAIT_S`` late on either way and none held up by another."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, port), daemon=True).start()
        yield int(listener.getsockname()[1])


def _accept(listener: socket.socket, port: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for source, sink in ((near, far), (far, near)):
                sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                held: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
                threading.Thread(target=_hold, args=(source, held), daemon=True).start()
                threading.Thread(target=_let_go, args=(held, sink), daemon=True).start()


def _hold(source: socket.socket, held: queue.SimpleQueue[tuple[float, bytes]]) -> None:
    data = b"?"
    while data:
        try:
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            data = source.recv(1 << 18)
        except OSError:
            data = b""
        held.put((time.monotonic() + WAIT_S, data))


def _let_go(held: queue.SimpleQueue[tuple[float, bytes]], sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            at, data = held.get()
            time.sleep(max(0.0, at - time.monotonic()))
            if not data:
                sink.shutdown(socket.SHUT_WR)
                return
            sink.sendall(data)
