"""What happened -> what to do, as tables; when to try again; when to leave a destination alone. Data in, data out.

Two questions are kept apart. *Whose fault?* A failure of the way or of the peer is the destination's: all its
instances wait together, none of them is blamed, so a typo in an AE Title never holds ten thousand images. A refusal of
one instance is the instance's: the others go on. *What then?* ``Retry`` says now, later, operator or never (P7).

============  =======================================================================================================
destination   back-off for the whole destination, exponential with full jitter; after ``BREAKER_FAILURES`` in a row
              the breaker is open and one association with nothing but a C-ECHO probes the way
instance      deferred on its own, or held for the operator after so many tries as its row says
============  =======================================================================================================

"Duplicate SOP Instance" (0111H) may speak of our own first try whose answer was lost, or of a stranger under the same
UID. The status alone proves neither, so it is a refusal like others; the worker takes it for stored only from the
second try on and only where commitment is asked for, which then decides (promise P3).

A destination that needs its configuration changed is probed at the longest interval: the change may be at the peer,
where nobody tells us. ``entropy`` is a function that returns a float in [0, 1); ``now`` is monotonic seconds.
"""

from __future__ import annotations

from enum import Enum

from agent.dimse.status import (
    DOUBTFUL_ATTEMPTS,
    NOT_AUTHORIZED,
    OUT_OF_RESOURCES,
    RESOURCE_LIMITATION,
    Service,
    explain,
)
from agent.errors import Retry
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.errors import AgentError

BREAKER_FAILURES = 5  # association failures in a row before only probes go out
UNLIMITED = 0  # tries: go on for ever
PATIENT = 10  # tries of one instance at which the peer ends the association: it may be ill, but not ten times
JITTER_FLOOR_S = 1.0  # full jitter may draw 0; a peer that is just restarting gets a second


class Scope(Enum):
    """What a failure stops."""

    DESTINATION = "destination"
    INSTANCE = "instance"


class Rule(NamedTuple):
    """One row: what is stopped, for how long, and after how many tries an instance is held."""

    scope: Scope
    retry: Retry
    tries: int = UNLIMITED


_D, _I = Scope.DESTINATION, Scope.INSTANCE

# Error code (agent.errors) -> rule. A code that is not here follows its nearest parent: "link.x" -> "link".
RULES: dict[str, Rule] = {
    "link": Rule(_D, Retry.LATER),
    "link.tls": Rule(_D, Retry.OPERATOR),
    "association": Rule(_D, Retry.LATER),
    "association.rejected.permanent": Rule(_D, Retry.OPERATOR),
    "association.user": Rule(_D, Retry.OPERATOR),
    "association.no_context": Rule(_I, Retry.OPERATOR),
    "protocol": Rule(_D, Retry.LATER),
    "protocol.local": Rule(_I, Retry.OPERATOR, DOUBTFUL_ATTEMPTS),
    "config": Rule(_D, Retry.OPERATOR),
    "dataset": Rule(_I, Retry.NEVER),
    "spool": Rule(_I, Retry.LATER),
    "spool.media": Rule(_I, Retry.LATER, DOUBTFUL_ATTEMPTS),  # a bad sector rarely heals, a loose plug may
}

# C-STORE failures that are about the peer and not about the instance: (value, mask). Retry class and tries of every
# status stand in dimse.status.
PEER_STATUSES: tuple[tuple[int, int], ...] = (
    (OUT_OF_RESOURCES, 0xFF00),
    (NOT_AUTHORIZED, 0xFFFF),
    (RESOURCE_LIMITATION, 0xFFFF),
)


class BackOff(NamedTuple):
    """Waits of one destination: ``base_s`` doubled for each failure in a row, at most ``cap_s``."""

    base_s: float = 15.0
    cap_s: float = 900.0

    def longest_s(self, failures: int) -> float:
        """Return the upper end of the draw after ``failures`` failures in a row (1 = the first)."""
        return min(self.cap_s, self.base_s * 2.0 ** min(failures - 1, 32))

    def draw_s(self, failures: int, entropy: Callable[[], float]) -> float:
        """Return a wait between ``JITTER_FLOOR_S`` and the upper end, evenly spread (full jitter)."""
        longest = self.longest_s(failures)
        return max(min(JITTER_FLOOR_S, longest), longest * entropy())


