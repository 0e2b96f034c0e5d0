"""A loopback proxy that cuts connections: what a pulled cable looks like, on command.

It forwards bytes both ways and, when told to, resets both sides at once (RST, so that neither side sees an orderly
end). A cut is armed by ``cut_after_bytes``: when so many more bytes have come from requestors, the connection that
brought the last of them is reset, once; ``cut()`` resets everything that is open now. One thread per direction, small
fixed buffers.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK_BYTES: Final = 65_536
_CONNECT_TIMEOUT_S: Final = 5.0
# on=1, linger=0: close() sends RST.
_RESET: Final = struct.pack("ii", 1, 0)


class CutProxy:
    """Forward ``127.0.0.1:port`` to ``target`` (host, port); a context manager that ends all its threads."""

    def __init__(self, target: tuple[str, int], *, cut_after_bytes: int = 0) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._cut_at = cut_after_bytes
        self.carried = 0  # bytes from requestors, all connections together
        self._pairs: dict[tuple[socket.socket, socket.socket], int] = {}  # directions still open
        self._closed = False
        self._threads: list[threading.Thread] = []
        self.connections = 0
        self.cuts = 0
        self.refusing = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def __enter__(self) -> CutProxy:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def arm(self, cut_after_bytes: int) -> None:
        """Reset the connection that brings the last of ``cut_after_bytes`` more bytes from requestors."""
        with self._lock:
            self._cut_at = self.carried + cut_after_bytes

    def cut(self) -> int:
        """Reset every open connection now; returns how many there were."""
        with self._lock:
            pairs = list(self._pairs)
            self._pairs.clear()
            self.cuts += len(pairs)
        for pair in pairs:
            _reset(pair)
        return len(pairs)

    def close(self) -> None:
        """Stop listening, reset what is open, end the threads."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            pairs = list(self._pairs)
            self._pairs.clear()
        for pair in pairs:
            _reset(pair)
        for thread in self._threads:
            thread.join(_CONNECT_TIMEOUT_S)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True, name="cut-proxy")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                _reset((near,))
                continue
            try:
                far = socket.create_connection(self._target, _CONNECT_TIMEOUT_S)
            except OSError:
                _reset((near,))
                continue
            far.settimeout(None)
            for side in (near, far):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._pairs[near, far] = 2
            self._start(self._pump, near, far, near)
            self._start(self._pump, far, near, near)

    def _pump(self, source: socket.socket, sink: socket.socket, near: socket.socket) -> None:
        buffer = bytearray(_CHUNK_BYTES)
        outward = source is near
        pair = (source, sink) if outward else (sink, source)
        try:
            while count := source.recv_into(buffer):
                if outward and self._trips(count, pair):
                    _reset(pair)
                    return
                sink.sendall(memoryview(buffer)[:count])
            self._ended(pair, sink)
        except OSError:
            with self._lock:
                self._pairs.pop(pair, None)
            _reset(pair)

    def _ended(self, pair: tuple[socket.socket, socket.socket], sink: socket.socket) -> None:
        """Pass an orderly end on; the end that our own reset made is not one."""
        with self._lock:
            if pair not in self._pairs:
                return
            sink.shutdown(socket.SHUT_WR)
            self._pairs[pair] -= 1
            if self._pairs[pair]:
                return
            del self._pairs[pair]
        for side in pair:
            side.close()

    def _trips(self, count: int, pair: tuple[socket.socket, socket.socket]) -> bool:
        with self._lock:
            self.carried += count
            if not self._cut_at or self.carried < self._cut_at:
                return False
            self._cut_at = 0
            self.cuts += 1
            self._pairs.pop(pair, None)
            return True


def _reset(pair: tuple[socket.socket, ...]) -> None:
    for side in pair:
        with contextlib.suppress(OSError):
            side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        # shutdown wakes a thread that blocks in recv on this socket; close alone would leave it there.
        with contextlib.suppress(OSError):
            side.shutdown(socket.SHUT_RD)
        with contextlib.suppress(OSError):
            side.close()
