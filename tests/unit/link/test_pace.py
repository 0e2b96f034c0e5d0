"""The bandwidth limit: bytes over time, evenly, shared, and without a deadline that fires because of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

import pytest
from fakes.associations import Pair, drain

from agent.dataset.uid import US
from agent.dimse.message import CEchoRequest, CStoreRequest
from agent.errors import LinkClosed, LinkTimeout
from agent.link.conversation import Conversation
from agent.link.driver import Driver
from agent.link.pace import BURST_S, CHUNK_S, LARGEST_CHUNK_BYTES, Pace
from agent.link.peer import Timeouts
from agent.link.transport import never
from agent.ul.pdu import Fragment

if TYPE_CHECKING:
    from pathlib import Path

    from agent.link.transport import Transport

WAITS = Timeouts(write_s=1.0, response_s=1.0, association_s=20.0)


class Time:
    """A clock that only sleeping moves; ``late`` is how much too long each sleep takes."""

    def __init__(self, late: float = 0.0) -> None:
        self.now = 100.0
        self.late = late

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds + self.late


class Line:
    """A transport that takes everything at once and remembers when."""

    name = "PEER"
    batch_bytes = 1 << 20

    def __init__(self, time: Time) -> None:
        self.time = time
        self.taken: list[tuple[float, int]] = []
        self.data = bytearray()
        self.cancelled = never

    def facts(self) -> dict[str, str]:
        return {}

    def write(self, data: memoryview, ends: float) -> None:
        if self.cancelled():
            raise LinkClosed("stopping")
        if self.time.now >= ends:
            raise LinkTimeout("association")
        self.taken.append((self.time.now, len(data)))
        self.data += data

    def poll(self) -> None:
        return None


def paced(time: Time, rate: float) -> tuple[Driver, Line, Pair]:
    pair, line = Pair(peer_maximum_length=0), Line(time)
    pace = Pace(rate, time.clock, time.sleep)
    return Driver(pair.requestor, cast("Transport", line), WAITS, time.clock, pace), line, pair


def send(driver: Driver, path: Path) -> int:
    context = next(c.context_id for c in driver.association.contexts.values() if c.abstract_syntax == US)
    Conversation(driver).queue(context, CStoreRequest(1, US, "2.25.1"), bulk=True)
    fd = os.open(path, os.O_RDONLY)
    try:
        return driver.send_data_set(fd, 0, path.stat().st_size, context, lambda: False)
    finally:
        os.close(fd)


@pytest.mark.parametrize("rate", [64e3, 8e6, 16e6])
@pytest.mark.parametrize("late", [0.0, 0.003])
def test_the_rate_is_kept_within_a_percent_and_evenly(tmp_path: Path, rate: float, late: float) -> None:
    time = Time(late)
    driver, line, _ = paced(time, rate)
    path = tmp_path / "data"
    path.touch()
    os.truncate(path, int(rate / 8 * 10))  # ten seconds
    began = time.now
    sent = send(driver, path)
    seconds = time.now - began
    written = sum(size for _, size in line.taken)
    assert sent < written < 1.005 * sent + 200
    assert seconds + BURST_S == pytest.approx(written / (rate / 8), rel=0.02)
    for second in range(1, 9):  # and so is each second of it
        inside = sum(size for at, size in line.taken if second <= at - began < second + 1)
        chunk = max(1400, min(rate / 8 * CHUNK_S, LARGEST_CHUNK_BYTES))
        assert abs(inside - rate / 8) <= 2 * chunk + rate / 8 * late


def test_waits_of_our_own_count_against_no_deadline(tmp_path: Path) -> None:
    """An association of 20 s carries what takes 80 s at the rate of the site, and is not old behind it."""
    time = Time()
    driver, _, _ = paced(time, 80_000)
    path = tmp_path / "data"
    path.write_bytes(bytes(800_000))
    began = time.now
    assert send(driver, path) == 800_000
    assert time.now - began > 4 * WAITS.association_s - 2
    assert not driver.old


def test_an_association_still_ends_for_a_peer_that_is_slow(tmp_path: Path) -> None:
    time = Time()
    driver, line, _ = paced(time, 80_000)
    path = tmp_path / "data"
    path.write_bytes(bytes(80_000))
    take = line.write

    def slowly(data: memoryview, ends: float) -> None:
        time.now += 3.0
        take(data, ends)

    line.write = slowly  # type: ignore[method-assign]
    line.write_now = lambda _data: None  # type: ignore[attr-defined]
    line.close = lambda: None  # type: ignore[attr-defined]
    with pytest.raises(LinkTimeout):
        send(driver, path)
    assert time.now < 100 + 1.5 * WAITS.association_s


def test_commands_do_not_wait_but_count(tmp_path: Path) -> None:
    time = Time()
    driver, line, _ = paced(time, 80_000)
    path = tmp_path / "data"
    path.write_bytes(bytes(20_000))
    send(driver, path)
    now = time.now
    Conversation(driver).send(1, CEchoRequest(1))
    assert time.now == now
    assert line.taken[-1][0] == now
    before = time.now
    send(driver, path)
    assert time.now - before >= 2.0


def test_pdus_are_short_where_the_line_is_slow_and_arrive_whole(tmp_path: Path) -> None:
    time = Time()
    driver, line, pair = paced(time, 64_000)
    path = tmp_path / "data"
    path.write_bytes(os.urandom(50_000))
    send(driver, path)
    pair.acceptor.receive(bytes(line.data), 0.0)
    fragments = [bytes(e.data) for e in drain(pair.acceptor) if isinstance(e, Fragment) and not e.control & 1]
    assert b"".join(fragments) == path.read_bytes()
    assert max(map(len, fragments)) <= 8000


def test_several_associations_share_the_rate(tmp_path: Path) -> None:
    """Three that take turns, chunk by chunk, are together no faster than one."""
    time = Time()
    pace = Pace(8e6, time.clock, time.sleep)
    began = time.now
    for _ in range(300):
        pace.wait(pace.chunk_bytes, never)
    assert time.now - began == pytest.approx(300 * pace.chunk_bytes / 1e6, rel=0.02)


def test_a_rest_gives_no_more_than_a_burst() -> None:
    time = Time()
    pace = Pace(8e6, time.clock, time.sleep)
    time.now += 3600
    waited = sum(pace.wait(pace.chunk_bytes, never) for _ in range(50))
    assert waited == pytest.approx(50 * CHUNK_S - BURST_S - CHUNK_S, abs=0.001)


def test_a_stop_ends_the_wait() -> None:
    time = Time()
    pace = Pace(16_000, time.clock, time.sleep)
    pace.spend(1_000_000)
    assert pace.wait(1, lambda: time.now > 103) == pytest.approx(3.0, abs=0.6)
