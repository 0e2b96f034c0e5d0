"""Which handshakes of a listener are no news."""

from __future__ import annotations

import pytest

from agent.errors import TlsRefused
from agent.link.second_look import WITHIN_S, SecondLooks


def ended(reason: str) -> TlsRefused:
    error, cause = TlsRefused("refused"), OSError()
    cause.reason = reason  # type: ignore[attr-defined]  # as ssl.SSLError has it
    error.__cause__ = cause
    return error


LOOK, ALERT = ended("PEER_DID_NOT_RETURN_A_CERTIFICATE"), ended("TLSV1_ALERT_UNKNOWN_CA")


@pytest.mark.parametrize(("later", "quiet"), [(0.0, True), (WITHIN_S - 0.1, True), (WITHIN_S, False)])
def test_a_look_follows_a_refusal_soon(later: float, quiet: bool) -> None:
    now = 100.0
    looks = SecondLooks(lambda: now)
    assert not looks.is_one("10.0.0.1", ALERT)
    now += later
    assert looks.is_one("10.0.0.1", LOOK) is quiet


def test_one_refusal_hides_one_look_of_the_same_caller() -> None:
    looks = SecondLooks(lambda: 100.0)
    assert not looks.is_one("10.0.0.1", LOOK)
    looks.is_one("10.0.0.1", ALERT)
    assert not looks.is_one("10.0.0.2", LOOK)
    assert looks.is_one("10.0.0.1", LOOK)
    assert not looks.is_one("10.0.0.1", LOOK)


def test_callers_are_forgotten() -> None:
    looks = SecondLooks(lambda: 100.0)
    for number in range(100):
        looks.is_one(str(number), ALERT)
    assert not looks.is_one("0", LOOK)
    assert looks.is_one("99", LOOK)
