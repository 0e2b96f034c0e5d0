"""A peer that goes on talking when the association is over, or is to be released, is not listened to for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from agent.dataset.uid import IMPLICIT_VR_LE, VERIFICATION
from agent.link.driver import BEHIND_LIMIT_BYTES, Driver
from agent.link.peer import Timeouts
from agent.service import verification
from agent.service.proposal import Need, acceptor_policy, associate_request, propose
from agent.ul import pdu as pdus
from agent.ul.association import Association, Role
from agent.ul.negotiate import answer
from agent.ul.pdu import AssociateRequest, Fragment, ReleaseRequest, ReleaseResponse

if TYPE_CHECKING:
    from agent.link.transport import Transport

READ_BYTES = 1 << 14
REQUEST = pdus.encode(associate_request("A", "B", propose([Need(VERIFICATION, (IMPLICIT_VR_LE,))]).contexts))


class Flood:
    """A peer that opens an association and then says the same for ever; the clock never moves."""

    name = "PEER"

    def __init__(self, said: bytes) -> None:
        self.said = said * (READ_BYTES // len(said))
        self.taken = 0
        self.closed = False

    def facts(self) -> dict[str, str]:
        return {}

    def read(self, _deadline: float, _wait: str) -> bytes:
        if not self.taken:
            self.taken = 1
            return REQUEST
        assert self.taken < 10 * BEHIND_LIMIT_BYTES, "it is listened to for ever"
        self.taken += len(self.said)
        return self.said

    def write(self, _data: object, _ends: float) -> None:
        pass

    def write_now(self, _data: bytes) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def established(line: Flood) -> Driver:
    association = Association(Role.ACCEPTOR)
    driver = Driver(association, cast("Transport", line), Timeouts(), lambda: 0.0)
    association.connected(0.0)
    request = driver.event("artim", 1.0)
    assert isinstance(request, AssociateRequest)
    driver.send(answer(request, acceptor_policy({VERIFICATION: verification.OFFER})))
    driver.flush()
    return driver


def test_behind_its_release() -> None:
    line = Flood(pdus.encode(ReleaseRequest()))
    driver = established(line)
    assert isinstance(driver.event("idle", 1.0), ReleaseRequest)
    driver.send(ReleaseResponse())
    driver.flush()
    driver.finish()
    assert line.closed
    assert line.taken < 2 * BEHIND_LIMIT_BYTES


@pytest.mark.parametrize("said", [pdus.encode(Fragment(1, 1, b"")), pdus.encode(Fragment(1, 0, bytes(4000)))])
def test_instead_of_answering_our_release(said: bytes) -> None:
    line = Flood(said)
    driver = established(line)
    assert not driver.release()
    assert line.closed
    assert line.taken < 2 * BEHIND_LIMIT_BYTES
