"""Peers whose script is written down byte by byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from fakes.misbehaviour.line import Line
from fakes.misbehaviour.row import SHORT

from agent.link.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def play() -> Iterator[Callable[..., Peer]]:
    """Start a peer that plays each script for one connection, in order."""
    started: list[tuple[socket.socket, threading.Thread]] = []

    def start(*scripts: Callable[[Line], None]) -> Peer:
        listener = socket.create_server(("127.0.0.1", 0))

        def run() -> None:
            for script in scripts:
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    with connection:
                        script(Line(connection))

        thread = threading.Thread(target=run)
        thread.start()
        started.append((listener, thread))
        return Peer("ARCHIVE", "127.0.0.1", listener.getsockname()[1], timeouts=SHORT)

    yield start
    for listener, thread in started:
        listener.shutdown(socket.SHUT_RDWR)  # wakes whoever still waits for a connection
        listener.close()
        thread.join(10)
        assert not thread.is_alive()
