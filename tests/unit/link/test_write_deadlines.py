"""A write ends: for a peer that is too slow, at the end of the association, and when our own side stops."""

from __future__ import annotations

import socket
import ssl
import struct
from typing import cast

import pytest

from agent.errors import LinkClosed, LinkTimeout
from agent.link.peer import Timeouts
from agent.link.tls import TlsSettings
from agent.link.tls_transport import Pipes, TlsTransport
from agent.link.transport import MINIMUM_RATE_BYTES_PER_S, Transport

FAR = 1e9
WRITE_S = 60.0


class SlowSocket:
    """Takes ``rate`` bytes in each second, one call a second."""

    def __init__(self, rate: int) -> None:
        self.now = 0.0
        self.rate = rate
        self.options: list[tuple[object, ...]] = []

    def clock(self) -> float:
        return self.now

    def setsockopt(self, *option: object) -> None:
        self.options.append(option)

    def settimeout(self, _seconds: float | None) -> None:
        pass

    def send(self, data: memoryview) -> int:
        self.now += 1
        if not self.rate:
            raise BlockingIOError
        return min(self.rate, len(data))


class Unencrypted:
    """OpenSSL with a cipher that changes nothing."""

    def __init__(self, leaving: ssl.MemoryBIO) -> None:
        self.write = leaving.write


def transport(slow: SlowSocket, *, tls: bool) -> Transport:
    timeouts, sock = Timeouts(write_s=WRITE_S), cast("socket.socket", slow)
    if not tls:
        return Transport(sock, "PEER", timeouts, slow.clock)
    leaving = ssl.MemoryBIO()
    ends = Pipes(cast("ssl.SSLObject", Unencrypted(leaving)), ssl.MemoryBIO(), leaving)
    return TlsTransport(sock, "PEER", timeouts, ends, TlsSettings("", "", ""), "", slow.clock)


@pytest.mark.parametrize("tls", [False, True])
def test_honest_slow_peer_gets_all(tls: bool) -> None:
    slow = SlowSocket(2 * MINIMUM_RATE_BYTES_PER_S)
    transport(slow, tls=tls).write(bytes(1 << 20), FAR)
    assert slow.now == 512
    assert socket.SO_LINGER not in {name for _, name, _ in slow.options}


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("rate", [0, 1, MINIMUM_RATE_BYTES_PER_S // 4])
def test_peer_below_the_minimum_rate_is_left(rate: int, tls: bool) -> None:
    slow = SlowSocket(rate)
    with pytest.raises(LinkTimeout, match="wait 'write'"):
        transport(slow, tls=tls).write(bytes(1 << 20), FAR)
    assert slow.now <= 1.5 * WRITE_S
    # close() resets: nothing is left with the kernel for a peer that takes nothing
    assert slow.options[-1] == (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("tls", [False, True])
def test_association_ends_while_we_write(tls: bool) -> None:
    slow = SlowSocket(4096)
    with pytest.raises(LinkTimeout, match="wait 'association'"):
        transport(slow, tls=tls).write(bytes(1 << 20), 10.0)
    assert slow.now == 10.0
    with pytest.raises(LinkTimeout, match="wait 'association'"):
        transport(slow, tls=tls).write(b"x", 10.0)


@pytest.mark.parametrize("tls", [False, True])
def test_stop_is_seen_though_the_peer_takes_bytes(tls: bool) -> None:
    slow = SlowSocket(4096)
    under_test = transport(slow, tls=tls)
    under_test.cancelled = lambda: slow.now >= 5
    with pytest.raises(LinkClosed, match="the agent is stopping"):
        under_test.write(bytes(1 << 20), FAR)
    assert slow.now == 5
