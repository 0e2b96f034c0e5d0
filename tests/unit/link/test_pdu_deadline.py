"""A PDU that has begun must end, wherever in a read it began and whoever read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from agent.dataset.uid import IMPLICIT_VR_LE, VERIFICATION
from agent.errors import LinkTimeout
from agent.link.driver import Driver
from agent.link.peer import Timeouts
from agent.link.transport import timed_out
from agent.service import verification
from agent.service.proposal import Need, acceptor_policy, associate_request, propose
from agent.ul import pdu as pdus
from agent.ul.association import Association, Role
from agent.ul.negotiate import answer
from agent.ul.pdu import AssociateRequest, Fragment

if TYPE_CHECKING:
    from agent.link.transport import Transport

PDU_S = 30.0
FAR = 1e9
REQUEST = pdus.encode(associate_request("A", "B", propose([Need(VERIFICATION, (IMPLICIT_VR_LE,))]).contexts))
DATA = pdus.encode(Fragment(1, 1, bytes(100)))
HEAD, TAIL = DATA[:3], DATA[3:]


class Line:
    """A peer that says each piece at its time; the clock runs only while somebody waits."""

    name = "PEER"

    def __init__(self, *pieces: tuple[float, bytes]) -> None:
        self.now = 0.0
        self.pieces = [(0.0, REQUEST), *pieces]

    def clock(self) -> float:
        return self.now

    def facts(self) -> dict[str, str]:
        return {}

    def read(self, deadline: float, wait: str) -> bytes:
        at = self.pieces[0][0] if self.pieces else FAR
        self.now = max(self.now, min(at, deadline))
        if self.now >= deadline:
            raise timed_out(wait, self.name)
        return self.pieces.pop(0)[1]

    def poll(self) -> bytes | None:
        return self.pieces.pop(0)[1] if self.pieces and self.pieces[0][0] <= self.now else None

    def write(self, _data: object, _ends: float) -> None:
        pass

    def write_now(self, _data: bytes) -> None:
        pass

    def close(self) -> None:
        pass


def established(line: Line) -> Driver:
    association = Association(Role.ACCEPTOR)
    driver = Driver(association, cast("Transport", line), Timeouts(pdu_s=PDU_S, association_s=1e6), line.clock)
    association.connected(line.now)
    request = driver.event("artim", FAR)
    assert isinstance(request, AssociateRequest)
    driver.send(answer(request, acceptor_policy({VERIFICATION: verification.OFFER})))
    driver.flush()
    return driver


def fragments(driver: Driver, count: int) -> None:
    for _ in range(count):
        assert isinstance(driver.event("response", FAR), Fragment)


def test_begun_behind_the_end_of_another() -> None:
    line = Line((1.0, DATA + HEAD))
    driver = established(line)
    fragments(driver, 1)
    with pytest.raises(LinkTimeout, match="wait 'pdu'"):
        driver.event("response", FAR)
    assert line.now == 1.0 + PDU_S


def test_every_read_brings_the_end_of_one_and_the_beginning_of_the_next() -> None:
    line = Line((1.0, DATA + HEAD), *((1.0 + 0.9 * PDU_S * n, TAIL + HEAD) for n in range(1, 6)))
    driver = established(line)
    fragments(driver, 6)
    with pytest.raises(LinkTimeout, match="wait 'pdu'"):
        driver.event("response", FAR)
    assert line.now == 1.0 + 0.9 * PDU_S * 5 + PDU_S


def test_begun_in_a_single_read_and_then_silent() -> None:
    line = Line((1.0, HEAD))
    driver = established(line)
    with pytest.raises(LinkTimeout, match="wait 'pdu'"):
        driver.event("response", FAR)
    assert line.now == 1.0 + PDU_S


def test_begun_while_nobody_waits() -> None:
    line = Line((0.0, HEAD), (20.0, TAIL[:1]))
    driver = established(line)
    assert driver.poll()
    assert driver.arrived() is None
    with pytest.raises(LinkTimeout, match="wait 'pdu'"):
        driver.event("response", FAR)
    assert line.now == PDU_S


def test_dripped_while_nobody_waits() -> None:
    """While we send, a peer that drips costs nothing; its time begins when we wait for it."""
    line = Line(*((float(n), DATA[n : n + 1]) for n in range(len(DATA))))
    driver = established(line)
    while line.now < 2 * PDU_S:
        driver.poll()
        assert driver.arrived() is None
        line.now += 1.0
    with pytest.raises(LinkTimeout, match="wait 'pdu'"):
        driver.event("response", FAR)
    assert line.now == 3 * PDU_S


def test_time_that_we_take_is_not_the_peers() -> None:
    line = Line((1.0, DATA + HEAD), (2.0, TAIL + HEAD), (2.5, TAIL))
    driver = established(line)
    for _ in range(3):
        fragments(driver, 1)
        line.now += 2 * PDU_S  # a disk that is slow, a limit of the bandwidth


def test_slow_but_honest() -> None:
    line = Line((1.0, DATA + HEAD), *((1.0 + 0.9 * PDU_S * n, TAIL + HEAD) for n in range(1, 6)), (160.0, TAIL))
    driver = established(line)
    fragments(driver, 7)
    with pytest.raises(LinkTimeout, match="wait 'response'"):
        driver.event("response", 1000.0)
