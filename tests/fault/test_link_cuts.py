"""RST after byte N of an association, for every N of either direction: nothing is stored that was not answered.

Plain connections are cut at every byte. Over TLS, and where every point costs a turn of the whole queue, some bytes are
left out: ``EVERY_BYTE=1`` in the environment takes them all (minutes).
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from fakes.misbehaviour.bench import Bench, make_certificates
from fakes.misbehaviour.calls_open import REPORT, reports
from fakes.misbehaviour.commitment import event, information
from fakes.misbehaviour.cut import CutRelay
from fakes.misbehaviour.line import Line, encoded, request_pdu
from fakes.misbehaviour.row import SHORT

from agent.dataset.uid import EXPLICIT_VR_LE, SC
from agent.forward.deliver import deliver
from agent.forward.files import Instance
from agent.link.peer import Peer
from agent.link.tls import TlsSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.forward.deliver import Outcome

EVERY = bool(os.environ.get("EVERY_BYTE"))
RELEASE_BYTES = 10  # A-RELEASE-RQ and -RP, each
pytestmark = [pytest.mark.fault, pytest.mark.timeout(1800 if EVERY else 120)]


class Archive:
    """An honest archive that takes one instance for each connection, and perhaps commits it; a context manager."""

    def __init__(self, context: ssl.SSLContext | None = None, *, commits: bool = False) -> None:
        self.took: list[str] = []
        self._context = context
        self._commits = commits
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(connection, server_side=True) if self._context else connection as open_:
                    self._serve(Line(open_))
            except OSError:
                connection.close()

    def _serve(self, line: Line) -> None:
        line.took = self.took
        line.take()
        if self._commits:
            line.commit()
        line.release()
        line.silent()


class Whole(NamedTuple):
    """An association without a cut: bytes from us, bytes to us."""

    up: int
    down: int


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    path = tmp_path / "instance"
    path.write_bytes(bytes(100) + struct.pack("<HH2s2xI", 0x7FE0, 0x0010, b"OB", 300) + os.urandom(300))
    return Instance(str(path), SC, "2.25.4711", EXPLICIT_VR_LE, 100, path.stat().st_size)


def send(port: int, instance: Instance, tls: TlsSettings | None = None) -> Outcome:
    (outcome,) = deliver(Peer("ARCHIVE", "127.0.0.1", port, tls=tls, timeouts=SHORT), [instance])
    return outcome


def points(whole: Whole, step: int) -> Iterator[tuple[str, int]]:
    for direction, size in zip(("up", "down"), whole, strict=True):
        yield from ((direction, count) for count in range(1, size, 1 if EVERY else step))


def test_plain(instance: Instance) -> None:
    with Archive() as archive, CutRelay(archive.port) as relay:
        relay.arm()
        assert send(relay.port, instance).stored
        relay.wait()
        whole = Whole(relay.up, relay.down)
        for direction, count in points(whole, 1):
            relay.arm(**{direction: count})
            outcome = send(relay.port, instance)
            relay.wait()
            answered = relay.down >= whole.down - RELEASE_BYTES
            where = f"{direction} {count} of {whole}: {outcome}"
            assert answered or not outcome.stored, where
            assert outcome.stored or relay.up <= whole.up - RELEASE_BYTES, where  # we release what is answered only
            assert outcome.stored or (outcome.error is not None and outcome.error.code == "link.closed"), where


def test_tls(instance: Instance, tmp_path: Path) -> None:
    ca = make_certificates(tmp_path / "ca")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(ca / "ca.pem"))
    context.load_cert_chain(ca / "archive.pem", ca / "archive.key")
    context.num_tickets = 0  # every handshake is a whole one
    tls = TlsSettings(str(ca / "ca.pem"), str(ca / "agent.pem"), str(ca / "agent.key"))
    with Archive(context) as archive, CutRelay(archive.port) as relay:
        relay.arm()
        assert send(relay.port, instance, tls).stored
        relay.wait()
        whole = Whole(relay.up, relay.down)
        for direction, count in points(whole, 2):
            relay.arm(**{direction: count})
            archive.took.clear()
            outcome = send(relay.port, instance, tls)
            relay.wait()
            where = f"{direction} {count} of {whole}: {outcome}"
            assert not outcome.stored or archive.took, where
            assert outcome.stored or (outcome.error is not None and outcome.error.code in ("link.closed", "link.tls"))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path, make_certificates(tmp_path / "ca")) as made:
        yield made


def test_queue_and_commitment(bench: Bench) -> None:
    """The whole worker: the ledger says stored or committed only of what the archive has said so of."""
    with Archive(commits=True) as archive, CutRelay(archive.port) as relay:

        def deliver_one() -> dict[str, Any]:
            archive.took.clear()
            found = bench.order("send", port=relay.port, tls=False, size=300, commit=True)
            relay.wait()
            return found

        relay.arm()
        assert deliver_one()["state"] == "committed"
        whole = Whole(relay.up, relay.down)
        for direction, count in points(whole, 11):
            relay.arm(**{direction: count})
            found = deliver_one()
            where = f"{direction} {count} of {whole}: {found}"
            assert found["state"] in ("deferred", "stored", "awaiting commitment", "committed"), where
            assert found["state"] == "deferred" or archive.took, where
            assert found["code"] in ("link.closed", ""), where  # "": a release that is not answered is one
            assert (found["files"], found["hung"]) == (1, False), where


def test_report_to_the_listener(bench: Bench) -> None:
    """An archive that is cut while it reports: committed is what was reported whole, and the listener goes on."""
    whole = Whole(0, 0)
    where = bench.order("listen", tls=False)
    with CutRelay(where["port"]) as relay:

        def report() -> tuple[dict[str, Any], int]:
            """Report on the instance; what became of it, and after how many bytes from us the report is whole."""
            uid, size = where["uid"], len(request_pdu())
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", relay.port)) as connection:
                line = Line(connection, uid=uid, transaction=where["transaction"])
                line.sop_class = SC
                size += len(encoded(event(), REPORT, information(line)))
                reports(information)(line)
            relay.wait()
            return bench.order("heard", tls=False, uid=uid), size

        relay.arm()
        assert report()[0]["state"] == "committed"
        whole = Whole(relay.up, relay.down)
        for direction, count in points(whole, 3):
            where = bench.order("listen", tls=False)
            relay.arm(**{direction: count})
            found, size = report()
            told = f"{direction} {count} of {whole}: {found}"
            assert not found["hung"], told
            assert found["state"] in ("awaiting commitment", "committed"), told
            assert found["state"] != "committed" or relay.up >= size, told
            assert found["state"] == "committed" or relay.up <= size, told
    assert not bench.echo(where["port"], tls=False)
