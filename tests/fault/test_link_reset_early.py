"""A connection that is reset between the TCP handshake and the first byte is a cut link, never a fault of the agent."""

from __future__ import annotations

import socket
import struct
import time
from typing import TYPE_CHECKING

import pytest
from fakes.peers import make_bench_ca

from agent.errors import LinkError
from agent.link.peer import Peer
from agent.link.sessions import Held
from agent.link.tls import TlsSettings, server_context
from agent.link.tls_transport import start_client, start_server

if TYPE_CHECKING:
    from pathlib import Path

RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST


def reset_pair() -> socket.socket:
    """Return a connected socket whose peer has already reset it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    far.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            near.getpeername()
        except OSError:
            return near
    raise AssertionError("the reset did not arrive")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> TlsSettings:
    folder: Path = make_bench_ca(tmp_path_factory.mktemp("ca"))
    return TlsSettings(str(folder / "ca.pem"), str(folder / "agent.pem"), str(folder / "agent.key"))


def test_as_initiator(settings: TlsSettings) -> None:
    sock = reset_pair()
    with sock, pytest.raises(LinkError, match="was cut"):
        start_client(sock, Peer("PACS", "127.0.0.1", 1, tls=settings), Held(settings, time.time()))


def test_as_responder(settings: TlsSettings) -> None:
    sock = reset_pair()
    timeouts = Peer("PACS", "127.0.0.1", 1).timeouts
    with sock, pytest.raises(LinkError, match="was cut"):
        start_server(sock, "caller", timeouts, settings, server_context(settings))
