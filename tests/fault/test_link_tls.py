"""Our TLS with itself: what a connection is, and how long it may take; faults are in ``test_tls_faults``."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from agent.app.bench_ca import issue, make_ca
from agent.errors import ConnectFailed, LinkError, LinkTimeout
from agent.link.peer import Peer, Timeouts
from agent.link.tls import TlsSettings, client_context, server_context
from agent.link.tls_transport import start_server
from agent.link.transport import Transport, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SHORT = Timeouts(connect_s=2, tls_s=0.5, associate_s=2, write_s=1, response_s=1, release_s=0.5)
HELLO = b"hello, world"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    ca = make_ca(str(folder), "ca")
    local = ("localhost", "127.0.0.1")
    for name in ("agent", "archive"):
        issue(str(folder), name, ca, hosts=local)
    return folder


def files(pki: Path, name: str | None = "agent", ca: str = "ca", **more: object) -> TlsSettings:
    own = None if name is None else str(pki / f"{name}.pem")
    key = None if name is None else str(pki / f"{name}.key")
    return TlsSettings(str(pki / f"{ca}.pem"), own, key, **more)  # type: ignore[arg-type] # the caller's keywords


Answer = "Callable[[socket.socket], None]"


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Run ``answer(connection)`` for each connection to the port it returns."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(answer: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def loop() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        threads.append(threading.Thread(target=loop))
        threads[-1].start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def tls_server(settings: TlsSettings, said: list[LinkError]) -> Callable[[socket.socket], None]:
    """Return our own TLS responder: it greets and notes what it refused."""
    context = server_context(settings)

    def answer(connection: socket.socket) -> None:
        try:
            transport = start_server(connection, "caller", SHORT, settings, context)
            try:
                transport.read(time.monotonic() + 1, "response")
                transport.write(HELLO, time.monotonic() + 5)
            finally:
                transport.close()
        except LinkError as error:
            said.append(error)

    return answer


def talk(port: int, tls: TlsSettings, host: str = "127.0.0.1") -> Transport:
    """Connect, send something and read the answer; the transport comes back closed."""
    transport = connect(Peer("ARCHIVE", host, port, tls=tls, timeouts=SHORT))
    try:
        transport.write(HELLO, time.monotonic() + 5)
        assert transport.read(time.monotonic() + 2, "response") == HELLO
        return transport
    finally:
        facts = transport.facts()
        transport.close()
        assert facts["transport"] == "tls"


def test_mutual_tls_13(pki: Path, serve: Callable[..., int]) -> None:
    said: list[LinkError] = []
    port = serve(tls_server(files(pki, "archive"), said))
    transport = connect(Peer("ARCHIVE", "localhost", port, tls=files(pki), timeouts=SHORT))
    assert transport.facts()["version"] == "TLSv1.3"
    transport.write(HELLO, time.monotonic() + 5)
    assert transport.read(time.monotonic() + 2, "response") == HELLO
    transport.close()
    talk(port, files(pki))
    talk(port, files(pki, server_name="localhost"))
    assert said == []


def test_silent_peer_ends_by_the_tls_deadline(pki: Path, serve: Callable[..., int]) -> None:
    def silent(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.settimeout(2)
        connection.recv(1)

    started = time.monotonic()
    with pytest.raises(LinkTimeout, match="wait 'tls'"):
        talk(serve(silent), files(pki))
    assert time.monotonic() - started < 1.5


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(ConnectFailed, match="nothing listens"):
        connect(Peer("ARCHIVE", "127.0.0.1", port, timeouts=SHORT))
    with pytest.raises(ConnectFailed, match=r"host name is not known: [A-Z]") as unknown:
        connect(Peer("ARCHIVE", "no-such-host.invalid", 104, timeouts=SHORT))
    assert "name servers" in unknown.value.hint


def test_context_knows_no_public_ca_and_no_old_version(pki: Path) -> None:
    import ssl

    context = client_context(files(pki))
    assert len(context.get_ca_certs()) == 1
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    names = {suite["name"] for suite in context.get_ciphers() if suite["protocol"] != "TLSv1.3"}
    assert names
    assert all(name.startswith("ECDHE-") and ("GCM" in name or "CCM" in name or "POLY1305" in name) for name in names)