class Health(NamedTuple):
    """What is known of one destination; the empty one is healthy."""

    failures: int = 0  # in a row
    next_at: float = 0.0  # monotonic s: nothing is tried before
    needs_operator: bool = False
    reason: str = ""
    open_since: float | None = None  # monotonic s: the breaker opened, and nothing has gone right since
    failed_at: float = 0.0  # monotonic s
    hint: str = ""  # of the last error

    @property
    def open(self) -> bool:
        """Return whether the breaker is open: only a probe may go out."""
        return self.needs_operator or self.failures >= BREAKER_FAILURES

    def after_failure(self, error: AgentError, now: float, back_off: BackOff, entropy: Callable[[], float]) -> Health:
        """Return the health after one more failure of the way or the peer."""
        failures = self.failures + 1
        operator = rule_of_error(error).retry is Retry.OPERATOR
        wait = back_off.cap_s * (1 - entropy() / 2) if operator else back_off.draw_s(failures, entropy)
        found = Health(failures, now + wait, operator, f"{error} [{error.code}]", self.open_since, now, error.hint)
        return found._replace(open_since=now) if found.open and found.open_since is None else found

    def down_for(self, seconds: float) -> bool:
        """Return whether it failed still, so long after the breaker opened: time alone proves nothing."""
        return self.open_since is not None and self.failed_at >= self.open_since + seconds

    def looked_at(self, seconds: float) -> Health:
        """Return the health with a try no later than when ``down_for`` may be true."""
        due = None if self.open_since is None else self.open_since + seconds
        return self if due is None or not self.failed_at < due < self.next_at else self._replace(next_at=due)

    def answered(self) -> Health:
        """Return the health after a probe that succeeded: the peer is there, and may refuse every image."""
        return Health(reason=self.reason, open_since=self.open_since, failed_at=self.failed_at)

    def tried_now(self) -> Health:
        """Return the health when somebody says that the cause is gone."""
        return self._replace(next_at=0.0, failed_at=0.0)


class Verdict(NamedTuple):
    """What to do with one instance that was not stored."""

    scope: Scope
    hold: bool  # True: wait for the operator; False: try again
    reason: str


def rule_of_error(error: AgentError) -> Rule:
    """Return the row for an error; what nobody foresaw stops one instance until an operator looks."""
    code = getattr(error, "code", "")
    while code:
        if code in RULES:
            return RULES[code]
        code = code.rpartition(".")[0]
    return Rule(_I, Retry.OPERATOR)


def rule_of_status(status: int) -> Rule:
    """Return the row for a C-STORE failure status."""
    scope = _D if any(status & mask == value for value, mask in PEER_STATUSES) else _I
    known = explain(Service.STORAGE, status)
    return Rule(scope, known.retry or Retry.OPERATOR, known.attempts)


def judge(rule: Rule, attempt: int, reason: str) -> Verdict:
    """Return the verdict on an instance: its ``attempt``-th try that failed because of it did so under ``rule``."""
    if rule.scope is Scope.DESTINATION:
        return Verdict(rule.scope, hold=False, reason=reason)
    give_up = rule.retry in (Retry.OPERATOR, Retry.NEVER) and not rule.tries
    return Verdict(rule.scope, hold=give_up or bool(rule.tries and attempt >= rule.tries), reason=reason)


def is_opinion(error: AgentError) -> bool:
    """Return whether the peer itself ended the association, which may be about the instance under way.

    A bad line may cut any number of transfers; it has no opinion.
    """
    return error.code.startswith(("association.aborted", "protocol"))


def judge_interrupted(attempt: int, reason: str) -> Verdict:
    """Return the verdict on the instance at which the peer ended the association: again, but not for ever.

    It waits longer than the destination does, so that the others go first.
    """
    return Verdict(Scope.INSTANCE, hold=attempt >= PATIENT, reason=reason)


def judge_failure(error: AgentError, attempt: int, status: int | None, *, begun: bool) -> Verdict:
    """Judge by the ``status`` of the answer, by what broke in the middle (``begun``), or by the error alone."""
    reason = f"{error} [{error.code}]"
    if status is not None:
        return judge(rule_of_status(status), attempt, reason)
    if begun and is_opinion(error):
        return judge_interrupted(attempt, reason)
    return judge(rule_of_error(error), attempt, reason)
