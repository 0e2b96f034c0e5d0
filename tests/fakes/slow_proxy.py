"""A loopback proxy with the rate of a slow line from requestor to acceptor; the way back is not held up."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

_CHUNK_BYTES = 16_384
# Small windows: what waits in the kernel would look like bytes that have arrived.
_WINDOW_BYTES = 32_768


class SlowProxy:
    """Forward ``127.0.0.1:port`` to ``target`` at ``bytes_per_s``; a context manager."""

    def __init__(self, target: tuple[str, int], bytes_per_s: float) -> None:
        self._target = target
        self.bytes_per_s = bytes_per_s
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW_BYTES)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> SlowProxy:
        return self

    def __exit__(self, *_exc: object) -> None:
        for side in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target, 5)
                far.settimeout(None)
                for side in (near, far):
                    side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._sockets.append(side)
                for source, sink, slow in ((near, far, True), (far, near, False)):
                    thread = threading.Thread(target=self._pump, args=(source, sink, slow), daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket, slow: bool) -> None:
        due = time.monotonic()
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK_BYTES):
                if slow:
                    due = max(due, time.monotonic() - 0.01) + len(data) / self.bytes_per_s
                    time.sleep(max(0.0, due - time.monotonic()))
                sink.sendall(data)
        for side in (source, sink):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
