"""The bench tools that demo and other tests stand on: the cutting proxy and the throw-away CA."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from agent.app import bench_ca
from agent.app.cut_proxy import CutProxy
from agent.errors import FileError

CUT = r"reset by peer|not connected|Broken pipe"


class Echo:
    """A server that echoes and counts what it got per connection."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self.listener.getsockname()
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                side, _ = self.listener.accept()
            except OSError:
                return
            with side:
                try:
                    while data := side.recv(65_536):
                        side.sendall(data)
                except OSError:
                    pass

    def __enter__(self) -> Echo:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.threads[0].join(5)


def _exchange(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 5) as near:
        near.sendall(data)
        near.shutdown(socket.SHUT_WR)
        answer = b""
        while part := near.recv(65_536):
            answer += part
        return answer


def test_the_proxy_forwards_cuts_once_and_forwards_again() -> None:
    with Echo() as echo, CutProxy(echo.address) as proxy:
        assert _exchange(proxy.port, b"x" * 300_000) == b"x" * 300_000
        proxy.arm(100_000)
        with pytest.raises(OSError, match=CUT):
            _exchange(proxy.port, b"y" * 300_000)
        assert proxy.cuts == 1
        assert _exchange(proxy.port, b"z" * 300_000) == b"z" * 300_000
        assert proxy.connections == 3


def test_the_proxy_cuts_on_command_and_can_refuse() -> None:
    with Echo() as echo, CutProxy(echo.address) as proxy:
        near = socket.create_connection(("127.0.0.1", proxy.port), 5)
        with near:
            near.sendall(b"a")
            assert near.recv(1) == b"a"
            assert proxy.cut() == 1
            with pytest.raises(OSError, match=CUT):
                near.recv(1)
        proxy.refusing = True
        with pytest.raises(OSError, match=CUT):
            _exchange(proxy.port, b"b")
        assert proxy.connections == 1


def test_the_bench_ca_issues_what_tls_accepts(tmp_path: Path) -> None:
    ca = bench_ca.make_ca(str(tmp_path))
    me = bench_ca.issue(str(tmp_path), "me", ca, hosts=("localhost", "127.0.0.1"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(me.certificate_file, me.key_file)
    context.load_verify_locations(me.ca_file)
    assert (Path(me.key_file).stat().st_mode & 0o777) == 0o600
    expired = bench_ca.issue(str(tmp_path), "old", ca, hosts=("localhost",), days=-1)
    assert Path(expired.certificate_file).exists()


def test_without_openssl_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileError, match="'openssl' command is not installed") as caught:
        bench_ca.make_ca(str(tmp_path))
    assert "apt install openssl" in caught.value.hint
