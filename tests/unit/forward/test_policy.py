"""The retry tables and the back-off, without a clock and without luck."""

from __future__ import annotations

import pytest

from agent import errors
from agent.errors import Retry
from agent.forward.policy import (
    BREAKER_FAILURES,
    PATIENT,
    BackOff,
    Health,
    Scope,
    is_opinion,
    judge,
    judge_failure,
    judge_interrupted,
    rule_of_error,
    rule_of_status,
)


def every_error(root: type[errors.AgentError] = errors.AgentError) -> list[type[errors.AgentError]]:
    return [root, *(found for child in root.__subclasses__() for found in every_error(child))]


def made(kind: type[errors.AgentError]) -> errors.AgentError:
    return kind("x", status=0x0110) if kind is errors.StatusError else kind("x")


@pytest.mark.parametrize(
    ("error", "scope", "retry"),
    [
        (errors.ConnectFailed("x"), Scope.DESTINATION, Retry.LATER),
        (errors.LinkTimeout("x"), Scope.DESTINATION, Retry.LATER),
        (errors.LinkClosed("x"), Scope.DESTINATION, Retry.LATER),
        (errors.TlsRefused("x"), Scope.DESTINATION, Retry.OPERATOR),
        (errors.AssociationRejected("x"), Scope.DESTINATION, Retry.LATER),
        (errors.AssociationRefused("x"), Scope.DESTINATION, Retry.OPERATOR),
        (errors.AssociationAborted("x"), Scope.DESTINATION, Retry.LATER),
        (errors.RemoteProtocolError("x"), Scope.DESTINATION, Retry.LATER),
        (errors.NoAcceptedContext("x"), Scope.INSTANCE, Retry.OPERATOR),
        (errors.DecodeError("x"), Scope.INSTANCE, Retry.NEVER),
        (errors.ConfigError("x"), Scope.DESTINATION, Retry.OPERATOR),
    ],
)
def test_whose_fault_and_what_then(error: errors.AgentError, scope: Scope, retry: Retry) -> None:
    assert rule_of_error(error)[:2] == (scope, retry)


def test_every_error_has_a_rule() -> None:
    for kind in every_error():
        assert rule_of_error(made(kind)).scope in Scope


@pytest.mark.parametrize(
    ("status", "scope", "held_at"),
    [
        (0xA700, Scope.DESTINATION, None),
        (0x0213, Scope.DESTINATION, None),
        (0x0124, Scope.DESTINATION, None),
        (0xA900, Scope.INSTANCE, 1),
        (0xC001, Scope.INSTANCE, 3),
        (0x0110, Scope.INSTANCE, 10),
        (0x0111, Scope.INSTANCE, 1),
        (0x0117, Scope.INSTANCE, 1),
        (0x0122, Scope.INSTANCE, 1),
        (0x0210, Scope.INSTANCE, 1),
        (0x1234, Scope.INSTANCE, 1),
    ],
)
def test_status(status: int, scope: Scope, held_at: int | None) -> None:
    rule = rule_of_status(status)
    assert rule.scope is scope
    assert next((n for n in range(1, 100) if judge(rule, n, "").hold), None) == held_at


def test_every_status_has_a_rule() -> None:
    assert all(rule_of_status(status) for status in range(0x10000))


def test_only_a_peer_that_ends_it_itself_gets_an_instance_held() -> None:
    assert is_opinion(errors.AssociationAborted("x"))
    assert is_opinion(errors.RemoteProtocolError("x"))
    assert not is_opinion(errors.LinkClosed("x"))
    assert not is_opinion(errors.LinkTimeout("x"))
    assert not judge_interrupted(PATIENT - 1, "").hold
    assert judge_interrupted(PATIENT, "").hold


def test_full_jitter_doubles_to_the_cap() -> None:
    back_off = BackOff(15, 900)
    assert [back_off.longest_s(n) for n in (1, 2, 3, 6, 7, 8, 10_000)] == [15, 30, 60, 480, 900, 900, 900]
    assert back_off.draw_s(3, lambda: 0.5) == 30
    assert back_off.draw_s(3, lambda: 0.0) == 1.0
    assert BackOff(0.1, 0.2).draw_s(5, lambda: 0.0) == 0.2, "a site that wants short waits gets them"


def test_breaker_opens_and_operator_faults_wait_long() -> None:
    back_off = BackOff(15, 900)
    health = Health()
    for count in range(1, BREAKER_FAILURES + 1):
        assert not health.open
        health = health.after_failure(errors.ConnectFailed("down"), 100.0, back_off, lambda: 0.5)
        assert health.failures == count
    assert health.open
    assert health.next_at == 100.0 + 15 * 2 ** (BREAKER_FAILURES - 1) / 2
    assert "link.connect" in health.reason
    assert health.open_since == 100.0
    later = health.after_failure(errors.ConnectFailed("down"), 500.0, back_off, lambda: 0.5)
    assert later.open_since == 100.0, "it is open since it opened"
    assert later.down_for(400.0)
    assert not later.down_for(400.1)
    assert not Health().down_for(0.0)
    refused = Health().after_failure(errors.AssociationRefused("no"), 0.0, back_off, lambda: 0.0)
    assert refused.open
    assert refused.next_at == 900
    exact = errors.TlsRefused("revoked", hint="Do not use this peer.")
    assert Health().after_failure(exact, 0.0, back_off, lambda: 0.0).hint == "Do not use this peer."


def test_a_failure_is_judged_by_what_is_known_of_it() -> None:
    """By the status if there was an answer; else as the peer's opinion if it ended the association; else the error."""
    aborted = errors.AssociationAborted("x")
    assert judge_failure(aborted, 1, 0xA700, begun=True).scope is Scope.DESTINATION
    assert judge_failure(aborted, PATIENT, None, begun=True) == judge_interrupted(PATIENT, f"x [{aborted.code}]")
    assert judge_failure(aborted, PATIENT, None, begun=False).scope is Scope.DESTINATION
    assert not judge_failure(errors.LinkClosed("x"), 10_000, None, begun=True).hold
