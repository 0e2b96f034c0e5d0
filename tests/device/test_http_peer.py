"""A web server on the port that was given for DICOM is recognized as one."""

from __future__ import annotations

import contextlib
import socket
import threading

from fakes.command import run_command


def test_an_http_server_is_recognized() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            side, _ = listener.accept()
            with side, contextlib.suppress(OSError):
                side.recv(4096)
                side.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        done = run_command("echo", "--to", f"WEB@127.0.0.1:{listener.getsockname()[1]}")
        thread.join(10)
    assert done.returncode == 60
    assert "this looks like an HTTP server" in done.stderr
