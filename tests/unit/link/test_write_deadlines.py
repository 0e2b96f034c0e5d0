"""A write ends: for a peer that is too slow, at the end of the association, and when our own side stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from agent.errors import LinkClosed, LinkTimeout
from agent.link.peer import Timeouts
from agent.link.tls import TlsSettings
from agent.link.tls_transport import WRITE_BYTES, TlsTransport
from agent.link.transport import MINIMUM_RATE_BYTES_PER_S, Transport

if TYPE_CHECKING:
    import socket
    import ssl

FAR = 1e9
WRITE_S = 60.0


class SlowSocket:
    """Takes ``rate`` bytes in each second, one call a second; over TLS nothing until all is taken."""

    def __init__(self, rate: int, *, tls: bool = False) -> None:
        self.now = 0.0
        self.rate = rate
        self.tls = tls
        self.taken = 0

    def clock(self) -> float:
        return self.now

    def setsockopt(self, *_args: object) -> None:
        pass

    def settimeout(self, _seconds: float | None) -> None:
        pass

    def send(self, data: memoryview) -> int:
        self.now += 1
        self.taken += self.rate
        if self.tls and self.taken < len(data):
            raise TimeoutError
        if self.tls:
            self.taken = 0
        if not self.rate:
            raise BlockingIOError
        return len(data) if self.tls else min(self.rate, len(data))


def transport(slow: SlowSocket) -> Transport:
    timeouts = Timeouts(write_s=WRITE_S)
    if slow.tls:
        return TlsTransport(cast("ssl.SSLSocket", slow), "PEER", timeouts, TlsSettings("", "", ""), "", slow.clock)
    return Transport(cast("socket.socket", slow), "PEER", timeouts, slow.clock)


def test_honest_slow_peer_gets_all() -> None:
    slow = SlowSocket(2 * MINIMUM_RATE_BYTES_PER_S)
    transport(slow).write(bytes(1 << 20), FAR)
    assert slow.now == 512


@pytest.mark.parametrize("rate", [0, 1, MINIMUM_RATE_BYTES_PER_S // 4])
def test_peer_below_the_minimum_rate_is_left(rate: int) -> None:
    slow = SlowSocket(rate)
    with pytest.raises(LinkTimeout, match="wait 'write'"):
        transport(slow).write(bytes(1 << 20), FAR)
    assert slow.now <= 1.5 * WRITE_S


def test_tls_peer_above_the_minimum_rate_gets_all() -> None:
    slow = SlowSocket(4 * MINIMUM_RATE_BYTES_PER_S, tls=True)
    transport(slow).write(bytes(8 * WRITE_BYTES), FAR)
    assert slow.now == 8 * 32


def test_tls_buffer_has_its_time() -> None:
    slow = SlowSocket(MINIMUM_RATE_BYTES_PER_S, tls=True)
    with pytest.raises(LinkTimeout, match="wait 'write'"):
        transport(slow).write(bytes(WRITE_BYTES), FAR)
    assert slow.now == WRITE_S


@pytest.mark.parametrize("tls", [False, True])
def test_association_ends_while_we_write(tls: bool) -> None:
    slow = SlowSocket(4096, tls=tls)
    with pytest.raises(LinkTimeout, match="wait 'association'"):
        transport(slow).write(bytes(1 << 20), 10.0)
    assert slow.now == 10.0
    with pytest.raises(LinkTimeout, match="wait 'association'"):
        transport(slow).write(b"x", 10.0)


@pytest.mark.parametrize("tls", [False, True])
def test_stop_is_seen_though_the_peer_takes_bytes(tls: bool) -> None:
    slow = SlowSocket(4096, tls=tls)
    under_test = transport(slow)
    under_test.cancelled = lambda: slow.now >= 5
    with pytest.raises(LinkClosed, match="the agent is stopping"):
        under_test.write(bytes(1 << 20), FAR)
    assert slow.now == 5
